/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes and what to do about them. The code values stand in formats/esp_err_codes.h, which
 * the layers below the components share; codes of one component stand in its own header. */
#ifndef ESP_ERR_H
#define ESP_ERR_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdkconfig.h"
#include "esp_compiler.h"
#include "formats/esp_err_codes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* First code of ranges that have no header of their own here. */
#define ESP_ERR_WIFI_BASE      0x3000
#define ESP_ERR_MESH_BASE      0x4000
#define ESP_ERR_HW_CRYPTO_BASE 0xC000
#define ESP_ERR_MEMPROT_BASE   0xD000

/* The macro name of code, for example "ESP_ERR_NO_MEM"; "ERROR" for a code nobody knows, and
 * "UNKNOWN ERROR" for every code where CONFIG_ESP_ERR_TO_NAME_LOOKUP is off. Static; never NULL. */
const char *esp_err_to_name(esp_err_t code);

/* Writes the name of code to buf (buflen bytes, always NUL terminated if buflen > 0) and returns
 * buf. A code without a name becomes the C library's text for that errno value, or else
 * "ERROR 0x<hex>(<decimal>)". */
const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen);

/* Behind the macros below: prints the block "ESP_ERROR_CHECK failed: ..." to the console; the
 * first ends the program with abort(). */
__attribute__((noreturn)) void esp_error_check_failed(esp_err_t code, const char *file, int line,
                                                      const char *function, const char *expression);
void esp_error_check_failed_without_abort(esp_err_t code, const char *file, int line,
                                          const char *function, const char *expression);

/* Evaluates x once. Anything but ESP_OK is reported on the console and ends in abort(). With
 * NDEBUG the result is ignored; with CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_SILENT nothing is
 * printed before abort(). */
#if defined(NDEBUG)
#define ESP_ERROR_CHECK(x)                                                                         \
    do {                                                                                           \
        esp_err_t esp_err_rc_ = (x);                                                               \
        (void)esp_err_rc_;                                                                         \
    } while (0)
#elif defined(CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_SILENT)
#define ESP_ERROR_CHECK(x)                                                                         \
    do {                                                                                           \
        esp_err_t esp_err_rc_ = (x);                                                               \
        if (unlikely(esp_err_rc_ != ESP_OK)) {                                                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#else
#define ESP_ERROR_CHECK(x)                                                                         \
    do {                                                                                           \
        esp_err_t esp_err_rc_ = (x);                                                               \
        if (unlikely(esp_err_rc_ != ESP_OK)) {                                                     \
            esp_error_check_failed(esp_err_rc_, __FILE__, __LINE__, __func__, #x);                 \
        }                                                                                          \
    } while (0)
#endif

/* Evaluates x once, reports anything but ESP_OK, and has the code as its value. */
#if defined(NDEBUG) || defined(CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_SILENT)
#define ESP_ERROR_CHECK_WITHOUT_ABORT(x)                                                           \
    ({                                                                                             \
        esp_err_t esp_err_rc_ = (x);                                                               \
        esp_err_rc_;                                                                               \
    })
#else
#define ESP_ERROR_CHECK_WITHOUT_ABORT(x)                                                           \
    ({                                                                                             \
        esp_err_t esp_err_rc_ = (x);                                                               \
        if (unlikely(esp_err_rc_ != ESP_OK)) {                                                     \
            esp_error_check_failed_without_abort(esp_err_rc_, __FILE__, __LINE__, __func__, #x);   \
        }                                                                                          \
        esp_err_rc_;                                                                               \
    })
#endif

#ifdef __cplusplus
}
#endif

#endif
