/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of running timers ordered by expiry, and one task that waits for the first. */
#include <stdlib.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/wait_until.h"
#include "hal/clock.h"

static const char TAG[] = "esp_timer";

#define TASK_PRIORITY 22
#define PERIOD_MIN_US 50u

struct esp_timer {
    esp_timer_cb_t callback;
    void *arg;
    const char *name;
    bool skip_unhandled;
    bool active;
    uint64_t alarm;  /* on the axis of hal_clock_us() */
    uint64_t period; /* 0: once */
    struct esp_timer *next;
};

static struct esp_timer *active_timers; /* by alarm; among equals in order of starting */
static TaskHandle_t timer_task;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

int64_t esp_timer_get_time(void)
{
    return (int64_t)hal_clock_us();
}

/* Inside the critical section. */
static void insert(struct esp_timer *timer)
{
    struct esp_timer **place = &active_timers;

    while (*place != NULL && (*place)->alarm <= timer->alarm) {
        place = &(*place)->next;
    }
    timer->next = *place;
    *place = timer;
    timer->active = true;
}

/* Inside the critical section. */
static void remove_active(struct esp_timer *timer)
{
    struct esp_timer **place = &active_timers;

    while (*place != timer) {
        place = &(*place)->next;
    }
    *place = timer->next;
    timer->active = false;
}

/* Calls the first timer's callback if its time has come; else *wait_us is the time until then. */
static bool run_first_if_due(uint64_t *wait_us)
{
    portENTER_CRITICAL(&lock);
    struct esp_timer *timer = active_timers;
    uint64_t now = hal_clock_us();
    if (timer == NULL || timer->alarm > now) {
        *wait_us = timer == NULL ? UINT64_MAX : timer->alarm - now;
        portEXIT_CRITICAL(&lock);
        return false;
    }
    remove_active(timer);
    if (timer->period > 0) {
        timer->alarm += timer->period;
        if (timer->skip_unhandled && timer->alarm <= now) {
            timer->alarm += (now - timer->alarm) / timer->period * timer->period + timer->period;
        }
        insert(timer);
    }
    /* The callback may delete its timer. */
    esp_timer_cb_t callback = timer->callback;
    void *arg = timer->arg;
    portEXIT_CRITICAL(&lock);

    callback(arg);
    return true;
}

static void run_timers(void *arg)
{
    uint64_t wait_us;

    (void)arg;
    for (;;) {
        while (run_first_if_due(&wait_us)) {
        }
        /* Who puts another timer first notifies. */
        airlift_notify_take_us(wait_us);
    }
}

static bool start_task(void)
{
    portENTER_CRITICAL(&lock);
    if (timer_task == NULL && xTaskCreate(run_timers, "esp_timer", CONFIG_ESP_TIMER_TASK_STACK_SIZE,
                                          NULL, TASK_PRIORITY, &timer_task) != pdPASS) {
        timer_task = NULL;
    }
    bool runs = timer_task != NULL;
    portEXIT_CRITICAL(&lock);
    return runs;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out)
{
    if (args == NULL || out == NULL || args->callback == NULL ||
        args->dispatch_method != ESP_TIMER_TASK) {
        return ESP_ERR_INVALID_ARG;
    }
    struct esp_timer *timer = start_task() ? calloc(1, sizeof(*timer)) : NULL;
    if (timer == NULL) {
        ESP_LOGE(TAG, "no memory for timer %s", args->name != NULL ? args->name : "");
        return ESP_ERR_NO_MEM;
    }
    timer->callback = args->callback;
    timer->arg = args->arg;
    timer->name = args->name;
    timer->skip_unhandled = args->skip_unhandled_events;
    *out = timer;
    return ESP_OK;
}

/* Inside the critical section. */
static void activate(struct esp_timer *timer, uint64_t us, uint64_t period)
{
    uint64_t now = hal_clock_us();

    timer->alarm = us < UINT64_MAX - now ? now + us : UINT64_MAX;
    timer->period = period;
    insert(timer);
    if (active_timers == timer) {
        xTaskNotifyGive(timer_task);
    }
}

static esp_err_t start(struct esp_timer *timer, uint64_t us, uint64_t period)
{
    esp_err_t err = ESP_OK;

    portENTER_CRITICAL(&lock);
    if (timer->active) {
        err = ESP_ERR_INVALID_STATE;
    } else {
        activate(timer, us, period);
    }
    portEXIT_CRITICAL(&lock);
    return err;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t us)
{
    return timer != NULL ? start(timer, us, 0) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t us)
{
    return timer != NULL && us >= PERIOD_MIN_US ? start(timer, us, us) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t us)
{
    esp_err_t err = ESP_OK;

    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    portENTER_CRITICAL(&lock);
    if (!timer->active) {
        err = ESP_ERR_INVALID_STATE;
    } else if (timer->period > 0 && us < PERIOD_MIN_US) {
        err = ESP_ERR_INVALID_ARG;
    } else {
        remove_active(timer);
        activate(timer, us, timer->period > 0 ? us : 0);
    }
    portEXIT_CRITICAL(&lock);
    return err;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    esp_err_t err = ESP_ERR_INVALID_STATE;

    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    portENTER_CRITICAL(&lock);
    if (timer->active) {
        remove_active(timer);
        err = ESP_OK;
    }
    portEXIT_CRITICAL(&lock);
    return err;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (esp_timer_is_active(timer)) {
        return ESP_ERR_INVALID_STATE;
    }
    free(timer);
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return false;
    }
    portENTER_CRITICAL(&lock);
    bool active = timer->active;
    portEXIT_CRITICAL(&lock);
    return active;
}
