/* SPDX-License-Identifier: Apache-2.0
 *
 * In the bootloader's place: starts the test program that the emulator has put into memory. */
#include "hal/start.h"
#include "sifive_u/board.h"

/* Where run.py leaves the entry address. */
#define ENTRY ((const volatile uint32_t *)(SIFIVE_U_SEED_BASE + SIFIVE_U_SEED_SIZE))

_Noreturn void bootloader_main(void)
{
    SIFIVE_U_SHARED->running_offset = 0x10000;
    __asm__ volatile("fence iorw, iorw\n\tfence.i" ::: "memory");
    ((void (*)(void))(uintptr_t)*ENTRY)();
    __builtin_unreachable();
}
