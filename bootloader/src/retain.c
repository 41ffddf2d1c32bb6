/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept over a reset, in the board's retain memory. Memory without a valid CRC counts as
 * zeros. */
#include <string.h>

#include "bootloader.h"
#include "formats/retain.h"
#include "hal/reset.h"

static uint8_t *retained(void)
{
    uint8_t *memory = hal_reset_retain_memory();
    fmt_retain_open(memory);
    return memory;
}

void boot_remember_factory_reset(void)
{
    uint8_t *memory = retained();
    memory[FMT_RETAIN_FLAGS] |= FMT_RETAIN_FACTORY_RESET;
    fmt_retain_seal(memory);
}

void boot_remember_app(const fmt_boot_pos_t *pos)
{
    uint8_t *memory = retained();
    memcpy(memory + FMT_RETAIN_APP_OFFSET, &pos->offset, sizeof(pos->offset));
    memcpy(memory + FMT_RETAIN_APP_SIZE, &pos->size, sizeof(pos->size));
    fmt_retain_seal(memory);
}

bool boot_remembered_app(fmt_boot_pos_t *pos)
{
    const uint8_t *memory = retained();
    memcpy(&pos->offset, memory + FMT_RETAIN_APP_OFFSET, sizeof(pos->offset));
    memcpy(&pos->size, memory + FMT_RETAIN_APP_SIZE, sizeof(pos->size));
    return pos->size != 0;
}
