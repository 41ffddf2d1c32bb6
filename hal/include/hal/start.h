/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a board hands over. The board sets up stack, memory and console, then calls one of these;
 * which one exists depends on what is linked: the bootloader or an application. */
#ifndef HAL_START_H
#define HAL_START_H

/* Implemented by bootloader/. */
_Noreturn void bootloader_main(void);

/* Implemented by components/esp_system: prints the start-up lines, starts the scheduler and
 * calls app_main(). */
_Noreturn void app_start(void);

/* Implemented by components/esp_system; a board calls it, if it is linked, between its report of a
 * crash and the reset: prints what the program says of itself. Interrupts may be off, and the task
 * that crashed may hold any lock. Returns where the board shall reset. */
__attribute__((weak)) void app_panic_details(void);

#endif
