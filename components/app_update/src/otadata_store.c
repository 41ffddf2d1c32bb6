/* SPDX-License-Identifier: Apache-2.0 */
#include "otadata_store.h"

#include <string.h>

#include "esp_log.h"

static const char TAG[] = "esp_ota_ops";

static const esp_partition_t *find_partition(void)
{
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (partition == NULL) {
        ESP_LOGE(TAG, "not found otadata");
    }
    return partition;
}

static esp_err_t read_entry(otadata_t *data, unsigned index)
{
    uint8_t raw[FMT_OTADATA_ENTRY_SIZE];
    esp_err_t err =
        esp_partition_read(data->partition, index * FMT_OTADATA_SECTOR, raw, sizeof(raw));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot read otadata entry %u: flash error 0x%x", index, (unsigned)err);
        return err;
    }
    fmt_otadata_decode(raw, &data->entries[index]);
    return ESP_OK;
}

esp_err_t otadata_read(otadata_t *data)
{
    data->partition = find_partition();
    if (data->partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (data->partition->size < FMT_OTADATA_SIZE) {
        ESP_LOGE(TAG, "otadata partition of 0x%x bytes is too small, 0x%x are needed",
                 (unsigned)data->partition->size, (unsigned)FMT_OTADATA_SIZE);
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = read_entry(data, 0);
    return err != ESP_OK ? err : read_entry(data, 1);
}

esp_err_t otadata_erase_entry(otadata_t *data, unsigned index)
{
    esp_err_t err =
        esp_partition_erase_range(data->partition, index * FMT_OTADATA_SECTOR, FMT_OTADATA_SECTOR);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase otadata entry %u: flash error 0x%x", index, (unsigned)err);
        return err;
    }
    memset(&data->entries[index], 0xFF, sizeof(data->entries[index]));
    return ESP_OK;
}

esp_err_t otadata_write(otadata_t *data, const fmt_otadata_write_t *write)
{
    /* Between erase and program a power cut loses the entry, so it is not taken without need. */
    if (memcmp(&data->entries[write->index], &write->entry, sizeof(write->entry)) == 0) {
        return ESP_OK;
    }
    esp_err_t err = otadata_erase_entry(data, write->index);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t raw[FMT_OTADATA_ENTRY_SIZE];
    fmt_otadata_encode(&write->entry, raw);
    err = esp_partition_write(data->partition, write->index * FMT_OTADATA_SECTOR, raw, sizeof(raw));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot write otadata entry %u: flash error 0x%x", write->index,
                 (unsigned)err);
        return err;
    }
    data->entries[write->index] = write->entry;
    return ESP_OK;
}

esp_err_t otadata_erase_all(void)
{
    const esp_partition_t *partition = find_partition();
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = esp_partition_erase_range(partition, 0, partition->size);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase otadata: flash error 0x%x", (unsigned)err);
    }
    return err;
}
