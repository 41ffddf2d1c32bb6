/* SPDX-License-Identifier: Apache-2.0
 *
 * Log levels, at compile time and at run time. */
#ifndef ESP_LOG_LEVEL_H
#define ESP_LOG_LEVEL_H

#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_LOG_NONE = 0,    /* nothing */
    ESP_LOG_ERROR = 1,   /* letter E: what failed */
    ESP_LOG_WARN = 2,    /* W: what was put right or may fail later */
    ESP_LOG_INFO = 3,    /* I: the normal course of events */
    ESP_LOG_DEBUG = 4,   /* D: for those who look for a fault */
    ESP_LOG_VERBOSE = 5, /* V: everything */
    ESP_LOG_MAX = 6,     /* number of levels */
} esp_log_level_t;

/* Statements above this level are compiled out and their arguments are not evaluated. A source may
 * define it before it includes esp_log.h. */
#ifndef LOG_LOCAL_LEVEL
#define LOG_LOCAL_LEVEL CONFIG_LOG_MAXIMUM_LEVEL
#endif

#ifdef CONFIG_LOG_DYNAMIC_LEVEL_CONTROL
/* Sets the level of tag, compared by content. "*" becomes the default level of all tags and
 * forgets every level set before; NULL is ignored. With CONFIG_LOG_TAG_LEVEL_IMPL_NONE only "*" has
 * an effect. If memory for a new tag runs out, the default level stays in force for it. */
void esp_log_level_set(const char *tag, esp_log_level_t level);
#endif

/* The level in force for tag; NULL asks for the default level. */
esp_log_level_t esp_log_level_get(const char *tag);

#ifdef CONFIG_LOG_MASTER_LEVEL
/* A cut-off for all tags that is tested before anything else. */
void esp_log_set_level_master(esp_log_level_t level);
esp_log_level_t esp_log_get_level_master(void);
#endif

/* The default level alone, without locks: for the ESP_EARLY_LOGx macros. */
esp_log_level_t esp_log_default_level_get(void);

#ifdef __cplusplus
}
#endif

#endif
