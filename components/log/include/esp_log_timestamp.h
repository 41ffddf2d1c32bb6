/* SPDX-License-Identifier: Apache-2.0
 *
 * The time in log lines. */
#ifndef ESP_LOG_TIMESTAMP_H
#define ESP_LOG_TIMESTAMP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Milliseconds since reset. Never goes backwards in one boot. */
uint32_t esp_log_timestamp(void);

/* The same, usable with interrupts off and before the scheduler runs. */
uint32_t esp_log_early_timestamp(void);

/* Wall clock time as "HH:MM:SS.sss" (time zone of the C library). The text belongs to the calling
 * task and stays until its next call. Never NULL. */
char *esp_log_system_timestamp(void);

#ifdef __cplusplus
}
#endif

#endif
