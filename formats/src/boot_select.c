/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/boot_select.h"

#include <stdio.h>
#include <string.h>

/* --- the roles of a table --- */

void fmt_boot_table_scan(const uint8_t *rows, unsigned count, fmt_boot_table_t *table)
{
    memset(table, 0, sizeof(*table));
    for (unsigned i = 0; i < count; i++) {
        fmt_partition_t entry;

        if (fmt_partition_row_decode(rows + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) !=
            FMT_ROW_ENTRY) {
            continue;
        }
        fmt_boot_pos_t pos = {entry.offset, entry.size};

        if (fmt_partition_is_ota(entry.type, entry.subtype)) {
            table->ota[entry.subtype & 15] = pos;
            table->ota_count++;
        } else if (entry.type == FMT_PART_TYPE_APP && entry.subtype == FMT_PART_APP_FACTORY) {
            table->factory = pos;
            table->has_factory = true;
        } else if (entry.type == FMT_PART_TYPE_APP && entry.subtype == FMT_PART_APP_TEST) {
            table->test = pos;
            table->has_test = true;
        } else if (entry.type == FMT_PART_TYPE_DATA && entry.subtype == FMT_PART_DATA_OTA) {
            table->otadata = pos;
            table->has_otadata = true;
        }
    }
}

fmt_boot_pos_t fmt_boot_position(const fmt_boot_table_t *table, int index)
{
    static const fmt_boot_pos_t nowhere = {0, 0};

    if (index == FMT_BOOT_FACTORY) {
        return table->factory;
    }
    if (index == FMT_BOOT_TEST) {
        return table->test;
    }
    if (index >= 0 && index < (int)FMT_OTA_SLOTS_MAX && (unsigned)index < table->ota_count) {
        return table->ota[index];
    }
    return nowhere;
}

/* --- the choice --- */

/* Everything one choice works on. */
typedef struct {
    const fmt_boot_table_t *table;
    const fmt_boot_config_t *config;
    fmt_otadata_entry_t entries[2];
    fmt_boot_choice_t *choice;
} choosing_t;

static fmt_boot_action_t *add(choosing_t *c, fmt_boot_action_kind_t kind)
{
    fmt_boot_action_t *action = &c->choice->actions[c->choice->action_count++];

    action->kind = kind;
    return action;
}

static void say(choosing_t *c, fmt_boot_message_t message, uint32_t arg, uint32_t arg2)
{
    fmt_boot_action_t *action = add(c, FMT_BOOT_ACT_LOG);

    action->message = message;
    action->arg = arg;
    action->arg2 = arg2;
}

/* For lines of level D, which a build that cannot show them leaves out. */
#ifdef FMT_BOOT_NO_DEBUG_LINES
#define SAY_DEBUG(c, message, arg, arg2) ((void)0)
#else
#define SAY_DEBUG(c, message, arg, arg2) say(c, message, arg, arg2)
#endif

/* Gives an entry a new state, in flash and for the rest of this choice. */
static void set_state(choosing_t *c, unsigned index, uint32_t state)
{
    fmt_boot_action_t *action = add(c, FMT_BOOT_ACT_WRITE_OTADATA);

    fmt_otadata_set_state(c->entries, index, state, &action->write);
    c->entries[index] = action->write.entry;
}

/* Step 3: whoever was started for a trial and did not confirm itself has failed, unless it has
 * boots left. */
static void abort_unconfirmed(choosing_t *c)
{
    for (unsigned i = 0; i < 2; i++) {
        if (c->entries[i].state == FMT_OTA_STATE_PENDING_VERIFY &&
            c->config->more_boots[i] + 1 >= c->config->attempts) {
            SAY_DEBUG(c, FMT_BOOT_MSG_MARK_ABORTED, i, 0);
            set_state(c, i, FMT_OTA_STATE_ABORTED);
        }
    }
}

bool fmt_boot_eligible(const fmt_boot_config_t *config, bool readable, uint32_t version)
{
    return !config->anti_rollback || (readable && version >= config->secure_version);
}

/* Which valid entries anti-rollback lets through; versions of their apps go to versions. */
static void judge_versions(choosing_t *c, bool usable[2], uint32_t versions[2])
{
    for (unsigned i = 0; i < 2; i++) {
        int slot;
        bool readable;

        usable[i] = false;
        if (!fmt_otadata_valid(&c->entries[i]) || c->table->ota_count == 0) {
            continue;
        }
        slot = (int)fmt_otadata_slot(&c->entries[i], c->table->ota_count);
        readable = fmt_boot_position(c->table, slot).size != 0 &&
                   c->config->app_secure_version != NULL &&
                   c->config->app_secure_version(c->config->context, slot, &versions[i]);
        if (!readable) {
            say(c, FMT_BOOT_MSG_NO_DESCRIPTION, (uint32_t)slot, 0);
        }
        usable[i] = fmt_boot_eligible(c->config, readable, versions[i]);
    }
}

/* Step 6: the entry decides. */
static void take(choosing_t *c, unsigned index, uint32_t app_version)
{
    const fmt_otadata_entry_t *entry = &c->entries[index];
    unsigned slot = fmt_otadata_slot(entry, c->table->ota_count);

    SAY_DEBUG(c, FMT_BOOT_MSG_ACTIVE, index, 0);
    SAY_DEBUG(c, FMT_BOOT_MSG_MAPPING, entry->seq, slot);
    c->choice->active = (int)index;
    c->choice->start = (int)slot;
    if (c->config->rollback && entry->state == FMT_OTA_STATE_NEW) {
        SAY_DEBUG(c, FMT_BOOT_MSG_PENDING, index, 0);
        set_state(c, index, FMT_OTA_STATE_PENDING_VERIFY);
    } else if (c->config->rollback && entry->state == FMT_OTA_STATE_PENDING_VERIFY) {
        say(c, FMT_BOOT_MSG_ANOTHER_BOOT, index, c->config->more_boots[index] + 2u);
        add(c, FMT_BOOT_ACT_COUNT_BOOT)->arg = index;
    } else if (c->config->anti_rollback && entry->state == FMT_OTA_STATE_VALID &&
               app_version > c->config->secure_version) {
        add(c, FMT_BOOT_ACT_SECURE_VERSION)->arg = app_version;
    }
}

static void choose_among(choosing_t *c, const bool usable[2], const uint32_t versions[2])
{
    int active = fmt_otadata_active_of(c->entries, usable);

    if (active < 0) {
        say(c, c->table->has_factory ? FMT_BOOT_MSG_INVALID_FACTORY : FMT_BOOT_MSG_INVALID_TRY_ALL,
            0, 0);
        return;
    }
    if (usable[0] && usable[1] && fmt_otadata_valid(&c->entries[0]) &&
        fmt_otadata_valid(&c->entries[1])) {
        SAY_DEBUG(c, FMT_BOOT_MSG_BOTH_VALID, 0, 0);
    } else {
        SAY_DEBUG(c, FMT_BOOT_MSG_ONLY_VALID, (uint32_t)active, 0);
    }
    take(c, (unsigned)active, versions[active]);
}

static void choose_by_version(choosing_t *c)
{
    bool usable[2];
    uint32_t versions[2] = {0, 0};

    say(c, FMT_BOOT_MSG_ANTI_ROLLBACK_ON, 0, 0);
    say(c, FMT_BOOT_MSG_SECURE_VERSION, c->config->secure_version, 0);
    if (fmt_otadata_blank(&c->entries[0]) && fmt_otadata_blank(&c->entries[1])) {
        say(c, FMT_BOOT_MSG_INITIAL_STATE, 0, 0);
        c->choice->initial = true;
        return;
    }
    judge_versions(c, usable, versions);
    choose_among(c, usable, versions);
}

static void choose_plainly(choosing_t *c)
{
    static const bool both[2] = {true, true};
    static const uint32_t no_versions[2] = {0, 0};

    if (c->table->ota_count > 0 &&
        !(fmt_otadata_blocked(&c->entries[0]) && fmt_otadata_blocked(&c->entries[1]))) {
        choose_among(c, both, no_versions);
    } else if (c->table->has_factory) {
        say(c, FMT_BOOT_MSG_DEFAULT_FACTORY, 0, 0);
    } else {
        say(c, FMT_BOOT_MSG_TRY_OTA_0, 0, 0);
        c->choice->start = 0;
        c->choice->initial = fmt_otadata_blank(&c->entries[0]) && fmt_otadata_blank(&c->entries[1]);
    }
}

void fmt_boot_choose(const fmt_boot_table_t *table, const fmt_boot_config_t *config,
                     const void *raw0, const void *raw1, fmt_boot_choice_t *choice)
{
    choosing_t c = {.table = table, .config = config, .choice = choice};

    memset(choice, 0, sizeof(*choice));
    choice->start = FMT_BOOT_FACTORY;
    choice->active = -1;
    if (!table->has_otadata) {
        return;
    }
    SAY_DEBUG(&c, FMT_BOOT_MSG_OTADATA_OFFSET, table->otadata.offset, 0);
    if (table->otadata.size < FMT_OTADATA_SIZE) {
        say(&c, FMT_BOOT_MSG_OTADATA_TOO_SMALL, table->otadata.size, 0);
        choice->start = FMT_BOOT_UNRECOVERABLE;
        return;
    }
    if (raw0 == NULL || raw1 == NULL) {
        choice->start = FMT_BOOT_UNRECOVERABLE;
        return;
    }
    fmt_otadata_decode(raw0, &c.entries[0]);
    fmt_otadata_decode(raw1, &c.entries[1]);
    SAY_DEBUG(&c, FMT_BOOT_MSG_SEQUENCE, 0, c.entries[0].seq);
    SAY_DEBUG(&c, FMT_BOOT_MSG_SEQUENCE, 1, c.entries[1].seq);
    if (config->rollback) {
        abort_unconfirmed(&c);
    }
    if (config->anti_rollback) {
        choose_by_version(&c);
    } else {
        choose_plainly(&c);
    }
}

/* --- after a fallback --- */

unsigned fmt_boot_follow(const fmt_boot_table_t *table, const fmt_otadata_entry_t entries[2],
                         uint32_t failed, int index, fmt_otadata_write_t writes[2])
{
    bool bad[2];
    int own = -1;
    unsigned count = 0;

    if (table->ota_count == 0) {
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        int slot = (int)fmt_otadata_slot(&entries[i], table->ota_count);

        bad[i] = fmt_otadata_valid(&entries[i]) && slot < (int)FMT_OTA_SLOTS_MAX &&
                 ((failed >> slot) & 1u) != 0;
        if (slot == index && !fmt_otadata_blank(&entries[i]) &&
            (own < 0 || fmt_otadata_blocked(&entries[own]))) {
            own = i;
        }
    }
    if (index >= 0 && own < 0) {
        /* Into the entry in force, which is bad, only if the other one is worth keeping. Either is
         * one write: there is always an entry in force. */
        int active = fmt_otadata_active(entries);
        int to = active < 0 ? 0 : 1 - active;

        if (active >= 0 && fmt_otadata_valid(&entries[to]) && !bad[to]) {
            to = active;
        }
        writes[0].index = (unsigned)to;
        writes[0].entry.seq = active < 0 ? (uint32_t)index + 1
                                         : fmt_otadata_next_seq(entries[active].seq,
                                                                (unsigned)index, table->ota_count);
        if (writes[0].entry.seq != FMT_OTADATA_SEQ_EMPTY) {
            memset(writes[0].entry.label, 0xFF, sizeof(writes[0].entry.label));
            writes[0].entry.state = FMT_OTA_STATE_UNDEFINED;
            writes[0].entry.crc = fmt_otadata_crc(writes[0].entry.seq);
            bad[to] = false;
            count = 1;
        }
    } else if (index >= 0 && fmt_otadata_blocked(&entries[own])) {
        fmt_otadata_set_state(entries, (unsigned)own, FMT_OTA_STATE_UNDEFINED, &writes[count++]);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (bad[i]) {
            fmt_otadata_set_state(entries, i, FMT_OTA_STATE_INVALID, &writes[count++]);
        }
    }
    return count;
}

/* --- the fallback order --- */

enum { PHASE_DOWN, PHASE_UP, PHASE_TEST, PHASE_ONLY_TEST, PHASE_END };

void fmt_boot_order_begin(fmt_boot_order_t *order, const fmt_boot_table_t *table, int start)
{
    order->table = table;
    order->start = start;
    order->next = start;
    order->phase = start == FMT_BOOT_TEST      ? PHASE_ONLY_TEST
                   : start >= FMT_BOOT_FACTORY ? PHASE_DOWN
                                               : PHASE_END;
}

/* The next candidate, whether it has a place or not. */
static bool next_index(fmt_boot_order_t *order, int *index)
{
    if (order->phase == PHASE_DOWN) {
        *index = order->next--;
        if (*index == FMT_BOOT_FACTORY) {
            order->phase = PHASE_UP;
            order->next = order->start + 1;
        }
        return true;
    }
    if (order->phase == PHASE_UP) {
        if (order->next < (int)order->table->ota_count) {
            *index = order->next++;
            return true;
        }
        order->phase = PHASE_TEST;
    }
    if (order->phase == PHASE_TEST || order->phase == PHASE_ONLY_TEST) {
        *index = FMT_BOOT_TEST;
        order->phase = PHASE_END;
        return true;
    }
    return false;
}

bool fmt_boot_order_next(fmt_boot_order_t *order, int *index, fmt_boot_message_t *announce)
{
    while (next_index(order, index)) {
        if (fmt_boot_position(order->table, *index).size == 0) {
            continue;
        }
        if (announce != NULL) {
            *announce = *index == FMT_BOOT_TEST && order->start != FMT_BOOT_TEST
                            ? FMT_BOOT_MSG_FALLBACK_TEST
                            : FMT_BOOT_MSG_NONE;
        }
        return true;
    }
    return false;
}

fmt_boot_message_t fmt_boot_order_exhausted(const fmt_boot_order_t *order)
{
    if (order->start == FMT_BOOT_TEST) {
        return FMT_BOOT_MSG_NO_TEST;
    }
    return order->start >= FMT_BOOT_FACTORY ? FMT_BOOT_MSG_NO_APP : FMT_BOOT_MSG_NONE;
}

/* --- words --- */

/* Level and format of each message. The format gets arg and arg2 as unsigned numbers. */
static const struct {
    char level;
    const char *format;
} messages[] = {
    [FMT_BOOT_MSG_DEFAULT_FACTORY] = {'I', "Defaulting to factory image"},
    [FMT_BOOT_MSG_TRY_OTA_0] = {'I', "No factory image, trying OTA 0"},
    [FMT_BOOT_MSG_INVALID_FACTORY] = {'E', "ota data partition invalid, falling back to factory"},
    [FMT_BOOT_MSG_INVALID_TRY_ALL] = {'E', "ota data partition invalid and no factory, will try "
                                           "all partitions"},
    [FMT_BOOT_MSG_OTADATA_TOO_SMALL] = {'E', "ota_info partition size %u is too small (minimum "
                                             "8192 bytes)"},
    [FMT_BOOT_MSG_ANTI_ROLLBACK_ON] = {'I', "Enabled a check secure version of app for anti "
                                            "rollback"},
    [FMT_BOOT_MSG_SECURE_VERSION] = {'I', "Secure version (from eFuse) = %u"},
    [FMT_BOOT_MSG_INITIAL_STATE] = {'I', "otadata[0..1] in initial state"},
    [FMT_BOOT_MSG_NO_DESCRIPTION] = {'E', "Failed to get partition description %d"},
    [FMT_BOOT_MSG_NOT_BOOTABLE] = {'E', "OTA app partition slot %d is not bootable"},
    [FMT_BOOT_MSG_FACTORY_NOT_BOOTABLE] = {'E', "Factory app partition is not bootable"},
    [FMT_BOOT_MSG_FALLBACK_TEST] = {'W', "Falling back to test app as only bootable partition"},
    [FMT_BOOT_MSG_NO_TEST] = {'E', "No bootable test partition in the partition table"},
    [FMT_BOOT_MSG_NO_APP] = {'E', "No bootable app partitions in the partition table"},
    [FMT_BOOT_MSG_SET_ACTUAL_SEQ] = {'I', "Set actual ota_seq=%u in otadata[0]"},
    [FMT_BOOT_MSG_ANOTHER_BOOT] = {'W', "otadata[%u] is not confirmed, its app gets boot %u"},
#ifndef FMT_BOOT_NO_DEBUG_LINES
    [FMT_BOOT_MSG_OTADATA_OFFSET] = {'D', "OTA data offset 0x%x"},
    [FMT_BOOT_MSG_SEQUENCE] = {'D', "otadata[%u]: sequence values 0x%08x"},
    [FMT_BOOT_MSG_MARK_ABORTED] = {'D', "otadata[%u] is marking as ABORTED"},
    [FMT_BOOT_MSG_BOTH_VALID] = {'D', "Both OTA copies are valid"},
    [FMT_BOOT_MSG_ONLY_VALID] = {'D', "Only otadata[%u] is valid"},
    [FMT_BOOT_MSG_ACTIVE] = {'D', "Active otadata[%u]"},
    [FMT_BOOT_MSG_MAPPING] = {'D', "Mapping seq %u -> OTA slot %u"},
    [FMT_BOOT_MSG_PENDING] = {'D', "otadata[%u] is selected as new and marked PENDING_VERIFY "
                                   "state"},
#endif
};

_Static_assert(FMT_OTADATA_SIZE == 8192, "the number in the message");

bool fmt_boot_message_line(fmt_boot_message_t message, uint32_t arg, uint32_t arg2,
                           fmt_log_line_t *line)
{
    if (message == FMT_BOOT_MSG_NOT_BOOTABLE) {
        if (arg == (uint32_t)FMT_BOOT_TEST) {
            return false;
        }
        if (arg == (uint32_t)FMT_BOOT_FACTORY) {
            message = FMT_BOOT_MSG_FACTORY_NOT_BOOTABLE;
        }
    }
    if (message <= FMT_BOOT_MSG_NONE || (size_t)message >= sizeof(messages) / sizeof(messages[0]) ||
        messages[message].format == NULL) {
        return false;
    }
    line->level = messages[message].level;
    line->not_silent = false;
    line->tag = message == FMT_BOOT_MSG_BOTH_VALID || message == FMT_BOOT_MSG_ONLY_VALID
                    ? "boot_comm"
                    : "boot";
    snprintf(line->text, sizeof(line->text), messages[message].format, (unsigned)arg,
             (unsigned)arg2);
    return true;
}
