/* SPDX-License-Identifier: Apache-2.0
 *
 * Connecting over whatever is configured. */
#include <string.h>

#include "esp_log.h"
#include "esp_system.h"
#include "example_common_private.h"
#include "protocol_examples_common.h"

#if defined(CONFIG_EXAMPLE_CONNECT_WIFI) || defined(CONFIG_EXAMPLE_CONNECT_THREAD) ||              \
    defined(CONFIG_EXAMPLE_CONNECT_PPP)
#error "Airlift's boards have Ethernet only: switch on EXAMPLE_CONNECT_ETHERNET alone"
#endif

static const char TAG[] = "example_common";

/* More than any interface has. */
#define MAX_IPV6_ADDRESSES 8

static bool has_description(esp_netif_t *netif, void *desc)
{
    return strcmp(esp_netif_get_desc(netif), desc) == 0;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    /* has_description() only reads it. */
    return desc != NULL ? esp_netif_find_if(has_description, (void *)(uintptr_t)desc) : NULL;
}

const char *example_ipv6_type_name(const esp_ip6_addr_t *address)
{
    switch (esp_netif_ip6_get_addr_type(address)) {
    case ESP_IP6_ADDR_IS_GLOBAL:
        return "ESP_IP6_ADDR_IS_GLOBAL";
    case ESP_IP6_ADDR_IS_LINK_LOCAL:
        return "ESP_IP6_ADDR_IS_LINK_LOCAL";
    case ESP_IP6_ADDR_IS_SITE_LOCAL:
        return "ESP_IP6_ADDR_IS_SITE_LOCAL";
    case ESP_IP6_ADDR_IS_UNIQUE_LOCAL:
        return "ESP_IP6_ADDR_IS_UNIQUE_LOCAL";
    case ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6:
        return "ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6";
    default:
        return "ESP_IP6_ADDR_IS_UNKNOWN";
    }
}

#ifdef CONFIG_EXAMPLE_CONNECT_ETHERNET

static void print_addresses(esp_netif_t *netif)
{
    esp_netif_ip_info_t ip_info = {0};
    esp_ip6_addr_t ipv6[MAX_IPV6_ADDRESSES];

    ESP_LOGI(TAG, "Connected to %s", esp_netif_get_desc(netif));
    esp_netif_get_ip_info(netif, &ip_info);
    ESP_LOGI(TAG, "- IPv4 address: " IPSTR ",", IP2STR(&ip_info.ip));
    int count = esp_netif_get_all_ip6(netif, ipv6);
    for (int i = 0; i < count; i++) {
        ESP_LOGI(TAG, "- IPv6 address: " IPV6STR ", type: %s", IPV62STR(ipv6[i]),
                 example_ipv6_type_name(&ipv6[i]));
    }
}

esp_err_t example_connect(void)
{
    if (example_ethernet_connect() != ESP_OK) {
        return ESP_FAIL;
    }
    esp_err_t err = esp_register_shutdown_handler(example_ethernet_shutdown);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot have Ethernet stopped at restart: %s", esp_err_to_name(err));
        example_ethernet_shutdown();
        return ESP_FAIL;
    }
    print_addresses(get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH));
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    /* It is not registered if example_connect() was not called; then there is nothing to stop. */
    (void)esp_unregister_shutdown_handler(example_ethernet_shutdown);
    example_ethernet_shutdown();
    return ESP_OK;
}

#else

esp_err_t example_connect(void)
{
    ESP_LOGW(TAG, "no interface is configured (menu \"Example Connection Configuration\")");
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    return ESP_OK;
}

#endif
