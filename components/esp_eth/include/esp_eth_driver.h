/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's Ethernet interface as a driver. Boards have one, with MAC, PHY and address
 * configuration behind hal/network.h, so there is nothing to configure. */
#ifndef ESP_ETH_DRIVER_H
#define ESP_ETH_DRIVER_H

#include "esp_err.h"
#include "esp_event_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *esp_eth_handle_t;
typedef struct esp_eth_netif_glue_t *esp_eth_netif_glue_handle_t;

/* The data of each is the driver's handle (esp_eth_handle_t). */
ESP_EVENT_DECLARE_BASE(ETH_EVENT);
typedef enum {
    ETHERNET_EVENT_START = 0,
    ETHERNET_EVENT_STOP,
    ETHERNET_EVENT_CONNECTED,
    ETHERNET_EVENT_DISCONNECTED,
} eth_event_t;

/* Gives the board's driver. ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: given already.
 * ESP_ERR_NO_MEM. */
esp_err_t esp_eth_driver_new(esp_eth_handle_t *out);

/* ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: not stopped. */
esp_err_t esp_eth_driver_uninstall(esp_eth_handle_t handle);

/* What esp_netif_attach() takes; NULL: no memory. To be deleted after the interface was
 * destroyed. */
esp_eth_netif_glue_handle_t esp_eth_new_netif_glue(esp_eth_handle_t handle);
esp_err_t esp_eth_del_netif_glue(esp_eth_netif_glue_handle_t glue);

/* Starts and stops the interface and its address configuration. Needs the default event loop.
 * ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: (not) started already. ESP_FAIL: the board has
 * no interface. */
esp_err_t esp_eth_start(esp_eth_handle_t handle);
esp_err_t esp_eth_stop(esp_eth_handle_t handle);

#ifdef __cplusplus
}
#endif

#endif
