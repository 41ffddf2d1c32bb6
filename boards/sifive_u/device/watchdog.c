/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/watchdog.h"

#include <stdbool.h>

#include "sifive_u/board.h"
#include "sifive_u/clock.h"
#include "sifive_u/mmio.h"

#define WATCHDOG_HART 1u

static uint32_t s_timeout_us;
static bool s_feed_on_progress;

void sifive_u_watchdog_start(uint32_t timeout_ms, hal_reset_reason_t reason)
{
    SIFIVE_U_SHARED->watchdog_reason = reason;
    s_timeout_us = timeout_ms < UINT32_MAX / 1000u ? timeout_ms * 1000u : UINT32_MAX;
    sifive_u_watchdog_feed();
}

void sifive_u_watchdog_feed(void)
{
    uint32_t saved = irq_save();

    if (s_timeout_us != 0) {
        sifive_u_mtimecmp_set(WATCHDOG_HART, sifive_u_mtime() + s_timeout_us);
    }
    irq_restore(saved);
}

void sifive_u_watchdog_stop(void)
{
    uint32_t saved = irq_save();

    s_timeout_us = 0;
    sifive_u_mtimecmp_set(WATCHDOG_HART, UINT64_MAX);
    irq_restore(saved);
}

void sifive_u_watchdog_feed_on_progress(int on)
{
    s_feed_on_progress = on != 0;
}

void sifive_u_watchdog_progress(void)
{
    if (s_feed_on_progress) {
        sifive_u_watchdog_feed();
    }
}
