/* SPDX-License-Identifier: Apache-2.0
 *
 * The TCP stage of a connection: name resolution, socket options, connecting with a time limit. */
#include "esp_tls_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "esp_log.h"

#include "hal/clock.h"

static const char *TAG = "esp-tls";

int64_t esp_tls_deadline_in(int timeout_ms)
{
    if (timeout_ms <= 0) {
        timeout_ms = ESP_TLS_DEFAULT_TIMEOUT_MS;
    }
    return (int64_t)hal_clock_us() + (int64_t)timeout_ms * 1000;
}

int esp_tls_wait(int fd, short events, int64_t deadline_us)
{
    for (;;) {
        int64_t left_us = deadline_us - (int64_t)hal_clock_us();
        int64_t left_ms = left_us <= 0 ? 0 : (left_us - 1) / 1000 + 1;
        struct pollfd item = {.fd = fd, .events = events};
        int ready = poll(&item, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
        if (ready > 0) {
            return 1; /* an error condition counts: the next socket call reports it */
        }
        if (ready < 0 && errno != EINTR) {
            return -1;
        }
        /* poll() counts in coarser units on some boards and may be back before the deadline. */
        if (ready == 0 && (int64_t)hal_clock_us() >= deadline_us) {
            return 0;
        }
    }
}

esp_err_t esp_tls_resolve(const char *host, int port, esp_tls_addr_family_t family,
                          esp_tls_last_error_t *error, struct addrinfo **addresses)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    switch (family) {
    case ESP_TLS_AF_INET:
        hints.ai_family = AF_INET;
        break;
    case ESP_TLS_AF_INET6:
        hints.ai_family = AF_INET6;
        break;
    default:
        hints.ai_family = AF_UNSPEC;
        break;
    }
    char service[12];
    snprintf(service, sizeof(service), "%d", port);
    *addresses = NULL;
    int result = getaddrinfo(host, service, &hints, addresses);
    if (result != 0 || *addresses == NULL) {
        ESP_LOGE(TAG, "couldn't get hostname for :%s: getaddrinfo() returns %d, addrinfo=%p", host,
                 result, (void *)*addresses);
        ESP_LOGE(TAG, "The name \"%s\" has no address: check the URL and the DNS server.", host);
        error->system_errno = errno;
        esp_tls_record(error, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, 0, 0);
        return ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
    }
    return ESP_OK;
}

static esp_err_t set_int_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? ESP_OK : ESP_FAIL;
}

static esp_err_t set_options(int fd, const esp_tls_cfg_t *cfg)
{
    /* The end of the handshake and the request are two small writes; without this the second waits
     * for the server's delayed acknowledgement of the first, 40 ms on a usual host. A stack that
     * has no such option loses those milliseconds only. */
    (void)set_int_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const tls_keep_alive_cfg_t *alive = cfg->keep_alive_cfg;
    if (alive != NULL && alive->keep_alive_enable) {
        int idle = alive->keep_alive_idle > 0 ? alive->keep_alive_idle : 5;
        int interval = alive->keep_alive_interval > 0 ? alive->keep_alive_interval : 5;
        int count = alive->keep_alive_count > 0 ? alive->keep_alive_count : 3;
        if (set_int_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != ESP_OK ||
            set_int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle) != ESP_OK ||
            set_int_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) != ESP_OK ||
            set_int_option(fd, IPPROTO_TCP, TCP_KEEPCNT, count) != ESP_OK) {
            ESP_LOGE(TAG, "[sock=%d] TCP keep-alive could not be set: %s", fd, strerror(errno));
            return ESP_FAIL;
        }
    }
    if (cfg->if_name != NULL && cfg->if_name->ifr_name[0] != '\0') {
        struct ifreq name = *cfg->if_name;
        name.ifr_name[sizeof(name.ifr_name) - 1] = '\0';
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, &name, sizeof(name)) != 0) {
            ESP_LOGE(TAG, "Bind [sock=%d] to interface %s fail", fd, name.ifr_name);
            return ESP_FAIL;
        }
    }
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        ESP_LOGE(TAG, "[sock=%d] cannot be made non-blocking: %s", fd, strerror(errno));
        return ESP_FAIL;
    }
    return ESP_OK;
}

esp_err_t esp_tls_start_connect(const struct addrinfo *address, const esp_tls_cfg_t *cfg,
                                esp_tls_last_error_t *error, int *sockfd)
{
    *sockfd = -1;
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0) {
        error->system_errno = errno;
        ESP_LOGE(TAG, "Failed to create socket (family %d): %s", address->ai_family,
                 strerror(errno));
        esp_tls_record(error, ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET, 0, 0);
        return ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET;
    }
    if (set_options(fd, cfg) != ESP_OK) {
        error->system_errno = errno;
        close(fd);
        esp_tls_record(error, ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED, 0, 0);
        return ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        error->system_errno = errno;
        ESP_LOGE(TAG, "[sock=%d] connect() error: %s", fd, strerror(errno));
        close(fd);
        esp_tls_record(error, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0, 0);
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    }
    *sockfd = fd;
    return ESP_OK;
}

int esp_tls_check_connect(int sockfd, int64_t deadline_us, esp_tls_last_error_t *error)
{
    int ready = esp_tls_wait(sockfd, POLLOUT, deadline_us);
    if (ready == 0) {
        return 0;
    }
    int problem = errno;
    if (ready > 0) {
        socklen_t size = sizeof(problem);
        if (getsockopt(sockfd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
            problem = errno;
        }
    }
    if (problem == 0) {
        return 1;
    }
    error->system_errno = problem;
    ESP_LOGE(TAG, "[sock=%d] delayed connect error: %s", sockfd, strerror(problem));
    esp_tls_record(error, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0, 0);
    return -1;
}

void esp_tls_log_connect_timeout(int sockfd, const char *host, int port, int timeout_ms)
{
    ESP_LOGE(TAG, "[sock=%d] select() timeout", sockfd);
    ESP_LOGE(TAG, "%s port %d did not answer within %d ms: check address, network and firewall.",
             host, port, timeout_ms);
}
