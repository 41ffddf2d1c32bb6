/* SPDX-License-Identifier: Apache-2.0
 *
 * Only the name of ESP-IDF's block device handle, which esp_partition.h mentions. */
#ifndef ESP_BLOCKDEV_H
#define ESP_BLOCKDEV_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_blockdev *esp_blockdev_handle_t;

#ifdef __cplusplus
}
#endif

#endif
