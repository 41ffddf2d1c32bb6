/* SPDX-License-Identifier: Apache-2.0
 *
 * A flash chip in memory, for tests that tear operations and look at the bytes: the model of the
 * linux board's chip behind hal_flash_*, in the place of the SPI driver, which has tests of its own
 * on the real one. Tests that hook resets are not for this board. The memory is the part of the
 * code area that no test program fills. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/flash.h"
#include "hal/loader.h"
#include "linux_board/flash_model.h"
#include "linux_board/testing.h"
#include "sifive_u/board.h"

#define MAX_FLASH_SIZE 0x00800000u
#define FLASH_MEMORY   (SIFIVE_U_CODE_BASE + SIFIVE_U_CODE_SIZE - MAX_FLASH_SIZE)
#define STATE_ROOM     0x100000u

static linux_flash_t s_flash;
static bool s_initialised;
static bool s_dead; /* no power after a cut whose hook returned */

static linux_board_fault_t s_fault_kind;
static uint64_t s_fault_countdown;
static esp_err_t s_fault_error;
static bool s_fault_happened;

static linux_board_cut_hook_t s_cut_hook;
static void *s_cut_hook_arg;

_Static_assert(sizeof(linux_board_state_t) <= STATE_ROOM, "the state has its own megabyte");

static linux_flash_t *chip(void)
{
    if (s_flash.state == NULL) {
        linux_board_testing_reset(LINUX_BOARD_TESTING_FLASH_SIZE);
    }
    return &s_flash;
}

/* The library's memset() is a small one, and some tests make thousands of boards. */
static void erase_all(uint64_t *at, uint32_t size)
{
    for (uint64_t *end = at + size / sizeof(*at); at < end; at += 8) {
        at[0] = at[1] = at[2] = at[3] = at[4] = at[5] = at[6] = at[7] = UINT64_MAX;
    }
}

void linux_board_testing_reset(uint32_t flash_size)
{
    if (!linux_board_flash_size_valid(flash_size) || flash_size > MAX_FLASH_SIZE) {
        printf("memory board: no room for %u bytes of flash\n", (unsigned)flash_size);
        abort();
    }
    s_flash.bytes = (uint8_t *)(uintptr_t)FLASH_MEMORY;
    s_flash.state = (linux_board_state_t *)(uintptr_t)(FLASH_MEMORY - STATE_ROOM);
    erase_all((uint64_t *)(uintptr_t)FLASH_MEMORY, flash_size);
    linux_board_state_init(s_flash.state, flash_size);
    linux_board_state_power_on(s_flash.state, 0);
    s_initialised = false;
    s_dead = false;
    s_fault_countdown = 0;
    s_fault_happened = false;
    s_cut_hook = NULL;
}

uint8_t *linux_board_testing_flash(void)
{
    return chip()->bytes;
}

linux_board_state_t *linux_board_testing_state(void)
{
    return chip()->state;
}

void linux_board_testing_on_cut(linux_board_cut_hook_t hook, void *arg)
{
    s_cut_hook = hook;
    s_cut_hook_arg = arg;
}

void linux_board_testing_cut(uint64_t operation, linux_board_cut_mode_t mode, uint32_t byte)
{
    linux_board_state_t *state = chip()->state;

    state->cut =
        (linux_board_cut_t){.mode = mode, .byte = byte, .operation = state->operations + operation};
}

void linux_board_testing_power_on(void)
{
    linux_board_state_power_on(chip()->state, 0);
    s_dead = false;
}

void linux_board_testing_reboot(hal_reset_reason_t reason)
{
    linux_board_state_reset(chip()->state, reason, 0);
}

void linux_board_testing_fail(linux_board_fault_t kind, uint64_t nth, esp_err_t error)
{
    s_fault_kind = kind;
    s_fault_countdown = nth;
    s_fault_error = error;
    s_fault_happened = false;
}

bool linux_board_testing_failed(void)
{
    return s_fault_happened;
}

/* ESP_OK, or what the operation about to start must return instead of happening. */
static esp_err_t injected(linux_board_fault_t kind)
{
    if (s_dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    if (s_fault_countdown == 0 || (s_fault_kind != kind && s_fault_kind != LINUX_BOARD_FAULT_ANY) ||
        --s_fault_countdown > 0) {
        return ESP_OK;
    }
    s_fault_happened = true;
    return s_fault_error;
}

static esp_err_t finish(linux_flash_result_t result)
{
    switch (result) {
    case LINUX_FLASH_OK:
        return ESP_OK;
    case LINUX_FLASH_RANGE:
        return ESP_ERR_INVALID_ARG;
    case LINUX_FLASH_NOR:
        return ESP_ERR_FLASH_OP_FAIL;
    case LINUX_FLASH_CUT:
        break;
    }
    s_dead = true;
    if (s_cut_hook == NULL) {
        printf("memory board: the power was cut, and the test has no hook for it\n");
        abort();
    }
    s_cut_hook(s_cut_hook_arg);
    return ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t hal_flash_init(void)
{
    chip();
    s_initialised = true;
    return ESP_OK;
}

uint32_t hal_flash_size(void)
{
    return s_initialised ? chip()->state->flash_size : 0;
}

uint32_t hal_flash_id(void)
{
    return s_initialised ? linux_flash_id(chip()) : 0;
}

esp_err_t hal_flash_read(uint32_t address, void *dst, size_t len)
{
    esp_err_t err = injected(LINUX_BOARD_FAULT_READ);

    return err != ESP_OK ? err : finish(linux_flash_read(chip(), address, dst, len));
}

esp_err_t hal_flash_program(uint32_t address, const void *src, size_t len)
{
    esp_err_t err = injected(LINUX_BOARD_FAULT_PROGRAM);

    return err != ESP_OK ? err : finish(linux_flash_program(chip(), address, src, len));
}

static esp_err_t erase(uint32_t address, uint32_t len)
{
    esp_err_t err = injected(LINUX_BOARD_FAULT_ERASE);

    return err != ESP_OK ? err : finish(linux_flash_erase(chip(), address, len));
}

esp_err_t hal_flash_erase_sector(uint32_t address)
{
    return erase(address, HAL_FLASH_SECTOR_SIZE);
}

esp_err_t hal_flash_erase_block(uint32_t address)
{
    return erase(address, HAL_FLASH_BLOCK_SIZE);
}

const void *hal_flash_map(uint32_t address, size_t len)
{
    linux_flash_t *flash = chip();
    uint32_t size = flash->state->flash_size;

    if (address > size || len > size - address || linux_flash_unstable(flash, address, len)) {
        return NULL;
    }
    return flash->bytes + address;
}

esp_err_t hal_flash_replace(void *memory, uint32_t size)
{
    (void)memory;
    (void)size;
    return ESP_ERR_NOT_SUPPORTED;
}

uint32_t hal_loader_running_offset(void)
{
    return chip()->state->running_offset;
}
