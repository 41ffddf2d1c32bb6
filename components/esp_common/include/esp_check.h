/* SPDX-License-Identifier: Apache-2.0
 *
 * Check, log, leave: statement macros for functions that return esp_err_t.
 *
 * Each logs "<function>(<line>): <format>" under log_tag at error level when it triggers; the _ISR
 * forms log with ESP_EARLY_LOGE. With CONFIG_COMPILER_OPTIMIZATION_CHECKS_SILENT nothing is
 * logged. The GOTO forms store the code in a variable `ret` of the caller. */
#ifndef ESP_CHECK_H
#define ESP_CHECK_H

#include "esp_err.h"
#include "esp_log.h"

#ifdef CONFIG_COMPILER_OPTIMIZATION_CHECKS_SILENT
#define ESP_CHECK_LOG_(log, log_tag, ...) (void)(log_tag)
#else
#define ESP_CHECK_LOG_(log, log_tag, format, ...)                                                  \
    log(log_tag, "%s(%d): " format, __FUNCTION__, __LINE__, ##__VA_ARGS__)
#endif

/* x is anything but ESP_OK: leave with that code. */
#define ESP_RETURN_ON_ERROR(x, log_tag, format, ...)                                               \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            return err_rc_;                                                                        \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_VOID_ON_ERROR(x, log_tag, format, ...)                                          \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define ESP_GOTO_ON_ERROR(x, goto_tag, log_tag, format, ...)                                       \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            ret = err_rc_;                                                                         \
            goto goto_tag;                                                                         \
        }                                                                                          \
    } while (0)

/* a is false: leave with err_code. */
#define ESP_RETURN_ON_FALSE(a, err_code, log_tag, format, ...)                                     \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            return err_code;                                                                       \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_VOID_ON_FALSE(a, log_tag, format, ...)                                          \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define ESP_GOTO_ON_FALSE(a, err_code, goto_tag, log_tag, format, ...)                             \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_LOGE, log_tag, format, ##__VA_ARGS__);                              \
            ret = err_code;                                                                        \
            goto goto_tag;                                                                         \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_ON_ERROR_ISR(x, log_tag, format, ...)                                           \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            return err_rc_;                                                                        \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_VOID_ON_ERROR_ISR(x, log_tag, format, ...)                                      \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define ESP_GOTO_ON_ERROR_ISR(x, goto_tag, log_tag, format, ...)                                   \
    do {                                                                                           \
        esp_err_t err_rc_ = (x);                                                                   \
        if (unlikely(err_rc_ != ESP_OK)) {                                                         \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            ret = err_rc_;                                                                         \
            goto goto_tag;                                                                         \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_ON_FALSE_ISR(a, err_code, log_tag, format, ...)                                 \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            return err_code;                                                                       \
        }                                                                                          \
    } while (0)

#define ESP_RETURN_VOID_ON_FALSE_ISR(a, log_tag, format, ...)                                      \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define ESP_GOTO_ON_FALSE_ISR(a, err_code, goto_tag, log_tag, format, ...)                         \
    do {                                                                                           \
        if (unlikely(!(a))) {                                                                      \
            ESP_CHECK_LOG_(ESP_EARLY_LOGE, log_tag, format, ##__VA_ARGS__);                        \
            ret = err_code;                                                                        \
            goto goto_tag;                                                                         \
        }                                                                                          \
    } while (0)

#endif
