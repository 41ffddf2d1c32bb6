/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory as log text. A line is formatted first and logged as one string. */
#include <stddef.h>
#include <stdio.h>

#include "esp_log.h"

#define BYTES_PER_LINE 16

typedef void (*format_line_t)(char *line, size_t size, const uint8_t *bytes, size_t count);

static void log_lines(const char *tag, const void *buffer, uint16_t length, esp_log_level_t level,
                      format_line_t format_line)
{
    /* Longest: hex dump with 16 address digits. */
    char line[2 + 16 + 1 + 2 + 3 * BYTES_PER_LINE + 3 + BYTES_PER_LINE + 2];
    const uint8_t *bytes = buffer;
    size_t left = length;

    if (level > esp_log_level_get(tag)) {
        return;
    }
    while (left > 0) {
        size_t count = left < BYTES_PER_LINE ? left : BYTES_PER_LINE;
        format_line(line, sizeof(line), bytes, count);
        ESP_LOG_LEVEL(level, tag, "%s", line);
        bytes += count;
        left -= count;
    }
}

static void format_hex(char *line, size_t size, const uint8_t *bytes, size_t count)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(line + used, size - used, i == 0 ? "%02x" : " %02x", bytes[i]);
    }
}

static void format_char(char *line, size_t size, const uint8_t *bytes, size_t count)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used < size - 1; i++) {
        if (bytes[i] != '\0') {
            line[used++] = (char)bytes[i];
        }
    }
    line[used] = '\0';
}

static void format_hexdump(char *line, size_t size, const uint8_t *bytes, size_t count)
{
    size_t used = (size_t)snprintf(line, size, "0x%0*lx ", (int)sizeof(void *),
                                   (unsigned long)(uintptr_t)bytes);

    for (size_t i = 0; i < BYTES_PER_LINE; i++) {
        const char *gap = i % 8 == 0 ? "  " : " ";
        if (i < count) {
            used += (size_t)snprintf(line + used, size - used, "%s%02x", gap, bytes[i]);
        } else {
            used += (size_t)snprintf(line + used, size - used, "%s  ", gap);
        }
    }
    used += (size_t)snprintf(line + used, size - used, "  |");
    for (size_t i = 0; i < count; i++) {
        line[used++] = bytes[i] >= 0x20 && bytes[i] <= 0x7e ? (char)bytes[i] : '.';
    }
    line[used++] = '|';
    line[used] = '\0';
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t length,
                                 esp_log_level_t level)
{
    log_lines(tag, buffer, length, level, format_hex);
}

void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t length,
                                  esp_log_level_t level)
{
    log_lines(tag, buffer, length, level, format_char);
}

void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t length,
                                     esp_log_level_t level)
{
    log_lines(tag, buffer, length, level, format_hexdump);
}
