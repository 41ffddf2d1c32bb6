/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/chip.h"

#include "board.h"

const fmt_chip_t *hal_chip(void)
{
    return &fmt_chip_linux;
}

uint16_t hal_chip_revision(void)
{
    return LINUX_BOARD_CHIP_REVISION;
}
