/* SPDX-License-Identifier: Apache-2.0
 *
 * First instructions after a reset. All harts arrive here at once: hart 0 goes on to the ROM
 * stage, hart 1 becomes the watchdog, any others sleep for good. */
#include "sifive_u/board.h"

#define MSIP(hart)     (SIFIVE_U_CLINT_BASE + 4 * (hart))
#define MTIMECMP(hart) (SIFIVE_U_CLINT_BASE + 0x4000 + 8 * (hart))
#define MIE_MTIE       0x80

    .section .text.start, "ax"
    .globl _start
_start:
    csrw mie, zero
    csrci mstatus, 8
    la t0, unexpected_trap
    csrw mtvec, t0
    csrr t0, mhartid
    beqz t0, hart0
    li t1, 1
    beq t0, t1, hart1
sleep_for_good:
    wfi
    j sleep_for_good

    /* The comparators may hold times from before the reset: push them out of reach before anyone
     * looks at them, then let the watchdog hart go. */
hart0:
    li t0, MTIMECMP(0)
    li t1, -1
    sw t1, 4(t0)
    sw t1, 0(t0)
    sw t1, 12(t0)
    sw t1, 8(t0)
    fence
    li t0, MSIP(0)
    sw zero, 0(t0)
    li t1, 1
    sw t1, 4(t0)

    la sp, __stack_high
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la t0, __data_start
    la t1, __data_end
    la t2, __data_source
1:
    bgeu t0, t1, 2f
    lw t3, 0(t2)
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t2, t2, 4
    j 1b
2:
    la t0, __bss_start
    la t1, __bss_end
3:
    bgeu t0, t1, 4f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 3b
4:
    call rom_main
5:
    wfi
    j 5b

hart1:
    li t0, MSIP(1)
6:
    lw t1, 0(t0)
    beqz t1, 6b
    sw zero, 0(t0)
    li t0, MIE_MTIE
    csrw mie, t0
    /* Interrupts stay off globally: wfi still wakes up when the timer interrupt is pending. */
7:
    wfi
    csrr t1, mip
    and t1, t1, t0
    beqz t1, 7b
    li sp, SIFIVE_U_WATCHDOG_STACK + SIFIVE_U_WATCHDOG_SIZE
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    call rom_watchdog_bite
    li t0, MIE_MTIE
    j 7b

    .balign 4
unexpected_trap:
    la sp, __stack_high
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call rom_trap
