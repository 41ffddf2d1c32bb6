/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time of an update goes, for esp_https_ota. Not for applications. */
#ifndef ESP_PRIVATE_ESP_OTA_STATS_H
#define ESP_PRIVATE_ESP_OTA_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_ota_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t erase_us;  /* microseconds inside flash erases */
    uint64_t write_us;  /* inside flash programming (and comparing) */
    uint64_t verify_us; /* esp_ota_end(): reading back and verifying */
    uint32_t erased_bytes;
    uint32_t written_bytes;
    uint32_t kept_bytes; /* found equal and left alone */
} esp_ota_stats_t;

/* Figures of an open session, or of the one that was ended or aborted last. False, and *stats
 * zero: neither. */
bool esp_ota_get_stats(esp_ota_handle_t handle, esp_ota_stats_t *stats);

#ifdef __cplusplus
}
#endif

#endif
