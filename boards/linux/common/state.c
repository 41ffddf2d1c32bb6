/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_board/state.h"

#include <string.h>

#include "hal/reset.h"

_Static_assert(sizeof(linux_board_pin_t) == 8, "layout of the state file");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint8_t) == 1,
               "atomics of the state file have no locks");
_Static_assert(LINUX_BOARD_RETAIN_SIZE >= HAL_RETAIN_SIZE, "retain memory");

bool linux_board_flash_size_valid(uint64_t size)
{
    return size >= LINUX_BOARD_MIN_FLASH && size <= LINUX_BOARD_MAX_FLASH &&
           (size & (size - 1)) == 0;
}

static void reset_pins(linux_board_state_t *state)
{
    for (unsigned i = 0; i < LINUX_BOARD_GPIO_COUNT; i++) {
        linux_board_pin_t *pin = &state->pins[i];
        atomic_store(&pin->input, 0);
        atomic_store(&pin->output, 0);
        atomic_store(&pin->pull, 0);
        atomic_store(&pin->level, 0);
    }
}

void linux_board_state_init(linux_board_state_t *state, uint32_t flash_size)
{
    memset(state, 0, sizeof(*state));
    memcpy(state->magic, LINUX_BOARD_STATE_MAGIC, sizeof(state->magic));
    state->version = LINUX_BOARD_STATE_VERSION;
    state->flash_size = flash_size;
    state->check_nor = 1;
    state->seed = 1;
    state->running_offset = LINUX_BOARD_NOT_RUNNING;
    atomic_store(&state->reset_reason, HAL_RESET_POWERON);
}

const char *linux_board_state_problem(const linux_board_state_t *state, uint64_t size,
                                      uint64_t flash_size)
{
    if (size < sizeof(*state)) {
        return "it is too short for a board state";
    }
    if (memcmp(state->magic, LINUX_BOARD_STATE_MAGIC, sizeof(state->magic)) != 0) {
        return "it is not a board state";
    }
    if (state->version != LINUX_BOARD_STATE_VERSION || size != sizeof(*state)) {
        return "it belongs to another version of this program";
    }
    if (!linux_board_flash_size_valid(state->flash_size) || state->flash_size != flash_size) {
        return "it belongs to a flash file of another size";
    }
    return NULL;
}

static void start_boot(linux_board_state_t *state, uint32_t reason, uint64_t now_ns)
{
    atomic_store(&state->reset_reason, reason);
    state->running_offset = LINUX_BOARD_NOT_RUNNING;
    state->reset_time_ns = now_ns;
    state->boots++;
    reset_pins(state);
}

void linux_board_state_power_on(linux_board_state_t *state, uint64_t now_ns)
{
    memset(state->retain, 0, sizeof(state->retain));
    atomic_store(&state->operations, 0);
    state->boots = 0;
    start_boot(state, HAL_RESET_POWERON, now_ns);
}

void linux_board_state_reset(linux_board_state_t *state, uint32_t reason, uint64_t now_ns)
{
    start_boot(state, reason, now_ns);
}
