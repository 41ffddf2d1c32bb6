/* SPDX-License-Identifier: Apache-2.0
 *
 * What the chip's ROM does at a reset: find the bootloader in flash and start it. */
#ifndef LINUX_BOARD_HOST_ROM_H
#define LINUX_BOARD_HOST_ROM_H

#include <stddef.h>
#include <stdint.h>

#include "linux_board/flash_model.h"

/* Takes text for the console. */
typedef void (*linux_rom_print_t)(const char *text, size_t len, void *arg);

/* Reads and verifies the bootloader image at flash offset 0, printing the lines a ROM prints.
 * Returns a descriptor of a memory file with the bootloader's executable, which the caller closes,
 * or -1 after a line that says why there is none. */
int linux_rom_load(linux_flash_t *flash, linux_rom_print_t print, void *arg);

#endif
