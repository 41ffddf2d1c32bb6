/* SPDX-License-Identifier: Apache-2.0
 *
 * Traps of hart 0: interrupts, and the exceptions that end a program. */
#ifndef SIFIVE_U_TRAP_H
#define SIFIVE_U_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Registers of an interrupted program, as trap_entry in trap.S stores them on its stack. x[0] holds
 * mepc (x0 needs no place). */
typedef struct {
    uint32_t mepc;
    uint32_t x[31]; /* x1 .. x31 */
    uint32_t mstatus;
    uint32_t mcause;
    uint32_t mtval;
    uint32_t reserved;
} sifive_u_trap_frame_t;

#define SIFIVE_U_TRAP_FRAME_SIZE 144

_Static_assert(sizeof(sifive_u_trap_frame_t) == SIFIVE_U_TRAP_FRAME_SIZE, "trap.S knows the size");

/* For applications: sets the trap vector and the PLIC up; interrupts stay off. */
void sifive_u_trap_init(void);

/* trap.S: the trap vector. It stores the frame and calls sifive_u_trap() on the trap stack, which
 * returns the frame to go on with. An application's is in trap.c, the bootloader has a smaller one
 * in its main file. */
void trap_entry(void);
sifive_u_trap_frame_t *sifive_u_trap(sifive_u_trap_frame_t *frame);

/* The kernel's part. Each gets the frame of the task that was interrupted and returns the frame to
 * go on with, which may be another task's. NULL (the default): the interrupt is left masked. */
typedef sifive_u_trap_frame_t *(*sifive_u_switch_t)(sifive_u_trap_frame_t *frame);

typedef struct {
    sifive_u_switch_t timer; /* mtimecmp of hart 0 was reached */
    sifive_u_switch_t leave; /* after device interrupts: a task may have become ready */
    sifive_u_switch_t call;  /* the task executed ecall */
} sifive_u_kernel_t;

/* kernel: static storage. Lets the timer interrupt through. */
void sifive_u_kernel_set(const sifive_u_kernel_t *kernel);

/* The task that runs from now on, its stack's lowest address and size, for the panic output. Every
 * trap looks whether the stack pointer has left the stack; that ends the program. */
void sifive_u_running_set(const char *name, const void *stack, size_t bytes);

/* Ends the program: the running task has used more than its stack. */
_Noreturn void sifive_u_stack_overflow(void);

/* Whether an interrupt handler is running. */
bool sifive_u_in_interrupt(void);

/* Where a program that cannot go on ends: prints why (a line without end of line) and resets with
 * reason panic. */
_Noreturn void sifive_u_panic(const char *why);

#endif
