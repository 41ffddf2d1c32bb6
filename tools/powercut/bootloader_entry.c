/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootloader's side of a boot: its own copy of the board's device code works on the engine's
 * memory. Linked with the bootloader's objects into one file in which nothing else is visible, so
 * that bootloader and application, which share many names, fit into one program. */
#include "bootloader_entry.h"

#include "hal/loader.h"
#include "hal/sha256.h"
#include "hal/start.h"
#include "linux_board/testing.h"

void powercut_bootloader_prepare(const powercut_bootloader_t *boot)
{
    linux_board_testing_attach(boot->flash, boot->state);
    linux_board_testing_on_start(boot->start, NULL);
    linux_board_testing_on_operation(boot->operation, NULL);
    linux_board_testing_skip_waiting(true);
    /* Memory for the program: made here, every boot uses it again. */
    const char *why;
    hal_loader_place(boot->program, boot->program_size, &why);
    hal_loader_reset();
    uint32_t state[8] = {0};
    hal_sha256_compress(state, NULL, 0); /* asks the processor what it can, which may be slow */
}

void powercut_bootloader(void)
{
    bootloader_main();
}
