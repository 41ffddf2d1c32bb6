/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootloader's console lines: "L (ms) tag: text". No heap, no stdio. */
#ifndef BOOTLOADER_LOG_H
#define BOOTLOADER_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "formats/log_line.h"

/* A subset of vsnprintf() and snprintf(): %s %c %d %u %x and %%, each with an optional '-', '0' and
 * width; 'l' before d, u and x. Unlike those they return the number of characters written, which
 * the size cuts. size > 0. The build gives boot_format() to formats/ in the place of snprintf(). */
int boot_vformat(char *out, size_t size, const char *format, va_list arguments);
int boot_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints a line if CONFIG_BOOTLOADER_LOG_LEVEL shows its level ('E', 'W', 'I', 'D', 'V'). */
void boot_log(char level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints a line that formats/ made. */
void boot_log_line(const fmt_log_line_t *line);

#endif
