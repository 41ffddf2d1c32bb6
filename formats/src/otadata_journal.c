/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules the code below keeps:
 *
 * - Every erase and every program of an entry's sector happens while the other sector holds a
 * record of it, so a torn one is always done again, even where it reads right: bits of a torn erase
 * or program may read differently next time. (Exception: no room for a record, and the end of
 *   fmt_otadata_erase_all(), when there is no entry any more.)
 * - There is never more than one such record: an old one is carried out before a new one is
 * written.
 * - A record that is done is programmed to zero, all of it: no later torn erase, which only sets
 *   bits, makes a record with a right CRC of that.
 * - Records stand one after the other; the first erased place ends them. A place that did not take
 * a record is made zero. */
#include "formats/otadata_journal.h"

#include <string.h>

#include "bytes.h"
#include "formats/crc32.h"

#define MAGIC 0x314A4F41u /* "AOJ1" */

/* Times to look whether bytes are there: what reads right by chance does not each time. */
#define LOOKS 8

/* As in flash. */
typedef struct {
    uint32_t magic;
    uint32_t target;           /* entry to change: not the one of this sector */
    uint32_t known;            /* the largest sequence number at the time; 2^32 - 1: whatever is
                                  in the entry's place is to go */
    fmt_otadata_entry_t entry; /* what it is going to be; 0xFF bytes: nothing */
    uint32_t crc;              /* CRC-32 of the bytes before */
} record_t;

_Static_assert(sizeof(record_t) == FMT_OTADATA_RECORD_SIZE, "journal record layout");
_Static_assert(FMT_OTADATA_JOURNAL_OFFSET + FMT_OTADATA_PLACES * FMT_OTADATA_RECORD_SIZE <=
                   FMT_OTADATA_BOOTS_OFFSET,
               "the journal ends before the boots");
_Static_assert(FMT_OTADATA_BOOTS_OFFSET + 4 * FMT_OTADATA_BOOTS_MAX == FMT_OTADATA_SECTOR,
               "the boots end the sector");

/* What the journal of one sector says. */
typedef struct {
    record_t record;
    unsigned live; /* place of that record, FMT_OTADATA_PLACES: none */
    unsigned free; /* first free place, FMT_OTADATA_PLACES: none */
    bool unstable; /* a place does not stay as it was programmed: the sector's erase was torn */
} journal_t;

static uint32_t place_offset(unsigned host, unsigned place)
{
    return host * FMT_OTADATA_SECTOR + FMT_OTADATA_JOURNAL_OFFSET + place * FMT_OTADATA_RECORD_SIZE;
}

static bool filled_with(const void *data, uint8_t value)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < FMT_OTADATA_ENTRY_SIZE; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static bool record_filled_with(const record_t *record, uint8_t value)
{
    return filled_with(record, value) &&
           filled_with((const uint8_t *)record + sizeof(*record) - FMT_OTADATA_ENTRY_SIZE, value);
}

static uint32_t record_crc(const record_t *record)
{
    return fmt_crc32(0, record, offsetof(record_t, crc));
}

/* Whether the bytes are in flash, for good. len <= FMT_OTADATA_RECORD_SIZE. */
static esp_err_t compare(const fmt_otadata_io_t *io, uint32_t offset, const void *bytes, size_t len,
                         bool *equal)
{
    uint8_t raw[FMT_OTADATA_RECORD_SIZE];
    esp_err_t err = ESP_OK;

    *equal = true;
    for (int look = 0; look < LOOKS && *equal; look++) {
        err = io->read(io->context, offset, raw, len);
        *equal = err == ESP_OK && memcmp(raw, bytes, len) == 0;
    }
    return err;
}

/* Programs and looks. *held: whether it is there now. */
static esp_err_t program(const fmt_otadata_io_t *io, uint32_t offset, const void *bytes, size_t len,
                         bool *held)
{
    esp_err_t err = io->program(io->context, offset, bytes, len);

    *held = false;
    return err != ESP_OK ? err : compare(io, offset, bytes, len, held);
}

/* What a record that is carried out becomes. */
static const uint8_t done[FMT_OTADATA_RECORD_SIZE];

static esp_err_t retire(const fmt_otadata_io_t *io, unsigned host, unsigned place)
{
    return io->program(io->context, place_offset(host, place), done, sizeof(done));
}

/* Reads the journal in sector host. clean: what is neither free nor done nor the record found, a
 * torn record for instance, is made zero, so that it never turns into one later. That it could not
 * be is no error: nothing depends on it now. */
static esp_err_t scan(const fmt_otadata_io_t *io, unsigned host, bool clean, journal_t *journal)
{
    record_t record;

    journal->live = FMT_OTADATA_PLACES;
    journal->unstable = false;
    for (journal->free = 0; journal->free < FMT_OTADATA_PLACES; journal->free++) {
        unsigned stale = journal->free;
        uint32_t offset = place_offset(host, journal->free);
        esp_err_t err = io->read(io->context, offset, &record, sizeof(record));

        if (err != ESP_OK) {
            return err;
        }
        if (record_filled_with(&record, 0)) {
            continue;
        }
        if (record_filled_with(&record, 0xFF)) {
            bool blank;

            err = compare(io, offset, &record, sizeof(record), &blank);
            if (err != ESP_OK || blank) {
                return err;
            }
        }
        if (record.magic == MAGIC && record.target == 1 - host &&
            record.crc == record_crc(&record)) {
            stale = journal->live; /* only forged contents have two */
            journal->live = journal->free;
            journal->record = record;
        }
        if (clean && stale < FMT_OTADATA_PLACES) {
            bool held;

            (void)program(io, place_offset(host, stale), done, sizeof(done), &held);
            journal->unstable = journal->unstable || !held;
        }
    }
    return ESP_OK;
}

/* Reads the entries, and the record that is to be carried out. *healed: its target, -1: none. */
static esp_err_t look(const fmt_otadata_io_t *io, bool clean, fmt_otadata_entry_t entries[2],
                      int *healed, journal_t *journal)
{
    *healed = -1;
    for (unsigned i = 0; i < 2; i++) {
        esp_err_t err =
            io->read(io->context, i * FMT_OTADATA_SECTOR, &entries[i], FMT_OTADATA_ENTRY_SIZE);

        if (err != ESP_OK) {
            return err;
        }
    }
    for (unsigned host = 0; host < 2 && !io->plain && *healed < 0; host++) {
        fmt_otadata_entry_t *target = &entries[1 - host];
        esp_err_t err = scan(io, host, clean, journal);

        if (err != ESP_OK) {
            return err;
        }
        if (journal->live == FMT_OTADATA_PLACES) {
            if (journal->unstable && filled_with(&entries[host], 0xFF)) {
                /* No record can be trusted here, and there is nothing to lose. */
                (void)io->erase_sector(io->context, host * FMT_OTADATA_SECTOR);
            }
        } else if (!fmt_otadata_blank(target) && target->seq > journal->record.known) {
            /* Written later, by somebody who does not know the journal. */
            if (clean) {
                (void)retire(io, host, journal->live);
            }
        } else {
            *target = journal->record.entry;
            *healed = (int)(1 - host);
        }
    }
    return ESP_OK;
}

esp_err_t fmt_otadata_load(const fmt_otadata_io_t *io, fmt_otadata_entry_t entries[2])
{
    journal_t journal;
    int healed;

    return look(io, false, entries, &healed, &journal);
}

/* Erases the sector of an entry and programs the entry. */
static esp_err_t put(const fmt_otadata_io_t *io, unsigned index, const fmt_otadata_entry_t *entry)
{
    uint32_t offset = index * FMT_OTADATA_SECTOR;
    esp_err_t err = io->erase_sector(io->context, offset);
    bool held;

    if (err != ESP_OK || filled_with(entry, 0xFF)) {
        return err;
    }
    if (io->plain) {
        return io->program(io->context, offset, entry, sizeof(*entry));
    }
    err = program(io, offset, entry, sizeof(*entry), &held);
    return err == ESP_OK && !held ? ESP_ERR_FLASH_OP_FAIL : err;
}

esp_err_t fmt_otadata_heal(const fmt_otadata_io_t *io, fmt_otadata_entry_t entries[2], int *healed)
{
    journal_t journal;
    esp_err_t err = look(io, true, entries, healed, &journal);

    if (err != ESP_OK || *healed < 0) {
        return err;
    }
    unsigned target = (unsigned)*healed;

    /* The record too may be the work of a torn program: once more, before anything depends on it.
     * If it does not take that, acting on it now is still the best. */
    (void)io->program(io->context, place_offset(1 - target, journal.live), &journal.record,
                      sizeof(journal.record));
    err = put(io, target, &entries[target]);
    return err != ESP_OK ? err : retire(io, 1 - target, journal.live);
}

/* Writes the record of a change. *place: where; FMT_OTADATA_PLACES: there is no room. */
static esp_err_t announce(const fmt_otadata_io_t *io, const fmt_otadata_entry_t entries[2],
                          unsigned index, const fmt_otadata_entry_t *entry, unsigned *place)
{
    unsigned host = 1 - index;
    record_t record = {.magic = MAGIC, .target = index, .entry = *entry};
    journal_t journal;
    esp_err_t err = scan(io, host, false, &journal);

    for (unsigned i = 0; i < 2; i++) {
        if (!fmt_otadata_blank(&entries[i]) && entries[i].seq > record.known) {
            record.known = entries[i].seq;
        }
    }
    if (!fmt_otadata_blank(entry) && entry->seq > record.known) {
        record.known = entry->seq;
    }
    if (fmt_otadata_blank(&entries[index]) && entries[index].seq != FMT_OTADATA_SEQ_EMPTY) {
        /* A torn erase may set the very bits that make its CRC right. */
        record.known = UINT32_MAX;
    }
    record.crc = record_crc(&record);
    for (*place = journal.free; err == ESP_OK && *place < FMT_OTADATA_PLACES; (*place)++) {
        bool held;

        err = program(io, place_offset(host, *place), &record, sizeof(record), &held);
        if (held) {
            break;
        }
        (void)retire(io, host, *place);
    }
    return err;
}

/* Makes the change that the record at place (FMT_OTADATA_PLACES: none) announces. */
static esp_err_t carry_out(const fmt_otadata_io_t *io, unsigned index,
                           const fmt_otadata_entry_t *old, const fmt_otadata_entry_t *entry,
                           unsigned place)
{
    esp_err_t err = put(io, index, entry);
    bool settled = err == ESP_OK;

    if (!settled) {
        (void)compare(io, index * FMT_OTADATA_SECTOR, old, sizeof(*old), &settled);
    }
    if (place < FMT_OTADATA_PLACES && settled) {
        /* Done, or undone, which the caller learns, so it must not come true later. A record that
         * cannot be retired now is harmless after success: it says what is there. */
        (void)retire(io, 1 - index, place);
    }
    return err;
}

static esp_err_t change(const fmt_otadata_io_t *io, const fmt_otadata_entry_t entries[2],
                        unsigned index, const fmt_otadata_entry_t *entry)
{
    unsigned host = 1 - index;
    unsigned place;
    esp_err_t err = announce(io, entries, index, entry, &place);

    if (err == ESP_OK && place == FMT_OTADATA_PLACES) {
        /* Room is made by writing the other entry anew, with a record in this one's sector, or
         * without if there is nothing to lose. */
        unsigned other_place;

        err = announce(io, entries, host, &entries[host], &other_place);
        if (err == ESP_OK &&
            (other_place < FMT_OTADATA_PLACES || fmt_otadata_blank(&entries[host]))) {
            err = carry_out(io, host, &entries[host], &entries[host], other_place);
            if (err == ESP_OK) {
                err = announce(io, entries, index, entry, &place);
            }
        }
    }
    return err != ESP_OK ? err : carry_out(io, index, &entries[index], entry, place);
}

esp_err_t fmt_otadata_rewrite(const fmt_otadata_io_t *io, const fmt_otadata_write_t *write)
{
    fmt_otadata_entry_t entries[2];
    int healed;
    esp_err_t err;

    if (io->plain) {
        return put(io, write->index, &write->entry);
    }
    err = fmt_otadata_heal(io, entries, &healed);
    if (err != ESP_OK || memcmp(&entries[write->index], &write->entry, sizeof(write->entry)) == 0) {
        return err;
    }
    return change(io, entries, write->index, &write->entry);
}

/* Without the journal; all that is there is erased. */
static esp_err_t erase_sectors(const fmt_otadata_io_t *io)
{
    esp_err_t err = io->erase_sector(io->context, 0);

    return err != ESP_OK ? err : io->erase_sector(io->context, FMT_OTADATA_SECTOR);
}

esp_err_t fmt_otadata_erase_all(const fmt_otadata_io_t *io)
{
    fmt_otadata_entry_t entries[2];
    fmt_otadata_write_t write;
    int healed;
    esp_err_t err;

    if (io->plain) {
        return erase_sectors(io);
    }
    err = fmt_otadata_heal(io, entries, &healed);
    if (err != ESP_OK) {
        return err;
    }
    memset(&write.entry, 0xFF, sizeof(write.entry));
    /* The entry in force goes last: until then it is in force. */
    write.index = fmt_otadata_active(entries) == 0 ? 1 : 0;
    err = fmt_otadata_rewrite(io, &write);
    if (err == ESP_OK) {
        write.index = 1 - write.index;
        err = fmt_otadata_rewrite(io, &write);
    }
    if (err == ESP_OK) {
        /* What is left says nothing; that it cannot be erased changes nothing. */
        (void)erase_sectors(io);
    }
    return err;
}

esp_err_t fmt_otadata_journal_usage(const fmt_otadata_io_t *io, unsigned sector, unsigned *finished,
                                    unsigned *available)
{
    record_t record;

    *finished = *available = 0;
    for (unsigned place = 0; place < FMT_OTADATA_PLACES; place++) {
        esp_err_t err = io->read(io->context, place_offset(sector, place), &record, sizeof(record));

        if (err != ESP_OK) {
            return err;
        }
        *finished += record_filled_with(&record, 0);
        *available += record_filled_with(&record, 0xFF);
    }
    return ESP_OK;
}

esp_err_t fmt_otadata_boots(const fmt_otadata_io_t *io, unsigned index, unsigned *count)
{
    uint32_t words[FMT_OTADATA_BOOTS_MAX];
    esp_err_t err = io->read(io->context, index * FMT_OTADATA_SECTOR + FMT_OTADATA_BOOTS_OFFSET,
                             words, sizeof(words));

    *count = 0;
    if (err == ESP_OK) {
        while (*count < FMT_OTADATA_BOOTS_MAX && words[*count] != 0xFFFFFFFFu) {
            (*count)++;
        }
    }
    return err;
}

esp_err_t fmt_otadata_count_boot(const fmt_otadata_io_t *io, unsigned index)
{
    static const uint32_t used = 0;
    unsigned count;
    esp_err_t err = fmt_otadata_boots(io, index, &count);

    if (err != ESP_OK || count == FMT_OTADATA_BOOTS_MAX) {
        return err;
    }
    return io->program(io->context,
                       index * FMT_OTADATA_SECTOR + FMT_OTADATA_BOOTS_OFFSET + count * 4, &used,
                       sizeof(used));
}
