/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of esp-tls share. */
#ifndef ESP_TLS_PRIVATE_H
#define ESP_TLS_PRIVATE_H

#include "esp_tls.h"

#include "mbedtls/pk.h"

#define ESP_TLS_DEFAULT_TIMEOUT_MS 10000
#define ESP_TLS_NO_DEADLINE        INT64_MAX

/* What the first bytes from the server looked like, for the error message. */
typedef enum {
    ESP_TLS_SEEN_NOTHING = 0,
    ESP_TLS_SEEN_TLS,
    ESP_TLS_SEEN_HTTP,
    ESP_TLS_SEEN_OTHER,
} esp_tls_seen_t;

struct esp_tls {
    esp_tls_conn_state_t state;
    bool is_tls;
    bool non_block;
    bool ssl_ready; /* the Mbed TLS members are initialised */
    int sockfd;     /* -1: none */
    int timeout_ms;
    int64_t deadline_us; /* of the connect */
    struct addrinfo *addresses;
    struct addrinfo *address; /* the one being tried */
    char *host;
    int port;
    esp_tls_seen_t seen;
    uint8_t first_bytes[4];
    char *verdict; /* what is wrong with the certificate, in words; heap, NULL if nothing */
    const esp_tls_cfg_t *cfg; /* only while connecting */
    esp_tls_last_error_t error;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt cacert;
    mbedtls_x509_crt clientcert;
    mbedtls_pk_context clientkey;
};

/* Waits until fd is ready for events (POLLIN, POLLOUT) or deadline_us. 1 ready, 0 too late, -1 an
 * error (errno). A deadline in the past asks without waiting. */
int esp_tls_wait(int fd, short events, int64_t deadline_us);

/* Deadline timeout_ms from now; 0 stands for the default. */
int64_t esp_tls_deadline_in(int timeout_ms);

/* esp_tls_socket.c: the TCP stage. Each records and logs its own failure. */
esp_err_t esp_tls_resolve(const char *host, int port, esp_tls_addr_family_t family,
                          esp_tls_last_error_t *error, struct addrinfo **addresses);
/* Opens a non-blocking socket to address and starts connecting. */
esp_err_t esp_tls_start_connect(const struct addrinfo *address, const esp_tls_cfg_t *cfg,
                                esp_tls_last_error_t *error, int *sockfd);
/* 1 connected, 0 not yet at deadline_us, -1 failed. */
int esp_tls_check_connect(int sockfd, int64_t deadline_us, esp_tls_last_error_t *error);
void esp_tls_log_connect_timeout(int sockfd, const char *host, int port, int timeout_ms);

/* esp_tls_mbedtls.c: the TLS stage. */
esp_err_t esp_tls_ssl_setup(esp_tls_t *tls, const char *host, const esp_tls_cfg_t *cfg);
/* One step: 0 done, WANT_READ/WANT_WRITE, or a failure, logged. */
int esp_tls_ssl_handshake_step(esp_tls_t *tls);
void esp_tls_ssl_handshake_timeout(esp_tls_t *tls);
ssize_t esp_tls_ssl_read(esp_tls_t *tls, void *data, size_t len);
ssize_t esp_tls_ssl_write(esp_tls_t *tls, const void *data, size_t len);
void esp_tls_ssl_free(esp_tls_t *tls);

/* esp_tls_verify.c: a verify callback of Mbed TLS; arg is the esp_tls_t. It changes no verdict,
 * only puts into words what is wrong. */
int esp_tls_explain_certificate(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

void esp_tls_record(esp_tls_last_error_t *error, esp_err_t code, int mbedtls_code, int flags);

#endif
