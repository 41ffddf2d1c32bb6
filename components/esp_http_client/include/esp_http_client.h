/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP and HTTPS client.
 *
 * Two ways to use it: esp_http_client_perform() does a whole request and hands the body to the
 * event handler; the streaming calls (open, write, fetch_headers, read, close) leave the flow to
 * the caller. A handle is used by one task at a time. Times are in milliseconds, sizes in bytes. */
#ifndef ESP_HTTP_CLIENT_H
#define ESP_HTTP_CLIENT_H

#include "freertos/FreeRTOS.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>
#include <sys/socket.h>

#include "sdkconfig.h"

#include "esp_err.h"
#include "esp_event.h"
#include "esp_key_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DEFAULT_HTTP_BUF_SIZE 512

#define ESP_ERR_HTTP_BASE                  0x7000
#define ESP_ERR_HTTP_MAX_REDIRECT          (ESP_ERR_HTTP_BASE + 1)
#define ESP_ERR_HTTP_CONNECT               (ESP_ERR_HTTP_BASE + 2)
#define ESP_ERR_HTTP_WRITE_DATA            (ESP_ERR_HTTP_BASE + 3)
#define ESP_ERR_HTTP_FETCH_HEADER          (ESP_ERR_HTTP_BASE + 4)
#define ESP_ERR_HTTP_INVALID_TRANSPORT     (ESP_ERR_HTTP_BASE + 5)
#define ESP_ERR_HTTP_CONNECTING            (ESP_ERR_HTTP_BASE + 6)
#define ESP_ERR_HTTP_EAGAIN                (ESP_ERR_HTTP_BASE + 7)
#define ESP_ERR_HTTP_CONNECTION_CLOSED     (ESP_ERR_HTTP_BASE + 8)
#define ESP_ERR_HTTP_NOT_MODIFIED          (ESP_ERR_HTTP_BASE + 9)
#define ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE (ESP_ERR_HTTP_BASE + 10)
#define ESP_ERR_HTTP_READ_TIMEOUT          (ESP_ERR_HTTP_BASE + 11)
#define ESP_ERR_HTTP_INCOMPLETE_DATA       (ESP_ERR_HTTP_BASE + 12)
#define ESP_ERR_HTTP_REDIRECT_DOWNGRADE    (ESP_ERR_HTTP_BASE + 13)
#define ESP_ERR_HTTP_HEADER_TOO_LONG       (ESP_ERR_HTTP_BASE + 14)

ESP_EVENT_DECLARE_BASE(ESP_HTTP_CLIENT_EVENT);

typedef struct esp_http_client *esp_http_client_handle_t;
typedef struct esp_http_client_event *esp_http_client_event_handle_t;

typedef enum {
    HTTP_EVENT_ERROR = 0, /* data: esp_tls_error_handle_t */
    HTTP_EVENT_ON_CONNECTED,
    HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_HEADER_SENT = HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER, /* header_key, header_value */
    HTTP_EVENT_ON_HEADERS_COMPLETE,
    HTTP_EVENT_ON_STATUS_CODE, /* data: int */
    HTTP_EVENT_ON_DATA,        /* data: body bytes, decoded */
    HTTP_EVENT_ON_FINISH,      /* from esp_http_client_perform() only */
    HTTP_EVENT_DISCONNECTED,   /* data: esp_tls_error_handle_t */
    HTTP_EVENT_REDIRECT,
} esp_http_client_event_id_t;

typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t client;
    void *data; /* valid only during the callback */
    int data_len;
    void *user_data;
    char *header_key;
    char *header_value;
} esp_http_client_event_t;

/* What the default event loop gets with HTTP_EVENT_ON_DATA and HTTP_EVENT_REDIRECT; with the other
 * events it gets the client handle. */
typedef struct esp_http_client_on_data {
    esp_http_client_handle_t client;
    int64_t data_process; /* body bytes delivered so far */
} esp_http_client_on_data_t;

typedef struct esp_http_client_redirect_event_data {
    esp_http_client_handle_t client;
    int status_code;
} esp_http_client_redirect_event_data_t;

/* Called in the task that runs the client; the return value is ignored. */
typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

typedef enum {
    HTTP_TRANSPORT_UNKNOWN = 0,
    HTTP_TRANSPORT_OVER_TCP,
    HTTP_TRANSPORT_OVER_SSL,
} esp_http_client_transport_t;

typedef enum {
    ESP_HTTP_CLIENT_TLS_VER_ANY = 0,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_2 = 1,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 = 2,
    ESP_HTTP_CLIENT_TLS_VER_MAX,
} esp_http_client_proto_ver_t;

typedef enum {
    HTTP_TLS_DYN_BUF_RX_STATIC = 1,
    HTTP_TLS_DYN_BUF_STRATEGY_MAX,
} esp_http_client_tls_dyn_buf_strategy_t;

typedef enum {
    HTTP_METHOD_GET = 0,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_NOTIFY,
    HTTP_METHOD_SUBSCRIBE,
    HTTP_METHOD_UNSUBSCRIBE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_REPORT,
    HTTP_METHOD_MAX,
} esp_http_client_method_t;

typedef enum {
    HTTP_AUTH_TYPE_NONE = 0,
    HTTP_AUTH_TYPE_BASIC,
    HTTP_AUTH_TYPE_DIGEST,
} esp_http_client_auth_type_t;

typedef enum {
    HTTP_ADDR_TYPE_UNSPEC = AF_UNSPEC,
    HTTP_ADDR_TYPE_INET = AF_INET,
    HTTP_ADDR_TYPE_INET6 = AF_INET6,
} esp_http_client_addr_type_t;

typedef enum {
    HTTP_STATE_UNINIT = 0,
    HTTP_STATE_INIT,
    HTTP_STATE_CONNECTING,
    HTTP_STATE_CONNECTED,
    HTTP_STATE_REQ_COMPLETE_HEADER,
    HTTP_STATE_REQ_COMPLETE_DATA,
    HTTP_STATE_RES_COMPLETE_HEADER,
    HTTP_STATE_RES_ON_DATA_START,
    HTTP_STATE_RES_COMPLETE_DATA,
    HTTP_STATE_CLOSE,
} esp_http_state_t;

typedef enum {
    HttpStatus_Ok = 200,
    HttpStatus_PartialContent = 206,
    HttpStatus_MultipleChoices = 300,
    HttpStatus_MovedPermanently = 301,
    HttpStatus_Found = 302,
    HttpStatus_SeeOther = 303,
    HttpStatus_NotModified = 304,
    HttpStatus_TemporaryRedirect = 307,
    HttpStatus_PermanentRedirect = 308,
    HttpStatus_BadRequest = 400,
    HttpStatus_Unauthorized = 401,
    HttpStatus_Forbidden = 403,
    HttpStatus_NotFound = 404,
    HttpStatus_RangeNotSatisfiable = 416,
    HttpStatus_InternalError = 500,
} HttpStatus_Code;

/* All zero but for the server is valid. Texts are copied by esp_http_client_init(), except
 * certificates, keys, their passwords, the ALPN list and common_name, which must outlive the
 * client. */
typedef struct {
    const char *url; /* complete URL; or host and path below, which win if both are set */
    const char *host;
    int port;             /* 0: 80, or 443 over TLS */
    const char *username; /* for 401 and, with auth_type set, from the first request on */
    const char *password;
    esp_http_client_auth_type_t auth_type;
    const char *path; /* default "/" */
    const char *query;
    union {
        const char *cert_pem; /* trust anchors */
        const char *cert_der;
    };
    size_t cert_len; /* 0: NUL-terminated PEM; PEM with a length counts its NUL */
    union {
        const char *client_cert_pem;
        const char *client_cert_der;
    };
    size_t client_cert_len;
    union {
        const char *client_key_pem;
        const char *client_key_der;
    };
    size_t client_key_len;
    const esp_key_config_t *client_key; /* wins over client_key_pem; read by init only */
    const char *client_key_password;
    size_t client_key_password_len;
    esp_http_client_proto_ver_t tls_version;
    const char *user_agent; /* default "ESP32 HTTP Client/1.0" */
    esp_http_client_method_t method;
    int timeout_ms; /* 0: 5000. For connecting and for each wait to read or write */
    bool disable_auto_redirect;
    int max_redirection_count;     /* 0: 10 */
    int max_authorization_retries; /* 0: 10; -1: none */
    http_event_handle_cb event_handler;
    esp_http_client_transport_t transport_type; /* with host and path; a URL has its scheme */
    int buffer_size;                            /* receiving, 0: 512 */
    int buffer_size_tx;                         /* sending, 0: 512; the request line must fit */
    void *user_data;
    bool is_async; /* perform() returns ESP_ERR_HTTP_EAGAIN instead of waiting; https only */
    bool use_global_ca_store;
    bool skip_cert_common_name_check; /* accept any certificate of the anchors: for tests only */
    const char *common_name; /* name the certificate must have; NULL: the host of the URL */
    esp_err_t (*crt_bundle_attach)(void *conf);
    bool keep_alive_enable;  /* TCP keep-alive; the values count in seconds and probes */
    int keep_alive_idle;     /* 0: 5 */
    int keep_alive_interval; /* 0: 5 */
    int keep_alive_count;    /* 0: 3 */
    struct ifreq *if_name;   /* bind to this interface; copied */
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_HTTPS
    const char **alpn_protos; /* NULL-terminated list */
#endif
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    bool save_client_session; /* offer the TLS session again when reconnecting */
#endif
    esp_http_client_addr_type_t addr_type;
} esp_http_client_config_t;

/* --- Life cycle --- */

/* A new client; no network traffic yet. NULL after one error line: bad URL, no host, no memory. */
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
/* Closes the connection and frees everything. ESP_FAIL: NULL. */
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

/* --- The request --- */

/* Sets an absolute URL, or a reference beginning with '/' on the present server. A new host drops
 * Authorization, user name and password; a new host, port or scheme closes the connection.
 * ESP_ERR_INVALID_ARG: NULL or not a URL. ESP_ERR_NO_MEM. */
esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url);
esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms);
esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb handler);
esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data);
esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data);
esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username);
esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value);
esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password);
esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value);
esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type);

/* Request headers; names are compared without case. set: replaces or appends, blanks around the
 * value are cut; value NULL deletes. get: *value stays the client's.
 * ESP_ERR_INVALID_ARG: NULL client or key, a line break in key or value. ESP_ERR_NOT_FOUND: no such
 * header to get or delete. ESP_ERR_NO_MEM. */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key,
                                     const char *value);
esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key,
                                     char **value);
esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key);
esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client);

/* The body perform() sends. Not copied. Sets Content-Type to application/x-www-form-urlencoded if
 * there is none; NULL removes body and Content-Type. The method stays. */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data,
                                         int len);
int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data);

/* Writes scheme://host:port/path to url. ESP_ERR_INVALID_ARG: NULL or len <= 0;
 * ESP_ERR_INVALID_SIZE: it does not fit. */
esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len);

/* --- Whole requests --- */

/* Sends the request, follows redirects, answers challenges, delivers the body to ON_DATA. An HTTP
 * error status is not an error here. ESP_ERR_HTTP_CONNECT, _WRITE_DATA, _FETCH_HEADER, _EAGAIN
 * (timeout waiting for headers), _CONNECTION_CLOSED, _INCOMPLETE_DATA, _MAX_REDIRECT,
 * _REDIRECT_DOWNGRADE, _HEADER_TOO_LONG, _INVALID_TRANSPORT; ESP_ERR_NOT_SUPPORTED: a challenge
 * that cannot be answered; ESP_ERR_INVALID_ARG. */
esp_err_t esp_http_client_perform(esp_http_client_handle_t client);
/* Makes a client inside perform() start over on a new connection.
 * ESP_ERR_INVALID_STATE: not connected. */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client);

/* --- Streaming --- */

/* Connects if needed, sends request line and headers. write_len: body bytes to follow by
 * esp_http_client_write(); -1: chunked. Errors as perform()'s of these steps. */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);
/* Sends all of buffer: len, or -1. */
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len);
/* Frame of one chunk of len bytes around writes of that many; last ends the body. 0 or -1. */
int esp_http_client_chunk_write_begin(esp_http_client_handle_t client, int len);
int esp_http_client_chunk_write_end(esp_http_client_handle_t client, bool last);
/* Waits for the whole header block. Returns Content-Length if that is known and not 0; 0 for
 * chunked, unknown or 0; -ESP_ERR_HTTP_EAGAIN on timeout (call again to go on waiting); ESP_FAIL.
 */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
/* Reads len body bytes, fewer only at the end of the body, on timeout and on a broken connection.
 * 0: the body is complete (or len is 0). -ESP_ERR_HTTP_EAGAIN: nothing within the timeout.
 * -1: broken, or closed too early; errno tells more. */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len);
/* As read, but goes on over timeouts as long as something arrives between them. */
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len);
/* Reads the rest of the body away; *len (may be NULL) gets its size. ESP_FAIL: broken. */
esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len);
/* Forgets received bytes that were not read yet. ESP_ERR_INVALID_ARG. */
esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client);
/* Readies the client for another request on the open connection; then request_send() as open(). */
esp_err_t esp_http_client_prepare(esp_http_client_handle_t client);
esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len);
/* Closes the connection; settings and headers stay. ESP_ERR_INVALID_ARG: NULL. */
esp_err_t esp_http_client_close(esp_http_client_handle_t client);

/* --- The response --- */

int esp_http_client_get_status_code(esp_http_client_handle_t client);
int64_t esp_http_client_get_content_length(esp_http_client_handle_t client); /* -1: not said */
/* Whether the end of the body has been read: its announced length, its last chunk, or, for a body
 * without either, a proper end of the connection. */
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);
/* True for a body whose length is not known beforehand (or is 0). */
bool esp_http_client_is_chunked_response(esp_http_client_handle_t client);
/* Length of the present chunk. ESP_FAIL: the response is not chunked. */
esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len);
/* Whether the server keeps the connection for another request. */
bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client);
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_GET_CONTENT_RANGE
/* Complete length in Content-Range; -1: not said. */
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client);
#endif
#ifdef CONFIG_ESP_HTTP_CLIENT_SAVE_RESPONSE_HEADERS
/* *value stays the client's until the next request. ESP_ERR_NOT_FOUND. */
esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key,
                                              char **value);
#endif

/* --- Redirects and authentication --- */

/* Goes to the Location of the response. Relative references are resolved. ESP_ERR_INVALID_ARG: NULL
 * or no Location; ESP_ERR_HTTP_REDIRECT_DOWNGRADE: from https to something else. */
esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client);
esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client);
/* Prepares the answer to a 401. ESP_FAIL: retries used up; ESP_ERR_NOT_SUPPORTED: no challenge, or
 * a scheme that is not built in; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM. */
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);

/* --- State --- */

esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client);
int esp_http_client_get_errno(esp_http_client_handle_t client);  /* cleared by reading */
int esp_http_client_get_socket(esp_http_client_handle_t client); /* -1: none */
esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client);
/* As esp_tls_get_and_clear_last_error(). */
esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client,
                                                       int *esp_tls_error_code, int *esp_tls_flags);

#ifdef __cplusplus
}
#endif

#endif
