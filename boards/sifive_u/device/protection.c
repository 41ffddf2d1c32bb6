/* SPDX-License-Identifier: Apache-2.0 */
#include "protection.h"

#include <stdint.h>

#include "sifive_u/board.h"
#include "sifive_u/mmio.h"

#define PMP_READ   0x01u
#define PMP_WRITE  0x02u
#define PMP_EXEC   0x04u
#define PMP_TOR    0x08u /* from the entry before this one's address up to this one's */
#define PMP_NAPOT  0x18u /* a naturally aligned power of two */
#define PMP_LOCKED 0x80u /* holds in machine mode, until reset */

#define NAPOT(base, size) ((uint32_t)(base) >> 2 | ((uint32_t)(size) / 2u - 1u) >> 2)

void sifive_u_protect_memory(void)
{
    const uint32_t rom = PMP_LOCKED | PMP_NAPOT | PMP_READ | PMP_EXEC;
    const uint32_t guard = PMP_LOCKED | PMP_NAPOT;
    const uint32_t start = PMP_LOCKED;
    const uint32_t app_ram = PMP_LOCKED | PMP_TOR | PMP_READ | PMP_WRITE;
    const uint32_t bootloader = PMP_LOCKED | PMP_TOR | PMP_READ | PMP_WRITE | PMP_EXEC;
    const uint32_t unused = PMP_LOCKED | PMP_TOR;

    csr_write(pmpaddr0, NAPOT(SIFIVE_U_ROM_BASE, SIFIVE_U_ROM_SIZE));
    csr_write(pmpaddr1, NAPOT(SIFIVE_U_GUARD_BASE, SIFIVE_U_GUARD_SIZE));
    csr_write(pmpaddr2, SIFIVE_U_RAM_BASE >> 2);
    csr_write(pmpaddr3, (SIFIVE_U_RAM_BASE + SIFIVE_U_RAM_SIZE) >> 2);
    csr_write(pmpaddr4, SIFIVE_U_BOOTLOADER_BASE >> 2);
    csr_write(pmpaddr5, (SIFIVE_U_BOOTLOADER_BASE + SIFIVE_U_BOOTLOADER_SIZE) >> 2);
    csr_write(pmpaddr6, 0x40000000u); /* the end of 32-bit addresses */
    csr_write(pmpcfg0, rom | guard << 8 | start << 16 | app_ram << 24);
    csr_write(pmpcfg1, unused | bootloader << 8 | unused << 16);
}
