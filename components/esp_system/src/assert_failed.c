/* SPDX-License-Identifier: Apache-2.0
 *
 * What a failed assert() says: C libraries call one of these functions, which stand here in front
 * of their own. */
#include <stdlib.h>

#include "sdkconfig.h"
#include "esp_rom_sys.h"

static _Noreturn void assert_failed(const char *expression, const char *file, unsigned line,
                                    const char *function)
{
#ifdef CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_SILENT
    (void)expression;
    (void)file;
    (void)line;
    (void)function;
#else
    esp_rom_printf("\nassert failed: %s %s:%u (%s)\n", function != NULL ? function : "", file, line,
                   expression);
#endif
    abort();
}

/* glibc */
_Noreturn void __assert_fail(const char *expression, const char *file, unsigned line,
                             const char *function);
_Noreturn void __assert_fail(const char *expression, const char *file, unsigned line,
                             const char *function)
{
    assert_failed(expression, file, line, function);
}

/* picolibc and newlib */
_Noreturn void __assert_func(const char *file, int line, const char *function,
                             const char *expression);
_Noreturn void __assert_func(const char *file, int line, const char *function,
                             const char *expression)
{
    assert_failed(expression, file, (unsigned)line, function);
}
