/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIFIVE_U_PROTECTION_H
#define SIFIVE_U_PROTECTION_H

/* Limits hart 0, with its physical memory protection, to what no program may do: write the ROM
 * stage (where the watchdog runs), execute the application's data, heap and stacks, or touch DRAM
 * that this firmware does not use. Once per boot, by the ROM stage.
 *
 * The limits are locked, and QEMU 7.2 keeps locked entries over a reset, unlike the real part. So
 * they must suit every stage of every boot: an application's code cannot be made read-only, because
 * the next boot has to load it. */
void sifive_u_protect_memory(void);

#endif
