/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <stddef.h>

#include "sifive_u/board.h"

#define GPIO_PULL_UP (SIFIVE_U_GPIO_BASE + 0x10u)
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
