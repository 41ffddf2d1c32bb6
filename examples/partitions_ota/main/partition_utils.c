/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_utils.h"

#include <stdlib.h>
#include <string.h>

#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

#define SECTOR 4096u

static const char *TAG = "partition_utils";

void partition_utils_print_table(void)
{
    esp_partition_iterator_t at =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);

    ESP_LOGI(TAG, "Partition table:");
    for (; at != NULL; at = esp_partition_next(at)) {
        const esp_partition_t *partition = esp_partition_get(at);

        ESP_LOGI(TAG, "  %-16s type %d subtype 0x%02x at 0x%06x size 0x%06x", partition->label,
                 partition->type, partition->subtype, (unsigned)partition->address,
                 (unsigned)partition->size);
    }
}

/* --- tables --- */

/* The entry of that type and subtype, NULL if there is none. */
static const esp_partition_info_t *find(const esp_partition_info_t *table, int type, int subtype)
{
    for (int i = 0; i < ESP_PARTITION_TABLE_MAX_ENTRIES; i++) {
        if (table[i].magic != ESP_PARTITION_MAGIC) {
            return NULL;
        }
        if (table[i].type == type && table[i].subtype == subtype) {
            return &table[i];
        }
    }
    return NULL;
}

/* Whether the table has partition where it is, at least as large. */
static bool keeps(const esp_partition_info_t *table, const esp_partition_t *partition)
{
    const esp_partition_info_t *row = find(table, partition->type, partition->subtype);

    if (row != NULL && row->pos.offset == partition->address && row->pos.size >= partition->size) {
        return true;
    }
    ESP_LOGE(TAG, "The new partition table moves, shrinks or drops <%s>, which is in use",
             partition->label);
    return false;
}

static bool table_fits(const esp_partition_info_t *table)
{
    const esp_partition_t *otadata =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    int slots = 0;

    while (slots < 16 && find(table, PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG + slots) != NULL) {
        slots++;
    }
    if (slots != esp_ota_get_app_partition_count()) {
        ESP_LOGE(TAG,
                 "The new partition table has %d update slots, this one has %d: the boot "
                 "records would mean another slot",
                 slots, esp_ota_get_app_partition_count());
        return false;
    }
    return keeps(table, esp_ota_get_running_partition()) &&
           (otadata == NULL || keeps(table, otadata));
}

bool partition_utils_table_fits(const esp_partition_t *staged)
{
    esp_partition_info_t *table = malloc(ESP_PARTITION_TABLE_MAX_LEN);

    if (table == NULL) {
        ESP_LOGE(TAG, "No memory to look at the new partition table");
        return false;
    }
    esp_err_t err = esp_partition_read(staged, 0, table, ESP_PARTITION_TABLE_MAX_LEN);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "The new partition table cannot be read (%s)", esp_err_to_name(err));
    }
    bool fits = err == ESP_OK && table_fits(table);
    free(table);
    return fits;
}

/* --- sectors --- */

/* Two sectors read, in memory the caller frees; NULL after an error. */
static uint8_t *read_both(const esp_partition_t *a, const esp_partition_t *b, size_t offset,
                          esp_err_t *err)
{
    uint8_t *both = malloc(2 * SECTOR);

    *err = both == NULL ? ESP_ERR_NO_MEM : esp_partition_read(a, offset, both, SECTOR);
    if (*err == ESP_OK) {
        *err = esp_partition_read(b, offset, both + SECTOR, SECTOR);
    }
    if (*err != ESP_OK) {
        free(both);
        return NULL;
    }
    return both;
}

bool partition_utils_equal(const esp_partition_t *a, const esp_partition_t *b, size_t size)
{
    bool equal = true;

    for (size_t offset = 0; offset < size && equal; offset += SECTOR) {
        size_t len = size - offset < SECTOR ? size - offset : SECTOR;
        esp_err_t err;
        uint8_t *both = read_both(a, b, offset, &err);

        equal = both != NULL && memcmp(both, both + SECTOR, len) == 0;
        free(both);
    }
    return equal;
}

esp_err_t partition_utils_copy_changed(const esp_partition_t *to, const esp_partition_t *from,
                                       size_t size, unsigned *changed)
{
    *changed = 0;
    size = (size + SECTOR - 1) / SECTOR * SECTOR;
    if (size > to->size || size > from->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    for (size_t offset = 0; offset < size; offset += SECTOR) {
        esp_err_t err;
        uint8_t *both = read_both(to, from, offset, &err);

        if (both != NULL && memcmp(both, both + SECTOR, SECTOR) != 0) {
            err = esp_partition_erase_range(to, offset, SECTOR);
            if (err == ESP_OK) {
                err = esp_partition_write(to, offset, both + SECTOR, SECTOR);
            }
            ++*changed;
        }
        free(both);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
