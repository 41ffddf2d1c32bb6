/* SPDX-License-Identifier: Apache-2.0
 *
 * What the storage components share about the flash beyond esp_flash.h. Not for applications. */
#ifndef ESP_FLASH_INTERNAL_H
#define ESP_FLASH_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Switches the guard against dangerous writes (see esp_flash.h) on or off until reset. Partitions
 * marked read-only stay protected. Returns ESP_OK. */
esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, bool protect);

/* Erases one unit at start: a 64 KiB block if start is aligned to one and at least that much of
 * [start, start + len) is left, else one 4 KiB sector; *erased is its size. So a caller that must
 * not block for long erases a range by calling this until len is used up.
 * ESP_ERR_INVALID_ARG: start or len is not a multiple of 4096, len is 0, or the range is not inside
 * the chip. Other errors as esp_flash_write(); *erased is then 0. */
esp_err_t esp_flash_erase_step(esp_flash_t *chip, uint32_t start, uint32_t len, uint32_t *erased);

/* Remembering a verification, so that it need not be repeated.
 *
 * The caller takes a ticket before it begins to read [address, address + length), verifies what it
 * read, and keeps the result with esp_flash_verified_keep(). It stays true until any byte of the
 * range is written or erased through esp_flash, whoever does it. The last kept result is
 * remembered, one only. */
typedef uint32_t esp_flash_ticket_t;
esp_flash_ticket_t esp_flash_verified_begin(void);
void esp_flash_verified_keep(esp_flash_ticket_t ticket, uint32_t address, uint32_t length);

/* True if exactly this range was kept and nothing in it changed since its ticket was taken. */
bool esp_flash_verified_still(uint32_t address, uint32_t length);

/* A view of length bytes at address that follows later changes and stays valid until reset, or NULL
 * where the board does not map its flash or the range is not inside the usable size. */
const void *esp_flash_map(uint32_t address, uint32_t length);

/* hal_flash_replace(), and forgets what was found out about the other chip. Errors as there. */
esp_err_t esp_flash_replace(void *memory, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
