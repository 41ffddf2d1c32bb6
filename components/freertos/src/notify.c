/* SPDX-License-Identifier: Apache-2.0
 *
 * Task notifications. */
#include "freertos/wait_until.h"
#include "kernel.h"

static void check_index(UBaseType_t index)
{
    if (index >= configTASK_NOTIFICATION_ARRAY_ENTRIES) {
        kernel_panic("notification index %u, but each task has %u", index,
                     (unsigned)configTASK_NOTIFICATION_ARRAY_ENTRIES);
    }
}

static BaseType_t notify(task_t *task, UBaseType_t index, uint32_t value, eNotifyAction action,
                         uint32_t *previous, BaseType_t *woken)
{
    BaseType_t done = pdPASS;

    configASSERT(task != NULL);
    check_index(index);
    port_enter_critical();
    if (previous != NULL) {
        *previous = task->notify_value[index];
    }
    switch (action) {
    case eSetBits:
        task->notify_value[index] |= value;
        break;
    case eIncrement:
        task->notify_value[index]++;
        break;
    case eSetValueWithOverwrite:
        task->notify_value[index] = value;
        break;
    case eSetValueWithoutOverwrite:
        if (task->notify_pending[index]) {
            done = pdFAIL;
        } else {
            task->notify_value[index] = value;
        }
        break;
    case eNoAction:
        break;
    }
    task->notify_pending[index] = true;
    if (task->notify_waiting && task->wait.notify_index == index) {
        kernel_wake(task);
        kernel_report_woken(task, woken);
    }
    port_exit_critical();
    return done;
}

BaseType_t xTaskGenericNotify(TaskHandle_t task, UBaseType_t index, uint32_t value,
                              eNotifyAction action, uint32_t *previous)
{
    return notify(task, index, value, action, previous, NULL);
}

BaseType_t xTaskGenericNotifyFromISR(TaskHandle_t task, UBaseType_t index, uint32_t value,
                                     eNotifyAction action, uint32_t *previous, BaseType_t *woken)
{
    return notify(task, index, value, action, previous, woken);
}

/* Whether what the caller wants of notification index has come. */
typedef bool (*condition_t)(const task_t *self, UBaseType_t index);

static bool is_pending(const task_t *self, UBaseType_t index)
{
    return self->notify_pending[index];
}

static bool has_value(const task_t *self, UBaseType_t index)
{
    return self->notify_value[index] != 0;
}

/* Inside the critical section. Returns when the condition is true or the deadline has come. */
static void wait_for(task_t *self, UBaseType_t index, condition_t condition, uint64_t deadline_us,
                     const char *what)
{
    while (!condition(self, index) && port_now_us() < deadline_us) {
        self->notify_waiting = true;
        self->wait.notify_index = index;
        kernel_wait(NULL, deadline_us, what);
    }
}

BaseType_t xTaskGenericNotifyWait(UBaseType_t index, uint32_t clear_on_entry,
                                  uint32_t clear_on_exit, uint32_t *value, TickType_t ticks)
{
    check_index(index);
    port_enter_critical();
    task_t *self = port_current();
    if (!self->notify_pending[index]) {
        self->notify_value[index] &= ~clear_on_entry;
        if (ticks > 0) {
            wait_for(self, index, is_pending, kernel_deadline(ticks), "xTaskNotifyWait()");
        }
    }
    if (value != NULL) {
        *value = self->notify_value[index];
    }
    BaseType_t received = self->notify_pending[index];
    if (received) {
        self->notify_value[index] &= ~clear_on_exit;
        self->notify_pending[index] = false;
    }
    port_exit_critical();
    return received;
}

/* Inside the critical section. */
static uint32_t take(task_t *self, UBaseType_t index, BaseType_t clear)
{
    uint32_t value = self->notify_value[index];

    if (value != 0) {
        self->notify_value[index] = clear ? 0 : value - 1;
    }
    self->notify_pending[index] = false;
    return value;
}

uint32_t ulTaskGenericNotifyTake(UBaseType_t index, BaseType_t clear, TickType_t ticks)
{
    check_index(index);
    port_enter_critical();
    task_t *self = port_current();
    if (ticks > 0) {
        wait_for(self, index, has_value, kernel_deadline(ticks), "ulTaskNotifyTake()");
    }
    uint32_t value = take(self, index, clear);
    port_exit_critical();
    return value;
}

uint32_t airlift_notify_take_us(uint64_t us)
{
    port_enter_critical();
    task_t *self = port_current();
    uint64_t now = port_now_us();
    uint64_t deadline = us < PORT_NO_DEADLINE - now ? now + us : PORT_NO_DEADLINE;
    wait_for(self, 0, has_value, deadline, "airlift_notify_take_us()");
    uint32_t value = take(self, 0, pdTRUE);
    port_exit_critical();
    return value;
}

BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t task, UBaseType_t index)
{
    check_index(index);
    port_enter_critical();
    task_t *changed = task != NULL ? task : port_current();
    BaseType_t was_pending = changed->notify_pending[index];
    changed->notify_pending[index] = false;
    port_exit_critical();
    return was_pending;
}

uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t task, UBaseType_t index, uint32_t bits)
{
    check_index(index);
    port_enter_critical();
    task_t *changed = task != NULL ? task : port_current();
    uint32_t before = changed->notify_value[index];
    changed->notify_value[index] &= ~bits;
    port_exit_critical();
    return before;
}
