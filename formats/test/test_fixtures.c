/* SPDX-License-Identifier: Apache-2.0
 *
 * Artefacts other people built with ESP-IDF, from the folder AIRLIFT_FIXTURES or, beside the
 * repository, shared/fixtures. Tests say that they are skipped where it is not. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "formats/bootloader_desc.h"
#include "formats/image.h"
#include "formats/otadata.h"
#include "formats/partition_table.h"

static uint8_t data[512 * 1024];
static size_t data_len;

/* Reads a fixture, or skips the test. */
static void load(const char *name)
{
    const char *folder = getenv("AIRLIFT_FIXTURES");
    const char *root = getenv("AIRLIFT_ROOT");
    char path[1024];
    FILE *file;

    if (folder != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, name);
    } else {
        snprintf(path, sizeof(path), "%s/../shared/fixtures/%s", root != NULL ? root : AIRLIFT_ROOT,
                 name);
    }
    file = fopen(path, "rb");
    if (file == NULL) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    data_len = fread(data, 1, sizeof(data), file);
    fclose(file);
}

static void verify(fmt_image_verifier_t *v, uint16_t chip_id, uint32_t flags)
{
    const fmt_image_params_t params = {
        .chip = fmt_chip_by_id(chip_id),
        .partition_size = (uint32_t)data_len,
        .flags = flags,
    };
    fmt_image_need_t need;

    fmt_image_begin(v, &params);
    while (fmt_image_need(v, &need)) {
        uint32_t len = need.remaining < 1000 ? need.remaining : 1000;

        fmt_image_feed(v, data + need.offset, len);
    }
    fmt_image_end(v);
}

static void recovery_table_with_md5_is_read(void **state)
{
    fmt_table_report_t report;
    fmt_partition_t entry;

    (void)state;
    load("esp32-recovery-ptable.bin");
    assert_int_equal(fmt_partition_table_check(data, data_len, 4u << 20, &report), ESP_OK);
    assert_int_equal(report.count, 6);
    assert_true(report.has_md5);
    assert_int_equal(fmt_partition_table_load(data, data_len, true, &report), ESP_OK);
    assert_int_equal(fmt_partition_row_decode(data + 4 * 32, &entry), FMT_ROW_ENTRY);
    assert_string_equal(entry.label, "ota_0");
    assert_int_equal(entry.offset, 0x150000);
}

static void table_of_2017_without_md5_is_read(void **state)
{
    fmt_table_report_t report;

    (void)state;
    load("esp32-sha2017badge-ptable-nomd5.bin");
    assert_int_equal(fmt_partition_table_check(data, data_len, 4u << 20, &report), ESP_OK);
    assert_int_equal(report.count, 6);
    assert_false(report.has_md5);
    assert_int_equal(fmt_partition_table_load(data, data_len, true, &report), ESP_ERR_NOT_FOUND);
    assert_int_equal(fmt_partition_table_load(data, data_len, false, &report), ESP_OK);
}

static void arduino_otadata_selects_slot_0(void **state)
{
    fmt_otadata_entry_t e[2];

    (void)state;
    load("arduino-boot_app0.bin");
    assert_int_equal(data_len, FMT_OTADATA_SIZE);
    fmt_otadata_decode(data, &e[0]);
    fmt_otadata_decode(data + FMT_OTADATA_SECTOR, &e[1]);
    assert_int_equal(e[0].seq, 1);
    assert_int_equal(e[1].seq, 0);
    assert_true(fmt_otadata_valid(&e[0]) && fmt_otadata_valid(&e[1]));
    assert_int_equal(fmt_otadata_active(e), 0);
    assert_int_equal(fmt_otadata_slot(&e[0], 2), 0);
}

static void c3_app_of_idf_4_verifies(void **state)
{
    fmt_image_verifier_t v;

    (void)state;
    load("esp32c3-idf4.3-app.bin");
    verify(&v, FMT_CHIP_ID_ESP32C3, 0);
    assert_int_equal(v.status, FMT_IMAGE_OK);
    assert_int_equal(v.image_len, data_len);
    assert_int_equal(v.segment_count, 6);
    assert_true(v.checksum_ok && v.digest_ok && v.has_desc);
    assert_string_equal(v.app_desc.idf_ver, "4.3.0");
    verify(&v, FMT_CHIP_ID_LINUX, 0);
    assert_int_equal(v.status, FMT_IMAGE_WRONG_CHIP);
    data[100000] ^= 0x10;
    verify(&v, FMT_CHIP_ID_ESP32C3, 0);
    assert_int_equal(v.status, FMT_IMAGE_BAD_CHECKSUM);
}

static void h2_app_of_idf_5_verifies(void **state)
{
    fmt_image_verifier_t v;

    (void)state;
    load("esp32h2-ota-uart-app.bin");
    verify(&v, FMT_CHIP_ID_ESP32H2, 0);
    assert_int_equal(v.status, FMT_IMAGE_OK);
    assert_int_equal(v.image_len, data_len);
    assert_true(v.checksum_ok && v.digest_ok);
    assert_string_equal(v.app_desc.project_name, "OTA-UART-Linux");
}

static void esp32_bootloader_verifies_with_its_descriptor(void **state)
{
    fmt_image_verifier_t v;
    fmt_bootloader_desc_t desc;

    (void)state;
    load("esp32-bootloader-idf5.5.bin");
    verify(&v, FMT_CHIP_ID_ESP32, FMT_IMAGE_BOOTLOADER | FMT_IMAGE_BOOTLOADER_HASH);
    assert_int_equal(v.status, FMT_IMAGE_OK);
    assert_true(v.digest_ok);
    assert_int_equal(v.image_len, data_len);
    assert_int_equal(fmt_bootloader_desc_decode(data + 32, data_len - 32, &desc), ESP_OK);
    assert_string_equal(desc.idf_ver, "v5.5.1");
    assert_int_equal(desc.version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovery_table_with_md5_is_read),
        cmocka_unit_test(table_of_2017_without_md5_is_read),
        cmocka_unit_test(arduino_otadata_selects_slot_0),
        cmocka_unit_test(c3_app_of_idf_4_verifies),
        cmocka_unit_test(h2_app_of_idf_5_verifies),
        cmocka_unit_test(esp32_bootloader_verifies_with_its_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
