/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting and erasing key-value partitions. Source: interface specification, section 10.1. */
#ifndef NVS_FLASH_H
#define NVS_FLASH_H

#include "esp_partition.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares the default partition ("nvs"): reads it, and repairs what a power cut interrupted. A
 * blank partition is fine. ESP_OK also if it was initialised already.
 * ESP_ERR_NOT_FOUND: no data partition of subtype nvs with that label;
 * ESP_ERR_NVS_NO_FREE_PAGES: no page is free, or fewer than three exist (one, if read-only): the
 * partition must be erased; ESP_ERR_NVS_NEW_VERSION_FOUND: written by a newer version;
 * ESP_ERR_NVS_WRONG_ENCRYPTION: the partition is flagged encrypted; ESP_ERR_NO_MEM; flash errors.
 */
esp_err_t nvs_flash_init(void);

/* The same for a label. ESP_ERR_INVALID_ARG: NULL, or more than 16 characters. */
esp_err_t nvs_flash_init_partition(const char *partition_label);

/* The same for a partition; the struct is copied. */
esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition);

/* Forgets a partition; its handles become invalid. ESP_ERR_NVS_NOT_INITIALIZED: it was not
 * initialised. */
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *partition_label);

/* Erases everything in the partition, deinitialising it first if need be; it must be initialised
 * anew. ESP_ERR_NOT_FOUND: no such partition; ESP_ERR_NOT_ALLOWED: read-only; flash errors. */
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *part_name);
esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition);

#ifdef __cplusplus
}
#endif

#endif
