/* SPDX-License-Identifier: Apache-2.0
 *
 * Where operations are counted, and cut short when a test asked for it. Without
 * CONFIG_ESP_PARTITION_ENABLE_STATS these are nothing. */
#ifndef PARTITION_STATS_H
#define PARTITION_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"

#ifdef CONFIG_ESP_PARTITION_ENABLE_STATS

void partition_stats_read(size_t size);

/* Counts a write of size bytes; returns how many of them may be written. */
size_t partition_stats_write(size_t size);

/* How many of that many sectors may be erased. */
size_t partition_stats_erase_allowed(size_t sectors);
/* Counts sectors erased from number first of the chip on. */
void partition_stats_erase(size_t first, size_t sectors);

#else

static inline void partition_stats_read(size_t size)
{
    (void)size;
}

static inline size_t partition_stats_write(size_t size)
{
    return size;
}

static inline size_t partition_stats_erase_allowed(size_t sectors)
{
    return sectors;
}

static inline void partition_stats_erase(size_t first, size_t sectors)
{
    (void)first;
    (void)sectors;
}

#endif

#endif
