/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: first the client's callback, then the default event loop. */
#include "http_client_private.h"

#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

ESP_EVENT_DEFINE_BASE(ESP_HTTP_CLIENT_EVENT);

static void post(esp_http_client_handle_t client, esp_http_client_event_id_t id, const void *data,
                 size_t size)
{
    if (client->no_event_loop) {
        return;
    }
    TickType_t wait = CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT < 0
                          ? portMAX_DELAY
                          : pdMS_TO_TICKS(CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT);
    esp_err_t err = esp_event_post(ESP_HTTP_CLIENT_EVENT, (int32_t)id, data, size, wait);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to post http_client event: %d, error: %s", (int)id,
                 esp_err_to_name(err));
        client->no_event_loop = err == ESP_ERR_INVALID_STATE; /* once is enough */
    }
}

static void call(esp_http_client_handle_t client, esp_http_client_event_t *event)
{
    if (client->handler != NULL) {
        event->client = client;
        event->user_data = client->user_data;
        (void)client->handler(event);
    }
}

void http_event(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data, int len)
{
    esp_http_client_event_t event = {.event_id = id, .data = data, .data_len = len};
    call(client, &event);
    if (id == HTTP_EVENT_ON_DATA) {
        esp_http_client_on_data_t progress = {.client = client, .data_process = client->body_done};
        post(client, id, &progress, sizeof(progress));
    } else {
        post(client, id, &client, sizeof(client));
    }
}

void http_event_header(esp_http_client_handle_t client, char *key, char *value)
{
    esp_http_client_event_t event = {
        .event_id = HTTP_EVENT_ON_HEADER, .header_key = key, .header_value = value};
    call(client, &event);
    post(client, HTTP_EVENT_ON_HEADER, &client, sizeof(client));
}

void http_event_redirect(esp_http_client_handle_t client)
{
    if (!client->auto_redirect) { /* otherwise there is nothing for the callback to decide */
        esp_http_client_event_t event = {.event_id = HTTP_EVENT_REDIRECT};
        call(client, &event);
    }
    esp_http_client_redirect_event_data_t redirect = {.client = client,
                                                      .status_code = client->status};
    post(client, HTTP_EVENT_REDIRECT, &redirect, sizeof(redirect));
}
