/* SPDX-License-Identifier: Apache-2.0
 *
 * Trap entry of hart 0. An interrupt stores all registers on the stack of whoever it interrupted
 * and is handled on a stack of its own; the handler says whose registers to go on with, which is
 * all a kernel needs to switch tasks. An exception never returns: it is handled on the trap stack
 * as well, and if the stack pointer of the culprit is no good, its frame is stored there too. */
#include "sifive_u/board.h"

#define FRAME 144

    .section .text.trap_entry, "ax"
    .globl trap_entry
    .balign 4
trap_entry:
    /* A frame fits only where the stack pointer is aligned and inside the program's RAM:
     * __stack_low + FRAME <= sp <= __stack_high. t0 is kept in mscratch meanwhile. */
    csrw mscratch, t0
    andi t0, sp, 15
    bnez t0, bad_stack
    la t0, __stack_low + FRAME
    bltu sp, t0, bad_stack
    la t0, __stack_high
    bltu t0, sp, bad_stack
    addi sp, sp, -FRAME
    sw t1, 24(sp)
    addi t1, sp, FRAME
    j save

bad_stack:
    /* Only the panic output will use this frame. */
    la t0, __trap_stack_top - 1024
    sw t1, -FRAME + 24(t0)
    mv t1, sp
    addi sp, t0, -FRAME

save:
    /* t1 holds the interrupted stack pointer, its own value is saved already. */
    csrr t0, mscratch
    sw ra, 4(sp)
    sw t1, 8(sp)
    sw gp, 12(sp)
    sw tp, 16(sp)
    sw t0, 20(sp)
    sw t2, 28(sp)
    sw s0, 32(sp)
    sw s1, 36(sp)
    sw a0, 40(sp)
    sw a1, 44(sp)
    sw a2, 48(sp)
    sw a3, 52(sp)
    sw a4, 56(sp)
    sw a5, 60(sp)
    sw a6, 64(sp)
    sw a7, 68(sp)
    sw s2, 72(sp)
    sw s3, 76(sp)
    sw s4, 80(sp)
    sw s5, 84(sp)
    sw s6, 88(sp)
    sw s7, 92(sp)
    sw s8, 96(sp)
    sw s9, 100(sp)
    sw s10, 104(sp)
    sw s11, 108(sp)
    sw t3, 112(sp)
    sw t4, 116(sp)
    sw t5, 120(sp)
    sw t6, 124(sp)
    csrr t0, mepc
    sw t0, 0(sp)
    csrr t0, mstatus
    sw t0, 128(sp)
    csrr t0, mcause
    sw t0, 132(sp)
    csrr t0, mtval
    sw t0, 136(sp)

    mv a0, sp
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __trap_stack_top
    call sifive_u_trap
    mv sp, a0

    .globl trap_return
trap_return:
    lw t0, 0(sp)
    csrw mepc, t0
    lw t0, 128(sp)
    csrw mstatus, t0
    lw ra, 4(sp)
    lw gp, 12(sp)
    lw tp, 16(sp)
    lw t0, 20(sp)
    lw t1, 24(sp)
    lw t2, 28(sp)
    lw s0, 32(sp)
    lw s1, 36(sp)
    lw a0, 40(sp)
    lw a1, 44(sp)
    lw a2, 48(sp)
    lw a3, 52(sp)
    lw a4, 56(sp)
    lw a5, 60(sp)
    lw a6, 64(sp)
    lw a7, 68(sp)
    lw s2, 72(sp)
    lw s3, 76(sp)
    lw s4, 80(sp)
    lw s5, 84(sp)
    lw s6, 88(sp)
    lw s7, 92(sp)
    lw s8, 96(sp)
    lw s9, 100(sp)
    lw s10, 104(sp)
    lw s11, 108(sp)
    lw t3, 112(sp)
    lw t4, 116(sp)
    lw t5, 120(sp)
    lw t6, 124(sp)
    lw sp, 8(sp)
    mret
