/* SPDX-License-Identifier: Apache-2.0
 *
 * eFuses of boards that have none. */
#include <inttypes.h>

#include "esp_efuse.h"
#include "esp_log.h"

static const char TAG[] = "efuse";

uint32_t esp_efuse_read_secure_version(void)
{
    return 0;
}

bool esp_efuse_check_secure_version(uint32_t v)
{
    return v >= esp_efuse_read_secure_version();
}

esp_err_t esp_efuse_update_secure_version(uint32_t v)
{
    if (v == esp_efuse_read_secure_version()) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "secure version %" PRIu32 " cannot be kept: this board has no eFuses", v);
    return ESP_ERR_NOT_SUPPORTED;
}

bool esp_efuse_is_flash_encryption_enabled(void)
{
    return false;
}
