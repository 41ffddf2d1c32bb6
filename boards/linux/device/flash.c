/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/flash.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "board.h"
#include "linux_board/testing.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool initialised;

/* Only in a private board: no power after a cut whose hook returned, and the fault asked for. */
static bool dead;
static linux_board_fault_t fault_kind;
static uint64_t fault_countdown;
static esp_err_t fault_error;
static bool fault_happened;
static linux_board_operation_hook_t operation_hook;
static void *operation_hook_arg;

/* In the place of the board's own chip, if it has bytes; the board's other state stays. */
static linux_flash_t replacement;

static linux_flash_t *chip(void)
{
    return replacement.bytes != NULL ? &replacement : board();
}

void board_flash_forget(bool initialised_too)
{
    dead = false;
    if (initialised_too) {
        initialised = false;
        replacement.bytes = NULL;
        fault_countdown = 0;
        fault_happened = false;
    }
}

void linux_board_testing_fail(linux_board_fault_t kind, uint64_t nth, esp_err_t error)
{
    fault_kind = kind;
    fault_countdown = nth;
    fault_error = error;
    fault_happened = false;
}

void linux_board_testing_on_operation(linux_board_operation_hook_t hook, void *arg)
{
    operation_hook = hook;
    operation_hook_arg = arg;
}

bool linux_board_testing_failed(void)
{
    return fault_happened;
}

/* A task that is deleted must not leave the chip locked. Returns the state for leave(). */
static int enter(void)
{
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    pthread_mutex_lock(&lock);
    return cancel_state;
}

static void leave(int cancel_state)
{
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(cancel_state, NULL);
}

static void call_operation_hook(const linux_flash_t *flash, uint32_t address, const void *data,
                                size_t len)
{
    uint32_t size = flash->state->flash_size;
    if (operation_hook != NULL && address <= size && len <= size - address) {
        operation_hook(address, data, len, operation_hook_arg);
    }
}

/* ESP_OK, or what the operation about to start must return instead of happening. */
static esp_err_t injected(linux_board_fault_t kind)
{
    if (dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    if (fault_countdown == 0 || (fault_kind != kind && fault_kind != LINUX_BOARD_FAULT_ANY) ||
        --fault_countdown > 0) {
        return ESP_OK;
    }
    fault_happened = true;
    return fault_error;
}

static void take_real_time(const linux_flash_t *flash, linux_flash_kind_t kind, size_t len)
{
    if (!flash->state->real_timing) {
        return;
    }
    uint64_t us = linux_flash_busy_us(kind, len);
    struct timespec rest = {.tv_sec = (time_t)(us / 1000000u),
                            .tv_nsec = (long)(us % 1000000u) * 1000};
    while (nanosleep(&rest, &rest) != 0) {
    }
}

static esp_err_t to_error(linux_flash_result_t result)
{
    switch (result) {
    case LINUX_FLASH_OK:
        return ESP_OK;
    case LINUX_FLASH_RANGE:
        return ESP_ERR_INVALID_ARG;
    case LINUX_FLASH_NOR:
    case LINUX_FLASH_CUT:
        break;
    }
    return ESP_ERR_FLASH_OP_FAIL;
}

/* Ends an operation that was entered. */
static esp_err_t finish(int cancel_state, linux_flash_result_t result)
{
    if (result != LINUX_FLASH_CUT) {
        leave(cancel_state);
        return to_error(result);
    }
    if (!board_is_private()) {
        board_exit(LINUX_BOARD_EXIT_POWER_CUT);
    }
    dead = true;
    leave(cancel_state);
    if (!board_call_cut_hook()) {
        board_exit(LINUX_BOARD_EXIT_POWER_CUT);
    }
    return ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t hal_flash_init(void)
{
    board();
    initialised = true;
    return ESP_OK;
}

uint32_t hal_flash_size(void)
{
    return initialised ? chip()->state->flash_size : 0;
}

uint32_t hal_flash_id(void)
{
    return initialised ? linux_flash_id(chip()) : 0;
}

esp_err_t hal_flash_read(uint32_t address, void *dst, size_t len)
{
    linux_flash_t *flash = chip();
    int cancel_state = enter();
    esp_err_t err = injected(LINUX_BOARD_FAULT_READ);
    if (err != ESP_OK) {
        leave(cancel_state);
        return err;
    }
    linux_flash_result_t result = linux_flash_read(flash, address, dst, len);
    if (result == LINUX_FLASH_OK) {
        take_real_time(flash, LINUX_FLASH_READ, len);
    }
    return finish(cancel_state, result);
}

esp_err_t hal_flash_program(uint32_t address, const void *src, size_t len)
{
    linux_flash_t *flash = chip();
    int cancel_state = enter();
    esp_err_t err = injected(LINUX_BOARD_FAULT_PROGRAM);
    if (err != ESP_OK) {
        leave(cancel_state);
        return err;
    }
    call_operation_hook(flash, address, src, len);
    linux_flash_result_t result = linux_flash_program(flash, address, src, len);
    if (result == LINUX_FLASH_OK) {
        take_real_time(flash, LINUX_FLASH_PROGRAM, len);
    }
    return finish(cancel_state, result);
}

static esp_err_t erase(uint32_t address, uint32_t len)
{
    linux_flash_t *flash = chip();
    int cancel_state = enter();
    esp_err_t err = injected(LINUX_BOARD_FAULT_ERASE);
    if (err != ESP_OK) {
        leave(cancel_state);
        return err;
    }
    call_operation_hook(flash, address, NULL, len);
    linux_flash_result_t result = linux_flash_erase(flash, address, len);
    if (result == LINUX_FLASH_OK) {
        take_real_time(flash, LINUX_FLASH_ERASE, len);
    }
    return finish(cancel_state, result);
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
    if (address > size || len > size - address) {
        return NULL;
    }
    /* Bits that change from read to read cannot be shown by memory. */
    int cancel_state = enter();
    bool unstable = linux_flash_unstable(flash, address, len);
    leave(cancel_state);
    return unstable ? NULL : flash->bytes + address;
}

esp_err_t hal_flash_replace(void *memory, uint32_t size)
{
    if (memory == NULL) {
        replacement.bytes = NULL;
        return ESP_OK;
    }
    if (size == 0 || size % LINUX_BOARD_SECTOR_SIZE != 0 ||
        size / LINUX_BOARD_SECTOR_SIZE > LINUX_BOARD_MAX_SECTORS) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (replacement.state == NULL) {
        replacement.state = malloc(sizeof(*replacement.state));
        if (replacement.state == NULL) {
            return ESP_ERR_NO_MEM;
        }
    }
    linux_board_state_init(replacement.state, size);
    linux_board_state_power_on(replacement.state, board_now_ns());
    replacement.bytes = memory;
    return ESP_OK;
}
