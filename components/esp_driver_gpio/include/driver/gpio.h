/* SPDX-License-Identifier: Apache-2.0
 *
 * General purpose pins: levels, without interrupts. */
#ifndef DRIVER_GPIO_H
#define DRIVER_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_err.h"
#include "hal/gpio_types.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t pin_bit_mask; /* bit n: pin n */
    gpio_mode_t mode;
    gpio_pullup_t pull_up_en;
    gpio_pulldown_t pull_down_en;
    gpio_int_type_t intr_type; /* GPIO_INTR_DISABLE */
} gpio_config_t;

/* Sets every pin of the mask exactly as given; what is not asked for is switched off.
 * ESP_ERR_INVALID_ARG: NULL, an empty mask, a pin that does not exist, or both pulls at once.
 * ESP_ERR_NOT_SUPPORTED: open drain or interrupts, which the boards do not have. */
esp_err_t gpio_config(const gpio_config_t *config);

/* Plain pin: input and output off, pull-up on. ESP_ERR_INVALID_ARG: no such pin. */
esp_err_t gpio_reset_pin(gpio_num_t pin);

/* 0 or 1; 0 for a pin whose input is off or that does not exist. */
int gpio_get_level(gpio_num_t pin);

/* The level a pin drives while its output is on: 0, or 1 for any other value.
 * ESP_ERR_INVALID_ARG: no such pin. */
esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level);

/* One property, others as they are. Errors as gpio_config(). */
esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode);
esp_err_t gpio_set_pull_mode(gpio_num_t pin, gpio_pull_mode_t pull);
esp_err_t gpio_pullup_en(gpio_num_t pin);
esp_err_t gpio_pullup_dis(gpio_num_t pin);
esp_err_t gpio_pulldown_en(gpio_num_t pin);
esp_err_t gpio_pulldown_dis(gpio_num_t pin);

#ifdef __cplusplus
}
#endif

#endif
