/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/chip.h"

#include <stdlib.h>

#include "board.h"

const fmt_chip_t *hal_chip(void)
{
    const fmt_chip_t *chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX);
    if (chip == NULL) {
        abort(); /* formats/ was built without this board */
    }
    return chip;
}

uint16_t hal_chip_revision(void)
{
    return LINUX_BOARD_CHIP_REVISION;
}
