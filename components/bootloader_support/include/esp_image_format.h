/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking application and bootloader images in flash.
 * Source: interface specification, section 5.4; formats specification, section 5. */
#ifndef ESP_IMAGE_FORMAT_H
#define ESP_IMAGE_FORMAT_H

#include <stdbool.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#include "formats/esp_err_codes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IMAGE_HASH_LEN 32

/* What is in an image. */
typedef struct {
    uint32_t start_addr; /* of the image in flash */
    esp_image_header_t image;
    esp_image_segment_header_t segments[ESP_IMAGE_MAX_SEGMENTS];
    uint32_t segment_data[ESP_IMAGE_MAX_SEGMENTS]; /* flash address of each segment's data */
    uint32_t image_len;                            /* header to appended digest, bytes */
    uint8_t image_digest[32]; /* the appended SHA-256; if none, the calculated one (0 if it was
                                 not calculated) */
    uint32_t secure_version;  /* from the application descriptor */
    uint32_t mmu_page_size;   /* bytes */
} esp_image_metadata_t;

typedef enum {
    ESP_IMAGE_VERIFY,        /* check everything, print */
    ESP_IMAGE_VERIFY_SILENT, /* check everything, print only what the specification says */
} esp_image_load_mode_t;

/* Verifies the image in part (at most 16 MiB), reading it once. Its application descriptor, chip,
 * checksum and digest are checked; an image at a bootloader's place (see
 * esp_image_bootloader_offset_set()) as a bootloader. *data is filled on success, zero on failure.
 * ESP_ERR_INVALID_ARG: a NULL argument, or the partition is too large.
 * ESP_ERR_IMAGE_INVALID: structure, checksum, digest, or it does not fit.
 * ESP_FAIL: for another chip or chip revision. ESP_ERR_NO_MEM. A flash read error as it is. */
esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part,
                           esp_image_metadata_t *data);

/* Parses headers and trailer alone, silently; neither checksum nor digest are compared. Errors as
 * esp_image_verify(). */
esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata);

/* Verifies the bootloader at the current bootloader offset, not beyond the partition table.
 * *length (may be NULL) is the image length, 0 on failure. */
esp_err_t esp_image_verify_bootloader(uint32_t *length);
esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data);

/* Flash size in bytes that a header's code stands for, 0 if unknown. */
int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size);

/* Where a bootloader image is looked for besides the primary place: an OTA session sets it to where
 * the new bootloader is staged. */
uint32_t esp_image_bootloader_offset_get(void);
void esp_image_bootloader_offset_set(const uint32_t offset);

#ifdef __cplusplus
}
#endif

#endif
