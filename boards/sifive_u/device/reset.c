/* SPDX-License-Identifier: Apache-2.0
 *
 * Reset by the line that hangs on GPIO 10. The chip itself does not remember why it was reset; the
 * shared block in on-chip RAM does, which the ROM stage looks after. */
#include "hal/reset.h"

#include "sifive_u/board.h"
#include "sifive_u/mmio.h"

#define GPIO_OUTPUT_EN (SIFIVE_U_GPIO_BASE + 0x08u)
#define GPIO_PORT      (SIFIVE_U_GPIO_BASE + 0x0Cu)
#define RESET_LINE     (1u << SIFIVE_U_GPIO_RESET_PIN)

hal_reset_reason_t hal_reset_reason(void)
{
    return (hal_reset_reason_t)SIFIVE_U_SHARED->reset_reason;
}

_Noreturn void hal_reset(hal_reset_reason_t reason)
{
    (void)irq_save();
    SIFIVE_U_SHARED->next_reason = reason;
    mmio_fence();
    /* The level before the direction: an output that is enabled while low resets at once. */
    mmio_write(GPIO_PORT, mmio_read(GPIO_PORT) | RESET_LINE);
    mmio_write(GPIO_OUTPUT_EN, mmio_read(GPIO_OUTPUT_EN) | RESET_LINE);
    mmio_write(GPIO_PORT, mmio_read(GPIO_PORT) & ~RESET_LINE);
    for (;;) {
        wait_for_interrupt();
    }
}

void *hal_reset_retain_memory(void)
{
    return (void *)(uintptr_t)SIFIVE_U_SHARED->retain;
}
