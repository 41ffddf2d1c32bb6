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

#endif
