/* SPDX-License-Identifier: Apache-2.0
 *
 * What esp_https_ota needs from the client beyond the public interface. */
#ifndef ESP_PRIVATE_ESP_HTTP_CLIENT_UPDATE_H
#define ESP_PRIVATE_ESP_HTTP_CLIENT_UPDATE_H

#include "esp_http_client.h"

/* No wait of this client goes beyond deadline_us (time of hal_clock_us()); INT64_MAX: no limit. */
void esp_http_client_set_deadline(esp_http_client_handle_t client, int64_t deadline_us);

/* First byte position in the Content-Range of the response; -1: not said. */
int64_t esp_http_client_get_range_start(esp_http_client_handle_t client);

/* Complete length in Content-Range; -1: not said. */
int64_t esp_http_client_get_range_total(esp_http_client_handle_t client);

/* Whether the server sent more than the complete body it announced. Where the server ends the
 * connection after a response, waits for that for up to wait_ms. */
bool esp_http_client_has_surplus(esp_http_client_handle_t client, int wait_ms);

/* Redirects followed since the last 2xx response; compared with the configured limit. */
bool esp_http_client_redirects_left(esp_http_client_handle_t client);

#endif
