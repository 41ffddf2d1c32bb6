/* SPDX-License-Identifier: Apache-2.0
 *
 * Base types and critical sections. */
#ifndef FREERTOS_PORTMACRO_H
#define FREERTOS_PORTMACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "freertos/FreeRTOSConfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;

#define portMAX_DELAY      ((TickType_t)0xffffffffUL)
#define portTICK_PERIOD_MS ((TickType_t)(1000 / configTICK_RATE_HZ))
#define portTICK_RATE_MS   portTICK_PERIOD_MS
#define portNUM_PROCESSORS 1

/* A lock for critical sections. All of them are one lock: a section excludes every other section
 * and every kernel call of every other task, so keep it short. Sections nest. Inside one, a kernel
 * call that would have to wait ends the program with a message. */
typedef struct {
    uint32_t unused;
} portMUX_TYPE;

#define portMUX_INITIALIZER_UNLOCKED {0}
#define portMUX_INITIALIZE(mux)      ((void)(mux)->unused)
#define spinlock_initialize(mux)     portMUX_INITIALIZE(mux)
#define SPINLOCK_INITIALIZER         portMUX_INITIALIZER_UNLOCKED

void vPortEnterCritical(portMUX_TYPE *mux);
void vPortExitCritical(portMUX_TYPE *mux);

#define portENTER_CRITICAL(mux)      vPortEnterCritical(mux)
#define portEXIT_CRITICAL(mux)       vPortExitCritical(mux)
#define portENTER_CRITICAL_ISR(mux)  vPortEnterCritical(mux)
#define portEXIT_CRITICAL_ISR(mux)   vPortExitCritical(mux)
#define portENTER_CRITICAL_SAFE(mux) vPortEnterCritical(mux)
#define portEXIT_CRITICAL_SAFE(mux)  vPortExitCritical(mux)
#define taskENTER_CRITICAL(mux)      vPortEnterCritical(mux)
#define taskEXIT_CRITICAL(mux)       vPortExitCritical(mux)
#define taskENTER_CRITICAL_ISR(mux)  vPortEnterCritical(mux)
#define taskEXIT_CRITICAL_ISR(mux)   vPortExitCritical(mux)

/* Lets other ready tasks of the same or a higher priority run. */
void vPortYield(void);
#define portYIELD()                      vPortYield()
#define taskYIELD()                      vPortYield()
#define portYIELD_FROM_ISR(...)          ((void)0)
#define portEND_SWITCHING_ISR(switch_it) ((void)(switch_it))

/* Whether the caller is an interrupt handler. */
BaseType_t xPortInIsrContext(void);

/* The core this runs on: boards have one, number 0. */
BaseType_t xPortGetCoreID(void);

/* Memory as the kernel allocates it: malloc() and free(). */
void *pvPortMalloc(size_t size);
void vPortFree(void *memory);
size_t xPortGetFreeHeapSize(void);
size_t xPortGetMinimumEverFreeHeapSize(void);

#ifdef __cplusplus
}
#endif

#endif
