/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "formats/partition_table.h"
#include "mbedtls/md5.h"

#define FLASH 0x400000u

static uint8_t table[FMT_PARTITION_TABLE_SECTOR];
static fmt_table_report_t report;

/* A table in CSV's terms, with its offsets: what the stock tables of 2.10 come to. */
typedef struct {
    const char *name;
    const char *md5;
    fmt_partition_t rows[12];
} stock_t;

/* clang-format off */
#define APP(name, sub, off, len)  {FMT_PART_TYPE_APP, sub, off, len, name, 0}
#define DATA(name, sub, off, len) {FMT_PART_TYPE_DATA, sub, off, len, name, 0}
#define KEYS(off)                 {FMT_PART_TYPE_DATA, 4, off, 0x1000, "nvs_key", 1}

static const stock_t stock[] = {
    {"singleapp", "f4ad4f4538564b5d7435b62c75b69524",
     {DATA("nvs", 2, 0x9000, 0x6000), DATA("phy_init", 1, 0xF000, 0x1000),
      APP("factory", 0, 0x10000, 0x100000)}},
    {"singleapp_large", "0423598fe5287e6762f955efc9f5f382",
     {DATA("nvs", 2, 0x9000, 0x6000), DATA("phy_init", 1, 0xF000, 0x1000),
      APP("factory", 0, 0x10000, 0x177000)}},
    {"two_ota", "bf25822c0fa6d8641bd930251e06b4c4",
     {DATA("nvs", 2, 0x9000, 0x4000), DATA("otadata", 0, 0xD000, 0x2000),
      DATA("phy_init", 1, 0xF000, 0x1000), APP("factory", 0, 0x10000, 0x100000),
      APP("ota_0", 0x10, 0x110000, 0x100000), APP("ota_1", 0x11, 0x210000, 0x100000)}},
    {"two_ota_large", "37f38b32a34f7412f158930062441178",
     {DATA("nvs", 2, 0x9000, 0x6000), DATA("otadata", 0, 0xF000, 0x2000),
      DATA("phy_init", 1, 0x11000, 0x1000), APP("ota_0", 0x10, 0x20000, 0x1A9000),
      APP("ota_1", 0x11, 0x1D0000, 0x1A9000)}},
    {"singleapp_coredump", "9179c59a53262c5dd4c549db5b3eaa73",
     {DATA("nvs", 2, 0x9000, 0x6000), DATA("phy_init", 1, 0xF000, 0x1000),
      APP("factory", 0, 0x10000, 0x100000), DATA("coredump", 3, 0x110000, 0x10000)}},
    {"two_ota_coredump", "fbe521772f97e9bf34513e42f6167757",
     {DATA("nvs", 2, 0x9000, 0x4000), DATA("otadata", 0, 0xD000, 0x2000),
      DATA("phy_init", 1, 0xF000, 0x1000), APP("factory", 0, 0x10000, 0x100000),
      DATA("coredump", 3, 0x110000, 0x10000), APP("ota_0", 0x10, 0x120000, 0x100000),
      APP("ota_1", 0x11, 0x220000, 0x100000)}},
    {"singleapp_encr_nvs", "55a092271e356dc8c78efd3ed859bada",
     {DATA("nvs", 2, 0x9000, 0x6000), DATA("phy_init", 1, 0xF000, 0x1000),
      APP("factory", 0, 0x10000, 0x100000), KEYS(0x110000)}},
    {"two_ota_encr_nvs", "76d509eedec6b9850fadba48faf3a90c",
     {DATA("nvs", 2, 0x9000, 0x4000), DATA("otadata", 0, 0xD000, 0x2000),
      DATA("phy_init", 1, 0xF000, 0x1000), APP("factory", 0, 0x10000, 0x100000),
      APP("ota_0", 0x10, 0x110000, 0x100000), APP("ota_1", 0x11, 0x210000, 0x100000),
      KEYS(0x310000)}},
    {"singleapp_tee", "5a9835998338ebb1bdfe043d661084cb",
     {APP("tee", 0x30, 0x10000, 0x40000), DATA("secure_storage", 2, 0x50000, 0x10000),
      APP("factory", 0, 0x60000, 0x180000), DATA("nvs", 2, 0x1E0000, 0x6000),
      DATA("phy_init", 1, 0x1E6000, 0x1000)}},
    {"two_ota_tee", "5b781e7398883f3f54e07853e1e086b3",
     {APP("tee_0", 0x30, 0x10000, 0x40000), APP("tee_1", 0x31, 0x50000, 0x40000),
      DATA("tee_otadata", 0x90, 0x90000, 0x2000), DATA("secure_storage", 2, 0x92000, 0xE000),
      APP("ota_0", 0x10, 0xA0000, 0x180000), APP("ota_1", 0x11, 0x220000, 0x180000),
      DATA("otadata", 0, 0x3A0000, 0x2000), DATA("nvs", 2, 0x3A2000, 0x6000),
      DATA("phy_init", 1, 0x3A8000, 0x1000)}},
};
/* clang-format on */

static unsigned stock_rows(const stock_t *s)
{
    unsigned count = 0;

    while (s->rows[count].size != 0) {
        count++;
    }
    return count;
}

/* The table two_ota, with 0xFF to the end of its sector. */
static int make_two_ota(void **state)
{
    (void)state;
    memset(table, 0xFF, sizeof(table));
    assert_int_equal(fmt_partition_table_encode(stock[2].rows, 6, true, table), ESP_OK);
    return 0;
}

static void assert_line(const char *tag, const char *text)
{
    fmt_log_line_t line;

    assert_true(fmt_table_report_line(&report, &line));
    assert_string_equal(line.tag, tag);
    assert_string_equal(line.text, text);
    assert_int_equal(line.level, 'E');
}

static void stock_tables_have_the_published_md5(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stock) / sizeof(stock[0]); i++) {
        unsigned rows = stock_rows(&stock[i]);
        uint8_t md5[16];

        from_hex(stock[i].md5, md5);
        assert_int_equal(fmt_partition_table_encode(stock[i].rows, rows, true, table), ESP_OK);
        if (memcmp(table + rows * 32 + 16, md5, 16) != 0) {
            fail_msg("%s", stock[i].name);
        }
        assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                         ESP_OK);
        assert_int_equal(report.count, rows);
        assert_true(report.has_md5);
    }
}

static void two_ota_is_encoded_byte_for_byte(void **state)
{
    static const char *const rows[] = {
        "aa50010200900000004000006e76730000000000000000000000000000000000",
        "aa50010000d00000002000006f74616461746100000000000000000000000000",
        "aa50010100f00000001000007068795f696e6974000000000000000000000000",
        "aa5000000000010000001000666163746f727900000000000000000000000000",
        "aa50001000001100000010006f74615f30000000000000000000000000000000",
        "aa50001100002100000010006f74615f31000000000000000000000000000000",
        "ebebffffffffffffffffffffffffffffbf25822c0fa6d8641bd930251e06b4c4",
    };
    uint8_t row[32];

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        from_hex(rows[i], row);
        assert_memory_equal(table + i * 32, row, 32);
    }
    for (size_t i = 7 * 32; i < FMT_PARTITION_TABLE_LEN; i++) {
        assert_int_equal(table[i], 0xFF);
    }
}

static void rows_survive_decoding_and_encoding(void **state)
{
    fmt_partition_t entry;
    uint8_t row[32];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(fmt_partition_row_decode(table + i * 32, &entry), FMT_ROW_ENTRY);
        assert_string_equal(entry.label, stock[2].rows[i].label);
        assert_int_equal(entry.offset, stock[2].rows[i].offset);
        fmt_partition_row_encode(&entry, row);
        assert_memory_equal(row, table + i * 32, 32);
    }
    assert_int_equal(fmt_partition_row_decode(table + 6 * 32, NULL), FMT_ROW_MD5);
    assert_int_equal(fmt_partition_row_decode(table + 7 * 32, NULL), FMT_ROW_END);
}

static void label_of_16_characters_has_no_nul_in_flash_and_one_in_memory(void **state)
{
    fmt_partition_t entry = {.label = "0123456789abcdef", .flags = 3};
    fmt_partition_t again;
    uint8_t row[32];

    (void)state;
    fmt_partition_row_encode(&entry, row);
    assert_memory_equal(row + 12, "0123456789abcdef\x03", 17);
    assert_int_equal(fmt_partition_row_decode(row, &again), FMT_ROW_ENTRY);
    assert_string_equal(again.label, "0123456789abcdef");
    assert_int_equal(again.flags, 3);
}

static void table_without_md5_passes_the_bootloader_but_not_the_application(void **state)
{
    (void)state;
    memset(table, 0xFF, sizeof(table));
    assert_int_equal(fmt_partition_table_encode(stock[2].rows, 6, false, table), ESP_OK);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_OK);
    assert_int_equal(report.count, 6);
    assert_false(report.has_md5);
    assert_int_equal(fmt_partition_table_load(table, sizeof(table), true, &report),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(report.reason, FMT_TABLE_LOAD_NO_MD5);
    assert_line("partition", "No MD5 found in partition table");
    assert_int_equal(fmt_partition_table_load(table, sizeof(table), false, &report), ESP_OK);
    assert_int_equal(report.count, 6);
}

static void row_beyond_the_flash_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, 0x310000, &report),
                     ESP_OK);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, 0x30FFFF, &report),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(report.reason, FMT_TABLE_BEYOND_FLASH);
    assert_int_equal(report.row, 5);
    assert_int_equal(report.count, 0);
    assert_line("flash_parts", "partition 5 invalid - offset 0x210000 size 0x100000 exceeds flash "
                               "chip size 0x30ffff");
}

static void offset_plus_size_may_not_wrap(void **state)
{
    (void)state;
    memset(table + 8, 0xFF, 4); /* size of row 0 */
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(report.row, 0);
}

static void second_md5_row_is_refused(void **state)
{
    uint8_t md5[16];

    (void)state;
    memcpy(table + 7 * 32, table + 6 * 32, 32);
    assert_int_equal(mbedtls_md5(table, 7 * 32, md5), 0);
    memcpy(table + 7 * 32 + 16, md5, 16);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(report.reason, FMT_TABLE_SECOND_MD5);
    assert_int_equal(report.row, 7);
    assert_line("flash_parts", "Only one MD5 checksum is allowed");
}

static void any_changed_bit_of_the_rows_is_found_by_both_readers(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 6 * 32 * 8; bit++) {
        table[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(
            fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report), ESP_OK);
        assert_int_not_equal(fmt_partition_table_load(table, sizeof(table), true, &report), ESP_OK);
        table[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    table[12] ^= 1;
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_line("flash_parts", "Incorrect MD5 checksum");
    assert_int_equal(fmt_partition_table_load(table, sizeof(table), true, &report),
                     ESP_ERR_INVALID_STATE);
    assert_line("partition", "Partition table MD5 mismatch");
}

static void bytes_2_to_15_of_the_md5_row_do_not_matter(void **state)
{
    (void)state;
    memset(table + 6 * 32 + 2, 0, 14);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_OK);
}

static void empty_table_is_refused_as_bad_magic(void **state)
{
    (void)state;
    memset(table, 0xFF, sizeof(table));
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(report.reason, FMT_TABLE_BAD_MAGIC);
    assert_line("flash_parts", "partition 0 invalid magic number 0xffff");
}

static void unknown_magic_is_refused_with_its_row(void **state)
{
    (void)state;
    table[3 * 32] = 0x12;
    table[3 * 32 + 1] = 0x34;
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(report.row, 3);
    assert_line("flash_parts", "partition 3 invalid magic number 0x3412");
}

static void end_marker_needs_type_and_subtype_erased_too(void **state)
{
    (void)state;
    table[7 * 32 + 3] = 0;
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(report.reason, FMT_TABLE_BAD_MAGIC);
    table[7 * 32 + 3] = 0xFF;
    table[7 * 32 + 20] = 0; /* not looked at */
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_OK);
}

static void table_without_end_marker_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FMT_PARTITION_TABLE_ROWS; i++) {
        fmt_partition_row_encode(&stock[2].rows[0], table + i * 32);
    }
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(report.reason, FMT_TABLE_NO_END);
    assert_line("flash_parts", "partition table has no terminating entry, not valid");
    assert_int_equal(fmt_partition_table_check(table, 33, FLASH, &report), ESP_ERR_INVALID_STATE);
    assert_int_equal(fmt_partition_table_check(table, 0, FLASH, &report), ESP_ERR_INVALID_STATE);
}

static void capacity_is_94_entries_with_md5_and_95_without(void **state)
{
    static fmt_partition_t rows[96];

    (void)state;
    for (unsigned i = 0; i < 96; i++) {
        rows[i] = stock[2].rows[0];
    }
    assert_int_equal(fmt_partition_table_encode(rows, 94, true, table), ESP_OK);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_OK);
    assert_int_equal(report.count, 94);
    assert_int_equal(fmt_partition_table_encode(rows, 95, true, table), ESP_ERR_INVALID_SIZE);
    assert_int_equal(fmt_partition_table_encode(rows, 95, false, table), ESP_OK);
    assert_int_equal(fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, FLASH, &report),
                     ESP_OK);
    assert_int_equal(report.count, 95);
    assert_int_equal(fmt_partition_table_encode(rows, 96, false, table), ESP_ERR_INVALID_SIZE);
    assert_int_equal(fmt_partition_table_encode(rows, SIZE_MAX, true, table), ESP_ERR_INVALID_SIZE);
}

static void every_named_subtype_is_found_both_ways_in_any_case(void **state)
{
    uint8_t type, subtype;
    const char *name;
    size_t count = 0;

    (void)state;
    while (fmt_partition_subtype_at(count, &type, &subtype, &name)) {
        assert_string_equal(fmt_partition_subtype_name(type, subtype), name);
        assert_int_equal(fmt_partition_subtype_by_name(type, name), subtype);
        count++;
    }
    assert_int_equal(count, 20 + 12 + 3 + 2);
    assert_int_equal(fmt_partition_subtype_by_name(FMT_PART_TYPE_DATA, "NVS"), 2);
    assert_int_equal(fmt_partition_subtype_by_name(FMT_PART_TYPE_APP, "nvs"), -1);
    assert_int_equal(fmt_partition_type_by_name("Data"), 1);
    assert_int_equal(fmt_partition_type_by_name("dat"), -1);
    assert_null(fmt_partition_type_name(4));
    assert_null(fmt_partition_subtype_name(0, 0x21));
}

static void usage_strings_are_the_bootloaders(void **state)
{
    (void)state;
    assert_string_equal(fmt_partition_usage(0, 0), "factory app");
    assert_string_equal(fmt_partition_usage(0, 0x20), "test app");
    assert_string_equal(fmt_partition_usage(0, 0x1F), "OTA app");
    assert_string_equal(fmt_partition_usage(0, 0x31), "TEE app");
    assert_string_equal(fmt_partition_usage(0, 0x21), "Unknown app");
    assert_string_equal(fmt_partition_usage(1, 0), "OTA data");
    assert_string_equal(fmt_partition_usage(1, 1), "RF data");
    assert_string_equal(fmt_partition_usage(1, 2), "WiFi data");
    assert_string_equal(fmt_partition_usage(1, 3), "Unknown data");
    assert_string_equal(fmt_partition_usage(1, 4), "NVS keys");
    assert_string_equal(fmt_partition_usage(1, 5), "efuse");
    assert_string_equal(fmt_partition_usage(1, 0x90), "TEE OTA data");
    assert_string_equal(fmt_partition_usage(2, 2), "recovery bootloader");
    assert_string_equal(fmt_partition_usage(2, 3), "unknown");
    assert_string_equal(fmt_partition_usage(3, 1), "ota partition_table");
    assert_string_equal(fmt_partition_usage(0x40, 0), "unknown");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, make_two_ota)
    const struct CMUnitTest tests[] = {
        TEST(stock_tables_have_the_published_md5),
        TEST(two_ota_is_encoded_byte_for_byte),
        TEST(rows_survive_decoding_and_encoding),
        TEST(label_of_16_characters_has_no_nul_in_flash_and_one_in_memory),
        TEST(table_without_md5_passes_the_bootloader_but_not_the_application),
        TEST(row_beyond_the_flash_is_refused_with_its_place),
        TEST(offset_plus_size_may_not_wrap),
        TEST(second_md5_row_is_refused),
        TEST(any_changed_bit_of_the_rows_is_found_by_both_readers),
        TEST(bytes_2_to_15_of_the_md5_row_do_not_matter),
        TEST(empty_table_is_refused_as_bad_magic),
        TEST(unknown_magic_is_refused_with_its_row),
        TEST(end_marker_needs_type_and_subtype_erased_too),
        TEST(table_without_end_marker_is_refused),
        TEST(capacity_is_94_entries_with_md5_and_95_without),
        TEST(every_named_subtype_is_found_both_ways_in_any_case),
        TEST(usage_strings_are_the_bootloaders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
