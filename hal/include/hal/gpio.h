/* SPDX-License-Identifier: Apache-2.0
 *
 * General purpose pins. */
#ifndef HAL_GPIO_H
#define HAL_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

typedef enum {
    HAL_GPIO_PULL_NONE = 0,
    HAL_GPIO_PULL_UP = 1,
    HAL_GPIO_PULL_DOWN = 2,
} hal_gpio_pull_t;

/* Number of pins; pins are numbered 0 .. count - 1. */
unsigned hal_gpio_count(void);

/* Switches the input and output buffers of pin and its pull resistor.
 * ESP_ERR_INVALID_ARG: no such pin. */
esp_err_t hal_gpio_configure(unsigned pin, bool input, bool output, hal_gpio_pull_t pull);

/* Level at the pin: 0 or 1; 0 when its input is off or the pin does not exist. A pin nobody drives
 * follows its pull resistor. */
int hal_gpio_get(unsigned pin);

/* Level that pin drives while its output is on. ESP_ERR_INVALID_ARG: no such pin. */
esp_err_t hal_gpio_set(unsigned pin, int level);

#endif
