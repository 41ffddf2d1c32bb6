/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's network as a driver with events, and its connection to esp_netif. */
#include <stdlib.h>
#include <string.h>

#include "esp_eth_driver.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_private/esp_netif_driver.h"
#include "freertos/FreeRTOS.h"
#include "hal/network.h"

static const char TAG[] = "esp_eth";
static const char GLUE_TAG[] = "esp_eth.netif.netif_glue";
static const char INIT_TAG[] = "ethernet_init";

#define POST_TICKS pdMS_TO_TICKS(2000)

ESP_EVENT_DEFINE_BASE(ETH_EVENT);

typedef struct driver {
    struct esp_eth_netif_glue_t *glue;
    bool started;
    bool link_up;
} driver_t;

struct esp_eth_netif_glue_t {
    esp_netif_driver_base_t base; /* must be first: esp_netif sees only this */
    driver_t *driver;
};

static driver_t *the_driver;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

static void post(driver_t *driver, eth_event_t id)
{
    esp_eth_handle_t handle = driver;
    esp_err_t err = esp_event_post(ETH_EVENT, id, &handle, sizeof(handle), POST_TICKS);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot post an Ethernet event: %s", esp_err_to_name(err));
    }
}

static esp_netif_t *netif_of(driver_t *driver)
{
    portENTER_CRITICAL(&lock);
    esp_netif_t *netif = driver->glue != NULL ? driver->glue->base.netif : NULL;
    portEXIT_CRITICAL(&lock);
    return netif;
}

/* From the board's network task: link or address changed. */
static void on_network(const hal_network_info_t *info, void *arg)
{
    driver_t *driver = arg;
    esp_netif_t *netif = netif_of(driver);

    portENTER_CRITICAL(&lock);
    bool link_changed = info->link_up != driver->link_up;
    driver->link_up = info->link_up;
    portEXIT_CRITICAL(&lock);

    if (link_changed && info->link_up) {
        ESP_LOGI(INIT_TAG, "Ethernet(board) Link Up");
        ESP_LOGI(INIT_TAG, "Ethernet(board) HW Addr %02x:%02x:%02x:%02x:%02x:%02x", info->mac[0],
                 info->mac[1], info->mac[2], info->mac[3], info->mac[4], info->mac[5]);
        post(driver, ETHERNET_EVENT_CONNECTED);
    }
    if (netif != NULL) {
        esp_netif_driver_update(netif, info);
    }
    if (link_changed && !info->link_up) {
        ESP_LOGI(INIT_TAG, "Ethernet(board) Link Down");
        post(driver, ETHERNET_EVENT_DISCONNECTED);
    }
}

esp_err_t esp_eth_driver_new(esp_eth_handle_t *out)
{
    if (out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    driver_t *driver = calloc(1, sizeof(*driver));
    if (driver == NULL) {
        ESP_LOGE(TAG, "no memory for the driver");
        return ESP_ERR_NO_MEM;
    }
    portENTER_CRITICAL(&lock);
    bool is_first = the_driver == NULL;
    if (is_first) {
        the_driver = driver;
    }
    portEXIT_CRITICAL(&lock);
    if (!is_first) {
        free(driver);
        ESP_LOGE(TAG, "the board's only Ethernet driver is installed already");
        return ESP_ERR_INVALID_STATE;
    }
    *out = driver;
    return ESP_OK;
}

esp_err_t esp_eth_driver_uninstall(esp_eth_handle_t handle)
{
    driver_t *driver = handle;

    if (driver == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (driver->started) {
        ESP_LOGE(TAG, "stop the driver before it is uninstalled");
        return ESP_ERR_INVALID_STATE;
    }
    portENTER_CRITICAL(&lock);
    the_driver = NULL;
    portEXIT_CRITICAL(&lock);
    free(driver);
    return ESP_OK;
}

static void on_attached(void *glue)
{
    (void)glue;
    ESP_LOGI(GLUE_TAG, "ethernet attached to netif");
}

esp_eth_netif_glue_handle_t esp_eth_new_netif_glue(esp_eth_handle_t handle)
{
    driver_t *driver = handle;
    struct esp_eth_netif_glue_t *glue = driver != NULL ? calloc(1, sizeof(*glue)) : NULL;

    if (glue == NULL) {
        ESP_LOGE(TAG, "no driver, or no memory, for a glue to esp_netif");
        return NULL;
    }
    glue->base.attached = on_attached;
    glue->driver = driver;
    portENTER_CRITICAL(&lock);
    driver->glue = glue;
    portEXIT_CRITICAL(&lock);
    return glue;
}

esp_err_t esp_eth_del_netif_glue(esp_eth_netif_glue_handle_t glue)
{
    if (glue == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    portENTER_CRITICAL(&lock);
    if (glue->driver->glue == glue) {
        glue->driver->glue = NULL;
    }
    portEXIT_CRITICAL(&lock);
    free(glue);
    return ESP_OK;
}

esp_err_t esp_eth_start(esp_eth_handle_t handle)
{
    driver_t *driver = handle;

    if (driver == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (driver->started) {
        return ESP_ERR_INVALID_STATE;
    }
    /* Before the network's own task can report anything. */
    driver->started = true;
    ESP_LOGI(INIT_TAG, "Ethernet(board) Started");
    post(driver, ETHERNET_EVENT_START);
    esp_err_t err = hal_network_start(on_network, driver);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the board's network does not start: %s", esp_err_to_name(err));
        driver->started = false;
        post(driver, ETHERNET_EVENT_STOP);
    }
    return err;
}

esp_err_t esp_eth_stop(esp_eth_handle_t handle)
{
    driver_t *driver = handle;

    if (driver == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!driver->started) {
        return ESP_ERR_INVALID_STATE;
    }
    hal_network_stop();
    driver->started = false;
    driver->link_up = false;
    if (netif_of(driver) != NULL) {
        esp_netif_driver_update(netif_of(driver), NULL);
    }
    post(driver, ETHERNET_EVENT_STOP);
    return ESP_OK;
}
