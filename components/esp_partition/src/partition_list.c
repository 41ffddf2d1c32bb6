/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of partitions: loading, searching, external entries. */
#include "esp_partition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "formats/partition_table.h"
#include "hal/loader.h"

#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "esp_private/partition_internal.h"
#include "esp_private/storage_lock.h"
#include "flash_file.h"
#include "sdkconfig.h"

static const char TAG[] = "partition";

typedef struct partition_item {
    struct partition_item *next;
    esp_partition_t info; /* never changes while in the list */
    bool external;
} partition_item_t;

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label;
    partition_item_t *at;
};

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static partition_item_t *s_list;

static void free_list(partition_item_t *list)
{
    while (list != NULL) {
        partition_item_t *next = list->next;
        free(list);
        list = next;
    }
}

static partition_item_t *item_from_row(const uint8_t *row)
{
    fmt_partition_t entry;
    if (fmt_partition_row_decode(row, &entry) != FMT_ROW_ENTRY) {
        return NULL;
    }
    partition_item_t *item = calloc(1, sizeof(*item));
    if (item != NULL) {
        item->info.flash_chip = esp_flash_default_chip;
        item->info.type = (esp_partition_type_t)entry.type;
        item->info.subtype = (esp_partition_subtype_t)entry.subtype;
        item->info.address = entry.offset;
        item->info.size = entry.size;
        item->info.erase_size = ESP_PARTITION_TABLE_SIZE;
        item->info.readonly = (entry.flags & FMT_PART_FLAG_READONLY) != 0;
        memcpy(item->info.label, entry.label, sizeof(item->info.label));
    }
    return item;
}

static esp_err_t read_table(partition_item_t **list, bool quiet)
{
    uint8_t *table = malloc(FMT_PARTITION_TABLE_SECTOR);
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    fmt_table_report_t report = {0};
    esp_err_t err =
        esp_flash_read(NULL, table, ESP_PARTITION_TABLE_OFFSET, FMT_PARTITION_TABLE_SECTOR);
    if (err == ESP_OK) {
        err = fmt_partition_table_load(table, FMT_PARTITION_TABLE_SECTOR, WITH_MD5, &report);
        fmt_log_line_t line;
        if (err != ESP_OK && !quiet && fmt_table_report_line(&report, &line)) {
            ESP_LOGE(TAG, "%s", line.text);
        }
    }
    partition_item_t *first = NULL;
    partition_item_t **end = &first;
    for (unsigned i = 0; err == ESP_OK && i < report.count; i++) {
        *end = item_from_row(table + i * FMT_PARTITION_ROW_SIZE);
        if (*end == NULL) {
            err = ESP_ERR_NO_MEM;
        } else {
            end = &(*end)->next;
        }
    }
    free(table);
    if (err != ESP_OK) {
        free_list(first);
        first = NULL;
    }
    *list = first;
    return err;
}

/* Called with the lock held. quiet: for the flash guard, which must not log a missing table at each
 * write. */
static esp_err_t ensure_loaded(bool quiet)
{
    if (s_list != NULL) {
        return ESP_OK;
    }
    esp_err_t err = flash_file_open();
    if (err == ESP_OK) {
        err = read_table(&s_list, quiet);
    }
    if (err != ESP_OK && !quiet) {
        ESP_LOGE(TAG, "load_partitions returned 0x%x", (unsigned)err);
    }
    return err;
}

static partition_item_t *next_match(partition_item_t *item, esp_partition_type_t type,
                                    esp_partition_subtype_t subtype, const char *label)
{
    for (; item != NULL; item = item->next) {
        if ((type == ESP_PARTITION_TYPE_ANY || type == item->info.type) &&
            (subtype == ESP_PARTITION_SUBTYPE_ANY || subtype == item->info.subtype) &&
            (label == NULL || strcmp(label, item->info.label) == 0)) {
            return item;
        }
    }
    return NULL;
}

static esp_err_t find_item(esp_partition_type_t type, esp_partition_subtype_t subtype,
                           const char *label, partition_item_t **found)
{
    *found = NULL;
    storage_lock(&s_lock);
    esp_err_t err = ensure_loaded(false);
    if (err == ESP_OK && type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY) {
        err = ESP_ERR_INVALID_ARG;
    }
    if (err == ESP_OK) {
        *found = next_match(s_list, type, subtype, label);
        err = *found != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                 const char *label, esp_partition_iterator_t *it)
{
    if (it == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *it = NULL;
    partition_item_t *item;
    esp_err_t err = find_item(type, subtype, label, &item);
    if (err != ESP_OK) {
        return err;
    }
    esp_partition_iterator_t iterator = malloc(sizeof(*iterator));
    if (iterator == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *iterator = (struct esp_partition_iterator_opaque_){type, subtype, label, item};
    *it = iterator;
    return ESP_OK;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype, const char *label)
{
    esp_partition_iterator_t it;
    return esp_partition_find_err(type, subtype, label, &it) == ESP_OK ? it : NULL;
}

esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                       const char *label, const esp_partition_t **partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    partition_item_t *item;
    esp_err_t err = find_item(type, subtype, label, &item);
    *partition = err == ESP_OK ? &item->info : NULL;
    return err;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype, const char *label)
{
    const esp_partition_t *partition;
    return esp_partition_find_first_err(type, subtype, label, &partition) == ESP_OK ? partition
                                                                                    : NULL;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    assert(iterator != NULL);
    return &iterator->at->info;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    assert(iterator != NULL);
    storage_lock(&s_lock);
    iterator->at =
        next_match(iterator->at->next, iterator->type, iterator->subtype, iterator->label);
    storage_unlock(&s_lock);
    if (iterator->at == NULL) {
        free(iterator);
        return NULL;
    }
    return iterator;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    free(iterator);
}

static bool same_partition(const esp_partition_t *known, const esp_partition_t *asked)
{
    return known->type == asked->type && known->subtype == asked->subtype &&
           (asked->label[0] == '\0' ||
            strncmp(known->label, asked->label, sizeof(known->label)) == 0) &&
           known->flash_chip == asked->flash_chip && known->address == asked->address &&
           known->size == asked->size && known->encrypted == asked->encrypted;
}

esp_err_t esp_partition_verify_err(const esp_partition_t *partition,
                                   const esp_partition_t **out_partition)
{
    if (partition == NULL || out_partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_partition = NULL;
    storage_lock(&s_lock);
    esp_err_t err = ensure_loaded(false);
    if (err == ESP_OK) {
        const partition_item_t *item = s_list;
        while (item != NULL && !same_partition(&item->info, partition)) {
            item = item->next;
        }
        if (item != NULL) {
            *out_partition = &item->info;
        }
    }
    storage_unlock(&s_lock);
    return *out_partition != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    const esp_partition_t *found;
    return esp_partition_verify_err(partition, &found) == ESP_OK ? found : NULL;
}

bool partition_list_loaded(void)
{
    storage_lock(&s_lock);
    bool loaded = s_list != NULL;
    storage_unlock(&s_lock);
    return loaded;
}

void esp_partition_unload_all(void)
{
    storage_lock(&s_lock);
    free_list(s_list);
    s_list = NULL;
    storage_unlock(&s_lock);
}

static bool touches(const esp_partition_t *p, size_t address, size_t size)
{
    return size != 0 && p->size != 0 && address < (uint64_t)p->address + p->size &&
           p->address < (uint64_t)address + size;
}

esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size,
                                          const char *label, esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition)
{
    if (out_partition != NULL) {
        *out_partition = NULL;
    }
    if (flash_chip == NULL) {
        flash_chip = esp_flash_default_chip;
    }
    uint32_t chip_size;
    esp_err_t err = esp_flash_get_size(flash_chip, &chip_size);
    if (err != ESP_OK) {
        return err;
    }
    if (offset > chip_size || size > chip_size - offset) {
        return ESP_ERR_INVALID_SIZE;
    }
    partition_item_t *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        return ESP_ERR_NO_MEM;
    }
    item->external = true;
    item->info.flash_chip = flash_chip;
    item->info.type = type;
    item->info.subtype = subtype;
    item->info.address = (uint32_t)offset;
    item->info.size = (uint32_t)size;
    item->info.erase_size = ESP_PARTITION_TABLE_SIZE;
    if (label != NULL) {
        size_t len = 0;
        while (len < sizeof(item->info.label) - 1 && label[len] != '\0') {
            item->info.label[len] = label[len];
            len++;
        }
    }

    storage_lock(&s_lock);
    err = ensure_loaded(false);
    partition_item_t **end = &s_list;
    while (err == ESP_OK && *end != NULL) {
        if ((*end)->info.flash_chip == flash_chip && touches(&(*end)->info, offset, size)) {
            ESP_LOGE(TAG, "'%s' would overlap partition '%s'", item->info.label,
                     (*end)->info.label);
            err = ESP_ERR_INVALID_ARG;
        }
        end = &(*end)->next;
    }
    if (err == ESP_OK) {
        *end = item;
    }
    storage_unlock(&s_lock);

    if (err != ESP_OK) {
        free(item);
        return err;
    }
    if (out_partition != NULL) {
        *out_partition = &item->info;
    }
    return ESP_OK;
}

esp_err_t esp_partition_deregister_external(const esp_partition_t *partition)
{
    esp_err_t err = ESP_ERR_NOT_FOUND;
    partition_item_t *removed = NULL;
    storage_lock(&s_lock);
    for (partition_item_t **at = &s_list; *at != NULL; at = &(*at)->next) {
        if (&(*at)->info != partition) {
            continue;
        }
        if (!(*at)->external) {
            err = ESP_ERR_INVALID_ARG;
        } else {
            removed = *at;
            *at = removed->next;
            err = ESP_OK;
        }
        break;
    }
    storage_unlock(&s_lock);
    free(removed);
    return err;
}

const esp_partition_t *esp_partition_running(void)
{
    uint32_t offset = hal_loader_running_offset();
    if (offset == UINT32_MAX) {
        return NULL;
    }
    const esp_partition_t *found = NULL;
    storage_lock(&s_lock);
    if (ensure_loaded(true) == ESP_OK) {
        for (const partition_item_t *item = s_list; item != NULL; item = item->next) {
            if (item->info.type == ESP_PARTITION_TYPE_APP && touches(&item->info, offset, 1)) {
                found = &item->info;
                break;
            }
        }
    }
    storage_unlock(&s_lock);
    return found;
}

/* --- what the flash guard asks --- */

bool esp_partition_is_flash_region_writable(size_t addr, size_t size)
{
    bool writable = true;
    storage_lock(&s_lock);
    if (ensure_loaded(true) == ESP_OK) {
        for (const partition_item_t *item = s_list; item != NULL; item = item->next) {
            if (item->info.readonly && touches(&item->info, addr, size)) {
                writable = false;
                break;
            }
        }
    }
    storage_unlock(&s_lock);
    return writable;
}

bool esp_partition_main_flash_region_safe(size_t addr, size_t size)
{
    if (addr <= ESP_PARTITION_TABLE_OFFSET + ESP_PARTITION_TABLE_MAX_LEN) {
        return false;
    }
    const esp_partition_t *running = esp_partition_running();
    if (running != NULL) {
        return !touches(running, addr, size);
    }
    /* Not in the table: at least the beginning of the running image is known. */
    uint32_t offset = hal_loader_running_offset();
    const esp_partition_t image = {.address = offset, .size = ESP_PARTITION_TABLE_SIZE};
    return offset == UINT32_MAX || !touches(&image, addr, size);
}
