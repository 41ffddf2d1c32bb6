/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/retain.h"

#include <string.h>

#include "formats/crc32.h"

void fmt_retain_open(uint8_t *memory)
{
    uint32_t stored;

    memcpy(&stored, memory + FMT_RETAIN_CRC, sizeof(stored));
    if (stored != fmt_crc32(0xFFFFFFFFu, memory, FMT_RETAIN_CRC) || stored == 0xFFFFFFFFu) {
        memset(memory, 0, FMT_RETAIN_CRC);
    }
}

void fmt_retain_seal(uint8_t *memory)
{
    uint32_t crc = fmt_crc32(0xFFFFFFFFu, memory, FMT_RETAIN_CRC);

    memcpy(memory + FMT_RETAIN_CRC, &crc, sizeof(crc));
}
