/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time programmable bits. The boards emulate them: in the data partition of subtype efuse
 * (CONFIG_EFUSE_VIRTUAL_KEEP_IN_FLASH, which anti-rollback switches on) or in RAM, where every
 * start finds none burnt. A power cut never loses a bit (formats/efuse.h).
 *
 * What is wrong with the partition is logged by each call that meets it: there is none, it cannot
 * be read (the version then counts as 0), it is too small or cannot be written (the version cannot
 * be raised). All functions may be called from any task. */
#ifndef ESP_EFUSE_H
#define ESP_EFUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_EFUSE                        0x1600
#define ESP_OK_EFUSE_CNT                     (ESP_ERR_EFUSE + 0x01)
#define ESP_ERR_EFUSE_CNT_IS_FULL            (ESP_ERR_EFUSE + 0x02)
#define ESP_ERR_EFUSE_REPEATED_PROG          (ESP_ERR_EFUSE + 0x03)
#define ESP_ERR_CODING                       (ESP_ERR_EFUSE + 0x04)
#define ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS (ESP_ERR_EFUSE + 0x05)
#define ESP_ERR_DAMAGED_READING              (ESP_ERR_EFUSE + 0x06)
#define ESP_ERR_BURN_WR_DIS                  (ESP_ERR_EFUSE + 0x07)

/* The chip's secure version: the number of ones in its field, of which
 * CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD bits (1 to 16, default 16) are used. */
uint32_t esp_efuse_read_secure_version(void);

/* Whether firmware of that secure version may run: v >= esp_efuse_read_secure_version(). */
bool esp_efuse_check_secure_version(uint32_t v);

/* Raises the chip's secure version to v, for good: firmware of a smaller one never boots again on a
 * board with anti-rollback. Every error is logged.
 * ESP_OK: it is v, now or already.
 * ESP_ERR_INVALID_ARG: v is more than the field has bits.
 * ESP_FAIL: v is less than it is now; or flash does not hold what was written to it.
 * ESP_ERR_NOT_FOUND: there is no partition for the bits.
 * ESP_ERR_INVALID_SIZE: it has less than 0x2000 bytes, the least in which burning is safe.
 * ESP_ERR_NOT_ALLOWED: it is flagged read-only. Errors of the flash driver.
 * Where writing fails half-way, the version is the old one or v, and the next call or start makes
 * good what is missing. */
esp_err_t esp_efuse_update_secure_version(uint32_t v);

/* Whether the bit that encrypts the flash is burnt: false. The boards have no flash encryption. */
bool esp_efuse_is_flash_encryption_enabled(void);

#ifdef __cplusplus
}
#endif

#endif
