/* SPDX-License-Identifier: Apache-2.0
 *
 * Partition table, binary form. Source: formats specification, section 2.
 * The CSV form belongs to the host tool. */
#ifndef FORMATS_PARTITION_TABLE_H
#define FORMATS_PARTITION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"
#include "formats/log_line.h"

#define FMT_PARTITION_ROW_SIZE     32u
#define FMT_PARTITION_TABLE_LEN    0xC00u  /* the rows: what tools write and readers check */
#define FMT_PARTITION_TABLE_SECTOR 0x1000u /* flash the table occupies */
#define FMT_PARTITION_TABLE_ROWS   96u
#define FMT_PARTITION_TABLE_OFFSET 0x8000u /* default place in flash */
#define FMT_PARTITION_MAGIC        0x50AAu
#define FMT_PARTITION_MD5_MAGIC    0xEBEBu
#define FMT_PARTITION_LABEL_MAX    16u

enum {
    FMT_PART_TYPE_APP = 0x00,
    FMT_PART_TYPE_DATA = 0x01,
    FMT_PART_TYPE_BOOTLOADER = 0x02,
    FMT_PART_TYPE_PARTITION_TABLE = 0x03,
    FMT_PART_TYPE_ANY = 0xFF,
};

enum {
    FMT_PART_APP_FACTORY = 0x00,
    FMT_PART_APP_OTA_0 = 0x10,
    FMT_PART_APP_OTA_15 = 0x1F,
    FMT_PART_APP_TEST = 0x20,
    FMT_PART_APP_TEE_0 = 0x30,
    FMT_PART_APP_TEE_1 = 0x31,

    FMT_PART_DATA_OTA = 0x00,
    FMT_PART_DATA_PHY = 0x01,
    FMT_PART_DATA_NVS = 0x02,
    FMT_PART_DATA_COREDUMP = 0x03,
    FMT_PART_DATA_NVS_KEYS = 0x04,
    FMT_PART_DATA_EFUSE = 0x05,
    FMT_PART_DATA_UNDEFINED = 0x06,
    FMT_PART_DATA_ESPHTTPD = 0x80,
    FMT_PART_DATA_FAT = 0x81,
    FMT_PART_DATA_SPIFFS = 0x82,
    FMT_PART_DATA_LITTLEFS = 0x83,
    FMT_PART_DATA_TEE_OTA = 0x90,

    FMT_PART_BOOTLOADER_PRIMARY = 0x00,
    FMT_PART_BOOTLOADER_OTA = 0x01,
    FMT_PART_BOOTLOADER_RECOVERY = 0x02,

    FMT_PART_TABLE_PRIMARY = 0x00,
    FMT_PART_TABLE_OTA = 0x01,

    FMT_PART_SUBTYPE_ANY = 0xFF,
};

#define FMT_PART_FLAG_ENCRYPTED 0x1u
#define FMT_PART_FLAG_READONLY  0x2u

typedef struct {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;                         /* in flash, bytes */
    uint32_t size;                           /* bytes */
    char label[FMT_PARTITION_LABEL_MAX + 1]; /* always NUL terminated */
    uint32_t flags;                          /* FMT_PART_FLAG_* and bits without a meaning */
} fmt_partition_t;

typedef enum {
    FMT_ROW_ENTRY, /* a partition */
    FMT_ROW_MD5,   /* the checksum row */
    FMT_ROW_END,   /* magic 0xFFFF, type and subtype 0xFF */
    FMT_ROW_BAD,   /* anything else */
} fmt_row_kind_t;

/* What the 32 bytes at row are; if an entry, *entry is filled (entry may be NULL). */
fmt_row_kind_t fmt_partition_row_decode(const uint8_t *row, fmt_partition_t *entry);

/* Writes entry as a row of 32 bytes. Of the label at most 16 bytes are taken. */
void fmt_partition_row_encode(const fmt_partition_t *entry, uint8_t *row);

typedef enum {
    FMT_TABLE_OK = 0,
    FMT_TABLE_BEYOND_FLASH, /* a row ends beyond the flash chip */
    FMT_TABLE_SECOND_MD5,   /* more than one MD5 row */
    FMT_TABLE_BAD_MD5,      /* the MD5 row does not match */
    FMT_TABLE_BAD_MAGIC,    /* a row is nothing known, or the table is empty */
    FMT_TABLE_NO_END,       /* no end marker in 96 rows (or in the length given) */
    FMT_TABLE_LOAD_NO_MD5,  /* application loader: the MD5 row is missing */
    FMT_TABLE_LOAD_BAD_MD5, /* application loader: it does not match */
} fmt_table_reason_t;

/* What a check found. */
typedef struct {
    fmt_table_reason_t reason;
    unsigned row;        /* the row that failed */
    uint32_t offset;     /* of that row, for FMT_TABLE_BEYOND_FLASH */
    uint32_t size;       /* same */
    uint32_t flash_size; /* same: the bound */
    uint16_t magic;      /* of that row */
    bool has_md5;        /* an MD5 row was seen */
    unsigned count;      /* partitions; 0 after a failure */
} fmt_table_report_t;

/* The bootloader's check (2.2, first half), over len bytes of table (FMT_PARTITION_TABLE_LEN; less
 * ends the walk earlier, more is not looked at) against a flash chip of flash_size bytes.
 * *report (never NULL) is always filled. On success the partitions are rows 0 .. count - 1.
 * ESP_ERR_INVALID_SIZE: FMT_TABLE_BEYOND_FLASH; ESP_ERR_INVALID_STATE: every other reason. */
esp_err_t fmt_partition_table_check(const uint8_t *table, size_t len, uint32_t flash_size,
                                    fmt_table_report_t *report);

/* The application's check (2.2, second half): rows are taken up to the first that is no entry,
 * over len bytes (the whole sector: FMT_PARTITION_TABLE_SECTOR). With md5 (the default
 * configuration) that row must be a matching MD5 row. Nothing is bounded by the flash size.
 * ESP_ERR_NOT_FOUND: FMT_TABLE_LOAD_NO_MD5; ESP_ERR_INVALID_STATE: FMT_TABLE_LOAD_BAD_MD5. */
esp_err_t fmt_partition_table_load(const uint8_t *table, size_t len, bool md5,
                                   fmt_table_report_t *report);

/* The log line of a failed check: tag "flash_parts" for fmt_partition_table_check(), tag
 * "partition" for fmt_partition_table_load(). False when there is nothing to say. */
bool fmt_table_report_line(const fmt_table_report_t *report, fmt_log_line_t *line);

/* Writes count entries, an MD5 row if md5, and 0xFF to the end, FMT_PARTITION_TABLE_LEN bytes.
 * ESP_ERR_INVALID_SIZE: too many entries (94 fit with MD5, 95 without). */
esp_err_t fmt_partition_table_encode(const fmt_partition_t *entries, size_t count, bool md5,
                                     uint8_t *table);

/* "app", "data", ...; NULL when the value has no name. */
const char *fmt_partition_type_name(uint8_t type);
const char *fmt_partition_subtype_name(uint8_t type, uint8_t subtype);

/* The reverse, in any letter case: -1 when there is no such name. */
int fmt_partition_type_by_name(const char *name);
int fmt_partition_subtype_by_name(uint8_t type, const char *name);

/* The named subtypes in order: index 0, 1, ... until false. Any pointer may be NULL. */
bool fmt_partition_subtype_at(size_t index, uint8_t *type, uint8_t *subtype, const char **name);

/* What the bootloader's table listing calls it: "factory app", "OTA data", ... Never NULL. */
const char *fmt_partition_usage(uint8_t type, uint8_t subtype);

/* Whether the partition is an OTA slot (app, ota_0 .. ota_15). */
static inline bool fmt_partition_is_ota(uint8_t type, uint8_t subtype)
{
    return type == FMT_PART_TYPE_APP && subtype >= FMT_PART_APP_OTA_0 &&
           subtype <= FMT_PART_APP_OTA_15;
}

#endif
