/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program prints on its console, past anything that could be hooked in C. */
#ifndef UNIT_CONSOLE_CAPTURE_H
#define UNIT_CONSOLE_CAPTURE_H

#include <stddef.h>

/* From now on output is kept (4 KiB of it) and not shown. */
void console_capture_begin(void);

/* Puts what was kept into out (room bytes, room > 0), ended by a NUL and cut if it does not fit;
 * returns its length. Output is shown again. */
size_t console_capture_end(char *out, size_t room);

#endif
