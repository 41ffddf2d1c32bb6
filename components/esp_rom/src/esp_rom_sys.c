/* SPDX-License-Identifier: Apache-2.0
 *
 * Printing past stdio, and busy waiting. */
#include <stddef.h>
#include <stdio.h>

#include "esp_rom_sys.h"
#include "hal/clock.h"
#include "hal/console.h"

/* On the stack of tasks as small as 1.5 KiB. */
#define LINE_SIZE 256

int esp_rom_vprintf(const char *format, va_list args)
{
    static const char cut_mark[] = "...\n";
    char line[LINE_SIZE];
    int length = vsnprintf(line, sizeof(line), format, args);

    if (length < 0) {
        return length;
    }
    if ((size_t)length >= sizeof(line)) {
        length = sizeof(line) - 1;
        for (size_t i = 0; i < sizeof(cut_mark) - 1; i++) {
            line[sizeof(line) - sizeof(cut_mark) + i] = cut_mark[i];
        }
    }
    hal_console_write(line, (size_t)length);
    return length;
}

int esp_rom_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = esp_rom_vprintf(format, args);
    va_end(args);
    return length;
}

void esp_rom_delay_us(uint32_t us)
{
    hal_clock_spin_us(us);
}
