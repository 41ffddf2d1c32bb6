/* SPDX-License-Identifier: Apache-2.0 */
#include "otadata_store.h"

#include <string.h>

#include "formats/otadata_journal.h"

#include "esp_log.h"
#include "sdkconfig.h"

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

/* --- the partition as the flash below formats/ --- */

static esp_err_t io_read(void *context, uint32_t offset, void *dst, size_t len)
{
    esp_err_t err = esp_partition_read(context, offset, dst, len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot read otadata at offset 0x%x: flash error 0x%x", (unsigned)offset,
                 (unsigned)err);
    }
    return err;
}

static esp_err_t io_program(void *context, uint32_t offset, const void *src, size_t len)
{
    esp_err_t err = esp_partition_write(context, offset, src, len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot write otadata at offset 0x%x: flash error 0x%x", (unsigned)offset,
                 (unsigned)err);
    }
    return err;
}

static esp_err_t io_erase_sector(void *context, uint32_t offset)
{
    esp_err_t err = esp_partition_erase_range(context, offset, FMT_OTADATA_SECTOR);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase otadata at offset 0x%x: flash error 0x%x", (unsigned)offset,
                 (unsigned)err);
    }
    return err;
}

static fmt_otadata_io_t flash_of(const esp_partition_t *partition)
{
    return (fmt_otadata_io_t){
        .read = io_read,
        .program = io_program,
        .erase_sector = io_erase_sector,
        .context = (void *)partition, /* which the three do not change */
#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
        .plain = true,
#endif
    };
}

/* --- what the rest of app_update uses --- */

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
    const fmt_otadata_io_t io = flash_of(data->partition);
    return fmt_otadata_load(&io, data->entries);
}

esp_err_t otadata_write(otadata_t *data, const fmt_otadata_write_t *write)
{
    const fmt_otadata_io_t io = flash_of(data->partition);
    esp_err_t err = fmt_otadata_rewrite(&io, write);
    if (err == ESP_OK) {
        data->entries[write->index] = write->entry;
    }
    return err;
}

esp_err_t otadata_erase_entry(otadata_t *data, unsigned index)
{
    fmt_otadata_write_t write = {.index = index};
    memset(&write.entry, 0xFF, sizeof(write.entry));
    return otadata_write(data, &write);
}

esp_err_t otadata_erase_all(void)
{
    const esp_partition_t *partition = find_partition();
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (partition->size < FMT_OTADATA_SIZE) {
        return esp_partition_erase_range(partition, 0, partition->size);
    }
    const fmt_otadata_io_t io = flash_of(partition);
    esp_err_t err = fmt_otadata_erase_all(&io);
    if (err != ESP_OK || partition->size == FMT_OTADATA_SIZE) {
        return err;
    }
    return esp_partition_erase_range(partition, FMT_OTADATA_SIZE,
                                     partition->size - FMT_OTADATA_SIZE);
}
