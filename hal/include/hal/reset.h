/* SPDX-License-Identifier: Apache-2.0
 *
 * Reset, its reason, and the few bytes of memory that survive it. */
#ifndef HAL_RESET_H
#define HAL_RESET_H

#include <stdint.h>

/* Numbers are those of esp_reset_reason_t, so that esp_system passes them on. */
typedef enum {
    HAL_RESET_UNKNOWN = 0,
    HAL_RESET_POWERON = 1,
    HAL_RESET_EXTERNAL = 2,
    HAL_RESET_SOFTWARE = 3,
    HAL_RESET_PANIC = 4,
    HAL_RESET_INT_WDT = 5,
    HAL_RESET_TASK_WDT = 6,
    HAL_RESET_WDT = 7,
    /* Waking from deep sleep. The boards have none: a program that resets with it stands for one.
     */
    HAL_RESET_DEEPSLEEP = 8,
    HAL_RESET_BROWNOUT = 9,
    /* Ours, beyond Espressif's numbers: the bootloader found nothing it may start. */
    HAL_RESET_NO_BOOTABLE_APP = 64,
} hal_reset_reason_t;

/* Why this boot happened. */
hal_reset_reason_t hal_reset_reason(void);

/* Resets the board now; the next boot sees reason. Runs no handlers. Where a board can be switched
 * off (`linux`), HAL_RESET_NO_BOOTABLE_APP switches it off with a distinct exit status instead of
 * looping for ever. */
_Noreturn void hal_reset(hal_reset_reason_t reason);

/* Memory kept over every reset but lost with power, as an RTC memory is. At least
 * HAL_RETAIN_SIZE bytes, zero after power-on, 4-byte aligned, never NULL. */
#define HAL_RETAIN_SIZE 256u
void *hal_reset_retain_memory(void);

#endif
