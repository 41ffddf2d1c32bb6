/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIFIVE_U_PROTECTION_H
#define SIFIVE_U_PROTECTION_H

/* Locks until reset, with the hart's physical memory protection: the application's code can be read
 * and executed but not written, its RAM not executed, the rest of DRAM not touched at all, and the
 * ROM stage, where the watchdog runs, only read. */
void sifive_u_protect_memory(void);

#endif
