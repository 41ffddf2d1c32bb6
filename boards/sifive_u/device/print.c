/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "hal/console.h"

static void print_number(uint32_t value, unsigned base, unsigned width)
{
    char digits[10];
    unsigned at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || (at > 0 && sizeof(digits) - at < width));
    hal_console_write(digits + at, sizeof(digits) - at);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        hal_console_write(format, plain);
        format += plain;
        if (*format == '\0') {
            break;
        }
        unsigned width = 0;
        for (format++; *format >= '0' && *format <= '9'; format++) {
            width = width * 10 + (unsigned)(*format - '0');
        }
        if (*format == 's') {
            const char *text = va_arg(args, const char *);
            hal_console_write(text, strlen(text));
        } else if (*format == 'x') {
            print_number(va_arg(args, uint32_t), 16, width);
        } else if (*format == 'u') {
            print_number(va_arg(args, uint32_t), 10, width);
        } else if (*format == '%') {
            hal_console_write("%", 1);
        } else {
            break;
        }
        format++;
    }
    va_end(args);
}
