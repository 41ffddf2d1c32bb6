/* SPDX-License-Identifier: Apache-2.0
 *
 * Included before everything else: limits a test can wait for. */
#include "sdkconfig.h"

#undef CONFIG_ESP_HTTPS_OTA_STALL_MS
#define CONFIG_ESP_HTTPS_OTA_STALL_MS 500
#undef CONFIG_ESP_HTTPS_OTA_DEADLINE_S
#define CONFIG_ESP_HTTPS_OTA_DEADLINE_S 2
