/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootloader's formatter gives what the C library's gives, for the subset it knows. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"

/* The formatter under test and the library's with the same arguments. */
#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[128], theirs[128];                                                               \
        int length = boot_format(ours, sizeof(ours), __VA_ARGS__);                                 \
        assert_int_equal(length, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                   \
        assert_string_equal(ours, theirs);                                                         \
    } while (0)

static void formats_like_the_c_library(void **state)
{
    (void)state;
    SAME("plain");
    SAME("%s|%16s|%-16s|%2s", "label", "label", "label", "label");
    SAME("%c%5c%-5c|", 'a', 'b', 'c');
    SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%2d|%-6d|%06d|%6d", 7, -42, -42, -42);
    SAME("%u %6u %-6u|", 0u, 123u, UINT_MAX);
    SAME("%x %02x %08x %05xh", 0xABCDu, 5u, 0xDEADBEEFu, 0x123456u);
    SAME("%lu %lx %ld %08lx", 1ul, 0xFFFFFFFFul, -5l, 0xBEEFul);
    SAME("100%%");
}

static void cuts_at_the_size_and_always_terminates(void **state)
{
    (void)state;
    char text[8];
    memset(text, 'x', sizeof(text));
    assert_int_equal(boot_format(text, 4, "%s", "abcdef"), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(text[4], 'x');
    assert_int_equal(boot_format(text, 1, "%d", 12345), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_like_the_c_library),
        cmocka_unit_test(cuts_at_the_size_and_always_terminates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
