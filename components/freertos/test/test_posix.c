/* SPDX-License-Identifier: Apache-2.0
 *
 * What only tasks that are threads of a host can do to the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static atomic_bool in_system_call;
static atomic_bool went_on;

static void block_in_system_call(void *arg)
{
    char byte;
    atomic_store(&in_system_call, true);
    /* The other end stays open and silent. */
    (void)!read(*(int *)arg, &byte, 1);
    atomic_store(&went_on, true);
    vTaskDelete(NULL);
}

static void task_deleted_in_a_blocking_system_call_stops(void **state)
{
    (void)state;
    int ends[2];
    TaskHandle_t task;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(xTaskCreate(block_in_system_call, "reader", 4096, &ends[0], 5, &task), pdPASS);
    while (!atomic_load(&in_system_call)) {
        taskYIELD();
    }
    vTaskDelete(task);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_false(atomic_load(&went_on));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_deleted_in_a_blocking_system_call_stops),
    };
    return cmocka_run_group_tests_name("freertos posix", tests, NULL, NULL);
}
