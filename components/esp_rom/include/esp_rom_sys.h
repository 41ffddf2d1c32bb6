/* SPDX-License-Identifier: Apache-2.0
 *
 * The printing and waiting that a chip's ROM offers: works before the heap and the scheduler. */
#ifndef ESP_ROM_SYS_H
#define ESP_ROM_SYS_H

#include <stdarg.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Prints to the board's console, past stdio: no heap, no lock, no log level. One call is one write
 * to the console; more than 255 bytes of text are cut, and the cut is marked with "...\n".
 * What stdio still holds of earlier output is not flushed. Returns the number of bytes printed. */
int esp_rom_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int esp_rom_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Waits at least us microseconds without letting other tasks run on this core. */
void esp_rom_delay_us(uint32_t us);

#ifdef __cplusplus
}
#endif

#endif
