/* SPDX-License-Identifier: Apache-2.0 */
#include "console_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static int s_console, s_kept;

void console_capture_begin(void)
{
    int ends[2];

    /* A pipe holds more than 4 KiB before it blocks. */
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    s_console = dup(STDOUT_FILENO);
    assert_true(s_console >= 0);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    close(ends[1]);
    s_kept = ends[0];
}

size_t console_capture_end(char *out, size_t room)
{
    size_t used = 0;
    ssize_t got;

    fflush(stdout);
    dup2(s_console, STDOUT_FILENO);
    close(s_console);
    while (used < room - 1 && (got = read(s_kept, out + used, room - 1 - used)) > 0) {
        used += (size_t)got;
    }
    close(s_kept);
    out[used] = '\0';
    return used;
}
