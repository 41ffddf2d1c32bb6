/* SPDX-License-Identifier: Apache-2.0
 *
 * Application and bootloader descriptors. */
#include <string.h>

#include "bytes.h"
#include "formats/app_desc.h"
#include "formats/bootloader_desc.h"

esp_err_t fmt_app_desc_decode(const void *raw, size_t len, fmt_app_desc_t *desc)
{
    if (len < FMT_APP_DESC_SIZE) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (get_u32(raw) != FMT_APP_DESC_MAGIC) {
        return ESP_ERR_NOT_FOUND;
    }
    memcpy(desc, raw, FMT_APP_DESC_SIZE);
    return ESP_OK;
}

void fmt_app_desc_encode(const fmt_app_desc_t *desc, void *raw)
{
    memcpy(raw, desc, FMT_APP_DESC_SIZE);
}

const char *fmt_text_field(char *out, size_t out_size, const char *field, size_t field_size)
{
    size_t len = 0;

    while (len < field_size && len + 1 < out_size && field[len] != '\0') {
        out[len] = field[len];
        len++;
    }
    out[len] = '\0';
    return out;
}

uint32_t fmt_app_desc_mmu_page(const fmt_app_desc_t *desc)
{
    return desc->mmu_page_size >= 13 && desc->mmu_page_size <= 18 ? 1u << desc->mmu_page_size : 0;
}

const char *fmt_app_desc_spi_mode_name(uint8_t spi_flash_mode)
{
    static const char *const names[] = {"unknown", "qio", "qout", "dio", "dout", "opi"};

    return names[spi_flash_mode < sizeof(names) / sizeof(names[0]) ? spi_flash_mode : 0];
}

esp_err_t fmt_bootloader_desc_decode(const void *raw, size_t len, fmt_bootloader_desc_t *desc)
{
    if (len < FMT_BOOTLOADER_DESC_SIZE) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (*(const uint8_t *)raw != FMT_BOOTLOADER_DESC_MAGIC) {
        return ESP_ERR_NOT_FOUND;
    }
    memcpy(desc, raw, FMT_BOOTLOADER_DESC_SIZE);
    return ESP_OK;
}

void fmt_bootloader_desc_encode(const fmt_bootloader_desc_t *desc, void *raw)
{
    memcpy(raw, desc, FMT_BOOTLOADER_DESC_SIZE);
}
