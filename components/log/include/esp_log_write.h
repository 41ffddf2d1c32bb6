/* SPDX-License-Identifier: Apache-2.0
 *
 * Where log text goes. */
#ifndef ESP_LOG_WRITE_H
#define ESP_LOG_WRITE_H

#include <stdarg.h>

#include "esp_log_level.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A function that prints as vprintf() does. It may be called by several tasks at a time. */
typedef int (*vprintf_like_t)(const char *format, va_list args);

/* Makes function print all later log lines; each line is one call of it. Returns the function used
 * until now (at start: vprintf() to stdout). function must not be NULL: NULL is ignored. */
vprintf_like_t esp_log_set_vprintf(vprintf_like_t function);

/* Print the formatted text as it is, with no time and no newline added, if the level of tag admits
 * level. tag must not be NULL. */
void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#ifdef __cplusplus
}
#endif

#endif
