/* SPDX-License-Identifier: Apache-2.0
 *
 * The examples' Ethernet interface. */
#include "esp_eth_driver.h"
#include "esp_event.h"
#include "esp_log.h"
#include "example_common_private.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "protocol_examples_common.h"

#ifdef CONFIG_EXAMPLE_CONNECT_ETHERNET

static const char TAG[] = "ethernet_connect";

#define ROUTE_PRIO 64

static esp_eth_handle_t driver;
static esp_eth_netif_glue_handle_t glue;
static esp_netif_t *netif;
static SemaphoreHandle_t got_address;

static void on_got_ip(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    const ip_event_got_ip_t *event = data;

    (void)arg;
    (void)base;
    (void)id;
    if (event->esp_netif == netif) {
        ESP_LOGI(TAG, "Got IPv4 event: Interface \"%s\" address: " IPSTR,
                 esp_netif_get_desc(event->esp_netif), IP2STR(&event->ip_info.ip));
        xSemaphoreGive(got_address);
    }
}

#ifdef CONFIG_EXAMPLE_CONNECT_IPV6
static void on_link_up(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    ESP_LOGI(TAG, "Ethernet Link Up");
}
#endif

static esp_err_t start(void)
{
    static const esp_netif_inherent_config_t base = {
        .if_key = "ETH_DEF",
        .if_desc = EXAMPLE_NETIF_DESC_ETH,
        .route_prio = ROUTE_PRIO,
    };
    const esp_netif_config_t config = {.base = &base};

    got_address = xSemaphoreCreateBinary();
    if (got_address == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_eth_driver_new(&driver);
    if (err != ESP_OK) {
        return err;
    }
    netif = esp_netif_new(&config);
    glue = esp_eth_new_netif_glue(driver);
    if (netif == NULL || glue == NULL) {
        return ESP_FAIL;
    }
    err = esp_netif_attach(netif, glue);
    if (err == ESP_OK) {
        err = esp_event_handler_register(IP_EVENT, IP_EVENT_ETH_GOT_IP, on_got_ip, NULL);
    }
#ifdef CONFIG_EXAMPLE_CONNECT_IPV6
    if (err == ESP_OK) {
        err = esp_event_handler_register(ETH_EVENT, ETHERNET_EVENT_CONNECTED, on_link_up, NULL);
    }
#endif
    return err == ESP_OK ? esp_eth_start(driver) : err;
}

void example_ethernet_shutdown(void)
{
    /* Each of these may not exist, after a start that failed. */
    (void)esp_event_handler_unregister(IP_EVENT, IP_EVENT_ETH_GOT_IP, on_got_ip);
#ifdef CONFIG_EXAMPLE_CONNECT_IPV6
    (void)esp_event_handler_unregister(ETH_EVENT, ETHERNET_EVENT_CONNECTED, on_link_up);
#endif
    if (driver != NULL) {
        (void)esp_eth_stop(driver);
    }
    esp_netif_destroy(netif);
    netif = NULL;
    if (glue != NULL) {
        esp_eth_del_netif_glue(glue);
        glue = NULL;
    }
    if (driver != NULL) {
        esp_eth_driver_uninstall(driver);
        driver = NULL;
    }
    vSemaphoreDelete(got_address);
    got_address = NULL;
}

esp_err_t example_ethernet_connect(void)
{
    if (netif != NULL) {
        ESP_LOGE(TAG, "Ethernet is connected already");
        return ESP_FAIL;
    }
    esp_err_t err = start();
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Ethernet does not start: %s", esp_err_to_name(err));
        example_ethernet_shutdown();
        return ESP_FAIL;
    }
    ESP_LOGI(TAG, "Waiting for IP(s).");
    xSemaphoreTake(got_address, portMAX_DELAY);
    return ESP_OK;
}

#endif
