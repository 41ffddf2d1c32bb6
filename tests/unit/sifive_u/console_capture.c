/* SPDX-License-Identifier: Apache-2.0 */
#include "console_capture.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char s_kept[4096];
static size_t s_length;
static bool s_on;

void __real_hal_console_write(const char *text, size_t len);
void __wrap_hal_console_write(const char *text, size_t len);

void __wrap_hal_console_write(const char *text, size_t len)
{
    if (!s_on) {
        __real_hal_console_write(text, len);
        return;
    }
    if (len > sizeof(s_kept) - s_length) {
        len = sizeof(s_kept) - s_length;
    }
    memcpy(s_kept + s_length, text, len);
    s_length += len;
}

void console_capture_begin(void)
{
    fflush(stdout);
    s_length = 0;
    s_on = true;
}

size_t console_capture_end(char *out, size_t room)
{
    fflush(stdout);
    s_on = false;
    size_t length = s_length < room - 1 ? s_length : room - 1;
    memcpy(out, s_kept, length);
    out[length] = '\0';
    return length;
}
