/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/clock.h"

#include "hal/clock.h"
#include "sifive_u/board.h"
#include "sifive_u/mmio.h"

#define MTIMECMP(hart) (SIFIVE_U_CLINT_BASE + 0x4000u + 8u * (hart))
#define MTIME          (SIFIVE_U_CLINT_BASE + 0xBFF8u)

uint64_t sifive_u_mtime(void)
{
    uint32_t high, low, again;

    /* Two halves: read until the upper one did not move meanwhile. */
    do {
        high = mmio_read(MTIME + 4);
        low = mmio_read(MTIME);
        again = mmio_read(MTIME + 4);
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

void sifive_u_mtimecmp_set(unsigned hart, uint64_t when)
{
    /* Upper half to the end of time first, so that no value in between is reached. */
    mmio_write(MTIMECMP(hart) + 4, UINT32_MAX);
    mmio_write(MTIMECMP(hart), (uint32_t)when);
    mmio_write(MTIMECMP(hart) + 4, (uint32_t)(when >> 32));
}

uint64_t sifive_u_mtimecmp_get(unsigned hart)
{
    uint32_t high, low, again;

    do {
        high = mmio_read(MTIMECMP(hart) + 4);
        low = mmio_read(MTIMECMP(hart));
        again = mmio_read(MTIMECMP(hart) + 4);
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

uint64_t hal_clock_us(void)
{
    return sifive_u_mtime() - SIFIVE_U_SHARED->reset_time;
}

void hal_clock_spin_us(uint32_t us)
{
    uint64_t end = sifive_u_mtime() + us;

    while (sifive_u_mtime() < end) {
    }
}
