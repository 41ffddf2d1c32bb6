/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "esp_stdio_console.h"

static void fgets_gets_a_line_at_a_time_with_enter_as_newline(void **state)
{
    (void)state;
    static const char typed[] = "first\rsecond\nrest";
    char line[32];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(write(ends[1], typed, sizeof(typed) - 1), sizeof(typed) - 1);
    close(ends[1]);

    assert_int_equal(esp_stdio_install_console(), ESP_OK);
    assert_int_equal(esp_stdio_install_console(), ESP_OK);
    assert_non_null(fgets(line, sizeof(line), stdin));
    assert_string_equal(line, "first\n");
    assert_non_null(fgets(line, sizeof(line), stdin));
    assert_string_equal(line, "second\n");
    assert_non_null(fgets(line, sizeof(line), stdin));
    assert_string_equal(line, "rest");
    assert_null(fgets(line, sizeof(line), stdin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fgets_gets_a_line_at_a_time_with_enter_as_newline),
    };
    return cmocka_run_group_tests_name("esp_stdio", tests, NULL, NULL);
}
