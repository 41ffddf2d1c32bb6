/* SPDX-License-Identifier: Apache-2.0
 *
 * Software timers. Their callbacks run one after the other, in order of expiry, in the task
 * "Tmr Svc"; a callback must not wait.
 *
 * Commands take effect at once; their `ticks` parameter is FreeRTOS's and never needed here. */
#ifndef FREERTOS_TIMERS_H
#define FREERTOS_TIMERS_H

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tmrTimerControl *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t timer);
typedef void (*PendedFunction_t)(void *arg, uint32_t value);

/* A stopped timer of period > 0 ticks. name is kept, not copied. NULL: no memory or period 0. */
TimerHandle_t xTimerCreate(const char *name, TickType_t period, BaseType_t auto_reload, void *id,
                           TimerCallbackFunction_t callback);

/* Starts the timer now, again if it was running. pdPASS. */
BaseType_t xTimerStart(TimerHandle_t timer, TickType_t ticks);
BaseType_t xTimerReset(TimerHandle_t timer, TickType_t ticks);
/* The callback does not begin after return; one that runs already ends. pdPASS. */
BaseType_t xTimerStop(TimerHandle_t timer, TickType_t ticks);
/* Also starts the timer. pdPASS; pdFAIL for period 0. */
BaseType_t xTimerChangePeriod(TimerHandle_t timer, TickType_t period, TickType_t ticks);
/* Stops and frees it; allowed in its own callback. pdPASS. */
BaseType_t xTimerDelete(TimerHandle_t timer, TickType_t ticks);

BaseType_t xTimerStartFromISR(TimerHandle_t timer, BaseType_t *woken);
BaseType_t xTimerResetFromISR(TimerHandle_t timer, BaseType_t *woken);
BaseType_t xTimerStopFromISR(TimerHandle_t timer, BaseType_t *woken);
BaseType_t xTimerChangePeriodFromISR(TimerHandle_t timer, TickType_t period, BaseType_t *woken);

BaseType_t xTimerIsTimerActive(TimerHandle_t timer);
void *pvTimerGetTimerID(TimerHandle_t timer);
void vTimerSetTimerID(TimerHandle_t timer, void *id);
const char *pcTimerGetName(TimerHandle_t timer);
TickType_t xTimerGetPeriod(TimerHandle_t timer);
/* Tick at which it expires next; meaningless while it is stopped. */
TickType_t xTimerGetExpiryTime(TimerHandle_t timer);
void vTimerSetReloadMode(TimerHandle_t timer, BaseType_t auto_reload);
BaseType_t xTimerGetReloadMode(TimerHandle_t timer);

/* The task "Tmr Svc"; NULL before the first timer or pended call. */
TaskHandle_t xTimerGetTimerDaemonTaskHandle(void);

/* Has function(arg, value) called in the timer task, after those pended before; waits up to ticks
 * while CONFIG_FREERTOS_TIMER_QUEUE_LENGTH calls are pending. pdPASS or pdFAIL. */
BaseType_t xTimerPendFunctionCall(PendedFunction_t function, void *arg, uint32_t value,
                                  TickType_t ticks);
BaseType_t xTimerPendFunctionCallFromISR(PendedFunction_t function, void *arg, uint32_t value,
                                         BaseType_t *woken);

#ifdef __cplusplus
}
#endif

#endif
