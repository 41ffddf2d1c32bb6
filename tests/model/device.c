/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash_build.h"
#include "hal/flash.h"
#include "hal/loader.h"
#include "hal/start.h"
#include "log.h"

#include "esp_app_desc.h"
#include "esp_flash_internal.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

#define SECTORS (DEVICE_END / BUILD_SECTOR)

static const model_table_t *s_table;
static uint8_t s_system[DEVICE_OTADATA]; /* bootloader header and table of s_system_table */
static model_table_t s_system_table;
static bool s_system_made;

static jmp_buf s_away;
static bool s_booting;
static device_outcome_t s_outcome;
static uint32_t s_started;
static bool s_off;
static jmp_buf s_restart;

static bool s_allow_otadata, s_allow_efuse;
static int s_allow_place;
static char s_trespass[96];

/* --- the board below: what is written where --- */

esp_err_t __real_hal_flash_program(uint32_t address, const void *src, size_t len);
esp_err_t __wrap_hal_flash_program(uint32_t address, const void *src, size_t len);
esp_err_t __real_hal_flash_erase_sector(uint32_t address);
esp_err_t __wrap_hal_flash_erase_sector(uint32_t address);
esp_err_t __real_hal_flash_erase_block(uint32_t address);
esp_err_t __wrap_hal_flash_erase_block(uint32_t address);

static bool inside(uint32_t address, size_t len, uint32_t start, uint32_t size)
{
    return address >= start && len <= size && address - start <= size - len;
}

static void look_at(const char *what, uint32_t address, size_t len)
{
    bool allowed = (s_allow_otadata && inside(address, len, DEVICE_OTADATA, 2 * BUILD_SECTOR)) ||
                   (s_allow_efuse && inside(address, len, DEVICE_EFUSE, DEVICE_EFUSE_SIZE)) ||
                   (s_allow_place != MODEL_NOWHERE &&
                    inside(address, len, device_address(s_allow_place), DEVICE_PLACE_SIZE));
    if (!allowed && !s_off && s_trespass[0] == '\0') {
        (void)snprintf(s_trespass, sizeof(s_trespass), "%s of %u bytes at 0x%x is outside", what,
                       (unsigned)len, (unsigned)address);
    }
}

esp_err_t __wrap_hal_flash_program(uint32_t address, const void *src, size_t len)
{
    look_at("program", address, len);
    return __real_hal_flash_program(address, src, len);
}

esp_err_t __wrap_hal_flash_erase_sector(uint32_t address)
{
    look_at("erase", address, HAL_FLASH_SECTOR_SIZE);
    return __real_hal_flash_erase_sector(address);
}

esp_err_t __wrap_hal_flash_erase_block(uint32_t address)
{
    look_at("erase", address, HAL_FLASH_BLOCK_SIZE);
    return __real_hal_flash_erase_block(address);
}

/* --- the board above: memory for programs, without a memory file for each --- */

static uint8_t s_memory[DEVICE_PLACE_SIZE];
static size_t s_memory_used;

void __wrap_hal_loader_reset(void);
void *__wrap_hal_loader_place(uint32_t load_address, uint32_t len, const char **why);
esp_err_t __wrap_hal_loader_start(uint32_t entry, uint32_t image_offset);

void __wrap_hal_loader_reset(void)
{
    s_memory_used = 0;
}

void *__wrap_hal_loader_place(uint32_t load_address, uint32_t len, const char **why)
{
    if (load_address < 0x80000000u || load_address >= 0xC0000000u ||
        len > sizeof(s_memory) - s_memory_used) {
        *why = "bad load address range";
        return NULL;
    }
    uint8_t *at = s_memory + s_memory_used;
    s_memory_used += len;
    return at;
}

esp_err_t __wrap_hal_loader_start(uint32_t entry, uint32_t image_offset)
{
    if (entry != 0x80000000u) {
        return ESP_ERR_IMAGE_INVALID;
    }
    s_started = image_offset;
    s_outcome = DEVICE_STARTED;
    longjmp(s_away, 1);
}

_Noreturn void __wrap_esp_restart(void);

_Noreturn void __wrap_esp_restart(void)
{
    longjmp(s_restart, 1);
}

/* The running program's description is that of the image which runs. */
const esp_app_desc_t *__wrap_esp_app_get_description(void);

const esp_app_desc_t *__wrap_esp_app_get_description(void)
{
    static esp_app_desc_t desc;
    uint32_t version = 0;
    uint32_t running = linux_board_testing_state()->running_offset;
    (void)build_read_descriptor(linux_board_testing_flash() + running, &version);
    desc = (esp_app_desc_t){.magic_word = ESP_APP_DESC_MAGIC_WORD, .secure_version = version};
    return &desc;
}

/* The bootloader's console; log.c has tests of its own. */
int boot_vformat(char *out, size_t size, const char *format, va_list arguments)
{
    return vsnprintf(out, size, format, arguments);
}

int boot_format(char *out, size_t size, const char *format, ...)
{
    (void)format;
    (void)size;
    out[0] = '\0';
    return 0;
}

void boot_log(char level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

void boot_log_line(const fmt_log_line_t *line)
{
    (void)line;
}

static int no_print(const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
    return 0;
}

/* --- hooks --- */

static void on_reset(hal_reset_reason_t reason, void *arg)
{
    (void)reason;
    (void)arg;
    if (!s_booting) {
        fprintf(stderr, "device: an unexpected reset\n");
        abort();
    }
    s_outcome = DEVICE_GAVE_UP;
    longjmp(s_away, 1);
}

static void on_cut(void *arg)
{
    (void)arg;
    s_off = true;
    if (s_booting) {
        s_outcome = DEVICE_CUT;
        longjmp(s_away, 1);
    }
    /* The application goes on without power: every operation fails and nothing changes any more,
     * which is as good as stopping it, and leaves no lock and no memory behind. */
}

/* --- life --- */

static void make_system(const model_table_t *table)
{
    static char labels[MODEL_PLACES][4];
    build_row_t rows[MODEL_PLACES + 3];
    unsigned count = 0;
    rows[count++] = (build_row_t){1, 0x02, DEVICE_NVS, DEVICE_NVS_SIZE, 0, "nvs"};
    rows[count++] = (build_row_t){1, 0x05, DEVICE_EFUSE, DEVICE_EFUSE_SIZE, 0, "efuse"};
    if (table->otadata) {
        rows[count++] = (build_row_t){1, 0x00, DEVICE_OTADATA, 2 * BUILD_SECTOR, 0, "otadata"};
    }
    for (unsigned i = 0; i < table->places; i++) {
        (void)snprintf(labels[i], sizeof(labels[i]), "p%u", i % 100);
        rows[count++] = (build_row_t){
            0, table->subtype[i], device_address((int)i), DEVICE_PLACE_SIZE, 0, labels[i]};
    }
    memset(s_system, 0xFF, sizeof(s_system));
    build_bootloader_header(s_system);
    build_table(s_system + BUILD_TABLE, rows, count);
    s_system_table = *table;
    s_system_made = true;
}

void device_new(const model_table_t *table, uint64_t seed)
{
    static bool made;
    if (!made) {
        linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
        linux_board_testing_on_reset(on_reset, NULL);
        linux_board_testing_on_cut(on_cut, NULL);
        esp_log_set_vprintf(no_print);
        esp_log_level_set("*", ESP_LOG_NONE);
        made = true;
    }
    if (!s_system_made || memcmp(&s_system_table, table, sizeof(*table)) != 0) {
        make_system(table);
    }
    s_table = table;
    uint8_t *flash = linux_board_testing_flash();
    memcpy(flash, s_system, sizeof(s_system));
    memset(flash + sizeof(s_system), 0xFF, DEVICE_END - sizeof(s_system));
    linux_board_state_t *state = linux_board_testing_state();
    memset(state->unstable, 0, SECTORS * sizeof(state->unstable[0]));
    memset(state->wear, 0, SECTORS * sizeof(state->wear[0]));
    state->seed = seed;
    state->flicker = 0;
    device_no_cut();
    device_power_on();
    s_trespass[0] = '\0';
    device_allow(false, false, MODEL_NOWHERE);
}

uint32_t device_address(int place)
{
    return DEVICE_APPS + (uint32_t)place * DEVICE_PLACE_SIZE;
}

uint8_t *device_place(int place)
{
    return linux_board_testing_flash() + device_address(place);
}

uint8_t *device_entry(unsigned index)
{
    return linux_board_testing_flash() + DEVICE_OTADATA + index * BUILD_SECTOR;
}

bool device_unstable(uint32_t address)
{
    return linux_board_testing_state()->unstable[address / BUILD_SECTOR] != 0;
}

void device_settle(uint32_t address)
{
    linux_board_testing_state()->unstable[address / BUILD_SECTOR] = 0;
}

unsigned device_boots(unsigned index)
{
    unsigned count = 0;
    while (count < 16 && build_get_u32(device_entry(index) + 4032 + 4 * count) != 0xFFFFFFFF) {
        count++;
    }
    return count;
}

#define FUSE_BIT   142u
#define FUSE_WIDTH 16u
#define FUSE_DUMP  352u

unsigned device_efuse(void)
{
    const uint8_t *fuses = linux_board_testing_flash() + DEVICE_EFUSE;
    bool fresh = true;
    for (unsigned i = 0; i < FUSE_DUMP; i++) {
        fresh = fresh && fuses[i] == 0xFF;
    }
    unsigned ones = 0;
    for (unsigned bit = FUSE_BIT; bit < FUSE_BIT + FUSE_WIDTH; bit++) {
        ones += (fuses[bit / 8] >> (bit % 8)) & 1u;
    }
    return fresh ? 0 : ones;
}

void device_put_efuse(unsigned count)
{
    uint8_t *fuses = linux_board_testing_flash() + DEVICE_EFUSE;
    memset(fuses, 0xFF, DEVICE_EFUSE_SIZE);
    memset(fuses, 0, FUSE_DUMP);
    for (unsigned bit = FUSE_BIT; bit < FUSE_BIT + count; bit++) {
        fuses[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
    device_settle(DEVICE_EFUSE);
    device_settle(DEVICE_EFUSE + BUILD_SECTOR);
}

device_outcome_t device_boot(int *place)
{
    *place = MODEL_NOWHERE;
    device_allow(true, true, MODEL_NOWHERE);
    s_booting = true;
    if (setjmp(s_away) == 0) {
        bootloader_main();
    }
    s_booting = false;
    if (s_outcome == DEVICE_STARTED) {
        linux_board_testing_state()->running_offset = s_started;
        for (unsigned i = 0; i < s_table->places; i++) {
            if (device_address((int)i) == s_started) {
                *place = (int)i;
            }
        }
    }
    device_allow(false, false, MODEL_NOWHERE);
    return s_outcome;
}

void device_plan_cut(unsigned operation, linux_board_cut_mode_t mode, unsigned percent)
{
    linux_board_testing_cut(operation, mode, percent);
}

void device_no_cut(void)
{
    linux_board_testing_state()->cut.mode = LINUX_BOARD_CUT_NEVER;
}

bool device_is_off(void)
{
    return s_off;
}

void device_forget_verified(void)
{
    esp_flash_verified_keep(esp_flash_verified_begin(), 0, 0);
}

static void forget(void)
{
    esp_partition_unload_all();
    device_forget_verified();
}

void device_power_on(void)
{
    linux_board_testing_power_on();
    s_off = false;
    forget();
}

void device_reset(void)
{
    linux_board_testing_reboot(HAL_RESET_SOFTWARE);
    forget();
}

void device_allow(bool otadata, bool efuse, int place)
{
    s_allow_otadata = otadata;
    s_allow_efuse = efuse;
    s_allow_place = place;
}

const char *device_trespass(void)
{
    return s_trespass[0] != '\0' ? s_trespass : NULL;
}

const esp_partition_t *device_partition(int place)
{
    char label[4];
    (void)snprintf(label, sizeof(label), "p%u", (unsigned)place % 100);
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, label);
}

bool device_reject_and_reboot(int *err)
{
    if (setjmp(s_restart) == 0) {
        *err = esp_ota_mark_app_invalid_rollback_and_reboot();
        return false;
    }
    return true;
}
