/* SPDX-License-Identifier: Apache-2.0
 *
 * Queues: a fixed number of items of a fixed size, copied in and out.
 *
 * A QueueHandle_t stays valid until vQueueDelete(). An item goes to the most urgent waiting task,
 * among equals to the one that waits longest; nobody overtakes it. */
#ifndef FREERTOS_QUEUE_H
#define FREERTOS_QUEUE_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QueueDefinition *QueueHandle_t;

#define queueSEND_TO_BACK  ((BaseType_t)0)
#define queueSEND_TO_FRONT ((BaseType_t)1)
#define queueOVERWRITE     ((BaseType_t)2)

/* length > 0 items of item_size bytes (0 allowed: then only counted). NULL: no memory, length 0 or
 * more than 256 MiB. */
QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size);

/* No task may wait on it: that ends the program with a message. NULL is ignored. */
void vQueueDelete(QueueHandle_t queue);

/* Copies an item in, waiting up to ticks for room. pdTRUE, or errQUEUE_FULL.
 * queueOVERWRITE, for queues of length 1, replaces the item and never waits. */
BaseType_t xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t ticks,
                             BaseType_t position);
/* The same without waiting, for interrupt handlers; *woken (may be NULL) becomes pdTRUE if a task
 * more urgent than the interrupted one was woken, and is left alone otherwise. */
BaseType_t xQueueGenericSendFromISR(QueueHandle_t queue, const void *item, BaseType_t *woken,
                                    BaseType_t position);

#define xQueueSend(queue, item, ticks) xQueueGenericSend(queue, item, ticks, queueSEND_TO_BACK)
#define xQueueSendToBack(queue, item, ticks)                                                       \
    xQueueGenericSend(queue, item, ticks, queueSEND_TO_BACK)
#define xQueueSendToFront(queue, item, ticks)                                                      \
    xQueueGenericSend(queue, item, ticks, queueSEND_TO_FRONT)
#define xQueueOverwrite(queue, item) xQueueGenericSend(queue, item, 0, queueOVERWRITE)
#define xQueueSendFromISR(queue, item, woken)                                                      \
    xQueueGenericSendFromISR(queue, item, woken, queueSEND_TO_BACK)
#define xQueueSendToBackFromISR(queue, item, woken)                                                \
    xQueueGenericSendFromISR(queue, item, woken, queueSEND_TO_BACK)
#define xQueueSendToFrontFromISR(queue, item, woken)                                               \
    xQueueGenericSendFromISR(queue, item, woken, queueSEND_TO_FRONT)
#define xQueueOverwriteFromISR(queue, item, woken)                                                 \
    xQueueGenericSendFromISR(queue, item, woken, queueOVERWRITE)

/* Takes the first item, waiting up to ticks for one. pdTRUE, or errQUEUE_EMPTY with item as it was.
 * xQueuePeek() copies it and leaves it in the queue. */
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks);
BaseType_t xQueuePeek(QueueHandle_t queue, void *item, TickType_t ticks);
BaseType_t xQueueReceiveFromISR(QueueHandle_t queue, void *item, BaseType_t *woken);
BaseType_t xQueuePeekFromISR(QueueHandle_t queue, void *item);

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue);
UBaseType_t uxQueueMessagesWaitingFromISR(QueueHandle_t queue);
UBaseType_t uxQueueSpacesAvailable(QueueHandle_t queue);
BaseType_t xQueueIsQueueEmptyFromISR(QueueHandle_t queue);
BaseType_t xQueueIsQueueFullFromISR(QueueHandle_t queue);

/* Throws all items away; tasks that wait to send then get their items in. Returns pdPASS. */
BaseType_t xQueueReset(QueueHandle_t queue);

#ifdef __cplusplus
}
#endif

#endif
