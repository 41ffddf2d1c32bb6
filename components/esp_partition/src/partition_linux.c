/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_private/partition_linux.h"

#include "formats/partition_table.h"

#include "esp_flash_internal.h"
#include "flash_file.h"

static bool mapped;

const char *esp_partition_type_to_str(const uint32_t type)
{
    const char *name = type <= UINT8_MAX ? fmt_partition_type_name((uint8_t)type) : NULL;
    return name != NULL ? name : "unknown";
}

const char *esp_partition_subtype_to_str(const uint32_t type, const uint32_t subtype)
{
    const char *name = type <= UINT8_MAX && subtype <= UINT8_MAX
                           ? fmt_partition_subtype_name((uint8_t)type, (uint8_t)subtype)
                           : NULL;
    return name != NULL ? name : "unknown";
}

esp_err_t esp_partition_file_mmap(const uint8_t **part_desc_addr_start)
{
    if (part_desc_addr_start == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (flash_file_wished()) {
        esp_partition_unload_all();
    }
    esp_err_t err = flash_file_open();
    uint32_t size = 0;
    if (err == ESP_OK) {
        err = esp_flash_get_size(NULL, &size);
    }
    if (err != ESP_OK) {
        return err;
    }
    *part_desc_addr_start = esp_flash_map(0, size);
    if (*part_desc_addr_start == NULL) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    mapped = true;
    return ESP_OK;
}

esp_err_t esp_partition_file_munmap(void)
{
    if (!mapped && !partition_list_loaded()) {
        return ESP_ERR_NO_MEM;
    }
    mapped = false;
    esp_partition_unload_all();
    return flash_file_close();
}
