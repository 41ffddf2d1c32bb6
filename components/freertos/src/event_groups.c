/* SPDX-License-Identifier: Apache-2.0
 *
 * Event groups. */
#include <stdlib.h>

#include "freertos/event_groups.h"
#include "kernel.h"

#define USABLE_BITS 0x00ffffffu

struct EventGroupDef_t {
    EventBits_t bits;
    wait_list_t waiters;
};

static bool condition_met(EventBits_t bits, EventBits_t wanted, bool all)
{
    return all ? (bits & wanted) == wanted : (bits & wanted) != 0;
}

static void check_bits(EventBits_t bits, const char *what)
{
    if ((bits & ~(EventBits_t)USABLE_BITS) != 0) {
        kernel_panic("%s: event groups have 24 bits", what);
    }
}

EventGroupHandle_t xEventGroupCreate(void)
{
    return calloc(1, sizeof(struct EventGroupDef_t));
}

void vEventGroupDelete(EventGroupHandle_t group)
{
    if (group == NULL) {
        return;
    }
    port_enter_critical();
    while (group->waiters.first != NULL) {
        task_t *waiter = group->waiters.first;
        waiter->wait.event.bits = group->bits;
        kernel_wake(waiter);
    }
    port_exit_critical();
    free(group);
}

/* Inside the critical section. Returns the bits that were set before those woken cleared theirs. */
static EventBits_t set_bits(EventGroupHandle_t group, EventBits_t bits, BaseType_t *woken)
{
    EventBits_t to_clear = 0;

    group->bits |= bits;
    EventBits_t now = group->bits;
    for (task_t *waiter = group->waiters.first; waiter != NULL;) {
        task_t *next = waiter->wait_next;
        if (condition_met(now, waiter->wait.event.bits, waiter->wait.event.all)) {
            if (waiter->wait.event.clear) {
                to_clear |= waiter->wait.event.bits;
            }
            waiter->wait.event.bits = now;
            kernel_wake(waiter);
            kernel_report_woken(waiter, woken);
        }
        waiter = next;
    }
    group->bits &= ~to_clear;
    return now;
}

/* Inside the critical section. */
static EventBits_t wait_bits(EventGroupHandle_t group, EventBits_t wanted, bool clear, bool all,
                             TickType_t ticks, const char *what)
{
    task_t *self = port_current();
    uint64_t deadline = ticks > 0 ? kernel_deadline(ticks) : 0;

    for (;;) {
        EventBits_t now = group->bits;
        if (condition_met(now, wanted, all)) {
            if (clear) {
                group->bits &= ~wanted;
            }
            return now;
        }
        if (port_now_us() >= deadline) {
            return now;
        }
        self->wait.event.bits = wanted;
        self->wait.event.all = all;
        self->wait.event.clear = clear;
        if (kernel_wait(&group->waiters, deadline, what)) {
            /* The group may be gone by now. */
            return self->wait.event.bits;
        }
    }
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits,
                                BaseType_t clear_on_exit, BaseType_t wait_all, TickType_t ticks)
{
    configASSERT(group != NULL && bits != 0);
    check_bits(bits, "xEventGroupWaitBits()");
    port_enter_critical();
    EventBits_t result = wait_bits(group, bits, clear_on_exit != pdFALSE, wait_all != pdFALSE,
                                   ticks, "xEventGroupWaitBits()");
    port_exit_critical();
    return result;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits)
{
    configASSERT(group != NULL);
    check_bits(bits, "xEventGroupSetBits()");
    port_enter_critical();
    set_bits(group, bits, NULL);
    EventBits_t result = group->bits;
    port_exit_critical();
    return result;
}

BaseType_t xEventGroupSetBitsFromISR(EventGroupHandle_t group, EventBits_t bits, BaseType_t *woken)
{
    configASSERT(group != NULL);
    check_bits(bits, "xEventGroupSetBitsFromISR()");
    port_enter_critical();
    set_bits(group, bits, woken);
    port_exit_critical();
    return pdPASS;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits)
{
    configASSERT(group != NULL);
    check_bits(bits, "xEventGroupClearBits()");
    port_enter_critical();
    EventBits_t before = group->bits;
    group->bits &= ~bits;
    port_exit_critical();
    return before;
}

BaseType_t xEventGroupClearBitsFromISR(EventGroupHandle_t group, EventBits_t bits)
{
    xEventGroupClearBits(group, bits);
    return pdPASS;
}

EventBits_t xEventGroupSync(EventGroupHandle_t group, EventBits_t own, EventBits_t wait_for,
                            TickType_t ticks)
{
    configASSERT(group != NULL && wait_for != 0);
    check_bits(own | wait_for, "xEventGroupSync()");
    port_enter_critical();
    EventBits_t now = set_bits(group, own, NULL);
    EventBits_t result;
    if (condition_met(now, wait_for, true)) {
        /* The last to arrive: others may have been woken and have cleared the bits already. */
        group->bits &= ~wait_for;
        result = now;
    } else {
        result = wait_bits(group, wait_for, true, true, ticks, "xEventGroupSync()");
    }
    port_exit_critical();
    return result;
}

EventBits_t xEventGroupGetBits(EventGroupHandle_t group)
{
    return xEventGroupClearBits(group, 0);
}

EventBits_t xEventGroupGetBitsFromISR(EventGroupHandle_t group)
{
    return xEventGroupClearBits(group, 0);
}
