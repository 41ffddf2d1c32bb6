/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>
#include <unistd.h>

#include "storage_board.h"

#include "esp_flash.h"

static void a_dangerous_write_ends_the_program_by_default(void **state)
{
    (void)state;
    board_new(BOARD_FACTORY);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t byte = 0;
        (void)esp_flash_write(NULL, &byte, BOARD_FACTORY, 1);
        _exit(0); /* it returned */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dangerous_write_ends_the_program_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
