/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests: sending one on a connection, and doing a whole one with its redirects and challenges.
 */
#include "http_client_private.h"

#include <inttypes.h>

#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

/* More of a redirect's body than this is not read away just to keep the connection. */
#define HTTP_MAX_REDIRECT_BODY 65536

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = http_connect(client);
    return err == ESP_OK ? esp_http_client_request_send(client, write_len) : err;
}

esp_err_t esp_http_client_prepare(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state < HTTP_STATE_CONNECTED) {
        return ESP_ERR_INVALID_STATE;
    }
    return http_connect(client); /* a connection that ended meanwhile is made again */
}

esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state < HTTP_STATE_CONNECTED) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = http_send_request(client, write_len);
    if (err != ESP_OK) {
        http_disconnect(client);
    }
    return err;
}

esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state < HTTP_STATE_CONNECTED) {
        ESP_LOGE(TAG, "Not connected, so there is no request to cancel");
        return ESP_ERR_INVALID_STATE;
    }
    http_disconnect(client);
    return http_connect(client);
}

/* Decides from the status whether the request has to be repeated after its body was read. */
static esp_err_t judge_status(esp_http_client_handle_t client)
{
    client->repeat = false;
    int status = client->status;
    if (status >= 200 && status < 300) {
        client->redirects = 0;
        client->challenge.attempts = 0;
        return ESP_OK;
    }
    if (!esp_http_client_redirects_left(client)) {
        ESP_LOGE(TAG, "Error, reach max_redirection_count count=%d", client->redirects);
        ESP_LOGE(TAG, "Error response");
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    esp_err_t err = ESP_OK;
    switch (status) {
    case HttpStatus_MovedPermanently:
    case HttpStatus_Found:
    case HttpStatus_SeeOther:
    case HttpStatus_TemporaryRedirect:
    case HttpStatus_PermanentRedirect:
        http_event_redirect(client);
        client->repeat = client->auto_redirect;
        break;
    case HttpStatus_Unauthorized:
        err = esp_http_client_add_auth(client);
        client->repeat = err == ESP_OK;
        break;
    default:
        break;
    }
    return err;
}

static esp_err_t read_body(esp_http_client_handle_t client)
{
    char piece[512];
    while (!client->body_complete) {
        if (client->repeat && client->body_done > HTTP_MAX_REDIRECT_BODY) {
            client->keep_alive = false;
            return ESP_OK;
        }
        int got = esp_http_client_read(client, piece, sizeof(piece));
        if (got == -ESP_ERR_HTTP_EAGAIN && client->is_async) {
            return ESP_ERR_HTTP_EAGAIN;
        }
        if (got < 0) {
            if (client->body == HTTP_BODY_CHUNKED) {
                ESP_LOGE(TAG, "Incomplete chunked data received %d", got);
            } else {
                ESP_LOGE(TAG, "Incomplete data received, ret=%d, %" PRId64 "/%" PRId64 " bytes",
                         got, client->body_done, client->content_length);
            }
            return ESP_ERR_HTTP_INCOMPLETE_DATA;
        }
    }
    client->state = HTTP_STATE_RES_COMPLETE_DATA;
    return ESP_OK;
}

static esp_err_t send_whole_request(esp_http_client_handle_t client)
{
    esp_err_t err = esp_http_client_open(client, client->post_len);
    if (err == ESP_ERR_HTTP_CONNECTING) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    if (err == ESP_OK && client->post_len > 0) {
        err = http_send(client, client->post_data, (size_t)client->post_len);
    }
    return err;
}

static esp_err_t read_headers(esp_http_client_handle_t client)
{
    int64_t length = esp_http_client_fetch_headers(client);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    if (length >= 0) {
        return judge_status(client);
    }
    enum http_errno err = HTTP_PARSER_ERRNO(&client->parser);
    if (err != HPE_OK) {
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    ESP_LOGW(TAG, "Close connection due to FIN received");
    return ESP_ERR_HTTP_CONNECTION_CLOSED;
}

/* Brings the present request as far as it goes: to its end, or (async) to where it has to wait. */
static esp_err_t perform_once(esp_http_client_handle_t client)
{
    esp_err_t err = ESP_OK;
    if (client->state < HTTP_STATE_REQ_COMPLETE_HEADER ||
        client->state >= HTTP_STATE_RES_COMPLETE_DATA) {
        err = send_whole_request(client);
    }
    if (err == ESP_OK && !client->headers_done) {
        err = read_headers(client);
    }
    return err == ESP_OK ? read_body(client) : err;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err;
    bool again;
    do {
        err = perform_once(client);
        again = err == ESP_OK && client->repeat;
        if (again && client->status != HttpStatus_Unauthorized) {
            err = esp_http_client_set_redirection(client);
            again = err == ESP_OK;
        }
        client->repeat = client->repeat && err == ESP_ERR_HTTP_EAGAIN;
    } while (again);
    if (err == ESP_ERR_HTTP_EAGAIN && client->is_async) {
        return err;
    }
    if (err != ESP_OK) {
        if (client->tls != NULL && !client->broken) {
            http_event(client, HTTP_EVENT_ERROR, &client->error, 0);
        }
        http_disconnect(client);
        return err;
    }
    http_event(client, HTTP_EVENT_ON_FINISH, NULL, 0);
    if (!client->keep_alive) {
        http_disconnect(client);
    }
    return ESP_OK;
}
