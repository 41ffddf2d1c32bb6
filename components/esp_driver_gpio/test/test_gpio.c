/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driver/gpio.h"
#include "hal/gpio.h"
#include "linux_board/testing.h"

static int set_up(void **state)
{
    (void)state;
    linux_board_testing_reset(LINUX_BOARD_TESTING_FLASH_SIZE);
    for (unsigned pin = 0; pin < hal_gpio_count(); pin++) {
        assert_int_equal(gpio_reset_pin((gpio_num_t)pin), ESP_OK);
    }
    return 0;
}

static gpio_config_t input(uint64_t mask, gpio_pullup_t up, gpio_pulldown_t down)
{
    gpio_config_t config = {
        .pin_bit_mask = mask, .mode = GPIO_MODE_INPUT, .pull_up_en = up, .pull_down_en = down};
    return config;
}

static void unconnected_input_follows_its_pull(void **state)
{
    (void)state;
    gpio_config_t config = input(1ULL << GPIO_NUM_4, GPIO_PULLUP_ENABLE, GPIO_PULLDOWN_DISABLE);
    assert_int_equal(gpio_config(&config), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 1);
    config = input(1ULL << GPIO_NUM_4, GPIO_PULLUP_DISABLE, GPIO_PULLDOWN_ENABLE);
    assert_int_equal(gpio_config(&config), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 0);
    assert_int_equal(gpio_set_pull_mode(GPIO_NUM_4, GPIO_PULLUP_ONLY), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 1);
    assert_int_equal(gpio_pulldown_dis(GPIO_NUM_4), ESP_OK); /* there is none to take away */
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 1);
    assert_int_equal(gpio_pulldown_en(GPIO_NUM_4), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 0);
}

static void pin_that_is_no_input_reads_0(void **state)
{
    (void)state;
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 0);
    assert_int_equal(gpio_set_direction(GPIO_NUM_4, GPIO_MODE_INPUT), ESP_OK);
    /* gpio_reset_pin() left the pull-up on. */
    assert_int_equal(gpio_get_level(GPIO_NUM_4), 1);
    assert_int_equal(gpio_get_level((gpio_num_t)hal_gpio_count()), 0);
    assert_int_equal(gpio_get_level(GPIO_NUM_NC), 0);
}

static void output_is_read_back_where_input_is_on_too(void **state)
{
    (void)state;
    assert_int_equal(gpio_set_direction(GPIO_NUM_2, GPIO_MODE_INPUT_OUTPUT), ESP_OK);
    assert_int_equal(gpio_set_level(GPIO_NUM_2, 0), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_2), 0);
    assert_int_equal(gpio_set_level(GPIO_NUM_2, 5), ESP_OK);
    assert_int_equal(gpio_get_level(GPIO_NUM_2), 1);
}

static void wrong_pins_and_modes_are_refused(void **state)
{
    (void)state;
    gpio_num_t beyond = (gpio_num_t)hal_gpio_count();
    gpio_config_t config = input(0, GPIO_PULLUP_DISABLE, GPIO_PULLDOWN_DISABLE);
    assert_int_equal(gpio_config(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_config(&config), ESP_ERR_INVALID_ARG);
    config.pin_bit_mask = 1ULL << 63;
    assert_int_equal(gpio_config(&config), ESP_ERR_INVALID_ARG);
    config = input(2, GPIO_PULLUP_ENABLE, GPIO_PULLDOWN_ENABLE);
    assert_int_equal(gpio_config(&config), ESP_ERR_INVALID_ARG);
    config = input(2, GPIO_PULLUP_DISABLE, GPIO_PULLDOWN_DISABLE);
    config.intr_type = GPIO_INTR_POSEDGE;
    assert_int_equal(gpio_config(&config), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(gpio_set_direction(GPIO_NUM_1, GPIO_MODE_OUTPUT_OD), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(gpio_set_level(beyond, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_set_direction(GPIO_NUM_NC, GPIO_MODE_INPUT), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_pullup_en(beyond), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_pullup_dis(beyond), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_reset_pin(beyond), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_set_pull_mode(GPIO_NUM_1, GPIO_PULLUP_PULLDOWN), ESP_ERR_INVALID_ARG);
}

#define T(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(unconnected_input_follows_its_pull),
        T(pin_that_is_no_input_reads_0),
        T(output_is_read_back_where_input_is_on_too),
        T(wrong_pins_and_modes_are_refused),
    };
    return cmocka_run_group_tests_name("gpio", tests, NULL, NULL);
}
