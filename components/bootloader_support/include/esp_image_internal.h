/* SPDX-License-Identifier: Apache-2.0
 *
 * What app_update shares with the image checks. Not for applications. */
#ifndef ESP_IMAGE_INTERNAL_H
#define ESP_IMAGE_INTERNAL_H

#include "esp_image_format.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As esp_image_verify(ESP_IMAGE_VERIFY), for a caller that verified the same application before: if
 * that was the last verification and not a byte of [part->offset, part->offset + part->size) was
 * written or erased since, the content is not read again; headers are parsed and the same lines
 * printed. */
esp_err_t esp_image_verify_again(const esp_partition_pos_t *part, esp_image_metadata_t *data);

#ifdef __cplusplus
}
#endif

#endif
