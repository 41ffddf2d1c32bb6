/* SPDX-License-Identifier: Apache-2.0
 *
 * What bootloader and application tell each other over a reset, in memory that keeps its content as
 * long as the power stays on. Source: formats specification, section 4.7. */
#ifndef FORMATS_RETAIN_H
#define FORMATS_RETAIN_H

#include <stdint.h>

/* Offsets of the content, little endian; the CRC is of everything before it. */
enum {
    FMT_RETAIN_APP_OFFSET = 0, /* u32, in flash: the application started last */
    FMT_RETAIN_APP_SIZE = 4,   /* u32, of its partition */
    FMT_RETAIN_FLAGS = 10,     /* u8 */
    FMT_RETAIN_CRC = 12,       /* u32 */
    FMT_RETAIN_SIZE = 16,
};

/* Flag: a factory reset happened. Whoever reads it clears it. */
#define FMT_RETAIN_FACTORY_RESET 1u

/* Before the FMT_RETAIN_SIZE bytes of memory are looked at or changed: content without a valid CRC
 * becomes zeros. */
void fmt_retain_open(uint8_t *memory);

/* After a change: makes the CRC right. */
void fmt_retain_seal(uint8_t *memory);

#endif
