/* SPDX-License-Identifier: Apache-2.0
 *
 * Extras for tests on a host: a flash file of one's own, statistics, an emulated power-off, names.
 * Source: interface specification, section 4.8.
 *
 * What is different here: a program has a flash already, that of its board (the runner's file, or a
 * test program's in memory). Without a wish in esp_partition_get_file_mmap_ctrl_input() that one is
 * used and shown. NOR rules are the board's: a bit that would have to go from 0 to 1 is
 * ESP_ERR_FLASH_OP_FAIL. The statistics and the power-off exist
 * with CONFIG_ESP_PARTITION_ENABLE_STATS; they count what passes through esp_partition. A power cut
 * that really ends the program is the board's: see `airlift powercut`. */
#ifndef ESP_PRIVATE_PARTITION_LINUX_H
#define ESP_PRIVATE_PARTITION_LINUX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "app", "data", ...; "unknown". Static storage. */
const char *esp_partition_type_to_str(const uint32_t type);
const char *esp_partition_subtype_to_str(const uint32_t type, const uint32_t subtype);

#ifndef PATH_MAX
#define PATH_MAX 256
#endif

/* Which flash esp_partition_file_mmap() uses. Empty texts and 0 are no wish. */
typedef struct {
    char flash_file_name[PATH_MAX];     /* a file that is there is the flash */
    size_t flash_file_size;             /* of a new file: bytes, a multiple of 4096 */
    char partition_file_name[PATH_MAX]; /* binary partition table for a new file */
    bool remove_dump;                   /* esp_partition_file_munmap() deletes the file */
} esp_partition_file_mmap_ctrl_t;

/* The wish: set it before the partitions are used first, or between munmap and mmap. Zero again
 * once it has come true. Static storage, to be written by the caller. */
esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_input(void);

/* What is in force: names and size of the flash file; of the board's own flash only its size. */
esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_act(void);

/* Points *part_desc_addr_start at the whole flash, after taking the one that was wished. A new file
 * is called idf-partition-XXXXXX and lies in $TMPDIR (or /tmp); it is erased and gets the partition
 * table, of partition_file_name or else of the flash used before; without a wish for a size it ends
 * with the last partition. Partitions that were found before are no longer valid then.
 *
 * ESP_ERR_INVALID_ARG: NULL; flash_file_name together with a size or a table; the table file holds
 *   no valid table.
 * ESP_ERR_NOT_FOUND: the file of one of the names is not there.
 * ESP_ERR_INVALID_SIZE: the table does not fit into flash_file_size, or that size is not possible.
 * ESP_ERR_NOT_FINISHED: the flash file cannot be made, opened or mapped, or its size is none of a
 *   flash. ESP_ERR_NO_MEM: a new file cannot be mapped.
 * ESP_ERR_NOT_SUPPORTED: the board does not map its flash, or has no files. */
esp_err_t esp_partition_file_mmap(const uint8_t **part_desc_addr_start);

/* Forgets the partition list, so that the next call reads the table again; a flash file is closed
 * (and deleted if so wished), and the board's own flash is used. ESP_ERR_NO_MEM: nothing was
 * mapped. ESP_ERR_NOT_FOUND, ESP_ERR_INVALID_RESPONSE: the file is not there any more, or cannot be
 * closed. */
esp_err_t esp_partition_file_munmap(void);

#ifdef CONFIG_ESP_PARTITION_ENABLE_STATS

#define ESP_PARTITION_FAIL_AFTER_MODE_ERASE 0x01
#define ESP_PARTITION_FAIL_AFTER_MODE_WRITE 0x02
#define ESP_PARTITION_FAIL_AFTER_MODE_BOTH  0x03

/* Sets all counters to 0 and disarms esp_partition_fail_after(). */
void esp_partition_clear_stats(void);

size_t esp_partition_get_read_ops(void);
size_t esp_partition_get_write_ops(void);
size_t esp_partition_get_erase_ops(void); /* sectors */
size_t esp_partition_get_read_bytes(void);
size_t esp_partition_get_write_bytes(void);

/* Microseconds a typical chip would have spent. */
size_t esp_partition_get_total_time(void);

/* Erases of sector number `sector` of the chip. 0 beyond the chip. */
size_t esp_partition_get_sector_erase_count(size_t sector);

/* Cuts an operation short after count cycles: one for each 4 bytes written, one for each sector
 * erased, of the kinds in mode. That operation does its part up to the cut and returns
 * ESP_ERR_FLASH_OP_FAIL. Then the power is back: later operations work. SIZE_MAX disarms. */
void esp_partition_fail_after(size_t count, uint8_t mode);

#endif

#ifdef __cplusplus
}
#endif

#endif
