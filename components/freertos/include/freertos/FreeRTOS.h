/* SPDX-License-Identifier: Apache-2.0
 *
 * Base of the FreeRTOS interface; to be included before its other headers. */
#ifndef FREERTOS_FREERTOS_H
#define FREERTOS_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_heap_caps.h"
#include "freertos/FreeRTOSConfig.h"
#include "freertos/portmacro.h"

#ifdef __cplusplus
extern "C" {
#endif

#define pdFALSE 0
#define pdTRUE  1
#define pdFAIL  pdFALSE
#define pdPASS  pdTRUE

#define errQUEUE_EMPTY                        0
#define errQUEUE_FULL                         0
#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY (-1)

/* Milliseconds to ticks, rounded down (5 ms are 0 ticks at 100 Hz), and back. */
#define pdMS_TO_TICKS(ms) ((TickType_t)(((uint64_t)(ms) * (uint64_t)configTICK_RATE_HZ) / 1000U))
#define pdTICKS_TO_MS(ticks)                                                                       \
    ((TickType_t)(((uint64_t)(ticks) * 1000U) / (uint64_t)configTICK_RATE_HZ))

typedef void (*TaskFunction_t)(void *arg);

/* Ends the program with a message that names the place. */
__attribute__((noreturn)) void vApplicationAssertFailed(const char *expression, const char *file,
                                                        int line);
#define configASSERT(x)                                                                            \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            vApplicationAssertFailed(#x, __FILE__, __LINE__);                                      \
        }                                                                                          \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
