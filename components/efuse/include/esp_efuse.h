/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time programmable bits. The boards have none yet, neither real nor emulated: what reads them
 * finds all bits 0, and what burns them says that it cannot. */
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

/* The number of ones in the secure version field: 0. */
uint32_t esp_efuse_read_secure_version(void);

/* Whether firmware of that secure version may run: v >= esp_efuse_read_secure_version(). */
bool esp_efuse_check_secure_version(uint32_t v);

/* Raises the secure version to v. ESP_OK: it is v already. ESP_ERR_NOT_SUPPORTED, with a log line:
 * it is less and cannot be raised. */
esp_err_t esp_efuse_update_secure_version(uint32_t v);

/* Whether the bit that encrypts the flash is burnt: false. */
bool esp_efuse_is_flash_encryption_enabled(void);

#ifdef __cplusplus
}
#endif

#endif
