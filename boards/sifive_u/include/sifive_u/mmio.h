/* SPDX-License-Identifier: Apache-2.0
 *
 * Access to device registers and control registers of the hart. All registers of the board are
 * 32 bits wide and fault on narrower access. */
#ifndef SIFIVE_U_MMIO_H
#define SIFIVE_U_MMIO_H

#include <stdint.h>

static inline uint32_t mmio_read(uint32_t address)
{
    return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void mmio_write(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

/* Orders memory and device accesses before it against those after it. */
static inline void mmio_fence(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

#define csr_read(csr)                                                                              \
    __extension__({                                                                                \
        uint32_t csr_value_;                                                                       \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_value_)::"memory");                           \
        csr_value_;                                                                                \
    })
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"(value) : "memory")
#define csr_set(csr, bits)    __asm__ volatile("csrs " #csr ", %0" ::"r"(bits) : "memory")
#define csr_clear(csr, bits)  __asm__ volatile("csrc " #csr ", %0" ::"r"(bits) : "memory")

#define MSTATUS_MIE (1u << 3)
#define MIE_MTIE    (1u << 7)
#define MIE_MEIE    (1u << 11)

/* Switches interrupts off; returns what irq_restore() needs to put them back. */
static inline uint32_t irq_save(void)
{
    uint32_t old;
    __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(old)::"memory");
    return old & MSTATUS_MIE;
}

static inline void irq_restore(uint32_t saved)
{
    csr_set(mstatus, saved);
}

static inline void wait_for_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

#endif
