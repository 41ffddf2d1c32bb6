/* SPDX-License-Identifier: Apache-2.0
 *
 * Application descriptor: 256 bytes at image offset 32, the start of segment 0.
 * Source: formats specification, section 5.4. */
#ifndef FORMATS_APP_DESC_H
#define FORMATS_APP_DESC_H

#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

#define FMT_APP_DESC_MAGIC        0xABCD5432u
#define FMT_APP_DESC_SIZE         256u
#define FMT_APP_DESC_IMAGE_OFFSET 32u
/* Where the ELF's SHA-256 stands: in the descriptor, and in an image file. */
#define FMT_APP_DESC_ELF_SHA256_OFFSET 144u
#define FMT_IMAGE_ELF_SHA256_OFFSET    (FMT_APP_DESC_IMAGE_OFFSET + FMT_APP_DESC_ELF_SHA256_OFFSET)

/* Texts need not end in NUL: read them with fmt_text_field(). Same layout as in flash. */
typedef struct {
    uint32_t magic_word;
    uint32_t secure_version;
    uint32_t reserved1[2];
    char version[32];
    char project_name[32];
    char time[16]; /* HH:MM:SS or empty */
    char date[16]; /* Mmm dd yyyy or empty */
    char idf_ver[32];
    uint8_t app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full; /* major * 100 + minor; 0 and 65535: no limit */
    uint16_t max_efuse_blk_rev_full;
    uint8_t mmu_page_size;  /* log2; 13 .. 18, else the loader's default */
    uint8_t spi_flash_mode; /* 0 unknown, 1 QIO, 2 QOUT, 3 DIO, 4 DOUT, 5 OPI */
    uint8_t reserved3[2];
    uint32_t reserved2[18];
} fmt_app_desc_t;

_Static_assert(sizeof(fmt_app_desc_t) == FMT_APP_DESC_SIZE, "application descriptor layout");

/* Copies a descriptor out of len bytes at raw (any alignment).
 * ESP_ERR_INVALID_SIZE: len < 256. ESP_ERR_NOT_FOUND: no descriptor there (magic); *desc is then
 * unchanged. */
esp_err_t fmt_app_desc_decode(const void *raw, size_t len, fmt_app_desc_t *desc);

/* Writes the descriptor to 256 bytes at raw. */
void fmt_app_desc_encode(const fmt_app_desc_t *desc, void *raw);

/* Copies a text field of field_size bytes to out (out_size > 0 bytes), always NUL terminated, and
 * returns out. */
const char *fmt_text_field(char *out, size_t out_size, const char *field, size_t field_size);

/* Page size in bytes that mmu_page_size stands for, or 0 when it says nothing valid. */
uint32_t fmt_app_desc_mmu_page(const fmt_app_desc_t *desc);

/* "qio", ...; "unknown" for 0 and values without a name. */
const char *fmt_app_desc_spi_mode_name(uint8_t spi_flash_mode);

#endif
