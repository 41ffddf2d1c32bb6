/* SPDX-License-Identifier: Apache-2.0
 *
 * A linux board on the host's disk: its flash file, and beside it FLASH.state with everything else
 * (linux_board/state.h). */
#ifndef LINUX_BOARD_HOST_BOARD_FILES_H
#define LINUX_BOARD_HOST_BOARD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux_board/flash_model.h"

#define LINUX_BOARD_ERROR_SIZE 4608 /* a path and a sentence */

typedef struct {
    int flash_fd;
    int state_fd;
    linux_flash_t flash; /* both files, mapped */
} linux_board_files_t;

typedef enum {
    LINUX_BOARD_USE,  /* alone: refused while another process uses the board, after 2 s */
    LINUX_BOARD_LOOK, /* beside a running board: look, or move its pins or its cable */
} linux_board_access_t;

/* Opens the board of the flash file at path. A missing state file is made new (a board that was
 * never switched on). Returns false with a text in error that names the file. */
bool linux_board_open(linux_board_files_t *board, const char *path, linux_board_access_t access,
                      char error[LINUX_BOARD_ERROR_SIZE]);

/* Makes the flash file at path new: an erased chip of size bytes (linux_board_flash_size_valid()),
 * and a new state. An existing board there is replaced. Errors as linux_board_open(). */
bool linux_board_create(const char *path, uint32_t size, char error[LINUX_BOARD_ERROR_SIZE]);

/* Brings what board's state says about the running program's side of the pins up to date: some
 * runners do that only when asked. path is that of the flash file. False: the runner was asked, but
 * has not answered within a second; the state then is as it was last told. */
bool linux_board_ask_pins(const linux_board_files_t *board, const char *path);

/* The runner's part: how it is asked, by someone who closes the state file after opening it for
 * writing (IN_CLOSE_WRITE), and how it answers. */
void linux_board_tell_pins(const linux_board_files_t *board);

/* Unmaps and closes. */
void linux_board_close(linux_board_files_t *board);

#endif
