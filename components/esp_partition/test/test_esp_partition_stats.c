/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"

#include "esp_private/partition_linux.h"

static int new_board(void **state)
{
    (void)state;
    board_new(BOARD_FACTORY);
    esp_partition_clear_stats();
    return 0;
}

static void operations_bytes_and_erases_are_counted(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("big");
    uint8_t data[4096] = {0};
    assert_int_equal(esp_partition_write(p, 0, data, 4096), ESP_OK);
    assert_int_equal(esp_partition_write(p, 0, data, 4), ESP_OK);
    assert_int_equal(esp_partition_read(p, 0, data, 4), ESP_OK);
    assert_int_equal(esp_partition_erase_range(p, 0x10000, 0x11000), ESP_OK);
    assert_int_equal(esp_partition_get_write_ops(), 2);
    assert_int_equal(esp_partition_get_write_bytes(), 4100);
    assert_int_equal(esp_partition_get_read_ops(), 1);
    assert_int_equal(esp_partition_get_read_bytes(), 4);
    assert_int_equal(esp_partition_get_erase_ops(), 17);
    assert_int_equal(esp_partition_get_total_time(), 6367 + 19 + 7 + 17 * 37142);
    assert_int_equal(esp_partition_get_sector_erase_count(BOARD_BIG / 4096 + 15), 0);
    assert_int_equal(esp_partition_get_sector_erase_count(BOARD_BIG / 4096 + 16), 1);
    assert_int_equal(esp_partition_get_sector_erase_count(BOARD_BIG / 4096 + 32), 1);
    assert_int_equal(esp_partition_get_sector_erase_count(1u << 20), 0);
    esp_partition_clear_stats();
    assert_int_equal(esp_partition_get_total_time(), 0);
    assert_int_equal(esp_partition_get_sector_erase_count(BOARD_BIG / 4096 + 16), 0);
}

static void a_write_is_cut_after_the_cycles_allowed(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("big");
    const uint8_t data[32] = {0};
    esp_partition_fail_after(5, ESP_PARTITION_FAIL_AFTER_MODE_BOTH);
    assert_int_equal(esp_partition_write(p, 0, data, 12), ESP_OK); /* 3 cycles */
    assert_int_equal(esp_partition_write(p, 12, data, 20), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(board_flash(BOARD_BIG)[19], 0);
    assert_int_equal(board_flash(BOARD_BIG)[20], 0xFF);
    assert_int_equal(esp_partition_write(p, 12, data, 20), ESP_OK); /* power is back */
}

static void an_erase_is_cut_after_the_cycles_allowed(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("big");
    memset(board_flash(BOARD_BIG), 0, 0x60000);
    esp_partition_fail_after(18, ESP_PARTITION_FAIL_AFTER_MODE_ERASE);
    const uint8_t zero[64] = {0};
    assert_int_equal(esp_partition_write(p, 0, zero, 64), ESP_OK); /* not counted in this mode */
    assert_int_equal(esp_partition_erase_range(p, 0, 0x20000), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(board_flash(BOARD_BIG)[0x11FFF], 0xFF);
    assert_int_equal(board_flash(BOARD_BIG)[0x12000], 0);
    assert_int_equal(esp_partition_erase_range(p, 0, 0x20000), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(operations_bytes_and_erases_are_counted, new_board),
        cmocka_unit_test_setup(a_write_is_cut_after_the_cycles_allowed, new_board),
        cmocka_unit_test_setup(an_erase_is_cut_after_the_cycles_allowed, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
