/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog. The board has none, so its second hart is one: it stays in the ROM stage, sleeps
 * until its own timer comparator is reached and then resets the board. Nothing hart 0 does with its
 * interrupts, or fails to do, keeps it from that. */
#ifndef SIFIVE_U_WATCHDOG_H
#define SIFIVE_U_WATCHDOG_H

#include <stdint.h>

#include "hal/reset.h"

/* The board is reset with reason (one of the WDT reasons) unless fed every timeout_ms (> 0). */
void sifive_u_watchdog_start(uint32_t timeout_ms, hal_reset_reason_t reason);

/* Starts the time-out anew. From tasks and interrupt handlers; nothing while stopped. */
void sifive_u_watchdog_feed(void);

void sifive_u_watchdog_stop(void);

/* For programs without a tick: with on, every flash and pin access feeds, so that a loader that
 * gets on with its work lives. */
void sifive_u_watchdog_feed_on_progress(int on);

/* Called by drivers; feeds if sifive_u_watchdog_feed_on_progress(1) was. */
void sifive_u_watchdog_progress(void);

#endif
