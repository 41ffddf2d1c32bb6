/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an application starts on the linux board. In a file of its own: unit tests bring their
 * own main() and link everything else. */
#include "board.h"
#include "hal/start.h"

int main(void)
{
    board();
    board_catch_crashes();
    app_start();
}
