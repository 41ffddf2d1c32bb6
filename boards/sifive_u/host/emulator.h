/* SPDX-License-Identifier: Apache-2.0
 *
 * The emulator's process and the lines to it. */
#ifndef SIFIVE_U_HOST_EMULATOR_H
#define SIFIVE_U_HOST_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/types.h>

#include "lossy_wire.h"
#include "sifive_u_host/runner.h"

#define EMULATOR_ERROR_SIZE 512

typedef struct {
    pid_t pid; /* 0: not running */
    int exit_status;
    int monitor;       /* QMP: commands as JSON lines */
    int memory;        /* reads and writes of the board's memory, beside the running program */
    int status;        /* what the ROM stage tells, see board.h */
    lossy_wire_t up;   /* frames of the board; open only if the network loses some */
    lossy_wire_t down; /* frames for the board */
} emulator_t;

typedef struct {
    const char *flash_path;
    int console_in; /* becomes the emulator's standard input and output */
    int console_out;
    const sigset_t *signal_mask; /* for the new process */
    unsigned loss_percent;       /* 0: frames do not pass through the wires up and down */
} emulator_wires_t;

/* Nothing is open yet. Before any other call. */
void emulator_init(emulator_t *emulator);

/* Starts the emulator with the board held in reset; emulator_run() lets it go. False with a text in
 * error. */
bool emulator_start(emulator_t *emulator, const sifive_u_options_t *board,
                    const emulator_wires_t *wires, char error[EMULATOR_ERROR_SIZE]);

/* Each returns false when the emulator does not answer (any more). */
bool emulator_run(emulator_t *emulator);
bool emulator_reset(emulator_t *emulator);
bool emulator_set_link(emulator_t *emulator, bool up);
bool emulator_read(emulator_t *emulator, uint32_t address, uint32_t *value);
bool emulator_write(emulator_t *emulator, uint32_t address, uint32_t value);

/* Moves frames through the wires up and down. */
void emulator_move_frames(emulator_t *emulator);

/* Whether it has ended; exit_status is then valid. */
bool emulator_ended(emulator_t *emulator);

/* Cuts the power: what the board has been told was written is in the flash file, unless the
 * emulator no longer answers. Closes everything; may be called at any time after emulator_start().
 */
void emulator_stop(emulator_t *emulator);

#endif
