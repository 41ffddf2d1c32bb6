/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_storage.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "sdkconfig.h"

static const char TAG[] = "nvs";

/* A page to write to, one full of old values, and one to move them to. */
#define PAGES_MIN 3u

#define BLOB_MAX(storage)                                                                          \
    ((size_t)((storage)->page_count - 1 < FMT_NVS_CHUNKS_MAX ? (storage)->page_count - 1           \
                                                             : FMT_NVS_CHUNKS_MAX) *               \
     FMT_NVS_DATA_MAX)

/* --- pages --- */

static nvs_page_t *page_at(nvs_storage_t *storage, unsigned rank)
{
    return &storage->pages[storage->order[rank]];
}

static nvs_page_t *last_page(nvs_storage_t *storage)
{
    return page_at(storage, storage->used_count - 1);
}

static bool is_free(const nvs_page_t *page)
{
    return page->state == NVS_PAGE_FREE || page->state == NVS_PAGE_DIRTY;
}

/* The first free page and how many there are. */
static unsigned free_pages(nvs_storage_t *storage, unsigned *first)
{
    unsigned count = 0;
    for (unsigned i = storage->page_count; i-- > 0;) {
        if (is_free(&storage->pages[i])) {
            *first = i;
            count++;
        }
    }
    return count;
}

static esp_err_t start_page(nvs_storage_t *storage, unsigned index)
{
    uint32_t seq = storage->used_count > 0 ? last_page(storage)->seq + 1 : 0;
    esp_err_t err = nvs_page_start(&storage->device, &storage->pages[index], seq);
    if (err == ESP_OK) {
        storage->order[storage->used_count++] = (uint16_t)index;
    }
    return err;
}

static esp_err_t wipe_page(nvs_storage_t *storage, unsigned rank)
{
    esp_err_t err = nvs_page_wipe(&storage->device, page_at(storage, rank));
    if (err == ESP_OK) {
        storage->used_count--;
        memmove(&storage->order[rank], &storage->order[rank + 1],
                (storage->used_count - rank) * sizeof(*storage->order));
    }
    return err;
}

/* Copies what lives in the page of that rank to the last page, and erases it. */
static esp_err_t move_items(nvs_storage_t *storage, unsigned rank)
{
    nvs_page_t *from = page_at(storage, rank);
    nvs_page_t *to = last_page(storage);
    unsigned index = 0;
    unsigned at;
    fmt_nvs_entry_t entry;
    esp_err_t err;
    while ((err = nvs_page_next(&storage->device, from, &index, &entry, &at)) == ESP_OK) {
        err = nvs_page_append_copy(&storage->device, to, from, &entry, at);
        if (err != ESP_OK) {
            return err;
        }
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? wipe_page(storage, rank) : err;
}

/* Closes the current page and opens another: a free one, or if only one is left, the one that the
 * page with the fewest entries in use is moved to. */
static esp_err_t new_page(nvs_storage_t *storage)
{
    nvs_page_t *current = last_page(storage);
    if (current->state == NVS_PAGE_ACTIVE || current->state == NVS_PAGE_STARTED) {
        esp_err_t err = nvs_page_mark(&storage->device, current, NVS_PAGE_FULL);
        if (err != ESP_OK) {
            return err;
        }
    }
    unsigned target = 0;
    unsigned free_count = free_pages(storage, &target);
    if (free_count >= 2) {
        return start_page(storage, target);
    }
    if (free_count == 0) {
        return ESP_ERR_NVS_NO_FREE_PAGES;
    }
    unsigned victim = 0;
    for (unsigned rank = 1; rank < storage->used_count; rank++) {
        if (page_at(storage, rank)->written < page_at(storage, victim)->written) {
            victim = rank;
        }
    }
    if (page_at(storage, victim)->written == FMT_NVS_PAGE_ENTRIES) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    esp_err_t err = nvs_page_mark(&storage->device, page_at(storage, victim), NVS_PAGE_FREEING);
    if (err == ESP_OK) {
        err = start_page(storage, target);
    }
    return err != ESP_OK ? err : move_items(storage, victim);
}

/* --- finding items --- */

/* What to look for. type FMT_NVS_TYPE_ANY: all but blob chunks; chunk counts for those only. */
typedef struct {
    uint8_t ns;
    uint8_t type;
    uint8_t chunk;
    const char *key; /* NULL: all */
} query_t;

static bool matches(const query_t *query, const fmt_nvs_entry_t *entry)
{
    if (entry->ns != query->ns || (query->key != NULL && strcmp(entry->key, query->key) != 0)) {
        return false;
    }
    if (query->type == FMT_NVS_TYPE_ANY) {
        return entry->type != FMT_NVS_TYPE_BLOB_DATA;
    }
    return entry->type == query->type &&
           (query->type != FMT_NVS_TYPE_BLOB_DATA || entry->chunk == query->chunk);
}

/* The first item at or behind rank and index. */
static esp_err_t any_item(nvs_storage_t *storage, unsigned rank, unsigned index, nvs_item_t *item)
{
    for (; rank < storage->used_count; rank++, index = 0) {
        esp_err_t err = nvs_page_next(&storage->device, page_at(storage, rank), &index,
                                      &item->entry, &item->index);
        if (err != ESP_ERR_NVS_NOT_FOUND) {
            item->rank = rank;
            return err;
        }
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

static esp_err_t next_item(nvs_storage_t *storage, const nvs_item_t *item, nvs_item_t *next)
{
    return any_item(storage, item->rank, item->index + item->entry.span, next);
}

static esp_err_t find(nvs_storage_t *storage, const query_t *query, nvs_item_t *item)
{
    esp_err_t err = any_item(storage, 0, 0, item);
    while (err == ESP_OK && !matches(query, &item->entry)) {
        err = next_item(storage, item, item);
    }
    return err;
}

static esp_err_t erase_item(nvs_storage_t *storage, const nvs_item_t *item, bool purge)
{
    return nvs_page_erase_item(&storage->device, page_at(storage, item->rank), item->index,
                               item->entry.span, purge);
}

/* Erases what matches, except the item at keep (may be NULL). *count (may be NULL): how many. */
static esp_err_t erase_matching(nvs_storage_t *storage, const query_t *query,
                                const nvs_item_t *keep, bool purge, unsigned *count)
{
    nvs_item_t item;
    esp_err_t err = any_item(storage, 0, 0, &item);
    while (err == ESP_OK) {
        bool kept = keep != NULL && item.rank == keep->rank && item.index == keep->index;
        if (!kept && matches(query, &item.entry)) {
            err = erase_item(storage, &item, purge);
            if (err != ESP_OK) {
                return err;
            }
            if (count != NULL) {
                (*count)++;
            }
        }
        err = next_item(storage, &item, &item);
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/* Erases the chunks of a blob. */
static esp_err_t erase_chunks(nvs_storage_t *storage, uint8_t ns, const char *key,
                              const fmt_nvs_blob_index_t *index, bool purge)
{
    for (unsigned i = 0; i < index->count; i++) {
        const query_t query = {ns, FMT_NVS_TYPE_BLOB_DATA, (uint8_t)(index->start + i), key};
        esp_err_t err = erase_matching(storage, &query, NULL, purge, NULL);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/* --- loading and recovery --- */

static void forget(nvs_storage_t *storage)
{
    storage->used_count = 0;
    while (storage->namespaces != NULL) {
        nvs_namespace_t *next = storage->namespaces->next;
        free(storage->namespaces);
        storage->namespaces = next;
    }
}

static void insert_by_sequence(nvs_storage_t *storage, unsigned index)
{
    unsigned rank = storage->used_count++;
    while (rank > 0 && page_at(storage, rank - 1)->seq > storage->pages[index].seq) {
        storage->order[rank] = storage->order[rank - 1];
        rank--;
    }
    storage->order[rank] = (uint16_t)index;
}

static esp_err_t load_pages(nvs_storage_t *storage)
{
    uint8_t *raw = malloc(FMT_NVS_PAGE_SIZE);
    if (raw == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_OK;
    for (unsigned i = 0; err == ESP_OK && i < storage->page_count; i++) {
        storage->pages[i].offset = i * FMT_NVS_PAGE_SIZE;
        err = nvs_page_load(&storage->device, &storage->pages[i], raw);
        if (err == ESP_OK && !is_free(&storage->pages[i])) {
            insert_by_sequence(storage, i);
        }
    }
    free(raw);
    return err;
}

/* Only the newest page takes items; another one that says so was not closed properly. */
static esp_err_t close_older_pages(nvs_storage_t *storage)
{
    for (unsigned rank = 0; rank + 1 < storage->used_count; rank++) {
        nvs_page_t *page = page_at(storage, rank);
        if (page->state == NVS_PAGE_ACTIVE) {
            esp_err_t err = nvs_page_mark(&storage->device, page, NVS_PAGE_FULL);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

/* The very last item may be a new value whose old one was not erased yet. On its own page that is
 * done already. */
static esp_err_t erase_replaced_by_last(nvs_storage_t *storage)
{
    if (storage->used_count == 0) {
        return ESP_OK;
    }
    nvs_item_t last;
    nvs_item_t item;
    bool found = false;
    esp_err_t err = any_item(storage, storage->used_count - 1, 0, &item);
    while (err == ESP_OK) {
        last = item;
        found = true;
        err = next_item(storage, &item, &item);
    }
    if (err != ESP_ERR_NVS_NOT_FOUND || !found) {
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
    }
    query_t query = {last.entry.ns, FMT_NVS_TYPE_ANY, last.entry.chunk, last.entry.key};
#ifdef CONFIG_NVS_LEGACY_DUP_KEYS_COMPATIBILITY
    query.type = last.entry.type;
#endif
    if (last.entry.type == FMT_NVS_TYPE_BLOB_DATA) {
        query.type = FMT_NVS_TYPE_BLOB_DATA;
    }
    err = erase_matching(storage, &query, &last, false, NULL);
#ifdef CONFIG_NVS_LEGACY_DUP_KEYS_COMPATIBILITY
    if (err == ESP_OK && last.entry.type == FMT_NVS_TYPE_BLOB_INDEX) {
        query.type = FMT_NVS_TYPE_BLOB_V1;
        err = erase_matching(storage, &query, &last, false, NULL);
    }
#endif
    return err;
}

static bool find_freeing(nvs_storage_t *storage, unsigned *rank)
{
    for (*rank = 0; *rank < storage->used_count; (*rank)++) {
        if (page_at(storage, *rank)->state == NVS_PAGE_FREEING) {
            return true;
        }
    }
    return false;
}

/* A page was being moved: the copy is begun anew, from the page that still has everything. More
 * than one such page is nothing this program leaves behind, but may be found in flash. */
static esp_err_t finish_moving(nvs_storage_t *storage)
{
    unsigned rank;
    esp_err_t err = ESP_OK;
    for (bool first = true; err == ESP_OK && find_freeing(storage, &rank); first = false) {
        nvs_page_state_t last_state = last_page(storage)->state;
        if (first && last_state == NVS_PAGE_ACTIVE) {
            err = wipe_page(storage, storage->used_count - 1);
        } else if (last_state == NVS_PAGE_ACTIVE || last_state == NVS_PAGE_STARTED) {
            err = nvs_page_mark(&storage->device, last_page(storage), NVS_PAGE_FULL);
        }
        unsigned target = 0;
        if (err == ESP_OK && free_pages(storage, &target) == 0) {
            err = ESP_ERR_NVS_NO_FREE_PAGES;
        }
        if (err == ESP_OK) {
            err = start_page(storage, target);
        }
        if (err == ESP_OK) {
            err = move_items(storage, rank);
        }
    }
    return err;
}

static esp_err_t read_namespaces(nvs_storage_t *storage)
{
    const query_t query = {0, FMT_NVS_TYPE_U8, FMT_NVS_CHUNK_NONE, NULL};
    nvs_item_t item;
    esp_err_t err = any_item(storage, 0, 0, &item);
    while (err == ESP_OK) {
        uint8_t index = item.entry.data[0];
        if (matches(&query, &item.entry) && index >= 1 && index <= FMT_NVS_NAMESPACE_MAX &&
            nvs_storage_find_namespace(storage, item.entry.key) == 0) {
            nvs_namespace_t *ns = calloc(1, sizeof(*ns));
            if (ns == NULL) {
                return ESP_ERR_NO_MEM;
            }
            ns->index = index;
            memcpy(ns->name, item.entry.key, sizeof(ns->name));
            ns->next = storage->namespaces;
            storage->namespaces = ns;
        }
        err = next_item(storage, &item, &item);
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/* Whether all chunks of a blob are there and make up its size. */
static esp_err_t check_blob(nvs_storage_t *storage, const nvs_item_t *item, bool *complete)
{
    fmt_nvs_blob_index_t index = fmt_nvs_blob_index(&item->entry);
    uint32_t size = 0;
    *complete = false;
    if ((index.start != FMT_NVS_CHUNK_START_0 && index.start != FMT_NVS_CHUNK_START_1) ||
        index.count > FMT_NVS_CHUNKS_MAX) {
        return ESP_OK; /* the chunks of the next value could not be told from these */
    }
    for (unsigned i = 0; i < index.count; i++) {
        const query_t query = {item->entry.ns, FMT_NVS_TYPE_BLOB_DATA, (uint8_t)(index.start + i),
                               item->entry.key};
        nvs_item_t chunk;
        esp_err_t err = find(storage, &query, &chunk);
        if (err != ESP_OK) {
            return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
        }
        size += fmt_nvs_data_size(&chunk.entry);
    }
    *complete = size == index.size;
    return ESP_OK;
}

static esp_err_t chunk_belongs(nvs_storage_t *storage, const nvs_item_t *chunk, bool *belongs)
{
    const query_t query = {chunk->entry.ns, FMT_NVS_TYPE_BLOB_INDEX, FMT_NVS_CHUNK_NONE,
                           chunk->entry.key};
    nvs_item_t item;
    esp_err_t err = find(storage, &query, &item);
    *belongs = false;
    if (err == ESP_OK) {
        fmt_nvs_blob_index_t index = fmt_nvs_blob_index(&item.entry);
        *belongs =
            chunk->entry.chunk >= index.start && chunk->entry.chunk - index.start < index.count;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/* Erases items of one type that the test does not pass. */
static esp_err_t erase_unless(nvs_storage_t *storage, uint8_t type,
                              esp_err_t (*test)(nvs_storage_t *, const nvs_item_t *, bool *))
{
    nvs_item_t item;
    esp_err_t err = any_item(storage, 0, 0, &item);
    while (err == ESP_OK) {
        if (item.entry.type == type) {
            bool good;
            err = test(storage, &item, &good);
            if (err == ESP_OK && !good) {
                err = erase_item(storage, &item, false);
            }
            if (err != ESP_OK) {
                return err;
            }
        }
        err = next_item(storage, &item, &item);
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

static esp_err_t load(nvs_storage_t *storage)
{
    forget(storage);
    esp_err_t err = load_pages(storage);
    if (err == ESP_OK && !storage->device.read_only) {
        /* First of all: what was copied so far is there twice, and is not what a value replaces. */
        err = finish_moving(storage);
        if (err == ESP_OK) {
            err = erase_replaced_by_last(storage);
        }
        if (err == ESP_OK) {
            err = close_older_pages(storage);
        }
        unsigned first = 0;
        if (err == ESP_OK && free_pages(storage, &first) == 0) {
            err = ESP_ERR_NVS_NO_FREE_PAGES;
        }
        if (err == ESP_OK && storage->used_count == 0) {
            err = start_page(storage, first);
        }
    }
    if (err == ESP_OK) {
        err = read_namespaces(storage);
    }
    if (err == ESP_OK) {
        err = erase_unless(storage, FMT_NVS_TYPE_BLOB_INDEX, check_blob);
    }
    if (err == ESP_OK) {
        err = erase_unless(storage, FMT_NVS_TYPE_BLOB_DATA, chunk_belongs);
    }
    storage->stale = err != ESP_OK;
    return err;
}

static void explain(const nvs_storage_t *storage, esp_err_t err)
{
    const char *label = storage->device.partition->label;
    switch (err) {
    case ESP_ERR_NVS_NO_FREE_PAGES:
        ESP_LOGW(TAG, "partition %s has no free page left or is too small: it must be erased",
                 label);
        break;
    case ESP_ERR_NVS_NEW_VERSION_FOUND:
        ESP_LOGW(TAG, "partition %s was written by a newer version: it must be erased", label);
        break;
    case ESP_ERR_NO_MEM:
        ESP_LOGE(TAG, "no memory to read partition %s", label);
        break;
    default:
        ESP_LOGE(TAG, "cannot read partition %s: error 0x%x", label, (unsigned)err);
        break;
    }
}

esp_err_t nvs_storage_open(const esp_partition_t *partition, nvs_storage_t **storage)
{
    *storage = NULL;
    nvs_storage_t *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        ESP_LOGE(TAG, "no memory for partition %s", partition->label);
        return ESP_ERR_NO_MEM;
    }
    fresh->partition = *partition;
    fresh->device.partition = &fresh->partition;
    fresh->device.read_only = partition->readonly;
    fresh->page_count = partition->size / FMT_NVS_PAGE_SIZE;
    unsigned needed = partition->readonly ? 1 : PAGES_MIN;
    esp_err_t err = ESP_OK;
    if (fresh->page_count < needed || fresh->page_count > UINT16_MAX) {
        err = ESP_ERR_NVS_NO_FREE_PAGES;
    } else {
        fresh->pages = calloc(fresh->page_count, sizeof(*fresh->pages));
        fresh->order = calloc(fresh->page_count, sizeof(*fresh->order));
        err = fresh->pages == NULL || fresh->order == NULL ? ESP_ERR_NO_MEM : load(fresh);
    }
    if (err != ESP_OK) {
        explain(fresh, err);
        nvs_storage_close(fresh);
        return err;
    }
    *storage = fresh;
    return ESP_OK;
}

void nvs_storage_close(nvs_storage_t *storage)
{
    forget(storage);
    free(storage->pages);
    free(storage->order);
    free(storage);
}

esp_err_t nvs_storage_refresh(nvs_storage_t *storage)
{
    if (!storage->stale) {
        return ESP_OK;
    }
    esp_err_t err = load(storage);
    if (err != ESP_OK) {
        explain(storage, err);
    }
    return err;
}

/* Says that after err of a change RAM may be wrong, unless it is one of those that change
 * nothing. */
static esp_err_t changed(nvs_storage_t *storage, esp_err_t err)
{
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_ENOUGH_SPACE && err != ESP_ERR_NVS_NOT_FOUND &&
        err != ESP_ERR_NVS_VALUE_TOO_LONG) {
        storage->stale = true;
        ESP_LOGE(TAG, "partition %s could not be changed: error 0x%x",
                 storage->device.partition->label, (unsigned)err);
    }
    return err;
}

/* --- namespaces --- */

uint8_t nvs_storage_find_namespace(const nvs_storage_t *storage, const char *name)
{
    for (const nvs_namespace_t *ns = storage->namespaces; ns != NULL; ns = ns->next) {
        if (strncmp(ns->name, name, sizeof(ns->name)) == 0) {
            return ns->index;
        }
    }
    return 0;
}

const char *nvs_storage_namespace_name(const nvs_storage_t *storage, uint8_t index)
{
    for (const nvs_namespace_t *ns = storage->namespaces; ns != NULL; ns = ns->next) {
        if (ns->index == index) {
            return ns->name;
        }
    }
    return NULL;
}

static esp_err_t append(nvs_storage_t *storage, const fmt_nvs_entry_t *entry, const void *data,
                        size_t size, nvs_item_t *item);

esp_err_t nvs_storage_create_namespace(nvs_storage_t *storage, const char *name, uint8_t *index)
{
    uint8_t lowest = 1;
    while (nvs_storage_namespace_name(storage, lowest) != NULL) {
        if (++lowest > FMT_NVS_NAMESPACE_MAX) {
            return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
        }
    }
    nvs_namespace_t *ns = calloc(1, sizeof(*ns));
    if (ns == NULL) {
        return ESP_ERR_NO_MEM;
    }
    ns->index = lowest;
    strncpy(ns->name, name, sizeof(ns->name) - 1);
    fmt_nvs_entry_t entry;
    fmt_nvs_make_value(&entry, 0, name, FMT_NVS_TYPE_U8, &lowest);
    nvs_item_t item;
    esp_err_t err = changed(storage, append(storage, &entry, NULL, 0, &item));
    if (err != ESP_OK) {
        free(ns);
        return err;
    }
    ns->next = storage->namespaces;
    storage->namespaces = ns;
    *index = lowest;
    return ESP_OK;
}

/* --- setting --- */

static esp_err_t append_here(nvs_storage_t *storage, const fmt_nvs_entry_t *entry, const void *data,
                             size_t size, nvs_item_t *item)
{
    item->rank = storage->used_count - 1;
    item->entry = *entry;
    return nvs_page_append(&storage->device, last_page(storage), entry, data, size, &item->index);
}

static esp_err_t append(nvs_storage_t *storage, const fmt_nvs_entry_t *entry, const void *data,
                        size_t size, nvs_item_t *item)
{
    esp_err_t err = append_here(storage, entry, data, size, item);
    if (err == ESP_ERR_NVS_PAGE_FULL) {
        err = new_page(storage);
        if (err == ESP_OK) {
            err = append_here(storage, entry, data, size, item);
        }
        if (err == ESP_ERR_NVS_PAGE_FULL) {
            err = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
        }
    }
    return err;
}

/* Reads an item's data, size bytes of it, and compares it with value or, if out is not NULL, copies
 * it there. *good: the data is what its CRC says (and equal to value). */
static esp_err_t read_item(nvs_storage_t *storage, const nvs_item_t *item, const uint8_t *value,
                           uint8_t *out, bool *good)
{
    const nvs_page_t *page = page_at(storage, item->rank);
    size_t size = fmt_nvs_data_size(&item->entry);
    uint32_t crc = fmt_nvs_crc(NULL, 0);
    bool equal = true;
    for (size_t done = 0; done < size;) {
        uint8_t piece[128];
        size_t len = size - done < sizeof(piece) ? size - done : sizeof(piece);
        esp_err_t err = nvs_page_read_data(&storage->device, page, item->index, done, piece, len);
        if (err != ESP_OK) {
            return err;
        }
        crc = fmt_nvs_crc_continue(crc, piece, len);
        if (value != NULL && memcmp(value + done, piece, len) != 0) {
            equal = false;
        }
        if (out != NULL) {
            memcpy(out + done, piece, len);
        }
        done += len;
    }
    *good = equal && crc == fmt_nvs_data_crc(&item->entry);
    return ESP_OK;
}

/* Erases all that key had before the item just appended. */
static esp_err_t erase_old(nvs_storage_t *storage, const nvs_item_t *fresh, bool purge)
{
    fmt_nvs_blob_index_t old_index = {0};
    query_t query = {fresh->entry.ns, FMT_NVS_TYPE_BLOB_INDEX, FMT_NVS_CHUNK_NONE,
                     fresh->entry.key};
    nvs_item_t item;
    esp_err_t err = any_item(storage, 0, 0, &item);
    while (err == ESP_OK) {
        bool self = item.rank == fresh->rank && item.index == fresh->index;
        if (!self && matches(&query, &item.entry)) {
            old_index = fmt_nvs_blob_index(&item.entry);
            break;
        }
        err = next_item(storage, &item, &item);
    }
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
        return err;
    }
    query.type = FMT_NVS_TYPE_ANY;
#ifdef CONFIG_NVS_LEGACY_DUP_KEYS_COMPATIBILITY
    query.type = fresh->entry.type;
    if (fresh->entry.type == FMT_NVS_TYPE_BLOB_INDEX) {
        const query_t v1 = {query.ns, FMT_NVS_TYPE_BLOB_V1, FMT_NVS_CHUNK_NONE, query.key};
        err = erase_matching(storage, &v1, NULL, purge, NULL);
        if (err != ESP_OK) {
            return err;
        }
    } else {
        old_index.count = 0;
    }
#endif
    err = erase_matching(storage, &query, fresh, purge, NULL);
    return err != ESP_OK ? err : erase_chunks(storage, query.ns, query.key, &old_index, purge);
}

/* The new value is safe. */
static esp_err_t finish_set(nvs_storage_t *storage, const nvs_item_t *fresh, bool purge)
{
    if (erase_old(storage, fresh, purge) == ESP_OK) {
        return ESP_OK;
    }
    storage->stale = true;
    ESP_LOGE(TAG, "the old value of %s could not be erased", fresh->entry.key);
    return ESP_ERR_NVS_REMOVE_FAILED;
}

static esp_err_t already_set(nvs_storage_t *storage, const fmt_nvs_entry_t *entry,
                             const void *value, bool *equal)
{
    const query_t query = {entry->ns, entry->type, entry->chunk, entry->key};
    nvs_item_t item;
    *equal = false;
    esp_err_t err = find(storage, &query, &item);
    if (err != ESP_OK) {
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
    }
    if (memcmp(item.entry.data, entry->data, sizeof(entry->data)) != 0) {
        return ESP_OK;
    }
    if (!fmt_nvs_type_has_data(entry->type)) {
        *equal = true;
        return ESP_OK;
    }
    return read_item(storage, &item, value, NULL, equal);
}

esp_err_t nvs_storage_set(nvs_storage_t *storage, uint8_t ns, const char *key, uint8_t type,
                          const void *value, size_t size, bool purge)
{
    fmt_nvs_entry_t entry;
    bool number = fmt_nvs_value_size(type) != 0;
    if (number) {
        fmt_nvs_make_value(&entry, ns, key, type, value);
    } else if (size > FMT_NVS_DATA_MAX) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    } else {
        fmt_nvs_make_data(&entry, ns, key, type, FMT_NVS_CHUNK_NONE, value, size);
    }
    bool equal;
    esp_err_t err = already_set(storage, &entry, value, &equal);
    if (err != ESP_OK || equal) {
        return err;
    }
    nvs_item_t item;
    err = changed(storage, append(storage, &entry, value, number ? 0 : size, &item));
    return err != ESP_OK ? err : finish_set(storage, &item, purge);
}

/* --- blobs --- */

static esp_err_t find_blob(nvs_storage_t *storage, uint8_t ns, const char *key, uint8_t type,
                           nvs_item_t *item)
{
    const query_t query = {ns, type, FMT_NVS_CHUNK_NONE, key};
    return find(storage, &query, item);
}

/* Goes through the chunks of a blob, comparing with value or copying to out (one of them may be
 * NULL). *good: everything is there, and right, and equal. */
static esp_err_t read_blob(nvs_storage_t *storage, const nvs_item_t *item, const uint8_t *value,
                           uint8_t *out, bool *good)
{
    fmt_nvs_blob_index_t index = fmt_nvs_blob_index(&item->entry);
    size_t done = 0;
    *good = true;
    for (unsigned i = 0; i < index.count && *good; i++) {
        const query_t query = {item->entry.ns, FMT_NVS_TYPE_BLOB_DATA, (uint8_t)(index.start + i),
                               item->entry.key};
        nvs_item_t chunk;
        esp_err_t err = find(storage, &query, &chunk);
        if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
        size_t len = err == ESP_OK ? fmt_nvs_data_size(&chunk.entry) : 0;
        if (err != ESP_OK || len > index.size - done) {
            *good = false;
            break;
        }
        err = read_item(storage, &chunk, value != NULL ? value + done : NULL,
                        out != NULL ? out + done : NULL, good);
        if (err != ESP_OK) {
            return err;
        }
        done += len;
    }
    *good = *good && done == index.size;
    return ESP_OK;
}

static esp_err_t blob_already_set(nvs_storage_t *storage, const nvs_item_t *old, const void *value,
                                  size_t size, bool *equal)
{
    *equal = false;
    if (fmt_nvs_blob_index(&old->entry).size != size) {
        return ESP_OK;
    }
    /* A byte to point at: an empty blob may come without one. */
    return read_blob(storage, old, size > 0 ? value : "", NULL, equal);
}

/* Bytes of data that an item in the current page can take. */
static size_t room_for_data(nvs_storage_t *storage)
{
    const nvs_page_t *page = last_page(storage);
    if (!nvs_page_has_room(page, 1)) {
        return 0;
    }
    return (size_t)(FMT_NVS_PAGE_ENTRIES - page->next_free - 1) * FMT_NVS_ENTRY_SIZE;
}

static esp_err_t append_chunks(nvs_storage_t *storage, uint8_t ns, const char *key,
                               const uint8_t *value, size_t size, fmt_nvs_blob_index_t *index)
{
    /* A first chunk of next to nothing is not worth its header. */
    size_t room = room_for_data(storage);
    esp_err_t err = ESP_OK;
    if (room < size && room < FMT_NVS_DATA_MAX / 10) {
        err = new_page(storage);
    }
    size_t done = 0;
    while (err == ESP_OK) {
        room = room_for_data(storage);
        if (room > FMT_NVS_DATA_MAX) {
            room = FMT_NVS_DATA_MAX;
        }
        size_t len = size - done < room ? size - done : room;
        if ((len == 0 && size > 0) || index->count == FMT_NVS_CHUNKS_MAX) {
            return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
        }
        fmt_nvs_entry_t entry;
        fmt_nvs_make_data(&entry, ns, key, FMT_NVS_TYPE_BLOB_DATA,
                          (uint8_t)(index->start + index->count), value + done, len);
        nvs_item_t item;
        err = append(storage, &entry, value + done, len, &item);
        if (err != ESP_OK) {
            break;
        }
        index->count++;
        done += len;
        if (done == size) {
            break;
        }
        err = new_page(storage);
    }
    return err;
}

esp_err_t nvs_storage_set_blob(nvs_storage_t *storage, uint8_t ns, const char *key,
                               const void *value, size_t size, bool purge)
{
    if (size > BLOB_MAX(storage)) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    fmt_nvs_blob_index_t index = {.size = (uint32_t)size, .start = FMT_NVS_CHUNK_START_0};
    nvs_item_t old;
    esp_err_t err = find_blob(storage, ns, key, FMT_NVS_TYPE_BLOB_INDEX, &old);
    if (err == ESP_OK) {
        bool equal;
        err = blob_already_set(storage, &old, value, size, &equal);
        if (err != ESP_OK || equal) {
            return err;
        }
        if (fmt_nvs_blob_index(&old.entry).start < FMT_NVS_CHUNK_START_1) {
            index.start = FMT_NVS_CHUNK_START_1;
        }
    } else if (err != ESP_ERR_NVS_NOT_FOUND) {
        return err;
    }

    const uint8_t *bytes = size > 0 ? value : (const uint8_t *)"";
    err = append_chunks(storage, ns, key, bytes, size, &index);
    nvs_item_t item;
    if (err == ESP_OK) {
        fmt_nvs_entry_t entry;
        fmt_nvs_make_blob_index(&entry, ns, key, &index);
        err = append(storage, &entry, NULL, 0, &item);
    }
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        esp_err_t undo = erase_chunks(storage, ns, key, &index, purge);
        return undo == ESP_OK ? err : changed(storage, undo);
    }
    return changed(storage, err) != ESP_OK ? err : finish_set(storage, &item, purge);
}

/* --- getting --- */

esp_err_t nvs_storage_get(nvs_storage_t *storage, uint8_t ns, const char *key, uint8_t type,
                          void *value)
{
    const query_t query = {ns, type, FMT_NVS_CHUNK_NONE, key};
    nvs_item_t item;
    esp_err_t err = find(storage, &query, &item);
    if (err == ESP_OK) {
        memcpy(value, item.entry.data, fmt_nvs_value_size(type));
    }
    return err;
}

/* Answers the question for the size, and checks the room. True: go on and copy. */
static bool want_copy(const void *value, size_t *size, size_t needed, esp_err_t *err)
{
    size_t room = *size;
    *size = needed;
    *err = value != NULL && room < needed ? ESP_ERR_NVS_INVALID_LENGTH : ESP_OK;
    return value != NULL && *err == ESP_OK;
}

/* A string or a blob of version 1. */
static esp_err_t get_single(nvs_storage_t *storage, const nvs_item_t *item, void *value,
                            size_t *size)
{
    esp_err_t err;
    if (!want_copy(value, size, fmt_nvs_data_size(&item->entry), &err)) {
        return err;
    }
    bool good;
    err = read_item(storage, item, NULL, value, &good);
    if (err == ESP_OK && !good) {
        ESP_LOGE(TAG, "the value of %s is damaged and was erased", item->entry.key);
        err = erase_item(storage, item, false);
        return err == ESP_OK ? ESP_ERR_NVS_NOT_FOUND : changed(storage, err);
    }
    return err;
}

esp_err_t nvs_storage_get_string(nvs_storage_t *storage, uint8_t ns, const char *key, void *value,
                                 size_t *size)
{
    nvs_item_t item;
    esp_err_t err = find_blob(storage, ns, key, FMT_NVS_TYPE_STRING, &item);
    return err != ESP_OK ? err : get_single(storage, &item, value, size);
}

static esp_err_t erase_blob(nvs_storage_t *storage, const nvs_item_t *item, bool purge)
{
    fmt_nvs_blob_index_t index = fmt_nvs_blob_index(&item->entry);
    esp_err_t err = erase_item(storage, item, purge);
    return err != ESP_OK ? err
                         : erase_chunks(storage, item->entry.ns, item->entry.key, &index, purge);
}

esp_err_t nvs_storage_get_blob(nvs_storage_t *storage, uint8_t ns, const char *key, void *value,
                               size_t *size)
{
    nvs_item_t item;
    esp_err_t err = find_blob(storage, ns, key, FMT_NVS_TYPE_BLOB_INDEX, &item);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        err = find_blob(storage, ns, key, FMT_NVS_TYPE_BLOB_V1, &item);
        return err != ESP_OK ? err : get_single(storage, &item, value, size);
    }
    if (err != ESP_OK || !want_copy(value, size, fmt_nvs_blob_index(&item.entry).size, &err)) {
        return err;
    }
    bool good;
    err = read_blob(storage, &item, NULL, value, &good);
    if (err == ESP_OK && !good) {
        ESP_LOGE(TAG, "the value of %s is damaged and was erased", key);
        err = erase_blob(storage, &item, false);
        return err == ESP_OK ? ESP_ERR_NVS_NOT_FOUND : changed(storage, err);
    }
    return err;
}

/* --- erasing --- */

esp_err_t nvs_storage_erase(nvs_storage_t *storage, uint8_t ns, const char *key, bool purge)
{
    unsigned count = 0;
    nvs_item_t item;
    esp_err_t err;
    while ((err = find_blob(storage, ns, key, FMT_NVS_TYPE_BLOB_INDEX, &item)) == ESP_OK) {
        err = erase_blob(storage, &item, purge);
        if (err != ESP_OK) {
            return changed(storage, err);
        }
        count++;
    }
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        const query_t query = {ns, FMT_NVS_TYPE_ANY, FMT_NVS_CHUNK_NONE, key};
        err = erase_matching(storage, &query, NULL, purge, &count);
    }
    if (err != ESP_OK) {
        return changed(storage, err);
    }
    return count > 0 ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t ns, bool purge)
{
    /* First what names the blobs, then their chunks: a cut in between leaves no half blob. */
    query_t query = {ns, FMT_NVS_TYPE_ANY, FMT_NVS_CHUNK_NONE, NULL};
    esp_err_t err = erase_matching(storage, &query, NULL, purge, NULL);
    nvs_item_t item;
    if (err == ESP_OK) {
        err = any_item(storage, 0, 0, &item);
        while (err == ESP_OK) {
            if (item.entry.ns == ns) {
                err = erase_item(storage, &item, purge);
                if (err != ESP_OK) {
                    break;
                }
            }
            err = next_item(storage, &item, &item);
        }
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : changed(storage, err);
}

/* --- counting and iterating --- */

esp_err_t nvs_storage_next(nvs_storage_t *storage, uint8_t ns, nvs_item_t *item)
{
    esp_err_t err = any_item(storage, item->rank, item->index, item);
    while (err == ESP_OK && (item->entry.ns == 0 || (ns != 0 && item->entry.ns != ns) ||
                             item->entry.type == FMT_NVS_TYPE_BLOB_DATA)) {
        err = next_item(storage, item, item);
    }
    if (err == ESP_OK) {
        item->index += item->entry.span;
    }
    return err;
}

void nvs_storage_stats(nvs_storage_t *storage, nvs_stats_t *stats)
{
    memset(stats, 0, sizeof(*stats));
    stats->total_entries = (size_t)storage->page_count * FMT_NVS_PAGE_ENTRIES;
    for (unsigned rank = 0; rank < storage->used_count; rank++) {
        stats->used_entries += page_at(storage, rank)->written;
    }
    stats->free_entries = stats->total_entries - stats->used_entries;
    if (stats->free_entries > FMT_NVS_PAGE_ENTRIES) {
        stats->available_entries = stats->free_entries - FMT_NVS_PAGE_ENTRIES;
    }
    for (const nvs_namespace_t *ns = storage->namespaces; ns != NULL; ns = ns->next) {
        stats->namespace_count++;
    }
}

esp_err_t nvs_storage_used_entries(nvs_storage_t *storage, uint8_t ns, size_t *used)
{
    size_t count = 0;
    nvs_item_t item;
    esp_err_t err = any_item(storage, 0, 0, &item);
    while (err == ESP_OK) {
        if (item.entry.ns == ns) {
            count += item.entry.span;
        }
        err = next_item(storage, &item, &item);
    }
    if (err != ESP_ERR_NVS_NOT_FOUND) {
        return err;
    }
    *used = count;
    return ESP_OK;
}
