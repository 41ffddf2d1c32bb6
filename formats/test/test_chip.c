/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "formats/chip.h"
#include "formats/crc32.h"

static void crc32_matches_the_reference_values(void **state)
{
    (void)state;
    assert_int_equal(fmt_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(fmt_crc32(0xFFFFFFFF, "123456789", 9), 0xD202D277);
    assert_int_equal(fmt_crc32(0, NULL, 0), 0);
}

static void crc32_continues_over_pieces(void **state)
{
    (void)state;
    assert_int_equal(fmt_crc32(fmt_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
}

static void chips_are_found_by_id_and_by_name_in_any_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < fmt_chip_count(); i++) {
        const fmt_chip_t *chip = fmt_chip_at(i);

        assert_ptr_equal(fmt_chip_by_id(chip->id), chip);
        assert_ptr_equal(fmt_chip_by_name(chip->name), chip);
    }
    assert_null(fmt_chip_at(fmt_chip_count()));
    assert_null(fmt_chip_by_id(FMT_CHIP_ID_INVALID));
    assert_null(fmt_chip_by_name("esp32x"));
    assert_null(fmt_chip_by_name(""));
    assert_ptr_equal(fmt_chip_by_name("ESP32-C3"), fmt_chip_by_id(5));
    assert_int_equal(fmt_chip_by_name("linux")->id, 0xA105);
    assert_int_equal(fmt_chip_by_name("sifive_u")->id, 0xA205);
}

static void boards_differ_from_every_real_chip_in_the_high_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < fmt_chip_count(); i++) {
        assert_int_equal(fmt_chip_at(i)->real, fmt_chip_at(i)->id < 0x100);
    }
}

static void ranges_include_their_start_and_exclude_their_end(void **state)
{
    const fmt_chip_t *c3 = fmt_chip_by_name("esp32c3");

    (void)state;
    assert_int_equal(fmt_chip_memory(c3, 0x3C000000, 0x10000), FMT_MEM_DROM);
    assert_int_equal(fmt_chip_memory(c3, 0x3C7FFFFF, 0x10000), FMT_MEM_DROM);
    assert_int_equal(fmt_chip_memory(c3, 0x3C800000, 0x10000), FMT_MEM_NONE);
    assert_int_equal(fmt_chip_memory(c3, 0, 0x10000), FMT_MEM_PADDING);
}

static void segment_use_follows_the_address(void **state)
{
    const fmt_chip_t *linux_board = fmt_chip_by_name("linux");
    const fmt_chip_t *p4 = fmt_chip_by_name("esp32p4");

    (void)state;
    assert_int_equal(fmt_chip_segment_use(linux_board, 0x3C000020, 0x10000), FMT_SEGMENT_MAP);
    assert_int_equal(fmt_chip_segment_use(linux_board, 0x80000000, 0x10000), FMT_SEGMENT_LOAD);
    assert_int_equal(fmt_chip_segment_use(linux_board, 0, 0x10000), FMT_SEGMENT_NONE);
    assert_int_equal(fmt_chip_segment_use(linux_board, 0x0FFFFFFF, 0x10000), FMT_SEGMENT_NONE);
    assert_int_equal(fmt_chip_segment_use(p4, 0x48000000, 0x10000), FMT_SEGMENT_MAP);
}

static void page_size_limits_the_mapped_range_of_256_page_chips(void **state)
{
    const fmt_chip_t *c6 = fmt_chip_by_name("esp32c6");

    (void)state;
    assert_int_equal(fmt_chip_segment_use(c6, 0x42FFFFFF, 0x10000), FMT_SEGMENT_MAP);
    assert_int_equal(fmt_chip_segment_use(c6, 0x42400000, 0x4000), FMT_SEGMENT_LOAD);
    assert_int_equal(fmt_chip_segment_use(c6, 0x423FFFFF, 0x4000), FMT_SEGMENT_MAP);
}

static void loading_is_allowed_only_inside_one_ram_range(void **state)
{
    const fmt_chip_t *board = fmt_chip_by_name("linux");

    (void)state;
    assert_true(fmt_chip_may_load(board, 0x80000000, 0x40000000));
    assert_false(fmt_chip_may_load(board, 0x80000000, 0x40000001));
    assert_false(fmt_chip_may_load(board, 0xBFFFFFFF, 2));
    assert_false(fmt_chip_may_load(board, 0x7FFFFFFF, 1));
    assert_false(fmt_chip_may_load(board, 0x3C000000, 4));
    assert_true(fmt_chip_may_load(board, 0x3FC80000, 80));
    assert_true(fmt_chip_may_load(board, 0x12345678, 0));
    assert_false(fmt_chip_may_load(fmt_chip_by_name("sifive_u"), 0x88000000, 1));
}

static void image_limit_depends_on_the_cache(void **state)
{
    (void)state;
    assert_int_equal(fmt_chip_image_limit(fmt_chip_by_name("esp32")), 0x1000000);
    assert_int_equal(fmt_chip_image_limit(fmt_chip_by_name("esp32s3")), 0xFFFFFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_matches_the_reference_values),
        cmocka_unit_test(crc32_continues_over_pieces),
        cmocka_unit_test(chips_are_found_by_id_and_by_name_in_any_spelling),
        cmocka_unit_test(boards_differ_from_every_real_chip_in_the_high_byte),
        cmocka_unit_test(ranges_include_their_start_and_exclude_their_end),
        cmocka_unit_test(segment_use_follows_the_address),
        cmocka_unit_test(page_size_limits_the_mapped_range_of_256_page_chips),
        cmocka_unit_test(loading_is_allowed_only_inside_one_ram_range),
        cmocka_unit_test(image_limit_depends_on_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
