/* SPDX-License-Identifier: Apache-2.0
 *
 * Output of log text. A line is one call of the output function, so lines of different tasks do
 * not mix. */
#include <stdatomic.h>
#include <stdio.h>

#include "esp_log_write.h"

static _Atomic(vprintf_like_t) print = vprintf;

vprintf_like_t esp_log_set_vprintf(vprintf_like_t function)
{
    return function != NULL ? atomic_exchange(&print, function) : atomic_load(&print);
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
{
#ifdef CONFIG_LOG_MASTER_LEVEL
    if (level > esp_log_get_level_master()) {
        return;
    }
#endif
    if (level == ESP_LOG_NONE || level > esp_log_level_get(tag)) {
        return;
    }
    atomic_load (&print)(format, args);
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}
