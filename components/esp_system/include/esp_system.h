/* SPDX-License-Identifier: Apache-2.0
 *
 * Restart, its reason, memory in sum. */
#ifndef ESP_SYSTEM_H
#define ESP_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"
#include "esp_err.h"
#include "esp_idf_version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_RST_UNKNOWN = 0,
    ESP_RST_POWERON = 1,
    ESP_RST_EXT = 2,
    ESP_RST_SW = 3, /* esp_restart() */
    ESP_RST_PANIC = 4,
    ESP_RST_INT_WDT = 5,
    ESP_RST_TASK_WDT = 6,
    ESP_RST_WDT = 7,
    ESP_RST_DEEPSLEEP = 8,
    ESP_RST_BROWNOUT = 9,
    ESP_RST_SDIO = 10,
    ESP_RST_USB = 11,
    ESP_RST_JTAG = 12,
    ESP_RST_EFUSE = 13,
    ESP_RST_PWR_GLITCH = 14,
    ESP_RST_CPU_LOCKUP = 15,
} esp_reset_reason_t;

typedef void (*shutdown_handler_t)(void);

/* Has handler called by esp_restart(), after those registered before.
 * ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: registered already. ESP_ERR_NO_MEM: there are
 * eight already. */
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler);

/* ESP_ERR_INVALID_STATE: not registered. */
esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler);

/* Calls the shutdown handlers in the calling task, writes out stdout, and resets the board; the
 * next esp_reset_reason() is ESP_RST_SW. Prints nothing. */
__attribute__((noreturn)) void esp_restart(void);

/* Why this boot happened. */
esp_reset_reason_t esp_reset_reason(void);

/* Prints details (one line, without newline) and panics as abort() does. */
__attribute__((noreturn)) void esp_system_abort(const char *details);

/* Bytes of heap: free now, least ever free, free in internal memory. */
uint32_t esp_get_free_heap_size(void);
uint32_t esp_get_minimum_free_heap_size(void);
uint32_t esp_get_free_internal_heap_size(void);

#ifdef __cplusplus
}
#endif

#endif
