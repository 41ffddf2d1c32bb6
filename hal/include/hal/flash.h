/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's main flash: a NOR chip.
 *
 * Programming only clears bits (new = old AND data); erasing sets every bit of a 4 KiB sector or
 * an aligned 64 KiB block. A board may lose power in any of these operations; what a torn one
 * leaves behind is then anything between old and new.
 *
 * Addresses and lengths are in bytes, addresses count from the start of the chip. All functions
 * may be called from any task; a board serialises them itself. */
#ifndef HAL_FLASH_H
#define HAL_FLASH_H

#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

#define HAL_FLASH_SECTOR_SIZE 4096u
#define HAL_FLASH_BLOCK_SIZE  65536u

/* Finds the chip. Call once before anything else; calling again does nothing.
 * ESP_ERR_FLASH_UNSUPPORTED_CHIP: no chip, or one this board has no driver for. */
esp_err_t hal_flash_init(void);

/* Size of the chip in bytes (1 MiB to 128 MiB, a power of two); 0 before hal_flash_init(). */
uint32_t hal_flash_size(void);

/* The chip's JEDEC id: manufacturer << 16 | type << 8 | capacity (log2 of the bytes, as most
 * manufacturers do it); 0 before hal_flash_init(). A board without a real chip makes one up that
 * stays the same. */
uint32_t hal_flash_id(void);

/* Reads len bytes at address into dst. Any alignment, any length, 0 included.
 * ESP_ERR_INVALID_ARG: the range is not inside the chip.
 * ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT: the chip did not answer. */
esp_err_t hal_flash_read(uint32_t address, void *dst, size_t len);

/* Programs len bytes from src at address. Any alignment and length; the driver splits at pages.
 * A bit that is 0 in flash stays 0. src need not stay valid after the call.
 * Errors as hal_flash_read(); ESP_ERR_FLASH_OP_FAIL also where the board checks NOR rules and a
 * bit would have to go from 0 to 1. */
esp_err_t hal_flash_program(uint32_t address, const void *src, size_t len);

/* Erases the 4 KiB sector at address (a multiple of HAL_FLASH_SECTOR_SIZE).
 * ESP_ERR_INVALID_ARG: not aligned, or beyond the chip. */
esp_err_t hal_flash_erase_sector(uint32_t address);

/* Erases the 64 KiB block at address (a multiple of HAL_FLASH_BLOCK_SIZE), faster than its 16
 * sectors one by one. Errors as hal_flash_erase_sector(). */
esp_err_t hal_flash_erase_block(uint32_t address);

/* A read-only view of [address, address + len) that follows later writes and stays valid until
 * reset, or NULL where the flash is not memory mapped (then read it) or the range is invalid. */
const void *hal_flash_map(uint32_t address, size_t len);

/* For tests on a host: the chip is the size bytes at memory from now on, which stay the caller's
 * and must stay there until the next call; NULL: the board's own chip again. Only while nobody else
 * uses the flash. ESP_ERR_NOT_SUPPORTED: this board cannot. ESP_ERR_INVALID_SIZE: size is no
 * multiple of HAL_FLASH_SECTOR_SIZE, 0, or above 128 MiB. ESP_ERR_NO_MEM. */
esp_err_t hal_flash_replace(void *memory, uint32_t size);

#endif
