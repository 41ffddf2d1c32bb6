/* SPDX-License-Identifier: Apache-2.0
 *
 * The time of day, which the board does not know: it counts from 1970 at every reset until the
 * program sets it. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "hal/clock.h"
#include "sifive_u/mmio.h"

#define US 1000000

static int64_t s_offset_us; /* time of day at reset */

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    uint32_t saved = irq_save();
    int64_t us = s_offset_us + (int64_t)hal_clock_us();
    irq_restore(saved);
    now->tv_sec = us / US;
    now->tv_usec = us % US;
    return 0;
}

int settimeofday(const struct timeval *now, const struct timezone *zone)
{
    (void)zone;
    if (now == NULL || now->tv_usec < 0 || now->tv_usec >= US || now->tv_sec < 0 ||
        now->tv_sec > INT64_MAX / US - 1) {
        errno = EINVAL;
        return -1;
    }
    int64_t us = (int64_t)now->tv_sec * US + now->tv_usec;
    uint32_t saved = irq_save();
    s_offset_us = us - (int64_t)hal_clock_us();
    irq_restore(saved);
    return 0;
}
