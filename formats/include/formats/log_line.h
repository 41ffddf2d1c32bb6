/* SPDX-License-Identifier: Apache-2.0
 *
 * A finished console line: formats/ says what to print, its callers print it their way, so the
 * bootloader and the application show the same words. */
#ifndef FORMATS_LOG_LINE_H
#define FORMATS_LOG_LINE_H

#include <stdbool.h>

#define FMT_LOG_TEXT_SIZE 144

typedef struct {
    char level;      /* 'E', 'W', 'I', 'D' or 'V' */
    bool not_silent; /* a silent verification leaves this line out */
    const char *tag; /* static storage */
    char text[FMT_LOG_TEXT_SIZE];
} fmt_log_line_t;

#endif
