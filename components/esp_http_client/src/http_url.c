/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs: taking them apart, and finding what a reference in a Location header means. */
#include "http_client_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int default_port(const char *scheme)
{
    if (strcasecmp(scheme, "https") == 0) {
        return 443;
    }
    return strcasecmp(scheme, "http") == 0 ? 80 : 0;
}

static char *field_copy(const char *text, const struct http_parser_url *parts,
                        enum http_parser_url_fields field)
{
    return strndup(text + parts->field_data[field].off, parts->field_data[field].len);
}

static bool has_field(const struct http_parser_url *parts, enum http_parser_url_fields field)
{
    return (parts->field_set & (1 << field)) != 0;
}

static bool copy_fields(const char *text, const struct http_parser_url *parts, http_url_t *url)
{
    url->scheme = field_copy(text, parts, UF_SCHEMA);
    url->host = field_copy(text, parts, UF_HOST);
    url->path = has_field(parts, UF_PATH) ? field_copy(text, parts, UF_PATH) : strdup("/");
    if (url->scheme == NULL || url->host == NULL || url->path == NULL) {
        return false;
    }
    if (has_field(parts, UF_QUERY)) {
        url->query = field_copy(text, parts, UF_QUERY);
        if (url->query == NULL) {
            return false;
        }
    }
    if (has_field(parts, UF_USERINFO)) {
        url->username = field_copy(text, parts, UF_USERINFO);
        if (url->username == NULL) {
            return false;
        }
        char *colon = strchr(url->username, ':');
        if (colon != NULL) {
            *colon = '\0';
            url->password = strdup(colon + 1);
            return url->password != NULL;
        }
    }
    return true;
}

esp_err_t http_url_parse(const char *text, http_url_t *url)
{
    memset(url, 0, sizeof(*url));
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    /* The parser keeps offsets in 16 bits. */
    size_t len = strlen(text);
    if (len > UINT16_MAX || http_parser_parse_url(text, len, 0, &parts) != 0 ||
        !has_field(&parts, UF_SCHEMA) || !has_field(&parts, UF_HOST)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!copy_fields(text, &parts, url)) {
        http_url_free(url);
        return ESP_ERR_NO_MEM;
    }
    url->port = has_field(&parts, UF_PORT) ? parts.port : default_port(url->scheme);
    return ESP_OK;
}

void http_url_free(http_url_t *url)
{
    free(url->scheme);
    free(url->host);
    free(url->path);
    free(url->query);
    free(url->username);
    free(url->password);
    memset(url, 0, sizeof(*url));
}

bool http_url_is_absolute(const char *reference)
{
    size_t len = 0;
    while ((reference[len] >= 'a' && reference[len] <= 'z') ||
           (reference[len] >= 'A' && reference[len] <= 'Z') ||
           (len > 0 && ((reference[len] >= '0' && reference[len] <= '9') || reference[len] == '+' ||
                        reference[len] == '-' || reference[len] == '.'))) {
        len++;
    }
    return len > 0 && strncmp(reference + len, "://", 3) == 0;
}

/* The four texts one after the other, in a new string. */
static char *join(const char *a, const char *b, const char *c, const char *d)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + strlen(d) + 1;
    char *text = malloc(size);
    if (text != NULL) {
        snprintf(text, size, "%s%s%s%s", a, b, c, d);
    }
    return text;
}

static char *authority(const char *host, int port, bool with_port)
{
    bool ipv6 = strchr(host, ':') != NULL;
    char suffix[16] = "";
    if (with_port) {
        snprintf(suffix, sizeof(suffix), ":%d", port);
    }
    return join(ipv6 ? "[" : "", host, ipv6 ? "]" : "", suffix);
}

char *http_url_host_text(const char *host, int port)
{
    return authority(host, port, port != 80 && port != 443);
}

char *http_url_resolve(const char *scheme, const char *host, int port, const char *path,
                       const char *reference)
{
    if (http_url_is_absolute(reference)) {
        return strdup(reference);
    }
    if (reference[0] == '/' && reference[1] == '/') {
        return join(scheme, ":", reference, "");
    }
    char *folder;
    if (reference[0] == '/') {
        folder = strdup("");
    } else if (reference[0] == '?' || reference[0] == '#' || reference[0] == '\0') {
        folder = strdup(path);
    } else {
        const char *slash = strrchr(path, '/');
        folder = strndup(path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
    }
    char *place = folder != NULL ? join(folder, reference, "", "") : NULL;
    char *server = authority(host, port, true);
    char *result = place != NULL && server != NULL ? join(scheme, "://", server, place) : NULL;
    free(folder);
    free(place);
    free(server);
    return result;
}
