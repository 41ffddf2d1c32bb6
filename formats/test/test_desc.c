/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "formats/app_desc.h"
#include "formats/bootloader_desc.h"

static void app_descriptor_fields_stand_where_the_format_puts_them(void **state)
{
    fmt_app_desc_t desc;
    uint8_t raw[FMT_APP_DESC_SIZE];

    (void)state;
    memset(&desc, 0, sizeof(desc));
    desc.magic_word = FMT_APP_DESC_MAGIC;
    desc.secure_version = 7;
    memcpy(desc.version, "v1", 3);
    memcpy(desc.project_name, "name", 5);
    memcpy(desc.time, "12:34:56", 9);
    memcpy(desc.date, "Jan  1 2026", 12);
    memcpy(desc.idf_ver, "v6", 3);
    memset(desc.app_elf_sha256, 0xA5, 32);
    desc.min_efuse_blk_rev_full = 3;
    desc.max_efuse_blk_rev_full = 199;
    desc.mmu_page_size = 16;
    desc.spi_flash_mode = 3;
    fmt_app_desc_encode(&desc, raw);
    assert_memory_equal(raw, "\x32\x54\xCD\xAB\x07\0\0\0", 8);
    assert_string_equal((char *)raw + 16, "v1");
    assert_string_equal((char *)raw + 48, "name");
    assert_string_equal((char *)raw + 80, "12:34:56");
    assert_string_equal((char *)raw + 96, "Jan  1 2026");
    assert_string_equal((char *)raw + 112, "v6");
    assert_int_equal(raw[144], 0xA5);
    assert_int_equal(raw[175], 0xA5);
    assert_memory_equal(raw + 176, "\x03\0\xC7\0\x10\x03", 6);
    assert_int_equal(FMT_IMAGE_ELF_SHA256_OFFSET, 0xB0);
}

static void app_descriptor_decodes_from_any_alignment(void **state)
{
    uint8_t raw[FMT_APP_DESC_SIZE + 1];
    fmt_app_desc_t desc;

    (void)state;
    memset(raw, 0, sizeof(raw));
    memcpy(raw + 1, "\x32\x54\xCD\xAB\x09", 5);
    assert_int_equal(fmt_app_desc_decode(raw + 1, FMT_APP_DESC_SIZE, &desc), ESP_OK);
    assert_int_equal(desc.secure_version, 9);
}

static void app_descriptor_is_refused_when_short_or_without_magic(void **state)
{
    uint8_t raw[FMT_APP_DESC_SIZE] = {0x32, 0x54, 0xCD, 0xAB};
    fmt_app_desc_t desc = {.secure_version = 5};

    (void)state;
    assert_int_equal(fmt_app_desc_decode(raw, 255, &desc), ESP_ERR_INVALID_SIZE);
    raw[3] = 0;
    assert_int_equal(fmt_app_desc_decode(raw, 256, &desc), ESP_ERR_NOT_FOUND);
    assert_int_equal(desc.secure_version, 5);
}

static void text_fields_without_nul_are_cut(void **state)
{
    char out[6];
    const char field[4] = {'a', 'b', 'c', 'd'};

    (void)state;
    assert_string_equal(fmt_text_field(out, sizeof(out), field, sizeof(field)), "abcd");
    assert_string_equal(fmt_text_field(out, 3, field, sizeof(field)), "ab");
    assert_string_equal(fmt_text_field(out, sizeof(out), "x", 2), "x");
}

static void mmu_page_size_is_valid_from_13_to_18(void **state)
{
    fmt_app_desc_t desc = {0};

    (void)state;
    for (unsigned log2 = 0; log2 < 256; log2++) {
        desc.mmu_page_size = (uint8_t)log2;
        assert_int_equal(fmt_app_desc_mmu_page(&desc), log2 >= 13 && log2 <= 18 ? 1u << log2 : 0);
    }
}

static void spi_modes_have_names(void **state)
{
    (void)state;
    assert_string_equal(fmt_app_desc_spi_mode_name(3), "dio");
    assert_string_equal(fmt_app_desc_spi_mode_name(0), "unknown");
    assert_string_equal(fmt_app_desc_spi_mode_name(200), "unknown");
}

static void bootloader_descriptor_round_trips(void **state)
{
    fmt_bootloader_desc_t desc, again;
    uint8_t raw[FMT_BOOTLOADER_DESC_SIZE];

    (void)state;
    memset(&desc, 0, sizeof(desc));
    desc.magic_byte = FMT_BOOTLOADER_DESC_MAGIC;
    desc.secure_version = 2;
    desc.version = 1;
    memcpy(desc.idf_ver, "v6.2", 5);
    memcpy(desc.date_time, "Jan  1 2026 00:00:00", 21);
    fmt_bootloader_desc_encode(&desc, raw);
    assert_memory_equal(raw, "\x50\0\0\x02\x01\0\0\0v6.2", 12);
    assert_string_equal((char *)raw + 40, "Jan  1 2026 00:00:00");
    assert_int_equal(fmt_bootloader_desc_decode(raw, sizeof(raw), &again), ESP_OK);
    assert_memory_equal(&desc, &again, sizeof(desc));
}

static void bootloader_descriptor_is_refused_when_short_or_without_magic(void **state)
{
    uint8_t raw[FMT_BOOTLOADER_DESC_SIZE] = {FMT_BOOTLOADER_DESC_MAGIC};
    fmt_bootloader_desc_t desc;

    (void)state;
    assert_int_equal(fmt_bootloader_desc_decode(raw, 79, &desc), ESP_ERR_INVALID_SIZE);
    raw[0] = 0;
    assert_int_equal(fmt_bootloader_desc_decode(raw, 80, &desc), ESP_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(app_descriptor_fields_stand_where_the_format_puts_them),
        cmocka_unit_test(app_descriptor_decodes_from_any_alignment),
        cmocka_unit_test(app_descriptor_is_refused_when_short_or_without_magic),
        cmocka_unit_test(text_fields_without_nul_are_cut),
        cmocka_unit_test(mmu_page_size_is_valid_from_13_to_18),
        cmocka_unit_test(spi_modes_have_names),
        cmocka_unit_test(bootloader_descriptor_round_trips),
        cmocka_unit_test(bootloader_descriptor_is_refused_when_short_or_without_magic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
