/* SPDX-License-Identifier: Apache-2.0
 *
 * Without CONFIG_EFUSE_VIRTUAL_KEEP_IN_FLASH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp_efuse.h"

static void fuses_in_ram_start_unburnt_and_only_rise(void **state)
{
    (void)state;
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_true(esp_efuse_check_secure_version(0));
    assert_int_equal(esp_efuse_update_secure_version(0), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    assert_false(esp_efuse_check_secure_version(2));
    assert_true(esp_efuse_check_secure_version(3));
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_FAIL);
    assert_int_equal(esp_efuse_update_secure_version(17), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_update_secure_version(16), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 16);
    assert_false(esp_efuse_is_flash_encryption_enabled());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuses_in_ram_start_unburnt_and_only_rise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
