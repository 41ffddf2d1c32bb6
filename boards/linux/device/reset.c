/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/reset.h"

#include "board.h"

hal_reset_reason_t hal_reset_reason(void)
{
    return (hal_reset_reason_t)atomic_load(&board()->state->reset_reason);
}

_Noreturn void hal_reset(hal_reset_reason_t reason)
{
    linux_flash_t *flash = board();
    board_call_reset_hook(reason);
    atomic_store(&flash->state->reset_reason, reason);
    board_exit(reason == HAL_RESET_NO_BOOTABLE_APP ? LINUX_BOARD_EXIT_OFF : LINUX_BOARD_EXIT_RESET);
}

void *hal_reset_retain_memory(void)
{
    return board()->state->retain;
}
