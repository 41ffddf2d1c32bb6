/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS stage of a connection, on Mbed TLS 3.6. */
#include "esp_tls_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"

#include "mbedtls/net_sockets.h"
#include "psa/crypto.h"

#include "hal/random.h"

static const char *TAG = "esp-tls-mbedtls";

static mbedtls_x509_crt *s_global_ca_store;

static int random_bytes(void *context, unsigned char *out, size_t len)
{
    (void)context;
    hal_random_fill(out, len);
    return 0;
}

/* Sockets are non-blocking; MSG_NOSIGNAL because a peer may be gone at any time. */
static int send_to_socket(void *context, const unsigned char *data, size_t len)
{
    esp_tls_t *tls = context;
    ssize_t sent = send(tls->sockfd, data, len, MSG_NOSIGNAL);
    if (sent >= 0) {
        return (int)sent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    tls->error.system_errno = errno;
    return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET
                                                 : MBEDTLS_ERR_NET_SEND_FAILED;
}

static void look_at_first_bytes(esp_tls_t *tls, const unsigned char *data, size_t len)
{
    memcpy(tls->first_bytes, data, len < sizeof(tls->first_bytes) ? len : sizeof(tls->first_bytes));
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        tls->seen = ESP_TLS_SEEN_HTTP;
    } else if (len >= 2 && data[0] >= 0x14 && data[0] <= 0x18 && data[1] == 0x03) {
        tls->seen = ESP_TLS_SEEN_TLS;
    } else {
        tls->seen = ESP_TLS_SEEN_OTHER;
    }
}

static int receive_from_socket(void *context, unsigned char *data, size_t len)
{
    esp_tls_t *tls = context;
    ssize_t got = recv(tls->sockfd, data, len, 0);
    if (got >= 0) {
        if (tls->seen == ESP_TLS_SEEN_NOTHING && got > 0) {
            look_at_first_bytes(tls, data, (size_t)got);
        }
        return (int)got;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    tls->error.system_errno = errno;
    return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET
                                                 : MBEDTLS_ERR_NET_RECV_FAILED;
}

/* Parses certificates into chain. Some may be unreadable as long as one is not. */
static esp_err_t parse_certificates(mbedtls_x509_crt *chain, const unsigned char *buf, size_t len,
                                    const char *what, int *code)
{
    *code = mbedtls_x509_crt_parse(chain, buf, len);
    if (*code < 0) {
        ESP_LOGE(TAG, "mbedtls_x509_crt_parse of %s returned -0x%04X", what, (unsigned)-*code);
        ESP_LOGE(TAG, "The %s is neither PEM with its terminating zero nor DER.", what);
        return ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    }
    if (*code > 0) {
        ESP_LOGW(TAG,
                 "mbedtls_x509_crt_parse was partly successful. No. of failed certificates: %d",
                 *code);
        return ESP_ERR_MBEDTLS_CERT_PARTLY_OK;
    }
    return ESP_OK;
}

static esp_err_t fail(esp_tls_t *tls, esp_err_t code, int mbedtls_code)
{
    esp_tls_record(&tls->error, code, mbedtls_code, 0);
    return code;
}

static esp_err_t set_trust(esp_tls_t *tls, const esp_tls_cfg_t *cfg)
{
    mbedtls_ssl_conf_authmode(&tls->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(&tls->conf, esp_tls_explain_certificate, tls);
    if (cfg->crt_bundle_attach != NULL) {
        (void)cfg->crt_bundle_attach(&tls->conf); /* without an anchor the handshake fails */
        return ESP_OK;
    }
    if (cfg->use_global_ca_store) {
        if (s_global_ca_store == NULL || s_global_ca_store->raw.p == NULL) {
            ESP_LOGE(TAG, "global_cacert is NULL");
            return fail(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0);
        }
        mbedtls_ssl_conf_ca_chain(&tls->conf, s_global_ca_store, NULL);
        return ESP_OK;
    }
    if (cfg->cacert_buf != NULL) {
        int code;
        esp_err_t err =
            parse_certificates(&tls->cacert, cfg->cacert_buf, cfg->cacert_bytes, "CA cert", &code);
        if (err != ESP_OK && err != ESP_ERR_MBEDTLS_CERT_PARTLY_OK) {
            return fail(tls, err, code);
        }
        mbedtls_ssl_conf_ca_chain(&tls->conf, &tls->cacert, NULL);
        return ESP_OK;
    }
#ifdef CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY
    ESP_LOGW(TAG, "The server's certificate is not verified (ESP_TLS_SKIP_SERVER_CERT_VERIFY)");
    mbedtls_ssl_conf_authmode(&tls->conf, MBEDTLS_SSL_VERIFY_NONE);
    return ESP_OK;
#else
    ESP_LOGE(TAG, "No server verification option set in esp_tls_cfg_t structure. "
                  "Check esp_tls API reference");
    ESP_LOGE(TAG, "Failed to set client configurations, returned [0x%04X] (%s)",
             ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, esp_err_to_name(ESP_ERR_MBEDTLS_SSL_SETUP_FAILED));
    return fail(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0);
#endif
}

static esp_err_t set_own_certificate(esp_tls_t *tls, const esp_tls_cfg_t *cfg)
{
    if (cfg->clientcert_buf == NULL && cfg->clientkey_buf == NULL) {
        return ESP_OK;
    }
    if (cfg->clientcert_buf == NULL || cfg->clientkey_buf == NULL) {
        ESP_LOGE(TAG, "You have to provide both clientcert_buf and clientkey_buf for mutual "
                      "authentication");
        return fail(tls, ESP_ERR_INVALID_STATE, 0);
    }
    int code;
    esp_err_t err = parse_certificates(&tls->clientcert, cfg->clientcert_buf, cfg->clientcert_bytes,
                                       "client cert", &code);
    if (err != ESP_OK && err != ESP_ERR_MBEDTLS_CERT_PARTLY_OK) {
        return fail(tls, err, code);
    }
    code = mbedtls_pk_parse_key(&tls->clientkey, cfg->clientkey_buf, cfg->clientkey_bytes,
                                cfg->clientkey_password, cfg->clientkey_password_len, random_bytes,
                                NULL);
    if (code != 0) {
        ESP_LOGE(TAG, "mbedtls_pk_parse_keyfile returned -0x%04X", (unsigned)-code);
        return fail(tls, ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED, code);
    }
    code = mbedtls_ssl_conf_own_cert(&tls->conf, &tls->clientcert, &tls->clientkey);
    if (code != 0) {
        ESP_LOGE(TAG, "mbedtls_ssl_conf_own_cert returned -0x%04X", (unsigned)-code);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED, code);
    }
    return ESP_OK;
}

static esp_err_t set_version(esp_tls_t *tls, esp_tls_proto_ver_t version)
{
    switch (version) {
    case ESP_TLS_VER_ANY:
        return ESP_OK;
#ifdef MBEDTLS_SSL_PROTO_TLS1_2
    case ESP_TLS_VER_TLS_1_2:
        mbedtls_ssl_conf_max_tls_version(&tls->conf, MBEDTLS_SSL_VERSION_TLS1_2);
        return ESP_OK;
#endif
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    case ESP_TLS_VER_TLS_1_3:
        mbedtls_ssl_conf_min_tls_version(&tls->conf, MBEDTLS_SSL_VERSION_TLS1_3);
        return ESP_OK;
#endif
    default:
        ESP_LOGE(TAG, "The TLS version asked for (%d) is not built in", (int)version);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0);
    }
}

static esp_err_t set_host_name(esp_tls_t *tls, const char *host, const esp_tls_cfg_t *cfg)
{
    const char *name = cfg->common_name != NULL ? cfg->common_name : host;
    if (cfg->skip_common_name) {
        ESP_LOGW(TAG, "skip_common_name=true: hostname matching and SNI disabled. "
                      "Any certificate that the trusted ones vouch for is accepted");
        name = NULL; /* said explicitly, Mbed TLS refuses the handshake otherwise */
    }
    int code = mbedtls_ssl_set_hostname(&tls->ssl, name);
    if (code != 0) {
        ESP_LOGE(TAG, "mbedtls_ssl_set_hostname returned -0x%04X", (unsigned)-code);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED, code);
    }
    return ESP_OK;
}

esp_err_t esp_tls_ssl_setup(esp_tls_t *tls, const char *host, const esp_tls_cfg_t *cfg)
{
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_config_init(&tls->conf);
    mbedtls_x509_crt_init(&tls->cacert);
    mbedtls_x509_crt_init(&tls->clientcert);
    mbedtls_pk_init(&tls->clientkey);
    tls->ssl_ready = true;

    psa_status_t status = psa_crypto_init();
    if (status != PSA_SUCCESS) {
        ESP_LOGE(TAG, "psa_crypto_init returned %d", (int)status);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0);
    }
    int code =
        mbedtls_ssl_config_defaults(&tls->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        ESP_LOGE(TAG, "mbedtls_ssl_config_defaults returned -0x%04X", (unsigned)-code);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED, code);
    }
    mbedtls_ssl_conf_rng(&tls->conf, random_bytes, NULL);
    esp_err_t err = set_version(tls, cfg->tls_version);
    if (err == ESP_OK) {
        err = set_trust(tls, cfg);
    }
    if (err == ESP_OK) {
        err = set_own_certificate(tls, cfg);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (cfg->ciphersuites_list != NULL && cfg->ciphersuites_list[0] != 0) {
        mbedtls_ssl_conf_ciphersuites(&tls->conf, cfg->ciphersuites_list);
    }
    if (cfg->alpn_protos != NULL) {
        code = mbedtls_ssl_conf_alpn_protocols(&tls->conf, cfg->alpn_protos);
        if (code != 0) {
            ESP_LOGE(TAG, "mbedtls_ssl_conf_alpn_protocols returned -0x%04X", (unsigned)-code);
            return fail(tls, ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED, code);
        }
    }
#if defined(CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS)
    mbedtls_ssl_conf_session_tickets(&tls->conf, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &tls->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#endif
    code = mbedtls_ssl_setup(&tls->ssl, &tls->conf);
    if (code != 0) {
        ESP_LOGE(TAG, "mbedtls_ssl_setup returned -0x%04X", (unsigned)-code);
        return fail(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, code);
    }
#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
    if (cfg->client_session != NULL) {
        code = mbedtls_ssl_set_session(&tls->ssl, &cfg->client_session->saved_session);
        if (code != 0) { /* no harm: a full handshake follows */
            ESP_LOGW(TAG, "mbedtls_ssl_set_session returned -0x%04X", (unsigned)-code);
        }
    }
#endif
    mbedtls_ssl_set_bio(&tls->ssl, tls, send_to_socket, receive_from_socket, NULL);
    return set_host_name(tls, host, cfg);
}

static void explain_handshake_failure(const esp_tls_t *tls, int code)
{
    if (tls->verdict != NULL) {
        ESP_LOGE(TAG, "%s", tls->verdict);
        return;
    }
    if (tls->seen == ESP_TLS_SEEN_HTTP) {
        ESP_LOGE(TAG,
                 "%s port %d answers in plain HTTP, not TLS: use its HTTPS port, or serve "
                 "the file over HTTPS.",
                 tls->host, tls->port);
        return;
    }
    if (tls->seen == ESP_TLS_SEEN_OTHER) {
        ESP_LOGE(TAG, "%s port %d does not speak TLS (its answer begins with %02x %02x %02x %02x).",
                 tls->host, tls->port, tls->first_bytes[0], tls->first_bytes[1],
                 tls->first_bytes[2], tls->first_bytes[3]);
        return;
    }
    if (tls->seen == ESP_TLS_SEEN_NOTHING &&
        (code == MBEDTLS_ERR_SSL_CONN_EOF || code == MBEDTLS_ERR_NET_CONN_RESET)) {
        ESP_LOGE(TAG,
                 "%s port %d closed the connection without any answer to the TLS greeting: "
                 "is it an HTTPS server?",
                 tls->host, tls->port);
        return;
    }
    const char *words;
    switch (code) {
    case MBEDTLS_ERR_SSL_CONN_EOF:
        words = "the server closed the connection";
        break;
    case MBEDTLS_ERR_NET_CONN_RESET:
        words = "the server reset the connection";
        break;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        words =
            "the server refused with a TLS alert; does it want a client certificate, or another "
            "TLS version, cipher or host name?";
        break;
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        words = "no TLS version in common with the server";
        break;
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
        words = "no TLS parameters in common with the server";
        break;
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
        words = "the server sent a damaged TLS record";
        break;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        words = "out of memory";
        break;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_X509_FATAL_ERROR:
        words = "the server's certificate was refused";
        break;
    default:
        words = "see Mbed TLS's error list for the code above";
        break;
    }
    ESP_LOGE(TAG, "TLS handshake with %s port %d failed: %s", tls->host, tls->port, words);
}

int esp_tls_ssl_handshake_step(esp_tls_t *tls)
{
    int code = mbedtls_ssl_handshake(&tls->ssl);
    if (code == 0 || code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return code;
    }
    ESP_LOGE(TAG, "mbedtls_ssl_handshake returned -0x%04X", (unsigned)-code);
    uint32_t flags = mbedtls_ssl_get_verify_result(&tls->ssl);
    if (flags == UINT32_MAX) {
        flags = 0; /* no certificate was seen */
    }
    if (flags != 0 || tls->verdict != NULL) {
        ESP_LOGI(TAG, "Failed to verify peer certificate!");
    }
    explain_handshake_failure(tls, code);
    esp_tls_record(&tls->error, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, code, (int)flags);
    return code;
}

void esp_tls_ssl_handshake_timeout(esp_tls_t *tls)
{
    if (tls->seen == ESP_TLS_SEEN_NOTHING) {
        ESP_LOGE(TAG,
                 "%s port %d accepted the connection but never answered the TLS greeting: is "
                 "it an HTTPS server?",
                 tls->host, tls->port);
    } else {
        ESP_LOGE(TAG, "%s port %d stopped answering during the TLS handshake.", tls->host,
                 tls->port);
    }
    esp_tls_record(&tls->error, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, 0, 0);
}

ssize_t esp_tls_ssl_read(esp_tls_t *tls, void *data, size_t len)
{
    int code;
    do {
        code = mbedtls_ssl_read(&tls->ssl, data, len);
    } while (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    if (code > 0 || code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return code;
    }
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        return 0;
    }
    if (code == 0) { /* the way Mbed TLS reports a FIN without close_notify */
        esp_tls_record(&tls->error, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, MBEDTLS_ERR_SSL_CONN_EOF, 0);
        return MBEDTLS_ERR_SSL_CONN_EOF;
    }
    ESP_LOGE(TAG, "read error: -0x%04X%s", (unsigned)-code,
             code == MBEDTLS_ERR_NET_CONN_RESET ? " (connection reset)" : "");
    esp_tls_record(&tls->error, ESP_ERR_MBEDTLS_SSL_READ_FAILED, code, 0);
    return code;
}

ssize_t esp_tls_ssl_write(esp_tls_t *tls, const void *data, size_t len)
{
    int max = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    if (max > 0 && len > (size_t)max) {
        len = (size_t)max; /* one record at a time; a repeated call must give the same length */
    }
    int code = mbedtls_ssl_write(&tls->ssl, data, len);
    if (code < 0 && code != MBEDTLS_ERR_SSL_WANT_READ && code != MBEDTLS_ERR_SSL_WANT_WRITE) {
        ESP_LOGE(TAG, "write error: -0x%04X", (unsigned)-code);
        esp_tls_record(&tls->error, ESP_ERR_MBEDTLS_SSL_WRITE_FAILED, code, 0);
    }
    return code;
}

void esp_tls_ssl_free(esp_tls_t *tls)
{
    if (!tls->ssl_ready) {
        return;
    }
    if (tls->state == ESP_TLS_DONE && tls->sockfd >= 0) {
        (void)mbedtls_ssl_close_notify(&tls->ssl); /* a courtesy; the peer may be gone */
    }
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_config_free(&tls->conf);
    mbedtls_x509_crt_free(&tls->cacert);
    mbedtls_x509_crt_free(&tls->clientcert);
    mbedtls_pk_free(&tls->clientkey);
    tls->ssl_ready = false;
}

esp_err_t esp_tls_init_global_ca_store(void)
{
    if (s_global_ca_store == NULL) {
        s_global_ca_store = calloc(1, sizeof(*s_global_ca_store));
        if (s_global_ca_store == NULL) {
            return ESP_ERR_NO_MEM;
        }
        mbedtls_x509_crt_init(s_global_ca_store);
    }
    return ESP_OK;
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_buf,
                                      const unsigned int cacert_bytes)
{
    if (cacert_buf == NULL) {
        ESP_LOGE(TAG, "cacert_buf is null");
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = esp_tls_init_global_ca_store();
    if (err != ESP_OK) {
        return err;
    }
    int code;
    err = parse_certificates(s_global_ca_store, cacert_buf, cacert_bytes, "CA cert", &code);
    if (err == ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED && s_global_ca_store->raw.p == NULL) {
        esp_tls_free_global_ca_store();
    }
    return err;
}

mbedtls_x509_crt *esp_tls_get_global_ca_store(void)
{
    return s_global_ca_store;
}

void esp_tls_free_global_ca_store(void)
{
    if (s_global_ca_store != NULL) {
        mbedtls_x509_crt_free(s_global_ca_store);
        free(s_global_ca_store);
        s_global_ca_store = NULL;
    }
}

#ifdef CONFIG_ESP_TLS_CLIENT_SESSION_TICKETS
esp_tls_client_session_t *esp_tls_get_client_session(esp_tls_t *tls)
{
    if (tls == NULL || !tls->ssl_ready || tls->state != ESP_TLS_DONE) {
        return NULL;
    }
    esp_tls_client_session_t *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    mbedtls_ssl_session_init(&session->saved_session);
    if (mbedtls_ssl_get_session(&tls->ssl, &session->saved_session) != 0) {
        esp_tls_free_client_session(session);
        return NULL;
    }
    return session;
}

void esp_tls_free_client_session(esp_tls_client_session_t *client_session)
{
    if (client_session != NULL) {
        mbedtls_ssl_session_free(&client_session->saved_session);
        free(client_session);
    }
}
#endif
