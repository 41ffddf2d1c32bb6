/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/clock.h"

#include "board.h"
#include "linux_board/testing.h"

static bool skip_waiting;
static uint64_t skipped_ns;

void linux_board_testing_skip_waiting(bool skip)
{
    skip_waiting = skip;
    skipped_ns = 0;
}

uint64_t hal_clock_us(void)
{
    uint64_t start = board()->state->reset_time_ns;
    uint64_t now = board_now_ns() + skipped_ns;
    return now > start ? (now - start) / 1000u : 0;
}

void hal_clock_spin_us(uint32_t us)
{
    if (skip_waiting) {
        skipped_ns += (uint64_t)us * 1000u;
        return;
    }
    uint64_t end = board_now_ns() + (uint64_t)us * 1000u;
    while (board_now_ns() < end) {
    }
}
