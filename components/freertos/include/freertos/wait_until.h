/* SPDX-License-Identifier: Apache-2.0
 *
 * Airlift's own addition to the FreeRTOS interface: waiting with microseconds instead of ticks. */
#ifndef FREERTOS_WAIT_UNTIL_H
#define FREERTOS_WAIT_UNTIL_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As ulTaskNotifyTake(pdTRUE, ...) at index 0, but for at most us microseconds; UINT64_MAX waits
 * for ever. */
uint32_t airlift_notify_take_us(uint64_t us);

#ifdef __cplusplus
}
#endif

#endif
