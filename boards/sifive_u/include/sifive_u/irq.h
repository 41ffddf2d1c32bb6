/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupt sources of hart 0. */
#ifndef SIFIVE_U_IRQ_H
#define SIFIVE_U_IRQ_H

/* Switches every source off, then lets device interrupts through to hart 0. */
void sifive_u_irq_init(void);

/* Calls handler from then on whenever the source raises its interrupt, 1 .. SIFIVE_U_IRQ_COUNT-1.
 * The handler runs with interrupts off and must clear the cause in the device. */
void sifive_u_irq_enable(unsigned source, void (*handler)(void));
void sifive_u_irq_disable(unsigned source);

/* Runs the handlers of all pending sources; for the trap handler. */
void sifive_u_irq_dispatch(void);

#endif
