/* SPDX-License-Identifier: Apache-2.0
 *
 * The public interface: partitions, handles, the lock around everything. */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "esp_private/storage_lock.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "nvs_storage.h"

static const char TAG[] = "nvs";

typedef struct handle_entry {
    struct handle_entry *next;
    nvs_handle_t handle;
    nvs_storage_t *storage;
    uint8_t ns;
    nvs_open_mode_t mode;
} handle_entry_t;

struct nvs_opaque_iterator_t {
    char label[sizeof(((esp_partition_t *)0)->label)];
    uint8_t ns; /* 0: all */
    nvs_type_t type;
    nvs_item_t item; /* current entry; its rank and index are behind it */
    nvs_entry_info_t info;
};

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static nvs_storage_t *s_storages;
static handle_entry_t *s_handles;
static nvs_handle_t s_last_handle;

/* --- partitions --- */

static nvs_storage_t *find_storage(const char *label)
{
    nvs_storage_t *storage = s_storages;
    while (storage != NULL && strcmp(storage->device.partition->label, label) != 0) {
        storage = storage->next;
    }
    return storage;
}

static bool label_is_valid(const char *label)
{
    return label != NULL && strlen(label) <= NVS_PART_NAME_MAX_SIZE;
}

static const esp_partition_t *find_partition(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
}

static esp_err_t init_locked(const esp_partition_t *partition)
{
    nvs_storage_t *storage = find_storage(partition->label);
    if (storage != NULL) {
        return ESP_OK;
    }
    if (partition->encrypted) {
        ESP_LOGE(TAG, "partition %s must not have the encrypted flag", partition->label);
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    }
    esp_err_t err = nvs_storage_open(partition, &storage);
    if (err == ESP_OK) {
        storage->next = s_storages;
        s_storages = storage;
    }
    return err;
}

esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    storage_lock(&s_lock);
    esp_err_t err = init_locked(partition);
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_flash_init_partition(const char *partition_label)
{
    if (!label_is_valid(partition_label)) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *partition = find_partition(partition_label);
    if (partition == NULL) {
        ESP_LOGE(TAG, "no data partition of subtype nvs is called %s", partition_label);
        return ESP_ERR_NOT_FOUND;
    }
    return nvs_flash_init_partition_ptr(partition);
}

esp_err_t nvs_flash_init(void)
{
    return nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}

static esp_err_t deinit_locked(const char *label)
{
    for (nvs_storage_t **at = &s_storages; *at != NULL; at = &(*at)->next) {
        nvs_storage_t *storage = *at;
        if (strcmp(storage->device.partition->label, label) != 0) {
            continue;
        }
        for (handle_entry_t **h = &s_handles; *h != NULL;) {
            handle_entry_t *entry = *h;
            if (entry->storage == storage) {
                *h = entry->next;
                free(entry);
            } else {
                h = &entry->next;
            }
        }
        *at = storage->next;
        nvs_storage_close(storage);
        return ESP_OK;
    }
    return ESP_ERR_NVS_NOT_INITIALIZED;
}

esp_err_t nvs_flash_deinit_partition(const char *partition_label)
{
    if (!label_is_valid(partition_label)) {
        return ESP_ERR_INVALID_ARG;
    }
    storage_lock(&s_lock);
    esp_err_t err = deinit_locked(partition_label);
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    storage_lock(&s_lock);
    (void)deinit_locked(partition->label);
    esp_err_t err = esp_partition_erase_range(partition, 0, partition->size);
    storage_unlock(&s_lock);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase partition %s: error 0x%x", partition->label, (unsigned)err);
    }
    return err;
}

esp_err_t nvs_flash_erase_partition(const char *part_name)
{
    if (!label_is_valid(part_name)) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *partition = find_partition(part_name);
    if (partition == NULL) {
        ESP_LOGE(TAG, "no data partition of subtype nvs is called %s", part_name);
        return ESP_ERR_NOT_FOUND;
    }
    return nvs_flash_erase_partition_ptr(partition);
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}

/* --- handles --- */

static handle_entry_t *find_handle(nvs_handle_t handle)
{
    handle_entry_t *entry = s_handles;
    while (entry != NULL && entry->handle != handle) {
        entry = entry->next;
    }
    return entry;
}

static esp_err_t find_or_create_namespace(nvs_storage_t *storage, const char *name,
                                          nvs_open_mode_t mode, uint8_t *ns)
{
    if (mode != NVS_READONLY && storage->device.read_only) {
        return ESP_ERR_NOT_ALLOWED;
    }
    size_t len = strlen(name);
    if (len == 0) {
        return ESP_ERR_NVS_INVALID_NAME;
    }
    if (len > FMT_NVS_KEY_MAX) {
        return mode == NVS_READONLY ? ESP_ERR_NVS_NOT_FOUND : ESP_ERR_NVS_KEY_TOO_LONG;
    }
    *ns = nvs_storage_find_namespace(storage, name);
    if (*ns != 0) {
        return ESP_OK;
    }
    return mode == NVS_READONLY ? ESP_ERR_NVS_NOT_FOUND
                                : nvs_storage_create_namespace(storage, name, ns);
}

static esp_err_t open_locked(const char *label, const char *name, nvs_open_mode_t mode,
                             nvs_handle_t *out_handle)
{
    if (s_storages == NULL) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    nvs_storage_t *storage = find_storage(label);
    if (storage == NULL) {
        return ESP_ERR_NVS_PART_NOT_FOUND;
    }
    handle_entry_t *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = nvs_storage_refresh(storage);
    if (err == ESP_OK) {
        err = find_or_create_namespace(storage, name, mode, &entry->ns);
    }
    if (err != ESP_OK) {
        free(entry);
        return err;
    }
    entry->storage = storage;
    entry->mode = mode;
    do {
        entry->handle = ++s_last_handle;
    } while (entry->handle == 0 || find_handle(entry->handle) != NULL);
    entry->next = s_handles;
    s_handles = entry;
    *out_handle = entry->handle;
    return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name,
                                  nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    if (part_name == NULL || namespace_name == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    storage_lock(&s_lock);
    esp_err_t err = open_locked(part_name, namespace_name, open_mode, out_handle);
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name, open_mode, out_handle);
}

void nvs_close(nvs_handle_t handle)
{
    storage_lock(&s_lock);
    for (handle_entry_t **at = &s_handles; *at != NULL; at = &(*at)->next) {
        if ((*at)->handle == handle) {
            handle_entry_t *entry = *at;
            *at = entry->next;
            free(entry);
            break;
        }
    }
    storage_unlock(&s_lock);
}

/* Takes the lock, which the caller gives back whatever is returned, and finds the handle. */
static esp_err_t enter(nvs_handle_t handle, bool to_write, handle_entry_t **entry)
{
    storage_lock(&s_lock);
    *entry = find_handle(handle);
    if (*entry == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    if (to_write && (*entry)->mode == NVS_READONLY) {
        return ESP_ERR_NVS_READ_ONLY;
    }
    return nvs_storage_refresh((*entry)->storage);
}

static bool purges(const handle_entry_t *entry)
{
    return entry->mode == NVS_READWRITE_PURGE;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    storage_lock(&s_lock);
    esp_err_t err = find_handle(handle) != NULL ? ESP_OK : ESP_ERR_NVS_INVALID_HANDLE;
    storage_unlock(&s_lock);
    return err;
}

/* --- values --- */

static esp_err_t check_new_key(const char *key)
{
    size_t len = strlen(key);
    if (len == 0) {
        return ESP_ERR_NVS_INVALID_NAME;
    }
    return len > FMT_NVS_KEY_MAX ? ESP_ERR_NVS_KEY_TOO_LONG : ESP_OK;
}

static esp_err_t set(nvs_handle_t handle, const char *key, uint8_t type, const void *value,
                     size_t size)
{
    if (key == NULL || (value == NULL && size > 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    handle_entry_t *entry;
    esp_err_t err = enter(handle, true, &entry);
    if (err == ESP_OK) {
        err = check_new_key(key);
    }
    if (err == ESP_OK) {
        err =
            type == FMT_NVS_TYPE_BLOB_INDEX
                ? nvs_storage_set_blob(entry->storage, entry->ns, key, value, size, purges(entry))
                : nvs_storage_set(entry->storage, entry->ns, key, type, value, size, purges(entry));
    }
    storage_unlock(&s_lock);
    return err;
}

static esp_err_t get(nvs_handle_t handle, const char *key, uint8_t type, void *out_value)
{
    if (key == NULL || out_value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    handle_entry_t *entry;
    esp_err_t err = enter(handle, false, &entry);
    if (err == ESP_OK) {
        err = nvs_storage_get(entry->storage, entry->ns, key, type, out_value);
    }
    storage_unlock(&s_lock);
    return err;
}

#define NUMBER(suffix, c_type, type)                                                               \
    esp_err_t nvs_set_##suffix(nvs_handle_t handle, const char *key, c_type value)                 \
    {                                                                                              \
        return set(handle, key, type, &value, sizeof(value));                                      \
    }                                                                                              \
    esp_err_t nvs_get_##suffix(nvs_handle_t handle, const char *key, c_type *out_value)            \
    {                                                                                              \
        return get(handle, key, type, out_value);                                                  \
    }

NUMBER(i8, int8_t, FMT_NVS_TYPE_I8)
NUMBER(u8, uint8_t, FMT_NVS_TYPE_U8)
NUMBER(i16, int16_t, FMT_NVS_TYPE_I16)
NUMBER(u16, uint16_t, FMT_NVS_TYPE_U16)
NUMBER(i32, int32_t, FMT_NVS_TYPE_I32)
NUMBER(u32, uint32_t, FMT_NVS_TYPE_U32)
NUMBER(i64, int64_t, FMT_NVS_TYPE_I64)
NUMBER(u64, uint64_t, FMT_NVS_TYPE_U64)
NUMBER(float, float, FMT_NVS_TYPE_FLOAT)
NUMBER(double, double, FMT_NVS_TYPE_DOUBLE)

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    if (value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return set(handle, key, FMT_NVS_TYPE_STRING, value, strlen(value) + 1);
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length)
{
    return set(handle, key, FMT_NVS_TYPE_BLOB_INDEX, value, length);
}

typedef esp_err_t (*get_sized_t)(nvs_storage_t *storage, uint8_t ns, const char *key, void *value,
                                 size_t *size);

static esp_err_t get_sized(nvs_handle_t handle, const char *key, void *out_value, size_t *length,
                           get_sized_t read)
{
    if (key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    handle_entry_t *entry;
    esp_err_t err = enter(handle, false, &entry);
    if (err == ESP_OK) {
        /* A missing value is told before a missing length. */
        size_t needed = 0;
        err = read(entry->storage, entry->ns, key, NULL, &needed);
        if (err == ESP_OK) {
            err = length == NULL ? ESP_ERR_NVS_INVALID_LENGTH
                                 : read(entry->storage, entry->ns, key, out_value, length);
        }
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length)
{
    return get_sized(handle, key, out_value, length, nvs_storage_get_string);
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length)
{
    return get_sized(handle, key, out_value, length, nvs_storage_get_blob);
}

/* What an application knows an item's type as. */
static nvs_type_t public_type(uint8_t type)
{
    return type == FMT_NVS_TYPE_BLOB_INDEX || type == FMT_NVS_TYPE_BLOB_V1 ? NVS_TYPE_BLOB
                                                                           : (nvs_type_t)type;
}

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type)
{
    if (key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    handle_entry_t *entry;
    esp_err_t err = enter(handle, false, &entry);
    nvs_item_t item = {0};
    while (err == ESP_OK) {
        err = nvs_storage_next(entry->storage, entry->ns, &item);
        if (err == ESP_OK && strcmp(item.entry.key, key) == 0) {
            break;
        }
    }
    if (err == ESP_OK && out_type != NULL) {
        *out_type = public_type(item.entry.type);
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    if (key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    handle_entry_t *entry;
    esp_err_t err = enter(handle, true, &entry);
    if (err == ESP_OK) {
        err = nvs_storage_erase(entry->storage, entry->ns, key, purges(entry));
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    handle_entry_t *entry;
    esp_err_t err = enter(handle, true, &entry);
    if (err == ESP_OK) {
        err = nvs_storage_erase_namespace(entry->storage, entry->ns, purges(entry));
    }
    storage_unlock(&s_lock);
    return err;
}

/* --- counting --- */

esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats)
{
    if (nvs_stats == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(nvs_stats, 0, sizeof(*nvs_stats));
    storage_lock(&s_lock);
    nvs_storage_t *storage = find_storage(part_name != NULL ? part_name : NVS_DEFAULT_PART_NAME);
    esp_err_t err = storage != NULL ? nvs_storage_refresh(storage) : ESP_ERR_NVS_NOT_INITIALIZED;
    if (err == ESP_OK) {
        nvs_storage_stats(storage, nvs_stats);
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries)
{
    if (used_entries == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *used_entries = 0;
    handle_entry_t *entry;
    esp_err_t err = enter(handle, false, &entry);
    if (err == ESP_OK) {
        err = nvs_storage_used_entries(entry->storage, entry->ns, used_entries);
    }
    storage_unlock(&s_lock);
    return err;
}

/* --- iterating --- */

/* Moves to the next entry that matches. The lock is held; the partition may have been
 * deinitialised since. */
static esp_err_t iterate(nvs_iterator_t it)
{
    nvs_storage_t *storage = find_storage(it->label);
    if (storage == NULL) {
        return ESP_ERR_NVS_PART_NOT_FOUND;
    }
    esp_err_t err = nvs_storage_refresh(storage);
    while (err == ESP_OK) {
        err = nvs_storage_next(storage, it->ns, &it->item);
        if (err != ESP_OK) {
            return err;
        }
        const fmt_nvs_entry_t *entry = &it->item.entry;
        const char *name = nvs_storage_namespace_name(storage, entry->ns);
        if (name == NULL || (it->type != NVS_TYPE_ANY && it->type != public_type(entry->type))) {
            continue;
        }
        memset(&it->info, 0, sizeof(it->info));
        strncpy(it->info.namespace_name, name, sizeof(it->info.namespace_name) - 1);
        memcpy(it->info.key, entry->key, sizeof(it->info.key));
        it->info.type = public_type(entry->type);
        return ESP_OK;
    }
    return err;
}

static esp_err_t begin_iteration(nvs_storage_t *storage, uint8_t ns, nvs_type_t type,
                                 nvs_iterator_t *output_iterator)
{
    nvs_iterator_t it = calloc(1, sizeof(*it));
    if (it == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(it->label, storage->device.partition->label, sizeof(it->label));
    it->ns = ns;
    it->type = type;
    esp_err_t err = iterate(it);
    if (err != ESP_OK) {
        free(it);
        return err;
    }
    *output_iterator = it;
    return ESP_OK;
}

esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator)
{
    if (part_name == NULL || output_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *output_iterator = NULL;
    storage_lock(&s_lock);
    nvs_storage_t *storage = find_storage(part_name);
    esp_err_t err = storage != NULL ? nvs_storage_refresh(storage) : ESP_ERR_NVS_PART_NOT_FOUND;
    uint8_t ns = 0;
    if (err == ESP_OK && namespace_name != NULL) {
        ns = nvs_storage_find_namespace(storage, namespace_name);
        err = ns != 0 ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
    }
    if (err == ESP_OK) {
        err = begin_iteration(storage, ns, type, output_iterator);
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type,
                                   nvs_iterator_t *output_iterator)
{
    if (output_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *output_iterator = NULL;
    handle_entry_t *entry;
    esp_err_t err = enter(handle, false, &entry);
    if (err == ESP_OK) {
        err = begin_iteration(entry->storage, entry->ns, type, output_iterator);
    }
    storage_unlock(&s_lock);
    return err;
}

esp_err_t nvs_entry_next(nvs_iterator_t *iterator)
{
    if (iterator == NULL || *iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    storage_lock(&s_lock);
    esp_err_t err = iterate(*iterator);
    storage_unlock(&s_lock);
    if (err != ESP_OK) {
        nvs_release_iterator(*iterator);
        *iterator = NULL;
    }
    return err;
}

esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info)
{
    if (iterator == NULL || out_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_info = iterator->info;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t iterator)
{
    free(iterator);
}
