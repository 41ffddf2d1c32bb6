/* SPDX-License-Identifier: Apache-2.0 */
#include "panic.h"

#include <stddef.h>

#include "hal/reset.h"
#include "hal/start.h"
#include "print.h"
#include "sifive_u/board.h"
#include "sifive_u/mmio.h"
#include "sifive_u/watchdog.h"

void sifive_u_panic_begin(void)
{
    (void)irq_save();
    if (SIFIVE_U_RUNNING->in_panic != 0) {
        hal_reset(HAL_RESET_PANIC);
    }
    SIFIVE_U_RUNNING->in_panic = 1;
}

void sifive_u_panic_registers(const sifive_u_trap_frame_t *frame)
{
    static const char names[] = "ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 "
                                "a7 s2 s3 s4 s5 s6 s7 s8 s9 s10s11t3 t4 t5 t6 ";

    print("mcause 0x%08x  mepc 0x%08x  mtval 0x%08x  mstatus 0x%08x\n", frame->mcause, frame->mepc,
          frame->mtval, frame->mstatus);
    for (unsigned i = 0; i < 31; i++) {
        char name[4] = {names[3 * i], names[3 * i + 1], names[3 * i + 2], '\0'};
        print("%s 0x%08x%s", name, frame->x[i], i % 4 == 3 || i == 30 ? "\n" : "  ");
    }
}

_Noreturn void sifive_u_panic_end(void)
{
    if (app_panic_details != NULL) {
        /* The program may be configured to wait here, or to halt. */
        sifive_u_watchdog_stop();
        app_panic_details();
    }
    print("Rebooting...\n");
    hal_reset(HAL_RESET_PANIC);
}

_Noreturn void sifive_u_panic(const char *why)
{
    sifive_u_panic_begin();
    print("\n%s\n", why);
    sifive_u_panic_end();
}
