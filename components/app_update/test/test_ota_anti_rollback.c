/* SPDX-License-Identifier: Apache-2.0
 *
 * With CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK and real emulated eFuses. */
#include "storage_board.h"
#include "wraps.h"

#include "formats/otadata.h"

#include "esp_efuse.h"
#include "esp_ota_ops.h"

#define EFUSES 0x112000u

static esp_app_desc_t s_running_app;

/* Through the linker's --wrap. */
const esp_app_desc_t *__wrap_esp_app_get_description(void);

const esp_app_desc_t *__wrap_esp_app_get_description(void)
{
    return &s_running_app;
}

static void new_table(bool with_efuse)
{
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA, BOARD_OTADATA, 0x2000, "otadata", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_FACTORY, BOARD_FACTORY, BOARD_APP_SIZE, "factory", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0},
        {FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0 + 1, BOARD_OTA_1, BOARD_APP_SIZE, "ota_1", 0},
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_EFUSE, EFUSES, 0x2000, "emul_efuse", 0},
    };
    board_new_with(rows, with_efuse ? 5 : 4, true, BOARD_OTA_0);
}

/* The chip's secure version, which can go down only here. */
static void put_fuses(uint32_t version)
{
    memset(board_flash(EFUSES), 0xFF, 0x2000);
    assert_int_equal(esp_efuse_update_secure_version(version), ESP_OK);
}

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    new_table(true);
    board_put_image(&(board_image_t){.version = "f", .payload = 400, .secure_version = 9},
                    BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "0", .payload = 400, .secure_version = 2},
                    BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "1", .payload = 400, .secure_version = 1},
                    BOARD_OTA_1);
    put_fuses(1);
    s_running_app.secure_version = 2;
    return 0;
}

static void an_app_older_than_the_efuse_is_erased_instead_of_chosen(void **state)
{
    (void)state;
    const esp_partition_t *old = board_partition("ota_1");
    assert_int_equal(esp_ota_set_boot_partition(old), ESP_OK);
    put_fuses(2);
    assert_int_equal(esp_ota_set_boot_partition(old), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(log_has("secure version is lower than stored in efuse. Partition will be erased."));
    assert_int_equal(board_flash(BOARD_OTA_1)[0], 0xFF);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(old), ESP_ERR_NOT_FOUND);

    board_put_image(&(board_image_t){.version = "1", .payload = 400, .secure_version = 1},
                    BOARD_OTA_1);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_set_boot_partition(old), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(log_has("cannot erase partition ota_1"));
}

static void an_app_without_a_descriptor_is_not_chosen(void **state)
{
    (void)state;
    memset(board_flash(BOARD_OTA_1 + 32), 0, 4);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("ota_1")),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(board_flash(BOARD_OTA_1)[0], 0xE9); /* not erased */
}

static void confirming_raises_the_version_of_the_chip(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    uint64_t before = board_operations();
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_operations(), before); /* valid already */
    /* The version before it is refused from now on. */
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")),
                     ESP_ERR_OTA_SMALL_SEC_VER);
}

static void a_version_that_cannot_be_raised_is_an_error_and_the_app_is_confirmed(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    s_running_app.secure_version = 17;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_ERR_INVALID_ARG);
    assert_true(log_has("Max secure version is 16. Given 17 version can not be written."));
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
    assert_int_equal(esp_efuse_read_secure_version(), 1);

    new_table(false);
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    s_running_app.secure_version = 2;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_ERR_NOT_FOUND);
    assert_true(log_has("there are 0x0"));
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
}

static void only_an_app_new_enough_can_be_rolled_back_to(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_true(esp_ota_check_rollback_is_possible());
    put_fuses(2);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    /* Never to factory. */
    board_put_otadata(1, 2, ESP_OTA_IMG_ABORTED, true);
    put_fuses(0);
    assert_false(esp_ota_check_rollback_is_possible());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_app_older_than_the_efuse_is_erased_instead_of_chosen, new_board),
        cmocka_unit_test_setup(an_app_without_a_descriptor_is_not_chosen, new_board),
        cmocka_unit_test_setup(confirming_raises_the_version_of_the_chip, new_board),
        cmocka_unit_test_setup(a_version_that_cannot_be_raised_is_an_error_and_the_app_is_confirmed,
                               new_board),
        cmocka_unit_test_setup(only_an_app_new_enough_can_be_rolled_back_to, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
