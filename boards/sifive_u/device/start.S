/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry of a program that the ROM stage or the bootloader has loaded: registers, stack, bss. */
    .section .text.start, "ax"
    .globl _start
_start:
    csrw mie, zero
    csrci mstatus, 8
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, __bss_start
    la t1, __bss_end
1:
    bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:
    li ra, 0
    li s0, 0
    call sifive_u_main
3:
    j 3b
