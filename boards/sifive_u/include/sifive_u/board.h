/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory map of the sifive_u board and the block of memory that the ROM stage, the bootloader, the
 * application and the runner on the host share. Also read by the linker scripts and by assembler,
 * so the first part is plain numbers. */
#ifndef SIFIVE_U_BOARD_H
#define SIFIVE_U_BOARD_H

/* --- memory map --- */

/* The ROM stage: linked where the emulator starts with msel=1. Restored at every reset. */
#define SIFIVE_U_ROM_BASE 0x20000000
#define SIFIVE_U_ROM_SIZE 0x00010000

/* On-chip RAM (L2LIM). Survives a reset, is lost with power: the board's RTC memory. */
#define SIFIVE_U_LIM_BASE       0x08000000
#define SIFIVE_U_SHARED_BASE    0x08000000 /* sifive_u_shared_t */
#define SIFIVE_U_SHARED_SIZE    0x00001000
#define SIFIVE_U_ROM_RAM_BASE   0x08001000 /* the ROM stage's data and stack */
#define SIFIVE_U_ROM_RAM_SIZE   0x00003000
#define SIFIVE_U_WATCHDOG_STACK 0x08004000 /* of the hart that is the watchdog */
#define SIFIVE_U_WATCHDOG_SIZE  0x00000400
#define SIFIVE_U_SEED_BASE      0x08005000 /* fresh random bytes, put here by the runner */
#define SIFIVE_U_SEED_SIZE      0x00000040
#define SIFIVE_U_RUNNING_BASE   0x08006000 /* sifive_u_running_t, out of reach of a wild stack */

/* DRAM, as this firmware divides it. The emulator has 128 MiB; its device tree lies at the end. */
#define SIFIVE_U_DRAM_BASE       0x80000000
#define SIFIVE_U_CODE_BASE       0x80000000 /* the application's code and constants */
#define SIFIVE_U_CODE_SIZE       0x00FF0000
#define SIFIVE_U_GUARD_BASE      0x80FF0000 /* nobody's: a stack that runs out of the RAM faults */
#define SIFIVE_U_GUARD_SIZE      0x00010000
#define SIFIVE_U_RAM_BASE        0x81000000 /* its data, heap and stacks: as much as an ESP32-C3 */
#define SIFIVE_U_RAM_SIZE        0x00050000
#define SIFIVE_U_BOOTLOADER_BASE 0x82000000 /* the second-stage bootloader, all of it */
#define SIFIVE_U_BOOTLOADER_SIZE 0x00010000
#define SIFIVE_U_BOOTLOADER_RAM  0x00004000 /* of which data, bss and stack: 16 KiB */
#define SIFIVE_U_LOAD_END        0x82010000

/* --- devices --- */

#define SIFIVE_U_CLINT_BASE 0x02000000
#define SIFIVE_U_PLIC_BASE  0x0C000000
#define SIFIVE_U_UART0_BASE 0x10010000
#define SIFIVE_U_UART1_BASE 0x10011000
#define SIFIVE_U_QSPI0_BASE 0x10040000
#define SIFIVE_U_GPIO_BASE  0x10060000
#define SIFIVE_U_GEM_BASE   0x10090000

#define SIFIVE_U_IRQ_UART0 4
#define SIFIVE_U_IRQ_GPIO0 7
#define SIFIVE_U_IRQ_GEM   53
#define SIFIVE_U_IRQ_COUNT 54

#define SIFIVE_U_GPIO_COUNT     16
#define SIFIVE_U_GPIO_RESET_PIN 10 /* wired to the board's reset line, active low */

/* Tells the ROM stage's shared block from memory that lost power. */
#define SIFIVE_U_SHARED_MAGIC   0x4149524C
#define SIFIVE_U_SHARED_VERSION 1
#define SIFIVE_U_SEED_MAGIC     0x44454553

/* What the ROM stage tells the runner on UART1: one of these, two hexadecimal digits, newline. */
#define SIFIVE_U_STATUS_BOOT     'B' /* a boot begins; the digits are its reset reason */
#define SIFIVE_U_STATUS_DEAD_END 'D' /* no valid bootloader: waits for a reset */

/* Offsets of fields that assembler and the runner use; checked in device/shared.c. */
#define SIFIVE_U_SHARED_OFF_NEXT_REASON     0x10
#define SIFIVE_U_SHARED_OFF_WATCHDOG_REASON 0x14
#define SIFIVE_U_SHARED_OFF_GPIO            0x30
#define SIFIVE_U_SHARED_OFF_RESET_REASON    0x0C

#ifndef __ASSEMBLER__

#include <stdint.h>

#include "hal/reset.h"

/* What drives the pins from outside the chip. Nothing outside is wired to the emulated pins, so
 * the runner plays the outer world by setting the pins' pull resistors: a pull on a pin that
 * nobody drives is what the input buffer sees, interrupts included. Both sides follow one rule,
 *
 *     pull-up register = (pull_up & ~driven) | (level & driven)
 *
 * The firmware writes pull_up, the runner driven and level; each writes the register after it
 * changed its part, and again until the other's part did not change meanwhile. */
typedef struct {
    uint32_t pull_up; /* bit n: the firmware switched the pull-up of pin n on */
    uint32_t driven;  /* bit n: something outside drives pin n */
    uint32_t level;   /* bit n: its level */
    uint32_t reserved;
} sifive_u_gpio_shared_t;

/* At SIFIVE_U_SHARED_BASE. Whatever a crashed program left here is checked before it is used. */
typedef struct {
    uint32_t magic;           /* SIFIVE_U_SHARED_MAGIC, and its complement, once the ROM */
    uint32_t magic_inverse;   /* stage has run after power-on */
    uint32_t version;         /* SIFIVE_U_SHARED_VERSION */
    uint32_t reset_reason;    /* hal_reset_reason_t of this boot */
    uint32_t next_reason;     /* what the next boot shall see; HAL_RESET_EXTERNAL until set */
    uint32_t watchdog_reason; /* what it shall see if the watchdog bites */
    uint32_t running_offset;  /* flash offset of the image that runs */
    uint32_t boots;           /* since power-on, this one included */
    uint64_t reset_time;      /* mtime when this boot began, microseconds */
    uint64_t seed_used;       /* tells a seed the pool has taken in from a fresh one */
    sifive_u_gpio_shared_t gpio;
    uint8_t random_pool[32];
    uint8_t retain[HAL_RETAIN_SIZE];
} sifive_u_shared_t;

#define SIFIVE_U_SHARED ((volatile sifive_u_shared_t *)SIFIVE_U_SHARED_BASE)

/* At SIFIVE_U_RUNNING_BASE: what the last words of a program need to know when its own data may
 * have been overwritten. The ROM stage clears it. */
typedef struct {
    uint32_t in_panic;
    uint32_t stack_low;   /* of the task that runs */
    uint32_t stack_bytes; /* 0: no task runs */
    char name[20];
} sifive_u_running_t;

#define SIFIVE_U_RUNNING ((volatile sifive_u_running_t *)SIFIVE_U_RUNNING_BASE)

/* At SIFIVE_U_SEED_BASE, written by the runner before the board is switched on. */
typedef struct {
    uint32_t magic; /* SIFIVE_U_SEED_MAGIC */
    uint32_t reserved;
    uint64_t id; /* differs from run to run */
    uint8_t bytes[48];
} sifive_u_seed_t;

_Static_assert(sizeof(sifive_u_seed_t) == SIFIVE_U_SEED_SIZE, "seed block");

#endif
#endif
