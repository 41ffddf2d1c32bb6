/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole flash chip of any content: the real bootloader boots from it, then an application uses
 * esp_ota_*, esp_partition and nvs_* on it, with power cuts, and it boots again.
 *
 * The input is not the chip's bytes but says how to make them (see make_flash()): random bytes
 * hardly ever have a right MD5, CRC and SHA-256. What is checked beside crashes:
 *
 *  1. A boot ends, and so does each call of the API.
 *  2. The bootloader reads nothing outside the chip, and outside its own header, the table and the
 *     partitions of the table; it writes to otadata and eFuse partitions only.
 *  3. What it starts is at the beginning of an app partition of the table, and a verifier of our
 * own finds checksum and digest right.
 *  4. As long as every image is known to be whole or broken, it starts the one that the model
 *     (tests/model) says and leaves the otadata the model says; so something boots while a valid
 *     image exists, whatever otadata says.
 *  5. esp_ota_* changes its partition, otadata and eFuses only, nvs_* its partition only.
 *  6. What NVS took (ESP_OK) it gives back, also after it was loaded again, unless its pages were
 *     forged.
 *  7. The bootloader's console has no control characters, whatever labels and descriptors hold. */
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash_build.h"
#include "hal/console.h"
#include "hal/flash.h"
#include "hal/loader.h"
#include "hal/start.h"
#include "linux_board/testing.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha256.h"
#include "model.h"
#include "sdkconfig.h"

#include "esp_flash.h"
#include "esp_flash_internal.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_private/partition_internal.h"
#include "nvs.h"
#include "nvs_flash.h"

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define ROLLBACK true
#else
#define ROLLBACK false
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#define ANTI_ROLLBACK true
#else
#define ANTI_ROLLBACK false
#endif

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHIP      0x100000u
#define USED      0x40000u /* what make_flash() fills */
#define OTADATA   0x9000u
#define EFUSE     0xB000u
#define NVS       0xD000u
#define NVS_SIZE  0x3000u
#define APPS      0x10000u
#define ROOM      0x2000u
#define ROOMS     12u
#define ROWS      20u
#define SECTORS   (CHIP / BUILD_SECTOR)
#define READS_MAX 20000u

/* --- the input --- */

static const uint8_t *s_data;
static size_t s_left;

static uint8_t u8(void)
{
    if (s_left == 0) {
        return 0;
    }
    s_left--;
    return *s_data++;
}

static uint32_t u16(void)
{
    uint32_t low = u8();
    return low | (uint32_t)u8() << 8;
}

static uint32_t u32(void)
{
    uint32_t low = u16();
    return low | u16() << 16;
}

static void bytes(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = u8();
    }
}

/* --- how much happened, said at the end --- */

static struct {
    unsigned long inputs, started, compared, cuts, begun, ended, chosen, nvs_writes;
} s_count;

static void say_counts(void)
{
    fprintf(
        stderr,
        "%lu chips: %lu booted (%lu compared with the model), %lu power cuts, %lu updates begun, "
        "%lu ended well, %lu choices of a slot, %lu values written to NVS\n",
        s_count.inputs, s_count.started, s_count.compared, s_count.cuts, s_count.begun,
        s_count.ended, s_count.chosen, s_count.nvs_writes);
}

/* --- the table of this run, decoded here --- */

typedef struct {
    uint8_t type, subtype;
    uint32_t offset, size;
} row_t;

static row_t s_rows[96];
static unsigned s_row_count;

static void decode_table(void)
{
    const uint8_t *table = linux_board_testing_flash() + BUILD_TABLE;
    s_row_count = 0;
    for (unsigned i = 0; i < 96; i++) {
        const uint8_t *at = table + (size_t)i * 32;
        if (at[0] == 0xAA && at[1] == 0x50) {
            s_rows[s_row_count++] =
                (row_t){at[2], at[3], build_get_u32(at + 4), build_get_u32(at + 8)};
        }
    }
}

static bool inside(uint32_t address, size_t len, uint32_t start, uint32_t size)
{
    return address >= start && len <= size && address - start <= size - len;
}

static bool in_row(uint32_t address, size_t len, int type, int subtype)
{
    for (unsigned i = 0; i < s_row_count; i++) {
        const row_t *row = &s_rows[i];
        if ((type < 0 || row->type == type) && (subtype < 0 || row->subtype == subtype) &&
            inside(address, len, row->offset, row->size)) {
            return true;
        }
    }
    return false;
}

static bool s_plain_table; /* its rows are our rooms and do not overlap */
/* NVS holds what nvs_* wrote. In forged pages a key can stand twice, and lookup and loading then
 * take different ones, as the specification has it. */
static bool s_plain_nvs;

/* --- the board below --- */

static jmp_buf s_away;
static bool s_booting;
static bool s_in_ota; /* esp_ota_* at work */
static bool s_off;
static uint32_t s_started;
static unsigned s_reads;
static bool s_dirty[SECTORS];
/* In the application: the partitions that may change. */
static const esp_partition_t *s_may_change[3];
static bool s_may_change_slots; /* and any slot but the running one */

esp_err_t __real_hal_flash_read(uint32_t address, void *dst, size_t len);
esp_err_t __wrap_hal_flash_read(uint32_t address, void *dst, size_t len);
esp_err_t __real_hal_flash_program(uint32_t address, const void *src, size_t len);
esp_err_t __wrap_hal_flash_program(uint32_t address, const void *src, size_t len);
esp_err_t __real_hal_flash_erase_sector(uint32_t address);
esp_err_t __wrap_hal_flash_erase_sector(uint32_t address);
esp_err_t __real_hal_flash_erase_block(uint32_t address);
esp_err_t __wrap_hal_flash_erase_block(uint32_t address);

esp_err_t __wrap_hal_flash_read(uint32_t address, void *dst, size_t len)
{
    if (s_booting) {
        CHECK(++s_reads < READS_MAX);
        CHECK(inside(address, len, 0, CHIP));
        CHECK(inside(address, len, 0, 24) || inside(address, len, BUILD_TABLE, BUILD_SECTOR) ||
              in_row(address, len, -1, -1));
    } else {
        CHECK(inside(address, len, 0, CHIP));
    }
    return __real_hal_flash_read(address, dst, len);
}

static bool in_other_slot(uint32_t address, size_t len)
{
    for (unsigned i = 0; i < s_row_count; i++) {
        const row_t *row = &s_rows[i];
        if (row->type == 0 && (row->subtype & 0xF0) == 0x10 && row->offset != s_started &&
            inside(address, len, row->offset, row->size)) {
            return true;
        }
    }
    return false;
}

static void look_at(uint32_t address, size_t len)
{
    CHECK(inside(address, len, 0, CHIP));
    for (size_t at = address / BUILD_SECTOR; len > 0 && at <= (address + len - 1) / BUILD_SECTOR;
         at++) {
        s_dirty[at] = true;
    }
    if (s_booting) {
        CHECK(in_row(address, len, 1, 0x00) || (ANTI_ROLLBACK && in_row(address, len, 1, 0x05)));
        return;
    }
    /* Whoever looks at the eFuses finishes a burn that a power cut interrupted. */
    bool allowed = ANTI_ROLLBACK && in_row(address, len, 1, 0x05);
    for (unsigned i = 0; i < 3; i++) {
        const esp_partition_t *p = s_may_change[i];
        allowed = allowed || (p != NULL && inside(address, len, p->address, p->size));
    }
    allowed = allowed || (s_may_change_slots && in_other_slot(address, len));
    CHECK(allowed || s_off);
}

esp_err_t __wrap_hal_flash_program(uint32_t address, const void *src, size_t len)
{
    look_at(address, len);
    return __real_hal_flash_program(address, src, len);
}

esp_err_t __wrap_hal_flash_erase_sector(uint32_t address)
{
    look_at(address, HAL_FLASH_SECTOR_SIZE);
    return __real_hal_flash_erase_sector(address);
}

esp_err_t __wrap_hal_flash_erase_block(uint32_t address)
{
    look_at(address, HAL_FLASH_BLOCK_SIZE);
    return __real_hal_flash_erase_block(address);
}

/* Each loaded segment has a block of its own, so that writing past it is seen. */
static void *s_segments[16];
static unsigned s_segment_count;

void __wrap_hal_loader_reset(void);
void *__wrap_hal_loader_place(uint32_t load_address, uint32_t len, const char **why);
esp_err_t __wrap_hal_loader_start(uint32_t entry, uint32_t image_offset);

void __wrap_hal_loader_reset(void)
{
    while (s_segment_count > 0) {
        free(s_segments[--s_segment_count]);
    }
}

void *__wrap_hal_loader_place(uint32_t load_address, uint32_t len, const char **why)
{
    CHECK(len > 0);
    if (load_address < 0x80000000u || len > 0x40000000u ||
        load_address - 0x80000000u > 0x40000000u - len) {
        *why = "bad load address range";
        return NULL;
    }
    CHECK(s_segment_count < 16);
    if (len > CHIP) {
        *why = "out of memory";
        return NULL;
    }
    s_segments[s_segment_count] = malloc(len);
    CHECK(s_segments[s_segment_count] != NULL);
    return s_segments[s_segment_count++];
}

esp_err_t __wrap_hal_loader_start(uint32_t entry, uint32_t image_offset)
{
    if (entry != 0x80000000u) {
        return ESP_ERR_IMAGE_INVALID;
    }
    s_started = image_offset;
    longjmp(s_away, 1);
}

void __wrap_hal_console_write(const char *text, size_t len);

void __wrap_hal_console_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len && s_booting; i++) {
        unsigned char c = (unsigned char)text[i];
        CHECK((c >= 0x20 && c != 0x7F) || (c == '\n' && i == len - 1));
    }
}

static void on_reset(hal_reset_reason_t reason, void *arg)
{
    (void)reason;
    (void)arg;
    CHECK(s_booting);
    longjmp(s_away, 1);
}

static void on_cut(void *arg)
{
    (void)arg;
    s_off = true;
    s_count.cuts++;
    if (s_booting) {
        longjmp(s_away, 1);
    }
}

static int no_print(const char *format, va_list arguments)
{
    /* Formatted all the same: an argument may be wrong. */
    static char line[512];
    int len = vsnprintf(line, sizeof(line), format, arguments);
    /* The flash guard, which gives an error in this build: with a sane table an update never comes
     * near the system or the running app. */
    CHECK(!s_in_ota || !s_plain_table || strstr(line, "would damage the bootloader") == NULL);
    return len;
}

/* --- making the flash --- */

/* What is known of a room. */
typedef enum { ROOM_BROKEN, ROOM_WHOLE, ROOM_UNKNOWN } room_t;

static room_t s_room[ROOMS];
static bool s_plain_fuses = true;

static uint8_t *flash(uint32_t address)
{
    return linux_board_testing_flash() + address;
}

static void patch(uint8_t *at, uint32_t room, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t offset = u16() % room;
        at[offset] = u8();
    }
}

static void make_table(void)
{
    static const uint8_t app_subtypes[] = {0x00, 0x20, 0x10, 0x11, 0x12, 0x13, 0x14, 0x1F};
    static const char *const labels[] = {"nvs", "otadata", "a", "b", "efuse", "sixteen_letters!"};
    build_row_t rows[ROWS];
    bool taken[ROOMS] = {false};
    unsigned how = u8();
    unsigned count = 0;
    s_plain_table = true;
    if ((how & 1) == 0) {
        rows[count++] = (build_row_t){1, 0x02, NVS, NVS_SIZE, 0, "nvs"};
    }
    if ((how & 6) != 6) {
        rows[count++] = (build_row_t){1, 0x00, OTADATA, 0x2000, 0, "otadata"};
    }
    if (ANTI_ROLLBACK) {
        rows[count++] = (build_row_t){1, 0x05, EFUSE, 0x2000, 0, "efuse"};
    }
    unsigned apps = u8() % 13;
    for (unsigned i = 0; i < apps && count < ROWS; i++) {
        unsigned what = u8();
        build_row_t row = {0, app_subtypes[what % 8], APPS + (what >> 3) % ROOMS * ROOM, ROOM,
                           0, labels[what % 6]};
        if ((what & 0x80) != 0 && (u8() & 3) == 0) {
            /* Any row at all. */
            s_plain_table = false;
            row.type = u8() % 4;
            row.subtype = u8();
            row.offset = u8() & 1 ? u32() : (u8() % 64) * 0x1000u;
            row.size = u8() & 1 ? u32() : (u8() % 32) * 0x1000u;
            row.flags = u8() & 3;
        }
        s_plain_table = s_plain_table && !taken[(what >> 3) % ROOMS];
        taken[(what >> 3) % ROOMS] = true;
        rows[count++] = row;
    }
    build_table(flash(BUILD_TABLE), rows, count);
    uint8_t *md5 = flash(BUILD_TABLE) + (size_t)count * 32;
    if ((how & 0x30) == 0x30) {
        if (how & 0x40) {
            memset(md5, 0xFF, 32);
        } else {
            md5[16 + u8() % 16] ^= u8();
        }
    } else if ((how & 0x30) == 0x20) {
        /* Other rows than those, and their MD5 right or not. */
        s_plain_table = false;
        patch(flash(BUILD_TABLE), count > 0 ? count * 32 : 32, 1 + u8() % 4);
        if (how & 0x40) {
            mbedtls_md5(flash(BUILD_TABLE), (size_t)count * 32, md5 + 16);
        }
    }
}

/* CRC-32 of len bytes; before: that of what stands before them. */
static uint32_t crc32_of(uint32_t before, const uint8_t *data, size_t len)
{
    uint32_t crc = ~before;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* Records of otadata's journal in sector index, as formats/otadata_journal.c describes them. */
static void make_journal(uint8_t *sector, unsigned index)
{
    unsigned count = u8() % 4;
    for (unsigned i = 0; i < count; i++) {
        unsigned how = u8();
        uint8_t *at = sector + 32 + (size_t)(how & 8 ? u8() % 83 : i) * 48;
        if ((how & 7) == 7) {
            memset(at, 0, 48); /* done */
            continue;
        }
        build_put_u32(at, 0x314A4F41);
        build_put_u32(at + 4, how & 0x10 ? u8() : 1 - index);
        build_put_u32(at + 8, how & 0x20 ? u32() : u8() % 20);
        build_entry(at + 12, u8() % 20, u8() % 8, how & 0x40);
        build_put_u32(at + 44, crc32_of(0, at, 44) ^ (how & 0x80 ? 0 : u8() % 2));
    }
    if (u8() & 1) {
        patch(sector + 4032, 64, u8() % 8); /* boots given to an app */
    }
}

static void make_otadata(void)
{
    static const uint32_t states[] = {0, 1, 2, 3, 4, 5, 0xFF, 0xFFFFFFFF};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *raw = flash(OTADATA + i * BUILD_SECTOR);
        unsigned how = u8();
        switch (how % 4) {
        case 0:
            break;
        case 1:
            build_entry(raw, u8() % 20, states[how >> 5], (how & 0x1C) != 0);
            break;
        case 2:
            build_entry(raw, u8() & 1 ? u32() : 0xFFFFFFFFu - u8(), states[how >> 5],
                        (how & 0x1C) != 0);
            break;
        default:
            bytes(raw, BUILD_ENTRY);
            if (how & 0x10) {
                build_put_u32(raw + 28, build_seq_crc(build_get_u32(raw)));
            }
            break;
        }
        if ((how & 0x1C) == 0x18) {
            patch(raw, BUILD_SECTOR, u8() % 64);
        } else if ((how & 0x1C) == 0x14) {
            make_journal(raw, i);
        }
    }
}

static void make_apps(void)
{
    for (unsigned i = 0; i < ROOMS; i++) {
        uint32_t address = APPS + i * ROOM;
        uint8_t *at = flash(address);
        unsigned how = u8();
        s_room[i] = ROOM_BROKEN;
        if (how % 4 == 0) {
            continue;
        }
        const build_image_t image = {
            .id = i,
            .secure_version = (how >> 4) & 3,
            .payload = 64 + 4 * ((how >> 6) & 3),
            .no_hash = (how & 0x0C) == 0x0C,
        };
        size_t len = build_image(at, address, &image);
        s_room[i] = ROOM_WHOLE;
        if (how % 4 == 2) {
            s_room[i] = ROOM_UNKNOWN;
            unsigned fix = u8();
            patch(at, fix & 0x80 ? 64 : ROOM, fix % 8);
            if (fix & 0x40) {
                /* Someone who knows the format. */
                mbedtls_sha256(at, len - 32, at + len - 32, 0);
            }
        } else if (how % 4 == 3 && (how & 0x0C) == 0) {
            s_room[i] = ROOM_UNKNOWN;
            bytes(at, 24 + u8() % 64);
        }
    }
}

static uint8_t s_nvs_sample[NVS_SIZE];

static void make_nvs(void)
{
    unsigned how = u8();
    s_plain_nvs = s_plain_table && (how & 6) == 0;
    if (how & 1) {
        memcpy(flash(NVS), s_nvs_sample, NVS_SIZE);
    }
    if (how & 2) {
        for (unsigned i = u8() % 16; i > 0; i--) {
            uint32_t page = u8() % 3;
            uint8_t *at = flash(NVS + page * BUILD_SECTOR);
            unsigned entry = u8() % 127;
            unsigned kind = u8();
            if (kind & 1) {
                /* The state of a page or of an entry. */
                if (kind & 2) {
                    build_put_u32(at, 0xFFFFFFFFu << (kind >> 2) % 8);
                } else {
                    at[32 + entry / 4] = u8();
                }
                continue;
            }
            uint8_t *bytes_of = at + 64 + (size_t)(entry % 126) * 32;
            if (kind & 2) {
                bytes(bytes_of, 32);
            } else {
                bytes_of[u8() % 32] = u8();
            }
            if (kind & 4) {
                /* CRC-F of bytes 0..3 and 8..31. */
                uint32_t crc = crc32_of(0xFFFFFFFF, bytes_of, 4);
                build_put_u32(bytes_of + 4, crc32_of(crc, bytes_of + 8, 24));
            }
        }
    }
    if (how & 4) {
        patch(flash(NVS), NVS_SIZE, u8() % 8);
    }
}

static void make_efuse(void)
{
    uint8_t *fuses = flash(EFUSE);
    unsigned how = u8();
    s_plain_fuses = true;
    if (how & 1) {
        memset(fuses, 0, 352);
        unsigned count = (how >> 1) % 18;
        for (unsigned bit = 142; bit < 142 + (count < 16 ? count : 16); bit++) {
            fuses[bit / 8] |= (uint8_t)(1u << (bit % 8));
        }
        s_plain_fuses = (how & 0x80) == 0;
        if (!s_plain_fuses) {
            patch(fuses, 0x2000, u8() % 16);
        }
    }
}

static void make_flash(void)
{
    memset(flash(0), 0xFF, USED);
    for (uint32_t i = USED / BUILD_SECTOR; i < SECTORS; i++) {
        if (s_dirty[i]) {
            memset(flash(i * BUILD_SECTOR), 0xFF, BUILD_SECTOR);
        }
    }
    linux_board_state_t *state = linux_board_testing_state();
    memset(s_dirty, 0, sizeof(s_dirty));
    memset(state->unstable, 0, SECTORS * sizeof(state->unstable[0]));
    memset(state->wear, 0, SECTORS * sizeof(state->wear[0]));
    state->seed = 1;
    state->flicker = 0;
    build_bootloader_header(flash(0));
    make_table();
    make_otadata();
    if (ANTI_ROLLBACK) {
        make_efuse();
    }
    make_apps();
    make_nvs();
    unsigned header = u8();
    if (header > 250) {
        patch(flash(0), 24, header - 250);
    }
    decode_table();
}

/* --- booting --- */

/* Boots once. False: nothing was started, or power went. */
static bool boot(void)
{
    s_started = UINT32_MAX;
    s_reads = 0;
    s_booting = true;
    if (setjmp(s_away) == 0) {
        bootloader_main();
    }
    s_booting = false;
    __wrap_hal_loader_reset();
    if (s_started == UINT32_MAX) {
        return false;
    }
    linux_board_testing_state()->running_offset = s_started;
    bool known = false, whole = false;
    for (unsigned i = 0; i < s_row_count; i++) {
        const row_t *row = &s_rows[i];
        if (row->type == 0 && row->offset == s_started &&
            (row->subtype == 0 || (row->subtype >= 0x10 && row->subtype <= 0x20))) {
            known = true;
            whole = whole || build_image_whole(flash(row->offset), row->size);
        }
    }
    CHECK(known && whole);
    return true;
}

static uint32_t count_fuses(void)
{
    uint32_t ones = 0;
    const uint8_t *fuses = flash(EFUSE);
    bool fresh = true;
    for (unsigned i = 0; i < 352; i++) {
        fresh = fresh && fuses[i] == 0xFF;
    }
    for (unsigned bit = 142; bit < 158 && !fresh; bit++) {
        ones += (fuses[bit / 8] >> (bit % 8)) & 1u;
    }
    return ones;
}

/* The first boot, against the model, if everything is known. */
static bool first_boot(void)
{
    static model_table_t table;
    static model_t m;
    uint32_t address[MODEL_PLACES];
    bool known = s_plain_table;
    memset(&table, 0, sizeof(table));
    memset(&m, 0, sizeof(m));
    m.table = &table;
    m.options =
        (model_options_t){.rollback = ROLLBACK, .anti_rollback = ANTI_ROLLBACK, .attempts = 1};
    uint8_t header[24];
    build_bootloader_header(header);
    known = known && memcmp(header, flash(0), 24) == 0;
    /* The table's end row was made unreadable: nothing boots, and nothing is to be said. */
    const uint8_t *end = flash(BUILD_TABLE) + (size_t)s_row_count * 32;
    uint8_t check[BUILD_SECTOR];
    memset(check, 0xFF, sizeof(check));
    if (known && end[0] == 0xEB) {
        build_row_t rows[ROWS];
        char labels[ROWS][17];
        for (unsigned i = 0; i < s_row_count; i++) {
            memcpy(labels[i], flash(BUILD_TABLE) + (size_t)i * 32 + 12, 16);
            labels[i][16] = '\0';
            rows[i] = (build_row_t){
                s_rows[i].type, s_rows[i].subtype, s_rows[i].offset, s_rows[i].size, 0, labels[i]};
        }
        build_table(check, rows, s_row_count);
        known = memcmp(check, flash(BUILD_TABLE), sizeof(check)) == 0;
    }
    for (unsigned i = 0; i < s_row_count && known; i++) {
        const row_t *row = &s_rows[i];
        if (row->type == 1) {
            table.otadata = table.otadata || row->subtype == 0;
            continue;
        }
        unsigned room = (row->offset - APPS) / ROOM;
        known = s_room[room] != ROOM_UNKNOWN;
        m.image[table.places].valid = s_room[room] == ROOM_WHOLE;
        m.image[table.places].readable =
            build_read_descriptor(flash(row->offset), &m.image[table.places].secure_version);
        address[table.places] = row->offset;
        table.subtype[table.places++] = row->subtype;
    }
    m.efuse = count_fuses();
    known = known && s_plain_fuses && s_row_count > 0;
    bool bootable = known && model_anything_bootable(&m);
    for (unsigned i = 0; i < 2; i++) {
        m.entry[i] = model_entry(flash(OTADATA + i * BUILD_SECTOR));
        /* Bytes behind the record may be a journal, of which the model knows nothing. */
        for (uint32_t k = BUILD_ENTRY; k < BUILD_SECTOR && known; k++) {
            known = *flash(OTADATA + i * BUILD_SECTOR + k) == 0xFF;
        }
    }
    int expected = known ? model_boot(&m) : MODEL_NOWHERE;
    bool started = boot();
    CHECK(!bootable || started);
    s_count.started += started;
    if (known) {
        s_count.compared++;
        CHECK(started == (expected != MODEL_NOWHERE));
        CHECK(!started || s_started == address[expected]);
        for (unsigned i = 0; i < 2 && table.otadata; i++) {
            model_entry_t after = model_entry(flash(OTADATA + i * BUILD_SECTOR));
            CHECK(memcmp(&after, &m.entry[i], sizeof(after)) == 0);
        }
    }
    return started;
}

/* --- the application --- */

#define SESSIONS 2

static struct {
    esp_ota_handle_t handle;
    const esp_partition_t *partition;
    const esp_partition_t *copy_to;
    bool sequential;
} s_session[SESSIONS];

static nvs_handle_t s_nvs;
static const char *s_nvs_name = "ota";

static const esp_partition_t *otadata(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

static const esp_partition_t *any_partition(unsigned n)
{
    const esp_partition_t *found = NULL;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    while (it != NULL) {
        found = esp_partition_get(it);
        if (n-- == 0) {
            esp_partition_iterator_release(it);
            return found;
        }
        it = esp_partition_next(it);
    }
    return found;
}

/* The partitions that may change from now on. An application that burns its own eFuses by writing
 * over them may find itself too old. */
static void allow(const esp_partition_t *one, const esp_partition_t *two)
{
    s_plain_table =
        s_plain_table && (one == NULL || one->subtype != ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM ||
                          one->type != ESP_PARTITION_TYPE_DATA);
    s_may_change[0] = one;
    s_may_change[1] = two;
    s_may_change[2] = NULL;
}

/* Another program's partition struct, which need not be in the table. */
static void made_up(esp_partition_t *partition)
{
    const esp_partition_t *real = any_partition(u8());
    *partition = real != NULL ? *real : (esp_partition_t){0};
    unsigned how = u8();
    if (how & 1) {
        partition->address = u32();
    }
    if (how & 2) {
        partition->size = u32();
    }
    if (how & 4) {
        partition->subtype = (esp_partition_subtype_t)u8();
    }
}

static void ota_begin(void)
{
    unsigned which = u8() % SESSIONS;
    unsigned how = u8();
    esp_partition_t fake;
    const esp_partition_t *partition = any_partition(u8());
    if ((how & 0xE0) == 0xE0) {
        made_up(&fake);
        partition = &fake;
    }
    if (partition == NULL || s_session[which].handle != 0) {
        return;
    }
    const size_t sizes[] = {0, OTA_SIZE_UNKNOWN, OTA_WITH_SEQUENTIAL_WRITES, u16(), u32()};
    size_t size = sizes[how % 5];
    allow(partition, otadata());
    s_plain_nvs = s_plain_nvs && partition->subtype != ESP_PARTITION_SUBTYPE_DATA_NVS;
    esp_ota_handle_t handle = 0;
    esp_err_t err = (how & 0x10) ? esp_ota_resume(partition, size, u16(), &handle)
                                 : esp_ota_begin(partition, size, &handle);
    if (err == ESP_OK) {
        CHECK(handle != 0);
        s_count.begun++;
        s_session[which].handle = handle;
        s_session[which].partition = esp_partition_verify(partition);
        s_session[which].sequential = size == OTA_WITH_SEQUENTIAL_WRITES;
        CHECK(s_session[which].partition != NULL);
    }
}

static void ota_write(void)
{
    static uint8_t buffer[ROOM];
    unsigned which = u8() % SESSIONS;
    unsigned how = u8();
    size_t len;
    allow(s_session[which].partition, NULL);
    if ((how & 7) != 0 && s_session[which].partition != NULL) {
        const build_image_t image = {.id = how, .secure_version = how & 3, .payload = 64};
        len = build_image(buffer, s_session[which].partition->address, &image);
        if (how & 0x80) {
            len = u16() % len;
        }
    } else {
        len = u16() % sizeof(buffer);
        memset(buffer, how, len);
        buffer[0] = u8();
    }
    static uint8_t *exact; /* a block of its own, so that reading past it is seen */
    free(exact);
    exact = malloc(len + 1);
    CHECK(exact != NULL);
    memcpy(exact, buffer, len);
    if ((how & 0x78) == 0x78 && !s_session[which].sequential) {
        (void)esp_ota_write_with_offset(s_session[which].handle, exact, len, u16());
    } else {
        (void)esp_ota_write(s_session[which].handle, exact, len);
    }
}

static void ota_set_final(void)
{
    unsigned which = u8() % SESSIONS;
    bool copy = u8() & 1;
    const esp_partition_t *partition = any_partition(u8());
    allow(NULL, NULL);
    if (esp_ota_set_final_partition(s_session[which].handle, partition, copy) == ESP_OK &&
        partition != s_session[which].partition) { /* that one changes nothing */
        s_plain_nvs = s_plain_nvs && partition->subtype != ESP_PARTITION_SUBTYPE_DATA_NVS;
        s_session[which].copy_to = copy ? partition : NULL;
    }
}

static void ota_end(bool abort_it)
{
    unsigned which = u8() % SESSIONS;
    allow(abort_it ? NULL : s_session[which].copy_to, NULL);
    s_in_ota = s_session[which].copy_to == NULL; /* a copy goes wherever the program wants it */
    esp_err_t err =
        abort_it ? esp_ota_abort(s_session[which].handle) : esp_ota_end(s_session[which].handle);
    s_count.ended += !abort_it && err == ESP_OK;
    s_session[which].handle = 0;
    s_session[which].partition = NULL;
    s_session[which].copy_to = NULL;
}

static void ota_choose(void)
{
    unsigned how = u8();
    const esp_partition_t *partition = any_partition(u8());
    allow(otadata(), ANTI_ROLLBACK ? partition : NULL);
    if (ANTI_ROLLBACK) {
        s_may_change[2] = esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                                   ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL);
    }
    esp_err_t err;
    switch (how % 8) {
    case 0:
    case 1:
        err = esp_ota_set_boot_partition(partition);
        CHECK(err != ESP_OK || partition != NULL);
        s_count.chosen += err == ESP_OK;
        break;
    case 2:
        (void)esp_ota_set_boot_partition_skip_validate(partition);
        break;
    case 3:
    case 4:
        (void)esp_ota_mark_app_valid_cancel_rollback();
        break;
    case 5:
        (void)esp_ota_mark_app_invalid_rollback();
        break;
    case 6:
        s_may_change_slots = true;
        (void)esp_ota_erase_last_boot_app_partition();
        s_may_change_slots = false;
        break;
    default:
        (void)esp_ota_invalidate_inactive_ota_data_slot();
        break;
    }
}

static void ota_ask(void)
{
    esp_ota_img_states_t state;
    esp_app_desc_t desc;
    esp_bootloader_desc_t bootloader;
    uint8_t digest[32];
    allow(NULL, NULL);
    const esp_partition_t *partition = any_partition(u8());
    (void)esp_ota_get_boot_partition();
    (void)esp_ota_get_last_invalid_partition();
    (void)esp_ota_check_rollback_is_possible();
    (void)esp_ota_get_app_partition_count();
    if (esp_partition_running() != NULL) {
        CHECK(esp_ota_get_running_partition() != NULL);
        (void)esp_ota_get_next_update_partition(NULL);
    }
    (void)esp_ota_get_bootloader_description(NULL, &bootloader);
    if (partition != NULL) {
        (void)esp_ota_get_next_update_partition(partition);
        (void)esp_ota_get_state_partition(partition, &state);
        (void)esp_ota_get_partition_description(partition, &desc);
        (void)esp_partition_get_sha256(partition, digest);
    }
}

static void nvs_use(void)
{
    static const char *const keys[] = {
        "a", "b", "count", "url", "blob", "fifteen_letters", "sixteen_letters!", ""};
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    unsigned what = u8();
    const char *key = keys[(what >> 4) & 7];
    allow(esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, "nvs"),
          partition);
    static uint8_t value[5000], back[5000];
    size_t len = 0;
    switch (what & 15) {
    case 0:
        (void)nvs_flash_init();
        break;
    case 1:
        if (s_nvs == 0) {
            s_nvs_name = u8() & 1 ? "ota" : "other";
            (void)nvs_open(s_nvs_name, NVS_READWRITE, &s_nvs);
        }
        break;
    case 2: {
        uint32_t number = u32(), got = 0;
        if (nvs_set_u32(s_nvs, key, number) == ESP_OK && !s_off && s_plain_nvs) {
            s_count.nvs_writes++;
            CHECK(nvs_get_u32(s_nvs, key, &got) == ESP_OK && got == number);
        }
        break;
    }
    case 3:
    case 4: {
        len = u16() % 4500;
        memset(value, (int)(u8() | 1), len);
        esp_err_t err;
        if ((what & 15) == 3) {
            value[len] = '\0';
            err = nvs_set_str(s_nvs, key, (const char *)value);
            len++;
        } else {
            err = nvs_set_blob(s_nvs, key, value, len);
        }
        size_t got = sizeof(back);
        if (err == ESP_OK && !s_off && s_plain_nvs) {
            err = (what & 15) == 3 ? nvs_get_str(s_nvs, key, (char *)back, &got)
                                   : nvs_get_blob(s_nvs, key, back, &got);
            s_count.nvs_writes++;
            CHECK(err == ESP_OK && got == len && memcmp(back, value, len) == 0);
        }
        break;
    }
    case 5:
        if (nvs_erase_key(s_nvs, key) == ESP_OK && !s_off && s_plain_nvs) {
            nvs_type_t type;
            CHECK(nvs_find_key(s_nvs, key, &type) != ESP_OK);
        }
        break;
    case 6:
        (void)nvs_commit(s_nvs);
        break;
    case 7: {
        /* Loaded again, a number that was there still is. */
        uint32_t before = 0, after = 0;
        bool there = nvs_get_u32(s_nvs, key, &before) == ESP_OK && !s_off;
        nvs_close(s_nvs);
        s_nvs = 0;
        (void)nvs_flash_deinit();
        esp_err_t err = nvs_flash_init();
        if (err == ESP_OK) {
            err = nvs_open(s_nvs_name, NVS_READWRITE, &s_nvs);
            CHECK(!there || s_off || !s_plain_nvs ||
                  (err == ESP_OK && nvs_get_u32(s_nvs, key, &after) == ESP_OK && after == before));
        }
        break;
    }
    case 8: {
        nvs_stats_t stats;
        (void)nvs_get_stats(NULL, &stats);
        nvs_iterator_t it = NULL;
        unsigned turns = 0;
        esp_err_t err = nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it);
        while (err == ESP_OK) {
            nvs_entry_info_t info;
            CHECK(++turns < 1000);
            (void)nvs_entry_info(it, &info);
            err = nvs_entry_next(&it);
        }
        nvs_release_iterator(it);
        break;
    }
    case 9:
        (void)nvs_erase_all(s_nvs);
        break;
    case 10:
        nvs_close(s_nvs);
        s_nvs = 0;
        (void)nvs_flash_deinit();
        (void)nvs_flash_erase();
        break;
    case 11: {
        len = sizeof(back);
        (void)nvs_get_str(s_nvs, key, (char *)back, &len);
        len = sizeof(back);
        (void)nvs_get_blob(s_nvs, key, back, &len);
        int64_t wide;
        (void)nvs_get_i64(s_nvs, key, &wide);
        break;
    }
    default: {
        uint8_t small = u8(), got = 0;
        if (nvs_set_u8(s_nvs, key, small) == ESP_OK && !s_off && s_plain_nvs) {
            CHECK(nvs_get_u8(s_nvs, key, &got) == ESP_OK && got == small);
        }
        break;
    }
    }
}

static void partition_use(void)
{
    uint8_t buffer[300];
    esp_partition_t fake;
    unsigned how = u8();
    const esp_partition_t *partition = any_partition(u8());
    if (partition == NULL) {
        return;
    }
    if (how & 0x80) {
        made_up(&fake);
        partition = &fake;
        s_plain_table = false;
    }
    allow(partition, NULL);
    s_plain_nvs =
        s_plain_nvs && s_plain_table && partition->subtype != ESP_PARTITION_SUBTYPE_DATA_NVS;
    uint32_t offset = u16(), len = u16();
    switch (how % 4) {
    case 0:
        (void)esp_partition_read(partition, offset, buffer, len % sizeof(buffer));
        break;
    case 1:
        memset(buffer, how, sizeof(buffer));
        (void)esp_partition_write(partition, offset, buffer, len % sizeof(buffer));
        break;
    case 2:
        (void)esp_partition_erase_range(partition, offset & 0xF000, len & 0xF000);
        break;
    default: {
        const void *view;
        esp_partition_mmap_handle_t map;
        if (esp_partition_mmap(partition, offset, len, ESP_PARTITION_MMAP_DATA, &view, &map) ==
            ESP_OK) {
            if (len > 0) {
                volatile uint8_t touch = ((const uint8_t *)view)[len - 1];
                (void)touch;
            }
            esp_partition_munmap(map);
        }
        break;
    }
    }
}

static void use(void)
{
    while (s_left > 0) {
        unsigned what = u8() % 10;
        s_in_ota = what <= 6;
        switch (what) {
        case 0:
        case 1:
            ota_begin();
            break;
        case 2:
        case 3:
            ota_write();
            break;
        case 4:
            ota_end(false);
            break;
        case 5:
            ota_choose();
            break;
        case 6:
            ota_ask();
            break;
        case 7:
            nvs_use();
            break;
        case 8:
            switch (u8() & 7) {
            case 0:
                ota_end(true);
                break;
            case 1:
            case 2:
                s_in_ota = true;
                ota_set_final();
                break;
            default:
                partition_use();
                break;
            }
            break;
        default:
            linux_board_testing_cut(1 + u8() % 8, LINUX_BOARD_CUT_INSIDE_PERCENT, u8() % 101);
            break;
        }
        if (s_off || esp_partition_running() == NULL) {
            break;
        }
    }
    /* RAM is gone: what the components hold there is given back. */
    allow(NULL, NULL);
    linux_board_testing_state()->cut.mode = LINUX_BOARD_CUT_NEVER;
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (s_session[i].handle != 0) {
            (void)esp_ota_abort(s_session[i].handle);
        }
    }
    memset(s_session, 0, sizeof(s_session));
    if (s_nvs != 0) {
        nvs_close(s_nvs);
        s_nvs = 0;
    }
    (void)nvs_flash_deinit();
}

static void power_on(void)
{
    linux_board_testing_power_on();
    s_off = false;
    esp_partition_unload_all();
    esp_flash_verified_keep(esp_flash_verified_begin(), 0, 0);
    (void)esp_flash_set_dangerous_write_protection(NULL, true);
}

/* A partition as it is after some use, for make_nvs(). */
static void make_nvs_sample(void)
{
    const build_row_t rows[] = {{1, 0x02, NVS, NVS_SIZE, 0, "nvs"},
                                {0, 0x00, APPS, ROOM, 0, "factory"}};
    static uint8_t blob[3000];
    build_bootloader_header(flash(0));
    build_table(flash(BUILD_TABLE), rows, 2);
    power_on();
    allow(esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, "nvs"),
          NULL);
    nvs_handle_t nvs;
    CHECK(nvs_flash_init() == ESP_OK && nvs_open("ota", NVS_READWRITE, &nvs) == ESP_OK);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(nvs_set_u32(nvs, "count", i) == ESP_OK);
    }
    CHECK(nvs_set_str(nvs, "url", "http://a/b") == ESP_OK);
    CHECK(nvs_set_blob(nvs, "blob", blob, sizeof(blob)) == ESP_OK);
    CHECK(nvs_set_i8(nvs, "a", -2) == ESP_OK);
    nvs_close(nvs);
    CHECK(nvs_flash_deinit() == ESP_OK);
    memcpy(s_nvs_sample, flash(NVS), NVS_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    if (!made) {
        linux_board_testing_reset(CHIP);
        linux_board_testing_on_reset(on_reset, NULL);
        linux_board_testing_on_cut(on_cut, NULL);
        esp_log_set_vprintf(no_print);
        make_nvs_sample();
        (void)atexit(say_counts);
        made = true;
    }
    s_count.inputs++;
    s_data = data;
    s_left = size;
    make_flash();
    power_on();
    unsigned boot_cut = u8();
    if (boot_cut >= 0xF0) {
        /* Power goes in the first boot: it must boot all the same. */
        linux_board_testing_cut(1 + boot_cut % 4, LINUX_BOARD_CUT_INSIDE_PERCENT, u8() % 101);
        (void)boot();
        linux_board_testing_state()->cut.mode = LINUX_BOARD_CUT_NEVER;
        power_on();
        if (boot()) {
            use();
        }
    } else if (first_boot()) {
        use();
    }
    power_on();
    decode_table(); /* an update of the table itself may have been installed */
    (void)boot();
    return 0;
}
