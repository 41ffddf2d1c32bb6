/* SPDX-License-Identifier: Apache-2.0
 *
 * Pin interrupts, beyond hal/gpio.h. */
#ifndef SIFIVE_U_GPIO_H
#define SIFIVE_U_GPIO_H

#include <stdbool.h>

#include "formats/esp_err_codes.h"

/* Calls handler(pin) from the interrupt handler at every rising and/or falling edge of pin, whose
 * input must be on. Both false: no more calls. ESP_ERR_INVALID_ARG: no such pin. */
esp_err_t sifive_u_gpio_on_edge(unsigned pin, bool rising, bool falling,
                                void (*handler)(unsigned pin));

#endif
