/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen pins; pin 10 is the board's reset line and no program's. The chip has pull-ups but no
 * pull-downs: a pin that nothing drives and that has no pull-up reads 0 in the emulator, so asking
 * for a pull-down is accepted; on the real part such a pin floats. */
#include "hal/gpio.h"

#include <stddef.h>

#include "sifive_u/board.h"
#include "sifive_u/gpio.h"
#include "sifive_u/irq.h"
#include "sifive_u/mmio.h"
#include "sifive_u/watchdog.h"

#define GPIO_VALUE     (SIFIVE_U_GPIO_BASE + 0x00u)
#define GPIO_INPUT_EN  (SIFIVE_U_GPIO_BASE + 0x04u)
#define GPIO_OUTPUT_EN (SIFIVE_U_GPIO_BASE + 0x08u)
#define GPIO_PORT      (SIFIVE_U_GPIO_BASE + 0x0Cu)
#define GPIO_PULL_UP   (SIFIVE_U_GPIO_BASE + 0x10u)
#define GPIO_RISE_IE   (SIFIVE_U_GPIO_BASE + 0x18u)
#define GPIO_RISE_IP   (SIFIVE_U_GPIO_BASE + 0x1Cu)
#define GPIO_FALL_IE   (SIFIVE_U_GPIO_BASE + 0x20u)
#define GPIO_FALL_IP   (SIFIVE_U_GPIO_BASE + 0x24u)

static bool usable(unsigned pin)
{
    return pin < SIFIVE_U_GPIO_COUNT && pin != SIFIVE_U_GPIO_RESET_PIN;
}

static void set_bits(uint32_t address, uint32_t mask, bool on)
{
    uint32_t value = mmio_read(address);

    mmio_write(address, on ? value | mask : value & ~mask);
}

/* The rule of sifive_u_gpio_shared_t. */
static void apply_pull_ups(void)
{
    volatile sifive_u_gpio_shared_t *outside = &SIFIVE_U_SHARED->gpio;
    uint32_t driven, level;

    do {
        driven = outside->driven;
        level = outside->level;
        mmio_write(GPIO_PULL_UP, (outside->pull_up & ~driven) | (level & driven));
        mmio_fence();
    } while (outside->driven != driven || outside->level != level);
}

unsigned hal_gpio_count(void)
{
    return SIFIVE_U_GPIO_COUNT;
}

esp_err_t hal_gpio_configure(unsigned pin, bool input, bool output, hal_gpio_pull_t pull)
{
    if (!usable(pin)) {
        return ESP_ERR_INVALID_ARG;
    }
    uint32_t mask = 1u << pin;
    uint32_t saved = irq_save();

    if (pull == HAL_GPIO_PULL_UP) {
        SIFIVE_U_SHARED->gpio.pull_up |= mask;
    } else {
        SIFIVE_U_SHARED->gpio.pull_up &= ~mask;
    }
    mmio_fence();
    apply_pull_ups();
    set_bits(GPIO_OUTPUT_EN, mask, output);
    set_bits(GPIO_INPUT_EN, mask, input);
    irq_restore(saved);
    return ESP_OK;
}

int hal_gpio_get(unsigned pin)
{
    sifive_u_watchdog_progress();
    if (pin >= SIFIVE_U_GPIO_COUNT) {
        return 0;
    }
    return (int)(mmio_read(GPIO_VALUE) >> pin & 1u);
}

esp_err_t hal_gpio_set(unsigned pin, int level)
{
    if (!usable(pin)) {
        return ESP_ERR_INVALID_ARG;
    }
    uint32_t saved = irq_save();
    set_bits(GPIO_PORT, 1u << pin, level != 0);
    irq_restore(saved);
    return ESP_OK;
}

static void (*s_edge_handlers[SIFIVE_U_GPIO_COUNT])(unsigned pin);

/* One handler for all pins: every source has its own number, but not its own argument. */
static void edges(void)
{
    uint32_t pending = (mmio_read(GPIO_RISE_IP) & mmio_read(GPIO_RISE_IE)) |
                       (mmio_read(GPIO_FALL_IP) & mmio_read(GPIO_FALL_IE));

    mmio_write(GPIO_RISE_IP, pending);
    mmio_write(GPIO_FALL_IP, pending);
    for (unsigned pin = 0; pin < SIFIVE_U_GPIO_COUNT; pin++) {
        if ((pending >> pin & 1u) && s_edge_handlers[pin] != NULL) {
            s_edge_handlers[pin](pin);
        }
    }
}

esp_err_t sifive_u_gpio_on_edge(unsigned pin, bool rising, bool falling,
                                void (*handler)(unsigned pin))
{
    if (!usable(pin) || ((rising || falling) && handler == NULL)) {
        return ESP_ERR_INVALID_ARG;
    }
    uint32_t mask = 1u << pin;
    uint32_t saved = irq_save();

    set_bits(GPIO_RISE_IE, mask, false);
    set_bits(GPIO_FALL_IE, mask, false);
    mmio_write(GPIO_RISE_IP, mask);
    mmio_write(GPIO_FALL_IP, mask);
    s_edge_handlers[pin] = handler;
    if (rising || falling) {
        sifive_u_irq_enable(SIFIVE_U_IRQ_GPIO0 + pin, edges);
        set_bits(GPIO_RISE_IE, mask, rising);
        set_bits(GPIO_FALL_IE, mask, falling);
    } else {
        sifive_u_irq_disable(SIFIVE_U_IRQ_GPIO0 + pin);
    }
    irq_restore(saved);
    return ESP_OK;
}
