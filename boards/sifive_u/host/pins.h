/* SPDX-License-Identifier: Apache-2.0
 *
 * What drives the board's pins from outside. */
#ifndef SIFIVE_U_HOST_PINS_H
#define SIFIVE_U_HOST_PINS_H

#include "emulator.h"
#include "linux_board/state.h"

/* Brings the drives that state names to the board's pins. The board's reset line and pins it does
 * not have are left out. False: the emulator does not answer. */
bool pins_apply(emulator_t *emulator, const linux_board_state_t *state);

/* Brings what the program did to the pins, as the chip's registers say, to state. False: the
 * emulator does not answer. */
bool pins_report(emulator_t *emulator, linux_board_state_t *state);

#endif
