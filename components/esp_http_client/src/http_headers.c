/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of header lines in order of insertion, with names compared without case. */
#include "http_client_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static http_header_t **find(http_headers_t *headers, const char *key)
{
    http_header_t **place = &headers->first;
    while (*place != NULL && strcasecmp((*place)->key, key) != 0) {
        place = &(*place)->next;
    }
    return place;
}

static char *trimmed_copy(const char *value)
{
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        len--;
    }
    return strndup(value, len);
}

esp_err_t http_headers_set(http_headers_t *headers, const char *key, const char *value)
{
    char *copy = trimmed_copy(value);
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    http_header_t **place = find(headers, key);
    if (*place == NULL) {
        http_header_t *header = calloc(1, sizeof(*header));
        char *name = strdup(key);
        if (header == NULL || name == NULL) {
            free(header);
            free(name);
            free(copy);
            return ESP_ERR_NO_MEM;
        }
        header->key = name;
        *place = header;
    }
    free((*place)->value);
    (*place)->value = copy;
    return ESP_OK;
}

char *http_headers_get(const http_headers_t *headers, const char *key)
{
    for (http_header_t *header = headers->first; header != NULL; header = header->next) {
        if (strcasecmp(header->key, key) == 0) {
            return header->value;
        }
    }
    return NULL;
}

esp_err_t http_headers_delete(http_headers_t *headers, const char *key)
{
    http_header_t **place = find(headers, key);
    http_header_t *header = *place;
    if (header == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    *place = header->next;
    free(header->key);
    free(header->value);
    free(header);
    return ESP_OK;
}

void http_headers_clear(http_headers_t *headers)
{
    while (headers->first != NULL) {
        http_header_t *header = headers->first;
        headers->first = header->next;
        free(header->key);
        free(header->value);
        free(header);
    }
}
