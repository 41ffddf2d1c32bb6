/* SPDX-License-Identifier: Apache-2.0
 *
 * Composes and sends request line and headers through the transmit buffer. */
#include "http_client_private.h"

#include <stdio.h>
#include <string.h>

#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

static const char *const METHOD_NAMES[HTTP_METHOD_MAX] = {
    "GET",    "POST",      "PUT",         "PATCH",     "DELETE", "HEAD",
    "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "OPTIONS",   "COPY",   "MOVE",
    "LOCK",   "UNLOCK",    "PROPFIND",    "PROPPATCH", "MKCOL",  "REPORT",
};

const char *http_method_name(esp_http_client_method_t method)
{
    return (unsigned)method < HTTP_METHOD_MAX ? METHOD_NAMES[method] : METHOD_NAMES[0];
}

static esp_err_t flush(esp_http_client_handle_t client)
{
    esp_err_t err = http_send(client, client->tx, client->tx_len);
    client->tx_len = 0;
    return err;
}

/* One header line. What does not fit beside the others goes out in a write of its own. */
static esp_err_t put_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    const char *pieces[] = {key, ": ", value, "\r\n"};
    const size_t count = sizeof(pieces) / sizeof(pieces[0]);
    size_t need = 0;
    for (size_t i = 0; i < count; i++) {
        need += strlen(pieces[i]);
    }
    if (need > client->tx_size - client->tx_len) {
        esp_err_t err = flush(client);
        if (err != ESP_OK) {
            return err;
        }
    }
    if (need > client->tx_size) {
        ESP_LOGE(TAG,
                 "Buffer length is small to fit all the headers, required %d bytes, "
                 "buffer size %d",
                 (int)need, (int)client->tx_size);
#ifdef CONFIG_ESP_HTTP_CLIENT_STRICT_HEADER_BUFFER
        return ESP_ERR_HTTP_HEADER_TOO_LONG;
#else
        esp_err_t err = ESP_OK;
        for (size_t i = 0; i < count && err == ESP_OK; i++) {
            err = http_send(client, pieces[i], strlen(pieces[i]));
        }
        return err;
#endif
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(pieces[i]);
        memcpy(client->tx + client->tx_len, pieces[i], len);
        client->tx_len += len;
    }
    return ESP_OK;
}

static esp_err_t put_request_line(esp_http_client_handle_t client)
{
    int len = snprintf(
        client->tx, client->tx_size, "%s %s%s%s HTTP/1.1\r\n", http_method_name(client->method),
        client->path, client->query != NULL ? "?" : "", client->query != NULL ? client->query : "");
    if (len < 0 || (size_t)len >= client->tx_size) {
        ESP_LOGE(TAG, "Out of buffer");
        ESP_LOGE(TAG, "The request line has %d bytes; raise buffer_size_tx (now %d).", len,
                 (int)client->tx_size);
        return ESP_FAIL;
    }
    client->tx_len = (size_t)len;
    return ESP_OK;
}

/* How the body is announced: its length, in chunks (-1), or not at all where none is expected. */
static esp_err_t put_body_header(esp_http_client_handle_t client, int write_len)
{
    if (write_len < 0) {
        return put_header(client, "Transfer-Encoding", "chunked");
    }
    bool bodyless = client->method == HTTP_METHOD_GET || client->method == HTTP_METHOD_HEAD ||
                    client->method == HTTP_METHOD_DELETE;
    if (write_len == 0 && bodyless) {
        return ESP_OK;
    }
    char text[12];
    snprintf(text, sizeof(text), "%d", write_len);
    return put_header(client, "Content-Length", text);
}

static esp_err_t put_end(esp_http_client_handle_t client)
{
    if (client->tx_size - client->tx_len < 2) {
        esp_err_t err = flush(client);
        if (err != ESP_OK) {
            return err;
        }
    }
    if (client->tx_size < 2) {
        return http_send(client, "\r\n", 2);
    }
    memcpy(client->tx + client->tx_len, "\r\n", 2);
    client->tx_len += 2;
    return flush(client);
}

static esp_err_t send_head(esp_http_client_handle_t client, int write_len)
{
    esp_err_t err = put_request_line(client);
    for (http_header_t *header = client->headers.first; err == ESP_OK && header != NULL;
         header = header->next) {
        err = put_header(client, header->key, header->value);
    }
    if (err == ESP_OK) {
        err = put_body_header(client, write_len);
    }
    if (err == ESP_OK) {
        err = put_end(client);
    }
    if (err != ESP_OK) {
        client->broken = true; /* the server may have got half a request */
    }
    return err;
}

esp_err_t http_repeat_request(esp_http_client_handle_t client)
{
    if (!client->conn_is_reused || !client->can_repeat || client->is_async) {
        return ESP_FAIL;
    }
    ESP_LOGD(TAG, "The server closed the kept connection; trying a new one");
    http_disconnect(client);
    esp_err_t err = http_connect(client);
    if (err == ESP_OK) {
        err = send_head(client, 0);
    }
    if (err == ESP_OK) {
        client->state = HTTP_STATE_REQ_COMPLETE_DATA;
        client->status = -1;
    }
    return err;
}

esp_err_t http_send_request(esp_http_client_handle_t client, int write_len)
{
    client->can_repeat = write_len == 0;
    esp_err_t err = http_auth_prepare(client);
    if (err == ESP_OK) {
        err = send_head(client, write_len);
    }
    if (err == ESP_ERR_HTTP_WRITE_DATA) {
        err = http_repeat_request(client) == ESP_OK ? ESP_OK : err;
    }
    if (err != ESP_OK) {
        return err;
    }
    client->state = HTTP_STATE_REQ_COMPLETE_HEADER;
    http_event(client, HTTP_EVENT_HEADERS_SENT, NULL, 0);
    return ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len < 0 ||
        client->state < HTTP_STATE_REQ_COMPLETE_HEADER) {
        return -1;
    }
    return http_send(client, buffer, (size_t)len) == ESP_OK ? len : -1;
}

int esp_http_client_chunk_write_begin(esp_http_client_handle_t client, int len)
{
    if (len < 0) {
        return -1;
    }
    char frame[16];
    int size = snprintf(frame, sizeof(frame), "%x\r\n", (unsigned)len);
    return esp_http_client_write(client, frame, size) == size ? 0 : -1;
}

int esp_http_client_chunk_write_end(esp_http_client_handle_t client, bool last)
{
    const char *frame = last ? "\r\n0\r\n\r\n" : "\r\n";
    int size = (int)strlen(frame);
    return esp_http_client_write(client, frame, size) == size ? 0 : -1;
}
