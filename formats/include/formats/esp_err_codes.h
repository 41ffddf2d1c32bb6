/* SPDX-License-Identifier: Apache-2.0
 *
 * Error type and codes shared by every layer, from the formats up to the application.
 *
 * They live here, at the bottom of the tree, so that formats/, hal/ and bootloader/ can return
 * them without depending on a component. Applications see them through esp_err.h.
 * Source of the values: formats specification, section 8 "Error codes". */
#ifndef FORMATS_ESP_ERR_CODES_H
#define FORMATS_ESP_ERR_CODES_H

typedef int esp_err_t;

#define ESP_OK   0
#define ESP_FAIL -1

#define ESP_ERR_NO_MEM           0x101
#define ESP_ERR_INVALID_ARG      0x102
#define ESP_ERR_INVALID_STATE    0x103
#define ESP_ERR_INVALID_SIZE     0x104
#define ESP_ERR_NOT_FOUND        0x105
#define ESP_ERR_NOT_SUPPORTED    0x106
#define ESP_ERR_TIMEOUT          0x107
#define ESP_ERR_INVALID_RESPONSE 0x108
#define ESP_ERR_INVALID_CRC      0x109
#define ESP_ERR_INVALID_VERSION  0x10A
#define ESP_ERR_INVALID_MAC      0x10B
#define ESP_ERR_NOT_FINISHED     0x10C
#define ESP_ERR_NOT_ALLOWED      0x10D

#define ESP_ERR_IMAGE_BASE       0x2000
#define ESP_ERR_IMAGE_FLASH_FAIL (ESP_ERR_IMAGE_BASE + 1)
#define ESP_ERR_IMAGE_INVALID    (ESP_ERR_IMAGE_BASE + 2)

#define ESP_ERR_FLASH_BASE             0x6000
#define ESP_ERR_FLASH_OP_FAIL          (ESP_ERR_FLASH_BASE + 1)
#define ESP_ERR_FLASH_OP_TIMEOUT       (ESP_ERR_FLASH_BASE + 2)
#define ESP_ERR_FLASH_NOT_INITIALISED  (ESP_ERR_FLASH_BASE + 3)
#define ESP_ERR_FLASH_UNSUPPORTED_HOST (ESP_ERR_FLASH_BASE + 4)
#define ESP_ERR_FLASH_UNSUPPORTED_CHIP (ESP_ERR_FLASH_BASE + 5)
#define ESP_ERR_FLASH_PROTECTED        (ESP_ERR_FLASH_BASE + 6)
#define ESP_ERR_FLASH_SIZE_NOT_MATCH   ESP_ERR_INVALID_SIZE
#define ESP_ERR_FLASH_NO_RESPONSE      ESP_ERR_INVALID_RESPONSE

/* Codes of one component (NVS 0x1100, OTA 0x1500, HTTP client 0x7000, esp-tls 0x8000,
 * HTTPS OTA 0x9000, TCP transport 0xE000) stand in that component's public header. */

#endif
