/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel as the board's drivers see it (sifive_u/os.h). */
#include "os_rv32.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "port.h"
#include "sifive_u/os.h"

static SemaphoreHandle_t locks[SIFIVE_U_LOCK_COUNT];
static SemaphoreHandle_t events[SIFIVE_U_EVENT_COUNT];

static void os_lock(sifive_u_lock_t lock)
{
    /* The start-up code has the hart for itself. */
    if (port_current() != NULL) {
        xSemaphoreTake(locks[lock], portMAX_DELAY);
    }
}

static void os_unlock(sifive_u_lock_t lock)
{
    if (port_current() != NULL) {
        xSemaphoreGive(locks[lock]);
    }
}

static bool os_wait(sifive_u_event_t event, unsigned timeout_ms)
{
    TickType_t ticks = portMAX_DELAY;

    if (timeout_ms != 0) {
        /* At least one whole tick. */
        ticks = pdMS_TO_TICKS(timeout_ms) + 1;
    }
    return xSemaphoreTake(events[event], ticks) == pdTRUE;
}

static void os_signal(sifive_u_event_t event)
{
    if (port_in_interrupt()) {
        xSemaphoreGiveFromISR(events[event], NULL);
    } else {
        xSemaphoreGive(events[event]);
    }
}

static const sifive_u_os_t os = {
    .lock = os_lock,
    .unlock = os_unlock,
    .wait = os_wait,
    .signal = os_signal,
};

bool os_rv32_start(void)
{
    for (unsigned i = 0; i < SIFIVE_U_LOCK_COUNT; i++) {
        locks[i] = xSemaphoreCreateMutex();
        if (locks[i] == NULL) {
            return false;
        }
    }
    for (unsigned i = 0; i < SIFIVE_U_EVENT_COUNT; i++) {
        events[i] = xSemaphoreCreateBinary();
        if (events[i] == NULL) {
            return false;
        }
    }
    sifive_u_os_set(&os);
    return true;
}
