/* SPDX-License-Identifier: Apache-2.0
 *
 * What a failed ESP_ERROR_CHECK says. */
#include "esp_err.h"
#include "esp_rom_sys.h"

static void print_failure(const char *macro, esp_err_t code, const void *caller, const char *file,
                          int line, const char *function, const char *expression)
{
    esp_rom_printf("%s failed: esp_err_t 0x%x (%s) at 0x%08lx\n"
                   "file: \"%s\" line %d\n"
                   "func: %s\n"
                   "expression: %s\n",
                   macro, (unsigned)code, esp_err_to_name(code), (unsigned long)(uintptr_t)caller,
                   file, line, function, expression);
}

ESP_COMPILER_NOINLINE void esp_error_check_failed(esp_err_t code, const char *file, int line,
                                                  const char *function, const char *expression)
{
    print_failure("ESP_ERROR_CHECK", code, __builtin_return_address(0), file, line, function,
                  expression);
    abort();
}

ESP_COMPILER_NOINLINE void esp_error_check_failed_without_abort(esp_err_t code, const char *file,
                                                                int line, const char *function,
                                                                const char *expression)
{
    print_failure("ESP_ERROR_CHECK_WITHOUT_ABORT", code, __builtin_return_address(0), file, line,
                  function, expression);
}
