/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS (and plain TCP) client connections.
 *
 * A connection belongs to one task at a time. Host names and certificates are verified unless the
 * configuration says otherwise; each failure leaves a log line that says in words what is wrong. */
#ifndef ESP_TLS_H
#define ESP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <net/if.h>

#include "sdkconfig.h"

#include "esp_err.h"
#include "esp_tls_errors.h"

#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "Try again": nothing arrived, or nothing could be sent, within the time allowed. */
#define ESP_TLS_ERR_SSL_WANT_READ  MBEDTLS_ERR_SSL_WANT_READ
#define ESP_TLS_ERR_SSL_WANT_WRITE MBEDTLS_ERR_SSL_WANT_WRITE
#define ESP_TLS_ERR_SSL_TIMEOUT    MBEDTLS_ERR_SSL_TIMEOUT

typedef enum esp_tls_conn_state {
    ESP_TLS_INIT = 0,
    ESP_TLS_CONNECTING,
    ESP_TLS_HANDSHAKE,
    ESP_TLS_FAIL,
    ESP_TLS_DONE,
} esp_tls_conn_state_t;

typedef enum esp_tls_addr_family {
    ESP_TLS_AF_UNSPEC = 0,
    ESP_TLS_AF_INET,
    ESP_TLS_AF_INET6,
} esp_tls_addr_family_t;

typedef enum {
    ESP_TLS_VER_ANY = 0x0,
    ESP_TLS_VER_TLS_1_2 = 0x1,
    ESP_TLS_VER_TLS_1_3 = 0x2,
    ESP_TLS_VER_TLS_MAX,
} esp_tls_proto_ver_t;

/* TCP keep-alive. Values of 0 mean 5 s, 5 s and 3. */
typedef struct tls_keep_alive_cfg {
    bool keep_alive_enable;
    int keep_alive_idle;     /* seconds without traffic before the first probe */
    int keep_alive_interval; /* seconds between probes */
    int keep_alive_count;    /* unanswered probes until the connection is given up */
} tls_keep_alive_cfg_t;

#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
/* A finished session, to be offered on the next connection to the same server. */
typedef struct esp_tls_client_session {
    mbedtls_ssl_session saved_session;
} esp_tls_client_session_t;
#endif

/* What a connection is to be. All zero is valid, but then no server is trusted and every TLS
 * connection fails. Buffers are only read while the connection is being opened, except the ALPN
 * list, which must live as long as the connection. */
typedef struct esp_tls_cfg {
    const char **alpn_protos; /* NULL-terminated list, or NULL */

    /* Trust anchors: PEM (the length counts the final NUL) or DER. */
    union {
        const unsigned char *cacert_buf;
        const unsigned char *cacert_pem_buf;
    };
    union {
        unsigned int cacert_bytes;
        unsigned int cacert_pem_bytes;
    };

    /* Mutual TLS: both or none. */
    union {
        const unsigned char *clientcert_buf;
        const unsigned char *clientcert_pem_buf;
    };
    union {
        unsigned int clientcert_bytes;
        unsigned int clientcert_pem_bytes;
    };
    union {
        const unsigned char *clientkey_buf;
        const unsigned char *clientkey_pem_buf;
    };
    union {
        unsigned int clientkey_bytes;
        unsigned int clientkey_pem_bytes;
    };
    const unsigned char *clientkey_password;
    unsigned int clientkey_password_len;

    bool non_block; /* reads and writes return at once with WANT_READ/WANT_WRITE */
    int timeout_ms; /* for connecting as a whole and for each read or write; 0 = 10 s */
    bool use_global_ca_store;
    const char *common_name; /* the name the certificate must have; NULL = the host */
    bool skip_common_name;   /* accept any name. Makes every certificate of the anchors a key */
    tls_keep_alive_cfg_t *keep_alive_cfg;
    esp_err_t (*crt_bundle_attach)(void *conf); /* gets the mbedtls_ssl_config */
    bool is_plain_tcp;                          /* no TLS at all */
    struct ifreq *if_name;                      /* bind to this interface, or NULL */
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    esp_tls_client_session_t *client_session; /* offered to the server; NULL = new session */
#endif
    esp_tls_addr_family_t addr_family;
    const int *ciphersuites_list; /* zero-terminated; NULL = the configured ones */
    esp_tls_proto_ver_t tls_version;
} esp_tls_cfg_t;

typedef struct esp_tls esp_tls_t;

/* A new connection object, to be released with esp_tls_conn_destroy(). NULL: no memory. */
esp_tls_t *esp_tls_init(void);

/* Resolves hostname (hostlen bytes, no NUL needed), connects to port (1..65535), and makes the TLS
 * handshake with verification. Blocks for at most cfg->timeout_ms (name resolution has the
 * system's own limits). Returns 1 when connected, -1 on failure; then
 * esp_tls_get_error_handle() has the details and the object can only be destroyed. */
int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                          esp_tls_t *tls);

/* The same, one step per call without blocking (but for name resolution): 0 = call again. */
int esp_tls_conn_new_async(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                           esp_tls_t *tls);

/* As above with host and port out of an http:// or https:// URL. The scheme does not decide
 * whether TLS is used; cfg->is_plain_tcp does. -1 also for a URL that cannot be parsed. */
int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls);
int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls);

/* Sends up to datalen bytes. Returns the number sent (> 0), ESP_TLS_ERR_SSL_WANT_WRITE or
 * _WANT_READ when cfg->timeout_ms passed (at once with non_block), or another negative value when
 * the connection is broken: an Mbed TLS code, for plain TCP -1 with errno set. */
ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen);

/* Reads up to datalen bytes, at most one TLS record. Returns the number read (> 0); 0 when the peer
 * ended the connection properly (close_notify; for plain TCP a FIN); WANT values and errors as
 * esp_tls_conn_write(). A TLS connection cut without close_notify is the error
 * MBEDTLS_ERR_SSL_CONN_EOF: what came before may be incomplete. */
ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen);

/* Closes the connection, with close_notify if possible, and frees everything. 0, or -1 for NULL. */
int esp_tls_conn_destroy(esp_tls_t *tls);

/* Decrypted bytes that the next read returns without touching the socket; 0 for plain TCP;
 * ESP_FAIL for NULL. */
ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls);

/* ESP_ERR_INVALID_ARG: a NULL argument. ESP_ERR_INVALID_STATE (set): already connected. */
esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd);
esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd);
esp_err_t esp_tls_get_conn_state(esp_tls_t *tls, esp_tls_conn_state_t *state);
esp_err_t esp_tls_set_conn_state(esp_tls_t *tls, esp_tls_conn_state_t state);

/* The Mbed TLS context (mbedtls_ssl_context *) of a TLS connection, NULL otherwise. */
void *esp_tls_get_ssl_context(esp_tls_t *tls);

/* Details of the last failure; owned by tls. ESP_ERR_INVALID_ARG: a NULL argument. */
esp_err_t esp_tls_get_error_handle(esp_tls_t *tls, esp_tls_error_handle_t *error_handle);

/* Returns the stored esp_tls code and clears the record; *code and *flags (either may be NULL) get
 * the Mbed TLS code and certificate flags. ESP_ERR_INVALID_STATE: h is NULL. */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *code, int *flags);

/* One kind of stored error. ESP_ERR_INVALID_ARG: a NULL argument or a kind that is not stored.
 * ESP_TLS_ERR_TYPE_SYSTEM gives the errno of the last failed socket call. */
esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h, esp_tls_error_type_t type,
                                           int *code);

/* The global store of trust anchors, shared by all connections with use_global_ca_store. Change it
 * only while none of them is being opened.
 * init: makes it empty; done by set when needed. set: adds certificates, PEM with NUL or DER;
 * ESP_ERR_INVALID_ARG for NULL, ESP_ERR_NO_MEM, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED when not one
 * certificate could be read, ESP_ERR_MBEDTLS_CERT_PARTLY_OK when some could not. */
esp_err_t esp_tls_init_global_ca_store(void);
esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_buf,
                                      const unsigned int cacert_bytes);
mbedtls_x509_crt *esp_tls_get_global_ca_store(void);
void esp_tls_free_global_ca_store(void);

#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
/* A copy of the session of a connection, to be freed with esp_tls_free_client_session(). NULL: no
 * TLS, no session the server would resume yet (with TLS 1.3 the ticket comes with the first data),
 * or no memory. */
esp_tls_client_session_t *esp_tls_get_client_session(esp_tls_t *tls);
void esp_tls_free_client_session(esp_tls_client_session_t *client_session);
#endif

/* Opens a plain TCP connection; *sockfd gets the non-blocking socket, which the caller closes.
 * Returns ESP_OK, ESP_ERR_INVALID_ARG, or a code above with details in error_handle if given. */
esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port,
                                    const esp_tls_cfg_t *cfg, esp_tls_error_handle_t error_handle,
                                    int *sockfd);

#ifdef __cplusplus
}
#endif

#endif
