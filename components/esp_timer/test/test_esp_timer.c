/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static SemaphoreHandle_t fired;
static char record[16];

static int set_up(void **state)
{
    (void)state;
    memset(record, 0, sizeof(record));
    fired = xSemaphoreCreateCounting(100, 0);
    return fired == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    vSemaphoreDelete(fired);
    return 0;
}

static void note(void *arg)
{
    strcat(record, arg);
    xSemaphoreGive(fired);
}

static esp_timer_handle_t make(esp_timer_cb_t callback, void *arg)
{
    const esp_timer_create_args_t args = {.callback = callback, .arg = arg, .name = "test"};
    esp_timer_handle_t timer;
    assert_int_equal(esp_timer_create(&args, &timer), ESP_OK);
    return timer;
}

static void wait_fired(int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(xSemaphoreTake(fired, pdMS_TO_TICKS(60000)), pdTRUE);
    }
}

static void timers_fire_in_order_of_expiry_not_before_their_time(void **state)
{
    (void)state;
    esp_timer_handle_t a = make(note, "a"), b = make(note, "b"), c = make(note, "c");
    int64_t start = esp_timer_get_time();
    assert_int_equal(esp_timer_start_once(c, 1000000), ESP_OK);
    assert_int_equal(esp_timer_start_once(a, 1500), ESP_OK);
    assert_int_equal(esp_timer_start_once(b, 500000), ESP_OK);
    assert_true(esp_timer_is_active(c));
    wait_fired(3);
    assert_true(esp_timer_get_time() - start >= 1000000);
    assert_string_equal(record, "abc");
    assert_false(esp_timer_is_active(c));
    assert_int_equal(esp_timer_delete(a), ESP_OK);
    assert_int_equal(esp_timer_delete(b), ESP_OK);
    assert_int_equal(esp_timer_delete(c), ESP_OK);
}

static void wrong_states_are_refused(void **state)
{
    (void)state;
    const esp_timer_create_args_t no_callback = {.name = "none"};
    esp_timer_handle_t timer;
    assert_int_equal(esp_timer_create(&no_callback, &timer), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_start_once(NULL, 1), ESP_ERR_INVALID_ARG);
    timer = make(note, "x");
    assert_int_equal(esp_timer_stop(timer), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_restart(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_start_periodic(timer, 49), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_start_once(timer, UINT64_MAX), ESP_OK);
    assert_int_equal(esp_timer_start_once(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_delete(timer), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_stop(timer), ESP_OK);
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
    assert_string_equal(record, "");
}

static void restart_sets_a_new_time(void **state)
{
    (void)state;
    esp_timer_handle_t late = make(note, "l"), early = make(note, "e");
    assert_int_equal(esp_timer_start_once(late, 60000000), ESP_OK);
    assert_int_equal(esp_timer_start_once(early, 1000000), ESP_OK);
    assert_int_equal(esp_timer_restart(late, 1000), ESP_OK);
    wait_fired(2);
    assert_string_equal(record, "le");
    esp_timer_delete(late);
    esp_timer_delete(early);
}

static void periodic_timer_keeps_firing_until_stopped(void **state)
{
    (void)state;
    esp_timer_handle_t timer = make(note, "p");
    int64_t start = esp_timer_get_time();
    assert_int_equal(esp_timer_start_periodic(timer, 2000), ESP_OK);
    wait_fired(5);
    assert_true(esp_timer_get_time() - start >= 10000);
    assert_int_equal(esp_timer_stop(timer), ESP_OK);
    esp_timer_delete(timer);
}

static esp_timer_handle_t self_deleting;

static void delete_self(void *arg)
{
    (void)arg;
    assert_string_equal(pcTaskGetName(NULL), "esp_timer");
    assert_int_equal(uxTaskPriorityGet(NULL), 22);
    assert_int_equal(esp_timer_delete(self_deleting), ESP_OK);
    xSemaphoreGive(fired);
}

static void timer_may_be_deleted_in_its_callback(void **state)
{
    (void)state;
    self_deleting = make(delete_self, NULL);
    assert_int_equal(esp_timer_start_once(self_deleting, 0), ESP_OK);
    wait_fired(1);
}

#define T(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(timers_fire_in_order_of_expiry_not_before_their_time),
        T(wrong_states_are_refused),
        T(restart_sets_a_new_time),
        T(periodic_timer_keeps_firing_until_stopped),
        T(timer_may_be_deleted_in_its_callback),
    };
    return cmocka_run_group_tests_name("esp_timer", tests, NULL, NULL);
}
