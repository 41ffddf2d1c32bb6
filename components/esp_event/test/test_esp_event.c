/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_event.h"
#include "esp_log.h"
#include "freertos/semphr.h"

ESP_EVENT_DEFINE_BASE(BASE_A);
ESP_EVENT_DEFINE_BASE(BASE_B);

static esp_event_loop_handle_t loop; /* without a task: driven by run() */
static char record[64];

static void note(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    (void)data;
    strncat(record, arg, sizeof(record) - strlen(record) - 1);
}

static int set_up(void **state)
{
    (void)state;
    const esp_event_loop_args_t args = {.queue_size = 4};
    record[0] = '\0';
    return esp_event_loop_create(&args, &loop) != ESP_OK;
}

static int tear_down(void **state)
{
    (void)state;
    return loop != NULL && esp_event_loop_delete(loop) != ESP_OK;
}

static void add(esp_event_base_t base, int32_t id, const char *name)
{
    assert_int_equal(esp_event_handler_instance_register_with(loop, base, id, note,
                                                              (void *)(uintptr_t)name, NULL),
                     ESP_OK);
}

static void post(esp_event_base_t base, int32_t id)
{
    assert_int_equal(esp_event_post_to(loop, base, id, NULL, 0, 0), ESP_OK);
}

static void run(void)
{
    assert_int_equal(esp_event_loop_run(loop, 0), ESP_OK);
}

static void broad_handlers_come_first_then_in_order_of_registration(void **state)
{
    (void)state;
    add(NULL, ESP_EVENT_ANY_ID, "1");
    add(BASE_A, ESP_EVENT_ANY_ID, "2");
    add(BASE_A, 7, "3");
    add(BASE_A, 7, "4");
    add(BASE_A, 8, "x");
    add(BASE_B, ESP_EVENT_ANY_ID, "y");
    post(BASE_A, 7);
    run();
    assert_string_equal(record, "1234");
}

static void broad_handlers_registered_late_do_not_overtake(void **state)
{
    (void)state;
    add(BASE_A, 7, "a");
    add(BASE_A, ESP_EVENT_ANY_ID, "b"); /* after a */
    add(BASE_A, 7, "c");
    add(NULL, ESP_EVENT_ANY_ID, "d"); /* after a, b and c */
    add(BASE_A, 7, "f");
    add(BASE_A, ESP_EVENT_ANY_ID, "g");
    add(NULL, ESP_EVENT_ANY_ID, "h");
    add(BASE_B, 1, "k");
    post(BASE_A, 7);
    run();
    assert_string_equal(record, "abcdfgh");
    record[0] = '\0';
    post(BASE_B, 1);
    run();
    assert_string_equal(record, "dhk");
}

static void any_id_joins_its_group_while_no_narrower_one_is_there(void **state)
{
    (void)state;
    add(BASE_B, 1, "x");
    add(BASE_A, ESP_EVENT_ANY_ID, "1");
    add(BASE_A, ESP_EVENT_ANY_ID, "2");
    add(BASE_A, 3, "3");
    post(BASE_A, 3);
    run();
    assert_string_equal(record, "123");
}

static void append_text(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    assert_ptr_equal(base, BASE_A);
    if (data == NULL) {
        strcat(record, "0");
    } else {
        assert_int_equal(id, ((char *)data)[0]);
        strcat(record, data);
    }
}

static void events_are_delivered_in_order_with_a_copy_of_their_data(void **state)
{
    (void)state;
    char data[8] = "x-";
    assert_int_equal(
        esp_event_handler_register_with(loop, BASE_A, ESP_EVENT_ANY_ID, append_text, NULL), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, BASE_A, 'x', data, 3, 0), ESP_OK);
    strcpy(data, "y-");
    assert_int_equal(esp_event_post_to(loop, BASE_A, 'y', data, 3, 0), ESP_OK);
    memset(data, 0, sizeof(data));
    assert_int_equal(esp_event_post_to(loop, BASE_A, 'z', NULL, 5, 0), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, BASE_A, 'z', data, 0, 0), ESP_OK);
    run();
    assert_string_equal(record, "x-y-00");
}

static int log_lines;

static int count_log(const char *format, va_list args)
{
    char line[128];
    vsnprintf(line, sizeof(line), format, args);
    assert_non_null(strstr(line, ") event: handler already registered, overwriting\n"));
    return ++log_lines;
}

static void same_handler_again_replaces_its_argument_with_a_warning(void **state)
{
    (void)state;
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, note, "old"), ESP_OK);
    vprintf_like_t before = esp_log_set_vprintf(count_log);
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, note, "new"), ESP_OK);
    esp_log_set_vprintf(before);
    assert_int_equal(log_lines, 1);
    post(BASE_A, 1);
    run();
    assert_string_equal(record, "new");
    assert_int_equal(esp_event_handler_unregister_with(loop, BASE_A, 1, note), ESP_OK);
    assert_int_equal(esp_event_handler_unregister_with(loop, BASE_A, 1, note), ESP_ERR_NOT_FOUND);
}

static void instances_of_one_handler_are_separate(void **state)
{
    (void)state;
    esp_event_handler_instance_t one, two;
    assert_int_equal(esp_event_handler_instance_register_with(loop, BASE_A, 1, note, "1", &one),
                     ESP_OK);
    assert_int_equal(esp_event_handler_instance_register_with(loop, BASE_A, 1, note, "2", &two),
                     ESP_OK);
    post(BASE_A, 1);
    run();
    assert_string_equal(record, "12");
    assert_int_equal(esp_event_handler_instance_unregister_with(loop, BASE_A, 1, one), ESP_OK);
    assert_int_equal(esp_event_handler_instance_unregister_with(loop, BASE_A, 2, two),
                     ESP_ERR_NOT_FOUND);
    post(BASE_A, 1);
    run();
    assert_string_equal(record, "122");
}

static void unregister_others(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note(arg, base, id, data);
    esp_event_handler_unregister_with(loop, BASE_A, 1, note);
    esp_event_handler_unregister_with(loop, BASE_A, 1, unregister_others);
    /* What is registered now is for later events. */
    esp_event_handler_instance_register_with(loop, BASE_A, 1, note, "late", NULL);
}

static void handlers_may_unregister_and_register_in_a_handler(void **state)
{
    (void)state;
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, unregister_others, "u"),
                     ESP_OK);
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, note, "gone"), ESP_OK);
    post(BASE_A, 1);
    post(BASE_A, 1);
    run();
    assert_string_equal(record, "ulate");
}

static void fill_queue(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    (void)data;
    int *posted = arg;
    if (*posted == 0) {
        /* Waiting would never end here. */
        while (esp_event_post_to(loop, BASE_A, 1, NULL, 0, portMAX_DELAY) == ESP_OK) {
            ++*posted;
        }
    }
}

static void posting_in_a_handler_never_waits(void **state)
{
    (void)state;
    int posted = 0;
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, fill_queue, &posted), ESP_OK);
    post(BASE_A, 1);
    run();
    assert_int_equal(posted, 4);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    const esp_event_loop_args_t empty = {.queue_size = 0};
    esp_event_loop_handle_t other;
    assert_int_equal(esp_event_post_to(loop, NULL, 1, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post_to(loop, BASE_A, ESP_EVENT_ANY_ID, NULL, 0, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post_to(NULL, BASE_A, 1, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_register_with(loop, NULL, 1, note, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_register_with(loop, BASE_A, 1, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_create(&empty, &other), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_create(NULL, &other), ESP_ERR_INVALID_ARG);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(esp_event_post_to(loop, BASE_A, 1, "data", 5, 0), ESP_OK);
    }
    assert_int_equal(esp_event_post_to(loop, BASE_A, 1, "data", 5, 1), ESP_ERR_TIMEOUT);
    /* The four are freed with the loop. */
}

/* --- The default loop --- */

static SemaphoreHandle_t delivered;

static void check_task(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    assert_string_equal(pcTaskGetName(NULL), "sys_evt");
    assert_int_equal(uxTaskPriorityGet(NULL), 20);
    *(int *)arg += *(int *)data;
    xSemaphoreGive(delivered);
}

static void default_loop_delivers_in_its_task(void **state)
{
    (void)state;
    int sum = 0;
    int value = 21;
    assert_int_equal(esp_event_post(BASE_A, 1, NULL, 0, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_register(BASE_A, 1, check_task, &sum),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_unregister(BASE_A, 1, check_task), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_loop_delete_default(), ESP_ERR_INVALID_STATE);

    delivered = xSemaphoreCreateCounting(10, 0);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_register(BASE_A, 1, check_task, &sum), ESP_OK);
    assert_int_equal(esp_event_post(BASE_A, 1, &value, sizeof(value), portMAX_DELAY), ESP_OK);
    assert_int_equal(esp_event_post(BASE_A, 1, &value, sizeof(value), portMAX_DELAY), ESP_OK);
    xSemaphoreTake(delivered, portMAX_DELAY);
    xSemaphoreTake(delivered, portMAX_DELAY);
    /* After unregistration no handler runs any more. */
    assert_int_equal(esp_event_handler_unregister(BASE_A, 1, check_task), ESP_OK);
    assert_int_equal(sum, 42);
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    vSemaphoreDelete(delivered);
}

static void delete_own_loop(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    (void)data;
    xSemaphoreGive(delivered);
    esp_event_loop_delete(*(esp_event_loop_handle_t *)arg);
    abort();
}

static void handler_may_delete_its_loop_if_that_has_a_task(void **state)
{
    (void)state;
    static esp_event_loop_handle_t own;
    const esp_event_loop_args_t args = {
        .queue_size = 2, .task_name = "own", .task_stack_size = 4096, .task_priority = 5};
    delivered = xSemaphoreCreateBinary();
    assert_int_equal(esp_event_loop_create(&args, &own), ESP_OK);
    assert_int_equal(esp_event_handler_register_with(own, BASE_A, 1, delete_own_loop, &own),
                     ESP_OK);
    assert_int_equal(esp_event_loop_run(own, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_post_to(own, BASE_A, 1, "data", 5, 0), ESP_OK);
    assert_int_equal(xSemaphoreTake(delivered, portMAX_DELAY), pdTRUE);
    while (xTaskGetHandle("own") != NULL) {
        taskYIELD();
    }
    vSemaphoreDelete(delivered);
}

#define T(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(broad_handlers_come_first_then_in_order_of_registration),
        T(broad_handlers_registered_late_do_not_overtake),
        T(any_id_joins_its_group_while_no_narrower_one_is_there),
        T(events_are_delivered_in_order_with_a_copy_of_their_data),
        T(same_handler_again_replaces_its_argument_with_a_warning),
        T(instances_of_one_handler_are_separate),
        T(handlers_may_unregister_and_register_in_a_handler),
        T(posting_in_a_handler_never_waits),
        T(wrong_arguments_are_refused),
        cmocka_unit_test(default_loop_delivers_in_its_task),
        cmocka_unit_test(handler_may_delete_its_loop_if_that_has_a_task),
    };
    return cmocka_run_group_tests_name("esp_event", tests, NULL, NULL);
}
