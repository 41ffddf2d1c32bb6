/* SPDX-License-Identifier: Apache-2.0
 *
 * Between esp_netif and the drivers below it. Not for applications. */
#ifndef ESP_NETIF_DRIVER_H
#define ESP_NETIF_DRIVER_H

#include "esp_netif_types.h"
#include "hal/network.h"

/* What a driver's glue begins with. */
typedef struct {
    esp_netif_t *netif; /* set by esp_netif_attach(), NULL by esp_netif_destroy() */
    void (*attached)(void *glue);
} esp_netif_driver_base_t;

/* Tells netif the state of its network; info NULL: stopped. Posts IP_EVENT_ETH_GOT_IP when it gets
 * an address or another one, IP_EVENT_ETH_LOST_IP when it loses it. Any task. */
void esp_netif_driver_update(esp_netif_t *netif, const hal_network_info_t *info);

#endif
