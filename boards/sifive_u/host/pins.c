/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <stddef.h>

#include "hal/gpio.h"
#include "sifive_u/board.h"
#include "sifive_u_host/runner.h"

_Static_assert(SIFIVE_U_PINS == SIFIVE_U_GPIO_COUNT, "one number of pins");

#define GPIO_INPUT_EN  (SIFIVE_U_GPIO_BASE + 0x04u)
#define GPIO_OUTPUT_EN (SIFIVE_U_GPIO_BASE + 0x08u)
#define GPIO_PORT      (SIFIVE_U_GPIO_BASE + 0x0Cu)
#define GPIO_PULL_UP   (SIFIVE_U_GPIO_BASE + 0x10u)
#define SHARED(field)                                                                              \
    (SIFIVE_U_SHARED_BASE + SIFIVE_U_SHARED_OFF_GPIO +                                             \
     (uint32_t)offsetof(sifive_u_gpio_shared_t, field))

bool pins_apply(emulator_t *emulator, const linux_board_state_t *state)
{
    uint32_t driven = 0;
    uint32_t level = 0;

    for (unsigned pin = 0; pin < SIFIVE_U_GPIO_COUNT; pin++) {
        uint8_t drive = atomic_load(&state->pins[pin].drive);
        if (pin != SIFIVE_U_GPIO_RESET_PIN && drive != LINUX_BOARD_DRIVE_NONE) {
            driven |= 1u << pin;
            level |= drive == LINUX_BOARD_DRIVE_HIGH ? 1u << pin : 0;
        }
    }
    /* First the block, then the register, by the rule of sifive_u_gpio_shared_t; once more if the
     * firmware changed its part meanwhile. */
    if (!emulator_write(emulator, SHARED(level), level) ||
        !emulator_write(emulator, SHARED(driven), driven)) {
        return false;
    }
    for (;;) {
        uint32_t before, after;
        if (!emulator_read(emulator, SHARED(pull_up), &before) ||
            !emulator_write(emulator, GPIO_PULL_UP, (before & ~driven) | (level & driven)) ||
            !emulator_read(emulator, SHARED(pull_up), &after)) {
            return false;
        }
        if (before == after) {
            return true;
        }
    }
}

bool pins_report(emulator_t *emulator, linux_board_state_t *state)
{
    uint32_t input, output, port, pull_up;

    if (!emulator_read(emulator, GPIO_INPUT_EN, &input) ||
        !emulator_read(emulator, GPIO_OUTPUT_EN, &output) ||
        !emulator_read(emulator, GPIO_PORT, &port) ||
        !emulator_read(emulator, SHARED(pull_up), &pull_up)) {
        return false;
    }
    for (unsigned pin = 0; pin < SIFIVE_U_GPIO_COUNT; pin++) {
        if (pin == SIFIVE_U_GPIO_RESET_PIN) {
            continue;
        }
        linux_board_pin_t *told = &state->pins[pin];
        atomic_store(&told->input, (uint8_t)(input >> pin & 1u));
        atomic_store(&told->output, (uint8_t)(output >> pin & 1u));
        atomic_store(&told->level, (uint8_t)(port >> pin & 1u));
        atomic_store(&told->pull, pull_up >> pin & 1u ? HAL_GPIO_PULL_UP : HAL_GPIO_PULL_NONE);
    }
    return true;
}
