/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/partition_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "mbedtls/md5.h"

#define ROW FMT_PARTITION_ROW_SIZE

fmt_row_kind_t fmt_partition_row_decode(const uint8_t *row, fmt_partition_t *entry)
{
    uint16_t magic = get_u16(row);

    if (magic == FMT_PARTITION_MD5_MAGIC) {
        return FMT_ROW_MD5;
    }
    if (magic == 0xFFFF && row[2] == 0xFF && row[3] == 0xFF) {
        return FMT_ROW_END;
    }
    if (magic != FMT_PARTITION_MAGIC) {
        return FMT_ROW_BAD;
    }
    if (entry != NULL) {
        entry->type = row[2];
        entry->subtype = row[3];
        entry->offset = get_u32(row + 4);
        entry->size = get_u32(row + 8);
        memcpy(entry->label, row + 12, FMT_PARTITION_LABEL_MAX);
        entry->label[FMT_PARTITION_LABEL_MAX] = '\0';
        entry->flags = get_u32(row + 28);
    }
    return FMT_ROW_ENTRY;
}

void fmt_partition_row_encode(const fmt_partition_t *entry, uint8_t *row)
{
    size_t len = 0;

    put_u16(row, FMT_PARTITION_MAGIC);
    row[2] = entry->type;
    row[3] = entry->subtype;
    put_u32(row + 4, entry->offset);
    put_u32(row + 8, entry->size);
    memset(row + 12, 0, FMT_PARTITION_LABEL_MAX);
    while (len < FMT_PARTITION_LABEL_MAX && entry->label[len] != '\0') {
        row[12 + len] = (uint8_t)entry->label[len];
        len++;
    }
    put_u32(row + 28, entry->flags);
}

/* Whether the MD5 row at index row fits what stands before it. */
static bool md5_matches(const uint8_t *table, unsigned row)
{
    uint8_t md5[16];

    return mbedtls_md5(table, (size_t)row * ROW, md5) == 0 &&
           memcmp(md5, table + (size_t)row * ROW + 16, sizeof(md5)) == 0;
}

static esp_err_t fail(fmt_table_report_t *report, fmt_table_reason_t reason, unsigned row,
                      esp_err_t err)
{
    report->reason = reason;
    report->row = row;
    return err;
}

esp_err_t fmt_partition_table_check(const uint8_t *table, size_t len, uint32_t flash_size,
                                    fmt_table_report_t *report)
{
    unsigned rows =
        (unsigned)((len < FMT_PARTITION_TABLE_LEN ? len : FMT_PARTITION_TABLE_LEN) / ROW);
    memset(report, 0, sizeof(*report));
    report->flash_size = flash_size;
    for (unsigned i = 0; i < rows; i++) {
        const uint8_t *row = table + (size_t)i * ROW;
        fmt_partition_t entry;

        report->magic = get_u16(row);
        switch (fmt_partition_row_decode(row, &entry)) {
        case FMT_ROW_ENTRY:
            if (entry.offset > flash_size || entry.size > flash_size - entry.offset) {
                report->offset = entry.offset;
                report->size = entry.size;
                return fail(report, FMT_TABLE_BEYOND_FLASH, i, ESP_ERR_INVALID_SIZE);
            }
            break;
        case FMT_ROW_MD5:
            if (report->has_md5) {
                return fail(report, FMT_TABLE_SECOND_MD5, i, ESP_ERR_INVALID_STATE);
            }
            report->has_md5 = true;
            if (!md5_matches(table, i)) {
                return fail(report, FMT_TABLE_BAD_MD5, i, ESP_ERR_INVALID_STATE);
            }
            break;
        case FMT_ROW_END:
            if (i == 0) { /* an empty table: blank flash, most likely */
                return fail(report, FMT_TABLE_BAD_MAGIC, i, ESP_ERR_INVALID_STATE);
            }
            report->row = i;
            report->count = i - (report->has_md5 ? 1 : 0);
            return ESP_OK;
        case FMT_ROW_BAD:
            return fail(report, FMT_TABLE_BAD_MAGIC, i, ESP_ERR_INVALID_STATE);
        }
    }
    return fail(report, FMT_TABLE_NO_END, rows, ESP_ERR_INVALID_STATE);
}

esp_err_t fmt_partition_table_load(const uint8_t *table, size_t len, bool md5,
                                   fmt_table_report_t *report)
{
    unsigned rows =
        (unsigned)((len < FMT_PARTITION_TABLE_SECTOR ? len : FMT_PARTITION_TABLE_SECTOR) / ROW);
    unsigned i = 0;

    memset(report, 0, sizeof(*report));
    while (i < rows && get_u16(table + (size_t)i * ROW) == FMT_PARTITION_MAGIC) {
        i++;
    }
    report->row = i;
    report->magic = i < rows ? get_u16(table + (size_t)i * ROW) : 0;
    report->has_md5 = report->magic == FMT_PARTITION_MD5_MAGIC;
    if (md5) {
        if (!report->has_md5) {
            return fail(report, FMT_TABLE_LOAD_NO_MD5, i, ESP_ERR_NOT_FOUND);
        }
        if (!md5_matches(table, i)) {
            return fail(report, FMT_TABLE_LOAD_BAD_MD5, i, ESP_ERR_INVALID_STATE);
        }
    }
    report->count = i;
    return ESP_OK;
}

bool fmt_table_report_line(const fmt_table_report_t *report, fmt_log_line_t *line)
{
    line->level = 'E';
    line->not_silent = false;
    line->tag = "flash_parts";
    switch (report->reason) {
    case FMT_TABLE_OK:
        return false;
    case FMT_TABLE_BEYOND_FLASH:
        snprintf(line->text, sizeof(line->text),
                 "partition %u invalid - offset 0x%" PRIx32 " size 0x%" PRIx32
                 " exceeds flash chip size 0x%" PRIx32,
                 report->row, report->offset, report->size, report->flash_size);
        break;
    case FMT_TABLE_SECOND_MD5:
        snprintf(line->text, sizeof(line->text), "Only one MD5 checksum is allowed");
        break;
    case FMT_TABLE_BAD_MD5:
        snprintf(line->text, sizeof(line->text), "Incorrect MD5 checksum");
        break;
    case FMT_TABLE_BAD_MAGIC:
        snprintf(line->text, sizeof(line->text), "partition %u invalid magic number 0x%x",
                 report->row, report->magic);
        break;
    case FMT_TABLE_NO_END:
        snprintf(line->text, sizeof(line->text),
                 "partition table has no terminating entry, not valid");
        break;
    case FMT_TABLE_LOAD_NO_MD5:
        line->tag = "partition";
        snprintf(line->text, sizeof(line->text), "No MD5 found in partition table");
        break;
    case FMT_TABLE_LOAD_BAD_MD5:
        line->tag = "partition";
        snprintf(line->text, sizeof(line->text), "Partition table MD5 mismatch");
        break;
    }
    return true;
}

esp_err_t fmt_partition_table_encode(const fmt_partition_t *entries, size_t count, bool md5,
                                     uint8_t *table)
{
    size_t rows = count + (md5 ? 1 : 0);

    /* At least one row must stay free for the end marker. */
    if (count >= FMT_PARTITION_TABLE_ROWS || rows >= FMT_PARTITION_TABLE_ROWS) {
        return ESP_ERR_INVALID_SIZE;
    }
    memset(table, 0xFF, FMT_PARTITION_TABLE_LEN);
    for (size_t i = 0; i < count; i++) {
        fmt_partition_row_encode(&entries[i], table + i * ROW);
    }
    if (md5) {
        uint8_t *row = table + count * ROW;

        put_u16(row, FMT_PARTITION_MD5_MAGIC);
        if (mbedtls_md5(table, count * ROW, row + 16) != 0) {
            return ESP_FAIL;
        }
    }
    return ESP_OK;
}

static const char *const type_names[] = {"app", "data", "bootloader", "partition_table"};

static const struct {
    uint8_t type;
    uint8_t subtype;
    const char *name;
} subtypes[] = {
    {FMT_PART_TYPE_APP, FMT_PART_APP_FACTORY, "factory"},
    {FMT_PART_TYPE_APP, 0x10, "ota_0"},
    {FMT_PART_TYPE_APP, 0x11, "ota_1"},
    {FMT_PART_TYPE_APP, 0x12, "ota_2"},
    {FMT_PART_TYPE_APP, 0x13, "ota_3"},
    {FMT_PART_TYPE_APP, 0x14, "ota_4"},
    {FMT_PART_TYPE_APP, 0x15, "ota_5"},
    {FMT_PART_TYPE_APP, 0x16, "ota_6"},
    {FMT_PART_TYPE_APP, 0x17, "ota_7"},
    {FMT_PART_TYPE_APP, 0x18, "ota_8"},
    {FMT_PART_TYPE_APP, 0x19, "ota_9"},
    {FMT_PART_TYPE_APP, 0x1A, "ota_10"},
    {FMT_PART_TYPE_APP, 0x1B, "ota_11"},
    {FMT_PART_TYPE_APP, 0x1C, "ota_12"},
    {FMT_PART_TYPE_APP, 0x1D, "ota_13"},
    {FMT_PART_TYPE_APP, 0x1E, "ota_14"},
    {FMT_PART_TYPE_APP, 0x1F, "ota_15"},
    {FMT_PART_TYPE_APP, FMT_PART_APP_TEST, "test"},
    {FMT_PART_TYPE_APP, FMT_PART_APP_TEE_0, "tee_0"},
    {FMT_PART_TYPE_APP, FMT_PART_APP_TEE_1, "tee_1"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA, "ota"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_PHY, "phy"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_NVS, "nvs"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_COREDUMP, "coredump"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_NVS_KEYS, "nvs_keys"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_EFUSE, "efuse"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_UNDEFINED, "undefined"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_ESPHTTPD, "esphttpd"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_FAT, "fat"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_SPIFFS, "spiffs"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_LITTLEFS, "littlefs"},
    {FMT_PART_TYPE_DATA, FMT_PART_DATA_TEE_OTA, "tee_ota"},
    {FMT_PART_TYPE_BOOTLOADER, FMT_PART_BOOTLOADER_PRIMARY, "primary"},
    {FMT_PART_TYPE_BOOTLOADER, FMT_PART_BOOTLOADER_OTA, "ota"},
    {FMT_PART_TYPE_BOOTLOADER, FMT_PART_BOOTLOADER_RECOVERY, "recovery"},
    {FMT_PART_TYPE_PARTITION_TABLE, FMT_PART_TABLE_PRIMARY, "primary"},
    {FMT_PART_TYPE_PARTITION_TABLE, FMT_PART_TABLE_OTA, "ota"},
};

#define SUBTYPE_COUNT (sizeof(subtypes) / sizeof(subtypes[0]))

const char *fmt_partition_type_name(uint8_t type)
{
    return type < sizeof(type_names) / sizeof(type_names[0]) ? type_names[type] : NULL;
}

const char *fmt_partition_subtype_name(uint8_t type, uint8_t subtype)
{
    for (size_t i = 0; i < SUBTYPE_COUNT; i++) {
        if (subtypes[i].type == type && subtypes[i].subtype == subtype) {
            return subtypes[i].name;
        }
    }
    return NULL;
}

int fmt_partition_type_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (same_word(type_names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

int fmt_partition_subtype_by_name(uint8_t type, const char *name)
{
    for (size_t i = 0; i < SUBTYPE_COUNT; i++) {
        if (subtypes[i].type == type && same_word(subtypes[i].name, name)) {
            return subtypes[i].subtype;
        }
    }
    return -1;
}

bool fmt_partition_subtype_at(size_t index, uint8_t *type, uint8_t *subtype, const char **name)
{
    if (index >= SUBTYPE_COUNT) {
        return false;
    }
    if (type != NULL) {
        *type = subtypes[index].type;
    }
    if (subtype != NULL) {
        *subtype = subtypes[index].subtype;
    }
    if (name != NULL) {
        *name = subtypes[index].name;
    }
    return true;
}

static const char *app_usage(uint8_t subtype)
{
    if (subtype >= FMT_PART_APP_OTA_0 && subtype <= FMT_PART_APP_OTA_15) {
        return "OTA app";
    }
    switch (subtype) {
    case FMT_PART_APP_FACTORY:
        return "factory app";
    case FMT_PART_APP_TEST:
        return "test app";
    case FMT_PART_APP_TEE_0:
    case FMT_PART_APP_TEE_1:
        return "TEE app";
    default:
        return "Unknown app";
    }
}

static const char *data_usage(uint8_t subtype)
{
    switch (subtype) {
    case FMT_PART_DATA_OTA:
        return "OTA data";
    case FMT_PART_DATA_PHY:
        return "RF data";
    case FMT_PART_DATA_NVS:
        return "WiFi data";
    case FMT_PART_DATA_NVS_KEYS:
        return "NVS keys";
    case FMT_PART_DATA_EFUSE:
        return "efuse";
    case FMT_PART_DATA_TEE_OTA:
        return "TEE OTA data";
    default:
        return "Unknown data";
    }
}

const char *fmt_partition_usage(uint8_t type, uint8_t subtype)
{
    static const char *const bootloaders[] = {"primary bootloader", "ota bootloader",
                                              "recovery bootloader"};
    static const char *const tables[] = {"primary partition_table", "ota partition_table"};

    switch (type) {
    case FMT_PART_TYPE_APP:
        return app_usage(subtype);
    case FMT_PART_TYPE_DATA:
        return data_usage(subtype);
    case FMT_PART_TYPE_BOOTLOADER:
        return subtype < 3 ? bootloaders[subtype] : "unknown";
    case FMT_PART_TYPE_PARTITION_TABLE:
        return subtype < 2 ? tables[subtype] : "unknown";
    default:
        return "unknown";
    }
}
