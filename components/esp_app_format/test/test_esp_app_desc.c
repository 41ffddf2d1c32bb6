/* SPDX-License-Identifier: Apache-2.0
 *
 * The application descriptor of this very program; its hash is zero, as no image tool saw it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_app_desc.h"
#include "formats/app_desc.h"
#include "sdkconfig.h"

static void test_the_object_is_a_valid_descriptor_with_name_and_version(void **state)
{
    const esp_app_desc_t *own = esp_app_get_description();
    fmt_app_desc_t desc;

    (void)state;
    assert_int_equal(fmt_app_desc_decode(own, sizeof(*own), &desc), ESP_OK);
    assert_string_equal(own->project_name, "unit");
    assert_true(strlen(own->version) > 0);
    assert_true(strlen(own->idf_ver) > 0);
    assert_int_equal(strlen(own->time), 8);
    assert_int_equal(strlen(own->date), 11);
    assert_int_equal(own->mmu_page_size, 16);
    assert_int_equal(own->spi_flash_mode, CONFIG_ESPTOOLPY_FLASHMODE_VAL);
    assert_int_equal(own->secure_version, 0);
}

static void test_elf_hash_text_obeys_buffer_and_configured_length(void **state)
{
    char text[80];

    (void)state;
    assert_int_equal(esp_app_get_elf_sha256(NULL, 10), 0);
    assert_int_equal(esp_app_get_elf_sha256(text, 0), 0);
    assert_int_equal(esp_app_get_elf_sha256(text, 1), 0);
    assert_int_equal(esp_app_get_elf_sha256(text, 2), 2);
    assert_string_equal(text, "0");
    memset(text, 'x', sizeof(text));
    assert_int_equal(esp_app_get_elf_sha256(text, sizeof(text)),
                     CONFIG_APP_RETRIEVE_LEN_ELF_SHA + 1);
    assert_int_equal(strlen(text), CONFIG_APP_RETRIEVE_LEN_ELF_SHA);
    assert_int_equal(text[CONFIG_APP_RETRIEVE_LEN_ELF_SHA + 1], 'x');
    assert_string_equal(esp_app_get_elf_sha256_str(), text);
    assert_ptr_equal(esp_app_get_elf_sha256_str(), app_elf_sha256_str);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_object_is_a_valid_descriptor_with_name_and_version),
        cmocka_unit_test(test_elf_hash_text_obeys_buffer_and_configured_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
