/* SPDX-License-Identifier: Apache-2.0
 *
 * What app_update shares with esp_partition. Not for applications. */
#ifndef ESP_PRIVATE_PARTITION_INTERNAL_H
#define ESP_PRIVATE_PARTITION_INTERNAL_H

#include <stddef.h>

#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Erases one unit at offset, the largest that fits in [offset, offset + size): *erased bytes. Call
 * repeatedly to erase a range without blocking for more than one unit. Errors as
 * esp_partition_erase_range(); *erased is then 0. size must not be 0. */
esp_err_t esp_partition_erase_step(const esp_partition_t *partition, size_t offset, size_t size,
                                   size_t *erased);

/* The app partition the running program was started from, NULL if there is none (a unit test, or
 * the table does not list it). */
const esp_partition_t *esp_partition_running(void);

#ifdef __cplusplus
}
#endif

#endif
