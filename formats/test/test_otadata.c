/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "formats/otadata.h"

static fmt_otadata_entry_t entry(uint32_t seq, uint32_t state)
{
    fmt_otadata_entry_t e;

    memset(&e, 0xFF, sizeof(e));
    e.seq = seq;
    e.state = state;
    e.crc = fmt_otadata_crc(seq);
    return e;
}

static fmt_otadata_entry_t erased(void)
{
    fmt_otadata_entry_t e;

    memset(&e, 0xFF, sizeof(e));
    return e;
}

static void crc_of_sequence_numbers_matches_the_published_values(void **state)
{
    static const uint32_t values[][2] = {
        {1, 0x4743989A}, {2, 0x55F63774},          {3, 0xED4A5011},          {4, 0x709D68A8},
        {5, 0xC8210FCD}, {6, 0xDA94A023},          {7, 0x6228C746},          {8, 0x3A4BD710},
        {0, 0xFFFFFFFF}, {0xFFFFFFFE, 0x99F8B879}, {0xFFFFFFFF, 0x2144DF1C},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(fmt_otadata_crc(values[i][0]), values[i][1]);
    }
}

static void entries_are_encoded_byte_for_byte(void **state)
{
    uint8_t raw[32], want[32];
    fmt_otadata_entry_t e = entry(1, FMT_OTA_STATE_UNDEFINED);

    (void)state;
    fmt_otadata_encode(&e, raw);
    from_hex("01000000ffffffffffffffffffffffffffffffffffffffffffffffff9a984347", want);
    assert_memory_equal(raw, want, 32);
    e = entry(2, FMT_OTA_STATE_NEW);
    fmt_otadata_encode(&e, raw);
    from_hex("02000000ffffffffffffffffffffffffffffffffffffffff000000007437f655", want);
    assert_memory_equal(raw, want, 32);
    fmt_otadata_decode(raw, &e);
    assert_int_equal(e.seq, 2);
    assert_int_equal(e.state, FMT_OTA_STATE_NEW);
}

static void only_invalid_aborted_and_empty_block(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < 10; s++) {
        fmt_otadata_entry_t e = entry(1, s);

        assert_int_equal(fmt_otadata_blocked(&e), s == 3 || s == 4);
        assert_int_equal(fmt_otadata_valid(&e), s != 3 && s != 4);
        e.crc ^= 1;
        assert_false(fmt_otadata_valid(&e));
        assert_true(fmt_otadata_blank(&e));
    }
    fmt_otadata_entry_t e = erased();

    assert_true(fmt_otadata_blocked(&e));
    assert_true(fmt_otadata_blank(&e));
    e.crc = fmt_otadata_crc(FMT_OTADATA_SEQ_EMPTY);
    assert_true(fmt_otadata_blank(&e));
    assert_false(fmt_otadata_valid(&e));
}

static void four_zero_bytes_on_erased_flash_are_a_valid_entry(void **state)
{
    fmt_otadata_entry_t e = erased();

    (void)state;
    e.seq = 0;
    assert_true(fmt_otadata_valid(&e));
    assert_int_equal(fmt_otadata_slot(&e, 2), 0xFFFFFFFFu % 2);
    assert_int_equal(fmt_otadata_slot(&e, 3), 0xFFFFFFFFu % 3);
}

static void active_entry_is_the_larger_valid_number_and_the_first_on_a_tie(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(1, 2), entry(2, 2)};

    (void)state;
    assert_int_equal(fmt_otadata_active(e), 1);
    e[0] = entry(2, 2);
    assert_int_equal(fmt_otadata_active(e), 0);
    e[0] = entry(3, FMT_OTA_STATE_ABORTED);
    assert_int_equal(fmt_otadata_active(e), 1);
    e[1].crc = 0;
    assert_int_equal(fmt_otadata_active(e), -1);
    e[0] = entry(0xFFFFFFFE, 2);
    assert_int_equal(fmt_otadata_active(e), 0);
}

static void next_sequence_number_follows_the_examples(void **state)
{
    (void)state;
    assert_int_equal(fmt_otadata_next_seq(1, 1, 2), 2);
    assert_int_equal(fmt_otadata_next_seq(2, 0, 2), 3);
    assert_int_equal(fmt_otadata_next_seq(5, 0, 3), 7);
    assert_int_equal(fmt_otadata_next_seq(5, 7, 8), 8);
}

static void next_sequence_number_always_selects_the_slot_and_grows(void **state)
{
    (void)state;
    for (unsigned slots = 1; slots <= 16; slots++) {
        for (uint32_t current = 0; current < 70; current++) {
            fmt_otadata_entry_t e = entry(current, 2);

            for (unsigned slot = 0; slot < slots; slot++) {
                uint32_t seq = fmt_otadata_next_seq(current, slot, slots);
                fmt_otadata_entry_t next = entry(seq, 2);

                assert_int_equal(fmt_otadata_slot(&next, slots), slot);
                assert_true(seq >= current && seq <= current + slots && seq != 0);
                if (current != 0 && fmt_otadata_slot(&e, slots) != slot) {
                    assert_true(seq > current && seq < current + slots);
                }
            }
        }
    }
}

static void used_up_sequence_numbers_are_an_error_not_a_lost_update(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(0xFFFFFFFE, 2), erased()};
    fmt_otadata_write_t write;
    unsigned other = 1 - fmt_otadata_slot(&e[0], 2);

    (void)state;
    assert_int_equal(fmt_otadata_next_seq(0xFFFFFFFE, other, 2), FMT_OTADATA_SEQ_EMPTY);
    assert_int_equal(fmt_otadata_set_boot(e, other, 2, FMT_OTA_STATE_NEW, &write),
                     ESP_ERR_INVALID_STATE);
}

static void first_choice_goes_to_entry_0(void **state)
{
    fmt_otadata_entry_t e[2] = {erased(), erased()};
    fmt_otadata_write_t write;

    (void)state;
    for (unsigned slot = 0; slot < 3; slot++) {
        assert_int_equal(fmt_otadata_set_boot(e, slot, 3, FMT_OTA_STATE_NEW, &write), ESP_OK);
        assert_int_equal(write.index, 0);
        assert_int_equal(write.entry.seq, slot + 1);
        assert_int_equal(write.entry.state, FMT_OTA_STATE_NEW);
        assert_true(fmt_otadata_valid(&write.entry));
    }
}

static void another_slot_goes_to_the_other_entry_and_wins(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(1, 2), erased()};
    fmt_otadata_write_t write;

    (void)state;
    memset(e[1].label, 0x5A, sizeof(e[1].label));
    assert_int_equal(fmt_otadata_set_boot(e, 1, 2, FMT_OTA_STATE_UNDEFINED, &write), ESP_OK);
    assert_int_equal(write.index, 1);
    assert_int_equal(write.entry.seq, 2);
    assert_int_equal(write.entry.label[19], 0x5A); /* kept */
    e[1] = write.entry;
    assert_int_equal(fmt_otadata_active(e), 1);
    assert_int_equal(fmt_otadata_set_boot(e, 0, 2, FMT_OTA_STATE_UNDEFINED, &write), ESP_OK);
    assert_int_equal(write.index, 0);
    assert_int_equal(write.entry.seq, 3);
}

static void same_slot_is_refreshed_in_place(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(1, FMT_OTA_STATE_VALID), erased()};
    fmt_otadata_write_t write;

    (void)state;
    assert_int_equal(fmt_otadata_set_boot(e, 0, 2, FMT_OTA_STATE_NEW, &write), ESP_OK);
    assert_int_equal(write.index, 0);
    assert_int_equal(write.entry.seq, 1);
    assert_int_equal(write.entry.state, FMT_OTA_STATE_NEW);
}

static void slots_that_do_not_exist_are_refused(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(1, 2), erased()};
    fmt_otadata_write_t write;

    (void)state;
    assert_int_equal(fmt_otadata_set_boot(e, 2, 2, 0, &write), ESP_ERR_INVALID_ARG);
    assert_int_equal(fmt_otadata_set_boot(e, 0, 0, 0, &write), ESP_ERR_INVALID_ARG);
}

static void states_change_without_touching_number_or_label(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(5, 0), entry(6, 0)};
    fmt_otadata_write_t write;

    (void)state;
    e[1].crc = 0;
    memset(e[1].label, 7, sizeof(e[1].label));
    fmt_otadata_set_state(e, 1, FMT_OTA_STATE_VALID, &write);
    assert_int_equal(write.index, 1);
    assert_int_equal(write.entry.seq, 6);
    assert_int_equal(write.entry.label[0], 7);
    assert_int_equal(write.entry.state, FMT_OTA_STATE_VALID);
    assert_int_equal(write.entry.crc, fmt_otadata_crc(6));
}

static void initial_entry_is_confirmed_and_selects_the_slot(void **state)
{
    fmt_otadata_write_t write;

    (void)state;
    fmt_otadata_initial(1, &write);
    assert_int_equal(write.index, 0);
    assert_int_equal(write.entry.seq, 2);
    assert_int_equal(write.entry.state, FMT_OTA_STATE_VALID);
    assert_int_equal(write.entry.label[0], 0xFF);
    assert_int_equal(fmt_otadata_slot(&write.entry, 2), 1);
}

static void last_invalid_is_the_older_of_two_rejected_entries(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(3, FMT_OTA_STATE_INVALID), entry(4, FMT_OTA_STATE_ABORTED)};

    (void)state;
    assert_int_equal(fmt_otadata_last_invalid(e), 0);
    e[0].seq = 5;
    e[0].crc = fmt_otadata_crc(5);
    assert_int_equal(fmt_otadata_last_invalid(e), 1);
    e[1].crc ^= 1;
    assert_int_equal(fmt_otadata_last_invalid(e), 0);
    e[0].state = FMT_OTA_STATE_VALID;
    assert_int_equal(fmt_otadata_last_invalid(e), -1);
    e[0] = erased();
    e[0].state = FMT_OTA_STATE_INVALID;
    assert_int_equal(fmt_otadata_last_invalid(e), -1);
}

static void slot_is_found_in_the_first_entry_with_right_crc(void **state)
{
    fmt_otadata_entry_t e[2] = {entry(3, 2), entry(1, 2)};

    (void)state;
    assert_int_equal(fmt_otadata_find_slot(e, 0, 2), 0);
    e[0].crc = 0;
    assert_int_equal(fmt_otadata_find_slot(e, 0, 2), 1);
    assert_int_equal(fmt_otadata_find_slot(e, 1, 2), -1);
    assert_int_equal(fmt_otadata_find_slot(e, 0, 0), -1);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(fmt_otadata_state_name(0), "new");
    assert_string_equal(fmt_otadata_state_name(4), "aborted");
    assert_string_equal(fmt_otadata_state_name(5), "unknown");
    assert_string_equal(fmt_otadata_state_name(0xFFFFFFFF), "undefined");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_sequence_numbers_matches_the_published_values),
        cmocka_unit_test(entries_are_encoded_byte_for_byte),
        cmocka_unit_test(only_invalid_aborted_and_empty_block),
        cmocka_unit_test(four_zero_bytes_on_erased_flash_are_a_valid_entry),
        cmocka_unit_test(active_entry_is_the_larger_valid_number_and_the_first_on_a_tie),
        cmocka_unit_test(next_sequence_number_follows_the_examples),
        cmocka_unit_test(next_sequence_number_always_selects_the_slot_and_grows),
        cmocka_unit_test(used_up_sequence_numbers_are_an_error_not_a_lost_update),
        cmocka_unit_test(first_choice_goes_to_entry_0),
        cmocka_unit_test(another_slot_goes_to_the_other_entry_and_wins),
        cmocka_unit_test(same_slot_is_refreshed_in_place),
        cmocka_unit_test(slots_that_do_not_exist_are_refused),
        cmocka_unit_test(states_change_without_touching_number_or_label),
        cmocka_unit_test(initial_entry_is_confirmed_and_selects_the_slot),
        cmocka_unit_test(last_invalid_is_the_older_of_two_rejected_entries),
        cmocka_unit_test(slot_is_found_in_the_first_entry_with_right_crc),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
