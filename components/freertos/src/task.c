/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks: creation and end, waiting, priorities, suspension, time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_rom_sys.h"
#include "kernel.h"

static task_t *all_tasks;         /* youngest first */
static unsigned scheduler_locked; /* nesting of vTaskSuspendAll(); changed by the task that locks */

_Noreturn void kernel_panic(const char *format, ...)
{
    char message[160];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    esp_rom_printf("FreeRTOS: %s\n", message);
    abort();
}

_Noreturn void vApplicationAssertFailed(const char *expression, const char *file, int line)
{
    kernel_panic("assertion failed: %s (%s:%d)", expression, file, line);
}

static task_t *task_or_self(TaskHandle_t task)
{
    return task != NULL ? task : port_current();
}

/* --- Time --- */

uint64_t kernel_ticks(void)
{
    uint64_t now = port_now_us();
    /* In two parts, so that nothing overflows. */
    return now / 1000000u * configTICK_RATE_HZ + now % 1000000u * configTICK_RATE_HZ / 1000000u;
}

uint64_t kernel_tick_start_us(uint64_t tick)
{
    uint64_t part = tick % configTICK_RATE_HZ * 1000000u;
    return tick / configTICK_RATE_HZ * 1000000u +
           (part + configTICK_RATE_HZ - 1) / configTICK_RATE_HZ;
}

uint64_t kernel_deadline(TickType_t ticks)
{
    return ticks == portMAX_DELAY ? PORT_NO_DEADLINE : kernel_tick_start_us(kernel_ticks() + ticks);
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)kernel_ticks();
}

TickType_t xTaskGetTickCountFromISR(void)
{
    return (TickType_t)kernel_ticks();
}

/* --- Wait lists --- */

static void list_insert(wait_list_t *list, task_t *task)
{
    task_t **place = &list->first;

    while (*place != NULL && (*place)->priority >= task->priority) {
        place = &(*place)->wait_next;
    }
    task->wait_next = *place;
    *place = task;
    task->wait_list = list;
}

static void list_remove(task_t *task)
{
    if (task->wait_list == NULL) {
        return;
    }
    task_t **place = &task->wait_list->first;
    while (*place != task) {
        place = &(*place)->wait_next;
    }
    *place = task->wait_next;
    task->wait_list = NULL;
    task->wait_next = NULL;
}

/* The task waits no more, for whatever reason; what it waited for may lose an urgent waiter. */
static void stop_waiting(task_t *task)
{
    task->waiting = false;
    task->notify_waiting = false;
    list_remove(task);
    if (task->wait_mutex != NULL) {
        task_t *holder = queue_mutex_holder(task->wait_mutex);
        task->wait_mutex = NULL;
        if (holder != NULL) {
            kernel_update_priority(holder);
        }
    }
}

bool kernel_wait(wait_list_t *list, uint64_t deadline_us, const char *what)
{
    task_t *self = port_current();

    if (port_in_interrupt()) {
        kernel_panic("%s would wait in an interrupt handler", what);
    }
    if (scheduler_locked > 0) {
        kernel_panic("task \"%s\": %s would wait while the scheduler is suspended", self->name,
                     what);
    }
    if (port_nesting() != 1) {
        kernel_panic("task \"%s\": %s would wait inside a critical section", self->name, what);
    }

    self->waiting = true;
    self->woken = false;
    if (list != NULL) {
        list_insert(list, self);
        if (self->wait_mutex != NULL && queue_mutex_holder(self->wait_mutex) != NULL) {
            kernel_update_priority(queue_mutex_holder(self->wait_mutex));
        }
    }
    port_wait(deadline_us);
    /* After a time-out this task is still where it waited. */
    stop_waiting(self);
    return self->woken;
}

void kernel_wake(task_t *task)
{
    stop_waiting(task);
    task->woken = true;
    port_ready(task);
}

void kernel_report_woken(const task_t *task, BaseType_t *woken)
{
    if (woken != NULL && task->priority > port_current()->priority) {
        *woken = pdTRUE;
    }
}

/* --- Priorities --- */

void kernel_update_priority(task_t *task)
{
    /* Each step either changes a priority or ends, and a chain of holders has no more links than
     * there are tasks; a circle (deadlock) comes to rest because priorities settle. */
    while (task != NULL) {
        UBaseType_t inherited = queue_mutexes_inherited(task);
        UBaseType_t old = task->priority;
        UBaseType_t fresh = inherited > task->base_priority ? inherited : task->base_priority;

        if (fresh == old) {
            return;
        }
        task->priority = fresh;
        port_priority_changed(task, old);
        if (task->wait_list == NULL) {
            return;
        }
        wait_list_t *list = task->wait_list;
        list_remove(task);
        list_insert(list, task);
        task = task->wait_mutex != NULL ? queue_mutex_holder(task->wait_mutex) : NULL;
    }
}

static UBaseType_t limited_priority(UBaseType_t priority)
{
    return priority < configMAX_PRIORITIES ? priority : configMAX_PRIORITIES - 1;
}

UBaseType_t uxTaskPriorityGet(TaskHandle_t task)
{
    port_enter_critical();
    UBaseType_t priority = task_or_self(task)->priority;
    port_exit_critical();
    return priority;
}

void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority)
{
    port_enter_critical();
    task_t *changed = task_or_self(task);
    changed->base_priority = limited_priority(priority);
    kernel_update_priority(changed);
    port_exit_critical();
}

/* --- Birth and end --- */

static task_t *new_task(const char *name, UBaseType_t priority)
{
    task_t *task = calloc(1, sizeof(*task));

    if (task != NULL) {
        snprintf(task->name, sizeof(task->name), "%s", name != NULL ? name : "");
        task->priority = limited_priority(priority);
        task->base_priority = task->priority;
    }
    return task;
}

static void remember_task(task_t *task)
{
    task->next_task = all_tasks;
    all_tasks = task;
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes,
                                   void *arg, UBaseType_t priority, TaskHandle_t *out,
                                   BaseType_t core)
{
    (void)core;
    configASSERT(function != NULL);

    task_t *task = new_task(name, priority);
    if (task == NULL) {
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    task->function = function;
    task->arg = arg;

    port_enter_critical();
    bool created = port_task_create(task, stack_bytes);
    if (created) {
        remember_task(task);
        if (out != NULL) {
            *out = task;
        }
    }
    port_exit_critical();

    if (!created) {
        free(task);
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    return pdPASS;
}

_Noreturn void kernel_task_run(task_t *task)
{
    task->function(task->arg);
    kernel_panic("the function of task \"%s\" returned; a task ends with vTaskDelete(NULL)",
                 task->name);
}

task_t *kernel_task_adopt(void)
{
    /* The priority of ESP-IDF's main task: such threads are the main thread of a test, or a board's
     * own. */
    task_t *task = new_task("host", tskIDLE_PRIORITY + 1);

    if (task != NULL) {
        remember_task(task);
    }
    return task;
}

void kernel_task_forget(task_t *task)
{
    stop_waiting(task);
    queue_mutexes_abandon(task);
    for (task_t **place = &all_tasks; *place != NULL; place = &(*place)->next_task) {
        if (*place == task) {
            *place = task->next_task;
            break;
        }
    }
}

void kernel_task_free(task_t *task)
{
    free(task);
}

void vTaskDelete(TaskHandle_t task)
{
    port_enter_critical();
    task_t *dying = task_or_self(task);
    if (dying == port_current() && scheduler_locked > 0) {
        kernel_panic("task \"%s\" deletes itself while the scheduler is suspended", dying->name);
    }
    dying->ended = true;
    kernel_task_forget(dying);
    port_task_end(dying);
    port_exit_critical();
}

/* --- Delay, yield --- */

void vTaskDelay(TickType_t ticks)
{
    if (ticks == 0) {
        port_yield();
        return;
    }
    port_enter_critical();
    kernel_wait(NULL, kernel_deadline(ticks), "vTaskDelay()");
    port_exit_critical();
}

BaseType_t xTaskDelayUntil(TickType_t *last_wake, TickType_t increment)
{
    configASSERT(last_wake != NULL && increment > 0);

    port_enter_critical();
    uint64_t now = kernel_ticks();
    /* Since *last_wake, on the circle of 32-bit ticks. */
    TickType_t elapsed = (TickType_t)now - *last_wake;
    BaseType_t must_wait = elapsed < increment;
    *last_wake += increment;
    if (must_wait) {
        kernel_wait(NULL, kernel_tick_start_us(now + (increment - elapsed)), "vTaskDelayUntil()");
    }
    port_exit_critical();
    return must_wait;
}

void vPortYield(void)
{
    port_yield();
}

/* --- Suspension --- */

void vTaskSuspend(TaskHandle_t task)
{
    port_enter_critical();
    task_t *stopped = task_or_self(task);
    bool is_self = stopped == port_current();

    if (!stopped->ended) {
        if (is_self) {
            stopped->suspended = true;
            kernel_wait(NULL, PORT_NO_DEADLINE, "vTaskSuspend()");
        } else {
            stop_waiting(stopped);
            stopped->suspended = true;
            port_unready(stopped);
        }
    }
    port_exit_critical();
}

static void resume(task_t *task, BaseType_t *woken)
{
    if (task->suspended && !task->ended) {
        task->suspended = false;
        port_ready(task);
        kernel_report_woken(task, woken);
    }
}

void vTaskResume(TaskHandle_t task)
{
    configASSERT(task != NULL);
    port_enter_critical();
    resume(task, NULL);
    port_exit_critical();
}

BaseType_t xTaskResumeFromISR(TaskHandle_t task)
{
    BaseType_t woken = pdFALSE;

    port_enter_critical();
    resume(task, &woken);
    port_exit_critical();
    return woken;
}

void vTaskSuspendAll(void)
{
    port_lock_scheduler();
    scheduler_locked++;
}

BaseType_t xTaskResumeAll(void)
{
    if (scheduler_locked == 0) {
        kernel_panic("xTaskResumeAll() without vTaskSuspendAll()");
    }
    scheduler_locked--;
    port_unlock_scheduler();
    return pdFALSE;
}

BaseType_t xTaskGetSchedulerState(void)
{
    port_enter_critical();
    BaseType_t state = scheduler_locked > 0 ? taskSCHEDULER_SUSPENDED : taskSCHEDULER_RUNNING;
    port_exit_critical();
    return state;
}

_Noreturn void vTaskStartScheduler(void)
{
    port_start_scheduler();
}

/* --- Questions --- */

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return port_current();
}

TaskHandle_t xTaskGetHandle(const char *name)
{
    port_enter_critical();
    task_t *task = all_tasks;
    while (task != NULL && strcmp(task->name, name) != 0) {
        task = task->next_task;
    }
    port_exit_critical();
    return task;
}

char *pcTaskGetName(TaskHandle_t task)
{
    return task_or_self(task)->name;
}

eTaskState eTaskGetState(TaskHandle_t task)
{
    configASSERT(task != NULL);
    port_enter_critical();
    eTaskState state = task->ended              ? eDeleted
                       : task->suspended        ? eSuspended
                       : task->waiting          ? eBlocked
                       : task == port_current() ? eRunning
                                                : eReady;
    port_exit_critical();
    return state;
}

UBaseType_t uxTaskGetNumberOfTasks(void)
{
    UBaseType_t count = 0;

    port_enter_critical();
    for (const task_t *task = all_tasks; task != NULL; task = task->next_task) {
        count++;
    }
    port_exit_critical();
    return count;
}

BaseType_t xTaskGetCoreID(TaskHandle_t task)
{
    (void)task;
    return 0;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    port_enter_critical();
    size_t unused = port_stack_unused(task_or_self(task));
    port_exit_critical();
    return (UBaseType_t)unused;
}

BaseType_t xPortGetCoreID(void)
{
    return 0;
}

BaseType_t xPortInIsrContext(void)
{
    return port_in_interrupt();
}

void vPortEnterCritical(portMUX_TYPE *mux)
{
    (void)mux;
    port_enter_critical();
}

void vPortExitCritical(portMUX_TYPE *mux)
{
    (void)mux;
    port_exit_critical();
}

void *pvPortMalloc(size_t size)
{
    return malloc(size);
}

void vPortFree(void *memory)
{
    free(memory);
}

size_t xPortGetFreeHeapSize(void)
{
    return heap_caps_get_free_size(MALLOC_CAP_DEFAULT);
}

size_t xPortGetMinimumEverFreeHeapSize(void)
{
    return heap_caps_get_minimum_free_size(MALLOC_CAP_DEFAULT);
}
