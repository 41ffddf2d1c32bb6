/* SPDX-License-Identifier: Apache-2.0
 *
 * Basic and digest authentication, each built in only by its option. */
#include "http_client_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"
#include "mbedtls/base64.h"
#include "mbedtls/md.h"

#include "hal/random.h"

static const char *TAG = "HTTP_CLIENT";

/* The scheme of a challenge if it is built in; *rest is what follows its name. */
static esp_http_client_auth_type_t scheme_of(const char *value, const char **rest)
{
    static const struct {
        const char *name;
        esp_http_client_auth_type_t type;
    } known[] = {
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH
        {"Basic", HTTP_AUTH_TYPE_BASIC},
#endif
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_DIGEST_AUTH
        {"Digest", HTTP_AUTH_TYPE_DIGEST},
#endif
        {NULL, HTTP_AUTH_TYPE_NONE},
    };
    for (size_t i = 0; known[i].name != NULL; i++) {
        size_t len = strlen(known[i].name);
        if (strncasecmp(value, known[i].name, len) == 0 &&
            (value[len] == ' ' || value[len] == '\0')) {
            *rest = value + len;
            return known[i].type;
        }
    }
    *rest = value;
    return HTTP_AUTH_TYPE_NONE;
}

esp_err_t http_auth_keep_challenge(esp_http_client_handle_t client, const char *value)
{
    http_challenge_t *challenge = &client->challenge;
    const char *rest;
    esp_http_client_auth_type_t type = scheme_of(value, &rest);
    if (type != HTTP_AUTH_TYPE_NONE && type < challenge->type) {
        return ESP_OK; /* of several challenges the strongest counts */
    }
    char *copy = strdup(rest);
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    char **place = type == HTTP_AUTH_TYPE_NONE ? &challenge->unknown : &challenge->text;
    free(*place);
    *place = copy;
    if (type != HTTP_AUTH_TYPE_NONE) {
        challenge->type = type;
        challenge->nonce_count = 0;
    }
    return ESP_OK;
}

void http_auth_forget(esp_http_client_handle_t client)
{
    free(client->challenge.text);
    free(client->challenge.unknown);
    memset(&client->challenge, 0, sizeof(client->challenge));
}

#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH
static esp_err_t make_basic(esp_http_client_handle_t client, char **value)
{
    static const char PREFIX[] = "Basic ";
    const size_t prefix_len = sizeof(PREFIX) - 1;
    const char *password = client->password != NULL ? client->password : "";
    size_t plain_len = strlen(client->username) + 1 + strlen(password);
    size_t text_size = (plain_len + 2) / 3 * 4 + 1;
    char *plain = malloc(plain_len + 1);
    char *text = malloc(prefix_len + text_size);
    esp_err_t err = ESP_ERR_NO_MEM;
    if (plain != NULL && text != NULL) {
        snprintf(plain, plain_len + 1, "%s:%s", client->username, password);
        memcpy(text, PREFIX, prefix_len);
        size_t len;
        err = mbedtls_base64_encode((unsigned char *)text + prefix_len, text_size, &len,
                                    (const unsigned char *)plain, plain_len) == 0
                  ? ESP_OK
                  : ESP_FAIL;
    }
    free(plain);
    if (err != ESP_OK) {
        free(text);
        return err;
    }
    *value = text;
    return ESP_OK;
}
#endif

#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_DIGEST_AUTH
#define HEX_SIZE (2 * MBEDTLS_MD_MAX_SIZE + 1)

/* Value of a directive of a challenge, without quotes, as a new string. NULL: not there. */
static char *directive(const char *challenge, const char *name)
{
    const char *p = challenge + strspn(challenge, " \t,");
    while (*p != '\0') {
        const char *key = p;
        size_t key_len = strcspn(p, "=, \t");
        p += key_len;
        p += strspn(p, " \t");
        const char *start = p;
        size_t len = 0;
        if (*p == '=') {
            p++;
            p += strspn(p, " \t");
            bool quoted = *p == '"';
            start = quoted ? ++p : p;
            while (*p != '\0' && (quoted ? *p != '"' : strchr(", \t", *p) == NULL)) {
                p += *p == '\\' && p[1] != '\0' ? 2 : 1;
            }
            len = (size_t)(p - start);
            p += quoted && *p == '"' ? 1 : 0;
            if (key_len == strlen(name) && strncasecmp(key, name, key_len) == 0) {
                return strndup(start, len);
            }
        }
        p += strspn(p, " \t,");
    }
    return NULL;
}

/* Hex digest of the parts with colons between them. */
static esp_err_t hash_hex(mbedtls_md_type_t type, const char *const *parts, size_t count,
                          char out[HEX_SIZE])
{
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
    if (info == NULL) {
        ESP_LOGE(TAG, "The hash of the digest challenge is not built in");
        return ESP_ERR_NOT_SUPPORTED;
    }
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    int code = mbedtls_md_setup(&context, info, 0);
    if (code == 0) {
        code = mbedtls_md_starts(&context);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (i > 0) {
            code = mbedtls_md_update(&context, (const unsigned char *)":", 1);
        }
        if (code == 0) {
            code = mbedtls_md_update(&context, (const unsigned char *)parts[i], strlen(parts[i]));
        }
    }
    unsigned char digest[MBEDTLS_MD_MAX_SIZE];
    if (code == 0) {
        code = mbedtls_md_finish(&context, digest);
    }
    mbedtls_md_free(&context);
    if (code != 0) {
        return ESP_FAIL;
    }
    for (size_t i = 0; i < mbedtls_md_get_size(info); i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
    return ESP_OK;
}

static bool has_word(const char *list, const char *word)
{
    for (const char *p = list + strspn(list, " \t,"); *p != '\0';) {
        size_t len = strcspn(p, " \t,");
        if (len == strlen(word) && strncasecmp(p, word, len) == 0) {
            return true;
        }
        p += len;
        p += strspn(p, " \t,");
    }
    return false;
}

typedef struct {
    char *realm;
    char *nonce;
    char *qop;
    char *opaque;
    char *algorithm;
    char *uri;
    char cnonce[17];
    char count[9];
    bool with_qop;
} digest_t;

static esp_err_t choose_digest(digest_t *d, mbedtls_md_type_t *type, bool *session)
{
    const char *algorithm = d->algorithm != NULL ? d->algorithm : "MD5";
    *session = strcasecmp(algorithm, "MD5-sess") == 0;
    if (strcasecmp(algorithm, "SHA-256") == 0 || strcasecmp(algorithm, "SHA256") == 0) {
        *type = MBEDTLS_MD_SHA256;
    } else if (*session || strcasecmp(algorithm, "MD5") == 0) {
        *type = MBEDTLS_MD_MD5;
    } else {
        ESP_LOGE(TAG, "This authentication method is not supported: Digest %.32s", algorithm);
        return ESP_ERR_NOT_SUPPORTED;
    }
    d->with_qop = d->qop != NULL && has_word(d->qop, "auth");
    if (d->qop == NULL) {
        ESP_LOGW(TAG, "The digest challenge has no qop directive; answering the old way");
    } else if (!d->with_qop) {
        ESP_LOGE(TAG, "This authentication method is not supported: qop %.32s", d->qop);
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

static esp_err_t digest_response(esp_http_client_handle_t client, digest_t *d,
                                 char response[HEX_SIZE])
{
    mbedtls_md_type_t type;
    bool session;
    esp_err_t err = choose_digest(d, &type, &session);
    const char *password = client->password != NULL ? client->password : "";
    char ha1[HEX_SIZE];
    char ha2[HEX_SIZE];
    if (err == ESP_OK) {
        err = hash_hex(type, (const char *[]){client->username, d->realm, password}, 3, ha1);
    }
    if (err == ESP_OK && session) {
        char first[HEX_SIZE];
        memcpy(first, ha1, sizeof(first));
        err = hash_hex(type, (const char *[]){first, d->nonce, d->cnonce}, 3, ha1);
    }
    if (err == ESP_OK) {
        const char *method = http_method_name(client->method);
        err = hash_hex(type, (const char *[]){method, d->uri}, 2, ha2);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (d->with_qop) {
        const char *parts[] = {ha1, d->nonce, d->count, d->cnonce, "auth", ha2};
        return hash_hex(type, parts, 6, response);
    }
    return hash_hex(type, (const char *[]){ha1, d->nonce, ha2}, 3, response);
}

/* Writes the header's value; as snprintf(). */
static int print_digest(char *text, size_t size, const char *username, const digest_t *d,
                        const char *response)
{
    return snprintf(text, size,
                    "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
                    "algorithm=%s, response=\"%s\"%s%s%s%s%s%s%s%s",
                    username, d->realm, d->nonce, d->uri, d->algorithm ? d->algorithm : "MD5",
                    response, d->opaque ? ", opaque=\"" : "", d->opaque ? d->opaque : "",
                    d->opaque ? "\"" : "", d->with_qop ? ", qop=auth, nc=" : "",
                    d->with_qop ? d->count : "", d->with_qop ? ", cnonce=\"" : "",
                    d->with_qop ? d->cnonce : "", d->with_qop ? "\"" : "");
}

static esp_err_t fill_digest(esp_http_client_handle_t client, digest_t *d)
{
    const char *challenge = client->challenge.text;
    d->realm = directive(challenge, "realm");
    d->nonce = directive(challenge, "nonce");
    d->qop = directive(challenge, "qop");
    d->opaque = directive(challenge, "opaque");
    d->algorithm = directive(challenge, "algorithm");
    if (d->realm == NULL || d->nonce == NULL) {
        ESP_LOGE(TAG, "The digest challenge lacks realm or nonce");
        return ESP_ERR_NOT_SUPPORTED;
    }
    const char *query = client->query != NULL ? client->query : "";
    size_t size = strlen(client->path) + 1 + strlen(query) + 1;
    d->uri = malloc(size);
    if (d->uri == NULL) {
        return ESP_ERR_NO_MEM;
    }
    snprintf(d->uri, size, "%s%s%s", client->path, client->query != NULL ? "?" : "", query);
    uint64_t random;
    hal_random_fill(&random, sizeof(random));
    snprintf(d->cnonce, sizeof(d->cnonce), "%016" PRIx64, random);
    snprintf(d->count, sizeof(d->count), "%08" PRIx32, ++client->challenge.nonce_count);
    return ESP_OK;
}

static esp_err_t make_digest(esp_http_client_handle_t client, char **value)
{
    digest_t d = {0};
    char response[HEX_SIZE];
    esp_err_t err = fill_digest(client, &d);
    if (err == ESP_OK) {
        err = digest_response(client, &d, response);
    }
    if (err == ESP_OK) {
        int len = print_digest(NULL, 0, client->username, &d, response);
        *value = len > 0 ? malloc((size_t)len + 1) : NULL;
        err = *value != NULL ? ESP_OK : ESP_ERR_NO_MEM;
        if (*value != NULL) {
            print_digest(*value, (size_t)len + 1, client->username, &d, response);
        }
    }
    free(d.realm);
    free(d.nonce);
    free(d.qop);
    free(d.opaque);
    free(d.algorithm);
    free(d.uri);
    return err;
}
#endif

esp_err_t http_auth_prepare(esp_http_client_handle_t client)
{
    if (client->username == NULL || client->auth_type == HTTP_AUTH_TYPE_NONE) {
        return ESP_OK;
    }
    char *value = NULL;
    esp_err_t err = ESP_OK;
    if (client->auth_type == HTTP_AUTH_TYPE_BASIC) {
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH
        err = make_basic(client, &value);
#else
        ESP_LOGW(TAG, "Basic authentication is not built in (ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH)");
#endif
    } else if (client->challenge.type == HTTP_AUTH_TYPE_DIGEST) {
#ifdef CONFIG_ESP_HTTP_CLIENT_ENABLE_DIGEST_AUTH
        err = make_digest(client, &value);
#endif
    }
    if (err == ESP_OK && value != NULL) {
        err = http_headers_set(&client->headers, "Authorization", value);
    }
    free(value);
    return err;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_challenge_t *challenge = &client->challenge;
    if (challenge->attempts >= client->max_auth) {
        ESP_LOGE(TAG, "Error, reached max_authorization_retries count=%d", challenge->attempts);
        return ESP_FAIL;
    }
    if (challenge->type == HTTP_AUTH_TYPE_NONE && challenge->unknown == NULL) {
        ESP_LOGW(TAG, "This request requires authentication, but does not provide header "
                      "information for that");
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (challenge->type == HTTP_AUTH_TYPE_NONE) {
        ESP_LOGE(TAG, "This authentication method is not supported: %.64s", challenge->unknown);
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (client->username == NULL) {
        ESP_LOGE(TAG, "%s asks for a user name, but none is set", client->host);
        return ESP_ERR_NOT_SUPPORTED;
    }
    client->auth_type = challenge->type;
    challenge->attempts++;
    return ESP_OK;
}
