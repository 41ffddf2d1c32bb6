/* SPDX-License-Identifier: Apache-2.0
 *
 * Network interfaces, over the board's network (hal/network.h). Airlift's boards have Ethernet with
 * IPv4. Sockets are the board's own. */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_event_base.h"
#include "esp_netif_defaults.h"
#include "esp_netif_ip_addr.h"
#include "esp_netif_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the stack. ESP_OK, also when it was started before. */
esp_err_t esp_netif_init(void);

/* ESP_ERR_NOT_SUPPORTED: a started stack cannot be stopped. ESP_ERR_INVALID_STATE: not started. */
esp_err_t esp_netif_deinit(void);

/* A new interface, down and without a driver. NULL: no configuration, no if_key, that if_key is in
 * use, or no memory. Freed with esp_netif_destroy(). */
esp_netif_t *esp_netif_new(const esp_netif_config_t *config);

/* Forgets the interface; its driver must have been stopped. NULL is ignored. */
void esp_netif_destroy(esp_netif_t *netif);

/* Connects the interface with its driver, the glue made by esp_eth_new_netif_glue().
 * ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL. ESP_ERR_ESP_NETIF_DRIVER_ATTACH_FAILED: the glue is
 * attached already. */
esp_err_t esp_netif_attach(esp_netif_t *netif, void *driver_glue);

/* The first interface for which fn(netif, ctx) is true, in order of creation; NULL: none. */
esp_netif_t *esp_netif_find_if(bool (*fn)(esp_netif_t *netif, void *ctx), void *ctx);

/* The one after netif, NULL for the first; not safe against interfaces being destroyed. */
esp_netif_t *esp_netif_next_unsafe(esp_netif_t *netif);
size_t esp_netif_get_nr_of_ifs(void);
esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key);

/* The interface that is up with the highest route_prio; NULL: none is up. */
esp_netif_t *esp_netif_get_default_netif(void);

/* Texts of the configuration; NULL for NULL. */
const char *esp_netif_get_desc(esp_netif_t *netif);
const char *esp_netif_get_ifkey(esp_netif_t *netif);
int esp_netif_get_route_prio(esp_netif_t *netif);

/* Whether the link is up and the interface is started. */
bool esp_netif_is_netif_up(esp_netif_t *netif);

/* Address, mask, gateway; all 0 while it has none.
 * ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL. */
esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info);

/* Writes the IPv6 addresses to if_ip6[] and returns their number: 0, as the boards have none. */
int esp_netif_get_all_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[]);

/* ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL. ESP_ERR_ESP_NETIF_IF_NOT_READY: never started. */
esp_err_t esp_netif_get_mac(esp_netif_t *netif, uint8_t mac[6]);

/* The stack's name for it, as "en1": at most 5 characters and NUL, for ifr_name.
 * ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL, or never started. */
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name);

#ifdef __cplusplus
}
#endif

#endif
