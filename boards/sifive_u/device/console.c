/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "hal/console.h"
#include "sifive_u/board.h"
#include "sifive_u/irq.h"
#include "sifive_u/mmio.h"
#include "sifive_u/os.h"

#define UART_TXDATA (SIFIVE_U_UART0_BASE + 0x00u)
#define UART_RXDATA (SIFIVE_U_UART0_BASE + 0x04u)
#define UART_TXCTRL (SIFIVE_U_UART0_BASE + 0x08u)
#define UART_RXCTRL (SIFIVE_U_UART0_BASE + 0x0Cu)
#define UART_IE     (SIFIVE_U_UART0_BASE + 0x10u)
#define UART_DIV    (SIFIVE_U_UART0_BASE + 0x18u)

#define UART_FULL_OR_EMPTY (1u << 31)
#define UART_IE_RXWM       (1u << 1)

/* The UART's clock out of reset is the 33.33 MHz reference. */
#define UART_DIV_115200 (33333333u / 115200u - 1u)

void sifive_u_console_init(void)
{
    mmio_write(UART_IE, 0);
    mmio_write(UART_DIV, UART_DIV_115200);
    mmio_write(UART_TXCTRL, 1);
    mmio_write(UART_RXCTRL, 1); /* watermark 0: any byte counts */
}

void hal_console_write(const char *text, size_t len)
{
    /* Interrupts stay off for the whole call, so that nobody's bytes come in between. Lines are
     * short, and this works in a trap handler as well. */
    uint32_t saved = irq_save();

    for (size_t i = 0; i < len; i++) {
        while (mmio_read(UART_TXDATA) & UART_FULL_OR_EMPTY) {
        }
        mmio_write(UART_TXDATA, (uint8_t)text[i]);
    }
    irq_restore(saved);
}

/* The handler only reports and masks itself; the reader empties the FIFO and unmasks. */
static void input_ready(void)
{
    mmio_write(UART_IE, 0);
    sifive_u_os()->signal(SIFIVE_U_EVENT_CONSOLE_IN);
}

static bool s_input_by_interrupt;

void sifive_u_console_enable_input(void)
{
    sifive_u_irq_enable(SIFIVE_U_IRQ_UART0, input_ready);
    s_input_by_interrupt = true;
}

size_t hal_console_read(char *buf, size_t len)
{
    const sifive_u_os_t *os = sifive_u_os();
    size_t got = 0;

    if (len == 0) {
        return 0;
    }
    os->lock(SIFIVE_U_LOCK_CONSOLE_IN);
    for (;;) {
        while (got < len) {
            uint32_t value = mmio_read(UART_RXDATA);
            if (value & UART_FULL_OR_EMPTY) {
                break;
            }
            buf[got++] = (char)value;
        }
        if (got > 0) {
            break;
        }
        if (s_input_by_interrupt) {
            mmio_write(UART_IE, UART_IE_RXWM);
            os->wait(SIFIVE_U_EVENT_CONSOLE_IN, 0);
        }
    }
    os->unlock(SIFIVE_U_LOCK_CONSOLE_IN);
    return got;
}
