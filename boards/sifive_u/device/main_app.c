/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts an application. The bootloader's watchdog goes on until the kernel takes it over. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "console.h"
#include "hal/start.h"
#include "sifive_u/mmio.h"
#include "sifive_u/tls.h"
#include "sifive_u/trap.h"

typedef void (*constructor_t)(void);
extern constructor_t __init_array_start[], __init_array_end[];
extern char __boot_tls[];

_Noreturn void sifive_u_main(void);

_Noreturn void sifive_u_main(void)
{
    sifive_u_trap_init();
    sifive_u_tls_init(__boot_tls);
    __asm__ volatile("mv tp, %0" ::"r"(__boot_tls));
    for (constructor_t *run = __init_array_start; run < __init_array_end; run++) {
        (*run)();
    }
    sifive_u_console_enable_input();
    csr_set(mstatus, MSTATUS_MIE);
    app_start();
}
