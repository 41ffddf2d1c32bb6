/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a connection: resolve, connect, handshake, read, write, close. */
#include "esp_tls.h"
#include "esp_private/esp_tls_deadline.h"
#include "esp_tls_private.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_log.h"
#include "http_parser.h"

#include "hal/clock.h"

static const char *TAG = "esp-tls";

void esp_tls_record(esp_tls_last_error_t *error, esp_err_t code, int mbedtls_code, int flags)
{
    error->last_error = code;
    error->esp_tls_error_code = mbedtls_code;
    error->esp_tls_flags = flags;
}

esp_tls_t *esp_tls_init(void)
{
    esp_tls_t *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        ESP_LOGE(TAG, "No memory for a connection");
        return NULL;
    }
    tls->sockfd = -1;
    return tls;
}

static void free_addresses(esp_tls_t *tls)
{
    if (tls->addresses != NULL) {
        freeaddrinfo(tls->addresses);
        tls->addresses = NULL;
        tls->address = NULL;
    }
}

static void close_socket(esp_tls_t *tls)
{
    if (tls->sockfd >= 0) {
        close(tls->sockfd);
        tls->sockfd = -1;
    }
}

/* Starts connecting to tls->address or, where that fails at once, the next that works. */
static esp_err_t try_addresses(esp_tls_t *tls, const esp_tls_cfg_t *cfg)
{
    esp_err_t err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    for (; tls->address != NULL; tls->address = tls->address->ai_next) {
        err = esp_tls_start_connect(tls->address, cfg, &tls->error, &tls->sockfd);
        if (err == ESP_OK) {
            break;
        }
    }
    return err;
}

/* What every kind of opening needs, also one on a socket the caller made. */
static esp_err_t prepare(esp_tls_t *tls, const char *hostname, int hostlen, int port,
                         const esp_tls_cfg_t *cfg)
{
    tls->is_tls = !cfg->is_plain_tcp;
    tls->non_block = cfg->non_block;
    tls->timeout_ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : ESP_TLS_DEFAULT_TIMEOUT_MS;
    tls->deadline_us = esp_tls_deadline_in(tls->timeout_ms);
    tls->port = port;
    tls->host = strndup(hostname, (size_t)hostlen);
    if (tls->host == NULL) {
        ESP_LOGE(TAG, "No memory for the host name");
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

static esp_err_t begin(esp_tls_t *tls, const esp_tls_cfg_t *cfg)
{
    esp_err_t err =
        esp_tls_resolve(tls->host, tls->port, cfg->addr_family, &tls->error, &tls->addresses);
    if (err != ESP_OK) {
        return err;
    }
    tls->address = tls->addresses;
    return try_addresses(tls, cfg);
}

/* One step of CONNECTING. 1 connected, 0 wait, -1 failed. */
static int connect_step(esp_tls_t *tls, const esp_tls_cfg_t *cfg, int64_t wait_until_us)
{
    for (;;) {
        int connected = esp_tls_check_connect(tls->sockfd, wait_until_us, &tls->error);
        if (connected >= 0) {
            return connected;
        }
        close_socket(tls);
        if (tls->address != NULL) {
            tls->address = tls->address->ai_next;
        }
        if (try_addresses(tls, cfg) != ESP_OK) {
            ESP_LOGE(TAG,
                     "No server accepts connections at %s port %d: is it running, and is the "
                     "port right?",
                     tls->host, tls->port);
            return -1;
        }
    }
}

/* Drives the connection until it is open (1) or has failed (-1); without wait only as far as it
 * goes at once (0: call again). */
static int drive(esp_tls_t *tls, const esp_tls_cfg_t *cfg, bool wait)
{
    int64_t until = 0;
    switch (tls->state) {
    case ESP_TLS_INIT:
        if (begin(tls, cfg) != ESP_OK) {
            return -1;
        }
        tls->state = ESP_TLS_CONNECTING;
        __attribute__((fallthrough));
    case ESP_TLS_CONNECTING: {
        until = wait ? tls->deadline_us : 0;
        int connected = connect_step(tls, cfg, until);
        if (connected < 0) {
            return -1;
        }
        if (connected == 0) {
            if ((int64_t)hal_clock_us() < tls->deadline_us) {
                return 0;
            }
            esp_tls_log_connect_timeout(tls->sockfd, tls->host, tls->port, tls->timeout_ms);
            esp_tls_record(&tls->error, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT, 0, 0);
            return -1;
        }
        free_addresses(tls);
        if (!tls->is_tls) {
            tls->state = ESP_TLS_DONE;
            return 1;
        }
        if (esp_tls_ssl_setup(tls, tls->host, cfg) != ESP_OK) {
            ESP_LOGE(TAG, "create_ssl_handle failed");
            return -1;
        }
        tls->state = ESP_TLS_HANDSHAKE;
    }
        __attribute__((fallthrough));
    case ESP_TLS_HANDSHAKE:
        for (;;) {
            int code = esp_tls_ssl_handshake_step(tls);
            if (code == 0) {
                tls->state = ESP_TLS_DONE;
                return 1;
            }
            if (code != ESP_TLS_ERR_SSL_WANT_READ && code != ESP_TLS_ERR_SSL_WANT_WRITE) {
                return -1;
            }
            until = wait ? tls->deadline_us : 0;
            short events = code == ESP_TLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT;
            if (esp_tls_wait(tls->sockfd, events, until) == 0 || !wait) {
                if ((int64_t)hal_clock_us() < tls->deadline_us) {
                    return 0;
                }
                ESP_LOGW(TAG, "Failed to open new connection in specified timeout");
                esp_tls_ssl_handshake_timeout(tls);
                return -1;
            }
            if ((int64_t)hal_clock_us() >= tls->deadline_us) { /* bytes that only trickle in */
                ESP_LOGW(TAG, "Failed to open new connection in specified timeout");
                esp_tls_ssl_handshake_timeout(tls);
                return -1;
            }
        }
    case ESP_TLS_DONE:
        return 1;
    default:
        return -1;
    }
}

static int open_connection(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                           esp_tls_t *tls, bool wait)
{
    if (tls == NULL || cfg == NULL || hostname == NULL || hostlen < 0) {
        ESP_LOGE(TAG, "Invalid argument to open a connection");
        return -1;
    }
    if (tls->state == ESP_TLS_FAIL) {
        return -1;
    }
    if (port < 1 || port > UINT16_MAX) {
        ESP_LOGE(TAG, "Port %d is not between 1 and 65535", port);
        return -1;
    }
    if (tls->host == NULL && prepare(tls, hostname, hostlen, port, cfg) != ESP_OK) {
        return -1;
    }
    tls->cfg = cfg;
    int result = drive(tls, cfg, wait);
    tls->cfg = NULL;
    if (result < 0) {
        ESP_LOGE(TAG, "Failed to open new connection");
        free_addresses(tls);
        esp_tls_ssl_free(tls);
        close_socket(tls);
        tls->state = ESP_TLS_FAIL;
    }
    return result;
}

int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                          esp_tls_t *tls)
{
    return open_connection(hostname, hostlen, port, cfg, tls, true);
}

int esp_tls_conn_new_async(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                           esp_tls_t *tls)
{
    return open_connection(hostname, hostlen, port, cfg, tls, false);
}

static int open_url(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls, bool wait)
{
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    if (url == NULL || http_parser_parse_url(url, strlen(url), 0, &parts) != 0 ||
        !(parts.field_set & (1 << UF_HOST))) {
        ESP_LOGE(TAG, "Error parse url %s", url != NULL ? url : "(null)");
        return -1;
    }
    int port = parts.port;
    if (!(parts.field_set & (1 << UF_PORT))) {
        bool https = parts.field_data[UF_SCHEMA].len == 5; /* the other scheme is "http" */
        port = https ? 443 : 80;
    }
    return open_connection(url + parts.field_data[UF_HOST].off, parts.field_data[UF_HOST].len, port,
                           cfg, tls, wait);
}

int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    return open_url(url, cfg, tls, true);
}

int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    return open_url(url, cfg, tls, false);
}

static ssize_t plain_read(esp_tls_t *tls, void *data, size_t len)
{
    ssize_t got = recv(tls->sockfd, data, len, 0);
    if (got < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
            return ESP_TLS_ERR_SSL_WANT_READ;
        }
        tls->error.system_errno = errno;
    }
    return got;
}

static ssize_t plain_write(esp_tls_t *tls, const void *data, size_t len)
{
    ssize_t sent = send(tls->sockfd, data, len, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
            return ESP_TLS_ERR_SSL_WANT_WRITE;
        }
        tls->error.system_errno = errno;
    }
    return sent;
}

ssize_t esp_tls_read_until(esp_tls_t *tls, void *data, size_t len, int64_t deadline_us)
{
    if (tls == NULL || data == NULL || tls->state != ESP_TLS_DONE) {
        return -1;
    }
    if (len == 0) {
        return 0;
    }
    for (;;) {
        ssize_t got = tls->is_tls ? esp_tls_ssl_read(tls, data, len) : plain_read(tls, data, len);
        if (got != ESP_TLS_ERR_SSL_WANT_READ && got != ESP_TLS_ERR_SSL_WANT_WRITE) {
            return got;
        }
        short events = got == ESP_TLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT;
        if (esp_tls_wait(tls->sockfd, events, deadline_us) == 0) {
            return got;
        }
    }
}

ssize_t esp_tls_write_until(esp_tls_t *tls, const void *data, size_t len, int64_t deadline_us)
{
    if (tls == NULL || data == NULL || tls->state != ESP_TLS_DONE) {
        return -1;
    }
    if (len == 0) {
        return 0;
    }
    for (;;) {
        ssize_t sent =
            tls->is_tls ? esp_tls_ssl_write(tls, data, len) : plain_write(tls, data, len);
        if (sent != ESP_TLS_ERR_SSL_WANT_READ && sent != ESP_TLS_ERR_SSL_WANT_WRITE) {
            return sent;
        }
        short events = sent == ESP_TLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT;
        if (esp_tls_wait(tls->sockfd, events, deadline_us) == 0) {
            return sent;
        }
    }
}

ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen)
{
    if (tls == NULL) {
        return -1;
    }
    return esp_tls_read_until(tls, data, datalen,
                              tls->non_block ? 0 : esp_tls_deadline_in(tls->timeout_ms));
}

ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen)
{
    if (tls == NULL) {
        return -1;
    }
    return esp_tls_write_until(tls, data, datalen,
                               tls->non_block ? 0 : esp_tls_deadline_in(tls->timeout_ms));
}

int esp_tls_conn_destroy(esp_tls_t *tls)
{
    if (tls == NULL) {
        return -1;
    }
    free_addresses(tls);
    esp_tls_ssl_free(tls);
    close_socket(tls);
    free(tls->host);
    free(tls->verdict);
    free(tls);
    return 0;
}

ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls)
{
    if (tls == NULL) {
        ESP_LOGE(TAG, "empty arg passed to esp_tls_get_bytes_avail()");
        return ESP_FAIL;
    }
    return tls->ssl_ready ? (ssize_t)mbedtls_ssl_get_bytes_avail(&tls->ssl) : 0;
}

esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd)
{
    if (tls == NULL || sockfd == NULL) {
        ESP_LOGE(TAG, "Invalid arguments passed");
        return ESP_ERR_INVALID_ARG;
    }
    *sockfd = tls->sockfd;
    return ESP_OK;
}

esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd)
{
    if (tls == NULL || sockfd < 0) {
        ESP_LOGE(TAG, "Invalid arguments passed");
        return ESP_ERR_INVALID_ARG;
    }
    if (tls->sockfd >= 0) {
        return ESP_ERR_INVALID_STATE;
    }
    tls->sockfd = sockfd;
    return ESP_OK;
}

esp_err_t esp_tls_get_conn_state(esp_tls_t *tls, esp_tls_conn_state_t *state)
{
    if (tls == NULL || state == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *state = tls->state;
    return ESP_OK;
}

esp_err_t esp_tls_set_conn_state(esp_tls_t *tls, esp_tls_conn_state_t state)
{
    if (tls == NULL || state < ESP_TLS_INIT || state > ESP_TLS_DONE) {
        return ESP_ERR_INVALID_ARG;
    }
    tls->state = state;
    return ESP_OK;
}

void *esp_tls_get_ssl_context(esp_tls_t *tls)
{
    return tls != NULL && tls->ssl_ready ? &tls->ssl : NULL;
}

int esp_tls_socket_errno(const esp_tls_t *tls)
{
    return tls->error.system_errno;
}

esp_err_t esp_tls_get_error_handle(esp_tls_t *tls, esp_tls_error_handle_t *error_handle)
{
    if (tls == NULL || error_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *error_handle = &tls->error;
    return ESP_OK;
}

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *code, int *flags)
{
    if (h == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t last = h->last_error;
    if (code != NULL) {
        *code = h->esp_tls_error_code;
    }
    if (flags != NULL) {
        *flags = h->esp_tls_flags;
    }
    memset(h, 0, sizeof(*h));
    return last;
}

esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h, esp_tls_error_type_t type,
                                           int *code)
{
    if (h == NULL || code == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int *stored;
    switch (type) {
    case ESP_TLS_ERR_TYPE_SYSTEM:
        stored = &h->system_errno;
        break;
    case ESP_TLS_ERR_TYPE_MBEDTLS:
        stored = &h->esp_tls_error_code;
        break;
    case ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS:
        stored = &h->esp_tls_flags;
        break;
    case ESP_TLS_ERR_TYPE_ESP:
        stored = &h->last_error;
        break;
    default:
        return ESP_ERR_INVALID_ARG;
    }
    *code = *stored;
    *stored = 0;
    return ESP_OK;
}

esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port,
                                    const esp_tls_cfg_t *cfg, esp_tls_error_handle_t error_handle,
                                    int *sockfd)
{
    if (host == NULL || cfg == NULL || sockfd == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_tls_t *tls = esp_tls_init();
    if (tls == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_tls_cfg_t plain = *cfg;
    plain.is_plain_tcp = true;
    esp_err_t err = ESP_OK;
    if (open_connection(host, hostlen, port, &plain, tls, true) == 1) {
        *sockfd = tls->sockfd;
        tls->sockfd = -1; /* the caller's from now on */
    } else {
        err = tls->error.last_error != ESP_OK ? tls->error.last_error : ESP_FAIL;
    }
    if (error_handle != NULL) {
        *error_handle = tls->error;
    }
    esp_tls_conn_destroy(tls);
    return err;
}
