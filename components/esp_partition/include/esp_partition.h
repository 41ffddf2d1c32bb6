/* SPDX-License-Identifier: Apache-2.0
 *
 * Partitions: finding, reading, writing, erasing, comparing and copying them.
 * Source: interface specification, section 4.
 *
 * Offsets and sizes are in bytes, offsets count from the start of a partition. All functions may be
 * called from any task. */
#ifndef ESP_PARTITION_H
#define ESP_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"
#include "esp_blockdev.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_flash_t esp_flash_t;

typedef enum {
    ESP_PARTITION_TYPE_APP = 0x00,
    ESP_PARTITION_TYPE_DATA = 0x01,
    ESP_PARTITION_TYPE_BOOTLOADER = 0x02,
    ESP_PARTITION_TYPE_PARTITION_TABLE = 0x03,

    ESP_PARTITION_TYPE_ANY = 0xff, /* for searching only */
} esp_partition_type_t;

typedef enum {
    ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA = 0x01,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY = 0x02,

    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_OTA = 0x01,

    ESP_PARTITION_SUBTYPE_APP_FACTORY = 0x00,
    ESP_PARTITION_SUBTYPE_APP_OTA_MIN = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_0 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 0,
    ESP_PARTITION_SUBTYPE_APP_OTA_1 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 1,
    ESP_PARTITION_SUBTYPE_APP_OTA_2 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 2,
    ESP_PARTITION_SUBTYPE_APP_OTA_3 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 3,
    ESP_PARTITION_SUBTYPE_APP_OTA_4 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 4,
    ESP_PARTITION_SUBTYPE_APP_OTA_5 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 5,
    ESP_PARTITION_SUBTYPE_APP_OTA_6 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 6,
    ESP_PARTITION_SUBTYPE_APP_OTA_7 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 7,
    ESP_PARTITION_SUBTYPE_APP_OTA_8 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 8,
    ESP_PARTITION_SUBTYPE_APP_OTA_9 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 9,
    ESP_PARTITION_SUBTYPE_APP_OTA_10 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 10,
    ESP_PARTITION_SUBTYPE_APP_OTA_11 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 11,
    ESP_PARTITION_SUBTYPE_APP_OTA_12 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 12,
    ESP_PARTITION_SUBTYPE_APP_OTA_13 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 13,
    ESP_PARTITION_SUBTYPE_APP_OTA_14 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 14,
    ESP_PARTITION_SUBTYPE_APP_OTA_15 = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 15,
    ESP_PARTITION_SUBTYPE_APP_OTA_MAX = ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 16, /* one beyond */
    ESP_PARTITION_SUBTYPE_APP_TEST = 0x20,
    ESP_PARTITION_SUBTYPE_APP_TEE_MIN = 0x30,
    ESP_PARTITION_SUBTYPE_APP_TEE_0 = ESP_PARTITION_SUBTYPE_APP_TEE_MIN + 0,
    ESP_PARTITION_SUBTYPE_APP_TEE_1 = ESP_PARTITION_SUBTYPE_APP_TEE_MIN + 1,
    ESP_PARTITION_SUBTYPE_APP_TEE_MAX = ESP_PARTITION_SUBTYPE_APP_TEE_1,

    ESP_PARTITION_SUBTYPE_DATA_OTA = 0x00,
    ESP_PARTITION_SUBTYPE_DATA_PHY = 0x01,
    ESP_PARTITION_SUBTYPE_DATA_NVS = 0x02,
    ESP_PARTITION_SUBTYPE_DATA_COREDUMP = 0x03,
    ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS = 0x04,
    ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM = 0x05,
    ESP_PARTITION_SUBTYPE_DATA_UNDEFINED = 0x06,
    ESP_PARTITION_SUBTYPE_DATA_ESPHTTPD = 0x80,
    ESP_PARTITION_SUBTYPE_DATA_FAT = 0x81,
    ESP_PARTITION_SUBTYPE_DATA_SPIFFS = 0x82,
    ESP_PARTITION_SUBTYPE_DATA_LITTLEFS = 0x83,
    ESP_PARTITION_SUBTYPE_DATA_TEE_OTA = 0x90,

    ESP_PARTITION_SUBTYPE_ANY = 0xff, /* for searching only */
} esp_partition_subtype_t;

/* Subtype of OTA slot i (0 .. 15). */
#define ESP_PARTITION_SUBTYPE_OTA(i)                                                               \
    ((esp_partition_subtype_t)(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + ((i) & 0xf)))

/* How a mapping will be used. Boards here treat all alike. */
typedef enum {
    ESP_PARTITION_MMAP_DATA = 0,
    ESP_PARTITION_MMAP_INST = 1,
    ESP_PARTITION_MMAP_BLOCKS_WRITE = 2,
} esp_partition_mmap_flag_t;

typedef uint32_t esp_partition_mmap_handle_t;
typedef struct esp_partition_iterator_opaque_ *esp_partition_iterator_t;

typedef struct {
    esp_flash_t *flash_chip; /* esp_flash_default_chip */
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    uint32_t address; /* in flash */
    uint32_t size;
    uint32_t erase_size; /* 4096 */
    char label[17];
    bool encrypted;
    bool readonly;
} esp_partition_t;

/* --- finding ---
 *
 * The table is read at the first call that needs it and kept; entries stay where they are until
 * esp_partition_unload_all(). Results come in the order of the table, then externally registered
 * partitions. A label of NULL matches all; the text must stay valid while an iterator uses it. */

/* Iterator at the first match, or NULL. Release it, unless esp_partition_next() returned NULL. */
esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype, const char *label);

/* The same with the reason: ESP_ERR_INVALID_ARG: it is NULL, or type is ANY and subtype is not;
 * ESP_ERR_NOT_FOUND: no match, or the table has no MD5 row; ESP_ERR_INVALID_STATE: the table's MD5
 * is wrong; ESP_ERR_NO_MEM; a flash error. *it is NULL then. */
esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                 const char *label, esp_partition_iterator_t *it);

/* The first match, or NULL. */
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype, const char *label);

/* The same with the reason, as esp_partition_find_err(). */
esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                       const char *label, const esp_partition_t **partition);

/* What the iterator (not NULL) points at. */
const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator);

/* Moves the iterator (not NULL) to the next match and returns it; at the end releases it and
 * returns NULL. */
esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator);

/* Frees an iterator; NULL is allowed. */
void esp_partition_iterator_release(esp_partition_iterator_t iterator);

/* The list's own entry that equals *partition in type, subtype, label (if not empty), chip,
 * address, size and encryption; NULL if there is none. */
const esp_partition_t *esp_partition_verify(const esp_partition_t *partition);

/* The same: ESP_ERR_INVALID_ARG: a NULL argument; ESP_ERR_NOT_FOUND: none. */
esp_err_t esp_partition_verify_err(const esp_partition_t *partition,
                                   const esp_partition_t **out_partition);

/* Forgets everything, external partitions included; pointers and iterators become invalid. */
void esp_partition_unload_all(void);

/* --- content ---
 *
 * partition must not be NULL (checked by assert). A struct made by the caller is taken as it is.
 * A size of 0 does nothing. */

/* ESP_ERR_INVALID_ARG: src_offset beyond the partition; ESP_ERR_INVALID_SIZE: the range passes its
 * end; ESP_ERR_NOT_SUPPORTED: encrypted and not on the main chip; flash errors. */
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                             size_t size);

/* Clears bits only: the content becomes old AND new. Errors as esp_partition_read();
 * ESP_ERR_NOT_ALLOWED: read-only, or the flash guard refuses it (see esp_flash.h). An encrypted
 * partition takes whole blocks of 16 bytes: ESP_ERR_INVALID_ARG for the offset,
 * ESP_ERR_INVALID_SIZE for the size. */
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size);

/* The same without decryption and encryption. */
esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst,
                                 size_t size);
esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset,
                                  const void *src, size_t size);

/* Erases whole sectors, in 64 KiB blocks where they fit. In this order: ESP_ERR_NOT_ALLOWED:
 * read-only; ESP_ERR_INVALID_ARG: offset beyond the partition; ESP_ERR_INVALID_SIZE: passes the
 * end; ESP_ERR_INVALID_SIZE: size, ESP_ERR_INVALID_ARG: offset is no multiple of 4096; flash
 * errors. */
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

/* Makes size bytes (> 0) at offset readable through *out_ptr until esp_partition_munmap(). Where
 * the board maps its flash the view follows later changes; elsewhere it is a copy in RAM of at most
 * CONFIG_ESP_PARTITION_MMAP_COPY_MAX bytes that does not.
 * ESP_ERR_INVALID_ARG: offset beyond the partition, size 0, or a NULL output;
 * ESP_ERR_INVALID_SIZE: passes the end; ESP_ERR_NOT_SUPPORTED: not on the main chip;
 * ESP_ERR_NO_MEM: no memory, or more than a copy may have; flash errors. */
esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_flag_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle);
void esp_partition_munmap(esp_partition_mmap_handle_t handle);

/* SHA-256 (32 bytes) of what address, size and type of *partition say; nothing else is looked at.
 * An application or bootloader: its appended digest, after comparing it with the content, or the
 * digest of the image if none is appended; ESP_ERR_IMAGE_INVALID: no image, or corrupt. Anything
 * else: all size bytes. ESP_ERR_INVALID_ARG: size 0 or sha_256 NULL. ESP_ERR_NO_MEM. */
esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256);

/* Whether both digests can be had and are equal. */
bool esp_partition_check_identity(const esp_partition_t *partition_1,
                                  const esp_partition_t *partition_2);

/* Copies size bytes, erasing the destination for size rounded up to 4096 first; SIZE_MAX means the
 * rest of the source, and erases the rest of the destination. Stops at the first error with a
 * partial copy.
 * ESP_ERR_INVALID_ARG: a partition is NULL, or both are the same; ESP_ERR_INVALID_SIZE: a range
 * does not fit; ESP_ERR_NOT_SUPPORTED: the source is not on the main chip; ESP_ERR_NO_MEM; else as
 * erase_range, read and write. */
esp_err_t esp_partition_copy(const esp_partition_t *dest_partition, uint32_t dest_offset,
                             const esp_partition_t *src_partition, uint32_t src_offset,
                             size_t size);

/* 4096. */
uint32_t esp_partition_get_main_flash_sector_size(void);

/* --- partitions outside the table --- */

/* Adds [offset, offset + size) to the list under label (16 characters are kept); it may lie below
 * the table's partitions. chip NULL is the main chip. *out_partition (may be NULL) is the new
 * entry, NULL on failure.
 * ESP_ERR_INVALID_SIZE: beyond the chip; ESP_ERR_INVALID_ARG: overlaps a known partition;
 * ESP_ERR_NO_MEM; errors of reading the table. */
esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size,
                                          const char *label, esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition);

/* Removes such an entry; no iterator may be at it. ESP_ERR_NOT_FOUND: not in the list;
 * ESP_ERR_INVALID_ARG: it came from the table. */
esp_err_t esp_partition_deregister_external(const esp_partition_t *partition);

#ifdef __cplusplus
}
#endif

#endif
