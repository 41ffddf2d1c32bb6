/* SPDX-License-Identifier: Apache-2.0
 *
 * Emulated eFuses on the linux board's flash chip, whose torn erases leave bits that read
 * differently from time to time. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "formats/efuse.h"
#include "hal/flash.h"
#include "linux_board/testing.h"

#define PLACE 0x10000u
#define SIZE  0x2000u
#define COPY  0x1000u
#define DUMP  FMT_EFUSE_DUMP_SIZE

static fmt_efuse_t efuse;
static fmt_log_line_t line;
static jmp_buf away;
static bool forgetful; /* programs do not reach the chip */

static esp_err_t io_read(void *context, uint32_t offset, void *dst, size_t len)
{
    (void)context;
    assert_true(offset <= efuse.partition_size && len <= efuse.partition_size - offset);
    return hal_flash_read(PLACE + offset, dst, len);
}

static esp_err_t io_program(void *context, uint32_t offset, const void *src, size_t len)
{
    (void)context;
    assert_true(offset <= efuse.partition_size && len <= efuse.partition_size - offset);
    return forgetful ? ESP_OK : hal_flash_program(PLACE + offset, src, len);
}

static esp_err_t io_erase(void *context, uint32_t offset)
{
    (void)context;
    assert_true(offset <= efuse.partition_size &&
                HAL_FLASH_SECTOR_SIZE <= efuse.partition_size - offset);
    return hal_flash_erase_sector(PLACE + offset);
}

static const fmt_efuse_io_t io = {.read = io_read, .program = io_program, .erase_sector = io_erase};

static uint8_t *bytes(void)
{
    return linux_board_testing_flash() + PLACE;
}

static uint64_t operations(void)
{
    return linux_board_testing_state()->operations;
}

static int new_board(void **state)
{
    (void)state;
    linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
    assert_int_equal(hal_flash_init(), ESP_OK);
    efuse.partition_size = SIZE;
    forgetful = false;
    return 0;
}

/* A chip whose fuses outside the version field are burnt here and there. */
static void burnt_chip(uint32_t version)
{
    memset(bytes(), 0xFF, SIZE);
    memset(bytes(), 0, DUMP);
    bytes()[3] = 0xA5;
    bytes()[17] = 0x01;
    bytes()[DUMP - 1] = 0x80;
    for (uint32_t bit = 142; bit < 142 + version; bit++) {
        bytes()[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

static void assert_at_rest(uint32_t version)
{
    static uint8_t found[SIZE];

    memcpy(found, bytes(), SIZE);
    burnt_chip(version);
    assert_memory_equal(found, bytes(), SIZE);
}

static esp_err_t raise(uint32_t version)
{
    return fmt_efuse_raise_secure_version(&io, &efuse, 16, version, &line);
}

static uint32_t count(void)
{
    return fmt_efuse_secure_version(&efuse, 16);
}

static esp_err_t start(void)
{
    memset(&efuse.copy, 0x5A, sizeof(efuse.copy));
    return fmt_efuse_open(&io, &efuse, &line);
}

/* --- without accidents --- */

static void a_blank_partition_becomes_a_chip_without_a_burnt_fuse(void **state)
{
    (void)state;
    assert_int_equal(start(), ESP_OK);
    assert_int_equal(count(), 0);
    assert_string_equal(line.text, "");
    for (unsigned i = 0; i < SIZE; i++) {
        assert_int_equal(bytes()[i], i < DUMP ? 0 : 0xFF);
    }
    uint64_t before = operations();
    assert_int_equal(start(), ESP_OK);
    assert_int_equal(operations(), before);
}

static void a_burn_changes_the_dump_and_nothing_else(void **state)
{
    (void)state;
    burnt_chip(0);
    for (uint32_t version = 1; version <= 16; version += version == 1 ? 2 : 1) {
        assert_int_equal(raise(version), ESP_OK);
        assert_int_equal(line.level, 'I');
        assert_non_null(strstr(line.text, "eFuse field is updated("));
        assert_int_equal(count(), version);
        assert_at_rest(version);
        assert_int_equal(start(), ESP_OK);
        assert_int_equal(count(), version);
    }
}

static void what_needs_no_burn_writes_nothing(void **state)
{
    (void)state;
    burnt_chip(3);
    assert_int_equal(raise(3), ESP_OK);
    assert_string_equal(line.text, "");
    assert_int_equal(raise(2), ESP_FAIL);
    assert_string_equal(
        line.text, "Anti-rollback is not set. secure_version of app is lower that eFuse field(3).");
    assert_int_equal(raise(17), ESP_ERR_INVALID_ARG);
    assert_string_equal(line.text,
                        "Max secure version is 16. Given 17 version can not be written.");
    assert_int_equal(fmt_efuse_raise_secure_version(&io, &efuse, 4, 5, &line), ESP_ERR_INVALID_ARG);
    assert_string_equal(line.text, "Max secure version is 4. Given 5 version can not be written.");
    assert_int_equal(operations(), 0);
    assert_at_rest(3);
}

static void the_count_is_that_of_the_bits_in_use(void **state)
{
    (void)state;
    burnt_chip(16);
    assert_int_equal(start(), ESP_OK);
    for (unsigned bits = 0; bits <= 16; bits++) {
        assert_int_equal(fmt_efuse_secure_version(&efuse, bits), bits);
    }
    assert_int_equal(fmt_efuse_secure_version(&efuse, 1000), 16);
    /* Any positions count, and the next free one is burnt. */
    burnt_chip(0);
    bytes()[18] |= 0x04;
    assert_int_equal(start(), ESP_OK);
    assert_int_equal(count(), 1);
    assert_int_equal(raise(2), ESP_OK);
    assert_int_equal(count(), 2);
    assert_int_equal(bytes()[17], 0x41);
    assert_int_equal(bytes()[18], 0x04);
}

/* --- partitions that are not what they should be --- */

static void no_partition_and_one_too_small_are_named(void **state)
{
    (void)state;
    efuse.partition_size = 0;
    assert_int_equal(start(), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(line.text, "0x2000 bytes; there are 0x0"));
    assert_int_equal(count(), 0);
    assert_int_equal(raise(0), ESP_OK);
    assert_int_equal(raise(1), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(line.text, "there are 0x0"));
    efuse.partition_size = DUMP - 1;
    assert_int_equal(start(), ESP_ERR_INVALID_SIZE);
    assert_int_equal(count(), 0);
    assert_int_equal(raise(1), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(line.text, "there are 0x15f"));
}

static void one_sector_is_read_but_never_written(void **state)
{
    (void)state;
    efuse.partition_size = 0x1000;
    assert_int_equal(start(), ESP_ERR_INVALID_SIZE);
    assert_int_equal(count(), 0);
    burnt_chip(2);
    assert_int_equal(start(), ESP_ERR_INVALID_SIZE);
    assert_int_equal(count(), 2);
    assert_int_equal(raise(2), ESP_OK);
    assert_int_equal(raise(3), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(line.text, "subtype efuse, with 0x2000 bytes; there are 0x1000"));
    assert_int_equal(count(), 2);
    assert_int_equal(operations(), 0);
}

/* --- cuts --- */

static void on_cut(void *arg)
{
    (void)arg;
    longjmp(away, 1);
}

/* Plans a cut of the operation-th operation from now on, runs what, switches on again. Whether the
 * cut came, and what it returned if not. */
static bool cut_in(uint64_t operation, linux_board_cut_mode_t mode, uint32_t percent,
                   esp_err_t (*what)(uint32_t), uint32_t arg, esp_err_t *result)
{
    linux_board_testing_on_cut(on_cut, NULL);
    linux_board_testing_cut(operation, mode, percent);
    if (setjmp(away) == 0) {
        *result = what(arg);
        linux_board_testing_cut(0, LINUX_BOARD_CUT_NEVER, 0);
        return false;
    }
    linux_board_testing_power_on();
    return true;
}

static esp_err_t start_with(uint32_t unused)
{
    (void)unused;
    return start();
}

static void a_damaged_or_marked_copy_counts_for_nothing(void **state)
{
    uint8_t copy[368];
    esp_err_t result;
    fmt_efuse_state_t found;

    (void)state;
    burnt_chip(2);
    assert_true(cut_in(3, LINUX_BOARD_CUT_BEFORE, 0, raise, 3, &result));
    assert_int_equal(fmt_efuse_load(&io, &efuse, &found), ESP_OK);
    assert_int_equal(found, FMT_EFUSE_UNFINISHED);
    assert_int_equal(count(), 3);
    memcpy(copy, bytes() + COPY, sizeof(copy));
    for (unsigned bit = 0; bit < sizeof(copy) * 8; bit++) {
        memcpy(bytes() + COPY, copy, sizeof(copy));
        bytes()[COPY + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(fmt_efuse_load(&io, &efuse, &found), ESP_OK);
        assert_int_equal(found, FMT_EFUSE_LEFT_OVER);
        assert_int_equal(count(), 2);
    }
    assert_int_equal(start(), ESP_OK);
    assert_string_equal(line.text, "");
    assert_at_rest(2);
}

static void arbitrary_bytes_are_read_without_harm(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 300; round++) {
        for (unsigned i = 0; i < SIZE; i++) {
            bytes()[i] = (uint8_t)rand();
        }
        assert_int_equal(start(), ESP_OK);
        uint32_t before = count();
        assert_in_range(before, 0, 16);
        assert_int_equal(raise(16), ESP_OK);
        assert_int_equal(start(), ESP_OK);
        assert_int_equal(count(), 16);
    }
}

/* After a cut: the count is one of two, all other fuses are as they were, and after the start the
 * partition is at rest. */
static void assert_recovers(uint32_t old, uint32_t new)
{
    assert_int_equal(start(), ESP_OK);
    assert_true(count() == old || count() == new);
    assert_at_rest(count());
    assert_int_equal(raise(new), ESP_OK);
    assert_at_rest(new);
}

static const struct {
    linux_board_cut_mode_t mode;
    uint32_t percent;
} moments[] = {
    {LINUX_BOARD_CUT_BEFORE, 0},          {LINUX_BOARD_CUT_INSIDE_PERCENT, 1},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 4},  {LINUX_BOARD_CUT_INSIDE_PERCENT, 5},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 20}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 50},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 80}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 97},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 99}, {LINUX_BOARD_CUT_AFTER, 0},
};
#define MOMENTS (sizeof(moments) / sizeof(moments[0]))

static void new_chip(uint64_t seed, uint32_t version)
{
    new_board(NULL);
    linux_board_testing_state()->seed = seed;
    burnt_chip(version);
}

static void a_cut_anywhere_in_a_burn_leaves_the_old_or_the_new_count(void **state)
{
    esp_err_t result;
    unsigned cuts = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (size_t moment = 0; moment < MOMENTS; moment++) {
            for (uint64_t operation = 1;; operation++) {
                new_chip(seed, 2);
                if (!cut_in(operation, moments[moment].mode, moments[moment].percent, raise, 5,
                            &result)) {
                    assert_int_equal(result, ESP_OK);
                    assert_int_equal(operation, 7);
                    break;
                }
                cuts++;
                assert_recovers(2, 5);
            }
        }
    }
    assert_int_equal(cuts, 20 * MOMENTS * 6);
}

static void a_second_cut_while_the_first_is_repaired_loses_nothing_either(void **state)
{
    esp_err_t result;

    (void)state;
    for (uint64_t first = 1; first <= 6; first++) {
        for (size_t moment = 0; moment < MOMENTS; moment++) {
            for (size_t later = 0; later < MOMENTS; later++) {
                for (uint64_t second = 1;; second++) {
                    new_chip(7 * moment + later, 0);
                    assert_true(cut_in(first, moments[moment].mode, moments[moment].percent, raise,
                                       16, &result));
                    if (!cut_in(second, moments[later].mode, moments[later].percent, start_with, 0,
                                &result)) {
                        assert_int_equal(result, ESP_OK);
                        break;
                    }
                    assert_recovers(0, 16);
                }
            }
        }
    }
}

static void a_cut_in_the_very_first_start_burns_nothing(void **state)
{
    esp_err_t result;

    for (size_t moment = 0; moment < MOMENTS; moment++) {
        for (uint64_t operation = 1;; operation++) {
            new_board(state);
            linux_board_testing_state()->seed = operation + moment;
            if (!cut_in(operation, moments[moment].mode, moments[moment].percent, start_with, 0,
                        &result)) {
                break;
            }
            assert_int_equal(start(), ESP_OK);
            for (unsigned i = 0; i < SIZE; i++) {
                assert_int_equal(bytes()[i], i < DUMP ? 0 : 0xFF);
            }
        }
    }
}

/* --- a chip that does not obey --- */

static void every_failing_operation_is_reported_and_made_good_at_the_next_start(void **state)
{
    static const linux_board_fault_t kinds[] = {LINUX_BOARD_FAULT_READ, LINUX_BOARD_FAULT_PROGRAM,
                                                LINUX_BOARD_FAULT_ERASE};

    (void)state;
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (uint64_t nth = 1;; nth++) {
            new_chip(nth, 1);
            linux_board_testing_fail(kinds[kind], nth, ESP_ERR_FLASH_OP_TIMEOUT);
            esp_err_t err = raise(4);
            if (!linux_board_testing_failed()) {
                assert_int_equal(err, ESP_OK);
                assert_true(nth > 3);
                break;
            }
            assert_int_equal(err, ESP_ERR_FLASH_OP_TIMEOUT);
            assert_non_null(strstr(line.text, "the emulated eFuses: error 0x6002"));
            assert_true(kinds[kind] == LINUX_BOARD_FAULT_READ || count() == 1 || count() == 4);
            /* Without a start in between, and with one. */
            if (nth % 2 == 0) {
                assert_int_equal(raise(4), ESP_OK);
                assert_at_rest(4);
            }
            assert_recovers(1, 4);
        }
    }
}

static void a_copy_that_did_not_reach_flash_is_not_relied_on(void **state)
{
    (void)state;
    burnt_chip(1);
    forgetful = true;
    assert_int_equal(raise(2), ESP_FAIL);
    assert_int_equal(count(), 1);
    assert_at_rest(1);
    forgetful = false;
    assert_int_equal(raise(2), ESP_OK);
    assert_at_rest(2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, new_board)
    const struct CMUnitTest tests[] = {
        TEST(a_blank_partition_becomes_a_chip_without_a_burnt_fuse),
        TEST(a_burn_changes_the_dump_and_nothing_else),
        TEST(what_needs_no_burn_writes_nothing),
        TEST(the_count_is_that_of_the_bits_in_use),
        TEST(no_partition_and_one_too_small_are_named),
        TEST(one_sector_is_read_but_never_written),
        TEST(a_damaged_or_marked_copy_counts_for_nothing),
        TEST(arbitrary_bytes_are_read_without_harm),
        TEST(a_cut_anywhere_in_a_burn_leaves_the_old_or_the_new_count),
        TEST(a_second_cut_while_the_first_is_repaired_loses_nothing_either),
        TEST(a_cut_in_the_very_first_start_burns_nothing),
        TEST(every_failing_operation_is_reported_and_made_good_at_the_next_start),
        TEST(a_copy_that_did_not_reach_flash_is_not_relied_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
