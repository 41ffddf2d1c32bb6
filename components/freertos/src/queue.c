/* SPDX-License-Identifier: Apache-2.0
 *
 * Queues, semaphores and mutexes.
 *
 * A semaphore is a queue of items without bytes; a mutex is a semaphore that knows who took it.
 *
 * Items are handed over: who sends into a queue on which a task waits copies straight into that
 * task's buffer and ends its wait, and who receives from a full queue takes the waiting sender's
 * item in for it. So tasks wait to receive only while the queue is empty, to send only while it is
 * full, and nobody can overtake a task that was served. */
#include <stdlib.h>
#include <string.h>

#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "kernel.h"

typedef enum {
    KIND_QUEUE,
    KIND_SEMAPHORE,
    KIND_MUTEX,
    KIND_RECURSIVE_MUTEX,
} kind_t;

typedef struct QueueDefinition queue_t;

struct QueueDefinition {
    kind_t kind;
    UBaseType_t length;
    UBaseType_t item_size;
    UBaseType_t count;
    UBaseType_t first; /* slot of the item to receive next */
    wait_list_t receivers;
    wait_list_t senders;
    task_t *holder;     /* mutexes: who took it */
    queue_t *next_held; /* mutexes: list of those the holder has */
    UBaseType_t depth;  /* recursive mutexes: takes without a give */
    uint8_t items[];
};

/* Beyond any board's memory, and below where sizes overflow. */
#define LARGEST_QUEUE_BYTES 0x10000000u

/* How a task waits to receive. */
#define MODE_TAKE ((BaseType_t)0)
#define MODE_PEEK ((BaseType_t)1)

static bool is_mutex(const queue_t *queue)
{
    return queue->kind == KIND_MUTEX || queue->kind == KIND_RECURSIVE_MUTEX;
}

static queue_t *create(kind_t kind, UBaseType_t length, UBaseType_t item_size, UBaseType_t count)
{
    if (length == 0 || (item_size > 0 && length > LARGEST_QUEUE_BYTES / item_size)) {
        return NULL;
    }
    queue_t *queue = calloc(1, sizeof(queue_t) + (size_t)length * item_size);
    if (queue != NULL) {
        queue->kind = kind;
        queue->length = length;
        queue->item_size = item_size;
        queue->count = count;
    }
    return queue;
}

/* --- Mutex ownership; inside the critical section --- */

static void set_holder(queue_t *mutex, task_t *task)
{
    mutex->holder = task;
    /* Start-up code may take a mutex before there is any task. */
    if (task != NULL) {
        mutex->next_held = task->held_mutexes;
        task->held_mutexes = mutex;
    }
    kernel_update_priority(task);
}

static void clear_holder(queue_t *mutex)
{
    task_t *holder = mutex->holder;

    if (holder == NULL) {
        return;
    }
    queue_t **place = &holder->held_mutexes;

    while (*place != mutex) {
        place = &(*place)->next_held;
    }
    *place = mutex->next_held;
    mutex->next_held = NULL;
    mutex->holder = NULL;
    kernel_update_priority(holder);
}

UBaseType_t queue_mutexes_inherited(const task_t *task)
{
    UBaseType_t highest = 0;

    for (const queue_t *mutex = task->held_mutexes; mutex != NULL; mutex = mutex->next_held) {
        if (mutex->receivers.first != NULL && mutex->receivers.first->priority > highest) {
            highest = mutex->receivers.first->priority;
        }
    }
    return highest;
}

task_t *queue_mutex_holder(const queue_t *mutex)
{
    return mutex->holder;
}

void queue_mutexes_abandon(task_t *task)
{
    while (task->held_mutexes != NULL) {
        queue_t *mutex = task->held_mutexes;
        task->held_mutexes = mutex->next_held;
        mutex->next_held = NULL;
        mutex->holder = NULL;
    }
}

/* --- Items; inside the critical section --- */

static uint8_t *slot(queue_t *queue, UBaseType_t position)
{
    UBaseType_t index = queue->first + position;
    if (index >= queue->length) {
        index -= queue->length;
    }
    return queue->items + (size_t)index * queue->item_size;
}

static void copy_item(const queue_t *queue, void *to, const void *from)
{
    if (queue->item_size > 0) {
        memcpy(to, from, queue->item_size);
    }
}

static void put_in(queue_t *queue, const void *item, BaseType_t position)
{
    if (position == queueSEND_TO_FRONT) {
        queue->first = (queue->first == 0 ? queue->length : queue->first) - 1;
        copy_item(queue, slot(queue, 0), item);
    } else {
        copy_item(queue, slot(queue, queue->count), item);
    }
    queue->count++;
}

static void take_out(queue_t *queue, void *item)
{
    copy_item(queue, item, slot(queue, 0));
    queue->first = queue->first + 1 == queue->length ? 0 : queue->first + 1;
    queue->count--;
}

/* Gives item to waiting receivers: to all that only peek up to the first that takes it. Returns
 * whether one took it. */
static bool hand_over(queue_t *queue, const void *item, BaseType_t *woken)
{
    while (queue->receivers.first != NULL) {
        task_t *receiver = queue->receivers.first;
        bool takes = receiver->wait.queue.mode == MODE_TAKE;

        copy_item(queue, receiver->wait.queue.buffer, item);
        kernel_wake(receiver);
        kernel_report_woken(receiver, woken);
        if (takes) {
            if (is_mutex(queue)) {
                set_holder(queue, receiver);
            }
            return true;
        }
    }
    return false;
}

/* There is room: lets the next waiting sender in. */
static void admit_sender(queue_t *queue, BaseType_t *woken)
{
    task_t *sender = queue->senders.first;

    if (sender != NULL) {
        put_in(queue, sender->wait.queue.buffer, sender->wait.queue.mode);
        kernel_wake(sender);
        kernel_report_woken(sender, woken);
    }
}

static bool try_send(queue_t *queue, const void *item, BaseType_t position, BaseType_t *woken)
{
    if (position == queueOVERWRITE && queue->count == queue->length) {
        copy_item(queue, slot(queue, 0), item);
        return true;
    }
    if (queue->count == queue->length) {
        return false;
    }
    if (!hand_over(queue, item, woken)) {
        put_in(queue, item, position);
    }
    return true;
}

static bool try_receive(queue_t *queue, void *item, BaseType_t mode, BaseType_t *woken)
{
    if (queue->count == 0) {
        return false;
    }
    if (mode == MODE_PEEK) {
        copy_item(queue, item, slot(queue, 0));
        return true;
    }
    take_out(queue, item);
    if (is_mutex(queue)) {
        set_holder(queue, port_current());
    }
    admit_sender(queue, woken);
    return true;
}

/* --- Operations --- */

static BaseType_t send(queue_t *queue, const void *item, TickType_t ticks, BaseType_t position,
                       BaseType_t *woken)
{
    configASSERT(queue != NULL);
    configASSERT(item != NULL || queue->item_size == 0);
    configASSERT(position != queueOVERWRITE || queue->length == 1);

    port_enter_critical();
    uint64_t deadline = ticks > 0 ? kernel_deadline(ticks) : 0;
    bool sent = try_send(queue, item, position, woken);
    while (!sent && port_now_us() < deadline) {
        task_t *self = port_current();
        /* Only read: the receiver copies out of it. */
        self->wait.queue.buffer = (void *)(uintptr_t)item;
        self->wait.queue.mode = position;
        sent = kernel_wait(&queue->senders, deadline, "xQueueSend()") ||
               try_send(queue, item, position, NULL);
    }
    port_exit_critical();
    return sent ? pdTRUE : errQUEUE_FULL;
}

static BaseType_t receive(queue_t *queue, void *item, TickType_t ticks, BaseType_t mode,
                          BaseType_t *woken, const char *what)
{
    configASSERT(queue != NULL);
    configASSERT(item != NULL || queue->item_size == 0);

    port_enter_critical();
    uint64_t deadline = ticks > 0 ? kernel_deadline(ticks) : 0;
    bool received = try_receive(queue, item, mode, woken);
    while (!received && port_now_us() < deadline) {
        task_t *self = port_current();
        self->wait.queue.buffer = item;
        self->wait.queue.mode = mode;
        self->wait_mutex = is_mutex(queue) ? queue : NULL;
        received =
            kernel_wait(&queue->receivers, deadline, what) || try_receive(queue, item, mode, NULL);
    }
    port_exit_critical();
    return received ? pdTRUE : errQUEUE_EMPTY;
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    return create(KIND_QUEUE, length, item_size, 0);
}

void vQueueDelete(QueueHandle_t queue)
{
    if (queue == NULL) {
        return;
    }
    port_enter_critical();
    const task_t *waiting =
        queue->receivers.first != NULL ? queue->receivers.first : queue->senders.first;
    if (waiting != NULL) {
        kernel_panic("a queue, semaphore or mutex is deleted while task \"%s\" waits on it",
                     waiting->name);
    }
    if (queue->holder != NULL) {
        clear_holder(queue);
    }
    port_exit_critical();
    free(queue);
}

BaseType_t xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t ticks,
                             BaseType_t position)
{
    return send(queue, item, ticks, position, NULL);
}

BaseType_t xQueueGenericSendFromISR(QueueHandle_t queue, const void *item, BaseType_t *woken,
                                    BaseType_t position)
{
    return send(queue, item, 0, position, woken);
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks)
{
    return receive(queue, item, ticks, MODE_TAKE, NULL, "xQueueReceive()");
}

BaseType_t xQueuePeek(QueueHandle_t queue, void *item, TickType_t ticks)
{
    return receive(queue, item, ticks, MODE_PEEK, NULL, "xQueuePeek()");
}

BaseType_t xQueueReceiveFromISR(QueueHandle_t queue, void *item, BaseType_t *woken)
{
    return receive(queue, item, 0, MODE_TAKE, woken, "xQueueReceiveFromISR()");
}

BaseType_t xQueuePeekFromISR(QueueHandle_t queue, void *item)
{
    return receive(queue, item, 0, MODE_PEEK, NULL, "xQueuePeekFromISR()");
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue)
{
    configASSERT(queue != NULL);
    port_enter_critical();
    UBaseType_t count = queue->count;
    port_exit_critical();
    return count;
}

UBaseType_t uxQueueMessagesWaitingFromISR(QueueHandle_t queue)
{
    return uxQueueMessagesWaiting(queue);
}

UBaseType_t uxQueueSpacesAvailable(QueueHandle_t queue)
{
    configASSERT(queue != NULL);
    port_enter_critical();
    UBaseType_t room = queue->length - queue->count;
    port_exit_critical();
    return room;
}

BaseType_t xQueueIsQueueEmptyFromISR(QueueHandle_t queue)
{
    return uxQueueMessagesWaiting(queue) == 0;
}

BaseType_t xQueueIsQueueFullFromISR(QueueHandle_t queue)
{
    return uxQueueSpacesAvailable(queue) == 0;
}

BaseType_t xQueueReset(QueueHandle_t queue)
{
    configASSERT(queue != NULL && queue->kind == KIND_QUEUE);
    port_enter_critical();
    queue->count = 0;
    queue->first = 0;
    while (queue->senders.first != NULL && queue->count < queue->length) {
        admit_sender(queue, NULL);
    }
    port_exit_critical();
    return pdPASS;
}

/* --- Semaphores --- */

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return create(KIND_SEMAPHORE, 1, 0, 0);
}

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial)
{
    return initial <= max ? create(KIND_SEMAPHORE, max, 0, initial) : NULL;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return create(KIND_MUTEX, 1, 0, 1);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return create(KIND_RECURSIVE_MUTEX, 1, 0, 1);
}

void vSemaphoreDelete(SemaphoreHandle_t semaphore)
{
    vQueueDelete(semaphore);
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    return receive(semaphore, NULL, ticks, MODE_TAKE, NULL, "xSemaphoreTake()");
}

BaseType_t xSemaphoreTakeFromISR(SemaphoreHandle_t semaphore, BaseType_t *woken)
{
    configASSERT(semaphore != NULL && !is_mutex(semaphore));
    return receive(semaphore, NULL, 0, MODE_TAKE, woken, "xSemaphoreTakeFromISR()");
}

static BaseType_t give_mutex(queue_t *mutex)
{
    BaseType_t given = pdFALSE;

    port_enter_critical();
    if (mutex->count == 0) {
        task_t *self = port_current();
        if (mutex->holder != self) {
            kernel_panic("task \"%s\" gives a mutex held by task \"%s\"", self->name,
                         mutex->holder != NULL ? mutex->holder->name : "(deleted)");
        }
        clear_holder(mutex);
        given = try_send(mutex, NULL, queueSEND_TO_BACK, NULL);
    }
    port_exit_critical();
    return given;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    configASSERT(semaphore != NULL);
    return is_mutex(semaphore) ? give_mutex(semaphore)
                               : send(semaphore, NULL, 0, queueSEND_TO_BACK, NULL);
}

BaseType_t xSemaphoreGiveFromISR(SemaphoreHandle_t semaphore, BaseType_t *woken)
{
    configASSERT(semaphore != NULL && !is_mutex(semaphore));
    return send(semaphore, NULL, 0, queueSEND_TO_BACK, woken);
}

TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t mutex)
{
    configASSERT(mutex != NULL);
    port_enter_critical();
    task_t *holder = mutex->holder;
    port_exit_critical();
    return holder;
}

UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t semaphore)
{
    return uxQueueMessagesWaiting(semaphore);
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t ticks)
{
    configASSERT(mutex != NULL && mutex->kind == KIND_RECURSIVE_MUTEX);
    /* Only the holder itself can find itself here, so this needs no lock beyond the look. */
    bool held = mutex->depth > 0 && xSemaphoreGetMutexHolder(mutex) == port_current();
    if (!held &&
        receive(mutex, NULL, ticks, MODE_TAKE, NULL, "xSemaphoreTakeRecursive()") != pdTRUE) {
        return pdFALSE;
    }
    mutex->depth++;
    return pdTRUE;
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex)
{
    configASSERT(mutex != NULL && mutex->kind == KIND_RECURSIVE_MUTEX);
    if (xSemaphoreGetMutexHolder(mutex) != port_current()) {
        return pdFALSE;
    }
    mutex->depth--;
    return mutex->depth > 0 ? pdTRUE : give_mutex(mutex);
}
