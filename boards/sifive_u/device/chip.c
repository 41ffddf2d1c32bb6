/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/chip.h"

const fmt_chip_t *hal_chip(void)
{
    return &fmt_chip_sifive_u;
}

uint16_t hal_chip_revision(void)
{
    return 0;
}
