/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "formats/boot_select.h"

static fmt_boot_table_t table;
static fmt_boot_config_t config;
static fmt_boot_choice_t choice;
static uint8_t raw[2][32];

/* Secure versions of the apps, by index; -1: no descriptor. */
static int versions[16];

static bool app_version(void *context, int index, uint32_t *version)
{
    (void)context;
    if (index < 0 || index > 15 || versions[index] < 0) {
        return false;
    }
    *version = (uint32_t)versions[index];
    return true;
}

static void set_table(unsigned slots, bool factory, bool test)
{
    memset(&table, 0, sizeof(table));
    table.has_otadata = true;
    table.otadata = (fmt_boot_pos_t){0xD000, 0x2000};
    table.ota_count = slots;
    for (unsigned i = 0; i < slots && i < 16; i++) {
        table.ota[i] = (fmt_boot_pos_t){0x110000 + i * 0x100000, 0x100000};
    }
    table.has_factory = factory;
    table.factory = (fmt_boot_pos_t){0x10000, factory ? 0x100000 : 0};
    table.has_test = test;
    table.test = (fmt_boot_pos_t){0xF00000, test ? 0x10000 : 0};
}

static void set_entry(unsigned i, uint32_t seq, uint32_t state)
{
    fmt_otadata_entry_t e;

    memset(&e, 0xFF, sizeof(e));
    e.seq = seq;
    e.state = state;
    e.crc = fmt_otadata_crc(seq);
    fmt_otadata_encode(&e, raw[i]);
}

static int setup(void **state)
{
    (void)state;
    memset(raw, 0xFF, sizeof(raw));
    memset(&config, 0, sizeof(config));
    for (int i = 0; i < 16; i++) {
        versions[i] = 0;
    }
    config.app_secure_version = app_version;
    set_table(2, true, false);
    return 0;
}

static void choose(void)
{
    fmt_boot_choose(&table, &config, raw[0], raw[1], &choice);
    assert_true(choice.action_count <= FMT_BOOT_ACTIONS_MAX);
}

/* Number of actions of a kind, and for messages of that message. */
static unsigned said(fmt_boot_message_t message)
{
    unsigned count = 0;

    for (unsigned i = 0; i < choice.action_count; i++) {
        count += choice.actions[i].kind == FMT_BOOT_ACT_LOG && choice.actions[i].message == message;
    }
    return count;
}

static const fmt_boot_action_t *first(fmt_boot_action_kind_t kind)
{
    for (unsigned i = 0; i < choice.action_count; i++) {
        if (choice.actions[i].kind == kind) {
            return &choice.actions[i];
        }
    }
    return NULL;
}

static unsigned writes(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < choice.action_count; i++) {
        count += choice.actions[i].kind == FMT_BOOT_ACT_WRITE_OTADATA;
    }
    return count;
}

/* --- table --- */

static void roles_come_from_the_rows_and_the_later_of_two_wins(void **state)
{
    uint8_t rows[8][32];
    const fmt_partition_t entries[] = {
        {0, 0x00, 0x10000, 0x1000, "a", 0}, {0, 0x10, 0x20000, 0x1000, "b", 0},
        {0, 0x10, 0x30000, 0x2000, "c", 0}, {0, 0x20, 0x40000, 0x1000, "d", 0},
        {1, 0x00, 0x9000, 0x2000, "e", 0},  {2, 0x00, 0, 0x8000, "f", 0},
        {0, 0x00, 0x50000, 0x3000, "g", 0}, {0x40, 0x10, 0x60000, 0x1000, "h", 0},
    };

    (void)state;
    for (int i = 0; i < 8; i++) {
        fmt_partition_row_encode(&entries[i], rows[i]);
    }
    fmt_boot_table_scan(rows[0], 8, &table);
    assert_int_equal(table.ota_count, 2);
    assert_int_equal(table.ota[0].offset, 0x30000);
    assert_int_equal(table.factory.offset, 0x50000);
    assert_int_equal(table.test.offset, 0x40000);
    assert_int_equal(table.otadata.offset, 0x9000);
    assert_true(table.has_factory && table.has_test && table.has_otadata);
    assert_int_equal(fmt_boot_position(&table, 0).size, 0x2000);
    assert_int_equal(fmt_boot_position(&table, 1).size, 0);
    assert_int_equal(fmt_boot_position(&table, 16).size, 0);
    assert_int_equal(fmt_boot_position(&table, -1).offset, 0x50000);
    assert_int_equal(fmt_boot_position(&table, -2).offset, 0x40000);
    assert_int_equal(fmt_boot_position(&table, FMT_BOOT_UNRECOVERABLE).size, 0);
}

static void slot_at_or_above_the_number_of_slots_is_not_usable(void **state)
{
    (void)state;
    set_table(1, true, false);
    table.ota[3] = (fmt_boot_pos_t){0x400000, 0x1000};
    assert_int_equal(fmt_boot_position(&table, 3).size, 0);
}

/* --- choice --- */

static void without_otadata_partition_the_factory_app_is_chosen(void **state)
{
    (void)state;
    table.has_otadata = false;
    fmt_boot_choose(&table, &config, NULL, NULL, &choice);
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(choice.action_count, 0);
}

static void otadata_that_is_unreadable_or_too_small_is_unrecoverable(void **state)
{
    (void)state;
    fmt_boot_choose(&table, &config, NULL, NULL, &choice);
    assert_int_equal(choice.start, FMT_BOOT_UNRECOVERABLE);
    table.otadata.size = 0x1000;
    choose();
    assert_int_equal(choice.start, FMT_BOOT_UNRECOVERABLE);
    assert_int_equal(said(FMT_BOOT_MSG_OTADATA_TOO_SMALL), 1);
}

static void erased_otadata_means_factory(void **state)
{
    (void)state;
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(choice.active, -1);
    assert_false(choice.initial);
    assert_int_equal(said(FMT_BOOT_MSG_DEFAULT_FACTORY), 1);
    assert_int_equal(writes(), 0);
}

static void erased_otadata_without_factory_means_ota_0_and_initial_contents(void **state)
{
    (void)state;
    set_table(2, false, false);
    choose();
    assert_int_equal(choice.start, 0);
    assert_true(choice.initial);
    assert_int_equal(said(FMT_BOOT_MSG_TRY_OTA_0), 1);
}

static void rejected_entries_without_factory_are_not_initial_contents(void **state)
{
    (void)state;
    set_table(2, false, false);
    set_entry(0, 1, FMT_OTA_STATE_INVALID);
    choose();
    assert_int_equal(choice.start, 0);
    assert_false(choice.initial);
}

static void without_ota_slots_otadata_is_not_asked(void **state)
{
    (void)state;
    set_table(0, true, false);
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
}

static void larger_sequence_number_selects_its_slot(void **state)
{
    (void)state;
    set_entry(0, 1, FMT_OTA_STATE_UNDEFINED);
    choose();
    assert_int_equal(choice.start, 0);
    assert_int_equal(choice.active, 0);
    assert_int_equal(said(FMT_BOOT_MSG_ONLY_VALID), 1);
    set_entry(1, 2, FMT_OTA_STATE_UNDEFINED);
    choose();
    assert_int_equal(choice.start, 1);
    assert_int_equal(choice.active, 1);
    assert_int_equal(said(FMT_BOOT_MSG_BOTH_VALID), 1);
    assert_int_equal(said(FMT_BOOT_MSG_MAPPING), 1);
    assert_int_equal(writes(), 0);
}

static void wrong_crc_in_both_entries_falls_back_to_factory_with_a_message(void **state)
{
    (void)state;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    raw[0][28] ^= 1;
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(said(FMT_BOOT_MSG_INVALID_FACTORY), 1);
    set_table(2, false, false);
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(said(FMT_BOOT_MSG_INVALID_TRY_ALL), 1);
}

static void blocked_entry_leaves_the_other_one(void **state)
{
    (void)state;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    set_entry(1, 2, FMT_OTA_STATE_ABORTED);
    choose();
    assert_int_equal(choice.start, 0);
    set_entry(1, 2, FMT_OTA_STATE_INVALID);
    choose();
    assert_int_equal(choice.start, 0);
}

/* --- rollback --- */

static void without_rollback_no_state_is_changed(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < 3; s++) {
        set_entry(0, 1, s);
        choose();
        assert_int_equal(choice.start, 0);
        assert_int_equal(writes(), 0);
    }
}

static void with_rollback_a_new_image_becomes_pending(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    set_entry(1, 2, FMT_OTA_STATE_NEW);
    choose();
    assert_int_equal(choice.start, 1);
    assert_int_equal(writes(), 1);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.index, 1);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.entry.state,
                     FMT_OTA_STATE_PENDING_VERIFY);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.entry.seq, 2);
}

static void with_rollback_a_pending_image_is_aborted_and_the_other_boots(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    set_entry(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
    choose();
    assert_int_equal(choice.start, 0);
    assert_int_equal(writes(), 1);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.index, 1);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.entry.state, FMT_OTA_STATE_ABORTED);
    assert_int_equal(said(FMT_BOOT_MSG_MARK_ABORTED), 1);
}

static void pending_state_is_aborted_even_where_the_crc_is_wrong(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_PENDING_VERIFY);
    raw[0][28] ^= 1;
    choose();
    assert_int_equal(writes(), 1);
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
}

static void two_pending_entries_end_at_the_factory_app(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_PENDING_VERIFY);
    set_entry(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
    choose();
    assert_int_equal(writes(), 2);
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(said(FMT_BOOT_MSG_DEFAULT_FACTORY), 1);
}

static void aborting_one_entry_and_starting_the_other_new_one_writes_both(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_NEW);
    set_entry(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
    choose();
    assert_int_equal(choice.start, 0);
    assert_int_equal(writes(), 2);
    assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.index, 1);
}

/* --- anti-rollback --- */

static void an_unconfirmed_app_gets_as_many_boots_as_are_configured(void **state)
{
    (void)state;
    config.rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    set_entry(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
    for (unsigned attempts = 0; attempts <= 16; attempts++) {
        for (unsigned more = 0; more <= 16; more++) {
            config.attempts = (uint8_t)attempts;
            config.more_boots[0] = 16; /* the other entry's do not count */
            config.more_boots[1] = (uint8_t)more;
            choose();
            bool another = more + 1 < attempts;
            assert_int_equal(choice.start, another ? 1 : 0);
            assert_int_equal(writes(), another ? 0 : 1);
            const fmt_boot_action_t *action = first(FMT_BOOT_ACT_COUNT_BOOT);
            if (another) {
                assert_int_equal(action->arg, 1);
                assert_int_equal(said(FMT_BOOT_MSG_ANOTHER_BOOT), 1);
            } else {
                assert_null(action);
                assert_int_equal(first(FMT_BOOT_ACT_WRITE_OTADATA)->write.entry.state,
                                 FMT_OTA_STATE_ABORTED);
            }
        }
    }
    /* Without rollback nothing is counted. */
    config.rollback = false;
    config.more_boots[1] = 0;
    choose();
    assert_int_equal(choice.start, 1);
    assert_null(first(FMT_BOOT_ACT_COUNT_BOOT));
}

static void with_anti_rollback_blank_otadata_is_the_initial_state(void **state)
{
    (void)state;
    set_table(2, false, false);
    config.rollback = config.anti_rollback = true;
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_true(choice.initial);
    assert_int_equal(said(FMT_BOOT_MSG_ANTI_ROLLBACK_ON), 1);
    assert_int_equal(said(FMT_BOOT_MSG_SECURE_VERSION), 1);
    assert_int_equal(said(FMT_BOOT_MSG_INITIAL_STATE), 1);
}

static void with_anti_rollback_an_app_below_the_chips_version_is_passed_over(void **state)
{
    (void)state;
    set_table(2, false, false);
    config.rollback = config.anti_rollback = true;
    config.secure_version = 3;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    set_entry(1, 2, FMT_OTA_STATE_VALID);
    versions[0] = 3;
    versions[1] = 2;
    choose();
    assert_int_equal(choice.start, 0);
    versions[0] = -1; /* no descriptor */
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
    assert_int_equal(said(FMT_BOOT_MSG_NO_DESCRIPTION), 1);
    assert_int_equal(said(FMT_BOOT_MSG_INVALID_TRY_ALL), 1);
}

static void with_anti_rollback_a_confirmed_app_raises_the_chips_version(void **state)
{
    (void)state;
    set_table(2, false, false);
    config.rollback = config.anti_rollback = true;
    config.secure_version = 1;
    versions[1] = 4;
    set_entry(1, 2, FMT_OTA_STATE_VALID);
    choose();
    assert_int_equal(choice.start, 1);
    assert_non_null(first(FMT_BOOT_ACT_SECURE_VERSION));
    assert_int_equal(first(FMT_BOOT_ACT_SECURE_VERSION)->arg, 4);
    set_entry(1, 2, FMT_OTA_STATE_NEW);
    choose();
    assert_null(first(FMT_BOOT_ACT_SECURE_VERSION));
    assert_int_equal(writes(), 1);
}

static void with_anti_rollback_a_table_without_slots_does_not_divide_by_zero(void **state)
{
    (void)state;
    set_table(0, false, false);
    config.rollback = config.anti_rollback = true;
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    choose();
    assert_int_equal(choice.start, FMT_BOOT_FACTORY);
}

static void eligibility_needs_descriptor_and_version_only_with_anti_rollback(void **state)
{
    (void)state;
    config.secure_version = 2;
    assert_true(fmt_boot_eligible(&config, false, 0));
    config.anti_rollback = true;
    assert_false(fmt_boot_eligible(&config, false, 9));
    assert_false(fmt_boot_eligible(&config, true, 1));
    assert_true(fmt_boot_eligible(&config, true, 2));
}

/* --- following --- */

#define EMPTY FMT_OTADATA_SEQ_EMPTY
#define UNDEF FMT_OTA_STATE_UNDEFINED

/* With 4 slots, factory and test: entries before (seq, state), slots that failed, index that
 * starts, and the writes (entry, seq, state) in their order. */
static const struct {
    const char *name;
    uint32_t before[2][2];
    uint32_t failed;
    int index;
    unsigned count;
    uint32_t write[2][3];
} follows[] = {
    {"it has its entry", {{1, 2}, {2, UNDEF}}, 2, 0, 1, {{1, 2, 3}}},
    {"its entry was rejected", {{1, 4}, {2, 2}}, 2, 0, 2, {{0, 1, UNDEF}, {1, 2, 3}}},
    {"no entry, the other is blank", {{EMPTY, UNDEF}, {2, 2}}, 2, 0, 2, {{0, 5, UNDEF}, {1, 2, 3}}},
    {"no entry, the other failed too", {{7, 2}, {8, 2}}, 12, 1, 2, {{0, 10, UNDEF}, {1, 8, 3}}},
    {"no entry, the other is rejected", {{8, 2}, {7, 3}}, 8, 1, 2, {{1, 10, UNDEF}, {0, 8, 3}}},
    {"no entry, the other was not tried", {{3, 2}, {2, 2}}, 4, 3, 1, {{0, 4, UNDEF}}},
    {"factory", {{3, 2}, {2, 0}}, 7, -1, 2, {{0, 3, 3}, {1, 2, 3}}},
    {"factory, the other was not tried", {{3, 2}, {4, 2}}, 8, -1, 1, {{1, 4, 3}}},
    {"the test app", {{1, 2}, {EMPTY, UNDEF}}, 15, -2, 1, {{0, 1, 3}}},
    {"factory was the choice, rejected entry", {{1, 3}, {2, 4}}, 0, 1, 1, {{1, 2, UNDEF}}},
    {"factory was the choice, no entry", {{1, 3}, {2, 4}}, 0, 2, 1, {{0, 3, UNDEF}}},
    {"no number is left", {{0xFFFFFFFE, 2}, {EMPTY, UNDEF}}, 2, 0, 1, {{0, 0xFFFFFFFE, 3}}},
};

static void records_follow_the_app_that_runs(void **state)
{
    (void)state;
    set_table(4, true, true);
    for (size_t i = 0; i < sizeof(follows) / sizeof(follows[0]); i++) {
        fmt_otadata_entry_t entries[2];
        fmt_otadata_write_t made[2];

        for (unsigned k = 0; k < 2; k++) {
            set_entry(k, follows[i].before[k][0], follows[i].before[k][1]);
            fmt_otadata_decode(raw[k], &entries[k]);
        }
        print_message("%s\n", follows[i].name);
        assert_int_equal(
            fmt_boot_follow(&table, entries, follows[i].failed, follows[i].index, made),
            follows[i].count);
        for (unsigned k = 0; k < follows[i].count; k++) {
            assert_int_equal(made[k].index, follows[i].write[k][0]);
            assert_int_equal(made[k].entry.seq, follows[i].write[k][1]);
            assert_int_equal(made[k].entry.state, follows[i].write[k][2]);
            assert_int_equal(made[k].entry.crc, fmt_otadata_crc(made[k].entry.seq));
        }
    }
}

/* Whatever was chosen and failed, and whichever slot starts: then the entry in force names that
 * one, and between two writes it names that one or still the one that failed. */
static void after_following_the_entry_in_force_names_what_runs(void **state)
{
    static const uint32_t seqs[] = {1, 2, 3, 4, 7, 8, EMPTY};
    static const uint32_t states[] = {0, 1, 2, 3, 4, UNDEF, 77};
    unsigned cases = 0;

    (void)state;
    set_table(4, true, true);
    for (unsigned k = 0; k < 7 * 7 * 7 * 7 * 4; k++) {
        fmt_otadata_entry_t entries[2];
        fmt_otadata_write_t made[2];
        int index = (int)(k % 4);

        set_entry(0, seqs[k / 4 % 7], states[k / 28 % 7]);
        set_entry(1, seqs[k / 196 % 7], states[k / 1372 % 7]);
        fmt_otadata_decode(raw[0], &entries[0]);
        fmt_otadata_decode(raw[1], &entries[1]);
        int active = fmt_otadata_active(entries);
        int chosen = active < 0 ? -1 : (int)fmt_otadata_slot(&entries[active], 4);
        for (uint32_t others = 0; others < 16 && chosen != index; others++) {
            uint32_t failed = (others | (chosen < 0 ? 0 : 1u << chosen)) & ~(1u << index);
            fmt_otadata_entry_t after[2] = {entries[0], entries[1]};
            unsigned count = fmt_boot_follow(&table, entries, failed, index, made);

            assert_in_range(count, 1, 2);
            for (unsigned w = 0; w < count; w++) {
                after[made[w].index] = made[w].entry;
                int now = fmt_otadata_active(after);
                assert_true(now >= 0);
                int slot = (int)fmt_otadata_slot(&after[now], 4);
                assert_true(slot == index || (w + 1 < count && slot == chosen));
            }
            for (unsigned i = 0; i < 2; i++) {
                bool was = fmt_otadata_valid(&entries[i]);
                bool is = fmt_otadata_valid(&after[i]);
                if (is || was) {
                    unsigned slot = fmt_otadata_slot(is ? &after[i] : &entries[i], 4);
                    assert_int_equal((failed >> slot) & 1u, !is);
                }
            }
            cases++;
        }
    }
    assert_true(cases > 50000);
}

static void without_slots_nothing_follows(void **state)
{
    fmt_otadata_entry_t entries[2];
    fmt_otadata_write_t made[2];

    (void)state;
    set_table(0, true, false);
    set_entry(0, 1, FMT_OTA_STATE_VALID);
    fmt_otadata_decode(raw[0], &entries[0]);
    fmt_otadata_decode(raw[1], &entries[1]);
    assert_int_equal(fmt_boot_follow(&table, entries, 1, FMT_BOOT_FACTORY, made), 0);
}

/* --- order --- */

/* The whole order as text, e.g. "1 0 -1 2 -2". */
static const char *order_text(int start)
{
    static char text[128];
    fmt_boot_order_t order;
    int index;
    size_t len = 0;

    text[0] = '\0';
    fmt_boot_order_begin(&order, &table, start);
    while (fmt_boot_order_next(&order, &index, NULL)) {
        if (len > 0) {
            text[len++] = ' ';
        }
        if (index < 0) {
            text[len++] = '-';
        }
        unsigned value = (unsigned)(index < 0 ? -index : index);

        if (value > 9) {
            text[len++] = '1';
        }
        text[len++] = (char)('0' + value % 10);
        text[len] = '\0';
    }
    return text;
}

static void fallback_goes_down_to_factory_then_up_then_to_test(void **state)
{
    (void)state;
    set_table(4, true, true);
    assert_string_equal(order_text(2), "2 1 0 -1 3 -2");
    assert_string_equal(order_text(0), "0 -1 1 2 3 -2");
    assert_string_equal(order_text(-1), "-1 0 1 2 3 -2");
    assert_string_equal(order_text(3), "3 2 1 0 -1 -2");
}

static void fallback_leaves_out_what_does_not_exist(void **state)
{
    (void)state;
    set_table(3, false, false);
    table.ota[1].size = 0;
    assert_string_equal(order_text(2), "2 0");
    assert_string_equal(order_text(-1), "0 2");
    set_table(0, false, false);
    assert_string_equal(order_text(0), "");
    set_table(16, true, false);
    assert_string_equal(order_text(15), "15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0 -1");
}

static void test_app_that_was_asked_for_has_no_fallback(void **state)
{
    fmt_boot_order_t order;
    fmt_boot_message_t announce;
    int index;

    (void)state;
    set_table(2, true, true);
    assert_string_equal(order_text(FMT_BOOT_TEST), "-2");
    fmt_boot_order_begin(&order, &table, FMT_BOOT_TEST);
    assert_true(fmt_boot_order_next(&order, &index, &announce));
    assert_int_equal(announce, FMT_BOOT_MSG_NONE);
    assert_int_equal(fmt_boot_order_exhausted(&order), FMT_BOOT_MSG_NO_TEST);
    fmt_boot_order_begin(&order, &table, 1);
    while (fmt_boot_order_next(&order, &index, &announce)) {
        assert_int_equal(announce,
                         index == FMT_BOOT_TEST ? FMT_BOOT_MSG_FALLBACK_TEST : FMT_BOOT_MSG_NONE);
    }
    assert_int_equal(fmt_boot_order_exhausted(&order), FMT_BOOT_MSG_NO_APP);
    assert_string_equal(order_text(FMT_BOOT_UNRECOVERABLE), "");
}

/* --- words --- */

static void assert_message(fmt_boot_message_t message, uint32_t arg, uint32_t arg2, char level,
                           const char *text)
{
    fmt_log_line_t line;

    assert_true(fmt_boot_message_line(message, arg, arg2, &line));
    assert_string_equal(line.text, text);
    assert_int_equal(line.level, level);
}

static void messages_are_the_bootloaders(void **state)
{
    fmt_log_line_t line;

    (void)state;
    assert_message(FMT_BOOT_MSG_DEFAULT_FACTORY, 0, 0, 'I', "Defaulting to factory image");
    assert_message(FMT_BOOT_MSG_NOT_BOOTABLE, 1, 0, 'E',
                   "OTA app partition slot 1 is not bootable");
    assert_message(FMT_BOOT_MSG_NOT_BOOTABLE, (uint32_t)-1, 0, 'E',
                   "Factory app partition is not bootable");
    assert_message(FMT_BOOT_MSG_OTADATA_TOO_SMALL, 0x1000, 0, 'E',
                   "ota_info partition size 4096 is too small (minimum 8192 bytes)");
    assert_message(FMT_BOOT_MSG_SEQUENCE, 1, 0xFFFFFFFF, 'D',
                   "otadata[1]: sequence values 0xffffffff");
    assert_message(FMT_BOOT_MSG_MAPPING, 3, 0, 'D', "Mapping seq 3 -> OTA slot 0");
    assert_message(FMT_BOOT_MSG_SET_ACTUAL_SEQ, 1, 0, 'I', "Set actual ota_seq=1 in otadata[0]");
    assert_message(FMT_BOOT_MSG_ANOTHER_BOOT, 1, 2, 'W',
                   "otadata[1] is not confirmed, its app gets boot 2");
    assert_false(fmt_boot_message_line(FMT_BOOT_MSG_NONE, 0, 0, &line));
    assert_false(fmt_boot_message_line(FMT_BOOT_MSG_NOT_BOOTABLE, (uint32_t)-2, 0, &line));
    assert_false(fmt_boot_message_line((fmt_boot_message_t)1000, 0, 0, &line));
    for (int m = FMT_BOOT_MSG_NONE + 1; m <= FMT_BOOT_MSG_ANOTHER_BOOT; m++) {
        assert_true(fmt_boot_message_line((fmt_boot_message_t)m, 0, 0, &line));
        assert_true(strlen(line.text) > 10);
    }
}

/* Every pair of entries of interest, all builds and tables: the choice holds its promises. */
static void every_combination_gives_a_sound_choice(void **state)
{
    static const uint32_t seqs[] = {0, 1, 2, 3, 17, 0xFFFFFFFE, 0xFFFFFFFF};
    static const uint32_t states[] = {0, 1, 2, 3, 4, 5, 0xFFFFFFFF};
    unsigned combinations = 0;

    (void)state;
    for (unsigned a = 0; a < 7 * 7 * 2; a++) {
        for (unsigned b = 0; b < 7 * 7 * 2; b++) {
            set_entry(0, seqs[a % 7], states[a / 7 % 7]);
            set_entry(1, seqs[b % 7], states[b / 7 % 7]);
            raw[0][28] ^= (uint8_t)(a / 49);
            raw[1][28] ^= (uint8_t)(b / 49);
            for (unsigned build = 0; build < 3 * 4; build++) {
                config.rollback = build % 3 > 0;
                config.anti_rollback = build % 3 == 2;
                set_table(build / 3 == 0   ? 0
                          : build / 3 == 1 ? 1
                          : build / 3 == 2 ? 2
                                           : 16,
                          build % 2 == 0, false);
                choose();
                combinations++;
                assert_true(choice.start >= -1 && choice.start < 16);
                assert_true(choice.active < 0 ||
                            (choice.start >= 0 && choice.start < (int)table.ota_count));
                assert_true(writes() <= 2);
                if (!config.rollback) {
                    assert_int_equal(writes(), 0);
                }
            }
        }
    }
    assert_true(combinations > 100000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(roles_come_from_the_rows_and_the_later_of_two_wins),
        TEST(slot_at_or_above_the_number_of_slots_is_not_usable),
        TEST(without_otadata_partition_the_factory_app_is_chosen),
        TEST(otadata_that_is_unreadable_or_too_small_is_unrecoverable),
        TEST(erased_otadata_means_factory),
        TEST(erased_otadata_without_factory_means_ota_0_and_initial_contents),
        TEST(rejected_entries_without_factory_are_not_initial_contents),
        TEST(without_ota_slots_otadata_is_not_asked),
        TEST(larger_sequence_number_selects_its_slot),
        TEST(wrong_crc_in_both_entries_falls_back_to_factory_with_a_message),
        TEST(blocked_entry_leaves_the_other_one),
        TEST(without_rollback_no_state_is_changed),
        TEST(with_rollback_a_new_image_becomes_pending),
        TEST(with_rollback_a_pending_image_is_aborted_and_the_other_boots),
        TEST(pending_state_is_aborted_even_where_the_crc_is_wrong),
        TEST(two_pending_entries_end_at_the_factory_app),
        TEST(aborting_one_entry_and_starting_the_other_new_one_writes_both),
        TEST(an_unconfirmed_app_gets_as_many_boots_as_are_configured),
        TEST(with_anti_rollback_blank_otadata_is_the_initial_state),
        TEST(with_anti_rollback_an_app_below_the_chips_version_is_passed_over),
        TEST(with_anti_rollback_a_confirmed_app_raises_the_chips_version),
        TEST(with_anti_rollback_a_table_without_slots_does_not_divide_by_zero),
        TEST(eligibility_needs_descriptor_and_version_only_with_anti_rollback),
        TEST(records_follow_the_app_that_runs),
        TEST(after_following_the_entry_in_force_names_what_runs),
        TEST(without_slots_nothing_follows),
        TEST(fallback_goes_down_to_factory_then_up_then_to_test),
        TEST(fallback_leaves_out_what_does_not_exist),
        TEST(test_app_that_was_asked_for_has_no_fallback),
        TEST(messages_are_the_bootloaders),
        TEST(every_combination_gives_a_sound_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
