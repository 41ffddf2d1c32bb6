/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the sources of this component. */
#ifndef EXAMPLE_COMMON_PRIVATE_H
#define EXAMPLE_COMMON_PRIVATE_H

#include "esp_err.h"
#include "esp_netif.h"

/* Starts Ethernet and waits for its address. ESP_FAIL, with a log line: it does not start. */
esp_err_t example_ethernet_connect(void);

/* Stops it and frees everything; nothing happens if it is not started. */
void example_ethernet_shutdown(void);

/* The name of an IPv6 address's kind, as in the log. */
const char *example_ipv6_type_name(const esp_ip6_addr_t *address);

#endif
