/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/gpio.h"

#include "board.h"

unsigned hal_gpio_count(void)
{
    return LINUX_BOARD_GPIO_COUNT;
}

esp_err_t hal_gpio_configure(unsigned pin, bool input, bool output, hal_gpio_pull_t pull)
{
    if (pin >= LINUX_BOARD_GPIO_COUNT) {
        return ESP_ERR_INVALID_ARG;
    }
    linux_board_pin_t *state = &board()->state->pins[pin];
    atomic_store(&state->input, input);
    atomic_store(&state->output, output);
    atomic_store(&state->pull, (uint8_t)pull);
    return ESP_OK;
}

int hal_gpio_get(unsigned pin)
{
    if (pin >= LINUX_BOARD_GPIO_COUNT) {
        return 0;
    }
    linux_board_pin_t *state = &board()->state->pins[pin];
    if (!atomic_load(&state->input)) {
        return 0;
    }
    /* What is wired to the pin is stronger than the pin's own driver, that than the pull. */
    switch (atomic_load(&state->drive)) {
    case LINUX_BOARD_DRIVE_LOW:
        return 0;
    case LINUX_BOARD_DRIVE_HIGH:
        return 1;
    default:
        break;
    }
    if (atomic_load(&state->output)) {
        return atomic_load(&state->level) != 0;
    }
    return atomic_load(&state->pull) == HAL_GPIO_PULL_UP;
}

esp_err_t hal_gpio_set(unsigned pin, int level)
{
    if (pin >= LINUX_BOARD_GPIO_COUNT) {
        return ESP_ERR_INVALID_ARG;
    }
    atomic_store(&board()->state->pins[pin].level, level != 0);
    return ESP_OK;
}
