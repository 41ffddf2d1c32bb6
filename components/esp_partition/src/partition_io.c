/* SPDX-License-Identifier: Apache-2.0
 *
 * Content of a partition: read, write, erase, map, digest, copy. */
#include "esp_partition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader_common.h"
#include "esp_flash_internal.h"
#include "esp_log.h"
#include "esp_private/partition_internal.h"
#include "esp_private/storage_lock.h"
#include "partition_stats.h"
#include "sdkconfig.h"

static const char TAG[] = "partition";

#define SECTOR           4096u
#define ENCRYPTION_BLOCK 16u

static bool on_main_chip(const esp_partition_t *partition)
{
    return partition->flash_chip == NULL || partition->flash_chip == esp_flash_default_chip;
}

static esp_err_t check_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

/* A partition struct may be made up: its end need not be an address. */
static esp_err_t flash_address(const esp_partition_t *partition, size_t offset, uint32_t *address)
{
    if (offset > UINT32_MAX - partition->address) {
        return ESP_ERR_INVALID_ARG;
    }
    *address = partition->address + (uint32_t)offset;
    return ESP_OK;
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst,
                                 size_t size)
{
    assert(partition != NULL);
    uint32_t address;
    esp_err_t err = check_range(partition, src_offset, size);
    if (err == ESP_OK) {
        err = flash_address(partition, src_offset, &address);
    }
    if (err != ESP_OK || size == 0) {
        return err;
    }
    partition_stats_read(size);
    return esp_flash_read(partition->flash_chip, dst, address, (uint32_t)size);
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                             size_t size)
{
    assert(partition != NULL);
    esp_err_t err = check_range(partition, src_offset, size);
    if (err == ESP_OK && partition->encrypted && !on_main_chip(partition)) {
        err = ESP_ERR_NOT_SUPPORTED;
    }
    return err != ESP_OK ? err : esp_partition_read_raw(partition, src_offset, dst, size);
}

static esp_err_t check_write(const esp_partition_t *partition, size_t offset, size_t size)
{
    return partition->readonly ? ESP_ERR_NOT_ALLOWED : check_range(partition, offset, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset,
                                  const void *src, size_t size)
{
    assert(partition != NULL);
    uint32_t address;
    esp_err_t err = check_write(partition, dst_offset, size);
    if (err == ESP_OK) {
        err = flash_address(partition, dst_offset, &address);
    }
    if (err != ESP_OK || size == 0) {
        return err;
    }
    size_t allowed = partition_stats_write(size);
    err = allowed == 0 ? ESP_OK
                       : esp_flash_write(partition->flash_chip, src, address, (uint32_t)allowed);
    return err == ESP_OK && allowed < size ? ESP_ERR_FLASH_OP_FAIL : err;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size)
{
    assert(partition != NULL);
    esp_err_t err = check_write(partition, dst_offset, size);
    if (err == ESP_OK && partition->encrypted) {
        if (!on_main_chip(partition)) {
            err = ESP_ERR_NOT_SUPPORTED;
        } else if ((partition->address + dst_offset) % ENCRYPTION_BLOCK != 0) {
            err = ESP_ERR_INVALID_ARG;
        } else if (size % ENCRYPTION_BLOCK != 0) {
            err = ESP_ERR_INVALID_SIZE;
        }
    }
    return err != ESP_OK ? err : esp_partition_write_raw(partition, dst_offset, src, size);
}

static esp_err_t check_erase(const esp_partition_t *partition, size_t offset, size_t size)
{
    esp_err_t err = check_write(partition, offset, size);
    if (err == ESP_OK && size % SECTOR != 0) {
        err = ESP_ERR_INVALID_SIZE;
    }
    if (err == ESP_OK && offset % SECTOR != 0) {
        err = ESP_ERR_INVALID_ARG;
    }
    return err;
}

/* The range was checked. */
static esp_err_t erase_unit(const esp_partition_t *partition, size_t offset, size_t size,
                            size_t *erased)
{
    *erased = 0;
    uint32_t address;
    esp_err_t err = flash_address(partition, offset, &address);
    if (err != ESP_OK) {
        return err;
    }
    size_t allowed = partition_stats_erase_allowed(size / SECTOR) * SECTOR;
    if (allowed == 0) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    uint32_t unit;
    err = esp_flash_erase_step(partition->flash_chip, address, (uint32_t)allowed, &unit);
    partition_stats_erase(address / SECTOR, unit / SECTOR);
    *erased = unit;
    return err;
}

esp_err_t esp_partition_erase_step(const esp_partition_t *partition, size_t offset, size_t size,
                                   size_t *erased)
{
    assert(partition != NULL);
    *erased = 0;
    esp_err_t err = check_erase(partition, offset, size);
    return err != ESP_OK ? err : erase_unit(partition, offset, size, erased);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    assert(partition != NULL);
    esp_err_t err = check_erase(partition, offset, size);
    while (err == ESP_OK && size > 0) {
        size_t erased;
        err = erase_unit(partition, offset, size, &erased);
        offset += erased;
        size -= erased;
    }
    return err;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    return SECTOR;
}

/* --- mapping ---
 *
 * A board that maps its flash needs no record of a mapping: its handle is 0. A copy has one. */

typedef struct copied_map {
    struct copied_map *next;
    esp_partition_mmap_handle_t handle;
    uint8_t data[];
} copied_map_t;

static storage_lock_t s_map_lock = STORAGE_LOCK_INITIALIZER;
static copied_map_t *s_maps;
static esp_partition_mmap_handle_t s_last_handle;

static esp_err_t map_copy(const esp_partition_t *partition, size_t offset, size_t size,
                          const void **out_ptr, esp_partition_mmap_handle_t *out_handle)
{
    if (size > CONFIG_ESP_PARTITION_MMAP_COPY_MAX) {
        ESP_LOGE(
            TAG,
            "this board's flash is not memory mapped: at most %d bytes can be shown as a copy, "
            "asked for %u",
            CONFIG_ESP_PARTITION_MMAP_COPY_MAX, (unsigned)size);
        return ESP_ERR_NO_MEM;
    }
    copied_map_t *map = malloc(sizeof(*map) + size);
    if (map == NULL) {
        ESP_LOGE(TAG, "no memory to show %u bytes of '%s'", (unsigned)size, partition->label);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_partition_read(partition, offset, map->data, size);
    if (err != ESP_OK) {
        free(map);
        return err;
    }
    storage_lock(&s_map_lock);
    if (++s_last_handle == 0) {
        s_last_handle = 1;
    }
    map->handle = s_last_handle;
    map->next = s_maps;
    s_maps = map;
    storage_unlock(&s_map_lock);
    *out_ptr = map->data;
    *out_handle = map->handle;
    return ESP_OK;
}

esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_flag_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    assert(partition != NULL);
    (void)memory;
    uint32_t address;
    esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    if (!on_main_chip(partition)) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (size == 0 || out_ptr == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    err = flash_address(partition, offset, &address);
    if (err != ESP_OK) {
        return err;
    }
    const void *view = esp_flash_map(address, (uint32_t)size);
    if (view != NULL) {
        *out_ptr = view;
        *out_handle = 0;
        return ESP_OK;
    }
    return map_copy(partition, offset, size, out_ptr, out_handle);
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    copied_map_t *removed = NULL;
    storage_lock(&s_map_lock);
    for (copied_map_t **at = &s_maps; *at != NULL; at = &(*at)->next) {
        if ((*at)->handle == handle) {
            removed = *at;
            *at = removed->next;
            break;
        }
    }
    storage_unlock(&s_map_lock);
    free(removed);
}

/* --- digest and copy --- */

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    assert(partition != NULL);
    return bootloader_common_get_sha256_of_partition(partition->address, partition->size,
                                                     partition->type, sha_256);
}

bool esp_partition_check_identity(const esp_partition_t *partition_1,
                                  const esp_partition_t *partition_2)
{
    uint8_t digest_1[32];
    uint8_t digest_2[32];
    return esp_partition_get_sha256(partition_1, digest_1) == ESP_OK &&
           esp_partition_get_sha256(partition_2, digest_2) == ESP_OK &&
           memcmp(digest_1, digest_2, sizeof(digest_1)) == 0;
}

static esp_err_t copy_chunks(const esp_partition_t *dest, uint32_t dest_offset,
                             const esp_partition_t *src, uint32_t src_offset, size_t size,
                             uint8_t *buffer)
{
    for (size_t done = 0; done < size;) {
        size_t len = size - done < SECTOR ? size - done : SECTOR;
        esp_err_t err = esp_partition_read(src, src_offset + done, buffer, len);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "Reading from source partition failed (err=0x%x)", (unsigned)err);
            return err;
        }
        err = esp_partition_write(dest, dest_offset + done, buffer, len);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "Writing to destination partition failed (err=0x%x)", (unsigned)err);
            return err;
        }
        done += len;
    }
    return ESP_OK;
}

esp_err_t esp_partition_copy(const esp_partition_t *dest_partition, uint32_t dest_offset,
                             const esp_partition_t *src_partition, uint32_t src_offset, size_t size)
{
    if (dest_partition == NULL || src_partition == NULL || src_partition == dest_partition) {
        return ESP_ERR_INVALID_ARG;
    }
    if (src_offset > src_partition->size || dest_offset > dest_partition->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (!on_main_chip(src_partition)) {
        ESP_LOGE(TAG, "Source partition is on external flash. Operation not supported.");
        return ESP_ERR_NOT_SUPPORTED;
    }
    size_t dest_room = dest_partition->size - dest_offset;
    size_t erase_size = dest_room;
    if (size == SIZE_MAX) {
        size = src_partition->size - src_offset;
    } else {
        erase_size = size > SIZE_MAX - SECTOR ? size : (size + SECTOR - 1) / SECTOR * SECTOR;
    }
    if (size > src_partition->size - src_offset || size > dest_room) {
        return ESP_ERR_INVALID_SIZE;
    }
    uint8_t *buffer = malloc(SECTOR); /* before anything is erased */
    if (buffer == NULL) {
        ESP_LOGE(TAG, "no memory to copy partition '%s'", src_partition->label);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_partition_erase_range(dest_partition, dest_offset, erase_size);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Erasing destination partition range failed (err=0x%x)", (unsigned)err);
    } else {
        err = copy_chunks(dest_partition, dest_offset, src_partition, src_offset, size, buffer);
    }
    free(buffer);
    return err;
}
