/* SPDX-License-Identifier: Apache-2.0
 *
 * driver/gpio.h over the board's pins. The board takes all properties of a pin at once; the calls
 * that change one of them find the others here. */
#include "driver/gpio.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "hal/gpio.h"

static const char TAG[] = "gpio";

#define MODE_INPUT_BIT  1
#define MODE_OUTPUT_BIT 2
#define MODE_DRAIN_BIT  4

static struct {
    uint8_t mode; /* gpio_mode_t */
    uint8_t pull; /* hal_gpio_pull_t */
} pins[GPIO_NUM_MAX];

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

static unsigned pin_count(void)
{
    unsigned count = hal_gpio_count();
    return count < GPIO_NUM_MAX ? count : GPIO_NUM_MAX;
}

static esp_err_t check_pin(gpio_num_t pin)
{
    if (pin < 0 || (unsigned)pin >= pin_count()) {
        ESP_LOGE(TAG, "GPIO number error: the board has pins 0 to %u", pin_count() - 1);
        return ESP_ERR_INVALID_ARG;
    }
    return ESP_OK;
}

static esp_err_t check_mode(gpio_mode_t mode)
{
    if (((unsigned)mode & ~7u) != 0) {
        ESP_LOGE(TAG, "unknown GPIO mode %d", mode);
        return ESP_ERR_INVALID_ARG;
    }
    if (mode & MODE_DRAIN_BIT) {
        ESP_LOGE(TAG, "the board has no open-drain pins");
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

/* Keeps what was set and tells the board. */
static esp_err_t apply(gpio_num_t pin, gpio_mode_t mode, hal_gpio_pull_t pull)
{
    portENTER_CRITICAL(&lock);
    pins[pin].mode = (uint8_t)mode;
    pins[pin].pull = (uint8_t)pull;
    esp_err_t err = hal_gpio_configure((unsigned)pin, (mode & MODE_INPUT_BIT) != 0,
                                       (mode & MODE_OUTPUT_BIT) != 0, pull);
    portEXIT_CRITICAL(&lock);
    return err;
}

static hal_gpio_pull_t pull_of(gpio_num_t pin)
{
    portENTER_CRITICAL(&lock);
    hal_gpio_pull_t pull = (hal_gpio_pull_t)pins[pin].pull;
    portEXIT_CRITICAL(&lock);
    return pull;
}

static gpio_mode_t mode_of(gpio_num_t pin)
{
    portENTER_CRITICAL(&lock);
    gpio_mode_t mode = (gpio_mode_t)pins[pin].mode;
    portEXIT_CRITICAL(&lock);
    return mode;
}

esp_err_t gpio_config(const gpio_config_t *config)
{
    uint64_t existing = pin_count() < 64 ? (1ULL << pin_count()) - 1 : UINT64_MAX;

    if (config == NULL || config->pin_bit_mask == 0 || (config->pin_bit_mask & ~existing) != 0) {
        ESP_LOGE(TAG, "GPIO_PIN mask error ");
        return ESP_ERR_INVALID_ARG;
    }
    if (config->pull_up_en && config->pull_down_en) {
        ESP_LOGE(TAG, "a pin cannot be pulled up and down at the same time");
        return ESP_ERR_INVALID_ARG;
    }
    if (config->intr_type != GPIO_INTR_DISABLE) {
        ESP_LOGE(TAG, "the board's pins have no interrupts");
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = check_mode(config->mode);
    hal_gpio_pull_t pull = config->pull_up_en     ? HAL_GPIO_PULL_UP
                           : config->pull_down_en ? HAL_GPIO_PULL_DOWN
                                                  : HAL_GPIO_PULL_NONE;

    for (unsigned pin = 0; err == ESP_OK && pin < pin_count(); pin++) {
        if (config->pin_bit_mask & (1ULL << pin)) {
            err = apply((gpio_num_t)pin, config->mode, pull);
            ESP_LOGD(TAG, "GPIO[%u]| InputEn: %d| OutputEn: %d| Pullup: %d| Pulldown: %d", pin,
                     (config->mode & MODE_INPUT_BIT) != 0, (config->mode & MODE_OUTPUT_BIT) != 0,
                     pull == HAL_GPIO_PULL_UP, pull == HAL_GPIO_PULL_DOWN);
        }
    }
    return err;
}

esp_err_t gpio_reset_pin(gpio_num_t pin)
{
    esp_err_t err = check_pin(pin);
    return err == ESP_OK ? apply(pin, GPIO_MODE_DISABLE, HAL_GPIO_PULL_UP) : err;
}

int gpio_get_level(gpio_num_t pin)
{
    return pin >= 0 ? hal_gpio_get((unsigned)pin) : 0;
}

esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level)
{
    esp_err_t err = check_pin(pin);
    return err == ESP_OK ? hal_gpio_set((unsigned)pin, level != 0) : err;
}

esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode)
{
    esp_err_t err = check_pin(pin);
    if (err == ESP_OK) {
        err = check_mode(mode);
    }
    return err == ESP_OK ? apply(pin, mode, pull_of(pin)) : err;
}

static esp_err_t set_pull(gpio_num_t pin, hal_gpio_pull_t pull)
{
    esp_err_t err = check_pin(pin);
    return err == ESP_OK ? apply(pin, mode_of(pin), pull) : err;
}

esp_err_t gpio_set_pull_mode(gpio_num_t pin, gpio_pull_mode_t pull)
{
    switch (pull) {
    case GPIO_PULLUP_ONLY:
        return set_pull(pin, HAL_GPIO_PULL_UP);
    case GPIO_PULLDOWN_ONLY:
        return set_pull(pin, HAL_GPIO_PULL_DOWN);
    case GPIO_FLOATING:
        return set_pull(pin, HAL_GPIO_PULL_NONE);
    default:
        ESP_LOGE(TAG, "a pin cannot be pulled up and down at the same time");
        return ESP_ERR_INVALID_ARG;
    }
}

esp_err_t gpio_pullup_en(gpio_num_t pin)
{
    return set_pull(pin, HAL_GPIO_PULL_UP);
}

esp_err_t gpio_pulldown_en(gpio_num_t pin)
{
    return set_pull(pin, HAL_GPIO_PULL_DOWN);
}

static esp_err_t drop_pull(gpio_num_t pin, hal_gpio_pull_t pull)
{
    esp_err_t err = check_pin(pin);
    if (err != ESP_OK || pull_of(pin) != pull) {
        return err;
    }
    return set_pull(pin, HAL_GPIO_PULL_NONE);
}

esp_err_t gpio_pullup_dis(gpio_num_t pin)
{
    return drop_pull(pin, HAL_GPIO_PULL_UP);
}

esp_err_t gpio_pulldown_dis(gpio_num_t pin)
{
    return drop_pull(pin, HAL_GPIO_PULL_DOWN);
}
