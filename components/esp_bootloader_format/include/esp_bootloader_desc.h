/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootloader descriptor: 80 bytes at offset 32 of a bootloader image.
 * Layout: formats/bootloader_desc.h, formats specification section 5.5. */
#ifndef ESP_BOOTLOADER_DESC_H
#define ESP_BOOTLOADER_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* First byte of the descriptor. */
#define ESP_BOOTLOADER_DESC_MAGIC_BYTE (80)

/* Texts end in NUL where they are shorter than their field; readers must not rely on it. */
typedef struct {
    uint8_t magic_byte; /* ESP_BOOTLOADER_DESC_MAGIC_BYTE */
    uint8_t reserved[2];
    uint8_t secure_version;
    uint32_t version;   /* CONFIG_BOOTLOADER_PROJECT_VER */
    char idf_ver[32];   /* ESP-IDF version */
    char date_time[24]; /* "Mmm dd yyyy hh:mm:ss", or empty */
    uint8_t reserved2[16];
} esp_bootloader_desc_t;

#ifdef __cplusplus
}
#endif

#endif
