/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads responses. The parser sees the header block and chunked bodies only; any other body goes
 * from the connection straight into the caller's buffer. */
#include "http_client_private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"

#include "hal/clock.h"

static const char *TAG = "HTTP_CLIENT";

/* --- Header block --- */

void http_text_free(http_text_t *text)
{
    free(text->text);
    memset(text, 0, sizeof(*text));
}

static bool text_append(http_text_t *text, const char *bytes, size_t len)
{
    if (text->room - text->len < len + 1) {
        size_t room = (text->len + len + 1 + 63u) & ~(size_t)63u;
        char *grown = realloc(text->text, room);
        if (grown == NULL) {
            return false;
        }
        text->text = grown;
        text->room = room;
    }
    memcpy(text->text + text->len, bytes, len);
    text->len += len;
    text->text[text->len] = '\0';
    return true;
}

static bool is_interim(const http_parser *parser)
{
    return parser->status_code / 100 == 1;
}

static void say_status(esp_http_client_handle_t client)
{
    if (!client->status_said && !is_interim(&client->parser)) {
        client->status_said = true;
        client->status = client->parser.status_code;
        http_event(client, HTTP_EVENT_ON_STATUS_CODE, &client->status, sizeof(client->status));
    }
}

/* "bytes 0-9/100", "bytes 0-9/" and a star, "bytes " and a star and "/100". */
static void keep_content_range(esp_http_client_handle_t client, const char *value)
{
    client->range_start = -1;
    client->range_total = -1;
    if (strncasecmp(value, "bytes", 5) == 0) {
        value += 5;
        value += strspn(value, " \t");
        char *end;
        errno = 0;
        if (*value >= '0' && *value <= '9') {
            int64_t start = strtoll(value, &end, 10);
            if (errno == 0 && *end == '-') {
                client->range_start = start;
            }
        }
        const char *slash = strchr(value, '/');
        if (slash != NULL && slash[1] >= '0' && slash[1] <= '9') {
            int64_t total = strtoll(slash + 1, &end, 10);
            if (errno == 0 && *end == '\0') {
                client->range_total = total;
            }
        }
    }
    if (client->range_total < 0) {
        ESP_LOGE(TAG, "Content-Range does not tell the complete length: \"%.64s\"", value);
    }
}

static esp_err_t keep_header(esp_http_client_handle_t client, const char *key, const char *value)
{
#ifdef CONFIG_ESP_HTTP_CLIENT_SAVE_RESPONSE_HEADERS
    if (client->saved_count < CONFIG_ESP_HTTP_CLIENT_MAX_SAVED_RESPONSE_HEADERS &&
        strlen(value) <= CONFIG_ESP_HTTP_CLIENT_MAX_RESPONSE_HEADER_SIZE) {
        if (http_headers_set(&client->saved, key, value) != ESP_OK) {
            return ESP_ERR_NO_MEM;
        }
        client->saved_count++;
    }
#endif
    if (strcasecmp(key, "Location") == 0) {
        free(client->location);
        client->location = strdup(value);
        return client->location != NULL ? ESP_OK : ESP_ERR_NO_MEM;
    }
    if (strcasecmp(key, "WWW-Authenticate") == 0) {
        return http_auth_keep_challenge(client, value);
    }
    if (strcasecmp(key, "Content-Range") == 0) {
        keep_content_range(client, value);
    }
    return ESP_OK;
}

/* Takes the header line that key and value hold. 0, or 1 to stop the parser. */
static int finish_header(esp_http_client_handle_t client)
{
    if (!client->in_value) {
        return 0;
    }
    client->in_value = false;
    http_text_t *value = &client->value;
    while (value->len > 0 &&
           (value->text[value->len - 1] == ' ' || value->text[value->len - 1] == '\t')) {
        value->text[--value->len] = '\0';
    }
    if (!is_interim(&client->parser)) {
        if (keep_header(client, client->key.text, value->text) != ESP_OK) {
            client->out_of_memory = true;
            return 1;
        }
        http_event_header(client, client->key.text, value->text);
    }
    client->key.len = 0;
    value->len = 0;
    return 0;
}

static int on_status(http_parser *parser, const char *at, size_t len)
{
    (void)at;
    (void)len;
    say_status(parser->data);
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    esp_http_client_handle_t client = parser->data;
    if (client->headers_done) {
        return 0; /* a trailer */
    }
    say_status(client);
    if (finish_header(client) != 0) {
        return 1;
    }
    client->out_of_memory = !text_append(&client->key, at, len);
    return client->out_of_memory;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    esp_http_client_handle_t client = parser->data;
    if (client->headers_done) {
        return 0;
    }
    client->in_value = true;
    client->out_of_memory = !text_append(&client->value, at, len);
    return client->out_of_memory;
}

static http_body_t kind_of_body(const esp_http_client_handle_t client)
{
    if (client->method == HTTP_METHOD_HEAD || client->status == 204 || client->status == 304) {
        return HTTP_BODY_NONE;
    }
    if (client->parser.flags & F_CHUNKED) {
        return HTTP_BODY_CHUNKED;
    }
    return client->content_length >= 0 ? HTTP_BODY_LENGTH : HTTP_BODY_TO_CLOSE;
}

static int on_headers_complete(http_parser *parser)
{
    esp_http_client_handle_t client = parser->data;
    if (finish_header(client) != 0) {
        return -1;
    }
    if (is_interim(parser)) {
        return 0; /* the real response follows */
    }
    say_status(client);
    client->headers_done = true;
    bool has_length = parser->content_length != ULLONG_MAX && !(parser->flags & F_CHUNKED);
    if (has_length && parser->content_length > INT64_MAX) {
        return -1;
    }
    client->content_length = has_length ? (int64_t)parser->content_length : -1;
    client->body = kind_of_body(client);
    client->keep_alive = http_should_keep_alive(parser) != 0 ||
                         (client->body == HTTP_BODY_NONE && parser->http_major == 1 &&
                          parser->http_minor >= 1 && !(parser->flags & F_CONNECTION_CLOSE));
    /* Stop here: what follows is the body, and most bodies are none of the parser's business. */
    http_parser_pause(parser, 1);
    return client->body == HTTP_BODY_NONE ? 1 : 0;
}

static int on_chunk_header(http_parser *parser)
{
    esp_http_client_handle_t client = parser->data;
    client->chunk_length = parser->content_length > INT_MAX ? INT_MAX : (int)parser->content_length;
    return 0;
}

/* Decoded bytes move down over the framing in the same buffer. */
static int on_body(http_parser *parser, const char *at, size_t len)
{
    esp_http_client_handle_t client = parser->data;
    if (client->out != NULL) {
        memmove(client->out + client->out_len, at, len);
        client->out_len += len;
    }
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    esp_http_client_handle_t client = parser->data;
    if (client->headers_done) {
        client->body_complete = true;
        http_parser_pause(parser, 1);
    }
    return 0;
}

static const http_parser_settings PARSER_SETTINGS = {
    .on_status = on_status,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
};

void http_response_reset(esp_http_client_handle_t client)
{
    http_parser_init(&client->parser, HTTP_RESPONSE);
    client->parser.data = client;
    client->rx_pos = 0;
    client->rx_len = 0;
    client->headers_done = false;
    client->status_said = false;
    client->in_value = false;
    client->key.len = 0;
    client->value.len = 0;
    client->out_of_memory = false;
    client->content_length = 0;
    client->range_start = -1;
    client->range_total = -1;
    client->body = HTTP_BODY_NONE;
    client->body_done = 0;
    client->body_complete = false;
    client->broken = false;
    client->keep_alive = false;
    client->surplus = false;
    client->chunk_length = 0;
    client->out = NULL;
    client->out_len = 0;
    free(client->location);
    client->location = NULL;
#ifdef CONFIG_ESP_HTTP_CLIENT_SAVE_RESPONSE_HEADERS
    http_headers_clear(&client->saved);
    client->saved_count = 0;
#endif
}

/* Nothing more can be read of this response. Keeps errno. */
static void mark_broken(esp_http_client_handle_t client)
{
    int problem = errno;
    client->broken = true;
    http_event(client, HTTP_EVENT_ERROR, &client->error, 0);
    errno = problem;
}

static void log_parser_error(const esp_http_client_handle_t client)
{
    if (client->out_of_memory) {
        ESP_LOGE(TAG, "No memory for the response headers");
        return;
    }
    ESP_LOGE(TAG, "HTTP parser error: %s",
             http_errno_description(HTTP_PARSER_ERRNO(&client->parser)));
    const unsigned char *start = (const unsigned char *)client->rx;
    if (client->status_said) {
        return;
    }
    if (!client->conn_is_tls && client->rx_len >= 2 && (start[0] == 0x15 || start[0] == 0x16) &&
        start[1] == 0x03) {
        ESP_LOGE(TAG, "%s port %d answers in TLS: use https:// in the URL.", client->host,
                 client->port);
    } else {
        ESP_LOGE(TAG, "%s port %d does not answer in HTTP.", client->host, client->port);
    }
}

/* Gives the parser len bytes and returns how many it used: all but the last line feed of the header
 * block, or all of the message. */
static size_t parse(esp_http_client_handle_t client, const char *data, size_t len, bool *failed)
{
    size_t used = http_parser_execute(&client->parser, &PARSER_SETTINGS, data, len);
    enum http_errno err = HTTP_PARSER_ERRNO(&client->parser);
    *failed = err != HPE_OK && err != HPE_PAUSED;
    if (err == HPE_PAUSED) {
        http_parser_pause(&client->parser, 0);
    }
    return used;
}

/* One piece of the header block. ESP_OK, ESP_ERR_HTTP_EAGAIN, ESP_FAIL. */
static esp_err_t read_header_piece(esp_http_client_handle_t client)
{
    ssize_t got = http_receive(client, client->rx, client->rx_size);
    if (got == ESP_TLS_ERR_SSL_WANT_READ) {
        if (!client->is_async) {
            ESP_LOGW(TAG, "Connection timed out before data was ready!");
        }
        return ESP_ERR_HTTP_EAGAIN;
    }
    if (got <= 0) {
        if (client->rx_len == 0 && http_repeat_request(client) == ESP_OK) {
            return ESP_OK;
        }
        ESP_LOGE(TAG, "%s port %d closed the connection %s", client->host, client->port,
                 client->status_said ? "inside the response headers"
                                     : "without answering the request");
        mark_broken(client);
        return ESP_FAIL;
    }
    client->rx_len = (size_t)got;
    bool failed;
    client->rx_pos = parse(client, client->rx, client->rx_len, &failed);
    if (failed) {
        log_parser_error(client);
        client->headers_done = false;
        mark_broken(client);
        return ESP_FAIL;
    }
    return ESP_OK;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (client == NULL || client->state < HTTP_STATE_REQ_COMPLETE_HEADER || client->broken) {
        return ESP_FAIL;
    }
    if (client->state == HTTP_STATE_REQ_COMPLETE_HEADER) {
        client->state = HTTP_STATE_REQ_COMPLETE_DATA;
        client->status = -1;
    }
    while (!client->headers_done) {
        esp_err_t err = read_header_piece(client);
        if (err != ESP_OK) {
            return err == ESP_FAIL ? ESP_FAIL : -(int64_t)err;
        }
        if (!client->headers_done) {
            continue;
        }
        /* Only the parser of a chunked body needs the line feed it stopped on. */
        if (client->body != HTTP_BODY_CHUNKED && client->rx_pos < client->rx_len) {
            client->rx_pos++;
        }
        client->body_complete = client->body == HTTP_BODY_NONE ||
                                (client->body == HTTP_BODY_LENGTH && client->content_length == 0);
        client->state = HTTP_STATE_RES_COMPLETE_HEADER;
        http_event(client, HTTP_EVENT_ON_HEADERS_COMPLETE, NULL, 0);
    }
    return client->content_length > 0 ? client->content_length : 0;
}

/* --- Body --- */

/* Bytes as they came: first those left over from reading the headers, then from the connection. */
static ssize_t raw_read(esp_http_client_handle_t client, char *buf, size_t len)
{
    size_t left = client->rx_len - client->rx_pos;
    if (left == 0) {
        return http_receive(client, buf, len);
    }
    size_t count = left < len ? left : len;
    memcpy(buf, client->rx + client->rx_pos, count);
    client->rx_pos += count;
    return (ssize_t)count;
}

static int read_chunked(esp_http_client_handle_t client, char *buf, size_t len)
{
    ssize_t got = raw_read(client, buf, len);
    if (got == ESP_TLS_ERR_SSL_WANT_READ) {
        return -ESP_ERR_HTTP_EAGAIN;
    }
    if (got <= 0) {
        ESP_LOGE(TAG, "HTTP parser error: %s", http_errno_description(HPE_INVALID_EOF_STATE));
        ESP_LOGE(TAG, "%s closed the connection inside a chunked body, after %" PRId64 " bytes",
                 client->host, client->body_done);
        mark_broken(client);
        return -1;
    }
    client->out = buf;
    client->out_len = 0;
    bool failed;
    size_t used = parse(client, buf, (size_t)got, &failed);
    client->out = NULL;
    if (failed) {
        log_parser_error(client);
        mark_broken(client);
        return client->out_len > 0 ? (int)client->out_len : -1;
    }
    if (client->body_complete && used < (size_t)got) {
        client->surplus = true;
    }
    return (int)client->out_len; /* 0: only framing so far */
}

static void log_early_end(const esp_http_client_handle_t client)
{
    if (client->body == HTTP_BODY_LENGTH) {
        ESP_LOGE(TAG, "%s closed the connection after %" PRId64 " of %" PRId64 " bytes",
                 client->host, client->body_done, client->content_length);
    } else {
        ESP_LOGE(TAG,
                 "The connection to %s was cut after %" PRId64 " bytes of a body of unknown "
                 "length: it is incomplete",
                 client->host, client->body_done);
    }
}

static int read_plain(esp_http_client_handle_t client, char *buf, size_t len)
{
    if (client->body == HTTP_BODY_LENGTH) {
        int64_t left = client->content_length - client->body_done;
        if ((int64_t)len > left) {
            len = (size_t)left;
        }
    }
    ssize_t got = raw_read(client, buf, len);
    if (got > 0) {
        return (int)got;
    }
    if (got == ESP_TLS_ERR_SSL_WANT_READ) {
        return -ESP_ERR_HTTP_EAGAIN;
    }
    if (got == 0 && client->body == HTTP_BODY_TO_CLOSE) {
        client->body_complete = true;
        errno = 0;
        return 0;
    }
    log_early_end(client);
    mark_broken(client);
    return -1;
}

/* One piece of the body. > 0 bytes; 0 nothing yet, or complete; < 0 an error. */
static int read_piece(esp_http_client_handle_t client, char *buf, size_t len)
{
    int got = client->body == HTTP_BODY_CHUNKED ? read_chunked(client, buf, len)
                                                : read_plain(client, buf, len);
    if (got > 0) {
        client->body_done += got;
        if (client->body == HTTP_BODY_LENGTH && client->body_done == client->content_length) {
            client->body_complete = true;
        }
        client->state = HTTP_STATE_RES_ON_DATA_START;
        http_event(client, HTTP_EVENT_ON_DATA, buf, got);
    }
    return got;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len < 0 || !client->headers_done) {
        errno = client != NULL && client->broken ? ENOTCONN : EINVAL;
        return -1;
    }
    int total = 0;
    errno = 0;
    while (total < len && !client->body_complete) {
        if (client->broken) {
            errno = client->last_errno != 0 ? client->last_errno : ENOTCONN;
            return total > 0 ? total : -1;
        }
        int got = read_piece(client, buffer + total, (size_t)(len - total));
        if (got < 0) {
            return total > 0 ? total : got;
        }
        total += got;
    }
    if (client->body_complete) {
        client->state = HTTP_STATE_RES_COMPLETE_DATA;
    }
    return total;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len)
{
    int total = 0;
    while (total < len) {
        int got = esp_http_client_read(client, buffer + total, len - total);
        if (got <= 0) {
            return total > 0 ? total : got;
        }
        total += got;
    }
    return total;
}

esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int64_t before = client->body_done;
    int got = 0;
    while (client->headers_done && !client->body_complete && got >= 0) {
        char piece[256];
        got = esp_http_client_read(client, piece, sizeof(piece));
    }
    if (len != NULL) {
        int64_t count = client->body_done - before;
        *len = count > INT_MAX ? INT_MAX : (int)count;
    }
    return got < 0 ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->rx_pos = 0;
    client->rx_len = 0;
    return ESP_OK;
}

/* --- What is known of the response --- */

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client != NULL ? client->status : ESP_FAIL;
}

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client)
{
    return client != NULL ? client->content_length : -1;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    if (client == NULL || !client->headers_done) {
        return false;
    }
    return client->body == HTTP_BODY_NONE ? client->content_length <= 0 : client->body_complete;
}

bool esp_http_client_is_chunked_response(esp_http_client_handle_t client)
{
    return client != NULL && client->headers_done && client->content_length <= 0;
}

esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len)
{
    if (client == NULL || len == NULL) {
        return ESP_FAIL;
    }
    if (client->body != HTTP_BODY_CHUNKED) {
        ESP_LOGE(TAG, "Response is not chunked");
        return ESP_FAIL;
    }
    *len = client->chunk_length;
    return ESP_OK;
}

bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client)
{
    return client != NULL && client->headers_done && client->keep_alive;
}

#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_GET_CONTENT_RANGE
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client)
{
    return esp_http_client_get_range_total(client);
}
#endif

#ifdef CONFIG_ESP_HTTP_CLIENT_SAVE_RESPONSE_HEADERS
esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key,
                                              char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = http_headers_get(&client->saved, key);
    return *value != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}
#endif

int64_t esp_http_client_get_range_start(esp_http_client_handle_t client)
{
    return client->range_start;
}

int64_t esp_http_client_get_range_total(esp_http_client_handle_t client)
{
    return client->range_total;
}

bool esp_http_client_has_surplus(esp_http_client_handle_t client, int wait_ms)
{
    if (!client->headers_done || !client->body_complete || client->tls == NULL ||
        (client->body != HTTP_BODY_LENGTH && client->body != HTTP_BODY_CHUNKED)) {
        return false;
    }
    if (client->surplus || (client->body == HTTP_BODY_LENGTH && client->rx_pos < client->rx_len)) {
        return true;
    }
    int64_t until = client->keep_alive ? 0 : (int64_t)hal_clock_us() + (int64_t)wait_ms * 1000;
    char more;
    client->surplus = esp_tls_read_until(client->tls, &more, 1, until) > 0;
    return client->surplus;
}
