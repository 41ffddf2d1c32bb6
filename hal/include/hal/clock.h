/* SPDX-License-Identifier: Apache-2.0
 *
 * Time since reset. */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H

#include <stdint.h>

/* Microseconds since the last reset (ROM stage included); never goes backwards in one boot. */
uint64_t hal_clock_us(void);

/* Waits at least us microseconds without giving up the processor to other tasks. For drivers and
 * the bootloader; tasks use vTaskDelay(). */
void hal_clock_spin_us(uint32_t us);

#endif
