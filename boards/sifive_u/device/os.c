/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/os.h"

#include <stddef.h>

#include "hal/clock.h"
#include "sifive_u/mmio.h"

static volatile bool s_signalled[SIFIVE_U_EVENT_COUNT];

static void bare_lock(sifive_u_lock_t lock)
{
    (void)lock;
}

static bool bare_wait(sifive_u_event_t event, unsigned timeout_ms)
{
    uint64_t end = hal_clock_us() + (uint64_t)timeout_ms * 1000u;

    for (;;) {
        /* wfi wakes for a pending interrupt even while interrupts are off, so none is lost
         * between the look and the sleep. */
        uint32_t saved = irq_save();
        if (s_signalled[event]) {
            s_signalled[event] = false;
            irq_restore(saved);
            return true;
        }
        if (timeout_ms == 0) {
            wait_for_interrupt();
        }
        irq_restore(saved);
        if (timeout_ms != 0 && hal_clock_us() >= end) {
            return false;
        }
    }
}

static void bare_signal(sifive_u_event_t event)
{
    s_signalled[event] = true;
}

static const sifive_u_os_t s_bare = {
    .lock = bare_lock,
    .unlock = bare_lock,
    .wait = bare_wait,
    .signal = bare_signal,
};

/* NULL rather than &s_bare: the ROM stage has no initialised data. */
static const sifive_u_os_t *s_os;

void sifive_u_os_set(const sifive_u_os_t *ops)
{
    s_os = ops;
}

const sifive_u_os_t *sifive_u_os(void)
{
    return s_os != NULL ? s_os : &s_bare;
}
