/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges the beginning of a file before flash or otadata are touched. */
#include "https_ota_private.h"

#include <inttypes.h>
#include <string.h>

#include "esp_log.h"

static const char *TAG = "esp_https_ota";

/* Servers say in text what went wrong even with status 200; that text is the best error message. */
static void log_not_an_image(const char *head, size_t len)
{
    char text[49];
    size_t count = 0;
    while (count < len && count < sizeof(text) - 1 && head[count] >= 0x20 && head[count] < 0x7f) {
        text[count] = head[count];
        count++;
    }
    text[count] = '\0';
    if (count >= 8) {
        ESP_LOGE(TAG, "The file is not a firmware image but text: \"%s\"", text);
    } else {
        ESP_LOGE(TAG, "The file is not a firmware image (expected 0xE9 as first byte, saw 0x%02x)",
                 (unsigned char)head[0]);
    }
}

esp_err_t https_ota_check_header(https_ota_t *ota, const char *head, size_t len)
{
    esp_image_header_t header;
    esp_app_desc_t desc;
    if (len > 0 && (unsigned char)head[0] != ESP_IMAGE_HEADER_MAGIC) {
        log_not_an_image(head, len);
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    if (len < sizeof(header) + sizeof(esp_image_segment_header_t) + sizeof(desc)) {
        ESP_LOGE(TAG, "The file is too short for a firmware image (%u bytes)", (unsigned)len);
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    memcpy(&header, head, sizeof(header));
    memcpy(&desc, head + sizeof(header) + sizeof(esp_image_segment_header_t), sizeof(desc));
    esp_chip_id_t chip = header.chip_id;
    https_ota_event(ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof(chip));
    uint16_t revision = header.min_chip_rev_full;
    https_ota_event(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &revision, sizeof(revision));
    const esp_app_desc_t *checked = NULL;
#ifdef CONFIG_ESP_HTTPS_OTA_VERIFY_SPI_MODE
    if (ota->final->type == ESP_PARTITION_TYPE_APP && desc.magic_word == ESP_APP_DESC_MAGIC_WORD) {
        checked = &desc;
    }
#endif
    esp_err_t err = esp_ota_check_image_validity(ota->final->type, &header, checked);
    if (err == ESP_ERR_INVALID_VERSION) {
        ESP_LOGE(TAG, "The image is for another board: chip id 0x%04x, minimum revision v%d.%d",
                 (unsigned)chip, revision / 100, revision % 100);
    }
    return err;
}
