/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"

#include <stdio.h>

#include "formats/app_desc.h"
#include "formats/bootloader_desc.h"
#include "formats/image.h"
#include "formats/otadata.h"
#include "hal/chip.h"
#include "mbedtls/sha256.h"

#include "esp_flash_internal.h"
#include "esp_log.h"

static char s_log[1 << 16];
static size_t s_log_len;

static int capture(const char *format, va_list args)
{
    int len = vsnprintf(s_log + s_log_len, sizeof(s_log) - s_log_len, format, args);
    if (len > 0) {
        s_log_len += (size_t)len;
        if (s_log_len >= sizeof(s_log)) {
            s_log_len = sizeof(s_log) - 1;
        }
    }
    return len;
}

void log_clear(void)
{
    s_log_len = 0;
    s_log[0] = '\0';
}

unsigned log_count(const char *text)
{
    unsigned count = 0;
    for (const char *at = s_log; (at = strstr(at, text)) != NULL; at += strlen(text)) {
        count++;
    }
    return count;
}

bool log_has(const char *text)
{
    return log_count(text) > 0;
}

void board_reload(void)
{
    esp_partition_unload_all();
    esp_flash_set_dangerous_write_protection(NULL, true);
}

void board_new_with(const fmt_partition_t *rows, size_t count, bool md5, uint32_t running_offset)
{
    linux_board_testing_reset(BOARD_FLASH_SIZE);
    linux_board_testing_state()->running_offset = running_offset;
    assert_int_equal(
        fmt_partition_table_encode(rows, count, md5, board_flash(FMT_PARTITION_TABLE_OFFSET)),
        ESP_OK);
    board_reload();
    esp_log_set_vprintf(capture);
    log_clear();
}

void board_new(uint32_t running_offset)
{
    static const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_NVS, BOARD_NVS, 0x4000, "nvs", 0},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA, BOARD_OTADATA, 0x2000, "otadata", 0},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_PHY, BOARD_PHY, 0x1000, "phy_init", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_FACTORY, BOARD_FACTORY, BOARD_APP_SIZE, "factory", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0 + 1, BOARD_OTA_1, BOARD_APP_SIZE, "ota_1", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_TEST, BOARD_TEST, BOARD_APP_SIZE, "test", 0},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_UNDEFINED, BOARD_READONLY, 0x2000, "frozen",
         FMT_PART_FLAG_READONLY},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_UNDEFINED, BOARD_STORAGE, 0x8000, "storage", 0},
        {0x40, 0x01, BOARD_BIG, 0x60000, "big", 0},
    };
    board_new_with(rows, sizeof(rows) / sizeof(rows[0]), true, running_offset);
}

uint8_t *board_flash(uint32_t address)
{
    return linux_board_testing_flash() + address;
}

const esp_partition_t *board_partition(const char *label)
{
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(partition);
    return partition;
}

static size_t put_segment(uint8_t *out, size_t at, uint32_t load_address, const void *data,
                          uint32_t len)
{
    fmt_image_segment_header_encode(load_address, len, out + at);
    memcpy(out + at + FMT_IMAGE_SEGMENT_HEADER_SIZE, data, len);
    return at + FMT_IMAGE_SEGMENT_HEADER_SIZE + len;
}

static size_t put_description(const board_image_t *image, uint32_t address, uint8_t *out, size_t at)
{
    if (image->bootloader) {
        fmt_bootloader_desc_t desc = {.magic_byte = FMT_BOOTLOADER_DESC_MAGIC, .version = 1};
        snprintf(desc.idf_ver, sizeof(desc.idf_ver), "%s", image->version);
        uint8_t raw[FMT_BOOTLOADER_DESC_SIZE];
        fmt_bootloader_desc_encode(&desc, raw);
        return put_segment(out, at, 0x3FC80000, raw, sizeof(raw));
    }
    fmt_app_desc_t desc = {
        .magic_word = FMT_APP_DESC_MAGIC,
        .secure_version = image->secure_version,
        .mmu_page_size = 16,
        .spi_flash_mode = image->spi_flash_mode,
    };
    snprintf(desc.version, sizeof(desc.version), "%s", image->version);
    snprintf(desc.project_name, sizeof(desc.project_name), "test");
    uint8_t raw[FMT_APP_DESC_SIZE];
    fmt_app_desc_encode(&desc, raw);
    return put_segment(out, at, 0x3C000000 + (address + 0x20) % 0x10000, raw, sizeof(raw));
}

size_t board_make_image(const board_image_t *image, uint32_t address, uint8_t *out, size_t room)
{
    assert_true(room >= 0x400 + image->payload);
    memset(out, 0, 0x400 + image->payload);
    const fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .segment_count = 2,
        .spi_mode = FMT_SPI_MODE_DIO,
        .spi_size = 2, /* 4 MiB */
        .entry = 0x80000000,
        .wp_pin = FMT_IMAGE_WP_PIN_DISABLED,
        .chip_id = image->chip_id != 0 ? image->chip_id : hal_chip()->id,
        .max_chip_rev_full = 65535,
        .hash_appended = image->no_hash ? 0 : 1,
    };
    fmt_image_header_encode(&header, out);
    size_t at = put_description(image, address, out, FMT_IMAGE_HEADER_SIZE);
    size_t payload = at;
    fmt_image_segment_header_encode(0x80000000, image->payload, out + at);
    at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
    uint32_t value = image->seed * 2654435761u + 1;
    for (uint32_t i = 0; i < image->payload; i++) {
        value = value * 1664525u + 1013904223u;
        out[at++] = (uint8_t)(value >> 24);
    }
    uint8_t sum = fmt_image_checksum(
        FMT_IMAGE_CHECKSUM_SEED, out + FMT_IMAGE_HEADER_SIZE + FMT_IMAGE_SEGMENT_HEADER_SIZE,
        payload - FMT_IMAGE_HEADER_SIZE - FMT_IMAGE_SEGMENT_HEADER_SIZE);
    sum = fmt_image_checksum(sum, out + payload + FMT_IMAGE_SEGMENT_HEADER_SIZE, image->payload);
    uint32_t checksum_at = fmt_image_checksum_offset((uint32_t)at);
    out[checksum_at] = sum;
    at = checksum_at + 1;
    if (!image->no_hash) {
        mbedtls_sha256(out, at, out + at, 0);
        at += 32;
    }
    return at;
}

size_t board_put_image(const board_image_t *image, uint32_t address)
{
    memset(board_flash(address), 0xFF, image->bootloader ? 0x8000 : BOARD_APP_SIZE);
    return board_make_image(image, address, board_flash(address), BOARD_APP_SIZE);
}

void board_put_otadata(unsigned index, uint32_t seq, uint32_t state, bool crc_ok)
{
    fmt_otadata_entry_t entry = {.seq = seq, .state = state, .crc = fmt_otadata_crc(seq)};
    memset(entry.label, 0xFF, sizeof(entry.label));
    entry.crc ^= crc_ok ? 0 : 1;
    uint8_t *sector = board_flash(BOARD_OTADATA + index * FMT_OTADATA_SECTOR);
    memset(sector, 0xFF, FMT_OTADATA_SECTOR);
    fmt_otadata_encode(&entry, sector);
}

static fmt_otadata_entry_t otadata_entry(unsigned index)
{
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(board_flash(BOARD_OTADATA + index * FMT_OTADATA_SECTOR), &entry);
    return entry;
}

uint32_t board_otadata_seq(unsigned index)
{
    return otadata_entry(index).seq;
}

uint32_t board_otadata_state(unsigned index)
{
    return otadata_entry(index).state;
}

uint64_t board_operations(void)
{
    return linux_board_testing_state()->operations;
}
