/* SPDX-License-Identifier: Apache-2.0
 *
 * A file in the place of the board's flash, where a board has files (port/). See
 * esp_private/partition_linux.h. */
#ifndef FLASH_FILE_H
#define FLASH_FILE_H

#include <stdbool.h>

#include "esp_err.h"
#include "sdkconfig.h"

#ifdef CONFIG_PARTITION_TABLE_MD5
#define WITH_MD5 true
#else
#define WITH_MD5 false
#endif

/* Whether esp_partition_get_file_mmap_ctrl_input() asks for something. */
bool flash_file_wished(void);

/* Takes the flash that is wished; without a wish nothing changes. The list of partitions is empty.
 * Errors as esp_partition_file_mmap(); the flash is then the one from before. */
esp_err_t flash_file_open(void);

/* Back to the board's flash. Errors as esp_partition_file_munmap(). */
esp_err_t flash_file_close(void);

/* partition_list.c: whether the table was read. */
bool partition_list_loaded(void);

#endif
