/* SPDX-License-Identifier: Apache-2.0
 *
 * How the engine enters the bootloader that is linked into it. */
#ifndef POWERCUT_BOOTLOADER_ENTRY_H
#define POWERCUT_BOOTLOADER_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "linux_board/state.h"

typedef struct {
    uint8_t *flash;
    linux_board_state_t *state;
    /* In the place of starting the loaded application; does not return. */
    void (*start)(uint32_t entry, uint32_t image_offset, void *arg);
    /* Before each program (data) or erase (NULL). */
    void (*operation)(uint32_t address, const void *data, size_t len, void *arg);
    /* Where the application is going to be loaded to, about. */
    uint32_t program;
    uint32_t program_size;
} powercut_bootloader_t;

/* What a process can do once for all boots that are forked from it: the bootloader's board is the
 * one of boot. */
void powercut_bootloader_prepare(const powercut_bootloader_t *boot);

/* Boots. Ends in boot->start() or in the board's exit statuses (linux_board/state.h). */
_Noreturn void powercut_bootloader(void);

#endif
