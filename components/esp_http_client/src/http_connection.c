/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection of a client: opened by the scheme of the URL at that moment, kept as long as the
 * server keeps it. */
#include "http_client_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"

#include "hal/clock.h"

static const char *TAG = "HTTP_CLIENT";
static const char *TRANSPORT_TAG = "transport_base";

static int64_t now_us(void)
{
    return (int64_t)hal_clock_us();
}

/* When a wait that starts now has to end. */
static int64_t wait_end(const esp_http_client_handle_t client)
{
    int64_t end = now_us() + (int64_t)client->timeout_ms * 1000;
    return end < client->deadline_us ? end : client->deadline_us;
}

/* Whether another request can go over the open connection: nothing must have arrived since the
 * last response, and a FIN would be something. */
static bool is_reusable(const esp_http_client_handle_t client)
{
    int fd = -1;
    if (client->broken || esp_tls_get_conn_sockfd(client->tls, &fd) != ESP_OK) {
        return false;
    }
    if (client->state == HTTP_STATE_CONNECTED) {
        return true; /* fresh; what has arrived are session tickets */
    }
    if (!client->keep_alive || !client->body_complete) {
        return false;
    }
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return esp_tls_get_bytes_avail(client->tls) == 0 && poll(&item, 1, 0) == 0;
}

static void keep_error(esp_http_client_handle_t client)
{
    esp_tls_error_handle_t error;
    if (client->tls != NULL && esp_tls_get_error_handle(client->tls, &error) == ESP_OK) {
        client->error = *error;
        if (error->system_errno != 0) {
            client->last_errno = error->system_errno;
        }
    }
}

static esp_err_t choose_transport(esp_http_client_handle_t client)
{
    if (strcasecmp(client->scheme, "http") == 0) {
        client->conn_is_tls = false;
        return ESP_OK;
    }
    if (strcasecmp(client->scheme, "https") == 0) {
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_HTTPS
        client->conn_is_tls = true;
        return ESP_OK;
#else
        ESP_LOGE(TAG, "Please enable HTTPS at menuconfig to allow requesting via https");
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
#endif
    }
    ESP_LOGE(TAG, "No transport found: \"%s\" is neither http nor https", client->scheme);
    return ESP_ERR_HTTP_INVALID_TRANSPORT;
}

static esp_err_t begin_connection(esp_http_client_handle_t client)
{
    esp_err_t err = choose_transport(client);
    if (err != ESP_OK) {
        return err;
    }
    client->tls = esp_tls_init();
    if (client->tls == NULL) {
        return ESP_ERR_NO_MEM;
    }
    client->state = HTTP_STATE_CONNECTING;
    return ESP_OK;
}

static void connection_failed(esp_http_client_handle_t client)
{
    keep_error(client);
    if (client->conn_is_tls) {
        ESP_LOGE(TRANSPORT_TAG, "Failed to open a new connection");
    } else {
        ESP_LOGE(TRANSPORT_TAG, "Failed to open a new connection: %d", client->error.last_error);
    }
    ESP_LOGE(TAG, "Connection failed, sock < 0");
    esp_tls_conn_destroy(client->tls);
    client->tls = NULL;
    client->state = HTTP_STATE_INIT;
    http_event(client, HTTP_EVENT_ERROR, &client->error, 0);
}

esp_err_t http_connect(esp_http_client_handle_t client)
{
    if (client->state >= HTTP_STATE_CONNECTED) {
        if (is_reusable(client)) {
            client->conn_is_reused = client->state > HTTP_STATE_CONNECTED;
            http_response_reset(client);
            client->state = HTTP_STATE_CONNECTED;
            return ESP_OK;
        }
        http_disconnect(client);
    }
    if (client->tls == NULL) {
        http_response_reset(client);
        esp_err_t err = begin_connection(client);
        if (err != ESP_OK) {
            return err;
        }
    }
    esp_tls_cfg_t cfg = client->tls_cfg;
    cfg.is_plain_tcp = !client->conn_is_tls;
    int64_t left_ms = (wait_end(client) - now_us()) / 1000;
    cfg.timeout_ms = left_ms > 0 ? (int)left_ms : 1;
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    cfg.client_session = client->session;
#endif
    int host_len = (int)strlen(client->host);
    int connected =
        client->is_async
            ? esp_tls_conn_new_async(client->host, host_len, client->port, &cfg, client->tls)
            : esp_tls_conn_new_sync(client->host, host_len, client->port, &cfg, client->tls);
    if (connected == 0) {
        return ESP_ERR_HTTP_CONNECTING;
    }
    if (connected < 0) {
        connection_failed(client);
        return ESP_ERR_HTTP_CONNECT;
    }
    client->state = HTTP_STATE_CONNECTED;
    client->conn_is_reused = false;
    http_event(client, HTTP_EVENT_ON_CONNECTED, NULL, 0);
    return ESP_OK;
}

void http_disconnect(esp_http_client_handle_t client)
{
    if (client->tls == NULL) {
        return;
    }
    keep_error(client);
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    if (client->save_session && client->conn_is_tls && client->state >= HTTP_STATE_CONNECTED) {
        esp_tls_client_session_t *session = esp_tls_get_client_session(client->tls);
        if (session != NULL) {
            esp_tls_free_client_session(client->session);
            client->session = session;
        }
    }
#endif
    esp_tls_conn_destroy(client->tls);
    client->tls = NULL;
    client->state = HTTP_STATE_INIT;
    http_event(client, HTTP_EVENT_DISCONNECTED, &client->error, 0);
}

ssize_t http_receive(esp_http_client_handle_t client, void *buf, size_t len)
{
    errno = 0;
    if (client->tls == NULL) {
        errno = ENOTCONN;
        return -1;
    }
    ssize_t got =
        esp_tls_read_until(client->tls, buf, len, client->is_async ? 0 : wait_end(client));
    if (got > 0) {
        errno = 0; /* a wait in between may have left EAGAIN */
        return got;
    }
    if (got == ESP_TLS_ERR_SSL_WANT_READ || got == ESP_TLS_ERR_SSL_WANT_WRITE) {
        errno = EAGAIN;
        return ESP_TLS_ERR_SSL_WANT_READ;
    }
    keep_error(client);
    int problem = esp_tls_socket_errno(client->tls);
    if (problem == 0) {
        problem = ENOTCONN; /* a FIN, proper or not */
    } else if (got < 0) {
        ESP_LOGE(TAG, "transport_read: error - %d | %s", problem, strerror(problem));
    }
    client->last_errno = problem;
    errno = problem;
    return got;
}

esp_err_t http_send(esp_http_client_handle_t client, const void *data, size_t len)
{
    const char *next = data;
    while (len > 0) {
        ssize_t sent = client->tls != NULL
                           ? esp_tls_write_until(client->tls, next, len, wait_end(client))
                           : -1;
        if (sent <= 0) {
            keep_error(client);
            if (sent == ESP_TLS_ERR_SSL_WANT_WRITE || sent == ESP_TLS_ERR_SSL_WANT_READ) {
                ESP_LOGE(TAG, "%s takes no data (waited %d ms)", client->host, client->timeout_ms);
            } else {
                ESP_LOGE(TAG, "Sending to %s failed: %s", client->host,
                         client->last_errno != 0 ? strerror(client->last_errno)
                                                 : "the connection is broken");
            }
            client->broken = true;
            return ESP_ERR_HTTP_WRITE_DATA;
        }
        next += sent;
        len -= (size_t)sent;
    }
    return ESP_OK;
}
