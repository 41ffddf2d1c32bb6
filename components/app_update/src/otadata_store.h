/* SPDX-License-Identifier: Apache-2.0
 *
 * The otadata partition of the running system: the one place of app_update that reads and writes
 * it. */
#ifndef OTADATA_STORE_H
#define OTADATA_STORE_H

#include "formats/otadata.h"

#include "esp_partition.h"

typedef struct {
    const esp_partition_t *partition;
    fmt_otadata_entry_t entries[2];
} otadata_t;

/* Finds and reads otadata. ESP_ERR_NOT_FOUND (logged): no such partition; ESP_ERR_INVALID_SIZE
 * (logged): too small; flash errors. */
esp_err_t otadata_read(otadata_t *data);

/* Erases the sector of an entry and programs the entry; does nothing if just this entry is there
 * already. Flash errors. */
esp_err_t otadata_write(otadata_t *data, const fmt_otadata_write_t *write);

/* Empties one entry, or both. Flash errors. */
esp_err_t otadata_erase_entry(otadata_t *data, unsigned index);
esp_err_t otadata_erase_all(void);

#endif
