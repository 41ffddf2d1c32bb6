/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_mac.h"
#include "hal/network.h"

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (mac == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (type != ESP_MAC_ETH && type != ESP_MAC_BASE && type != ESP_MAC_EFUSE_FACTORY) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    hal_network_mac(mac);
    return ESP_OK;
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    return esp_read_mac(mac, ESP_MAC_EFUSE_FACTORY);
}

esp_err_t esp_base_mac_addr_get(uint8_t *mac)
{
    return esp_read_mac(mac, ESP_MAC_BASE);
}
