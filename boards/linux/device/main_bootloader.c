/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the bootloader starts on the linux board. */
#include "board.h"
#include "hal/start.h"

int main(void)
{
    board();
    board_catch_crashes();
    bootloader_main();
}
