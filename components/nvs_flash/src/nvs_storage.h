/* SPDX-License-Identifier: Apache-2.0
 *
 * The key-value store of one partition. Nothing here locks; nvs_api.c does.
 *
 * After a flash error while something was being changed, what RAM knows may be wrong: the storage
 * is then stale and reads its partition anew at the next call, as after a reset. */
#ifndef NVS_STORAGE_H
#define NVS_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nvs.h"
#include "nvs_page.h"

typedef struct nvs_namespace {
    struct nvs_namespace *next;
    uint8_t index;
    char name[NVS_NS_NAME_MAX_SIZE];
} nvs_namespace_t;

typedef struct nvs_storage {
    struct nvs_storage *next;
    esp_partition_t partition;
    nvs_device_t device;
    nvs_page_t *pages;
    uint16_t *order; /* pages in use, by sequence number: indexes into pages */
    unsigned page_count;
    unsigned used_count;
    nvs_namespace_t *namespaces;
    bool stale;
} nvs_storage_t;

/* Where an item stands. */
typedef struct {
    unsigned rank; /* of its page in order */
    unsigned index;
    fmt_nvs_entry_t entry;
} nvs_item_t;

/* Reads a partition. Errors of nvs_flash_init(). */
esp_err_t nvs_storage_open(const esp_partition_t *partition, nvs_storage_t **storage);
void nvs_storage_close(nvs_storage_t *storage);

/* Makes a stale storage fresh; to be called before anything below. */
esp_err_t nvs_storage_refresh(nvs_storage_t *storage);

/* Index of a namespace, 0 if there is none. */
uint8_t nvs_storage_find_namespace(const nvs_storage_t *storage, const char *name);
/* The name of one, NULL if there is none. */
const char *nvs_storage_namespace_name(const nvs_storage_t *storage, uint8_t index);
/* Creates one. ESP_ERR_NVS_NOT_ENOUGH_SPACE; flash errors. */
esp_err_t nvs_storage_create_namespace(nvs_storage_t *storage, const char *name, uint8_t *index);

/* type: FMT_NVS_TYPE_*, a number or a string; size: bytes at value. */
esp_err_t nvs_storage_set(nvs_storage_t *storage, uint8_t ns, const char *key, uint8_t type,
                          const void *value, size_t size, bool purge);
esp_err_t nvs_storage_set_blob(nvs_storage_t *storage, uint8_t ns, const char *key,
                               const void *value, size_t size, bool purge);

/* A number: copies its value. */
esp_err_t nvs_storage_get(nvs_storage_t *storage, uint8_t ns, const char *key, uint8_t type,
                          void *value);
/* *size: room at value; set to the size of the string or blob. value NULL: only the size.
 * ESP_ERR_NVS_INVALID_LENGTH: too little room. */
esp_err_t nvs_storage_get_string(nvs_storage_t *storage, uint8_t ns, const char *key, void *value,
                                 size_t *size);
esp_err_t nvs_storage_get_blob(nvs_storage_t *storage, uint8_t ns, const char *key, void *value,
                               size_t *size);

esp_err_t nvs_storage_erase(nvs_storage_t *storage, uint8_t ns, const char *key, bool purge);
esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t ns, bool purge);

/* The next item from *item's place on (rank and index), of namespace ns (0: all but the table of
 * namespaces), that an application sees. *item: where; its place is then behind it. */
esp_err_t nvs_storage_next(nvs_storage_t *storage, uint8_t ns, nvs_item_t *item);

void nvs_storage_stats(nvs_storage_t *storage, nvs_stats_t *stats);
/* Entries the items of a namespace take. */
esp_err_t nvs_storage_used_entries(nvs_storage_t *storage, uint8_t ns, size_t *used);

#endif
