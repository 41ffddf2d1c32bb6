/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes of the transport layer that applications may meet in a client's records. Airlift's
 * HTTP client stands on esp-tls directly, so there are no transport functions. */
#ifndef ESP_TRANSPORT_H
#define ESP_TRANSPORT_H

#include "esp_err.h"

typedef enum {
    ERR_TCP_TRANSPORT_NO_MEM = -3,
    ERR_TCP_TRANSPORT_CONNECTION_FAILED = -2,
    ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN = -1,
    ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT = 0,
} esp_tcp_transport_err_t;

#define ESP_ERR_TCP_TRANSPORT_BASE                     0xE000
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT       (ESP_ERR_TCP_TRANSPORT_BASE + 1)
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN (ESP_ERR_TCP_TRANSPORT_BASE + 2)
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED        (ESP_ERR_TCP_TRANSPORT_BASE + 3)
#define ESP_ERR_TCP_TRANSPORT_NO_MEM                   (ESP_ERR_TCP_TRANSPORT_BASE + 4)

#endif
