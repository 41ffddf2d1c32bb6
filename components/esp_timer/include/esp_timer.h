/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers with microseconds. Callbacks run one after the other, in order of expiry, in the task
 * "esp_timer" (priority 22); a callback must not wait for long. */
#ifndef ESP_TIMER_H
#define ESP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_timer *esp_timer_handle_t;
typedef void (*esp_timer_cb_t)(void *arg);

typedef enum {
    ESP_TIMER_TASK, /* callbacks run in the timer task: the only way here */
    ESP_TIMER_MAX,
} esp_timer_dispatch_t;

typedef struct {
    esp_timer_cb_t callback;
    void *arg;
    esp_timer_dispatch_t dispatch_method;
    const char *name;           /* for people; kept, not copied */
    bool skip_unhandled_events; /* periodic: expiries missed while late are dropped, not made up */
} esp_timer_create_args_t;

/* Microseconds since reset; never goes backwards. */
int64_t esp_timer_get_time(void);

/* A stopped timer. ESP_ERR_INVALID_ARG: NULL, no callback, unknown dispatch. ESP_ERR_NO_MEM. */
esp_err_t esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out);

/* Starts it, to expire once after us, or every us (>= 50) microseconds.
 * ESP_ERR_INVALID_ARG: NULL, or a period too short. ESP_ERR_INVALID_STATE: it is running. */
esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t us);
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t us);

/* A running timer starts anew, with us as its time-out or period.
 * ESP_ERR_INVALID_STATE: not running; ESP_ERR_INVALID_ARG as above. */
esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t us);

/* The callback does not begin after this; one that runs already ends.
 * ESP_ERR_INVALID_STATE: not running. ESP_ERR_INVALID_ARG: NULL. */
esp_err_t esp_timer_stop(esp_timer_handle_t timer);

/* Frees it; allowed in its own callback. ESP_ERR_INVALID_STATE: running. ESP_ERR_INVALID_ARG:
 * NULL. */
esp_err_t esp_timer_delete(esp_timer_handle_t timer);

bool esp_timer_is_active(esp_timer_handle_t timer);

#ifdef __cplusplus
}
#endif

#endif
