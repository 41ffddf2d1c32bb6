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

/* Finds and reads otadata: the entries as they are once a change that a power cut interrupted is
 * finished (formats/otadata_journal.h). ESP_ERR_NOT_FOUND (logged): no such partition;
 * ESP_ERR_INVALID_SIZE (logged): too small; flash errors (logged). */
esp_err_t otadata_read(otadata_t *data);

/* Writes one entry; does nothing if just this entry is there already. Whenever power is cut, the
 * old or the new entry counts; after ESP_OK the new one. Flash errors (logged); the old entry then
 * stays if it could be kept. */
esp_err_t otadata_write(otadata_t *data, const fmt_otadata_write_t *write);

/* Empties one entry, in the same way. */
esp_err_t otadata_erase_entry(otadata_t *data, unsigned index);

/* Erases the partition. Whenever power is cut, the entry in force still is, or there is none.
 * ESP_ERR_NOT_FOUND (logged); flash errors (logged). */
esp_err_t otadata_erase_all(void);

#endif
