/* SPDX-License-Identifier: Apache-2.0
 *
 * What updates of bootloader, partition table and data need besides the OTA functions. */
#ifndef PARTITION_UTILS_H
#define PARTITION_UTILS_H

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "esp_partition.h"

/* Logs the partition table in force. */
void partition_utils_print_table(void);

/* Whether a device that runs this application goes on with the valid partition table at the
 * beginning of staged: the running slot and the boot records are where they are, and as many slots
 * as now, because the boot records count them. The log says what does not fit. */
bool partition_utils_table_fits(const esp_partition_t *staged);

/* Makes the first size bytes (rounded up to sectors) of to equal those of from, touching only
 * sectors that differ. *changed counts them. May be repeated after an error.
 * ESP_ERR_INVALID_SIZE: more than a partition holds; ESP_ERR_NO_MEM; flash errors. */
esp_err_t partition_utils_copy_changed(const esp_partition_t *to, const esp_partition_t *from,
                                       size_t size, unsigned *changed);

/* Whether the first size bytes of both are equal. Errors count as no. */
bool partition_utils_equal(const esp_partition_t *a, const esp_partition_t *b, size_t size);

#endif
