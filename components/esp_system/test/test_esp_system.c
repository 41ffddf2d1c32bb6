/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "esp_heap_caps.h"
#include "esp_system.h"
#include "linux_board/testing.h"

static char record[16];
static jmp_buf after_reset;
static int reset_reason;

static void on_reset(hal_reset_reason_t reason, void *arg)
{
    (void)arg;
    reset_reason = (int)reason;
    longjmp(after_reset, 1);
}

static int set_up(void **state)
{
    (void)state;
    memset(record, 0, sizeof(record));
    reset_reason = -1;
    linux_board_testing_reset(LINUX_BOARD_TESTING_FLASH_SIZE);
    linux_board_testing_on_reset(on_reset, NULL);
    return 0;
}

static void restart(void)
{
    if (setjmp(after_reset) == 0) {
        esp_restart();
    }
    assert_int_equal(reset_reason, HAL_RESET_SOFTWARE);
}

static void note_a(void)
{
    strcat(record, "a");
}

static void note_b(void)
{
    strcat(record, "b");
}

static void note_c_once(void)
{
    strcat(record, "c");
    assert_int_equal(esp_unregister_shutdown_handler(note_c_once), ESP_OK);
}

static void restart_in_handler(void)
{
    strcat(record, "r");
    esp_restart();
}

static void restart_calls_handlers_in_order_of_registration(void **state)
{
    (void)state;
    assert_int_equal(esp_register_shutdown_handler(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_register_shutdown_handler(note_b), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(note_c_once), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(note_a), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(note_b), ESP_ERR_INVALID_STATE);
    restart();
    assert_string_equal(record, "bca");
    assert_int_equal(esp_unregister_shutdown_handler(note_b), ESP_OK);
    assert_int_equal(esp_unregister_shutdown_handler(note_b), ESP_ERR_INVALID_STATE);
    record[0] = '\0';
    restart();
    assert_string_equal(record, "a");
    assert_int_equal(esp_unregister_shutdown_handler(note_a), ESP_OK);
}

static void restart_inside_a_handler_resets_at_once(void **state)
{
    (void)state;
    assert_int_equal(esp_register_shutdown_handler(restart_in_handler), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(note_a), ESP_OK);
    restart();
    assert_string_equal(record, "r");
    esp_unregister_shutdown_handler(restart_in_handler);
    esp_unregister_shutdown_handler(note_a);
}

static void reset_reason_is_the_boards(void **state)
{
    (void)state;
    assert_int_equal(esp_reset_reason(), ESP_RST_POWERON);
    linux_board_testing_reboot(HAL_RESET_SOFTWARE);
    assert_int_equal(esp_reset_reason(), ESP_RST_SW);
    linux_board_testing_reboot(HAL_RESET_PANIC);
    assert_int_equal(esp_reset_reason(), ESP_RST_PANIC);
    linux_board_testing_reboot(HAL_RESET_NO_BOOTABLE_APP);
    assert_int_equal(esp_reset_reason(), ESP_RST_UNKNOWN);
}

static void free_heap_follows_allocations_and_remembers_its_minimum(void **state)
{
    (void)state;
    uint32_t before = esp_get_free_heap_size();
    void *memory = malloc(300000);
    assert_non_null(memory);
    uint32_t during = esp_get_free_heap_size();
    assert_in_range(before - during, 300000, 310000);
    free(memory);
    assert_in_range(esp_get_free_heap_size(), before - 2000, before + 2000);
    assert_true(esp_get_minimum_free_heap_size() <= during);
    assert_int_equal(esp_get_free_internal_heap_size(), esp_get_free_heap_size());
}

static void heap_caps_give_memory_the_board_has(void **state)
{
    (void)state;
    uint8_t *memory = heap_caps_malloc(10, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
    assert_non_null(memory);
    memory = heap_caps_realloc(memory, 5000, MALLOC_CAP_DEFAULT);
    assert_non_null(memory);
    heap_caps_free(memory);
    memory = heap_caps_calloc(3, 5, MALLOC_CAP_DEFAULT);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(memory[i], 0);
    }
    free(memory);
    memory = heap_caps_aligned_alloc(64, 100, MALLOC_CAP_DMA);
    assert_int_equal((uintptr_t)memory % 64, 0);
    heap_caps_free(memory);
    assert_null(heap_caps_malloc(0, MALLOC_CAP_DEFAULT));
    assert_null(heap_caps_malloc(10, MALLOC_CAP_SPIRAM));
    assert_null(heap_caps_aligned_alloc(48, 100, MALLOC_CAP_DEFAULT));
    assert_int_equal(heap_caps_get_free_size(MALLOC_CAP_SPIRAM), 0);
    assert_true(heap_caps_get_free_size(MALLOC_CAP_DEFAULT) <=
                heap_caps_get_total_size(MALLOC_CAP_DEFAULT));
}

static void failed_assert_prints_function_file_line_and_expression(void **state)
{
    (void)state;
    char output[1024];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        extern void fail_an_assert(int value);
        dup2(ends[1], STDOUT_FILENO);
        fail_an_assert(1);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], output + length, sizeof(output) - 1 - length)) > 0) {
        length += (size_t)got;
    }
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    assert_true(length > 0);
    output[length] = '\0';
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_non_null(strstr(output, "assert failed: fail_an_assert "));
    assert_non_null(strstr(output, "failing_assert.c:"));
    assert_non_null(strstr(output, " (value == 2)\n"));
}

#define T(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(restart_calls_handlers_in_order_of_registration),
        T(restart_inside_a_handler_resets_at_once),
        T(reset_reason_is_the_boards),
        T(free_heap_follows_allocations_and_remembers_its_minimum),
        T(heap_caps_give_memory_the_board_has),
        T(failed_assert_prints_function_file_line_and_expression),
    };
    return cmocka_run_group_tests_name("esp_system", tests, NULL, NULL);
}
