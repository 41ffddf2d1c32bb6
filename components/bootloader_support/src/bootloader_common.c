/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader_common.h"

#include <stdlib.h>
#include <string.h>

#include "formats/image.h"
#include "formats/otadata.h"
#include "formats/partition_table.h"
#include "formats/retain.h"
#include "hal/chip.h"
#include "hal/reset.h"
#include "mbedtls/sha256.h"

#include "esp_log.h"
#include "flash_reader.h"
#include "image_run.h"
#include "log_line.h"

static const char TAG[] = "boot_comm";

_Static_assert(sizeof(esp_ota_select_entry_t) == FMT_OTADATA_ENTRY_SIZE, "one otadata layout");

static fmt_otadata_entry_t decoded(const esp_ota_select_entry_t *s)
{
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(s, &entry);
    return entry;
}

uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s)
{
    return fmt_otadata_crc(s->ota_seq);
}

bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s)
{
    fmt_otadata_entry_t entry = decoded(s);
    return fmt_otadata_blocked(&entry);
}

bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s)
{
    fmt_otadata_entry_t entry = decoded(s);
    return fmt_otadata_valid(&entry);
}

int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata)
{
    if (two_otadata == NULL) {
        return -1;
    }
    fmt_otadata_entry_t entries[2] = {decoded(&two_otadata[0]), decoded(&two_otadata[1])};
    return fmt_otadata_active(entries);
}

int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata,
                                     bool *valid_two_otadata, bool max)
{
    if (two_otadata == NULL || valid_two_otadata == NULL) {
        return -1;
    }
    if (valid_two_otadata[0] && valid_two_otadata[1]) {
        uint32_t seq0 = two_otadata[0].ota_seq;
        uint32_t seq1 = two_otadata[1].ota_seq;
        if (seq0 == seq1) {
            return 0;
        }
        return (seq0 > seq1) == max ? 0 : 1;
    }
    if (valid_two_otadata[0]) {
        return 0;
    }
    return valid_two_otadata[1] ? 1 : -1;
}

esp_err_t bootloader_common_check_chip_validity(const esp_image_header_t *img_hdr,
                                                esp_image_type type)
{
    if (img_hdr == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    fmt_image_header_t header;
    fmt_image_header_decode(img_hdr, &header);
    const fmt_image_params_t params = {
        .chip = hal_chip(),
        .chip_revision = hal_chip_revision(),
        .flags = type == ESP_IMAGE_BOOTLOADER ? FMT_IMAGE_BOOTLOADER : 0,
    };
    fmt_log_line_t line;
    fmt_image_status_t status = fmt_image_check_chip(&header, &params, &line);
    if (status != FMT_IMAGE_OK) {
        log_line_print(&line);
    }
    return fmt_image_status_err(status);
}

static esp_err_t hash_range(uint32_t address, uint32_t size, uint8_t *out)
{
    flash_reader_t reader;
    esp_err_t err = flash_reader_open(&reader, address, size);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no memory to hash 0x%x", (unsigned)address);
        return err;
    }
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    int failed = mbedtls_sha256_starts(&sha, 0);
    uint32_t offset = 0;
    while (err == ESP_OK && failed == 0 && offset < size) {
        const void *data;
        size_t len = size - offset;
        err = flash_reader_get(&reader, offset, &data, &len);
        if (err == ESP_OK) {
            failed = mbedtls_sha256_update(&sha, data, len);
            offset += (uint32_t)len;
        }
    }
    if (err == ESP_OK && failed == 0) {
        failed = mbedtls_sha256_finish(&sha, out);
    }
    mbedtls_sha256_free(&sha);
    flash_reader_close(&reader);
    return err == ESP_OK && failed != 0 ? ESP_FAIL : err;
}

static esp_err_t image_digest(uint32_t address, uint32_t size, bool bootloader, uint8_t *out)
{
    fmt_image_verifier_t *v = malloc(sizeof(*v));
    if (v == NULL) {
        ESP_LOGE(TAG, "no memory to hash the image at 0x%x", (unsigned)address);
        return ESP_ERR_NO_MEM;
    }
    const esp_partition_pos_t part = {.offset = address, .size = size};
    uint32_t flags = FMT_IMAGE_SKIP_CHIP | FMT_IMAGE_REPORT_DIGESTS | FMT_IMAGE_BOOTLOADER_HASH |
                     (bootloader ? FMT_IMAGE_BOOTLOADER : 0);
    esp_err_t err = image_run(&part, flags, IMAGE_LINES_NONE, v);
    if (err == ESP_OK) {
        bool appended = v->header.hash_appended != 0;
        memcpy(out, appended ? v->stored_digest : v->digest, FMT_IMAGE_DIGEST_SIZE);
        if (appended && !v->digest_ok) {
            err = ESP_ERR_IMAGE_INVALID;
        }
    } else if (v->status != FMT_IMAGE_OK) {
        err = ESP_ERR_IMAGE_INVALID;
    }
    free(v);
    return err;
}

esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address, uint32_t size, int type,
                                                    uint8_t *out_sha_256)
{
    if (size == 0 || out_sha_256 == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (type == FMT_PART_TYPE_APP || type == FMT_PART_TYPE_BOOTLOADER) {
        return image_digest(address, size, type == FMT_PART_TYPE_BOOTLOADER, out_sha_256);
    }
    return hash_range(address, size, out_sha_256);
}

bool bootloader_common_get_rtc_retain_mem_factory_reset_state(void)
{
    uint8_t *memory = hal_reset_retain_memory();
    fmt_retain_open(memory);
    bool happened = (memory[FMT_RETAIN_FLAGS] & FMT_RETAIN_FACTORY_RESET) != 0;
    if (happened) {
        memory[FMT_RETAIN_FLAGS] &= (uint8_t)~FMT_RETAIN_FACTORY_RESET;
        fmt_retain_seal(memory);
    }
    return happened;
}
