/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle and settings of a client, URLs and redirects. */
#include "http_client_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

/* --- Life cycle --- */

static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static esp_err_t set_text(char **place, const char *text)
{
    char *copy = NULL;
    if (text != NULL) {
        copy = strdup(text);
        if (copy == NULL) {
            return ESP_ERR_NO_MEM;
        }
    }
    free(*place);
    *place = copy;
    return ESP_OK;
}

static esp_err_t set_host_header(esp_http_client_handle_t client)
{
    char *text = http_url_host_text(client->host, client->port);
    esp_err_t err =
        text != NULL ? http_headers_set(&client->headers, "Host", text) : ESP_ERR_NO_MEM;
    free(text);
    return err;
}

static unsigned length_of(const char *pem, size_t len)
{
    return pem == NULL ? 0 : (unsigned)(len > 0 ? len : strlen(pem) + 1);
}

static esp_err_t set_client_key(esp_tls_cfg_t *cfg, const esp_http_client_config_t *config)
{
    const esp_key_config_t *key = config->client_key;
    if (key == NULL || key->source == ESP_KEY_SOURCE_NONE) {
        cfg->clientkey_buf = (const unsigned char *)config->client_key_pem;
        cfg->clientkey_bytes = length_of(config->client_key_pem, config->client_key_len);
        cfg->clientkey_password = (const unsigned char *)config->client_key_password;
        cfg->clientkey_password_len = (unsigned)config->client_key_password_len;
        return ESP_OK;
    }
    if (key->source != ESP_KEY_SOURCE_BUFFER) {
        ESP_LOGE(TAG, "Only client keys in a buffer are supported");
        return ESP_ERR_NOT_SUPPORTED;
    }
    cfg->clientkey_buf = key->buffer.data;
    cfg->clientkey_bytes = length_of(key->buffer.data, key->buffer.len);
    cfg->clientkey_password = (const unsigned char *)key->buffer.password;
    cfg->clientkey_password_len = (unsigned)key->buffer.password_len;
    return ESP_OK;
}

static esp_err_t set_tls(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    esp_tls_cfg_t *cfg = &client->tls_cfg;
    if (config->crt_bundle_attach != NULL) {
#ifdef CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
        cfg->crt_bundle_attach = config->crt_bundle_attach;
#else
        ESP_LOGE(TAG, "use_crt_bundle configured but not enabled in menuconfig: Please enable "
                      "MBEDTLS_CERTIFICATE_BUNDLE option");
#endif
    } else if (config->use_global_ca_store) {
        cfg->use_global_ca_store = true;
    } else if (config->cert_pem != NULL) {
        cfg->cacert_buf = (const unsigned char *)config->cert_pem;
        cfg->cacert_bytes = length_of(config->cert_pem, config->cert_len);
    }
    cfg->clientcert_buf = (const unsigned char *)config->client_cert_pem;
    cfg->clientcert_bytes = length_of(config->client_cert_pem, config->client_cert_len);
    cfg->skip_common_name = config->skip_cert_common_name_check;
    cfg->common_name = config->common_name;
    cfg->tls_version = (esp_tls_proto_ver_t)config->tls_version;
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_HTTPS
    cfg->alpn_protos = config->alpn_protos;
#endif
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    client->save_session = config->save_client_session;
#endif
    return set_client_key(cfg, config);
}

static void set_socket_options(esp_http_client_handle_t client,
                               const esp_http_client_config_t *config)
{
    esp_tls_cfg_t *cfg = &client->tls_cfg;
    client->tcp_keep_alive = (tls_keep_alive_cfg_t){
        .keep_alive_enable = config->keep_alive_enable,
        .keep_alive_idle = config->keep_alive_idle,
        .keep_alive_interval = config->keep_alive_interval,
        .keep_alive_count = config->keep_alive_count,
    };
    cfg->keep_alive_cfg = &client->tcp_keep_alive;
    if (config->if_name != NULL) {
        client->if_name = *config->if_name;
        cfg->if_name = &client->if_name;
    }
    switch (config->addr_type) {
    case HTTP_ADDR_TYPE_INET:
        cfg->addr_family = ESP_TLS_AF_INET;
        break;
    case HTTP_ADDR_TYPE_INET6:
        cfg->addr_family = ESP_TLS_AF_INET6;
        break;
    default:
        cfg->addr_family = ESP_TLS_AF_UNSPEC;
        break;
    }
}

static esp_err_t set_server_by_parts(esp_http_client_handle_t client,
                                     const esp_http_client_config_t *config)
{
    bool tls = config->transport_type == HTTP_TRANSPORT_OVER_SSL;
    const char *path = config->path[0] != '\0' ? config->path : "/";
    if (config->host[0] == '\0' || !is_clean(config->host)) {
        ESP_LOGE(TAG, "invalid host");
        return ESP_ERR_INVALID_ARG;
    }
    if (!is_clean(path) || (config->query != NULL && !is_clean(config->query))) {
        ESP_LOGE(TAG, "Path and query must not contain blanks or control characters");
        return ESP_ERR_INVALID_ARG;
    }
    client->port = config->port > 0 ? config->port : tls ? 443 : 80;
    esp_err_t err = set_text(&client->scheme, tls ? "https" : "http");
    if (err == ESP_OK) {
        err = set_text(&client->host, config->host);
    }
    if (err == ESP_OK) {
        err = set_text(&client->path, path);
    }
    if (err == ESP_OK) {
        err = set_text(&client->query, config->query);
    }
    return err == ESP_OK ? set_host_header(client) : err;
}

static esp_err_t set_server(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    if (config->host != NULL && config->path != NULL) {
        return set_server_by_parts(client, config);
    }
    if (config->url == NULL) {
        ESP_LOGE(TAG, "config should have either URL or host & path");
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = esp_http_client_set_url(client, config->url);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to set URL");
    }
    return err;
}

static int or_default(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

static esp_err_t set_up(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    client->state = HTTP_STATE_INIT;
    client->deadline_us = INT64_MAX;
    client->timeout_ms = or_default(config->timeout_ms, HTTP_DEFAULT_TIMEOUT_MS);
    client->method = (unsigned)config->method < HTTP_METHOD_MAX ? config->method : HTTP_METHOD_GET;
    client->auto_redirect = !config->disable_auto_redirect;
    client->max_redirects = or_default(config->max_redirection_count, HTTP_DEFAULT_MAX_REDIRECTS);
    client->max_auth = config->max_authorization_retries < 0
                           ? 0
                           : or_default(config->max_authorization_retries, HTTP_DEFAULT_MAX_AUTH);
    client->handler = config->event_handler;
    client->user_data = config->user_data;
    client->is_async = config->is_async;
    client->auth_type = config->auth_type;
    client->rx_size = (size_t)or_default(config->buffer_size, DEFAULT_HTTP_BUF_SIZE);
    client->tx_size = (size_t)or_default(config->buffer_size_tx, DEFAULT_HTTP_BUF_SIZE);
    client->rx = malloc(client->rx_size);
    client->tx = malloc(client->tx_size);
    const char *agent = config->user_agent != NULL ? config->user_agent : HTTP_DEFAULT_USER_AGENT;
    if (client->rx == NULL || client->tx == NULL ||
        http_headers_set(&client->headers, "User-Agent", agent) != ESP_OK ||
        set_text(&client->username, config->username) != ESP_OK ||
        set_text(&client->password, config->password) != ESP_OK) {
        ESP_LOGE(TAG, "Error allocate memory");
        return ESP_ERR_NO_MEM;
    }
    http_response_reset(client);
    set_socket_options(client, config);
    esp_err_t err = set_tls(client, config);
    return err == ESP_OK ? set_server(client, config) : err;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    if (config == NULL) {
        ESP_LOGE(TAG, "config should have either URL or host & path");
        return NULL;
    }
    esp_http_client_handle_t client = calloc(1, sizeof(*client));
    if (client == NULL) {
        ESP_LOGE(TAG, "Error allocate memory");
        return NULL;
    }
    if (set_up(client, config) != ESP_OK) {
        esp_http_client_cleanup(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    http_disconnect(client);
    http_response_reset(client);
    http_auth_forget(client);
    http_headers_clear(&client->headers);
    http_text_free(&client->key);
    http_text_free(&client->value);
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    esp_tls_free_client_session(client->session);
#endif
    free(client->scheme);
    free(client->host);
    free(client->path);
    free(client->query);
    free(client->username);
    free(client->password);
    free(client->rx);
    free(client->tx);
    free(client);
    return ESP_OK;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_disconnect(client);
    return ESP_OK;
}

void esp_http_client_set_deadline(esp_http_client_handle_t client, int64_t deadline_us)
{
    client->deadline_us = deadline_us;
}

/* --- URLs --- */

/* Takes over a parsed URL; what is left of url is the caller's to free. */
static esp_err_t adopt_url(esp_http_client_handle_t client, http_url_t *url)
{
    bool first = client->host == NULL;
    bool new_host = first || strcasecmp(client->host, url->host) != 0;
    bool new_server =
        new_host || client->port != url->port || strcasecmp(client->scheme, url->scheme) != 0;
    if (!first && new_server) {
        http_disconnect(client);
    }
    if (!first && new_host) { /* secrets of one server are not for another */
        (void)http_headers_delete(&client->headers, "Authorization");
        (void)set_text(&client->username, NULL);
        (void)set_text(&client->password, NULL);
        http_auth_forget(client);
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
        esp_tls_free_client_session(client->session);
        client->session = NULL;
#endif
    }
    char **mine[] = {&client->scheme, &client->host, &client->path, &client->query};
    char **theirs[] = {&url->scheme, &url->host, &url->path, &url->query};
    for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++) {
        free(*mine[i]);
        *mine[i] = *theirs[i];
        *theirs[i] = NULL;
    }
    client->port = url->port;
    if (url->username != NULL) {
        free(client->username);
        free(client->password);
        client->username = url->username;
        client->password = url->password;
        url->username = NULL;
        url->password = NULL;
    }
    return new_server ? set_host_header(client) : ESP_OK;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url)
{
    if (client == NULL || url == NULL) {
        ESP_LOGE(TAG, "client or url must not NULL");
        return ESP_ERR_INVALID_ARG;
    }
    char *resolved = NULL;
    if (url[0] == '/' && client->host != NULL) {
        resolved = http_url_resolve(client->scheme, client->host, client->port, client->path, url);
        if (resolved == NULL) {
            return ESP_ERR_NO_MEM;
        }
    }
    http_url_t parts;
    esp_err_t err = http_url_parse(resolved != NULL ? resolved : url, &parts);
    free(resolved);
    if (err == ESP_ERR_INVALID_ARG) {
        ESP_LOGE(TAG, "Error parse url %s", url);
    } else if (err == ESP_OK) {
        err = adopt_url(client, &parts);
        http_url_free(&parts);
    }
    return err;
}

esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len)
{
    if (client == NULL || url == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    bool ipv6 = strchr(client->host, ':') != NULL;
    int need = snprintf(url, (size_t)len, "%s://%s%s%s:%d%s", client->scheme, ipv6 ? "[" : "",
                        client->host, ipv6 ? "]" : "", client->port, client->path);
    return need >= 0 && need < len ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const char *location = client->location;
    if (location == NULL) {
        ESP_LOGE(TAG, "The redirect does not say where to: it has no Location header");
        return ESP_ERR_INVALID_ARG;
    }
    if (strcasecmp(client->scheme, "https") == 0 && http_url_is_absolute(location) &&
        strncasecmp(location, "https://", strlen("https://")) != 0) {
        ESP_LOGE(TAG,
                 "HTTPS origin can only redirect to https:// targets (got %s). Set "
                 "disable_auto_redirect and handle manually if intended.",
                 location);
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    char *target =
        http_url_resolve(client->scheme, client->host, client->port, client->path, location);
    if (target == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_http_client_set_url(client, target);
    free(target);
    if (err == ESP_OK) {
        client->redirects++;
    }
    return err;
}

esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->redirects = 0;
    return ESP_OK;
}

bool esp_http_client_redirects_left(esp_http_client_handle_t client)
{
    return client->redirects < client->max_redirects;
}

/* --- Settings --- */

esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method)
{
    if (client == NULL || (unsigned)method >= HTTP_METHOD_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    client->method = method;
    return ESP_OK;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->timeout_ms = or_default(timeout_ms, HTTP_DEFAULT_TIMEOUT_MS);
    return ESP_OK;
}

esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb handler)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->handler = handler;
    return ESP_OK;
}

esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->user_data = data;
    return ESP_OK;
}

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data)
{
    if (client == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *data = client->user_data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username)
{
    return client == NULL ? ESP_ERR_INVALID_ARG : set_text(&client->username, username);
}

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->username;
    return ESP_OK;
}

esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password)
{
    return client == NULL ? ESP_ERR_INVALID_ARG : set_text(&client->password, password);
}

esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->password;
    return ESP_OK;
}

esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->auth_type = auth_type;
    return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key,
                                     const char *value)
{
    if (client == NULL || key == NULL || key[0] == '\0') {
        return ESP_ERR_INVALID_ARG;
    }
    if (value == NULL) {
        return http_headers_delete(&client->headers, key);
    }
    if (strpbrk(key, "\r\n: ") != NULL || strpbrk(value, "\r\n") != NULL) {
        ESP_LOGE(TAG, "Header \"%.32s\" contains a line break, or its name a colon or blank", key);
        return ESP_ERR_INVALID_ARG;
    }
    return http_headers_set(&client->headers, key, value);
}

esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = http_headers_get(&client->headers, key);
    return *value != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key)
{
    if (client == NULL || key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return http_headers_delete(&client->headers, key);
}

esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_headers_clear(&client->headers);
    return ESP_OK;
}

esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len)
{
    if (client == NULL || len < 0) {
        return ESP_ERR_INVALID_ARG;
    }
    client->post_data = data;
    client->post_len = data != NULL ? len : 0;
    if (data == NULL) {
        (void)http_headers_delete(&client->headers, "Content-Type");
        return ESP_OK;
    }
    if (http_headers_get(&client->headers, "Content-Type") != NULL) {
        return ESP_OK;
    }
    return http_headers_set(&client->headers, "Content-Type", "application/x-www-form-urlencoded");
}

int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data)
{
    if (client == NULL || client->post_data == NULL) {
        return 0;
    }
    if (data != NULL) {
        *data = (char *)(uintptr_t)client->post_data; /* the caller's own, who may write to it */
    }
    return client->post_len;
}

/* --- State --- */

esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return HTTP_TRANSPORT_UNKNOWN;
    }
    if (strcasecmp(client->scheme, "https") == 0) {
        return HTTP_TRANSPORT_OVER_SSL;
    }
    return strcasecmp(client->scheme, "http") == 0 ? HTTP_TRANSPORT_OVER_TCP
                                                   : HTTP_TRANSPORT_UNKNOWN;
}

int esp_http_client_get_errno(esp_http_client_handle_t client)
{
    if (client == NULL) {
        ESP_LOGE(TAG, "Invalid client handle");
        return -1;
    }
    int number = client->last_errno;
    client->last_errno = 0;
    return number;
}

int esp_http_client_get_socket(esp_http_client_handle_t client)
{
    int fd = -1;
    if (client != NULL && client->tls != NULL) {
        (void)esp_tls_get_conn_sockfd(client->tls, &fd);
    }
    return fd;
}

esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client)
{
    return client != NULL ? client->state : HTTP_STATE_UNINIT;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client,
                                                       int *esp_tls_error_code, int *esp_tls_flags)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_tls_get_and_clear_last_error(&client->error, esp_tls_error_code, esp_tls_flags);
}
