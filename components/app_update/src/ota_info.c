/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptions of apps and bootloaders, and whether one may run here. */
#include "esp_ota_ops.h"

#include "formats/app_desc.h"
#include "formats/bootloader_desc.h"

#include "bootloader_common.h"
#include "esp_flash.h"
#include "esp_log.h"

static const char TAG[] = "esp_ota_ops";

_Static_assert(sizeof(esp_app_desc_t) == FMT_APP_DESC_SIZE, "one descriptor layout");
_Static_assert(sizeof(esp_bootloader_desc_t) == FMT_BOOTLOADER_DESC_SIZE, "one descriptor layout");

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc)
{
    if (partition == NULL || app_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err =
        esp_partition_read(partition, FMT_APP_DESC_IMAGE_OFFSET, app_desc, sizeof(*app_desc));
    if (err != ESP_OK) {
        return err;
    }
    fmt_app_desc_t desc;
    return fmt_app_desc_decode(app_desc, sizeof(*app_desc), &desc);
}

esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition,
                                             esp_bootloader_desc_t *desc)
{
    if (desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err =
        bootloader_partition == NULL
            ? esp_flash_read(NULL, desc,
                             ESP_PRIMARY_BOOTLOADER_OFFSET + FMT_BOOTLOADER_DESC_IMAGE_OFFSET,
                             sizeof(*desc))
            : esp_partition_read(bootloader_partition, FMT_BOOTLOADER_DESC_IMAGE_OFFSET, desc,
                                 sizeof(*desc));
    if (err != ESP_OK) {
        return err;
    }
    fmt_bootloader_desc_t decoded;
    return fmt_bootloader_desc_decode(desc, sizeof(*desc), &decoded);
}

esp_err_t esp_ota_check_image_validity(esp_partition_type_t type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc)
{
    if (img_hdr == NULL ||
        (type != ESP_PARTITION_TYPE_APP && type != ESP_PARTITION_TYPE_BOOTLOADER)) {
        return ESP_ERR_INVALID_ARG;
    }
    bool app = type == ESP_PARTITION_TYPE_APP;
    if (bootloader_common_check_chip_validity(img_hdr, app ? ESP_IMAGE_APPLICATION
                                                           : ESP_IMAGE_BOOTLOADER) != ESP_OK) {
        return ESP_ERR_INVALID_VERSION;
    }
    if (app && app_desc != NULL) {
        unsigned running = esp_app_get_description()->spi_flash_mode;
        unsigned offered = app_desc->spi_flash_mode;
        if (running != 0 && offered != 0 && running != offered) {
            ESP_LOGE(TAG, "SPI flash mode mismatch: running app has mode %d, new app has mode %d",
                     (int)running, (int)offered);
            return ESP_ERR_OTA_SPI_MODE_MISMATCH;
        }
    }
    return ESP_OK;
}
