/* SPDX-License-Identifier: Apache-2.0
 *
 * The flash of the linux board through hal/flash.h: NOR rules, bounds, wear, torn operations,
 * unstable bits, and the faults unit tests may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hal/flash.h"
#include "linux_board/flash_model.h"
#include "linux_board/testing.h"

#define MIB 0x100000u

static int new_board(void **state)
{
    (void)state;
    linux_board_testing_reset(2 * MIB);
    return hal_flash_init() == ESP_OK ? 0 : -1;
}

static void fill(uint32_t address, uint8_t value, size_t len)
{
    memset(linux_board_testing_flash() + address, value, len);
}

static void size_is_0_before_init_and_the_chips_after(void **state)
{
    (void)state;
    linux_board_testing_reset(MIB);
    assert_int_equal(hal_flash_size(), 0);
    assert_int_equal(hal_flash_init(), ESP_OK);
    assert_int_equal(hal_flash_size(), MIB);
}

static void only_powers_of_two_from_1_to_128_mib_are_chip_sizes(void **state)
{
    (void)state;
    for (uint64_t size = MIB; size <= 128ull * MIB; size *= 2) {
        assert_true(linux_board_flash_size_valid(size));
        assert_false(linux_board_flash_size_valid(size + 4096));
        assert_false(linux_board_flash_size_valid(size - 4096));
    }
    assert_false(linux_board_flash_size_valid(0));
    assert_false(linux_board_flash_size_valid(MIB / 2));
    assert_false(linux_board_flash_size_valid(256ull * MIB));
}

static void programming_clears_bits_and_never_sets_any(void **state)
{
    (void)state;
    const uint8_t first[] = {0xF0, 0xFF, 0x55};
    const uint8_t second[] = {0x30, 0x0F, 0x55};
    uint8_t back[3];
    assert_int_equal(hal_flash_program(0x1001, first, sizeof(first)), ESP_OK);
    assert_int_equal(hal_flash_program(0x1001, second, sizeof(second)), ESP_OK);
    assert_int_equal(hal_flash_read(0x1001, back, sizeof(back)), ESP_OK);
    assert_memory_equal(back, ((uint8_t[]){0x30, 0x0F, 0x55}), 3);
}

static void a_bit_from_0_to_1_is_an_error_that_stops_at_its_byte(void **state)
{
    (void)state;
    /* The offending byte far behind the start, so that bytes taken many at a time count too. */
    static uint8_t data[2000];
    memset(data, 0x0F, sizeof(data));
    fill(1700, 0xF0, 1);
    assert_int_equal(hal_flash_program(0, data, sizeof(data)), ESP_ERR_FLASH_OP_FAIL);
    const uint8_t *flash = linux_board_testing_flash();
    assert_int_equal(flash[1699], 0x0F);
    assert_int_equal(flash[1700], 0xF0);
    assert_int_equal(flash[1701], 0xFF);
}

static void with_the_check_off_a_forbidden_bit_stays_0(void **state)
{
    (void)state;
    linux_board_testing_state()->check_nor = 0;
    const uint8_t data = 0x0F;
    fill(7, 0xF1, 1);
    assert_int_equal(hal_flash_program(7, &data, 1), ESP_OK);
    assert_int_equal(linux_board_testing_flash()[7], 0x01);
}

static void an_erase_sets_one_sector_or_one_block_and_nothing_beside_it(void **state)
{
    (void)state;
    const uint8_t *flash = linux_board_testing_flash();
    fill(0, 0, 2 * MIB);
    assert_int_equal(hal_flash_erase_sector(0x5000), ESP_OK);
    assert_int_equal(hal_flash_erase_block(0x20000), ESP_OK);
    for (uint32_t at = 0; at < 2 * MIB; at++) {
        bool erased = (at >= 0x5000 && at < 0x6000) || (at >= 0x20000 && at < 0x30000);
        if (flash[at] != (erased ? 0xFF : 0)) {
            fail_msg("0x%x is 0x%x", at, flash[at]);
        }
    }
}

static void what_is_not_inside_the_chip_or_not_aligned_is_refused(void **state)
{
    (void)state;
    uint8_t byte = 0;
    assert_int_equal(hal_flash_read(2 * MIB - 1, &byte, 1), ESP_OK);
    assert_int_equal(hal_flash_read(2 * MIB, &byte, 0), ESP_OK);
    assert_int_equal(hal_flash_read(2 * MIB, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_read(2 * MIB + 1, &byte, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_read(1, &byte, SIZE_MAX), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_program(2 * MIB - 1, &byte, 2), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_program(UINT32_MAX, &byte, 2), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_erase_sector(1), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_erase_sector(2 * MIB), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_erase_block(0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_flash_erase_block(0xFFFF0000), ESP_ERR_INVALID_ARG);
    assert_int_equal(linux_board_testing_flash()[2 * MIB - 1], 0xFF);
    assert_int_equal(linux_board_testing_state()->operations, 0);
}

static void operations_and_wear_are_counted(void **state)
{
    (void)state;
    const uint8_t data[16] = {0};
    linux_board_state_t *board = linux_board_testing_state();
    hal_flash_erase_sector(0x3000);
    hal_flash_erase_block(0);
    hal_flash_program(0x3000, data, sizeof(data));
    uint8_t back[5];
    hal_flash_read(0, back, sizeof(back));
    assert_int_equal(board->operations, 3);
    assert_int_equal(board->wear[3], 2);
    assert_int_equal(board->wear[15], 1);
    assert_int_equal(board->wear[16], 0);
    assert_int_equal(board->statistics.sector_erases, 1);
    assert_int_equal(board->statistics.block_erases, 1);
    assert_int_equal(board->statistics.programs, 1);
    assert_int_equal(board->statistics.program_bytes, 16);
    assert_int_equal(board->statistics.reads, 1);
    assert_int_equal(board->statistics.read_bytes, 5);
}

static void the_simulated_times_are_those_of_the_reference(void **state)
{
    (void)state;
    assert_int_equal(linux_flash_busy_us(LINUX_FLASH_ERASE, 4096), 37142);
    assert_int_equal(linux_flash_busy_us(LINUX_FLASH_PROGRAM, 4), 19);
    assert_int_equal(linux_flash_busy_us(LINUX_FLASH_PROGRAM, 4096), 6367);
    assert_int_equal(linux_flash_busy_us(LINUX_FLASH_READ, 4), 7);
    assert_int_equal(linux_flash_busy_us(LINUX_FLASH_READ, 4096), 459);
    assert_true(linux_flash_busy_us(LINUX_FLASH_ERASE, 65536) < 16 * 37142);
}

/* --- power cuts --- */

static jmp_buf power_lost;

static void on_cut(void *arg)
{
    (void)arg;
    longjmp(power_lost, 1);
}

/* Runs operation with a cut in it; true if the cut came true. */
static bool cut_program(linux_board_cut_mode_t mode, uint32_t byte, uint32_t address, uint8_t value,
                        size_t len)
{
    static uint8_t data[4096];
    memset(data, value, sizeof(data));
    linux_board_testing_on_cut(on_cut, NULL);
    linux_board_testing_cut(1, mode, byte);
    if (setjmp(power_lost) == 0) {
        (void)hal_flash_program(address, data, len);
        return false;
    }
    linux_board_testing_power_on();
    return true;
}

static bool cut_erase(linux_board_cut_mode_t mode, uint32_t byte, uint32_t address, uint32_t len)
{
    linux_board_testing_on_cut(on_cut, NULL);
    linux_board_testing_cut(1, mode, byte);
    if (setjmp(power_lost) == 0) {
        (void)(len == HAL_FLASH_BLOCK_SIZE ? hal_flash_erase_block(address)
                                           : hal_flash_erase_sector(address));
        return false;
    }
    linux_board_testing_power_on();
    return true;
}

static unsigned ones(const uint8_t *data, size_t len)
{
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        count += (unsigned)__builtin_popcount(data[i]);
    }
    return count;
}

static void a_program_cut_before_after_and_at_every_byte_leaves_a_prefix(void **state)
{
    (void)state;
    const uint8_t *flash = linux_board_testing_flash();
    assert_true(cut_program(LINUX_BOARD_CUT_BEFORE, 0, 0x100, 0, 64));
    assert_int_equal(ones(flash, 0x1000), 0x1000 * 8);
    for (uint32_t byte = 0; byte < 64; byte++) {
        fill(0, 0xFF, 0x1000);
        assert_true(cut_program(LINUX_BOARD_CUT_INSIDE, byte, 0x100, 0x0F, 64));
        for (uint32_t i = 0; i < 64; i++) {
            uint8_t value = flash[0x100 + i];
            if (i == byte) {
                assert_int_equal(value & 0x0F, 0x0F);
            } else {
                assert_int_equal(value, i < byte ? 0x0F : 0xFF);
            }
        }
    }
    fill(0, 0xFF, 0x1000);
    assert_true(cut_program(LINUX_BOARD_CUT_INSIDE_PERCENT, 50, 0x100, 0, 64));
    assert_int_equal(flash[0x100 + 31], 0);
    assert_int_equal(flash[0x100 + 33], 0xFF);
    fill(0, 0xFF, 0x1000);
    assert_true(cut_program(LINUX_BOARD_CUT_AFTER, 0, 0x100, 0, 64));
    assert_int_equal(ones(flash + 0x100, 64), 0);
    fill(0, 0xFF, 0x1000);
    assert_true(cut_program(LINUX_BOARD_CUT_INSIDE, 64, 0x100, 0, 64));
    assert_int_equal(ones(flash + 0x100, 64), 0);
}

static void a_torn_erase_leaves_bits_in_between_more_of_them_the_later_it_was(void **state)
{
    (void)state;
    const uint8_t *flash = linux_board_testing_flash();
    unsigned last = 0;
    for (uint32_t percent = 10; percent < 100; percent += 20) {
        fill(0, 0, 0x2000);
        assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE_PERCENT, percent, 0, 4096));
        unsigned now = ones(flash, 0x1000);
        assert_true(now > last);
        assert_true(now < 0x8000);
        assert_int_equal(ones(flash + 0x1000, 0x1000), 0);
        last = now;
    }
    fill(0, 0, 0x2000);
    assert_true(cut_erase(LINUX_BOARD_CUT_BEFORE, 0, 0, 4096));
    assert_int_equal(ones(flash, 0x1000), 0);
    assert_true(cut_erase(LINUX_BOARD_CUT_AFTER, 0, 0, 4096));
    assert_int_equal(ones(flash, 0x1000), 0x8000);
}

static void a_torn_erase_keeps_every_bit_that_was_1(void **state)
{
    (void)state;
    fill(0, 0xA5, 0x1000);
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE, 2048, 0, 4096));
    static uint8_t back[4096];
    for (int round = 0; round < 10; round++) {
        assert_int_equal(hal_flash_read(0, back, sizeof(back)), ESP_OK);
        for (size_t i = 0; i < sizeof(back); i++) {
            assert_int_equal(back[i] & 0xA5, 0xA5);
        }
    }
}

static void a_torn_block_erase_tears_all_its_sectors(void **state)
{
    (void)state;
    fill(0, 0, 0x20000);
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE_PERCENT, 50, 0x10000, 65536));
    for (uint32_t sector = 16; sector < 32; sector++) {
        unsigned now = ones(linux_board_testing_flash() + sector * 4096, 4096);
        assert_in_range(now, 0x8000 * 3 / 10, 0x8000 * 7 / 10);
        assert_int_not_equal(linux_board_testing_state()->unstable[sector], 0);
    }
    assert_int_equal(linux_board_testing_state()->unstable[15], 0);
}

static void unstable_bits_flicker_over_reboots_and_end_with_a_whole_erase(void **state)
{
    (void)state;
    static uint8_t a[4096], b[4096];
    fill(0, 0, 0x1000);
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE, 2048, 0, 4096));
    linux_board_testing_reboot(HAL_RESET_SOFTWARE);
    hal_flash_read(0, a, sizeof(a));
    bool differs = false;
    unsigned flickering = 0;
    for (int round = 0; round < 20; round++) {
        hal_flash_read(0, b, sizeof(b));
        for (size_t i = 0; i < sizeof(b); i++) {
            flickering += a[i] != b[i];
        }
        differs = differs || memcmp(a, b, sizeof(a)) != 0;
    }
    assert_true(differs);
    /* Some, not most: about one in sixteen bits. */
    assert_in_range(flickering / 20, 1, 4096 * 3 / 4);
    assert_int_equal(hal_flash_erase_sector(0), ESP_OK);
    hal_flash_read(0, b, sizeof(b));
    assert_int_equal(ones(b, sizeof(b)), 0x8000);
    assert_int_equal(linux_board_testing_state()->unstable[0], 0);
}

static void memory_cannot_show_unstable_bits_so_there_is_no_view_of_them(void **state)
{
    (void)state;
    fill(0x1000, 0, 0x1000);
    assert_non_null(hal_flash_map(0, 0x3000));
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE, 2048, 0x1000, 4096));
    assert_null(hal_flash_map(0, 0x3000));
    assert_null(hal_flash_map(0x1FFF, 1));
    assert_non_null(hal_flash_map(0x2000, 0x1000));
    assert_non_null(hal_flash_map(0, 0x1000));
    assert_null(hal_flash_map(2 * MIB, 1));
    assert_null(hal_flash_map(1, SIZE_MAX));
}

static void a_view_follows_later_writes(void **state)
{
    (void)state;
    const uint8_t *view = hal_flash_map(0x4000, 16);
    const uint8_t data = 0x12;
    assert_int_equal(view[3], 0xFF);
    hal_flash_program(0x4003, &data, 1);
    assert_int_equal(view[3], 0x12);
    hal_flash_erase_sector(0x4000);
    assert_int_equal(view[3], 0xFF);
}

static void the_same_plan_on_the_same_board_leaves_the_same_bytes(void **state)
{
    static uint8_t first[4096];
    fill(0, 0, 0x1000);
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE, 1000, 0, 4096));
    memcpy(first, linux_board_testing_flash(), sizeof(first));
    new_board(state);
    fill(0, 0, 0x1000);
    assert_true(cut_erase(LINUX_BOARD_CUT_INSIDE, 1000, 0, 4096));
    assert_memory_equal(first, linux_board_testing_flash(), sizeof(first));
}

static void note_cut(void *arg)
{
    ++*(int *)arg;
}

static void without_power_nothing_works_until_it_is_back(void **state)
{
    (void)state;
    int cuts = 0;
    uint8_t byte = 0;
    linux_board_testing_on_cut(note_cut, &cuts);
    linux_board_testing_cut(2, LINUX_BOARD_CUT_AFTER, 0);
    assert_int_equal(hal_flash_erase_sector(0), ESP_OK);
    assert_int_equal(hal_flash_program(0, &byte, 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(cuts, 1);
    assert_int_equal(linux_board_testing_flash()[0], 0);
    assert_int_equal(hal_flash_read(0, &byte, 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(hal_flash_erase_sector(0), ESP_ERR_FLASH_OP_FAIL);
    linux_board_testing_power_on();
    assert_int_equal(hal_flash_read(0, &byte, 1), ESP_OK);
    assert_int_equal(linux_board_testing_state()->operations, 0);
}

/* --- faults --- */

static void the_nth_operation_of_a_kind_fails_as_asked_and_only_that_one(void **state)
{
    (void)state;
    uint8_t byte = 0;
    linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 2, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(hal_flash_program(0, &byte, 1), ESP_OK);
    assert_int_equal(hal_flash_erase_sector(0x1000), ESP_OK);
    assert_int_equal(hal_flash_read(0, &byte, 1), ESP_OK);
    assert_false(linux_board_testing_failed());
    assert_int_equal(hal_flash_program(1, &byte, 1), ESP_ERR_FLASH_OP_TIMEOUT);
    assert_true(linux_board_testing_failed());
    assert_int_equal(linux_board_testing_flash()[1], 0xFF);
    assert_int_equal(hal_flash_program(1, &byte, 1), ESP_OK);

    linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 1, ESP_FAIL);
    assert_int_equal(hal_flash_erase_block(0), ESP_FAIL);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_FAIL);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 0, ESP_FAIL);
    assert_int_equal(hal_flash_read(0, &byte, 1), ESP_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, new_board)
    const struct CMUnitTest tests[] = {
        TEST(size_is_0_before_init_and_the_chips_after),
        TEST(only_powers_of_two_from_1_to_128_mib_are_chip_sizes),
        TEST(programming_clears_bits_and_never_sets_any),
        TEST(a_bit_from_0_to_1_is_an_error_that_stops_at_its_byte),
        TEST(with_the_check_off_a_forbidden_bit_stays_0),
        TEST(an_erase_sets_one_sector_or_one_block_and_nothing_beside_it),
        TEST(what_is_not_inside_the_chip_or_not_aligned_is_refused),
        TEST(operations_and_wear_are_counted),
        TEST(the_simulated_times_are_those_of_the_reference),
        TEST(a_program_cut_before_after_and_at_every_byte_leaves_a_prefix),
        TEST(a_torn_erase_leaves_bits_in_between_more_of_them_the_later_it_was),
        TEST(a_torn_erase_keeps_every_bit_that_was_1),
        TEST(a_torn_block_erase_tears_all_its_sectors),
        TEST(unstable_bits_flicker_over_reboots_and_end_with_a_whole_erase),
        TEST(memory_cannot_show_unstable_bits_so_there_is_no_view_of_them),
        TEST(a_view_follows_later_writes),
        TEST(the_same_plan_on_the_same_board_leaves_the_same_bytes),
        TEST(without_power_nothing_works_until_it_is_back),
        TEST(the_nth_operation_of_a_kind_fails_as_asked_and_only_that_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
