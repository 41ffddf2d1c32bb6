/* SPDX-License-Identifier: Apache-2.0
 *
 * The secure version in the partition, of which nine bits are used here. What flash does when power
 * is cut is formats/test/test_efuse.c. */
#include "storage_board.h"

#include "esp_efuse.h"

#define EFUSES 0x10000u

static void board_with(uint32_t size, uint32_t flags)
{
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_NVS, BOARD_NVS, 0x4000, "nvs", 0},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_EFUSE, EFUSES, size, "emul_efuse", flags},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_EFUSE, EFUSES + 0x4000, 0x2000, "second", 0},
    };
    board_new_with(rows, size > 0 ? 3 : 1, true, UINT32_MAX);
}

static int new_board(void **state)
{
    (void)state;
    board_with(0x2000, 0);
    return 0;
}

static void a_new_chip_has_version_0_and_is_written_down(void **state)
{
    (void)state;
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    for (unsigned i = 0; i < 0x2000; i++) {
        assert_int_equal(*board_flash(EFUSES + i), i < 352 ? 0 : 0xFF);
    }
    assert_int_equal(*board_flash(EFUSES + 0x4000), 0xFF); /* of two the first counts */
    uint64_t before = board_operations();
    assert_true(esp_efuse_check_secure_version(0));
    assert_int_equal(esp_efuse_update_secure_version(0), ESP_OK);
    assert_int_equal(board_operations(), before);
}

static void a_version_stays_and_only_rises(void **state)
{
    (void)state;
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_OK);
    assert_true(log_has("I (") &&
                log_has("efuse: Anti-rollback is set. eFuse field is updated(2)."));
    board_reload();
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_int_equal(*board_flash(EFUSES + 17), 0xC0);
    assert_false(esp_efuse_check_secure_version(1));
    assert_true(esp_efuse_check_secure_version(2));
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_FAIL);
    assert_true(log_has("secure_version of app is lower that eFuse field(2)."));
    assert_int_equal(esp_efuse_update_secure_version(9), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(10), ESP_ERR_INVALID_ARG);
    assert_true(log_has("Max secure version is 9. Given 10 version can not be written."));
    *board_flash(EFUSES + 19) = 0xFF; /* bits beyond the nine */
    assert_int_equal(esp_efuse_read_secure_version(), 9);
}

static void what_is_wrong_with_the_partition_is_said(void **state)
{
    (void)state;
    board_with(0, 0);
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_true(log_has("E (") && log_has("there are 0x0"));
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_ERR_NOT_FOUND);

    board_with(0x1000, 0);
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_ERR_INVALID_SIZE);
    assert_true(log_has("to burn eFuses takes a partition of type data, subtype efuse, with 0x2000 "
                        "bytes; there are 0x1000"));
    assert_int_equal(board_operations(), 0);

    board_with(0x2000, FMT_PART_FLAG_READONLY);
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_ERR_NOT_ALLOWED);
    assert_true(log_has("cannot write the emulated eFuses: error 0x10d"));
    assert_int_equal(esp_efuse_read_secure_version(), 0);
}

static void flash_that_fails_is_reported_and_used_again(void **state)
{
    (void)state;
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_OK);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_true(log_has("cannot read the emulated eFuses: error 0x6002"));
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_efuse_read_secure_version(), 1);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 2, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_ERR_FLASH_OP_FAIL);
    assert_true(log_has("cannot burn the emulated eFuses: error 0x6001"));
    log_clear();
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_true(log_has("W (") && log_has("finished burning eFuses"));
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, new_board)
    const struct CMUnitTest tests[] = {
        TEST(a_new_chip_has_version_0_and_is_written_down),
        TEST(a_version_stays_and_only_rises),
        TEST(what_is_wrong_with_the_partition_is_said),
        TEST(flash_that_fails_is_reported_and_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
