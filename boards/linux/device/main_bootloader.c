/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the bootloader starts on the linux board. If it crashes, the runner reports that: a report
 * of its own, as applications have, would cost too much of its 32 KiB of flash. */
#include "board.h"
#include "hal/start.h"

int main(void)
{
    board();
    bootloader_main();
}
