/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks: threads with a priority (0 .. configMAX_PRIORITIES - 1, higher is more urgent).
 *
 * Times are in ticks of 1/configTICK_RATE_HZ second; portMAX_DELAY waits for ever. A TaskHandle_t
 * stays valid until the task is deleted. Where a handle may be NULL it means the calling task.
 *
 * On the `linux` board a task is a thread of the host, and the host decides which of the running
 * threads get a processor. Priorities count where the kernel chooses: among tasks that wait for the
 * same thing the most urgent is served first. */
#ifndef FREERTOS_TASK_H
#define FREERTOS_TASK_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t;

#define tskIDLE_PRIORITY ((UBaseType_t)0U)
#define tskNO_AFFINITY   ((BaseType_t)0x7FFFFFFF)

#define taskSCHEDULER_SUSPENDED   ((BaseType_t)0)
#define taskSCHEDULER_NOT_STARTED ((BaseType_t)1)
#define taskSCHEDULER_RUNNING     ((BaseType_t)2)

typedef enum {
    eRunning = 0, /* the calling task */
    eReady,       /* could run */
    eBlocked,     /* waits for something or for a time */
    eSuspended,   /* until vTaskResume() */
    eDeleted,     /* has not come to its end yet */
    eInvalid,
} eTaskState;

typedef enum {
    eNoAction = 0,             /* notify, leave the value */
    eSetBits,                  /* value |= given */
    eIncrement,                /* value += 1 */
    eSetValueWithOverwrite,    /* value = given */
    eSetValueWithoutOverwrite, /* value = given, unless a notification is pending */
} eNotifyAction;

/* Starts function(arg) in a new task. name is copied (configMAX_TASK_NAME_LEN - 1 characters),
 * stack_bytes is the stack size in BYTES, *out (may be NULL) gets the handle before the task runs.
 * function must not return; a task ends with vTaskDelete(NULL).
 * pdPASS, or errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY. A priority that is too high is lowered. */
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes,
                                   void *arg, UBaseType_t priority, TaskHandle_t *out,
                                   BaseType_t core);
static inline BaseType_t xTaskCreate(TaskFunction_t function, const char *name,
                                     uint32_t stack_bytes, void *arg, UBaseType_t priority,
                                     TaskHandle_t *out)
{
    return xTaskCreatePinnedToCore(function, name, stack_bytes, arg, priority, out, tskNO_AFFINITY);
}

/* Ends task (NULL: the caller, does not return). What it waited for goes to the next task; mutexes
 * it holds stay taken; memory it allocated stays allocated. After return the task runs no more.
 * On `linux`, a task that is computing is stopped at its next kernel call or blocking system
 * call, and vTaskDelete() waits for that. */
void vTaskDelete(TaskHandle_t task);

/* Waits until the tick count has grown by ticks; 0 only yields. */
void vTaskDelay(TickType_t ticks);

/* Waits until tick *last_wake + increment and stores that tick in *last_wake. pdFALSE if it has
 * passed already (no wait). increment > 0. */
BaseType_t xTaskDelayUntil(TickType_t *last_wake, TickType_t increment);
#define vTaskDelayUntil(last_wake, increment) ((void)xTaskDelayUntil(last_wake, increment))

UBaseType_t uxTaskPriorityGet(TaskHandle_t task);
/* Takes effect at once, for waiting tasks too. */
void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority);

/* Stops task until vTaskResume(), however often it was suspended. A waiting task gives up its place
 * in the queue; after vTaskResume() it looks again, and waits what is left of its time.
 * On `linux`, a running task is stopped at its next kernel call. */
void vTaskSuspend(TaskHandle_t task);
void vTaskResume(TaskHandle_t task);
BaseType_t xTaskResumeFromISR(TaskHandle_t task);

/* No other task runs until xTaskResumeAll(); nests. Kernel calls that have to wait are not allowed
 * in between. On `linux`, other tasks stop at their next kernel call.
 * xTaskResumeAll() returns pdTRUE if it switched to another task. */
void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);
BaseType_t xTaskGetSchedulerState(void);

/* Ticks since start; wraps after 2^32. */
TickType_t xTaskGetTickCount(void);
TickType_t xTaskGetTickCountFromISR(void);

TaskHandle_t xTaskGetCurrentTaskHandle(void);
/* The task of that name, or NULL; of several the youngest. */
TaskHandle_t xTaskGetHandle(const char *name);
/* Valid as long as the task. Never NULL. */
char *pcTaskGetName(TaskHandle_t task);
eTaskState eTaskGetState(TaskHandle_t task);
UBaseType_t uxTaskGetNumberOfTasks(void);
BaseType_t xTaskGetCoreID(TaskHandle_t task);

/* The least stack that was ever free, in bytes. On `linux` of the thread's real stack, which is
 * larger than what was asked for; 0 for a thread the kernel did not create. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);

/* Runs the tasks; does not return. Called once by the start-up code. */
__attribute__((noreturn)) void vTaskStartScheduler(void);

/* --- Notifications: each task has configTASK_NOTIFICATION_ARRAY_ENTRIES values (uint32_t), each
 * with a mark that says whether a notification is pending. index must be less than that. --- */

/* Changes the value of task and marks it, waking the task. *previous (may be NULL) gets the value
 * before. pdFAIL only for eSetValueWithoutOverwrite with a notification pending. */
BaseType_t xTaskGenericNotify(TaskHandle_t task, UBaseType_t index, uint32_t value,
                              eNotifyAction action, uint32_t *previous);
BaseType_t xTaskGenericNotifyFromISR(TaskHandle_t task, UBaseType_t index, uint32_t value,
                                     eNotifyAction action, uint32_t *previous, BaseType_t *woken);
/* If none is pending, clears the bits of clear_on_entry and waits up to ticks for one. *value (may
 * be NULL) gets the value. With a notification: clears the bits of clear_on_exit and the mark,
 * pdTRUE; else pdFALSE. */
BaseType_t xTaskGenericNotifyWait(UBaseType_t index, uint32_t clear_on_entry,
                                  uint32_t clear_on_exit, uint32_t *value, TickType_t ticks);
/* Waits up to ticks until the value is not 0; then clears it (clear) or takes 1 off. Returns the
 * value before, 0 if the time ran out. */
uint32_t ulTaskGenericNotifyTake(UBaseType_t index, BaseType_t clear, TickType_t ticks);
/* Clears the mark; pdTRUE if it was set. */
BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t task, UBaseType_t index);
/* Clears bits of the value and returns the value before. */
uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t task, UBaseType_t index, uint32_t bits);

#define xTaskNotify(task, value, action) xTaskGenericNotify(task, 0, value, action, NULL)
#define xTaskNotifyIndexed(task, index, value, action)                                             \
    xTaskGenericNotify(task, index, value, action, NULL)
#define xTaskNotifyAndQuery(task, value, action, previous)                                         \
    xTaskGenericNotify(task, 0, value, action, previous)
#define xTaskNotifyFromISR(task, value, action, woken)                                             \
    xTaskGenericNotifyFromISR(task, 0, value, action, NULL, woken)
#define xTaskNotifyGive(task)               xTaskGenericNotify(task, 0, 0, eIncrement, NULL)
#define xTaskNotifyGiveIndexed(task, index) xTaskGenericNotify(task, index, 0, eIncrement, NULL)
#define vTaskNotifyGiveFromISR(task, woken)                                                        \
    ((void)xTaskGenericNotifyFromISR(task, 0, 0, eIncrement, NULL, woken))
#define xTaskNotifyWait(clear_on_entry, clear_on_exit, value, ticks)                               \
    xTaskGenericNotifyWait(0, clear_on_entry, clear_on_exit, value, ticks)
#define xTaskNotifyWaitIndexed(index, clear_on_entry, clear_on_exit, value, ticks)                 \
    xTaskGenericNotifyWait(index, clear_on_entry, clear_on_exit, value, ticks)
#define ulTaskNotifyTake(clear, ticks)               ulTaskGenericNotifyTake(0, clear, ticks)
#define ulTaskNotifyTakeIndexed(index, clear, ticks) ulTaskGenericNotifyTake(index, clear, ticks)
#define xTaskNotifyStateClear(task)                  xTaskGenericNotifyStateClear(task, 0)
#define xTaskNotifyStateClearIndexed(task, index)    xTaskGenericNotifyStateClear(task, index)
#define ulTaskNotifyValueClear(task, bits)           ulTaskGenericNotifyValueClear(task, 0, bits)
#define ulTaskNotifyValueClearIndexed(task, index, bits)                                           \
    ulTaskGenericNotifyValueClear(task, index, bits)

#ifdef __cplusplus
}
#endif

#endif
