/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

#include "flash_build.h"

/* --- entries: sections 3.1 and 3.3 --- */

model_entry_t model_entry(const uint8_t *raw)
{
    model_entry_t entry = {
        .seq = build_get_u32(raw),
        .state = build_get_u32(raw + 24),
        .crc = build_get_u32(raw + 28),
    };
    memcpy(entry.label, raw + 4, sizeof(entry.label));
    return entry;
}

void model_entry_bytes(const model_entry_t *entry, uint8_t *raw)
{
    build_put_u32(raw, entry->seq);
    memcpy(raw + 4, entry->label, sizeof(entry->label));
    build_put_u32(raw + 24, entry->state);
    build_put_u32(raw + 28, entry->crc);
}

static bool crc_right(const model_entry_t *e)
{
    return e->crc == build_seq_crc(e->seq);
}

static bool blocked(const model_entry_t *e)
{
    return e->seq == MODEL_EMPTY || e->state == MODEL_INVALID || e->state == MODEL_ABORTED;
}

static bool valid(const model_entry_t *e)
{
    return !blocked(e) && crc_right(e);
}

static bool blank(const model_entry_t *e)
{
    return e->seq == MODEL_EMPTY || !crc_right(e);
}

int model_active(const model_t *m)
{
    bool v0 = valid(&m->entry[0]), v1 = valid(&m->entry[1]);
    if (v0 && v1) {
        return m->entry[1].seq > m->entry[0].seq ? 1 : 0;
    }
    return v0 ? 0 : v1 ? 1 : -1;
}

static unsigned slot(const model_entry_t *e, unsigned n)
{
    return (unsigned)((uint32_t)(e->seq - 1u) % n);
}

/* --- changes --- */

static void write_entry(model_t *m, unsigned index, model_entry_t value)
{
    m->entry[index] = value;
    m->boots[index] = 0;
    m->writes[m->write_count++] =
        (model_write_t){.kind = MODEL_WRITE_ENTRY, .index = index, .value = value};
}

/* "Rewrite = set seq, recompute crc"; label as it was. */
static void rewrite(model_t *m, unsigned index, uint32_t seq, uint32_t state)
{
    model_entry_t value = m->entry[index];
    value.seq = seq;
    value.state = state;
    value.crc = build_seq_crc(seq);
    write_entry(m, index, value);
}

static void erase_entry(model_t *m, unsigned index)
{
    model_entry_t erased;
    memset(&erased, 0xFF, sizeof(erased));
    write_entry(m, index, erased);
}

/* The field has 16 bits; versions beyond it and below the present one change nothing. */
static void raise_efuse(model_t *m, uint32_t version)
{
    if (version > m->efuse && version <= 16) {
        m->efuse = version;
        m->writes[m->write_count++] =
            (model_write_t){.kind = MODEL_WRITE_EFUSE, .version = version};
    }
}

static void erase_place(model_t *m, int place)
{
    m->image[place] = (model_image_t){0};
    m->writes[m->write_count++] =
        (model_write_t){.kind = MODEL_ERASE_PLACE, .index = (unsigned)place};
}

/* --- the bootloader: section 4 --- */

static bool is_ota(uint8_t subtype)
{
    return subtype >= MODEL_SUB_OTA && subtype < MODEL_SUB_OTA + 16;
}

/* "Number of app rows with subtype 0x10-0x1F, gaps not considered." */
static unsigned boot_count(const model_t *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->table->places; i++) {
        n += is_ota(m->table->subtype[i]);
    }
    return n;
}

/* "If two rows have the same role the later one wins." */
static int last_row(const model_t *m, uint8_t subtype)
{
    int found = MODEL_NOWHERE;
    for (unsigned i = 0; i < m->table->places; i++) {
        if (m->table->subtype[i] == subtype) {
            found = (int)i;
        }
    }
    return found;
}

#define INDEX_FACTORY (-1)
#define INDEX_TEST    (-2)

static int place_of_index(const model_t *m, int index)
{
    if (index == INDEX_FACTORY) {
        return last_row(m, MODEL_SUB_FACTORY);
    }
    if (index == INDEX_TEST) {
        return last_row(m, MODEL_SUB_TEST);
    }
    return index < (int)boot_count(m) && index < 16 ? last_row(m, (uint8_t)(MODEL_SUB_OTA + index))
                                                    : MODEL_NOWHERE;
}

/* 4.4 */
static bool eligible(const model_t *m, int place)
{
    const model_image_t *image = &m->image[place];
    return !m->options.anti_rollback || (image->readable && image->secure_version >= m->efuse);
}

static bool boots(const model_t *m, int index)
{
    int place = place_of_index(m, index);
    return place != MODEL_NOWHERE && eligible(m, place) && m->image[place].valid;
}

/* 4.3: the index to begin with. raise: it comes from a VALID entry, so anti-rollback raises the
 * secure version to its app's. AIRLIFT: not here, but once the image has verified and starts; a
 * damaged image must not make the others ineligible. */
static int choose(model_t *m, bool *initial, bool *raise)
{
    unsigned n = boot_count(m);
    *initial = false;
    *raise = false;
    if (!m->table->otadata) {
        return INDEX_FACTORY;
    }
    if (m->options.rollback) {
        for (unsigned i = 0; i < 2; i++) {
            /* AIRLIFT: CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS boots, not one. */
            if (m->entry[i].state == MODEL_PENDING && 1 + m->boots[i] >= m->options.attempts) {
                rewrite(m, i, m->entry[i].seq, MODEL_ABORTED);
            }
        }
    }
    bool usable[2] = {valid(&m->entry[0]), valid(&m->entry[1])};
    if (m->options.anti_rollback) {
        if (blank(&m->entry[0]) && blank(&m->entry[1])) {
            *initial = true;
            return INDEX_FACTORY;
        }
        for (unsigned i = 0; i < 2; i++) {
            int place =
                usable[i] && n > 0 ? place_of_index(m, (int)slot(&m->entry[i], n)) : MODEL_NOWHERE;
            usable[i] = place != MODEL_NOWHERE && eligible(m, place);
        }
    } else if ((blocked(&m->entry[0]) && blocked(&m->entry[1])) || n == 0) {
        if (last_row(m, MODEL_SUB_FACTORY) != MODEL_NOWHERE) {
            return INDEX_FACTORY;
        }
        *initial = blank(&m->entry[0]) && blank(&m->entry[1]);
        return 0;
    }
    if (!usable[0] && !usable[1]) {
        return INDEX_FACTORY; /* "falling back to factory", or "will try all partitions" */
    }
    unsigned a =
        usable[0] && usable[1] ? (m->entry[1].seq > m->entry[0].seq ? 1 : 0) : (usable[0] ? 0 : 1);
    int index = (int)slot(&m->entry[a], n);
    if (m->options.rollback && m->entry[a].state == MODEL_NEW) {
        rewrite(m, a, m->entry[a].seq, MODEL_PENDING);
    } else if (m->options.rollback && m->entry[a].state == MODEL_PENDING) {
        m->boots[a]++;
        m->writes[m->write_count++] = (model_write_t){.kind = MODEL_COUNT_BOOT, .index = a};
    } else {
        *raise = m->options.anti_rollback && m->entry[a].state == MODEL_VALID;
    }
    return index;
}

/* 3.5. Sequence number 0 is never written; there is none left near 2^32. */
static bool next_seq(uint32_t current, unsigned s, unsigned n, uint32_t *seq)
{
    uint64_t candidate = (s + 1u) % n;
    while (candidate < current || candidate == 0) {
        uint64_t missing = candidate < current ? current - candidate : 1;
        candidate += (missing + n - 1) / n * n;
    }
    *seq = (uint32_t)candidate;
    return candidate < MODEL_EMPTY;
}

/* AIRLIFT: the image chosen first is damaged and another one starts, so the records follow the slot
 * that runs: it has the record in force, its own or a new one, and records of slots that were found
 * damaged are INVALID. */
static void follow(model_t *m, const bool damaged[16], int index)
{
    unsigned n = boot_count(m);
    if (!m->table->otadata || n == 0) {
        return;
    }
    bool bad[2];
    int own = -1;
    for (int i = 0; i < 2; i++) {
        const model_entry_t *e = &m->entry[i];
        unsigned s = slot(e, n);
        bad[i] = valid(e) && s < 16 && damaged[s];
        if ((int)s == index && !blank(e) && (own < 0 || blocked(&m->entry[own]))) {
            own = i;
        }
    }
    if (index >= 0 && own < 0) {
        /* A record that is worth something stays; if both are, the one in force goes. */
        int a = model_active(m);
        int to = a < 0 ? 0 : 1 - a;
        if (a >= 0 && valid(&m->entry[to]) && !bad[to]) {
            to = a;
        }
        uint32_t seq = (uint32_t)index + 1;
        if (a < 0 || next_seq(m->entry[a].seq, (unsigned)index, n, &seq)) {
            model_entry_t value = {.seq = seq, .state = MODEL_UNDEFINED, .crc = build_seq_crc(seq)};
            memset(value.label, 0xFF, sizeof(value.label));
            write_entry(m, (unsigned)to, value);
            bad[to] = false;
        }
    } else if (index >= 0 && blocked(&m->entry[own])) {
        rewrite(m, (unsigned)own, m->entry[own].seq, MODEL_UNDEFINED);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (bad[i]) {
            rewrite(m, i, m->entry[i].seq, MODEL_INVALID);
        }
    }
}

int model_boot(model_t *m)
{
    bool initial, raise;
    m->write_count = 0;
    int start = choose(m, &initial, &raise);
    int order[MODEL_PLACES + 2];
    unsigned count = 0;
    /* 4.5: downwards to factory, then upwards, then test. */
    for (int index = start; index >= INDEX_FACTORY; index--) {
        order[count++] = index;
    }
    for (int index = start + 1; index < (int)boot_count(m) && index < 16; index++) {
        order[count++] = index;
    }
    order[count++] = INDEX_TEST;
    bool damaged[16] = {false};
    bool chosen_damaged = false;
    for (unsigned i = 0; i < count; i++) {
        int place = place_of_index(m, order[i]);
        if (!boots(m, order[i])) {
            if (place != MODEL_NOWHERE && eligible(m, place)) {
                chosen_damaged = chosen_damaged || order[i] == start;
                if (order[i] >= 0) {
                    damaged[order[i]] = true;
                }
            }
            continue;
        }
        if (initial && order[i] >= 0) {
            model_entry_t entry = {.seq = (uint32_t)order[i] + 1, .state = MODEL_VALID};
            memset(entry.label, 0xFF, sizeof(entry.label));
            entry.crc = build_seq_crc(entry.seq);
            write_entry(m, 0, entry);
            if (m->options.anti_rollback) {
                raise_efuse(m, m->image[place].secure_version);
            }
        } else if (chosen_damaged && !m->options.strict) {
            follow(m, damaged, order[i]);
        } else if (raise && order[i] == start) {
            raise_efuse(m, m->image[place].secure_version);
        }
        return place;
    }
    return MODEL_NOWHERE;
}

bool model_anything_bootable(const model_t *m)
{
    for (int index = INDEX_TEST; index < 16; index++) {
        if (boots(m, index)) {
            return true;
        }
    }
    return false;
}

/* --- app_update: sections 3.3 to 3.6 --- */

static int first_row(const model_t *m, uint8_t subtype)
{
    for (unsigned i = 0; i < m->table->places; i++) {
        if (m->table->subtype[i] == subtype) {
            return (int)i;
        }
    }
    return MODEL_NOWHERE;
}

static int app_slot(const model_t *m, unsigned index)
{
    return first_row(m, (uint8_t)(MODEL_SUB_OTA + index));
}

/* "Count of consecutive subtypes present from ota_0 upward, stopping at the first gap." */
unsigned model_app_count(const model_t *m)
{
    unsigned n = 0;
    while (n < 16 && app_slot(m, n) != MODEL_NOWHERE) {
        n++;
    }
    return n;
}

static bool place_is_slot(const model_t *m, int place)
{
    return is_ota(m->table->subtype[place]);
}

static unsigned slot_of_place(const model_t *m, int place)
{
    return m->table->subtype[place] & 15u;
}

/* 3.4, steps 4 to 8, for a slot. */
static int select_slot(model_t *m, unsigned s, uint32_t state)
{
    unsigned n = model_app_count(m);
    if (s >= n) {
        return MODEL_INVALID_ARG;
    }
    int a = model_active(m);
    if (a < 0) {
        rewrite(m, 0, s + 1, state);
    } else if (slot(&m->entry[a], n) == s) {
        rewrite(m, (unsigned)a, m->entry[a].seq, state);
    } else {
        uint32_t seq;
        if (!next_seq(m->entry[a].seq, s, n, &seq)) {
            return MODEL_INVALID_STATE; /* AIRLIFT: "wrap-around is not handled" becomes an error */
        }
        rewrite(m, 1u - (unsigned)a, seq, state);
    }
    return MODEL_OK;
}

int model_set_boot(model_t *m, int place, bool validate)
{
    m->write_count = 0;
    if (validate && !m->image[place].valid) {
        return MODEL_VALIDATE_FAILED;
    }
    if (m->table->subtype[place] == MODEL_SUB_FACTORY) {
        return model_erase_otadata(m);
    }
    if (m->options.anti_rollback) {
        if (!m->image[place].readable) {
            return MODEL_NOT_FOUND;
        }
        if (m->image[place].secure_version < m->efuse) {
            erase_place(m, place);
            return MODEL_SMALL_SEC_VER;
        }
    }
    if (!m->table->otadata) {
        return MODEL_NOT_FOUND;
    }
    if (!place_is_slot(m, place)) {
        return MODEL_INVALID_ARG; /* AIRLIFT: test is not taken for slot 0 */
    }
    return select_slot(m, slot_of_place(m, place),
                       m->options.rollback ? MODEL_NEW : MODEL_UNDEFINED);
}

int model_erase_otadata(model_t *m)
{
    m->write_count = 0;
    if (!m->table->otadata) {
        return MODEL_NOT_FOUND;
    }
    erase_entry(m, 0);
    erase_entry(m, 1);
    return MODEL_OK;
}

/* The first entry "with matching slot and good crc". AIRLIFT: the newer of two, and none that is
 * empty. */
static int entry_of_slot(const model_t *m, unsigned s)
{
    unsigned n = model_app_count(m);
    int found = -1;
    if (m->options.strict) {
        for (int i = 0; i < 2 && n > 0; i++) {
            if (crc_right(&m->entry[i]) && slot(&m->entry[i], n) == s) {
                return i;
            }
        }
        return -1;
    }
    for (int i = 0; i < 2 && n > 0; i++) {
        const model_entry_t *e = &m->entry[i];
        if (!blank(e) && slot(e, n) == s && (found < 0 || e->seq > m->entry[found].seq)) {
            found = i;
        }
    }
    return found;
}

int model_get_state(const model_t *m, int place, uint32_t *state)
{
    if (!place_is_slot(m, place)) {
        return MODEL_NOT_SUPPORTED;
    }
    int entry = m->table->otadata ? entry_of_slot(m, slot_of_place(m, place)) : -1;
    if (entry < 0) {
        return MODEL_NOT_FOUND;
    }
    *state = m->entry[entry].state;
    return MODEL_OK;
}

/* Confirming and rejecting act on the active entry. AIRLIFT: on that of the slot that runs. */
static int find_record(const model_t *m, int *current)
{
    if (!m->table->otadata) {
        return MODEL_NOT_FOUND;
    }
    if (model_app_count(m) == 0 || model_active(m) < 0) {
        return MODEL_FAIL;
    }
    if (m->options.strict) {
        *current = model_active(m);
        return MODEL_OK;
    }
    if (!place_is_slot(m, m->running)) {
        return MODEL_FAIL;
    }
    *current = entry_of_slot(m, slot_of_place(m, m->running));
    return MODEL_OK;
}

int model_mark_valid(model_t *m)
{
    int current;
    m->write_count = 0;
    int err = find_record(m, &current);
    if (err != MODEL_OK) {
        return err;
    }
    if (current < 0) {
        /* AIRLIFT: after a fallback the record follows the slot that runs; but a choice for the
         * next boot that can boot stays. */
        int chosen = app_slot(m, slot(&m->entry[model_active(m)], model_app_count(m)));
        if (chosen == MODEL_NOWHERE || !m->image[chosen].valid) {
            err = select_slot(m, slot_of_place(m, m->running), MODEL_VALID);
        }
    } else if (m->entry[current].state == MODEL_VALID) {
        return MODEL_OK;
    } else {
        rewrite(m, (unsigned)current, m->entry[current].seq, MODEL_VALID);
    }
    if (err == MODEL_OK && m->options.anti_rollback) {
        uint32_t version = m->image[m->running].secure_version;
        if (version > 16) {
            return MODEL_INVALID_ARG;
        }
        if (version < m->efuse) {
            return MODEL_FAIL;
        }
        raise_efuse(m, version);
    }
    return err;
}

static bool other_boots(const model_t *m, int current)
{
    if (current < 0) {
        return false;
    }
    const model_entry_t *other = &m->entry[1 - current];
    int place;
    if (!valid(other)) {
        place = first_row(m, MODEL_SUB_FACTORY);
        return !m->options.anti_rollback && place != MODEL_NOWHERE && m->image[place].valid;
    }
    place = app_slot(m, slot(other, model_app_count(m)));
    if (!m->options.strict && place == m->running) {
        return false; /* AIRLIFT: both entries name the running slot */
    }
    return place != MODEL_NOWHERE && m->image[place].valid &&
           (!m->options.anti_rollback || m->image[place].secure_version >= m->efuse);
}

bool model_rollback_possible(const model_t *m)
{
    int current;
    return find_record(m, &current) == MODEL_OK && other_boots(m, current);
}

int model_mark_invalid(model_t *m)
{
    int current;
    m->write_count = 0;
    int err = find_record(m, &current);
    if (err != MODEL_OK) {
        return err;
    }
    if (!other_boots(m, current)) {
        return MODEL_ROLLBACK_FAILED;
    }
    rewrite(m, (unsigned)current, m->entry[current].seq, MODEL_INVALID);
    return MODEL_OK;
}

/* "An active entry exists, the other is not blank, its slot's partition exists and is not the
 * running one." */
static bool find_inactive(const model_t *m, unsigned *entry, int *place)
{
    unsigned n = model_app_count(m);
    int a = m->table->otadata ? model_active(m) : -1;
    if (a < 0 || n == 0) {
        return false;
    }
    *entry = 1u - (unsigned)a;
    if (blank(&m->entry[*entry])) {
        return false;
    }
    *place = app_slot(m, slot(&m->entry[*entry], n));
    return *place != MODEL_NOWHERE && *place != m->running;
}

int model_erase_last(model_t *m)
{
    unsigned entry;
    int place;
    m->write_count = 0;
    if (!find_inactive(m, &entry, &place)) {
        return MODEL_FAIL;
    }
    erase_place(m, place);
    erase_entry(m, entry);
    return MODEL_OK;
}

int model_invalidate_inactive(model_t *m)
{
    unsigned entry;
    int place;
    m->write_count = 0;
    if (!find_inactive(m, &entry, &place)) {
        return MODEL_FAIL;
    }
    erase_entry(m, entry);
    return MODEL_OK;
}

/* What begin says and does to otadata; the image is the caller's business. */
int model_begin(model_t *m, int place, bool open)
{
    m->write_count = 0;
    if (!place_is_slot(m, place)) {
        return MODEL_INVALID_ARG;
    }
    if (place == m->running) {
        return MODEL_CONFLICT;
    }
    uint32_t state;
    if (m->options.rollback && place_is_slot(m, m->running) &&
        model_get_state(m, m->running, &state) == MODEL_OK && state == MODEL_PENDING) {
        return MODEL_ROLLBACK_INVALID_STATE;
    }
    if (open) {
        return MODEL_IN_PROGRESS;
    }
    if (m->options.rollback) {
        (void)model_invalidate_inactive(m);
    }
    return MODEL_OK;
}

static int default_boot(const model_t *m)
{
    int place = first_row(m, MODEL_SUB_FACTORY);
    for (unsigned i = 0; place == MODEL_NOWHERE && i < 16; i++) {
        place = app_slot(m, i);
    }
    return place != MODEL_NOWHERE ? place : first_row(m, MODEL_SUB_TEST);
}

int model_get_boot(const model_t *m)
{
    if (!m->table->otadata) {
        return MODEL_NOWHERE;
    }
    unsigned n = model_app_count(m);
    if (n == 0 || (blocked(&m->entry[0]) && blocked(&m->entry[1])) || model_active(m) < 0) {
        return default_boot(m);
    }
    return app_slot(m, slot(&m->entry[model_active(m)], n));
}

int model_last_invalid(const model_t *m)
{
    int found = -1;
    unsigned n = model_app_count(m);
    if (!m->table->otadata || n == 0) {
        return MODEL_NOWHERE;
    }
    for (int i = 0; i < 2; i++) {
        const model_entry_t *e = &m->entry[i];
        if (e->seq != MODEL_EMPTY && crc_right(e) &&
            (e->state == MODEL_INVALID || e->state == MODEL_ABORTED) &&
            (found < 0 || e->seq < m->entry[found].seq)) {
            found = i;
        }
    }
    if (found < 0) {
        return MODEL_NOWHERE;
    }
    int place = app_slot(m, slot(&m->entry[found], n));
    return place != MODEL_NOWHERE && m->image[place].valid ? place : MODEL_NOWHERE;
}

int model_next_update(const model_t *m, int start)
{
    int first = MODEL_NOWHERE;
    bool passed = false;
    for (unsigned i = 0; i < 16; i++) {
        int place = app_slot(m, i);
        if (place == MODEL_NOWHERE) {
            continue;
        }
        if (passed) {
            return place;
        }
        first = first == MODEL_NOWHERE ? place : first;
        passed = place == start;
    }
    return first;
}
