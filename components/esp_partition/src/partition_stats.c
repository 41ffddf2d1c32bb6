/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_stats.h"

#include <stdlib.h>
#include <string.h>

#include "esp_flash.h"
#include "esp_log.h"
#include "esp_private/partition_linux.h"
#include "esp_private/storage_lock.h"

#ifdef CONFIG_ESP_PARTITION_ENABLE_STATS

#define SECTOR 4096u

/* Times of a typical chip in microseconds: for 4 bytes and for 4096, in between a straight line. */
#define ERASE_SECTOR_US 37142u
#define WRITE_MIN_US    19u
#define WRITE_MAX_US    6367u
#define READ_MIN_US     7u
#define READ_MAX_US     459u

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static struct {
    size_t read_ops;
    size_t write_ops;
    size_t erase_ops;
    size_t read_bytes;
    size_t write_bytes;
    size_t total_time;
} s_stats;
static size_t *s_erase_counts; /* one for each sector, made at the first erase */
static size_t s_sectors;
static size_t s_fail_after = SIZE_MAX;
static uint8_t s_fail_mode;

static size_t time_of(size_t size, size_t min_us, size_t max_us)
{
    size_t time = 0;
    for (; size >= SECTOR; size -= SECTOR) {
        time += max_us;
    }
    if (size > 0) {
        size_t beyond = size > 4 ? size - 4 : 0;
        time += min_us + (max_us - min_us) * beyond / (SECTOR - 4);
    }
    return time;
}

/* Uses up at most count cycles of that mode; returns how many there were. */
static size_t take_cycles(size_t count, uint8_t mode)
{
    if (s_fail_after == SIZE_MAX || (s_fail_mode & mode) == 0) {
        return count;
    }
    if (count <= s_fail_after) {
        s_fail_after -= count;
        return count;
    }
    count = s_fail_after;
    s_fail_after = SIZE_MAX;
    return count;
}

void partition_stats_read(size_t size)
{
    storage_lock(&s_lock);
    s_stats.read_ops++;
    s_stats.read_bytes += size;
    s_stats.total_time += time_of(size, READ_MIN_US, READ_MAX_US);
    storage_unlock(&s_lock);
}

size_t partition_stats_write(size_t size)
{
    storage_lock(&s_lock);
    size_t cycles = size / 4 + (size % 4 != 0);
    size_t granted = take_cycles(cycles, ESP_PARTITION_FAIL_AFTER_MODE_WRITE);
    size_t allowed = granted == cycles ? size : granted * 4;
    s_stats.write_ops++;
    s_stats.write_bytes += allowed;
    s_stats.total_time += time_of(allowed, WRITE_MIN_US, WRITE_MAX_US);
    storage_unlock(&s_lock);
    return allowed;
}

size_t partition_stats_erase_allowed(size_t sectors)
{
    storage_lock(&s_lock);
    size_t left = sectors;
    if (s_fail_after != SIZE_MAX && (s_fail_mode & ESP_PARTITION_FAIL_AFTER_MODE_ERASE) != 0 &&
        s_fail_after < sectors) {
        left = s_fail_after;
    }
    if (left == 0) {
        s_fail_after = SIZE_MAX;
    }
    storage_unlock(&s_lock);
    return left;
}

void partition_stats_erase(size_t first, size_t sectors)
{
    storage_lock(&s_lock);
    (void)take_cycles(sectors, ESP_PARTITION_FAIL_AFTER_MODE_ERASE);
    s_stats.erase_ops += sectors;
    s_stats.total_time += sectors * ERASE_SECTOR_US;
    uint32_t size;
    if (s_erase_counts == NULL && esp_flash_get_size(NULL, &size) == ESP_OK) {
        s_sectors = size / SECTOR;
        s_erase_counts = calloc(s_sectors, sizeof(*s_erase_counts));
        if (s_erase_counts == NULL) {
            ESP_LOGE("partition", "no memory to count erases of each sector");
        }
    }
    for (size_t i = first; s_erase_counts != NULL && i < first + sectors && i < s_sectors; i++) {
        s_erase_counts[i]++;
    }
    storage_unlock(&s_lock);
}

void esp_partition_clear_stats(void)
{
    storage_lock(&s_lock);
    memset(&s_stats, 0, sizeof(s_stats));
    free(s_erase_counts);
    s_erase_counts = NULL;
    s_sectors = 0;
    s_fail_after = SIZE_MAX;
    storage_unlock(&s_lock);
}

static size_t locked(const size_t *value)
{
    storage_lock(&s_lock);
    size_t copy = *value;
    storage_unlock(&s_lock);
    return copy;
}

size_t esp_partition_get_read_ops(void)
{
    return locked(&s_stats.read_ops);
}

size_t esp_partition_get_write_ops(void)
{
    return locked(&s_stats.write_ops);
}

size_t esp_partition_get_erase_ops(void)
{
    return locked(&s_stats.erase_ops);
}

size_t esp_partition_get_read_bytes(void)
{
    return locked(&s_stats.read_bytes);
}

size_t esp_partition_get_write_bytes(void)
{
    return locked(&s_stats.write_bytes);
}

size_t esp_partition_get_total_time(void)
{
    return locked(&s_stats.total_time);
}

size_t esp_partition_get_sector_erase_count(size_t sector)
{
    storage_lock(&s_lock);
    size_t count = s_erase_counts != NULL && sector < s_sectors ? s_erase_counts[sector] : 0;
    storage_unlock(&s_lock);
    return count;
}

void esp_partition_fail_after(size_t count, uint8_t mode)
{
    storage_lock(&s_lock);
    s_fail_after = count;
    s_fail_mode = mode;
    storage_unlock(&s_lock);
}

#endif
