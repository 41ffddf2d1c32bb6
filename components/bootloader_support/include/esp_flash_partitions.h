/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw partition table and otadata structures as they stand in flash, and where things are.
 * Source: interface specification, section 5.5; formats specification, sections 2 and 3. */
#ifndef ESP_FLASH_PARTITIONS_H
#define ESP_FLASH_PARTITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_types.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_PARTITION_MAGIC      0x50AA
#define ESP_PARTITION_MAGIC_MD5  0xEBEB
#define ESP_PARTITION_MD5_OFFSET 16

#define PART_FLAG_ENCRYPTED (1 << 0)
#define PART_FLAG_READONLY  (1 << 1)

#define PART_TYPE_APP         0x00
#define PART_SUBTYPE_FACTORY  0x00
#define PART_SUBTYPE_OTA_FLAG 0x10
#define PART_SUBTYPE_OTA_MASK 0x0f
#define PART_SUBTYPE_TEST     0x20
#define PART_SUBTYPE_TEE_0    0x30
#define PART_SUBTYPE_TEE_1    0x31

#define PART_TYPE_DATA             0x01
#define PART_SUBTYPE_DATA_OTA      0x00
#define PART_SUBTYPE_DATA_RF       0x01
#define PART_SUBTYPE_DATA_WIFI     0x02
#define PART_SUBTYPE_DATA_NVS_KEYS 0x04
#define PART_SUBTYPE_DATA_EFUSE_EM 0x05
#define PART_SUBTYPE_DATA_TEE_OTA  0x90

#define PART_TYPE_BOOTLOADER             0x02
#define PART_SUBTYPE_BOOTLOADER_PRIMARY  0x00
#define PART_SUBTYPE_BOOTLOADER_OTA      0x01
#define PART_SUBTYPE_BOOTLOADER_RECOVERY 0x02

#define PART_TYPE_PARTITION_TABLE            0x03
#define PART_SUBTYPE_PARTITION_TABLE_PRIMARY 0x00
#define PART_SUBTYPE_PARTITION_TABLE_OTA     0x01

#define PART_TYPE_END    0xff
#define PART_SUBTYPE_END 0xff

#define ESP_PRIMARY_BOOTLOADER_OFFSET      CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define ESP_BOOTLOADER_OFFSET              ESP_PRIMARY_BOOTLOADER_OFFSET
#define ESP_PRIMARY_PARTITION_TABLE_OFFSET CONFIG_PARTITION_TABLE_OFFSET
#define ESP_PARTITION_TABLE_OFFSET         ESP_PRIMARY_PARTITION_TABLE_OFFSET
#define ESP_PARTITION_TABLE_SIZE           0x1000
#define ESP_PARTITION_TABLE_MAX_LEN        0xC00
#define ESP_PARTITION_TABLE_MAX_ENTRIES    96
#define ESP_BOOTLOADER_SIZE                (ESP_PARTITION_TABLE_OFFSET - ESP_BOOTLOADER_OFFSET)
#define ESP_BOOTLOADER_DIGEST_OFFSET       0x0

/* State of an OTA slot in its otadata entry. */
typedef enum {
    ESP_OTA_IMG_NEW = 0,                /* first boot pending */
    ESP_OTA_IMG_PENDING_VERIFY = 1,     /* booted once, not confirmed yet */
    ESP_OTA_IMG_VALID = 2,              /* confirmed by the app */
    ESP_OTA_IMG_INVALID = 3,            /* rejected by the app: never selected */
    ESP_OTA_IMG_ABORTED = 4,            /* not confirmed in time: never selected */
    ESP_OTA_IMG_UNDEFINED = 0xFFFFFFFF, /* not tracked */
} esp_ota_img_states_t;

/* One otadata entry. */
typedef struct {
    uint32_t ota_seq;
    uint8_t seq_label[20];
    uint32_t ota_state;
    uint32_t crc; /* of the four bytes of ota_seq */
} esp_ota_select_entry_t;

typedef struct {
    uint32_t offset; /* in flash, bytes */
    uint32_t size;   /* bytes */
} esp_partition_pos_t;

/* One row of the partition table. */
typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    esp_partition_pos_t pos;
    uint8_t label[16]; /* no NUL after 16 characters */
    uint32_t flags;
} esp_partition_info_t;

/* Checks ESP_PARTITION_TABLE_MAX_LEN bytes of a partition table: rows, end marker, MD5 row if there
 * is one, every partition inside the flash chip. Overlaps and alignment are not looked at.
 * *num_partitions (not NULL) is the number of partitions, 0 on failure. log_errors: say what is
 * wrong.
 * ESP_ERR_INVALID_ARG: a NULL argument. ESP_ERR_INVALID_SIZE: a partition ends beyond the chip.
 * ESP_ERR_INVALID_STATE: wrong magic, MD5 wrong or twice, or no end marker. */
esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors,
                                     int *num_partitions);

/* Implemented by esp_partition. False where [addr, addr + size) of the main chip touches a
 * partition marked read-only. */
bool esp_partition_is_flash_region_writable(size_t addr, size_t size);

/* Implemented by esp_partition. False where the range begins in the bootloader or partition table,
 * or touches the partition of the running app. */
bool esp_partition_main_flash_region_safe(size_t addr, size_t size);

#ifdef __cplusplus
}
#endif

#endif
