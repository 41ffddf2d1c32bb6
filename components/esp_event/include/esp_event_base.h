/* SPDX-License-Identifier: Apache-2.0
 *
 * What identifies an event: a base, compared by address, and a number within it. */
#ifndef ESP_EVENT_BASE_H
#define ESP_EVENT_BASE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef const char *esp_event_base_t;
typedef void *esp_event_loop_handle_t;
typedef void *esp_event_handler_instance_t;

/* id and data are those of the post; data is a copy that is gone after the handler, or NULL. */
typedef void (*esp_event_handler_t)(void *arg, esp_event_base_t base, int32_t id, void *data);

/* In a header, and in one source: a base whose text is its name. */
#define ESP_EVENT_DECLARE_BASE(name) extern esp_event_base_t const name
#define ESP_EVENT_DEFINE_BASE(name)  esp_event_base_t const name = #name

#define ESP_EVENT_ANY_BASE NULL
#define ESP_EVENT_ANY_ID   (-1)

#ifdef __cplusplus
}
#endif

#endif
