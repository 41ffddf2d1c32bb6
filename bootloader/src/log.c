/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "hal/clock.h"
#include "hal/console.h"

#define LINE_SIZE 224

typedef struct {
    char *out;
    size_t size;
    size_t len;
} text_t;

static void put(text_t *text, char c)
{
    if (text->len + 1 < text->size) {
        text->out[text->len++] = c;
    }
}

typedef struct {
    bool left;
    bool zeros;
    unsigned width;
} field_t;

static void put_field(text_t *text, const field_t *field, const char *value, size_t len)
{
    size_t padding = field->width > len ? field->width - len : 0;
    if (!field->left) {
        /* A sign goes before zeros. */
        if (field->zeros && len > 0 && value[0] == '-') {
            put(text, '-');
            value++;
            len--;
        }
        for (; padding > 0; padding--) {
            put(text, field->zeros ? '0' : ' ');
        }
    }
    for (size_t i = 0; i < len; i++) {
        put(text, value[i]);
    }
    for (; padding > 0; padding--) {
        put(text, ' ');
    }
}

static void put_number(text_t *text, const field_t *field, unsigned long value, bool negative,
                       unsigned base)
{
    char digits[3 * sizeof(value) + 1];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) {
        digits[--at] = '-';
    }
    put_field(text, field, digits + at, sizeof(digits) - at);
}

static const char *parse_field(const char *format, field_t *field)
{
    *field = (field_t){0};
    for (;; format++) {
        if (*format == '-') {
            field->left = true;
        } else if (*format == '0') {
            field->zeros = true;
        } else {
            break;
        }
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        field->width = field->width * 10 + (unsigned)(*format - '0');
    }
    return format;
}

int boot_vformat(char *out, size_t size, const char *format, va_list arguments)
{
    text_t text = {.out = out, .size = size};
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        field_t field;
        format = parse_field(format + 1, &field);
        bool is_long = *format == 'l';
        format += is_long;
        if (*format == '\0') {
            break;
        }
        switch (*format) {
        case 's': {
            const char *value = va_arg(arguments, const char *);
            size_t len = 0;
            while (value[len] != '\0') {
                len++;
            }
            field.zeros = false;
            put_field(&text, &field, value, len);
            break;
        }
        case 'c': {
            char value = (char)va_arg(arguments, int);
            field.zeros = false;
            put_field(&text, &field, &value, 1);
            break;
        }
        case 'd': {
            long value = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            put_number(&text, &field, value < 0 ? 0ul - (unsigned long)value : (unsigned long)value,
                       value < 0, 10);
            break;
        }
        case 'u':
        case 'x': {
            unsigned long value =
                is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
            put_number(&text, &field, value, false, *format == 'x' ? 16 : 10);
            break;
        }
        default:
            put(&text, *format);
            break;
        }
    }
    out[text.len] = '\0';
    return (int)text.len;
}

int boot_format(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = boot_vformat(out, size, format, arguments);
    va_end(arguments);
    return len;
}

static bool shown(char level)
{
    static const char levels[] = "NEWIDV";
    int number = 0;
    while (levels[number] != '\0' && levels[number] != level) {
        number++;
    }
    return number <= CONFIG_BOOTLOADER_LOG_LEVEL;
}

#ifdef CONFIG_BOOTLOADER_LOG_COLORS
static const char *color(char level)
{
    switch (level) {
    case 'E':
        return "\033[0;31m";
    case 'W':
        return "\033[0;33m";
    case 'I':
        return "\033[0;32m";
    default:
        return "";
    }
}
#define LINE_END "\033[0m\n"
#else
static const char *color(char level)
{
    (void)level;
    return "";
}
#define LINE_END "\n"
#endif

/* Since reset. Without a 64-bit division: exact for nine hours, wrong but harmless after that. */
static unsigned milliseconds(void)
{
    return (unsigned)((uint32_t)(hal_clock_us() >> 3) / 125u);
}

static void print(char level, const char *tag, const char *format, va_list arguments)
{
    char line[LINE_SIZE];
    size_t room = sizeof(line) - (sizeof(LINE_END) - 1);
    size_t len =
        (size_t)boot_format(line, room, "%s%c (%u) %s: ", color(level), level, milliseconds(), tag);
    len += (size_t)boot_vformat(line + len, room - len, format, arguments);
    for (const char *end = LINE_END; *end != '\0'; end++) {
        line[len++] = *end;
    }
    hal_console_write(line, len);
}

void boot_log(char level, const char *tag, const char *format, ...)
{
    if (!shown(level)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    print(level, tag, format, arguments);
    va_end(arguments);
}

void boot_log_line(const fmt_log_line_t *line)
{
    boot_log(line->level, line->tag, "%s", line->text);
}
