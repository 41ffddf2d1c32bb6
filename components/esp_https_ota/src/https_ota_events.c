/* SPDX-License-Identifier: Apache-2.0 */
#include "https_ota_private.h"

#include "esp_log.h"

static const char *TAG = "esp_https_ota";

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

static const char *const NAMES[] = {
    [ESP_HTTPS_OTA_START] = "ESP_HTTPS_OTA_START",
    [ESP_HTTPS_OTA_CONNECTED] = "ESP_HTTPS_OTA_CONNECTED",
    [ESP_HTTPS_OTA_GET_IMG_DESC] = "ESP_HTTPS_OTA_GET_IMG_DESC",
    [ESP_HTTPS_OTA_VERIFY_CHIP_ID] = "ESP_HTTPS_OTA_VERIFY_CHIP_ID",
    [ESP_HTTPS_OTA_VERIFY_CHIP_REVISION] = "ESP_HTTPS_OTA_VERIFY_CHIP_REVISION",
    [ESP_HTTPS_OTA_DECRYPT_CB] = "ESP_HTTPS_OTA_DECRYPT_CB",
    [ESP_HTTPS_OTA_WRITE_FLASH] = "ESP_HTTPS_OTA_WRITE_FLASH",
    [ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION] = "ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION",
    [ESP_HTTPS_OTA_FINISH] = "ESP_HTTPS_OTA_FINISH",
    [ESP_HTTPS_OTA_ABORT] = "ESP_HTTPS_OTA_ABORT",
};

void https_ota_event(esp_https_ota_event_t id, const void *data, size_t len)
{
    /* Without a default loop every event fails; one line for the first of an update is enough. */
    static bool s_no_loop;
    if (id == ESP_HTTPS_OTA_START) {
        s_no_loop = false;
    }
    if (s_no_loop) {
        return;
    }
    TickType_t wait = CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT < 0
                          ? portMAX_DELAY
                          : pdMS_TO_TICKS(CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT);
    esp_err_t err = esp_event_post(ESP_HTTPS_OTA_EVENT, (int32_t)id, data, len, wait);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to post https_ota event: %s", NAMES[id]);
        s_no_loop = err == ESP_ERR_INVALID_STATE;
    }
}
