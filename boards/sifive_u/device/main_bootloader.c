/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts the second-stage bootloader. It uses no interrupts, so every trap is its end. */
#include "hal/start.h"
#include "panic.h"
#include "print.h"
#include "sifive_u/mmio.h"
#include "sifive_u/trap.h"
#include "sifive_u/watchdog.h"

#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif

/* The time limit over the boot; getting on with the work renews it. The application's kernel ends
 * it. 0: none. */
#ifdef CONFIG_BOOTLOADER_WDT_ENABLE
#define TIMEOUT_MS CONFIG_BOOTLOADER_WDT_TIME_MS
#elif defined(CONFIG_IDF_TARGET_SIFIVE_U)
#define TIMEOUT_MS 0
#else
#define TIMEOUT_MS 9000 /* in a test without a configuration: the ROM stage's goes on */
#endif

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
    if (TIMEOUT_MS > 0) {
        sifive_u_watchdog_start(TIMEOUT_MS, HAL_RESET_WDT);
        sifive_u_watchdog_feed_on_progress(1);
    } else {
        sifive_u_watchdog_stop();
    }
    bootloader_main();
}
