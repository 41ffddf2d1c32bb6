/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootloader descriptor: 80 bytes at bootloader image offset 32.
 * Source: formats specification, section 5.5. */
#ifndef FORMATS_BOOTLOADER_DESC_H
#define FORMATS_BOOTLOADER_DESC_H

#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

#define FMT_BOOTLOADER_DESC_MAGIC        80u
#define FMT_BOOTLOADER_DESC_SIZE         80u
#define FMT_BOOTLOADER_DESC_IMAGE_OFFSET 32u

/* Texts need not end in NUL: see fmt_text_field() in app_desc.h. Same layout as in flash. */
typedef struct {
    uint8_t magic_byte;
    uint8_t reserved[2];
    uint8_t secure_version;
    uint32_t version;
    char idf_ver[32];
    char date_time[24]; /* Mmm dd yyyy HH:MM:SS or empty */
    uint8_t reserved2[16];
} fmt_bootloader_desc_t;

_Static_assert(sizeof(fmt_bootloader_desc_t) == FMT_BOOTLOADER_DESC_SIZE,
               "bootloader descriptor layout");

/* Copies a descriptor out of len bytes at raw (any alignment).
 * ESP_ERR_INVALID_SIZE: len < 80. ESP_ERR_NOT_FOUND: no descriptor there (magic); *desc is then
 * unchanged. */
esp_err_t fmt_bootloader_desc_decode(const void *raw, size_t len, fmt_bootloader_desc_t *desc);

/* Writes the descriptor to 80 bytes at raw. */
void fmt_bootloader_desc_encode(const fmt_bootloader_desc_t *desc, void *raw);

#endif
