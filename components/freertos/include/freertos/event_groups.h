/* SPDX-License-Identifier: Apache-2.0
 *
 * Event groups: 24 bits that tasks wait for. The upper eight bits of an EventBits_t must be 0. */
#ifndef FREERTOS_EVENT_GROUPS_H
#define FREERTOS_EVENT_GROUPS_H

#include "freertos/FreeRTOS.h"
#include "freertos/timers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct EventGroupDef_t *EventGroupHandle_t;
typedef TickType_t EventBits_t;

/* All bits clear. NULL: no memory. */
EventGroupHandle_t xEventGroupCreate(void);

/* Waiting tasks are woken and get the bits as they are. NULL is ignored. */
void vEventGroupDelete(EventGroupHandle_t group);

/* Waits up to ticks for any (wait_all pdFALSE) or all of bits (not 0). Returns the group's bits at
 * the moment the wait ended, before clear_on_exit cleared those of bits; they are cleared only if
 * the condition came true. Check the result: after a time-out it lacks them. */
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits,
                                BaseType_t clear_on_exit, BaseType_t wait_all, TickType_t ticks);

/* Sets bits and wakes every task whose condition is true then; what those clear on exit is cleared
 * after all were looked at. Returns the bits after that. */
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);
BaseType_t xEventGroupSetBitsFromISR(EventGroupHandle_t group, EventBits_t bits, BaseType_t *woken);

/* Clears bits. Returns the bits before. */
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);
BaseType_t xEventGroupClearBitsFromISR(EventGroupHandle_t group, EventBits_t bits);

/* Sets own, then waits for all of wait_for and clears them; tasks that do so meet. Returns the bits
 * before clearing. */
EventBits_t xEventGroupSync(EventGroupHandle_t group, EventBits_t own, EventBits_t wait_for,
                            TickType_t ticks);

EventBits_t xEventGroupGetBits(EventGroupHandle_t group);
EventBits_t xEventGroupGetBitsFromISR(EventGroupHandle_t group);

#ifdef __cplusplus
}
#endif

#endif
