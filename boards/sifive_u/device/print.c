/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/console.h"

static void put_repeated(char c, unsigned count)
{
    while (count-- > 0) {
        hal_console_write(&c, 1);
    }
}

static void put_padded(const char *text, size_t len, unsigned width, bool left, char fill)
{
    unsigned pad = len < width ? width - (unsigned)len : 0;

    if (!left) {
        put_repeated(fill, pad);
    }
    hal_console_write(text, len);
    if (left) {
        put_repeated(' ', pad);
    }
}

static size_t digits_of(uint32_t value, unsigned base, char out[10])
{
    char reversed[10];
    size_t len = 0;

    do {
        reversed[len++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (size_t i = 0; i < len; i++) {
        out[i] = reversed[len - 1 - i];
    }
    return len;
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    while (*format != '\0') {
        const char *start = format;
        while (*format != '\0' && *format != '%') {
            format++;
        }
        if (format != start) {
            hal_console_write(start, (size_t)(format - start));
            continue;
        }
        format++;
        bool left = false;
        char fill = ' ';
        unsigned width = 0;
        if (*format == '-') {
            left = true;
            format++;
        }
        if (*format == '0') {
            fill = '0';
            format++;
        }
        while (*format >= '0' && *format <= '9') {
            width = width * 10 + (unsigned)(*format++ - '0');
        }
        if (*format == 'l') {
            format++;
        }
        char digits[10];
        char c = *format != '\0' ? *format++ : '%';
        if (c == 's') {
            const char *text = va_arg(args, const char *);
            size_t len = 0;
            while (text[len] != '\0') {
                len++;
            }
            put_padded(text, len, width, left, ' ');
        } else if (c == 'c') {
            c = (char)va_arg(args, int);
            hal_console_write(&c, 1);
        } else if (c == 'x' || c == 'u') {
            put_padded(digits, digits_of(va_arg(args, uint32_t), c == 'x' ? 16 : 10, digits), width,
                       left, fill);
        } else if (c == 'd') {
            int32_t value = va_arg(args, int32_t);
            if (value < 0) {
                hal_console_write("-", 1);
            }
            uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
            put_padded(digits, digits_of(magnitude, 10, digits), width, left, fill);
        } else {
            hal_console_write(&c, 1);
        }
    }
    va_end(args);
}
