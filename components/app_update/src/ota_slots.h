/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SLOTS_H
#define OTA_SLOTS_H

#include <stdbool.h>

#include "esp_partition.h"

/* Whether partition is one of ota_0 .. ota_15. */
bool ota_is_slot(const esp_partition_t *partition);

/* The partition of slot number index (0 .. 15), or NULL. */
const esp_partition_t *ota_slot(unsigned index);

#endif
