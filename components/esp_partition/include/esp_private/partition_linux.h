/* SPDX-License-Identifier: Apache-2.0
 *
 * Extras for tests on a host: statistics, an emulated power-off, names.
 * Source: interface specification, section 4.8.
 *
 * What is different here: the flash file belongs to the board (its runner opens it, a test program
 * has one in memory), so there is no esp_partition_file_mmap_ctrl_t; esp_partition_file_mmap()
 * shows the board's flash. NOR rules are the board's too. The statistics and the power-off exist
 * with CONFIG_ESP_PARTITION_ENABLE_STATS; they count what passes through esp_partition. A power cut
 * that really ends the program is the board's: see `airlift powercut`. */
#ifndef ESP_PRIVATE_PARTITION_LINUX_H
#define ESP_PRIVATE_PARTITION_LINUX_H

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

/* Points *part_desc_addr_start at the whole flash. ESP_ERR_NOT_SUPPORTED: the board does not map
 * its flash; ESP_ERR_INVALID_ARG: NULL. */
esp_err_t esp_partition_file_mmap(const uint8_t **part_desc_addr_start);

/* Forgets the partition list, so that the next call reads the table again. The flash keeps its
 * content. Returns ESP_OK. */
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
