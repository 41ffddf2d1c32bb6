/* SPDX-License-Identifier: Apache-2.0
 *
 * Key-value store: values under keys of 1 .. 15 characters, in namespaces, in a flash partition.
 * Source: interface specification, section 10.1.
 *
 * A value is in flash when nvs_set_*() returns; a power cut at any moment leaves the old or the new
 * value. All functions may be called from any task.
 *
 * Errors that every reading or writing function may return, besides its own:
 * ESP_ERR_NVS_INVALID_HANDLE: no such handle (closed, or the partition was deinitialised);
 * ESP_ERR_INVALID_ARG: a NULL argument; ESP_ERR_NO_MEM; flash errors (0x60xx), after which the
 * store reads its partition anew at the next call. */
#ifndef NVS_H
#define NVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_NVS_BASE                 0x1100
#define ESP_ERR_NVS_NOT_INITIALIZED      (ESP_ERR_NVS_BASE + 0x01)
#define ESP_ERR_NVS_NOT_FOUND            (ESP_ERR_NVS_BASE + 0x02)
#define ESP_ERR_NVS_TYPE_MISMATCH        (ESP_ERR_NVS_BASE + 0x03)
#define ESP_ERR_NVS_READ_ONLY            (ESP_ERR_NVS_BASE + 0x04)
#define ESP_ERR_NVS_NOT_ENOUGH_SPACE     (ESP_ERR_NVS_BASE + 0x05)
#define ESP_ERR_NVS_INVALID_NAME         (ESP_ERR_NVS_BASE + 0x06)
#define ESP_ERR_NVS_INVALID_HANDLE       (ESP_ERR_NVS_BASE + 0x07)
#define ESP_ERR_NVS_REMOVE_FAILED        (ESP_ERR_NVS_BASE + 0x08)
#define ESP_ERR_NVS_KEY_TOO_LONG         (ESP_ERR_NVS_BASE + 0x09)
#define ESP_ERR_NVS_PAGE_FULL            (ESP_ERR_NVS_BASE + 0x0a)
#define ESP_ERR_NVS_INVALID_STATE        (ESP_ERR_NVS_BASE + 0x0b)
#define ESP_ERR_NVS_INVALID_LENGTH       (ESP_ERR_NVS_BASE + 0x0c)
#define ESP_ERR_NVS_NO_FREE_PAGES        (ESP_ERR_NVS_BASE + 0x0d)
#define ESP_ERR_NVS_VALUE_TOO_LONG       (ESP_ERR_NVS_BASE + 0x0e)
#define ESP_ERR_NVS_PART_NOT_FOUND       (ESP_ERR_NVS_BASE + 0x0f)
#define ESP_ERR_NVS_NEW_VERSION_FOUND    (ESP_ERR_NVS_BASE + 0x10)
#define ESP_ERR_NVS_XTS_ENCR_FAILED      (ESP_ERR_NVS_BASE + 0x11)
#define ESP_ERR_NVS_XTS_DECR_FAILED      (ESP_ERR_NVS_BASE + 0x12)
#define ESP_ERR_NVS_XTS_CFG_FAILED       (ESP_ERR_NVS_BASE + 0x13)
#define ESP_ERR_NVS_XTS_CFG_NOT_FOUND    (ESP_ERR_NVS_BASE + 0x14)
#define ESP_ERR_NVS_ENCR_NOT_SUPPORTED   (ESP_ERR_NVS_BASE + 0x15)
#define ESP_ERR_NVS_KEYS_NOT_INITIALIZED (ESP_ERR_NVS_BASE + 0x16)
#define ESP_ERR_NVS_CORRUPT_KEY_PART     (ESP_ERR_NVS_BASE + 0x17)
#define ESP_ERR_NVS_CONTENT_DIFFERS      (ESP_ERR_NVS_BASE + 0x18)
#define ESP_ERR_NVS_WRONG_ENCRYPTION     (ESP_ERR_NVS_BASE + 0x19)

#define NVS_DEFAULT_PART_NAME "nvs"

/* Room for names, including the final NUL. */
#define NVS_PART_NAME_MAX_SIZE 16
#define NVS_KEY_NAME_MAX_SIZE  16
#define NVS_NS_NAME_MAX_SIZE   16

typedef uint32_t nvs_handle_t;

typedef enum {
    NVS_READONLY, /* writing gives ESP_ERR_NVS_READ_ONLY */
    NVS_READWRITE,
    NVS_READWRITE_PURGE, /* what is replaced or erased is also overwritten in flash */
} nvs_open_mode_t;

typedef enum {
    NVS_TYPE_U8 = 0x01,
    NVS_TYPE_I8 = 0x11,
    NVS_TYPE_U16 = 0x02,
    NVS_TYPE_I16 = 0x12,
    NVS_TYPE_U32 = 0x04,
    NVS_TYPE_I32 = 0x14,
    NVS_TYPE_U64 = 0x08,
    NVS_TYPE_I64 = 0x18,
    NVS_TYPE_FLOAT = 0x24,
    NVS_TYPE_DOUBLE = 0x28,
    NVS_TYPE_STR = 0x21,
    NVS_TYPE_BLOB = 0x42,
    NVS_TYPE_ANY = 0xff, /* for searching only */
} nvs_type_t;

/* --- namespaces --- */

/* Opens a namespace of the default partition. NVS_READONLY: it must exist; else it is created.
 * *out_handle is to be closed with nvs_close().
 * ESP_ERR_NVS_NOT_INITIALIZED: no partition is initialised; ESP_ERR_NVS_PART_NOT_FOUND: this one is
 * not; ESP_ERR_NVS_NOT_FOUND: no such namespace (read-only); ESP_ERR_NOT_ALLOWED: write mode on a
 * read-only partition; ESP_ERR_NVS_INVALID_NAME: empty name; ESP_ERR_NVS_KEY_TOO_LONG: more than 15
 * characters; ESP_ERR_NVS_NOT_ENOUGH_SPACE: no room, or 254 namespaces already. */
esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle);

/* The same in the partition with that label. */
esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name,
                                  nvs_open_mode_t open_mode, nvs_handle_t *out_handle);

/* Closes a handle; an unknown one is ignored. */
void nvs_close(nvs_handle_t handle);

/* Nothing is left to do: values are in flash already. */
esp_err_t nvs_commit(nvs_handle_t handle);

/* --- setting ---
 *
 * Replaces what is under key, of whatever type (with CONFIG_NVS_LEGACY_DUP_KEYS_COMPATIBILITY only
 * what has the same type). An equal value is not written again.
 * ESP_ERR_NVS_READ_ONLY: opened read-only; ESP_ERR_NVS_INVALID_NAME: empty key;
 * ESP_ERR_NVS_KEY_TOO_LONG: more than 15 characters; ESP_ERR_NVS_NOT_ENOUGH_SPACE: no room;
 * ESP_ERR_NVS_REMOVE_FAILED: the new value is in flash, but the old one could not be erased, which
 * is made up for at the next call. */
esp_err_t nvs_set_i8(nvs_handle_t handle, const char *key, int8_t value);
esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value);
esp_err_t nvs_set_i16(nvs_handle_t handle, const char *key, int16_t value);
esp_err_t nvs_set_u16(nvs_handle_t handle, const char *key, uint16_t value);
esp_err_t nvs_set_i32(nvs_handle_t handle, const char *key, int32_t value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_set_i64(nvs_handle_t handle, const char *key, int64_t value);
esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value);
esp_err_t nvs_set_float(nvs_handle_t handle, const char *key, float value);
esp_err_t nvs_set_double(nvs_handle_t handle, const char *key, double value);

/* At most 4000 bytes including the NUL, else ESP_ERR_NVS_VALUE_TOO_LONG. */
esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value);

/* length bytes, 0 allowed. ESP_ERR_NVS_VALUE_TOO_LONG: more than the partition can ever hold. */
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length);

/* --- getting ---
 *
 * ESP_ERR_NVS_NOT_FOUND: no value of that type under key; *out_value is untouched. */
esp_err_t nvs_get_i8(nvs_handle_t handle, const char *key, int8_t *out_value);
esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *out_value);
esp_err_t nvs_get_i16(nvs_handle_t handle, const char *key, int16_t *out_value);
esp_err_t nvs_get_u16(nvs_handle_t handle, const char *key, uint16_t *out_value);
esp_err_t nvs_get_i32(nvs_handle_t handle, const char *key, int32_t *out_value);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *out_value);
esp_err_t nvs_get_i64(nvs_handle_t handle, const char *key, int64_t *out_value);
esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key, uint64_t *out_value);
esp_err_t nvs_get_float(nvs_handle_t handle, const char *key, float *out_value);
esp_err_t nvs_get_double(nvs_handle_t handle, const char *key, double *out_value);

/* *length: size of the buffer out_value in bytes (a string with its NUL); set to the size of the
 * value. out_value NULL: only the size is asked. ESP_ERR_NVS_INVALID_LENGTH: length is NULL, or the
 * buffer is too small (*length is then what is needed). */
esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length);

/* Type of what is under key; out_type may be NULL. ESP_ERR_NVS_NOT_FOUND: nothing. */
esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type);

/* --- erasing --- */

/* Removes what is under key. ESP_ERR_NVS_NOT_FOUND: nothing; ESP_ERR_NVS_READ_ONLY. */
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);

/* Removes every key of the namespace; the namespace itself stays. ESP_ERR_NVS_READ_ONLY. */
esp_err_t nvs_erase_all(nvs_handle_t handle);

/* --- counting --- */

typedef struct {
    size_t used_entries;      /* entries of 32 bytes in use */
    size_t free_entries;      /* all others */
    size_t available_entries; /* free ones that can be written: one page is always kept free */
    size_t total_entries;
    size_t namespace_count;
} nvs_stats_t;

/* Figures of a partition (NULL: the default one). *nvs_stats is zero on failure.
 * ESP_ERR_INVALID_ARG: nvs_stats is NULL; ESP_ERR_NVS_NOT_INITIALIZED: not initialised. */
esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats);

/* Entries that the keys of the namespace take. *used_entries is 0 on failure. */
esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries);

/* --- iterating --- */

typedef struct {
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
} nvs_entry_info_t;

typedef struct nvs_opaque_iterator_t *nvs_iterator_t;

/* *output_iterator at the first entry of a partition (by label), in a namespace (NULL: all), of a
 * type (NVS_TYPE_ANY: all). Release it with nvs_release_iterator(). Entries set or erased meanwhile
 * may or may not be met.
 * ESP_ERR_NVS_NOT_FOUND: none, or no such namespace; ESP_ERR_NVS_PART_NOT_FOUND: not initialised.
 * *output_iterator is NULL then. */
esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator);
esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type,
                                   nvs_iterator_t *output_iterator);

/* Moves on. ESP_ERR_NVS_NOT_FOUND: that was the last; the iterator is released and NULL. Any other
 * error likewise. ESP_ERR_INVALID_ARG: NULL. */
esp_err_t nvs_entry_next(nvs_iterator_t *iterator);

/* What the iterator is at. ESP_ERR_INVALID_ARG: NULL. */
esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info);

/* Frees an iterator; NULL is allowed. */
void nvs_release_iterator(nvs_iterator_t iterator);

#ifdef __cplusplus
}
#endif

#endif
