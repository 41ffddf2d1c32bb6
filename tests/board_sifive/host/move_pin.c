/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "linux_board_host/board_files.h"

int main(int argc, char **argv)
{
    linux_board_files_t board;
    char error[LINUX_BOARD_ERROR_SIZE];

    if (argc != 4 || !linux_board_open(&board, argv[1], LINUX_BOARD_LOOK, error)) {
        fprintf(stderr, "%s\n", argc != 4 ? "usage: move_pin FLASH PIN 0|1|z" : error);
        return 1;
    }
    linux_board_drive_t drive = argv[3][0] == '0'   ? LINUX_BOARD_DRIVE_LOW
                                : argv[3][0] == '1' ? LINUX_BOARD_DRIVE_HIGH
                                                    : LINUX_BOARD_DRIVE_NONE;
    atomic_store(&board.flash.state->pins[atoi(argv[2])].drive, (uint8_t)drive);
    linux_board_close(&board);
    return 0;
}
