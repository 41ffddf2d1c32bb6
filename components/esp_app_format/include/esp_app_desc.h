/* SPDX-License-Identifier: Apache-2.0
 *
 * Application descriptor: 256 bytes at offset 32 of every application image.
 * Layout: formats/app_desc.h, formats specification section 5.4. */
#ifndef ESP_APP_DESC_H
#define ESP_APP_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD (0xABCD5432)

/* Texts end in NUL where they are shorter than their field; readers must not rely on it. */
typedef struct {
    uint32_t magic_word;     /* ESP_APP_DESC_MAGIC_WORD */
    uint32_t secure_version; /* CONFIG_BOOTLOADER_APP_SECURE_VERSION, 0 without anti-rollback */
    uint32_t reserv1[2];
    char version[32];           /* project version, at most 31 characters; may be configured away */
    char project_name[32];      /* project name, the same */
    char time[16];              /* "hh:mm:ss" of compilation, or empty */
    char date[16];              /* "Mmm dd yyyy" of compilation, or empty */
    char idf_ver[32];           /* ESP-IDF version */
    uint8_t app_elf_sha256[32]; /* of the ELF file; written by the image tool */
    uint16_t min_efuse_blk_rev_full; /* major * 100 + minor */
    uint16_t max_efuse_blk_rev_full; /* major * 100 + minor */
    uint8_t mmu_page_size;           /* log2 of the page size in bytes */
    uint8_t spi_flash_mode;          /* CONFIG_ESPTOOLPY_FLASHMODE_VAL; 0: unknown */
    uint8_t reserv3[2];
    uint32_t reserv2[18];
} esp_app_desc_t;

/* The running application's own descriptor. Never NULL; constant. An application may define the
 * object `esp_app_desc` itself. */
const esp_app_desc_t *esp_app_get_description(void);

/* Writes the beginning of the ELF's SHA-256 as lower-case hex digits to dst, at most
 * CONFIG_APP_RETRIEVE_LEN_ELF_SHA and at most size - 1 of them, and a NUL.
 * Returns the number of bytes written, NUL included; 0 if dst is NULL or size < 2. */
int esp_app_get_elf_sha256(char *dst, size_t size);

/* The same text with CONFIG_APP_RETRIEVE_LEN_ELF_SHA digits, in static memory, made at the first
 * call. Tasks may call it at the same time. */
char *esp_app_get_elf_sha256_str(void);
extern char app_elf_sha256_str[];

#ifdef __cplusplus
}
#endif

#endif
