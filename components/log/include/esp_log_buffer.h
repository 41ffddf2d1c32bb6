/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory as log text, 16 bytes a line. Lengths are 16 bit; length 0 prints nothing. */
#ifndef ESP_LOG_BUFFER_H
#define ESP_LOG_BUFFER_H

#include <stdint.h>

#include "esp_log_level.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Behind the macros: "de ad be ef". */
void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t length,
                                 esp_log_level_t level);
/* The bytes as they are; a NUL, which no terminal shows, is left out. */
void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t length,
                                  esp_log_level_t level);
/* Address, hexadecimal columns, printable characters. */
void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t length,
                                     esp_log_level_t level);

#define ESP_LOG_BUFFER_(function, tag, buffer, length, level)                                      \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                          \
            function(tag, buffer, length, level);                                                  \
        }                                                                                          \
    } while (0)

#define ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, length, level)                                       \
    ESP_LOG_BUFFER_(esp_log_buffer_hex_internal, tag, buffer, length, level)
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, length, level)                                      \
    ESP_LOG_BUFFER_(esp_log_buffer_char_internal, tag, buffer, length, level)
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, length, level)                                         \
    ESP_LOG_BUFFER_(esp_log_buffer_hexdump_internal, tag, buffer, length, level)

#define ESP_LOG_BUFFER_HEX(tag, buffer, length)                                                    \
    ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, length, ESP_LOG_INFO)
#define ESP_LOG_BUFFER_CHAR(tag, buffer, length)                                                   \
    ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, length, ESP_LOG_INFO)

#ifdef __cplusplus
}
#endif

#endif
