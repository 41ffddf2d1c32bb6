/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's console: a byte stream out, a byte stream in. */
#ifndef HAL_CONSOLE_H
#define HAL_CONSOLE_H

#include <stddef.h>

/* Writes len bytes as they are. Works from the first instruction on and with interrupts off;
 * returns when the bytes have left this program. One call's bytes are never mixed with another
 * task's. */
void hal_console_write(const char *text, size_t len);

/* Waits for input and reads up to len bytes into buf. Blocks the calling task only.
 * Returns the number of bytes (> 0), or 0 when the console will deliver no more. */
size_t hal_console_read(char *buf, size_t len);

#endif
