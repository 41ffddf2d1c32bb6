/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts the second-stage bootloader. It uses no interrupts, so every trap is its end. */
#include "hal/start.h"
#include "panic.h"
#include "print.h"
#include "sifive_u/mmio.h"
#include "sifive_u/trap.h"
#include "sifive_u/watchdog.h"

/* The ROM stage's time limit goes on; getting on with the work renews it. */
#define TIMEOUT_MS 9000u

_Noreturn void sifive_u_main(void);

sifive_u_trap_frame_t *sifive_u_trap(sifive_u_trap_frame_t *frame)
{
    sifive_u_panic_begin();
    print("\nPanic in the bootloader\n");
    sifive_u_panic_registers(frame);
    sifive_u_panic_end();
}

_Noreturn void sifive_u_main(void)
{
    csr_write(mtvec, (uint32_t)(uintptr_t)trap_entry);
    sifive_u_watchdog_start(TIMEOUT_MS, HAL_RESET_WDT);
    sifive_u_watchdog_feed_on_progress(1);
    bootloader_main();
}
