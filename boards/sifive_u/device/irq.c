/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupt sources: the PLIC. */
#include <stddef.h>

#include "sifive_u/board.h"
#include "sifive_u/irq.h"
#include "sifive_u/mmio.h"

/* Hart 0 has one interrupt context, machine mode: number 0. */
#define PLIC_PRIORITY(irq) (SIFIVE_U_PLIC_BASE + 4u * (irq))
#define PLIC_ENABLE(irq)   (SIFIVE_U_PLIC_BASE + 0x2000u + 4u * ((irq) / 32u))
#define PLIC_THRESHOLD     (SIFIVE_U_PLIC_BASE + 0x200000u)
#define PLIC_CLAIM         (SIFIVE_U_PLIC_BASE + 0x200004u)

static void (*s_handlers[SIFIVE_U_IRQ_COUNT])(void);

void sifive_u_irq_init(void)
{
    csr_write(mie, 0);
    for (unsigned irq = 1; irq < SIFIVE_U_IRQ_COUNT; irq++) {
        mmio_write(PLIC_PRIORITY(irq), 0);
    }
    mmio_write(PLIC_ENABLE(0), 0);
    mmio_write(PLIC_ENABLE(32), 0);
    mmio_write(PLIC_THRESHOLD, 0);
    csr_set(mie, MIE_MEIE);
}

void sifive_u_irq_enable(unsigned source, void (*handler)(void))
{
    uint32_t saved = irq_save();

    s_handlers[source] = handler;
    mmio_write(PLIC_PRIORITY(source), 1);
    mmio_write(PLIC_ENABLE(source), mmio_read(PLIC_ENABLE(source)) | 1u << source % 32u);
    irq_restore(saved);
}

void sifive_u_irq_disable(unsigned source)
{
    uint32_t saved = irq_save();

    mmio_write(PLIC_ENABLE(source), mmio_read(PLIC_ENABLE(source)) & ~(1u << source % 32u));
    irq_restore(saved);
}

void sifive_u_irq_dispatch(void)
{
    for (;;) {
        uint32_t source = mmio_read(PLIC_CLAIM);
        if (source == 0) {
            return;
        }
        if (source < SIFIVE_U_IRQ_COUNT && s_handlers[source] != NULL) {
            s_handlers[source]();
        } else {
            sifive_u_irq_disable(source);
        }
        mmio_write(PLIC_CLAIM, source);
    }
}
