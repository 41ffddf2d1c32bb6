/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines: "<letter> (<ms>) <tag>: <message>". tag is a string that lives as long as the
 * program; NULL is not allowed. */
#ifndef ESP_LOG_H
#define ESP_LOG_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_log_buffer.h"
#include "esp_log_color.h"
#include "esp_log_level.h"
#include "esp_log_timestamp.h"
#include "esp_log_write.h"
#include "esp_rom_sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The printf format of a whole line: time in ms (uint32_t), tag, then format's own arguments. */
#define LOG_FORMAT(letter, format)                                                                 \
    LOG_COLOR_##letter #letter " (%" PRIu32 ") %s: " format LOG_RESET_COLOR "\n"

/* The same with a time that is text. */
#define LOG_SYSTEM_TIME_FORMAT(letter, format)                                                     \
    LOG_COLOR_##letter #letter " (%s) %s: " format LOG_RESET_COLOR "\n"

#ifdef CONFIG_LOG_TIMESTAMP_SOURCE_SYSTEM
#define ESP_LOG_WRITE_LINE_(level, letter, tag, format, ...)                                       \
    esp_log_write(level, tag, LOG_SYSTEM_TIME_FORMAT(letter, format), esp_log_system_timestamp(),  \
                  tag, ##__VA_ARGS__)
#else
#define ESP_LOG_WRITE_LINE_(level, letter, tag, format, ...)                                       \
    esp_log_write(level, tag, LOG_FORMAT(letter, format), esp_log_timestamp(), tag, ##__VA_ARGS__)
#endif

/* Writes one line of level (ESP_LOG_ERROR .. ESP_LOG_VERBOSE) if the level of tag admits it. */
#define ESP_LOG_LEVEL(level, tag, format, ...)                                                     \
    do {                                                                                           \
        if ((level) == ESP_LOG_ERROR) {                                                            \
            ESP_LOG_WRITE_LINE_(ESP_LOG_ERROR, E, tag, format, ##__VA_ARGS__);                     \
        } else if ((level) == ESP_LOG_WARN) {                                                      \
            ESP_LOG_WRITE_LINE_(ESP_LOG_WARN, W, tag, format, ##__VA_ARGS__);                      \
        } else if ((level) == ESP_LOG_DEBUG) {                                                     \
            ESP_LOG_WRITE_LINE_(ESP_LOG_DEBUG, D, tag, format, ##__VA_ARGS__);                     \
        } else if ((level) == ESP_LOG_VERBOSE) {                                                   \
            ESP_LOG_WRITE_LINE_(ESP_LOG_VERBOSE, V, tag, format, ##__VA_ARGS__);                   \
        } else {                                                                                   \
            ESP_LOG_WRITE_LINE_(ESP_LOG_INFO, I, tag, format, ##__VA_ARGS__);                      \
        }                                                                                          \
    } while (0)

/* The same, but compiled out above LOG_LOCAL_LEVEL. */
#define ESP_LOG_LEVEL_LOCAL(level, tag, format, ...)                                               \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                          \
            ESP_LOG_LEVEL(level, tag, format, ##__VA_ARGS__);                                      \
        }                                                                                          \
    } while (0)

#define ESP_LOG_LINE_LOCAL_(level, letter, tag, format, ...)                                       \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                          \
            ESP_LOG_WRITE_LINE_(level, letter, tag, format, ##__VA_ARGS__);                        \
        }                                                                                          \
    } while (0)

#define ESP_LOGE(tag, format, ...) ESP_LOG_LINE_LOCAL_(ESP_LOG_ERROR, E, tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) ESP_LOG_LINE_LOCAL_(ESP_LOG_WARN, W, tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) ESP_LOG_LINE_LOCAL_(ESP_LOG_INFO, I, tag, format, ##__VA_ARGS__)
#define ESP_LOGD(tag, format, ...) ESP_LOG_LINE_LOCAL_(ESP_LOG_DEBUG, D, tag, format, ##__VA_ARGS__)
#define ESP_LOGV(tag, format, ...)                                                                 \
    ESP_LOG_LINE_LOCAL_(ESP_LOG_VERBOSE, V, tag, format, ##__VA_ARGS__)

/* Lines for code that runs before the heap and the scheduler, or with interrupts off: printed past
 * stdio; only the default level counts, not that of tag. */
#define ESP_EARLY_LOG_(level, letter, tag, format, ...)                                            \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level) && esp_log_default_level_get() >= (level)) {                \
            esp_rom_printf(LOG_FORMAT(letter, format), esp_log_early_timestamp(), tag,             \
                           ##__VA_ARGS__);                                                         \
        }                                                                                          \
    } while (0)

#define ESP_EARLY_LOGE(tag, format, ...)                                                           \
    ESP_EARLY_LOG_(ESP_LOG_ERROR, E, tag, format, ##__VA_ARGS__)
#define ESP_EARLY_LOGW(tag, format, ...) ESP_EARLY_LOG_(ESP_LOG_WARN, W, tag, format, ##__VA_ARGS__)
#define ESP_EARLY_LOGI(tag, format, ...) ESP_EARLY_LOG_(ESP_LOG_INFO, I, tag, format, ##__VA_ARGS__)
#define ESP_EARLY_LOGD(tag, format, ...)                                                           \
    ESP_EARLY_LOG_(ESP_LOG_DEBUG, D, tag, format, ##__VA_ARGS__)
#define ESP_EARLY_LOGV(tag, format, ...)                                                           \
    ESP_EARLY_LOG_(ESP_LOG_VERBOSE, V, tag, format, ##__VA_ARGS__)

/* As the early ones, without a time: "<letter> <tag>: <message>". */
#define ESP_DRAM_LOG_(level, letter, tag, format, ...)                                             \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level) && esp_log_default_level_get() >= (level)) {                \
            esp_rom_printf(LOG_COLOR_##letter #letter " %s: " format LOG_RESET_COLOR "\n", tag,    \
                           ##__VA_ARGS__);                                                         \
        }                                                                                          \
    } while (0)

#define ESP_DRAM_LOGE(tag, format, ...) ESP_DRAM_LOG_(ESP_LOG_ERROR, E, tag, format, ##__VA_ARGS__)
#define ESP_DRAM_LOGW(tag, format, ...) ESP_DRAM_LOG_(ESP_LOG_WARN, W, tag, format, ##__VA_ARGS__)
#define ESP_DRAM_LOGI(tag, format, ...) ESP_DRAM_LOG_(ESP_LOG_INFO, I, tag, format, ##__VA_ARGS__)
#define ESP_DRAM_LOGD(tag, format, ...) ESP_DRAM_LOG_(ESP_LOG_DEBUG, D, tag, format, ##__VA_ARGS__)
#define ESP_DRAM_LOGV(tag, format, ...)                                                            \
    ESP_DRAM_LOG_(ESP_LOG_VERBOSE, V, tag, format, ##__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
