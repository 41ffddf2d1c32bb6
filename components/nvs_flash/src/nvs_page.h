/* SPDX-License-Identifier: Apache-2.0
 *
 * One page of a partition: what is in RAM about it, and every change to it in flash.
 *
 * Each change is one flash operation, or an order of them that leaves, when cut anywhere, something
 * nvs_page_load() understands. After a flash error a page in RAM may differ from flash: load it
 * again. */
#ifndef NVS_PAGE_H
#define NVS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/nvs.h"

#include "esp_partition.h"

typedef struct {
    const esp_partition_t *partition;
    bool read_only; /* nothing is written, not even repairs */
} nvs_device_t;

typedef enum {
    NVS_PAGE_FREE,    /* blank */
    NVS_PAGE_DIRTY,   /* holds nothing of value, must be erased before use */
    NVS_PAGE_STARTED, /* in use from now on; its header is written with the first item */
    NVS_PAGE_ACTIVE,  /* takes items */
    NVS_PAGE_FULL,
    NVS_PAGE_FREEING, /* its items are being copied to another page */
} nvs_page_state_t;

typedef struct {
    uint32_t offset; /* in the partition */
    uint32_t seq;
    nvs_page_state_t state;
    uint8_t next_free; /* first entry that may be written; FMT_NVS_PAGE_ENTRIES: none */
    uint8_t written;   /* entries in use */
    uint8_t bitmap[FMT_NVS_BITMAP_SIZE];
} nvs_page_t;

/* Reads the page at page->offset into raw (FMT_NVS_PAGE_SIZE bytes) and from there fills *page;
 * erases entries that an interrupted change left behind.
 * ESP_ERR_NVS_NEW_VERSION_FOUND; flash errors. */
esp_err_t nvs_page_load(const nvs_device_t *device, nvs_page_t *page, uint8_t *raw);

/* Makes a free or dirty page the one with sequence number seq. */
esp_err_t nvs_page_start(const nvs_device_t *device, nvs_page_t *page, uint32_t seq);

/* Marks it NVS_PAGE_FULL or NVS_PAGE_FREEING. */
esp_err_t nvs_page_mark(const nvs_device_t *device, nvs_page_t *page, nvs_page_state_t state);

/* Erases it: NVS_PAGE_FREE. */
esp_err_t nvs_page_wipe(const nvs_device_t *device, nvs_page_t *page);

/* Whether an item of span entries fits. */
bool nvs_page_has_room(const nvs_page_t *page, unsigned span);

/* Appends an item and its data (size bytes; 0 for numbers); *index: where it went.
 * ESP_ERR_NVS_PAGE_FULL: no room; flash errors. */
esp_err_t nvs_page_append(const nvs_device_t *device, nvs_page_t *page,
                          const fmt_nvs_entry_t *entry, const void *data, size_t size,
                          unsigned *index);

/* Appends a copy of the item at index of from, whose header is *entry. */
esp_err_t nvs_page_append_copy(const nvs_device_t *device, nvs_page_t *page, const nvs_page_t *from,
                               const fmt_nvs_entry_t *entry, unsigned index);

/* Erases the item of span entries at index; purge: overwrites it too. */
esp_err_t nvs_page_erase_item(const nvs_device_t *device, nvs_page_t *page, unsigned index,
                              unsigned span, bool purge);

/* The item at or after *index: *entry is its header, *at its place, *index where to go on. An
 * entry that became unreadable is erased on the way. ESP_ERR_NVS_NOT_FOUND: none left; flash
 * errors. */
esp_err_t nvs_page_next(const nvs_device_t *device, nvs_page_t *page, unsigned *index,
                        fmt_nvs_entry_t *entry, unsigned *at);

/* Reads len bytes at offset of the data of the item at index. */
esp_err_t nvs_page_read_data(const nvs_device_t *device, const nvs_page_t *page, unsigned index,
                             size_t offset, void *out, size_t len);

#endif
