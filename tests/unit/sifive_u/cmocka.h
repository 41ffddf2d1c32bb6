/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of cmocka's interface that the tests here use, for a program without a host under it.
 * What it prints about a test looks like cmocka's, so that one reader serves both. An assertion
 * that fails in the task that runs the tests ends that test; in any other task, the program. */
#ifndef UNIT_CMOCKA_H
#define UNIT_CMOCKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f)                                 cmocka_unit_test_setup_teardown(f, NULL, NULL)
#define cmocka_unit_test_setup(f, setup)                    cmocka_unit_test_setup_teardown(f, setup, NULL)
#define cmocka_unit_test_teardown(f, teardown)              cmocka_unit_test_setup_teardown(f, NULL, teardown)
#define cmocka_unit_test_setup_teardown(f, setup, teardown) {#f, f, setup, teardown, NULL}
#define cmocka_unit_test_prestate(f, state)                 {#f, f, NULL, NULL, state}

/* The number of tests that failed. */
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    unit_run_group(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

int unit_run_group(const char *name, const struct CMUnitTest *tests, size_t count,
                   CMFixtureFunction setup, CMFixtureFunction teardown);

void unit_check(bool good, const char *text, const char *file, int line);
void unit_check_int(uintmax_t left, uintmax_t right, bool equal, const char *file, int line);
void unit_check_range(uintmax_t value, uintmax_t low, uintmax_t high, const char *file, int line);
void unit_check_string(const char *left, const char *right, bool equal, const char *file, int line);
void unit_check_memory(const void *left, const void *right, size_t size, bool equal,
                       const char *file, int line);
_Noreturn void unit_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void unit_skip(void);

#define test_malloc(size) malloc(size)
#define test_free(memory) free(memory)

#define fail_msg(...)      unit_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail()             unit_fail(__FILE__, __LINE__, "failed")
#define skip()             unit_skip()
#define print_message(...) (void)printf(__VA_ARGS__)
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define assert_true(c)     unit_check((c) ? true : false, #c, __FILE__, __LINE__)
#define assert_false(c)    unit_check((c) ? false : true, "!(" #c ")", __FILE__, __LINE__)
#define assert_non_null(p) unit_check((p) != NULL, #p " != NULL", __FILE__, __LINE__)
#define assert_null(p)     unit_check((p) == NULL, #p " == NULL", __FILE__, __LINE__)

#define assert_int_equal(a, b)                                                                     \
    unit_check_int((uintmax_t)(a), (uintmax_t)(b), true, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    unit_check_int((uintmax_t)(a), (uintmax_t)(b), false, __FILE__, __LINE__)
#define assert_ptr_equal(a, b)                                                                     \
    unit_check_int((uintptr_t)(a), (uintptr_t)(b), true, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b)                                                                 \
    unit_check_int((uintptr_t)(a), (uintptr_t)(b), false, __FILE__, __LINE__)
#define assert_in_range(v, low, high)                                                              \
    unit_check_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), __FILE__, __LINE__)
#define assert_string_equal(a, b)           unit_check_string(a, b, true, __FILE__, __LINE__)
#define assert_string_not_equal(a, b)       unit_check_string(a, b, false, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size)     unit_check_memory(a, b, size, true, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size) unit_check_memory(a, b, size, false, __FILE__, __LINE__)

#endif
