/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "dies.h"

enum { PASSED, FAILED, SKIPPED };

static jmp_buf s_end;
static volatile int s_result; /* of the test or fixture that runs */
static TaskHandle_t s_runner; /* the task inside a test; NULL between tests */

static _Noreturn void end_test(int result)
{
    if (xTaskGetCurrentTaskHandle() != s_runner) {
        printf("an assertion failed outside the task that runs the tests\n");
        abort();
    }
    s_result = result;
    longjmp(s_end, 1);
}

_Noreturn void unit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n%s:%d: error: Failure!\n", file, line);
    end_test(FAILED);
}

_Noreturn void unit_skip(void)
{
    end_test(SKIPPED);
}

void unit_check(bool good, const char *text, const char *file, int line)
{
    if (!good) {
        unit_fail(file, line, "%s", text);
    }
}

void unit_check_int(uintmax_t left, uintmax_t right, bool equal, const char *file, int line)
{
    if ((left == right) != equal) {
        unit_fail(file, line, "%#llx %s %#llx", (unsigned long long)left,
                  equal ? "!=" : "==", (unsigned long long)right);
    }
}

void unit_check_range(uintmax_t value, uintmax_t low, uintmax_t high, const char *file, int line)
{
    if (value < low || value > high) {
        unit_fail(file, line, "%llu is not within the range %llu-%llu", (unsigned long long)value,
                  (unsigned long long)low, (unsigned long long)high);
    }
}

void unit_check_string(const char *left, const char *right, bool equal, const char *file, int line)
{
    if ((strcmp(left, right) == 0) != equal) {
        unit_fail(file, line, "\"%s\" %s \"%s\"", left, equal ? "!=" : "==", right);
    }
}

void unit_check_memory(const void *left, const void *right, size_t size, bool equal,
                       const char *file, int line)
{
    const uint8_t *a = left, *b = right;
    size_t at = 0;

    while (at < size && a[at] == b[at]) {
        at++;
    }
    if (at < size && equal) {
        unit_fail(file, line, "difference at offset %u: 0x%02x 0x%02x", (unsigned)at, a[at], b[at]);
    }
    if (at == size && !equal) {
        unit_fail(file, line, "%u bytes are equal", (unsigned)size);
    }
}

void assert_dies_saying(const char *name, const char *text)
{
    printf("unit: dies %s %s\n", name, text);
}

/* Runs a test or a fixture; what an assertion in it comes to counts as its result. */
static int run_guarded(CMUnitTestFunction test, CMFixtureFunction fixture, void **state)
{
    s_result = PASSED;
    s_runner = xTaskGetCurrentTaskHandle();
    if (setjmp(s_end) == 0) {
        if (test != NULL) {
            test(state);
        } else if (fixture != NULL && fixture(state) != 0) {
            s_result = FAILED;
        }
    }
    s_runner = NULL;
    return s_result;
}

static int run_test(const struct CMUnitTest *test)
{
    static const char *const words[] = {"[       OK ]", "[  FAILED  ]", "[  SKIPPED ]"};
    void *state = test->initial_state;

    printf("[ RUN      ] %s\n", test->name);
    int result = run_guarded(NULL, test->setup_func, &state);
    if (result == PASSED) {
        result = run_guarded(test->test_func, NULL, &state);
        if (run_guarded(NULL, test->teardown_func, &state) != PASSED) {
            printf("its teardown failed\n");
            result = FAILED;
        }
    }
    printf("%s %s\n", words[result], test->name);
    return result;
}

int unit_run_group(const char *name, const struct CMUnitTest *tests, size_t count,
                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    void *state = NULL;
    size_t results[3] = {0};

    printf("[==========] %s: Running %u test(s).\n", name, (unsigned)count);
    if (run_guarded(NULL, setup, &state) != PASSED) {
        printf("the setup of group %s failed\n", name);
        return (int)count;
    }
    for (size_t i = 0; i < count; i++) {
        results[run_test(&tests[i])]++;
    }
    if (run_guarded(NULL, teardown, &state) != PASSED) {
        printf("the teardown of group %s failed\n", name);
        results[FAILED]++;
    }
    printf("[==========] %s: %u passed, %u failed, %u skipped.\n", name, (unsigned)results[PASSED],
           (unsigned)results[FAILED], (unsigned)results[SKIPPED]);
    return (int)results[FAILED];
}
