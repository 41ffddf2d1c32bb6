/* SPDX-License-Identifier: Apache-2.0
 *
 * The CLINT: machine time and timer interrupts, one comparator per hart. */
#ifndef SIFIVE_U_CLOCK_H
#define SIFIVE_U_CLOCK_H

#include <stdint.h>

/* mtime counts at 1 MHz. */
#define SIFIVE_U_MTIME_HZ 1000000u

/* The raw counter, microseconds. Does not stand at 0 after a reset on every emulator version. */
uint64_t sifive_u_mtime(void);

/* The timer interrupt of hart is pending from mtime >= when on; UINT64_MAX: never. */
void sifive_u_mtimecmp_set(unsigned hart, uint64_t when);
uint64_t sifive_u_mtimecmp_get(unsigned hart);

#endif
