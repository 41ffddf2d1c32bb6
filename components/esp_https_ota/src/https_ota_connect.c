/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of an update, and what each HTTP status means for it. */
#include "https_ota_private.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "esp_log.h"
#include "esp_private/esp_http_client_update.h"

#include "hal/clock.h"

static const char *TAG = "esp_https_ota";

int64_t https_ota_now_us(void)
{
    return (int64_t)hal_clock_us();
}

esp_err_t https_ota_check_scheme(https_ota_t *ota)
{
#ifndef CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP
    if (esp_http_client_get_transport_type(ota->client) == HTTP_TRANSPORT_OVER_TCP) {
        ESP_LOGE(TAG,
                 "Plain HTTP is refused: anybody on the way could replace the firmware. Use an "
                 "https:// URL, or enable ESP_HTTPS_OTA_ALLOW_HTTP for tests.");
        return ESP_ERR_INVALID_ARG;
    }
#endif
    (void)ota;
    return ESP_OK;
}

/* Reads the body of a response that is of no use, so that the connection can be used again; closes
 * the connection where that is cheaper. */
static void drop_response(https_ota_t *ota)
{
    int64_t len = esp_http_client_get_content_length(ota->client);
    if (!esp_http_client_is_persistent_connection(ota->client) || len > HTTPS_OTA_DEFAULT_REQUEST ||
        len < 0 || esp_http_client_flush_response(ota->client, NULL) != ESP_OK) {
        (void)esp_http_client_close(ota->client);
    }
}

static esp_err_t follow_redirect(https_ota_t *ota)
{
    if (!esp_http_client_redirects_left(ota->client)) {
        ESP_LOGE(TAG, "URL redirection Failed: more redirects than max_redirection_count allows");
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    drop_response(ota);
    esp_err_t err = esp_http_client_set_redirection(ota->client);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "URL redirection Failed");
        return err;
    }
    return https_ota_check_scheme(ota);
}

static esp_err_t answer_challenge(https_ota_t *ota)
{
    if (ota->auth_left <= 0) {
        ESP_LOGE(TAG, "Reached max_authorization_retries (%d)",
                 esp_http_client_get_status_code(ota->client));
        return ESP_FAIL;
    }
    ota->auth_left--;
    esp_err_t err = esp_http_client_add_auth(ota->client);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Authorization Failed");
        return err;
    }
    drop_response(ota);
    return ESP_OK;
}

/* A response to a request for bytes from `first` on must begin there. */
static esp_err_t check_range(https_ota_t *ota, int status, int64_t first)
{
    if (status == HttpStatus_PartialContent) {
        int64_t start = esp_http_client_get_range_start(ota->client);
        if (start == first) {
            return ESP_OK;
        }
        ESP_LOGE(TAG, "The server sent bytes from %" PRId64 " on instead of %" PRId64, start,
                 first);
        return ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
    }
    ESP_LOGW(TAG, "Server ignored the requested Range header");
    if (ota->resumption) {
        ESP_LOGW(TAG, "OTA resumption requires server with range request support.");
    }
    return first == 0 ? ESP_OK : ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
}

/* ESP_ERR_HTTPS_OTA_IN_PROGRESS: the request has to be repeated. */
static esp_err_t judge_status(https_ota_t *ota, bool ranged, int64_t first)
{
    int status = esp_http_client_get_status_code(ota->client);
    esp_err_t err;
    switch (status) {
    case HttpStatus_MovedPermanently:
    case HttpStatus_Found:
    case HttpStatus_SeeOther:
    case HttpStatus_TemporaryRedirect:
    case HttpStatus_PermanentRedirect:
        err = follow_redirect(ota);
        return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
    case HttpStatus_Unauthorized:
        err = answer_challenge(ota);
        return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
    case HttpStatus_NotModified:
        ESP_LOGI(TAG, "OTA image not modified since last request (status code: %d)", status);
        return ESP_ERR_HTTP_NOT_MODIFIED;
    case HttpStatus_RangeNotSatisfiable:
        ESP_LOGI(TAG, "Requested range is incorrect (status code: %d)", status);
        return ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
    case HttpStatus_NotFound:
    case HttpStatus_Forbidden:
        ESP_LOGE(TAG, "File not found(%d)", status);
        return ESP_FAIL;
    default:
        break;
    }
    if (status >= 500) {
        ESP_LOGE(TAG, "Server error (%d)", status);
        return ESP_FAIL;
    }
    if (status >= 400) {
        ESP_LOGE(TAG, "Client error (%d)", status);
        return ESP_FAIL;
    }
    (void)esp_http_client_reset_redirect_counter(ota->client);
    return ranged ? check_range(ota, status, first) : ESP_OK;
}

static esp_err_t send_request(https_ota_t *ota)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(ota->client, &body);
    esp_err_t err = esp_http_client_open(ota->client, body_len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
        return err;
    }
    if (body_len > 0 && esp_http_client_write(ota->client, body, body_len) != body_len) {
        ESP_LOGE(TAG, "Write failed");
        return ESP_FAIL;
    }
    int64_t len = esp_http_client_fetch_headers(ota->client);
    if (len < 0) {
        ESP_LOGE(TAG, "%s",
                 len == -ESP_ERR_HTTP_EAGAIN
                     ? "The server accepted the request but did not answer it in time"
                     : "The server gave no usable answer to the request");
        return (esp_err_t)len;
    }
    return ESP_OK;
}

esp_err_t https_ota_connect(https_ota_t *ota)
{
    char *range = NULL;
    bool ranged = (ota->partial || ota->resumption) &&
                  esp_http_client_get_header(ota->client, "Range", &range) == ESP_OK;
    int64_t start = https_ota_now_us();
    esp_err_t err;
    do {
        err = send_request(ota);
        if (err == ESP_OK) {
            err = judge_status(ota, ranged, ota->file_done);
        }
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    ota->last_byte_us = https_ota_now_us();
    ota->network_us += ota->last_byte_us - start;
    return err;
}

esp_err_t https_ota_set_range(https_ota_t *ota)
{
    int64_t file_len = ota->image_len;
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    file_len += ota->extra_len;
#endif
    int64_t first = ota->file_done;
    if (first == 0 && file_len <= ota->request_size) {
        esp_err_t err = esp_http_client_delete_header(ota->client, "Range");
        return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
    }
    char text[64];
    if (file_len - first > ota->request_size) {
        snprintf(text, sizeof(text), "bytes=%" PRId64 "-%" PRId64, first,
                 first + ota->request_size - 1);
    } else {
        snprintf(text, sizeof(text), "bytes=%" PRId64 "-", first);
    }
    return esp_http_client_set_header(ota->client, "Range", text);
}

/* The length of the file by a HEAD request, else by asking for its first byte. */
static esp_err_t ask_length(https_ota_t *ota, int64_t *length)
{
    *length = -1;
    (void)esp_http_client_set_method(ota->client, HTTP_METHOD_HEAD);
    esp_err_t err = esp_http_client_perform(ota->client);
    (void)esp_http_client_set_method(ota->client, HTTP_METHOD_GET);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTP client perform failed: %d", err);
        return err;
    }
    int status = esp_http_client_get_status_code(ota->client);
    if (status == HttpStatus_NotModified) {
        return ESP_ERR_HTTP_NOT_MODIFIED;
    }
    if (status == HttpStatus_Ok) {
        *length = esp_http_client_get_content_length(ota->client);
        return ESP_OK;
    }
    (void)esp_http_client_set_header(ota->client, "Range", "bytes=0-0");
    err = esp_http_client_perform(ota->client);
    (void)esp_http_client_delete_header(ota->client, "Range");
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTP client perform failed: %d", err);
        return err;
    }
    status = esp_http_client_get_status_code(ota->client);
    if (status == HttpStatus_PartialContent) {
        *length = esp_http_client_get_range_total(ota->client);
        return ESP_OK;
    }
    err = judge_status(ota, false, 0);
    if (err != ESP_OK) {
        return err == ESP_ERR_HTTPS_OTA_IN_PROGRESS ? ESP_FAIL : err;
    }
    if (status != HttpStatus_Ok) {
        ESP_LOGE(TAG, "Received incorrect http status %d", status);
        return ESP_FAIL;
    }
    *length = esp_http_client_get_content_length(ota->client);
    return ESP_OK;
}

esp_err_t https_ota_prepare_partial(https_ota_t *ota)
{
    int64_t length;
    int64_t start = https_ota_now_us();
    esp_err_t err = ask_length(ota, &length);
    ota->network_us += https_ota_now_us() - start;
    if (err != ESP_OK) {
        return err;
    }
    err = https_ota_check_scheme(ota); /* redirects were followed */
    if (err != ESP_OK) {
        return err;
    }
    if (length <= 0) {
        ESP_LOGE(TAG, "Failed to get image length from http response");
        return ESP_FAIL;
    }
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    length -= ota->extra_len;
#endif
    ota->image_len = length;
    return https_ota_set_range(ota);
}
