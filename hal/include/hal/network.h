/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's one Ethernet interface, as far as esp_netif needs it. Sockets themselves are the
 * system's: the host's on `linux`, lwIP's on bare metal, under the same names. */
#ifndef HAL_NETWORK_H
#define HAL_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

typedef struct {
    char name[6]; /* two letters and a number, as lwIP names it, e.g. "en1" */
    uint8_t mac[6];
    uint32_t ip; /* IPv4 address, netmask, gateway: network byte order */
    uint32_t netmask;
    uint32_t gateway;
    bool link_up;
} hal_network_info_t;

/* Called from a network task whenever link or address changed. */
typedef void (*hal_network_callback_t)(const hal_network_info_t *info, void *arg);

/* Starts the interface and its address configuration; callback gets the first and every later
 * change. ESP_ERR_INVALID_STATE: started already. ESP_FAIL: no interface. */
esp_err_t hal_network_start(hal_network_callback_t callback, void *arg);

/* Writes the interface's MAC address, also while it is stopped. */
void hal_network_mac(uint8_t mac[6]);

/* Stops it; the callback is not called after return. */
void hal_network_stop(void);

#endif
