/* SPDX-License-Identifier: Apache-2.0
 *
 * Restart and its handlers. */
#include <stddef.h>
#include <stdio.h>

#include "esp_rom_sys.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal/reset.h"

#define MAX_SHUTDOWN_HANDLERS 8

static shutdown_handler_t handlers[MAX_SHUTDOWN_HANDLERS]; /* in order; NULL after the last */
static TaskHandle_t restarting_task;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

/* Inside the critical section: the place of handler, or MAX_SHUTDOWN_HANDLERS. */
static size_t find(shutdown_handler_t handler)
{
    size_t place = 0;
    while (place < MAX_SHUTDOWN_HANDLERS && handlers[place] != handler) {
        place++;
    }
    return place;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler)
{
    esp_err_t err = ESP_OK;

    if (handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    portENTER_CRITICAL(&lock);
    size_t end = find(NULL);
    if (find(handler) != MAX_SHUTDOWN_HANDLERS) {
        err = ESP_ERR_INVALID_STATE;
    } else if (end == MAX_SHUTDOWN_HANDLERS) {
        err = ESP_ERR_NO_MEM;
    } else {
        handlers[end] = handler;
    }
    portEXIT_CRITICAL(&lock);
    return err;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler)
{
    esp_err_t err = ESP_ERR_INVALID_STATE;

    portENTER_CRITICAL(&lock);
    size_t place = handler != NULL ? find(handler) : MAX_SHUTDOWN_HANDLERS;
    if (place < MAX_SHUTDOWN_HANDLERS) {
        for (; place + 1 < MAX_SHUTDOWN_HANDLERS; place++) {
            handlers[place] = handlers[place + 1];
        }
        handlers[place] = NULL;
        err = ESP_OK;
    }
    portEXIT_CRITICAL(&lock);
    return err;
}

/* Whether the calling task is the one to restart, and calls the handlers: not if it is called from
 * a handler. Another task that comes second waits for the end. */
static bool begin_restart(void)
{
    TaskHandle_t self = xTaskGetCurrentTaskHandle();

    portENTER_CRITICAL(&lock);
    TaskHandle_t first = restarting_task;
    if (first == NULL) {
        restarting_task = self;
    }
    portEXIT_CRITICAL(&lock);
    if (first != NULL && first != self) {
        vTaskDelay(portMAX_DELAY);
    }
    return first == NULL;
}

static shutdown_handler_t handler_at(size_t place)
{
    portENTER_CRITICAL(&lock);
    shutdown_handler_t handler = place < MAX_SHUTDOWN_HANDLERS ? handlers[place] : NULL;
    portEXIT_CRITICAL(&lock);
    return handler;
}

_Noreturn void esp_restart(void)
{
    if (begin_restart()) {
        /* Handlers may take themselves off the list. */
        for (size_t place = 0; handler_at(place) != NULL;) {
            shutdown_handler_t handler = handler_at(place);
            handler();
            place += handler_at(place) == handler;
        }
    }
    fflush(stdout);
    portENTER_CRITICAL(&lock);
    restarting_task = NULL;
    portEXIT_CRITICAL(&lock);
    hal_reset(HAL_RESET_SOFTWARE);
}

esp_reset_reason_t esp_reset_reason(void)
{
    hal_reset_reason_t reason = hal_reset_reason();
    /* Beyond Espressif's numbers are those of our boards. */
    return reason <= (hal_reset_reason_t)ESP_RST_CPU_LOCKUP ? (esp_reset_reason_t)reason
                                                            : ESP_RST_UNKNOWN;
}

_Noreturn void esp_system_abort(const char *details)
{
    esp_rom_printf("%s\n", details);
    abort();
}
