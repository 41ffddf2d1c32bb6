/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept over a reset, in the board's retain memory (formats specification, 4.7): 12 bytes of
 * content, then their CRC. Memory without a valid CRC counts as zeros. */
#include <string.h>

#include "bootloader.h"
#include "formats/crc32.h"
#include "hal/reset.h"

/* Offsets of the content. */
enum { APP_OFFSET = 0, APP_SIZE = 4, FLAGS = 10, CRC = 12 };

#define FLAG_FACTORY_RESET 1u

static uint8_t *retained(void)
{
    uint8_t *memory = hal_reset_retain_memory();
    uint32_t stored;
    memcpy(&stored, memory + CRC, sizeof(stored));
    if (stored != fmt_crc32(0xFFFFFFFFu, memory, CRC) || stored == 0xFFFFFFFFu) {
        memset(memory, 0, CRC);
    }
    return memory;
}

static void seal(uint8_t *memory)
{
    uint32_t crc = fmt_crc32(0xFFFFFFFFu, memory, CRC);
    memcpy(memory + CRC, &crc, sizeof(crc));
}

void boot_remember_factory_reset(void)
{
    uint8_t *memory = retained();
    memory[FLAGS] |= FLAG_FACTORY_RESET;
    seal(memory);
}

void boot_remember_app(const fmt_boot_pos_t *pos)
{
    uint8_t *memory = retained();
    memcpy(memory + APP_OFFSET, &pos->offset, sizeof(pos->offset));
    memcpy(memory + APP_SIZE, &pos->size, sizeof(pos->size));
    seal(memory);
}

bool boot_remembered_app(fmt_boot_pos_t *pos)
{
    const uint8_t *memory = retained();
    memcpy(&pos->offset, memory + APP_OFFSET, sizeof(pos->offset));
    memcpy(&pos->size, memory + APP_SIZE, sizeof(pos->size));
    return pos->size != 0;
}
