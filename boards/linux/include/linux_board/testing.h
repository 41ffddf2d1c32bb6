/* SPDX-License-Identifier: Apache-2.0
 *
 * For unit tests and for the power-cut engine: a board of their own, in memory, inside the process.
 * A program that the runner did not start has such a board; the functions below shape it. None of
 * them is for firmware.
 *
 * Not for use while other threads use the hal. */
#ifndef LINUX_BOARD_TESTING_H
#define LINUX_BOARD_TESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"
#include "hal/reset.h"
#include "linux_board/state.h"

/* Size of the chip before the first linux_board_testing_reset(). */
#define LINUX_BOARD_TESTING_FLASH_SIZE 0x00400000u

/* A new board: an erased chip of flash_size bytes (see linux_board_flash_size_valid(); others end
 * the process with a message), hal_flash_init() not called yet, no faults, no hooks, counters 0,
 * retain memory 0, reset reason power-on. Views made by hal_flash_map() before are gone. */
void linux_board_testing_reset(uint32_t flash_size);

/* As linux_board_testing_reset(), but the board is the caller's memory, which other processes may
 * share: its contents are not touched, and the caller keeps it as long as the board is used. flash
 * has state->flash_size bytes. */
void linux_board_testing_attach(uint8_t *flash, linux_board_state_t *state);

/* The chip's bytes (to fill or look at without an operation) and everything else of the board.
 * Owned by the board, valid until linux_board_testing_reset(). */
uint8_t *linux_board_testing_flash(void);
linux_board_state_t *linux_board_testing_state(void);

/* Called in the place of a reset. It may longjmp() away or end the test; if it returns, the process
 * ends with the board's exit status as without a hook. NULL: no hook. */
typedef void (*linux_board_reset_hook_t)(hal_reset_reason_t reason, void *arg);
void linux_board_testing_on_reset(linux_board_reset_hook_t hook, void *arg);

/* Called when a power-cut plan comes true, with no lock held. It may longjmp() away; if it returns,
 * the operation that was cut, and every flash operation after it, gives ESP_ERR_FLASH_OP_FAIL until
 * linux_board_testing_power_on(). NULL: the process ends with LINUX_BOARD_EXIT_POWER_CUT. */
typedef void (*linux_board_cut_hook_t)(void *arg);
void linux_board_testing_on_cut(linux_board_cut_hook_t hook, void *arg);

/* Called in the place of starting a loaded program. It may longjmp() away; if it returns, and
 * without a hook, hal_loader_start() gives ESP_ERR_IMAGE_INVALID. */
typedef void (*linux_board_start_hook_t)(uint32_t entry, uint32_t image_offset, void *arg);
void linux_board_testing_on_start(linux_board_start_hook_t hook, void *arg);

/* Called before each program (data is its len bytes) and each erase (data is NULL) that passed the
 * check of its range, in the thread that does it, with the chip locked: it may look at the board
 * but use no hal. NULL: no hook. */
typedef void (*linux_board_operation_hook_t)(uint32_t address, const void *data, size_t len,
                                             void *arg);
void linux_board_testing_on_operation(linux_board_operation_hook_t hook, void *arg);

/* Whether waiting costs nothing: hal_clock_spin_us() then moves the clock instead. */
void linux_board_testing_skip_waiting(bool skip);

/* Plans a power cut at the operation-th program or erase from now on (1 = the next one). byte
 * counts only in mode LINUX_BOARD_CUT_INSIDE. */
void linux_board_testing_cut(uint64_t operation, linux_board_cut_mode_t mode, uint32_t byte);

/* Switches the board on again after a cut: flash answers, retain memory is zero, the reason is
 * power-on, operations count from 0. Flash contents stay. */
void linux_board_testing_power_on(void);

/* As after hal_reset(reason), flash and retain memory kept. */
void linux_board_testing_reboot(hal_reset_reason_t reason);

typedef enum {
    LINUX_BOARD_FAULT_READ,
    LINUX_BOARD_FAULT_PROGRAM,
    LINUX_BOARD_FAULT_ERASE,
    LINUX_BOARD_FAULT_ANY,
} linux_board_fault_t;

/* The nth operation of that kind from now on (1 = the next one) does nothing and returns error;
 * those after it work again. One fault at a time, the last call counts; nth 0 takes it back. */
void linux_board_testing_fail(linux_board_fault_t kind, uint64_t nth, esp_err_t error);

/* Whether the fault asked for has happened. */
bool linux_board_testing_failed(void);

#endif
