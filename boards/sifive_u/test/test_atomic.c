/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomics of a program on a core without atomic instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static _Atomic uint8_t small;
static _Atomic uint16_t medium;
static _Atomic uint32_t word;
static _Atomic uint64_t large;

#define OPERATIONS_WORK(object, type)                                                              \
    do {                                                                                           \
        type top = (type) ~(type)0, expected = 7;                                                  \
        atomic_store(&(object), top);                                                              \
        assert_true(atomic_load(&(object)) == top);                                                \
        assert_true(atomic_fetch_add(&(object), 6) == top);                                        \
        assert_true(atomic_fetch_sub(&(object), 1) == 5);                                          \
        assert_true(atomic_fetch_or(&(object), 3) == 4);                                           \
        assert_true(atomic_fetch_and(&(object), 6) == 7);                                          \
        assert_true(atomic_fetch_xor(&(object), 0x0F) == 6);                                       \
        assert_true(atomic_exchange(&(object), top) == 9);                                         \
        assert_false(atomic_compare_exchange_strong(&(object), &expected, 1));                     \
        assert_true(expected == top);                                                              \
        assert_true(atomic_compare_exchange_strong(&(object), &expected, 1));                      \
        assert_true(atomic_load(&(object)) == 1);                                                  \
    } while (0)

static void every_operation_of_every_size_does_what_its_name_says(void **state)
{
    (void)state;
    OPERATIONS_WORK(small, uint8_t);
    OPERATIONS_WORK(medium, uint16_t);
    OPERATIONS_WORK(word, uint32_t);
    OPERATIONS_WORK(large, uint64_t);
}

#define TASKS 3
#define STEPS 60000u

static void count(void *arg)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        atomic_fetch_add(&word, 1);
        uint64_t old = atomic_load(&large);
        while (!atomic_compare_exchange_weak(&large, &old, old + 0x100000001u)) {
        }
    }
    xSemaphoreGive((SemaphoreHandle_t)arg);
    vTaskDelete(NULL);
}

static void tasks_that_take_turns_lose_no_count(void **state)
{
    (void)state;
    SemaphoreHandle_t done = xSemaphoreCreateCounting(TASKS, 0);
    atomic_store(&word, 0);
    atomic_store(&large, 0);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(xTaskCreate(count, "count", 2048, done, 1, NULL), pdPASS);
    }
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(xSemaphoreTake(done, portMAX_DELAY), pdTRUE);
    }
    assert_int_equal(atomic_load(&word), TASKS * STEPS);
    assert_true(atomic_load(&large) == (uint64_t)TASKS * STEPS * 0x100000001u);
    vSemaphoreDelete(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_of_every_size_does_what_its_name_says),
        cmocka_unit_test(tasks_that_take_turns_lose_no_count),
    };
    return cmocka_run_group_tests_name("sifive_u atomics", tests, NULL, NULL);
}
