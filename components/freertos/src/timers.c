/* SPDX-License-Identifier: Apache-2.0
 *
 * Software timers: a list of running timers ordered by expiry, and one task that waits for the
 * first of them. Who changes the list notifies the task. */
#include <stdlib.h>

#include "freertos/queue.h"
#include "freertos/timers.h"
#include "freertos/wait_until.h"
#include "kernel.h"

struct tmrTimerControl {
    const char *name;
    TickType_t period;
    bool auto_reload;
    bool active;
    bool deleted; /* while its callback runs: free it afterwards */
    void *id;
    TimerCallbackFunction_t callback;
    uint64_t expiry; /* tick */
    struct tmrTimerControl *next;
};

typedef struct tmrTimerControl timer_t_;

typedef struct {
    PendedFunction_t function;
    void *arg;
    uint32_t value;
} pended_call_t;

static timer_t_ *active_timers; /* by expiry; among equals in order of starting */
static timer_t_ *running_timer; /* whose callback runs */
static QueueHandle_t pended_calls;
static TaskHandle_t service_task;

/* Inside the critical section. */
static void insert(timer_t_ *timer)
{
    timer_t_ **place = &active_timers;

    while (*place != NULL && (*place)->expiry <= timer->expiry) {
        place = &(*place)->next;
    }
    timer->next = *place;
    *place = timer;
    timer->active = true;
}

/* Inside the critical section. */
static void remove_active(timer_t_ *timer)
{
    if (!timer->active) {
        return;
    }
    timer_t_ **place = &active_timers;
    while (*place != timer) {
        place = &(*place)->next;
    }
    *place = timer->next;
    timer->next = NULL;
    timer->active = false;
}

/* Runs the callback of the first timer if its time has come. */
static bool run_expired_timer(void)
{
    port_enter_critical();
    timer_t_ *timer = active_timers;
    if (timer == NULL || timer->expiry > kernel_ticks()) {
        port_exit_critical();
        return false;
    }
    remove_active(timer);
    if (timer->auto_reload) {
        /* Counted from when it was due, so that a late callback delays no later one. */
        timer->expiry += timer->period;
        insert(timer);
    }
    running_timer = timer;
    port_exit_critical();

    timer->callback(timer);

    port_enter_critical();
    running_timer = NULL;
    bool deleted = timer->deleted;
    port_exit_critical();
    if (deleted) {
        free(timer);
    }
    return true;
}

static void service(void *arg)
{
    (void)arg;
    for (;;) {
        pended_call_t call;

        port_enter_critical();
        uint64_t deadline =
            active_timers != NULL ? kernel_tick_start_us(active_timers->expiry) : PORT_NO_DEADLINE;
        port_exit_critical();
        uint64_t now = port_now_us();
        if (deadline != PORT_NO_DEADLINE) {
            deadline = deadline > now ? deadline - now : 0;
        }
        airlift_notify_take_us(deadline);

        while (run_expired_timer()) {
        }
        while (xQueueReceive(pended_calls, &call, 0) == pdTRUE) {
            call.function(call.arg, call.value);
        }
    }
}

/* Starts the service task if it does not run yet. */
static bool start_service(void)
{
    port_enter_critical();
    if (pended_calls == NULL) {
        pended_calls = xQueueCreate(configTIMER_QUEUE_LENGTH, sizeof(pended_call_t));
    }
    if (pended_calls != NULL && service_task == NULL &&
        xTaskCreate(service, "Tmr Svc", configTIMER_TASK_STACK_DEPTH, NULL,
                    configTIMER_TASK_PRIORITY, &service_task) != pdPASS) {
        service_task = NULL;
    }
    bool runs = service_task != NULL;
    port_exit_critical();
    return runs;
}

TimerHandle_t xTimerCreate(const char *name, TickType_t period, BaseType_t auto_reload, void *id,
                           TimerCallbackFunction_t callback)
{
    if (period == 0 || callback == NULL || !start_service()) {
        return NULL;
    }
    timer_t_ *timer = calloc(1, sizeof(*timer));
    if (timer != NULL) {
        timer->name = name;
        timer->period = period;
        timer->auto_reload = auto_reload != pdFALSE;
        timer->id = id;
        timer->callback = callback;
    }
    return timer;
}

static void start(timer_t_ *timer, TickType_t period, BaseType_t *woken)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    remove_active(timer);
    timer->period = period != 0 ? period : timer->period;
    timer->expiry = kernel_ticks() + timer->period;
    insert(timer);
    if (active_timers == timer) {
        xTaskGenericNotifyFromISR(service_task, 0, 0, eIncrement, NULL, woken);
    }
    port_exit_critical();
}

BaseType_t xTimerStart(TimerHandle_t timer, TickType_t ticks)
{
    (void)ticks;
    start(timer, 0, NULL);
    return pdPASS;
}

BaseType_t xTimerReset(TimerHandle_t timer, TickType_t ticks)
{
    return xTimerStart(timer, ticks);
}

BaseType_t xTimerStop(TimerHandle_t timer, TickType_t ticks)
{
    (void)ticks;
    configASSERT(timer != NULL);
    port_enter_critical();
    remove_active(timer);
    port_exit_critical();
    return pdPASS;
}

BaseType_t xTimerChangePeriod(TimerHandle_t timer, TickType_t period, TickType_t ticks)
{
    (void)ticks;
    if (period == 0) {
        return pdFAIL;
    }
    start(timer, period, NULL);
    return pdPASS;
}

BaseType_t xTimerDelete(TimerHandle_t timer, TickType_t ticks)
{
    (void)ticks;
    configASSERT(timer != NULL);
    port_enter_critical();
    remove_active(timer);
    bool in_callback = running_timer == timer;
    timer->deleted = true;
    timer->auto_reload = false;
    port_exit_critical();
    if (!in_callback) {
        free(timer);
    }
    return pdPASS;
}

BaseType_t xTimerStartFromISR(TimerHandle_t timer, BaseType_t *woken)
{
    start(timer, 0, woken);
    return pdPASS;
}

BaseType_t xTimerResetFromISR(TimerHandle_t timer, BaseType_t *woken)
{
    return xTimerStartFromISR(timer, woken);
}

BaseType_t xTimerStopFromISR(TimerHandle_t timer, BaseType_t *woken)
{
    (void)woken;
    return xTimerStop(timer, 0);
}

BaseType_t xTimerChangePeriodFromISR(TimerHandle_t timer, TickType_t period, BaseType_t *woken)
{
    if (period == 0) {
        return pdFAIL;
    }
    start(timer, period, woken);
    return pdPASS;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    BaseType_t active = timer->active;
    port_exit_critical();
    return active;
}

void *pvTimerGetTimerID(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    void *id = timer->id;
    port_exit_critical();
    return id;
}

void vTimerSetTimerID(TimerHandle_t timer, void *id)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    timer->id = id;
    port_exit_critical();
}

const char *pcTimerGetName(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    return timer->name;
}

TickType_t xTimerGetPeriod(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    TickType_t period = timer->period;
    port_exit_critical();
    return period;
}

TickType_t xTimerGetExpiryTime(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    TickType_t expiry = (TickType_t)timer->expiry;
    port_exit_critical();
    return expiry;
}

void vTimerSetReloadMode(TimerHandle_t timer, BaseType_t auto_reload)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    timer->auto_reload = auto_reload != pdFALSE;
    port_exit_critical();
}

BaseType_t xTimerGetReloadMode(TimerHandle_t timer)
{
    configASSERT(timer != NULL);
    port_enter_critical();
    BaseType_t auto_reload = timer->auto_reload;
    port_exit_critical();
    return auto_reload;
}

TaskHandle_t xTimerGetTimerDaemonTaskHandle(void)
{
    port_enter_critical();
    TaskHandle_t task = service_task;
    port_exit_critical();
    return task;
}

BaseType_t xTimerPendFunctionCall(PendedFunction_t function, void *arg, uint32_t value,
                                  TickType_t ticks)
{
    const pended_call_t call = {function, arg, value};

    configASSERT(function != NULL);
    if (!start_service() || xQueueSend(pended_calls, &call, ticks) != pdTRUE) {
        return pdFAIL;
    }
    xTaskNotifyGive(service_task);
    return pdPASS;
}

BaseType_t xTimerPendFunctionCallFromISR(PendedFunction_t function, void *arg, uint32_t value,
                                         BaseType_t *woken)
{
    const pended_call_t call = {function, arg, value};

    /* The task cannot be started in an interrupt handler. */
    configASSERT(function != NULL);
    if (service_task == NULL || xQueueSendFromISR(pended_calls, &call, woken) != pdTRUE) {
        return pdFAIL;
    }
    vTaskNotifyGiveFromISR(service_task, woken);
    return pdPASS;
}
