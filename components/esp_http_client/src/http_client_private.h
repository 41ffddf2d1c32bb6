/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of esp_http_client share. */
#ifndef HTTP_CLIENT_PRIVATE_H
#define HTTP_CLIENT_PRIVATE_H

#include "esp_http_client.h"
#include "esp_private/esp_http_client_update.h"
#include "esp_private/esp_tls_deadline.h"
#include "esp_tls.h"

#include "http_parser.h"

#define HTTP_DEFAULT_TIMEOUT_MS    5000
#define HTTP_DEFAULT_MAX_REDIRECTS 10
#define HTTP_DEFAULT_MAX_AUTH      10
#define HTTP_DEFAULT_USER_AGENT    "ESP32 HTTP Client/1.0"

/* --- Header lists (http_headers.c) --- */

typedef struct http_header {
    struct http_header *next;
    char *key;
    char *value;
} http_header_t;

typedef struct {
    http_header_t *first;
} http_headers_t;

/* Replaces or appends; value is copied without the blanks around it. ESP_ERR_NO_MEM. */
esp_err_t http_headers_set(http_headers_t *headers, const char *key, const char *value);
/* The value, or NULL. */
char *http_headers_get(const http_headers_t *headers, const char *key);
esp_err_t http_headers_delete(http_headers_t *headers, const char *key);
void http_headers_clear(http_headers_t *headers);

/* --- URLs (http_url.c) --- */

typedef struct {
    char *scheme; /* as written */
    char *host;   /* IPv6 without brackets */
    int port;     /* explicit, or the scheme's, or 0 for a scheme without one */
    char *path;   /* never empty */
    char *query;  /* NULL: none */
    char *username;
    char *password;
} http_url_t;

/* Parts of an absolute URL. ESP_ERR_INVALID_ARG: not one; ESP_ERR_NO_MEM. */
esp_err_t http_url_parse(const char *text, http_url_t *url);
void http_url_free(http_url_t *url);
/* The absolute URL that reference means seen from scheme://host:port/path. A new string, or NULL
 * without memory. */
char *http_url_resolve(const char *scheme, const char *host, int port, const char *path,
                       const char *reference);
bool http_url_is_absolute(const char *reference);
/* "host" or "host:port" (no port that is 80 or 443), IPv6 in brackets. NULL: no memory. */
char *http_url_host_text(const char *host, int port);

/* --- The client --- */

typedef enum {
    HTTP_BODY_NONE = 0, /* HEAD, 204, 304 */
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
    HTTP_BODY_TO_CLOSE,
} http_body_t;

/* A text that grows. */
typedef struct {
    char *text; /* NUL-terminated; NULL: nothing yet */
    size_t len;
    size_t room;
} http_text_t;

typedef struct {
    esp_http_client_auth_type_t type; /* NONE: no challenge that can be answered */
    char *text;                       /* the challenge after the scheme's name */
    char *unknown;                    /* a challenge nobody here can answer */
    uint32_t nonce_count;
    int attempts;
} http_challenge_t;

struct esp_http_client {
    /* Request */
    char *scheme;
    char *host;
    int port;
    char *path;
    char *query;
    char *username;
    char *password;
    esp_http_client_auth_type_t auth_type;
    esp_http_client_method_t method;
    http_headers_t headers;
    const char *post_data;
    int post_len;

    /* Settings */
    esp_tls_cfg_t tls_cfg;
    tls_keep_alive_cfg_t tcp_keep_alive;
    struct ifreq if_name;
    int timeout_ms;
    int64_t deadline_us;
    bool auto_redirect;
    int max_redirects;
    int max_auth;
    bool is_async;
    bool save_session;
    http_event_handle_cb handler;
    void *user_data;
    bool no_event_loop; /* said once that there is none */

    /* Connection */
    esp_tls_t *tls;
    bool conn_is_tls;
    bool conn_is_reused; /* the present request is not the first one on it */
    bool can_repeat;     /* the present request has no body */
    esp_http_state_t state;
    esp_tls_last_error_t error;
    int last_errno;
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    esp_tls_client_session_t *session;
#endif
    char *tx;
    size_t tx_size;
    size_t tx_len;

    /* Response: raw bytes received but not used yet are rx[rx_pos, rx_len) */
    char *rx;
    size_t rx_size;
    size_t rx_pos;
    size_t rx_len;
    http_parser parser;
    bool headers_done;
    bool status_said;
    bool in_value; /* the parser is in, or just after, a header's value */
    http_text_t key;
    http_text_t value;
    bool out_of_memory;
    int status;
    int64_t content_length;
    int64_t range_start;
    int64_t range_total;
    http_body_t body;
    int64_t body_done; /* bytes delivered */
    bool body_complete;
    bool broken; /* nothing more comes over this connection */
    bool keep_alive;
    bool surplus;
    int chunk_length;
    char *out; /* where on_body puts decoded bytes of a chunked body */
    size_t out_len;
    char *location;
    http_challenge_t challenge;
    int redirects;
    bool repeat; /* perform(): the request is made again after the present body */
#ifdef CONFIG_ESP_HTTP_CLIENT_SAVE_RESPONSE_HEADERS
    http_headers_t saved;
    int saved_count;
#endif
};

/* http_events.c */
void http_event(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data,
                int len);
void http_event_header(esp_http_client_handle_t client, char *key, char *value);
void http_event_redirect(esp_http_client_handle_t client);

/* http_connection.c */
/* A connection ready for a request, old or new. ESP_ERR_HTTP_CONNECTING: call again (async). */
esp_err_t http_connect(esp_http_client_handle_t client);
void http_disconnect(esp_http_client_handle_t client);
/* As esp_tls_read_until() with the client's time limits; ESP_TLS_ERR_SSL_WANT_READ on timeout. Sets
 * errno: 0, EAGAIN on timeout, ENOTCONN after a FIN, or the socket's error. */
ssize_t http_receive(esp_http_client_handle_t client, void *buf, size_t len);
/* All of data. ESP_OK, ESP_ERR_HTTP_WRITE_DATA. */
esp_err_t http_send(esp_http_client_handle_t client, const void *data, size_t len);

/* http_request.c */
esp_err_t http_send_request(esp_http_client_handle_t client, int write_len);
/* A server may close a kept connection just when the next request is on its way. Then that request
 * is sent once more, on a new connection. ESP_FAIL: there is no reason to, or it is not possible.
 */
esp_err_t http_repeat_request(esp_http_client_handle_t client);
const char *http_method_name(esp_http_client_method_t method);

/* http_response.c */
void http_response_reset(esp_http_client_handle_t client);
void http_text_free(http_text_t *text);

/* http_auth.c */
esp_err_t http_auth_keep_challenge(esp_http_client_handle_t client, const char *value);
/* Sets the Authorization header of the next request, if there is to be one. */
esp_err_t http_auth_prepare(esp_http_client_handle_t client);
void http_auth_forget(esp_http_client_handle_t client);

#endif
