/* SPDX-License-Identifier: Apache-2.0
 *
 * The last words of a program. */
#ifndef SIFIVE_U_PANIC_H
#define SIFIVE_U_PANIC_H

#include "sifive_u/trap.h"

/* Interrupts off. A panic inside a panic resets at once. */
void sifive_u_panic_begin(void);

void sifive_u_panic_registers(const sifive_u_trap_frame_t *frame);

/* Resets with reason panic. */
_Noreturn void sifive_u_panic_end(void);

#endif
