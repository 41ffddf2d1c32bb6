/* SPDX-License-Identifier: Apache-2.0
 *
 * Helpers around otadata and images that applications and the update use.
 * Source: interface specification, sections 4.5 and 5.6; formats specification, section 4.7. */
#ifndef BOOTLOADER_COMMON_H
#define BOOTLOADER_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_IMAGE_BOOTLOADER,
    ESP_IMAGE_APPLICATION,
} esp_image_type;

/* CRC that belongs to s->ota_seq. */
uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s);

/* Sequence number empty, or state INVALID or ABORTED. */
bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s);

/* Not invalid, and the CRC is right. */
bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s);

/* Index of the valid entry with the larger sequence number (0 when equal), -1 if none. */
int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata);

/* The same among the entries with valid_two_otadata[i]; max false asks for the smaller sequence
 * number. -1 if none. */
int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata,
                                     bool *valid_two_otadata, bool max);

/* Whether an image with this header may run here: chip id and chip revision, the maximum revision
 * for applications only. ESP_FAIL with one log line if not; ESP_ERR_INVALID_ARG: NULL. */
esp_err_t bootloader_common_check_chip_validity(const esp_image_header_t *img_hdr,
                                                esp_image_type type);

/* Digest of what is at [address, address + size); type is an esp_partition_type_t. For types APP
 * and BOOTLOADER the digest of the image there: the appended one, which is compared with the
 * content, or the calculated one if none is appended. For all others SHA-256 of the whole range.
 * ESP_ERR_INVALID_ARG: size is 0 or out_sha_256 NULL. ESP_ERR_IMAGE_INVALID: no image, or the
 * appended digest is not its digest (out_sha_256 is then the appended one). ESP_ERR_NO_MEM. A flash
 * read error as it is. */
esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address, uint32_t size, int type,
                                                    uint8_t *out_sha_256);

/* Whether the bootloader has done a factory reset (CONFIG_BOOTLOADER_FACTORY_RESET) since this was
 * asked last; the first call after it says true, and forgets it. A power cut forgets it too. */
bool bootloader_common_get_rtc_retain_mem_factory_reset_state(void);

#ifdef __cplusplus
}
#endif

#endif
