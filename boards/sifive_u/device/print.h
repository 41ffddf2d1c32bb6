/* SPDX-License-Identifier: Apache-2.0
 *
 * Formatted output straight to the console, for the ROM stage and the panic handler: no memory, no
 * locks, works at any time. */
#ifndef SIFIVE_U_PRINT_H
#define SIFIVE_U_PRINT_H

/* Knows %s, %u, %x (with width and leading zeros) and %%. Numbers are 32 bits, be they int or
 * long. */
void print(const char *format, ...);

#endif
