/* SPDX-License-Identifier: Apache-2.0
 *
 * With CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK; the eFuse is a variable of the test. */
#include "storage_board.h"
#include "wraps.h"

#include "formats/otadata.h"

#include "esp_efuse.h"
#include "esp_ota_ops.h"

static uint32_t s_efuse;
static unsigned s_updates;
static esp_err_t s_update_result;

/* Through the linker's --wrap. */
bool __wrap_esp_efuse_check_secure_version(uint32_t version);
esp_err_t __wrap_esp_efuse_update_secure_version(uint32_t version);

bool __wrap_esp_efuse_check_secure_version(uint32_t version)
{
    return version >= s_efuse;
}

esp_err_t __wrap_esp_efuse_update_secure_version(uint32_t version)
{
    (void)version;
    s_updates++;
    return s_update_result;
}

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "f", .payload = 400, .secure_version = 9},
                    BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "0", .payload = 400, .secure_version = 2},
                    BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "1", .payload = 400, .secure_version = 1},
                    BOARD_OTA_1);
    s_efuse = 1;
    s_updates = 0;
    s_update_result = ESP_OK;
    return 0;
}

static void an_app_older_than_the_efuse_is_erased_instead_of_chosen(void **state)
{
    (void)state;
    const esp_partition_t *old = board_partition("ota_1");
    assert_int_equal(esp_ota_set_boot_partition(old), ESP_OK);
    s_efuse = 2;
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

static void confirming_raises_the_efuse_version(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(s_updates, 1);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(s_updates, 1); /* valid already */
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    s_update_result = ESP_FAIL;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
}

static void only_an_app_new_enough_can_be_rolled_back_to(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_true(esp_ota_check_rollback_is_possible());
    s_efuse = 2;
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    /* Never to factory. */
    board_put_otadata(1, 2, ESP_OTA_IMG_ABORTED, true);
    s_efuse = 0;
    assert_false(esp_ota_check_rollback_is_possible());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_app_older_than_the_efuse_is_erased_instead_of_chosen, new_board),
        cmocka_unit_test_setup(confirming_raises_the_efuse_version, new_board),
        cmocka_unit_test_setup(only_an_app_new_enough_can_be_rolled_back_to, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
