/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the linux board's device side share. */
#ifndef LINUX_BOARD_DEVICE_BOARD_H
#define LINUX_BOARD_DEVICE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "linux_board/flash_model.h"
#include "linux_board/state.h"

/* The board this process belongs to; the first call finds it. Never NULL: a process whose
 * environment names a board that cannot be used ends with a message. */
linux_flash_t *board(void);

/* Whether this process has a board of its own (see linux_board/testing.h). */
bool board_is_private(void);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t board_now_ns(void);

/* Ends the process with an exit status of state.h, running no handlers. */
_Noreturn void board_exit(int status);

/* Hooks of testing.h; both return if there is no hook or it returns. */
void board_call_reset_hook(uint32_t reason);
bool board_call_cut_hook(void); /* false: there is no hook */

/* Forgets faults and the broken state after a cut (flash.c), and that flash was found (reset). */
void board_flash_forget(bool initialised_too);

/* Gives back the memory that programs were loaded to (loader.c). */
void board_loader_forget(void);

/* Crash signals print a report and reset the board (panic.c). */
void board_catch_crashes(void);

#endif
