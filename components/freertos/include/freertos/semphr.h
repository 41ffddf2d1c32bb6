/* SPDX-License-Identifier: Apache-2.0
 *
 * Semaphores and mutexes.
 *
 * Given to the most urgent waiting task, among equals to the one that waits longest. The holder of
 * a mutex inherits the priority of the most urgent task that waits for it. */
#ifndef FREERTOS_SEMPHR_H
#define FREERTOS_SEMPHR_H

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef QueueHandle_t SemaphoreHandle_t;

/* NULL: no memory. A binary semaphore starts empty, a mutex free; a counting one needs max > 0 and
 * initial <= max. */
SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial);
SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);

/* No task may wait on it: that ends the program with a message. NULL is ignored. */
void vSemaphoreDelete(SemaphoreHandle_t semaphore);

/* Takes one, waiting up to ticks. pdTRUE, or pdFALSE when the time ran out. Taking a plain mutex
 * one holds waits for oneself. */
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks);
BaseType_t xSemaphoreTakeFromISR(SemaphoreHandle_t semaphore, BaseType_t *woken);

/* Gives one back. pdFALSE: a semaphore that is full, or a mutex that is free. Giving a mutex that
 * another task holds ends the program with a message. */
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
BaseType_t xSemaphoreGiveFromISR(SemaphoreHandle_t semaphore, BaseType_t *woken);

/* For recursive mutexes: as many gives as takes. Give by another task than the holder: pdFALSE. */
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t ticks);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex);

/* The task that holds mutex, or NULL. */
TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t mutex);
UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t semaphore);

#ifdef __cplusplus
}
#endif

#endif
