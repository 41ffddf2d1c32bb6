/* SPDX-License-Identifier: Apache-2.0
 *
 * otadata: the two records that say which slot boots. Source: formats specification, section 3.
 *
 * The partition is 0x2000 bytes, one record at the start of each 4 KiB sector. A record is
 * rewritten by erasing its sector and programming the 32 bytes. */
#ifndef FORMATS_OTADATA_H
#define FORMATS_OTADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

#define FMT_OTADATA_SIZE       0x2000u
#define FMT_OTADATA_SECTOR     0x1000u
#define FMT_OTADATA_ENTRY_SIZE 32u
#define FMT_OTADATA_SEQ_EMPTY  0xFFFFFFFFu
#define FMT_OTA_SLOTS_MAX      16u

#define FMT_OTA_STATE_NEW            0u
#define FMT_OTA_STATE_PENDING_VERIFY 1u
#define FMT_OTA_STATE_VALID          2u
#define FMT_OTA_STATE_INVALID        3u
#define FMT_OTA_STATE_ABORTED        4u
#define FMT_OTA_STATE_UNDEFINED      0xFFFFFFFFu

/* Same layout as in flash. */
typedef struct {
    uint32_t seq;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc; /* of the four seq bytes alone */
} fmt_otadata_entry_t;

_Static_assert(sizeof(fmt_otadata_entry_t) == FMT_OTADATA_ENTRY_SIZE, "otadata entry layout");

/* Copies an entry from or to 32 bytes at raw (any alignment). Every content is an entry. */
void fmt_otadata_decode(const void *raw, fmt_otadata_entry_t *entry);
void fmt_otadata_encode(const fmt_otadata_entry_t *entry, void *raw);

/* The CRC that belongs to a sequence number. */
uint32_t fmt_otadata_crc(uint32_t seq);

/* Predicates of section 3.3. */
bool fmt_otadata_blocked(const fmt_otadata_entry_t *entry); /* empty, INVALID or ABORTED */
bool fmt_otadata_valid(const fmt_otadata_entry_t *entry);   /* not blocked, and the CRC is right */
bool fmt_otadata_blank(const fmt_otadata_entry_t *entry);   /* empty, or the CRC is wrong */

/* Index (0 or 1) of the entry that counts: the valid one with the larger seq, entry 0 on a tie;
 * -1 when none is valid. */
int fmt_otadata_active(const fmt_otadata_entry_t entries[2]);

/* The same among the entries with usable[i] only (which must also be valid). */
int fmt_otadata_active_of(const fmt_otadata_entry_t entries[2], const bool usable[2]);

/* The slot an entry selects: (seq - 1) mod slots; slots is the number of OTA slots, > 0. */
unsigned fmt_otadata_slot(const fmt_otadata_entry_t *entry, unsigned slots);

/* The smallest sequence number >= current that selects slot (< slots), never 0. Callers pass a slot
 * other than the current one, which makes the result larger than current.
 * FMT_OTADATA_SEQ_EMPTY: there is none left below 2^32 - 1. */
uint32_t fmt_otadata_next_seq(uint32_t current, unsigned slot, unsigned slots);

/* One record to write: erase the sector of entry index, program these 32 bytes. */
typedef struct {
    unsigned index;
    fmt_otadata_entry_t entry;
} fmt_otadata_write_t;

/* What choosing slot as boot slot writes (3.4). state: FMT_OTA_STATE_NEW in a rollback build, else
 * FMT_OTA_STATE_UNDEFINED. ESP_ERR_INVALID_ARG: slot >= slots. ESP_ERR_INVALID_STATE: sequence
 * numbers are used up (only a forged otadata gets there); erasing otadata helps. */
esp_err_t fmt_otadata_set_boot(const fmt_otadata_entry_t entries[2], unsigned slot, unsigned slots,
                               uint32_t state, fmt_otadata_write_t *write);

/* What giving entry index (0 or 1) another state writes: seq and label stay, the CRC is made
 * anew. */
void fmt_otadata_set_state(const fmt_otadata_entry_t entries[2], unsigned index, uint32_t state,
                           fmt_otadata_write_t *write);

/* The entry whose sector is written at the very first boot of an OTA slot with empty otadata (4.5):
 * entry 0, seq slot + 1, VALID. */
void fmt_otadata_initial(unsigned slot, fmt_otadata_write_t *write);

/* Index of the entry that describes the last rejected update (3.6): INVALID or ABORTED, CRC right,
 * the smaller seq of two; -1 when there is none. */
int fmt_otadata_last_invalid(const fmt_otadata_entry_t entries[2]);

/* Index of the first entry with a right CRC that selects slot, -1 when none does (3.6, state of a
 * partition). */
int fmt_otadata_find_slot(const fmt_otadata_entry_t entries[2], unsigned slot, unsigned slots);

/* "new", "pending verify", "valid", "invalid", "aborted", "undefined"; "unknown" for the rest. */
const char *fmt_otadata_state_name(uint32_t state);

#endif
