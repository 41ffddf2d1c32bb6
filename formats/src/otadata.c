/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/otadata.h"

#include <string.h>

#include "bytes.h"
#include "formats/crc32.h"

void fmt_otadata_decode(const void *raw, fmt_otadata_entry_t *entry)
{
    memcpy(entry, raw, FMT_OTADATA_ENTRY_SIZE);
}

void fmt_otadata_encode(const fmt_otadata_entry_t *entry, void *raw)
{
    memcpy(raw, entry, FMT_OTADATA_ENTRY_SIZE);
}

uint32_t fmt_otadata_crc(uint32_t seq)
{
    uint8_t raw[4];

    put_u32(raw, seq);
    return fmt_crc32(0xFFFFFFFFu, raw, sizeof(raw));
}

bool fmt_otadata_blocked(const fmt_otadata_entry_t *entry)
{
    return entry->seq == FMT_OTADATA_SEQ_EMPTY || entry->state == FMT_OTA_STATE_INVALID ||
           entry->state == FMT_OTA_STATE_ABORTED;
}

bool fmt_otadata_valid(const fmt_otadata_entry_t *entry)
{
    return !fmt_otadata_blocked(entry) && entry->crc == fmt_otadata_crc(entry->seq);
}

bool fmt_otadata_blank(const fmt_otadata_entry_t *entry)
{
    return entry->seq == FMT_OTADATA_SEQ_EMPTY || entry->crc != fmt_otadata_crc(entry->seq);
}

int fmt_otadata_active_of(const fmt_otadata_entry_t entries[2], const bool usable[2])
{
    bool valid[2];

    for (int i = 0; i < 2; i++) {
        valid[i] = usable[i] && fmt_otadata_valid(&entries[i]);
    }
    if (valid[0] && valid[1]) {
        return entries[1].seq > entries[0].seq ? 1 : 0;
    }
    return valid[0] ? 0 : valid[1] ? 1 : -1;
}

int fmt_otadata_active(const fmt_otadata_entry_t entries[2])
{
    static const bool both[2] = {true, true};

    return fmt_otadata_active_of(entries, both);
}

unsigned fmt_otadata_slot(const fmt_otadata_entry_t *entry, unsigned slots)
{
    return (unsigned)((entry->seq - 1u) % slots);
}

uint32_t fmt_otadata_next_seq(uint32_t current, unsigned slot, unsigned slots)
{
    /* In 32 bits: the bootloader has no division of more. */
    uint32_t seq = (slot + 1u) % slots;

    if (seq < current) {
        uint32_t beyond = (current - seq) % slots;
        uint32_t up = beyond == 0 ? 0 : slots - beyond;

        seq = current < FMT_OTADATA_SEQ_EMPTY - up ? current + up : FMT_OTADATA_SEQ_EMPTY;
    }
    return seq != 0 ? seq : slots; /* 0 has a CRC that looks like erased flash */
}

/* old: what stands at index now; its label stays. */
static void fill(const fmt_otadata_entry_t *old, unsigned index, uint32_t seq, uint32_t state,
                 fmt_otadata_write_t *write)
{
    write->index = index;
    write->entry = *old;
    write->entry.seq = seq;
    write->entry.state = state;
    write->entry.crc = fmt_otadata_crc(seq);
}

esp_err_t fmt_otadata_set_boot(const fmt_otadata_entry_t entries[2], unsigned slot, unsigned slots,
                               uint32_t state, fmt_otadata_write_t *write)
{
    int active = fmt_otadata_active(entries);
    uint32_t seq;

    if (slot >= slots) {
        return ESP_ERR_INVALID_ARG;
    }
    if (active < 0) {
        fill(&entries[0], 0, slot + 1u, state, write);
        return ESP_OK;
    }
    if (fmt_otadata_slot(&entries[active], slots) == slot) {
        fill(&entries[active], (unsigned)active, entries[active].seq, state, write);
        return ESP_OK;
    }
    seq = fmt_otadata_next_seq(entries[active].seq, slot, slots);
    if (seq == FMT_OTADATA_SEQ_EMPTY) {
        return ESP_ERR_INVALID_STATE;
    }
    fill(&entries[1 - active], 1u - (unsigned)active, seq, state, write);
    return ESP_OK;
}

void fmt_otadata_set_state(const fmt_otadata_entry_t entries[2], unsigned index, uint32_t state,
                           fmt_otadata_write_t *write)
{
    fill(&entries[index], index, entries[index].seq, state, write);
}

void fmt_otadata_initial(unsigned slot, fmt_otadata_write_t *write)
{
    fmt_otadata_entry_t erased;

    memset(&erased, 0xFF, sizeof(erased));
    fill(&erased, 0, slot + 1u, FMT_OTA_STATE_VALID, write);
}

int fmt_otadata_last_invalid(const fmt_otadata_entry_t entries[2])
{
    bool rejected[2];

    for (int i = 0; i < 2; i++) {
        rejected[i] = !fmt_otadata_blank(&entries[i]) && fmt_otadata_blocked(&entries[i]);
    }
    if (rejected[0] && rejected[1]) {
        return entries[1].seq < entries[0].seq ? 1 : 0;
    }
    return rejected[0] ? 0 : rejected[1] ? 1 : -1;
}

int fmt_otadata_find_slot(const fmt_otadata_entry_t entries[2], unsigned slot, unsigned slots)
{
    for (int i = 0; i < 2; i++) {
        if (slots > 0 && entries[i].crc == fmt_otadata_crc(entries[i].seq) &&
            fmt_otadata_slot(&entries[i], slots) == slot) {
            return i;
        }
    }
    return -1;
}

const char *fmt_otadata_state_name(uint32_t state)
{
    static const char *const names[] = {"new", "pending verify", "valid", "invalid", "aborted"};

    if (state == FMT_OTA_STATE_UNDEFINED) {
        return "undefined";
    }
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}
