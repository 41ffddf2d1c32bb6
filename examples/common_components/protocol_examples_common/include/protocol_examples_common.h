/* SPDX-License-Identifier: Apache-2.0
 *
 * What the network examples share: one call that connects to the network, one that makes stdin
 * usable. Airlift's boards have Ethernet with IPv4. */
#ifndef PROTOCOL_EXAMPLES_COMMON_H
#define PROTOCOL_EXAMPLES_COMMON_H

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Descriptions of the interfaces, for get_example_netif_from_desc(). */
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
#define EXAMPLE_NETIF_DESC_STA "example_netif_sta"
#endif
#ifdef CONFIG_EXAMPLE_CONNECT_ETHERNET
#define EXAMPLE_NETIF_DESC_ETH "example_netif_eth"
#endif
#ifdef CONFIG_EXAMPLE_CONNECT_THREAD
#define EXAMPLE_NETIF_DESC_THREAD "example_netif_thread"
#endif
#ifdef CONFIG_EXAMPLE_CONNECT_PPP
#define EXAMPLE_NETIF_DESC_PPP "example_netif_ppp"
#endif

/* The preferred interface of those that are configured. */
#if defined(CONFIG_EXAMPLE_CONNECT_ETHERNET)
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH)
#elif defined(CONFIG_EXAMPLE_CONNECT_WIFI)
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA)
#elif defined(CONFIG_EXAMPLE_CONNECT_THREAD)
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_THREAD)
#elif defined(CONFIG_EXAMPLE_CONNECT_PPP)
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_PPP)
#endif
#ifdef EXAMPLE_INTERFACE
#define get_example_netif() EXAMPLE_INTERFACE
#endif

/* Starts the configured interfaces and waits, without limit, until each has an IPv4 address; has
 * them stopped at esp_restart(). CONFIG_EXAMPLE_CONNECT_IPV6 waits for nothing more, as the boards'
 * networks have IPv4 only. Needs esp_netif_init() and the default event loop.
 * ESP_FAIL: an interface does not start; the log says why. */
esp_err_t example_connect(void);

/* Stops them. ESP_OK. */
esp_err_t example_disconnect(void);

/* Makes stdin unbuffered and blocking, with CR received as LF. ESP_OK, also when done already. */
esp_err_t example_configure_stdin_stdout(void);

/* The interface with that description (EXAMPLE_NETIF_DESC_...), or NULL before it was started. */
esp_netif_t *get_example_netif_from_desc(const char *desc);

#ifdef __cplusplus
}
#endif

#endif
