/* SPDX-License-Identifier: Apache-2.0
 *
 * One boot, in a process of its own: the ROM's check, the bootloader, then the application's part,
 * which is a scenario's functions between the questions that every boot has to answer. */
#include <elf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "bootloader_entry.h"
#include "engine.h"
#include "esp_app_desc.h"
#include "esp_flash.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "formats/image.h"
#include "hal/chip.h"
#include "hal/loader.h"
#include "hal/sha256.h"
#include "linux_board/testing.h"
#include "mbedtls/sha256.h"
#include "rom.h"
#include "sdkconfig.h"
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

/* Seconds a boot may take. */
#define BOOT_TIMEOUT 20

#define PROGRAM_ADDRESS 0x80000000u
#define DESC_ADDRESS    0x3C000020u
#define PROGRAM_SIZE    6000u
#define CHUNK           1500u

const airlift_powercut_scenario_t *powercut_scenario;
powercut_shared_t *powercut_shared;
linux_flash_t powercut_flash;
powercut_record_t *powercut_record;
uint32_t powercut_table_offset;

/* The descriptor of the application that runs, in the place of the project's. */
esp_app_desc_t esp_app_desc = {.magic_word = ESP_APP_DESC_MAGIC_WORD};

static airlift_powercut_scenario_t *scenarios;

void airlift_powercut_register(airlift_powercut_scenario_t *scenario)
{
    airlift_powercut_scenario_t **at = &scenarios;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = scenario;
}

airlift_powercut_scenario_t *powercut_scenarios(void)
{
    return scenarios;
}

/* --- images --- */

static uint8_t image[FMT_IMAGE_HEADER_SIZE + 2 * FMT_IMAGE_SEGMENT_HEADER_SIZE + FMT_APP_DESC_SIZE +
                     PROGRAM_SIZE + 16 + FMT_IMAGE_DIGEST_SIZE];

const void *airlift_powercut_image(uint32_t version, uint32_t secure_version, size_t *size)
{
    const fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .segment_count = 2,
        .spi_mode = FMT_SPI_MODE_DIO,
        .entry = PROGRAM_ADDRESS,
        .wp_pin = FMT_IMAGE_WP_PIN_DISABLED,
        .chip_id = FMT_CHIP_ID_LINUX,
        .max_chip_rev_full = UINT16_MAX,
        .hash_appended = 1,
    };
    fmt_app_desc_t desc = {
        .magic_word = FMT_APP_DESC_MAGIC,
        .secure_version = secure_version,
        .idf_ver = "powercut",
        .mmu_page_size = 31 - (uint8_t)__builtin_clz(CONFIG_MMU_PAGE_SIZE),
        .spi_flash_mode = CONFIG_ESPTOOLPY_FLASHMODE_VAL,
    };
    snprintf(desc.version, sizeof(desc.version), "%" PRIu32, version);
    snprintf(desc.project_name, sizeof(desc.project_name), "%.31s", POWERCUT_PROJECT_NAME);
    Elf64_Ehdr elf = {.e_type = ET_DYN};
    memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;

    memset(image, 0, sizeof(image));
    fmt_image_header_encode(&header, image);
    uint32_t at = FMT_IMAGE_HEADER_SIZE;
    fmt_image_segment_header_encode(DESC_ADDRESS, FMT_APP_DESC_SIZE, image + at);
    at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
    fmt_app_desc_encode(&desc, image + at);
    uint8_t sum = fmt_image_checksum(FMT_IMAGE_CHECKSUM_SEED, image + at, FMT_APP_DESC_SIZE);
    at += FMT_APP_DESC_SIZE;
    fmt_image_segment_header_encode(PROGRAM_ADDRESS, PROGRAM_SIZE, image + at);
    at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
    uint8_t *program = image + at;
    memcpy(program, &elf, sizeof(elf));
    for (size_t i = sizeof(elf); i < PROGRAM_SIZE; i++) {
        program[i] = (uint8_t)(i * 7 + i / 256 + version);
    }
    sum = fmt_image_checksum(sum, program, PROGRAM_SIZE);
    at = fmt_image_checksum_offset(at + PROGRAM_SIZE);
    image[at++] = sum;
    mbedtls_sha256(image, at, image + at, 0);
    *size = at + FMT_IMAGE_DIGEST_SIZE;
    return image;
}

void powercut_put_image(uint8_t *bytes, uint32_t address, uint32_t version, uint32_t secure_version)
{
    size_t size;
    const void *content = airlift_powercut_image(version, secure_version, &size);
    memcpy(bytes + address, content, size);
}

/* --- what the flash says --- */

bool powercut_read_table(const linux_flash_t *flash, fmt_boot_table_t *roles)
{
    static uint8_t rows[FMT_PARTITION_TABLE_LEN];
    fmt_table_report_t report;
    if (powercut_table_offset > flash->state->flash_size - sizeof(rows)) {
        return false;
    }
    memcpy(rows, flash->bytes + powercut_table_offset, sizeof(rows));
    if (fmt_partition_table_check(rows, sizeof(rows), flash->state->flash_size, &report) !=
        ESP_OK) {
        return false;
    }
    fmt_boot_table_scan(rows, report.count, roles);
    return true;
}

const char *powercut_otadata_problem(const linux_flash_t *flash)
{
    static char text[120];
    fmt_boot_table_t roles;
    if (!powercut_read_table(flash, &roles)) {
        return "the partition table is not valid";
    }
    if (!roles.has_otadata || roles.ota_count == 0) {
        return NULL;
    }
    fmt_otadata_entry_t entries[2];
    bool empty = true;
    bool readable = false;
    for (unsigned i = 0; i < 2; i++) {
        fmt_otadata_decode(flash->bytes + roles.otadata.offset + i * FMT_OTADATA_SECTOR,
                           &entries[i]);
        empty = empty && entries[i].seq == FMT_OTADATA_SEQ_EMPTY;
        readable = readable || !fmt_otadata_blank(&entries[i]);
    }
    if (!empty && !readable) {
        return "no record of otadata is valid";
    }
    int active = fmt_otadata_active(entries);
    if (active >= 0) {
        unsigned slot = fmt_otadata_slot(&entries[active], roles.ota_count);
        if (roles.ota[slot].offset != flash->state->running_offset) {
            snprintf(text, sizeof(text), "otadata selects ota_%u, but 0x%x runs", slot,
                     (unsigned)flash->state->running_offset);
            return text;
        }
    }
    return NULL;
}

void powercut_touch(uint32_t address, size_t len)
{
    powercut_shared_t *shared = powercut_shared;
    shared->last_address = address;
    shared->check_rom = shared->check_rom || address < powercut_table_offset;
    for (uint32_t sector = address / LINUX_BOARD_SECTOR_SIZE;
         len > 0 && sector <= (address + len - 1) / LINUX_BOARD_SECTOR_SIZE; sector++) {
        if (!shared->is_dirty[sector]) {
            shared->is_dirty[sector] = 1;
            shared->dirty[shared->dirty_count++] = sector;
        }
    }
}

/* --- the end of a boot --- */

static _Noreturn void end_boot(int status)
{
    fflush(NULL);
    _exit(status);
}

_Noreturn void airlift_powercut_lost(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(powercut_shared->text, sizeof(powercut_shared->text), format, arguments);
    va_end(arguments);
    printf("--- lost: %s\n", powercut_shared->text);
    end_boot(POWERCUT_EXIT_LOST);
}

void airlift_powercut_must(esp_err_t err, const char *what)
{
    if (err != ESP_OK) {
        airlift_powercut_lost("%s failed: error 0x%x", what, (unsigned)err);
    }
}

/* --- what a firmware can ask and do --- */

uint32_t airlift_powercut_version(void)
{
    return (uint32_t)strtoul(esp_app_desc.version, NULL, 10);
}

uint32_t airlift_powercut_secure_version(void)
{
    return esp_app_desc.secure_version;
}

void airlift_powercut_choosing(uint32_t version)
{
    powercut_notes_t *notes = &powercut_shared->notes;
    notes->candidate = version;
    if (notes->rejected == version) {
        notes->rejected = 0;
    }
    if (version > notes->highest) {
        notes->highest = version;
    }
}

void airlift_powercut_chosen(uint32_t version)
{
    powercut_shared->notes.promised = version;
    powercut_shared->installs++;
    printf("--- done: version %" PRIu32 " boots next\n", version);
}

void airlift_powercut_forgetting(void)
{
    powercut_shared->notes.confirmed = 0;
}

void airlift_powercut_rejected(uint32_t version)
{
    powercut_notes_t *notes = &powercut_shared->notes;
    notes->rejected = version;
    if (notes->candidate == version) {
        notes->candidate = 0;
    }
    if (notes->promised == version) {
        notes->promised = 0;
    }
    printf("--- done: version %" PRIu32 " is rejected\n", version);
}

esp_err_t airlift_powercut_install(uint32_t version, uint32_t secure_version, size_t begin_size)
{
    size_t size;
    const uint8_t *content = airlift_powercut_image(version, secure_version, &size);
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_ota_handle_t handle;
    esp_err_t err = slot == NULL
                        ? ESP_ERR_NOT_FOUND
                        : esp_ota_begin(slot, begin_size == 0 ? size : begin_size, &handle);
    if (err != ESP_OK) {
        return err;
    }
    for (size_t at = 0; at < size; at += CHUNK) {
        err = esp_ota_write(handle, content + at, size - at < CHUNK ? size - at : CHUNK);
        if (err != ESP_OK) {
            esp_ota_abort(handle);
            return err;
        }
    }
    err = esp_ota_end(handle);
    if (err != ESP_OK) {
        return err;
    }
    airlift_powercut_choosing(version);
    err = esp_ota_set_boot_partition(slot);
    if (err == ESP_OK) {
        airlift_powercut_chosen(version);
    }
    return err;
}

esp_err_t airlift_powercut_confirm(void)
{
    esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    if (err == ESP_OK) {
        powercut_notes_t *notes = &powercut_shared->notes;
        notes->confirmed = notes->stable = airlift_powercut_version();
        notes->candidate = 0;
        if (airlift_powercut_secure_version() > notes->secure) {
            notes->secure = airlift_powercut_secure_version();
        }
        printf("--- done: version %" PRIu32 " is confirmed\n", notes->confirmed);
    }
    return err;
}

void airlift_powercut_done(const char *name, uint32_t value)
{
    powercut_notes_t *notes = &powercut_shared->notes;
    uint32_t at = 0;
    while (at < notes->promise_count && strcmp(notes->promises[at].name, name) != 0) {
        at++;
    }
    if (at == POWERCUT_PROMISES_MAX || strlen(name) >= POWERCUT_NAME_MAX) {
        airlift_powercut_lost("the scenario notes more than %d names, or one longer than %d: %s",
                              POWERCUT_PROMISES_MAX, POWERCUT_NAME_MAX - 1, name);
    }
    if (at == notes->promise_count) {
        strcpy(notes->promises[at].name, name);
        notes->promise_count++;
    }
    notes->promises[at].value = value;
    printf("--- done: %s = %" PRIu32 "\n", name, value);
}

bool airlift_powercut_was_done(const char *name, uint32_t *value)
{
    const powercut_notes_t *notes = &powercut_shared->notes;
    for (uint32_t i = 0; i < notes->promise_count; i++) {
        if (strcmp(notes->promises[i].name, name) == 0) {
            *value = notes->promises[i].value;
            return true;
        }
    }
    return false;
}

/* --- what every boot has to answer --- */

/* Whether otadata says that an attempt to run version failed: then its roll-back is what the
 * configuration asks for, not a loss. */
static bool attempt_failed(uint32_t version)
{
    const esp_partition_t *slot = NULL;
    unsigned count = esp_ota_get_app_partition_count();
    for (unsigned i = 0; i < count; i++) {
        slot = esp_ota_get_next_update_partition(slot);
        esp_app_desc_t desc;
        esp_ota_img_states_t state;
        if (esp_ota_get_partition_description(slot, &desc) == ESP_OK &&
            strtoul(desc.version, NULL, 10) == version &&
            esp_ota_get_state_partition(slot, &state) == ESP_OK) {
            return state == ESP_OTA_IMG_ABORTED;
        }
    }
    return false;
}

/* Whether the application that runs will be rolled back unless it confirms itself. */
static bool is_pending(void)
{
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    esp_ota_img_states_t state;
    return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
#else
    return false;
#endif
}

static void check_version(powercut_notes_t *notes, uint32_t version)
{
    if (notes->promised != 0 && version != notes->promised && !attempt_failed(notes->promised)) {
        airlift_powercut_lost("version %" PRIu32 " was reported to boot next, but version "
                              "%" PRIu32 " runs",
                              notes->promised, version);
    }
    notes->promised = 0;
    if (version == notes->candidate && version != notes->rejected && !is_pending()) {
        /* Nothing is left that could take it back. */
        notes->stable = version;
        notes->confirmed = 0;
        notes->candidate = 0;
    }
    if (notes->rejected != 0 && version == notes->rejected) {
        airlift_powercut_lost("version %" PRIu32 " runs, which was rejected", version);
    }
    if (version != notes->stable && version != notes->candidate) {
        airlift_powercut_lost("version %" PRIu32 " runs, but version %" PRIu32 " is the one that "
                              "was %s",
                              version, notes->stable,
                              notes->confirmed == notes->stable ? "confirmed" : "running");
    }
}

static void check_confirmation(const powercut_notes_t *notes, uint32_t version)
{
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    esp_ota_img_states_t state;
    if (version == notes->confirmed) {
        esp_err_t err = esp_ota_get_state_partition(esp_ota_get_running_partition(), &state);
        if (err != ESP_OK || state != ESP_OTA_IMG_VALID) {
            airlift_powercut_lost(
                "version %" PRIu32 " was reported confirmed, but its state is "
                "%s (error 0x%x)",
                version, err != ESP_OK ? "unknown" : fmt_otadata_state_name(state), (unsigned)err);
        }
    }
#else
    (void)notes;
    (void)version;
#endif
}

static void check_secure_version(powercut_notes_t *notes)
{
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    uint32_t fuses = esp_efuse_read_secure_version();
    if (fuses < notes->secure) {
        airlift_powercut_lost("the chip's secure version fell from %" PRIu32 " to %" PRIu32,
                              notes->secure, fuses);
    }
    if (airlift_powercut_secure_version() < fuses) {
        airlift_powercut_lost("an application of secure version %" PRIu32 " runs on a chip of "
                              "%" PRIu32,
                              airlift_powercut_secure_version(), fuses);
    }
    notes->secure = fuses;
#else
    (void)notes;
#endif
}

/* --- the application --- */

static void recover(void)
{
    powercut_shared_t *shared = powercut_shared;
    if (shared->attempt == 0) {
        powercut_scenario->run();
        if (powercut_scenario->check != NULL) {
            powercut_scenario->check();
        }
        if (shared->installs > 0 || powercut_scenario->no_second_attempt) {
            return;
        }
        shared->attempt = shared->notes.highest + 1;
        if (is_pending()) {
            airlift_powercut_must(airlift_powercut_confirm(), "confirming before another update");
        }
        airlift_powercut_must(
            airlift_powercut_install(shared->attempt, airlift_powercut_secure_version(), 0),
            "another update");
        esp_restart();
    }
    if (airlift_powercut_version() != shared->attempt) {
        airlift_powercut_lost("another update to version %" PRIu32 " was reported done, but "
                              "version %" PRIu32 " runs",
                              shared->attempt, airlift_powercut_version());
    }
    airlift_powercut_must(airlift_powercut_confirm(), "confirming another update");
    if (powercut_scenario->check != NULL) {
        powercut_scenario->check();
    }
}

static void run_application(void)
{
    const airlift_powercut_scenario_t *scenario = powercut_scenario;
    const char *why;
    switch (powercut_shared->phase) {
    case POWERCUT_FIT:
        why = scenario->skip != NULL ? scenario->skip() : NULL;
        if (why != NULL) {
            snprintf(powercut_shared->text, sizeof(powercut_shared->text), "%s", why);
            end_boot(POWERCUT_EXIT_UNFIT);
        }
        break;
    case POWERCUT_PREPARE:
        scenario->prepare();
        break;
    case POWERCUT_RUN:
        scenario->run();
        break;
    case POWERCUT_RECOVER:
        recover();
        break;
    case POWERCUT_VERDICT:
        break;
    }
    end_boot(POWERCUT_EXIT_DONE);
}

/* In the place of the image that the bootloader has verified and loaded. */
static void start_application(uint32_t entry, uint32_t image_offset, void *arg)
{
    (void)entry;
    (void)arg;
    fmt_app_desc_t desc;
    if (powercut_shared->phase == POWERCUT_VERDICT) {
        end_boot(POWERCUT_EXIT_DONE);
    }
    if (fmt_app_desc_decode(powercut_flash.bytes + image_offset + FMT_APP_DESC_IMAGE_OFFSET,
                            FMT_APP_DESC_SIZE, &desc) != ESP_OK) {
        airlift_powercut_lost("the bootloader started 0x%x, which has no description",
                              (unsigned)image_offset);
    }
    memcpy(&esp_app_desc, &desc, sizeof(esp_app_desc));
    airlift_powercut_must(esp_flash_init(NULL), "finding the flash");
    uint32_t version = airlift_powercut_version();
    powercut_shared->version = version;
    printf("--- version %" PRIu32 " runs at 0x%x\n", version, (unsigned)image_offset);
    powercut_notes_t *notes = &powercut_shared->notes;
    check_version(notes, version);
    check_confirmation(notes, version);
    check_secure_version(notes);
    run_application();
}

static void on_operation(bool bootloader, uint32_t address, const void *data, size_t len)
{
    powercut_touch(address, len);
    powercut_record_t *record = powercut_record;
    if (!record->on) {
        return;
    }
    if (record->count == POWERCUT_OPERATIONS_MAX || len > POWERCUT_DATA_MAX - record->data_len) {
        record->overflow = true;
        return;
    }
    powercut_operation_t *operation = &record->operations[record->count++];
    *operation = (powercut_operation_t){
        .address = address,
        .len = (uint32_t)len,
        .program = data != NULL,
        .bootloader = bootloader,
        .boot = powercut_flash.state->boots,
        .data = record->data_len,
        .notes = powercut_shared->notes,
    };
    if (data != NULL) {
        memcpy(record->data + record->data_len, data, len);
        record->data_len += len;
    }
}

static void on_bootloader_operation(uint32_t address, const void *data, size_t len, void *arg)
{
    (void)arg;
    on_operation(true, address, data, len);
}

static void on_application_operation(uint32_t address, const void *data, size_t len, void *arg)
{
    (void)arg;
    on_operation(false, address, data, len);
}

static void print_rom(const char *text, size_t len, void *arg)
{
    (void)arg;
    ssize_t written = write(STDOUT_FILENO, text, len);
    (void)written;
}

void powercut_boot_prepare(void)
{
    const powercut_bootloader_t boot = {
        .flash = powercut_flash.bytes,
        .state = powercut_flash.state,
        .start = start_application,
        .operation = on_bootloader_operation,
        .program = PROGRAM_ADDRESS,
        .program_size = PROGRAM_SIZE,
    };
    powercut_bootloader_prepare(&boot);
    linux_board_testing_attach(powercut_flash.bytes, powercut_flash.state);
    linux_board_testing_on_operation(on_application_operation, NULL);
    linux_board_testing_skip_waiting(true);
    uint32_t state[8] = {0};
    hal_sha256_compress(state, NULL, 0); /* asks the processor what it can, which may be slow */
}

_Noreturn void powercut_boot(void)
{
    alarm(BOOT_TIMEOUT);
    /* While nothing was written there, the bootloader is what it was when the engine started. */
    if (powercut_shared->check_rom) {
        int program = linux_rom_load(&powercut_flash, print_rom, NULL);
        if (program < 0) {
            end_boot(LINUX_BOARD_EXIT_OFF);
        }
        close(program);
    }
    powercut_bootloader();
}
