/* SPDX-License-Identifier: Apache-2.0
 *
 * Ready-made configurations. */
#ifndef ESP_NETIF_DEFAULTS_H
#define ESP_NETIF_DEFAULTS_H

#include "esp_netif_types.h"

#define ESP_NETIF_INHERENT_DEFAULT_ETH() {.if_key = "ETH_DEF", .if_desc = "eth", .route_prio = 50}

extern const esp_netif_inherent_config_t _g_esp_netif_inherent_eth_config;

#define ESP_NETIF_DEFAULT_ETH()                                                                    \
    {.base = &_g_esp_netif_inherent_eth_config, .driver = NULL, .stack = NULL}

#endif
