/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"

#include "esp_flash.h"
#include "esp_flash_internal.h"

static void size_is_the_smaller_of_chip_and_bootloader_header(void **state)
{
    (void)state;
    uint32_t size;
    board_new(UINT32_MAX);
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(size, BOARD_FLASH_SIZE); /* no bootloader: the chip */

    linux_board_testing_reset(0x800000);
    board_put_image(&(board_image_t){.version = "b", .bootloader = true, .payload = 64}, 0);
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(size, 0x400000);
    assert_int_equal(esp_flash_get_physical_size(NULL, &size), ESP_OK);
    assert_int_equal(size, 0x800000);

    linux_board_testing_reset(0x400000);
    board_put_image(&(board_image_t){.version = "b", .bootloader = true, .payload = 64}, 0);
    board_flash(0)[3] = 0x90; /* a size code nobody knows counts as 2 MiB */
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(size, 0x200000);

    uint32_t id;
    assert_int_equal(esp_flash_read_id(NULL, &id), ESP_OK);
    assert_int_equal(id, 0xA10516);
    assert_int_equal(esp_flash_read_id(NULL, NULL), ESP_ERR_INVALID_ARG);

    assert_int_equal(esp_flash_get_size(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_get_physical_size(NULL, NULL), ESP_ERR_INVALID_ARG);
}

static void another_chip_is_refused(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    int something;
    uint8_t byte;
    assert_int_equal(esp_flash_read((esp_flash_t *)&something, &byte, 0, 1),
                     ESP_ERR_FLASH_NOT_INITIALISED);
    assert_int_equal(esp_flash_init(NULL), ESP_OK);
    assert_int_equal(esp_flash_init(esp_flash_default_chip), ESP_OK);
}

static void ranges_beyond_the_chip_are_refused(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    uint8_t buffer[16] = {0};
    assert_int_equal(esp_flash_read(NULL, buffer, BOARD_FLASH_SIZE - 15, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_read(NULL, buffer, UINT32_MAX, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, buffer, BOARD_FLASH_SIZE, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_FLASH_SIZE, 4096), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_BIG + 1, 4096), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_BIG, 4095), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_read(NULL, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, NULL, BOARD_BIG, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_read(NULL, buffer, BOARD_FLASH_SIZE, 0), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, buffer, BOARD_FLASH_SIZE, 0), ESP_OK);
    assert_int_equal(board_operations(), 0);
}

static void writing_clears_bits_and_reading_gives_them_back(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    const uint8_t data[] = {0x0F, 0xF0, 0x00};
    uint8_t back[3];
    assert_int_equal(esp_flash_write(NULL, data, BOARD_BIG + 5, sizeof(data)), ESP_OK);
    assert_int_equal(esp_flash_read(NULL, back, BOARD_BIG + 5, sizeof(back)), ESP_OK);
    assert_memory_equal(back, data, sizeof(data));
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_BIG, 4096), ESP_OK);
    assert_int_equal(esp_flash_read(NULL, back, BOARD_BIG + 5, sizeof(back)), ESP_OK);
    assert_int_equal(back[2], 0xFF);
}

static void erasing_uses_blocks_where_they_fit(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    linux_board_state_t *board = linux_board_testing_state();
    /* 2 sectors, then two whole blocks, then 1 sector. */
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_BIG + 0xE000, 0x23000), ESP_OK);
    assert_int_equal(board->statistics.block_erases, 2);
    assert_int_equal(board->statistics.sector_erases, 3);
}

static void an_erase_step_erases_one_unit(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    uint32_t erased;
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG, 0x60000, &erased), ESP_OK);
    assert_int_equal(erased, 0x10000);
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG, 0xF000, &erased), ESP_OK);
    assert_int_equal(erased, 0x1000);
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG + 0x1000, 0x20000, &erased), ESP_OK);
    assert_int_equal(erased, 0x1000);
    assert_int_equal(board_operations(), 3);
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG, 0, &erased), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG, 100, &erased), ESP_ERR_INVALID_ARG);
    assert_int_equal(erased, 0);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_flash_erase_step(NULL, BOARD_BIG, 0x1000, &erased),
                     ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(erased, 0);
}

static void dangerous_regions_are_guarded(void **state)
{
    (void)state;
    board_new(BOARD_OTA_0);
    uint8_t byte = 0;
    /* Bootloader, table, up to the end of what a table may use. */
    assert_int_equal(esp_flash_write(NULL, &byte, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_region(NULL, 0x8000, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, &byte, 0x8C00, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, &byte, 0x8C01, 1), ESP_OK);
    /* The running app, wholly or partly. */
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0 + 0x100, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_OTA_0 - 0x1000, 0x2000),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0 - 1, 1), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_1, 1), ESP_OK);
    assert_true(log_has("would damage the bootloader"));

    assert_int_equal(esp_flash_set_dangerous_write_protection(NULL, false), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, &byte, 0, 1), ESP_OK);
    assert_int_equal(esp_flash_set_dangerous_write_protection(NULL, true), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, &byte, 0, 1), ESP_ERR_INVALID_ARG);
}

static void readonly_partitions_stay_protected(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    uint8_t byte = 0;
    esp_flash_set_dangerous_write_protection(NULL, false);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_READONLY + 0x1FFF, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_READONLY - 0x1000, 0x2000),
                     ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_READONLY + 0x2000, 1), ESP_OK);
    assert_int_equal(esp_flash_erase_chip(NULL), ESP_ERR_NOT_ALLOWED);
}

static void a_damaged_table_does_not_stop_raw_writes(void **state)
{
    (void)state;
    board_new(BOARD_FACTORY);
    memset(board_flash(FMT_PARTITION_TABLE_OFFSET), 0, 32);
    uint8_t byte = 0;
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_BIG, 1), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_FACTORY, 1), ESP_ERR_INVALID_ARG);
    assert_false(log_has("load_partitions"));
}

static void a_kept_verification_ends_with_any_change_in_its_range(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    uint8_t byte = 0xFE;
    esp_flash_ticket_t ticket = esp_flash_verified_begin();
    esp_flash_verified_keep(ticket, BOARD_OTA_0, 0x40000);
    assert_true(esp_flash_verified_still(BOARD_OTA_0, 0x40000));
    assert_false(esp_flash_verified_still(BOARD_OTA_0, 0x1000));

    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0 + 0x40000, 1), ESP_OK);
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_OTADATA, 0x1000), ESP_OK);
    assert_true(esp_flash_verified_still(BOARD_OTA_0, 0x40000));
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0 + 0x3FFFF, 1), ESP_OK);
    assert_false(esp_flash_verified_still(BOARD_OTA_0, 0x40000));

    /* A change during the verification. */
    ticket = esp_flash_verified_begin();
    assert_int_equal(esp_flash_erase_region(NULL, BOARD_OTA_0, 0x1000), ESP_OK);
    esp_flash_verified_keep(ticket, BOARD_OTA_0, 0x40000);
    assert_false(esp_flash_verified_still(BOARD_OTA_0, 0x40000));

    /* A failed change may have changed something. */
    ticket = esp_flash_verified_begin();
    esp_flash_verified_keep(ticket, BOARD_OTA_0, 0x40000);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0, 1), ESP_ERR_FLASH_OP_FAIL);
    assert_false(esp_flash_verified_still(BOARD_OTA_0, 0x40000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_the_smaller_of_chip_and_bootloader_header),
        cmocka_unit_test(another_chip_is_refused),
        cmocka_unit_test(ranges_beyond_the_chip_are_refused),
        cmocka_unit_test(writing_clears_bits_and_reading_gives_them_back),
        cmocka_unit_test(erasing_uses_blocks_where_they_fit),
        cmocka_unit_test(an_erase_step_erases_one_unit),
        cmocka_unit_test(dangerous_regions_are_guarded),
        cmocka_unit_test(readonly_partitions_stay_protected),
        cmocka_unit_test(a_damaged_table_does_not_stop_raw_writes),
        cmocka_unit_test(a_kept_verification_ends_with_any_change_in_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
