/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_writer.h"

#include <string.h>

#define PIECE 65536u

static bool explain(linux_flash_result_t result, const char *what, uint32_t address)
{
    if (result == LINUX_FLASH_OK) {
        return true;
    }
    ui_error("flash: 0x%x: cannot be %s", address, what);
    return false;
}

bool flash_writer_erase(linux_board_files_t *board, uint32_t offset, uint32_t len,
                        ui_progress_t *progress, uint64_t *done)
{
    /* A power cut planned for a run is not for this tool. */
    board->flash.state->cut.mode = LINUX_BOARD_CUT_NEVER;
    uint32_t end = offset + len;
    while (offset < end) {
        uint32_t unit = LINUX_BOARD_SECTOR_SIZE;
        if (offset % LINUX_BOARD_BLOCK_SIZE == 0 && end - offset >= LINUX_BOARD_BLOCK_SIZE) {
            unit = LINUX_BOARD_BLOCK_SIZE;
        }
        if (!explain(linux_flash_erase(&board->flash, offset, unit), "erased", offset)) {
            return false;
        }
        offset += unit;
        if (progress != NULL) {
            *done += unit;
            ui_progress_update(progress, *done);
        }
    }
    return true;
}

bool flash_writer_write(linux_board_files_t *board, uint32_t offset, const uint8_t *data,
                        uint32_t len, ui_progress_t *progress, uint64_t *done)
{
    static uint8_t check[PIECE];
    uint32_t sectors = (len + LINUX_BOARD_SECTOR_SIZE - 1) / LINUX_BOARD_SECTOR_SIZE;
    if (!flash_writer_erase(board, offset, sectors * LINUX_BOARD_SECTOR_SIZE, NULL, NULL)) {
        return false;
    }
    for (uint32_t at = 0; at < len; at += PIECE) {
        uint32_t piece = len - at < PIECE ? len - at : PIECE;
        if (!explain(linux_flash_program(&board->flash, offset + at, data + at, piece),
                     "programmed", offset + at)) {
            return false;
        }
        if (progress != NULL) {
            *done += piece;
            ui_progress_update(progress, *done);
        }
    }
    for (uint32_t at = 0; at < len; at += PIECE) {
        uint32_t piece = len - at < PIECE ? len - at : PIECE;
        if (!explain(linux_flash_read(&board->flash, offset + at, check, piece), "read",
                     offset + at)) {
            return false;
        }
        if (memcmp(check, data + at, piece) != 0) {
            ui_error("flash: 0x%x: what is read back differs from what was written", offset + at);
            return false;
        }
    }
    return true;
}
