/* SPDX-License-Identifier: Apache-2.0 */
#include "dies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Exit status as of wait(), and the output. */
static int run(const char *name, char *output, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl("/proc/self/exe", "test", name, (char *)NULL);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while (used < size - 1 && (got = read(ends[0], output + used, size - 1 - used)) > 0) {
        used += (size_t)got;
    }
    output[used] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void assert_dies_saying(const char *name, const char *text)
{
    static char output[4096];
    int status = run(name, output, sizeof(output));
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (strstr(output, text) == NULL) {
        fail_msg("expected \"%s\" in \"%s\"", text, output);
    }
}
