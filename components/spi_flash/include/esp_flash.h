/* SPDX-License-Identifier: Apache-2.0
 *
 * The main flash chip by address, without partitions.
 *
 * Addresses and lengths are in bytes from the start of the chip. A chip argument of NULL means
 * esp_flash_default_chip; a board has no other chip, so any other pointer gives
 * ESP_ERR_FLASH_NOT_INITIALISED. All functions may be called from any task.
 *
 * Guard. Writing and erasing are refused with ESP_ERR_NOT_ALLOWED where the range touches a
 * partition marked read-only. A range that begins in the bootloader or partition table area, or
 * touches the running app's partition, is dangerous: CONFIG_SPI_FLASH_DANGEROUS_WRITE_ABORTS
 * (default) calls abort(), _FAILS returns ESP_ERR_INVALID_ARG, _ALLOWED lets it pass. */
#ifndef ESP_FLASH_H
#define ESP_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#include "formats/esp_err_codes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_flash_t esp_flash_t;

/* The board's main chip. Never NULL. */
extern esp_flash_t *esp_flash_default_chip;

/* Finds the chip and its size. The other functions do this by themselves.
 * ESP_ERR_FLASH_UNSUPPORTED_CHIP: the board has no chip it knows. */
esp_err_t esp_flash_init(esp_flash_t *chip);

/* Usable size: the smaller of the chip and of what the flashed bootloader's header says (the chip
 * alone where there is no such header). ESP_ERR_INVALID_ARG: out_size is NULL. */
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size);

/* Size of the chip itself. ESP_ERR_INVALID_ARG: flash_size is NULL. */
esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size);

/* The chip's JEDEC id: manufacturer << 16 | type << 8 | capacity. The `linux` board, which has no
 * chip, always gives 0xA105 and log2 of the size. ESP_ERR_INVALID_ARG: out_id is NULL. */
esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id);

/* Reads length bytes at address into buffer; any alignment, length 0 does nothing.
 * ESP_ERR_INVALID_ARG: buffer is NULL, or the range is not inside the usable size.
 * ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT: the chip failed. */
esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length);

/* Programs length bytes at address; bits go from 1 to 0 only. Errors as esp_flash_read(), and
 * those of the guard. */
esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length);

/* Erases len bytes from start, both multiples of 4096 (else ESP_ERR_INVALID_ARG), using 64 KiB
 * block erases where they fit. Blocks for the whole erase; esp_flash_erase_step() in
 * esp_flash_internal.h does it in pieces. Errors as esp_flash_write(); on a chip failure
 * everything before the failing unit is erased. */
esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start, uint32_t len);

/* Erases the whole usable chip, under the same guard. */
esp_err_t esp_flash_erase_chip(esp_flash_t *chip);

#ifdef __cplusplus
}
#endif

#endif
