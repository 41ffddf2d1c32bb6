/* SPDX-License-Identifier: Apache-2.0
 *
 * The Wi-Fi driver of boards without Wi-Fi. */
#include "esp_wifi.h"

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    (void)type;
    return ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    (void)type;
    return ESP_ERR_WIFI_NOT_INIT;
}
