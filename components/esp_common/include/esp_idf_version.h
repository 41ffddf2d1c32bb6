/* SPDX-License-Identifier: Apache-2.0
 *
 * The version of ESP-IDF whose interface these components follow. */
#ifndef ESP_IDF_VERSION_H
#define ESP_IDF_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IDF_VERSION_MAJOR 6
#define ESP_IDF_VERSION_MINOR 2
#define ESP_IDF_VERSION_PATCH 0

/* One number for comparisons in #if: (major << 16) | (minor << 8) | patch. */
#define ESP_IDF_VERSION_VAL(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_IDF_VERSION                                                                            \
    ESP_IDF_VERSION_VAL(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR, ESP_IDF_VERSION_PATCH)

/* The version as text: the build's IDF_VER if it defines one, else "v6.2.0". Static; never NULL. */
const char *esp_get_idf_version(void);

#ifdef __cplusplus
}
#endif

#endif
