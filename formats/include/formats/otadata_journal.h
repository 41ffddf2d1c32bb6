/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and changing otadata so that no power cut loses a record.
 *
 * An entry is changed by erasing its sector and programming it. What stands between the two if
 * power goes is a journal record in the unused bytes of the other sector: each change first writes
 * down there what the entry is going to be, and marks that as done in the end. A record that is not
 * marked is carried out again. ESP-IDF's own bootloader and library read the first 32 bytes of each
 * sector only and neither see nor disturb this.
 *
 *     sector i:  0     entry i
 *                32    FMT_OTADATA_PLACES records of 48 bytes, for changes of entry 1 - i
 *                4032  16 words: boots that the app of entry i was given (see below)
 *
 * Offsets count from the start of the otadata partition, which has at least FMT_OTADATA_SIZE bytes.
 * Nothing here locks: one task at a time. */
#ifndef FORMATS_OTADATA_JOURNAL_H
#define FORMATS_OTADATA_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"
#include "formats/otadata.h"

#define FMT_OTADATA_JOURNAL_OFFSET 32u
#define FMT_OTADATA_RECORD_SIZE    48u
#define FMT_OTADATA_PLACES         83u
#define FMT_OTADATA_BOOTS_OFFSET   4032u
#define FMT_OTADATA_BOOTS_MAX      16u

/* The flash below. Each function returns ESP_OK or the error that the functions here then return.
 */
typedef struct {
    esp_err_t (*read)(void *context, uint32_t offset, void *dst, size_t len);
    esp_err_t (*program)(void *context, uint32_t offset, const void *src, size_t len);
    esp_err_t (*erase_sector)(void *context, uint32_t offset);
    void *context;
    bool plain; /* without the journal, exactly as ESP-IDF does it: records are neither written nor
                   looked at */
} fmt_otadata_io_t;

/* Reads both entries as they are once a change that was cut off is finished. Changes nothing: only
 * io->read is called. Errors of io. */
esp_err_t fmt_otadata_load(const fmt_otadata_io_t *io, fmt_otadata_entry_t entries[2]);

/* The same, and finishes such a change in flash. *healed: the entry it was about (0 or 1), -1 when
 * there was none. Errors of io: the entries are still to be trusted if io could read (*healed is
 * then >= 0), only the work is left for the next time. */
esp_err_t fmt_otadata_heal(const fmt_otadata_io_t *io, fmt_otadata_entry_t entries[2], int *healed);

/* Makes write->entry the entry write->index, after finishing an older change; an entry of 0xFF
 * bytes erases it. Does nothing if just that is there. Wherever power is cut, fmt_otadata_load()
 * gives the old entry or the new one, and the new one from when this returned ESP_OK. The words at
 * the end of the sector are erased with it.
 *
 * Errors of io: if the old entry could be kept, it stays; if it is gone already, the new one comes
 * with the next fmt_otadata_heal() or change.
 *
 * Bytes of somebody else in both sectors can leave no room for a record. The change is made then
 * all the same, without that protection. */
esp_err_t fmt_otadata_rewrite(const fmt_otadata_io_t *io, const fmt_otadata_write_t *write);

/* Erases both sectors. Wherever power is cut, the active entry (fmt_otadata_active()) is the same
 * as before or there is none. Errors of io, as with fmt_otadata_rewrite(). */
esp_err_t fmt_otadata_erase_all(const fmt_otadata_io_t *io);

/* For people: how many places of the journal in sector `sector` (0 or 1) hold a record that is
 * done, and how many are free. Errors of io. */
esp_err_t fmt_otadata_journal_usage(const fmt_otadata_io_t *io, unsigned sector, unsigned *finished,
                                    unsigned *available);

/* --- boots given to an app that is not confirmed yet ---
 *
 * Words at the end of the sector of its entry, programmed to zero one after the other; erased
 * whenever the entry is written. */

/* How many, 0 .. FMT_OTADATA_BOOTS_MAX. Errors of io. */
esp_err_t fmt_otadata_boots(const fmt_otadata_io_t *io, unsigned index, unsigned *count);

/* Counts one more; with all of them used it does nothing. Errors of io. */
esp_err_t fmt_otadata_count_boot(const fmt_otadata_io_t *io, unsigned index);

#endif
