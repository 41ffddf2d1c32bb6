/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts the second-stage bootloader. */
#include "console.h"
#include "hal/start.h"
#include "sifive_u/watchdog.h"
#include "trap.h"

/* The ROM stage's time limit goes on; getting on with the work renews it. */
#define TIMEOUT_MS 9000u

_Noreturn void sifive_u_main(void);

_Noreturn void sifive_u_main(void)
{
    sifive_u_trap_init();
    sifive_u_watchdog_start(TIMEOUT_MS, HAL_RESET_WDT);
    sifive_u_watchdog_feed_on_progress(1);
    bootloader_main();
}
