/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a board's flash from outside, as a flashing tool does over a serial line: by erasing and
 * programming, so that it wears the chip like anything else. */
#ifndef AIRLIFT_FLASH_WRITER_H
#define AIRLIFT_FLASH_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux_board_host/board_files.h"
#include "ui.h"

/* Erases the sectors of [offset, offset + len), both multiples of the sector size, in the largest
 * units that fit. False after an error message. progress may be NULL; done counts on in it. */
bool flash_writer_erase(linux_board_files_t *board, uint32_t offset, uint32_t len,
                        ui_progress_t *progress, uint64_t *done);

/* Erases the sectors that [offset, offset + len) touches, programs data, reads it back and
 * compares. offset is a multiple of the sector size, the range inside the chip. */
bool flash_writer_write(linux_board_files_t *board, uint32_t offset, const uint8_t *data,
                        uint32_t len, ui_progress_t *progress, uint64_t *done);

#endif
