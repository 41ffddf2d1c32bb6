/* SPDX-License-Identifier: Apache-2.0
 *
 * What the board is, as the image checks see it. */
#ifndef HAL_CHIP_H
#define HAL_CHIP_H

#include <stdint.h>

#include "formats/chip.h"

/* The board's entry of the chip table (chip id, name, memory map, limits). Never NULL. */
const fmt_chip_t *hal_chip(void);

/* Chip revision, major * 100 + minor. */
uint16_t hal_chip_revision(void);

#endif
