/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads and writes with a deadline of the caller's, for esp_http_client. Times are those of
 * hal_clock_us(); results are those of esp_tls_conn_read() and esp_tls_conn_write(). */
#ifndef ESP_PRIVATE_ESP_TLS_DEADLINE_H
#define ESP_PRIVATE_ESP_TLS_DEADLINE_H

#include "esp_tls.h"

ssize_t esp_tls_read_until(esp_tls_t *tls, void *data, size_t len, int64_t deadline_us);
ssize_t esp_tls_write_until(esp_tls_t *tls, const void *data, size_t len, int64_t deadline_us);

/* errno of the last failed socket call of the connection, 0 if none. */
int esp_tls_socket_errno(const esp_tls_t *tls);

#endif
