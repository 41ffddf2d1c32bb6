/* SPDX-License-Identifier: Apache-2.0
 *
 * The level of each tag.
 *
 * Levels that were set stand in a list, compared by content. Looking one up is on the path of every
 * log statement, so a small cache remembers what was found for a tag's address; any change of a
 * level empties it. Everything is guarded by one critical section, which is short; a program that
 * never sets a tag's level never enters it. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "esp_log_level.h"

static atomic_int default_level = CONFIG_LOG_DEFAULT_LEVEL;

esp_log_level_t esp_log_default_level_get(void)
{
    return (esp_log_level_t)atomic_load_explicit(&default_level, memory_order_relaxed);
}

#ifdef CONFIG_LOG_MASTER_LEVEL
static atomic_int master_level = CONFIG_LOG_DEFAULT_LEVEL;

void esp_log_set_level_master(esp_log_level_t level)
{
    atomic_store(&master_level, level);
}

esp_log_level_t esp_log_get_level_master(void)
{
    return (esp_log_level_t)atomic_load(&master_level);
}
#endif

#if defined(CONFIG_LOG_DYNAMIC_LEVEL_CONTROL) && !defined(CONFIG_LOG_TAG_LEVEL_IMPL_NONE)

typedef struct tag_level {
    struct tag_level *next;
    esp_log_level_t level;
    char tag[];
} tag_level_t;

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static tag_level_t *tags;
static atomic_bool any_tag_set;

#ifdef CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_AND_LINKED_LIST
static struct {
    const char *tag;
    esp_log_level_t level;
} cache[CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_SIZE];

static size_t cache_slot(const char *tag)
{
    return ((uintptr_t)tag >> 2) % CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_SIZE;
}
#endif

static void forget_cached_levels(void)
{
#ifdef CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_AND_LINKED_LIST
    memset(cache, 0, sizeof(cache));
#endif
}

static tag_level_t *find_tag(const char *tag)
{
    for (tag_level_t *entry = tags; entry != NULL; entry = entry->next) {
        if (strcmp(entry->tag, tag) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void set_default_level(esp_log_level_t level)
{
    portENTER_CRITICAL(&lock);
    tag_level_t *old = tags;
    tags = NULL;
    atomic_store(&any_tag_set, false);
    atomic_store(&default_level, level);
    forget_cached_levels();
    portEXIT_CRITICAL(&lock);

    while (old != NULL) {
        tag_level_t *next = old->next;
        free(old);
        old = next;
    }
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    if (tag == NULL) {
        return;
    }
    if (strcmp(tag, "*") == 0) {
        set_default_level(level);
        return;
    }

    /* Allocated before the lock is taken; given back if the tag is known already. */
    size_t size = strlen(tag) + 1;
    tag_level_t *fresh = malloc(sizeof(*fresh) + size);

    portENTER_CRITICAL(&lock);
    tag_level_t *entry = find_tag(tag);
    if (entry == NULL && fresh != NULL) {
        entry = fresh;
        fresh = NULL;
        memcpy(entry->tag, tag, size);
        entry->next = tags;
        tags = entry;
    }
    if (entry != NULL) {
        entry->level = level;
    }
    forget_cached_levels();
    atomic_store(&any_tag_set, tags != NULL);
    portEXIT_CRITICAL(&lock);

    free(fresh);
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    if (tag == NULL || !atomic_load_explicit(&any_tag_set, memory_order_relaxed)) {
        return esp_log_default_level_get();
    }

    portENTER_CRITICAL(&lock);
    esp_log_level_t level;
#ifdef CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_AND_LINKED_LIST
    size_t slot = cache_slot(tag);
    if (cache[slot].tag == tag) {
        level = cache[slot].level;
    } else
#endif
    {
        const tag_level_t *entry = find_tag(tag);
        level = entry != NULL ? entry->level : esp_log_default_level_get();
#ifdef CONFIG_LOG_TAG_LEVEL_IMPL_CACHE_AND_LINKED_LIST
        cache[slot].tag = tag;
        cache[slot].level = level;
#endif
    }
    portEXIT_CRITICAL(&lock);
    return level;
}

#else

#ifdef CONFIG_LOG_DYNAMIC_LEVEL_CONTROL
void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    if (tag != NULL && strcmp(tag, "*") == 0) {
        atomic_store(&default_level, level);
    }
}
#endif

esp_log_level_t esp_log_level_get(const char *tag)
{
    (void)tag;
    return esp_log_default_level_get();
}

#endif
