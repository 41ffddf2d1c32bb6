/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"
#include "wraps.h"

#include "bootloader_common.h"
#include "esp_flash.h"
#include "esp_image_format.h"
#include "esp_image_internal.h"
#include "formats/crc32.h"
#include "formats/retain.h"
#include "hal/chip.h"
#include "hal/reset.h"

static const esp_partition_pos_t SLOT = {BOARD_OTA_0, BOARD_APP_SIZE};
static const board_image_t GOOD = {.version = "1.0", .payload = 9000, .secure_version = 3};

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    return 0;
}

static void check_good_image(void)
{
    esp_image_metadata_t data;
    size_t len = board_put_image(&GOOD, BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_OK);
    assert_int_equal(data.start_addr, BOARD_OTA_0);
    assert_int_equal(data.image.magic, ESP_IMAGE_HEADER_MAGIC);
    assert_int_equal(data.image.segment_count, 2);
    assert_int_equal(data.image.spi_size, ESP_IMAGE_FLASH_SIZE_4MB);
    assert_int_equal(data.segments[0].load_addr, 0x3C000020);
    assert_int_equal(data.segments[1].data_len, 9000);
    assert_int_equal(data.segment_data[0], BOARD_OTA_0 + 0x20);
    assert_int_equal(data.segment_data[1], BOARD_OTA_0 + 0x20 + 256 + 8);
    assert_int_equal(data.image_len, len);
    assert_memory_equal(data.image_digest, board_flash(BOARD_OTA_0) + len - 32, 32);
    assert_int_equal(data.secure_version, 3);
    assert_int_equal(data.mmu_page_size, 0x10000);
    assert_true(log_has("esp_image: segment 0: paddr=00050020 vaddr=3c000020 size=00100h (   256) "
                        "map"));
    assert_int_equal(log_count("esp_image: segment"), 2);
}

static void a_good_image_is_described(void **state)
{
    (void)state;
    check_good_image();
    new_board(state);
    wraps_unmapped(true);
    check_good_image();
}

static void metadata_are_parsed_silently_without_looking_at_content(void **state)
{
    (void)state;
    esp_image_metadata_t data;
    size_t len = board_put_image(&GOOD, BOARD_OTA_0);
    board_flash(BOARD_OTA_0)[3000] ^= 1;
    assert_int_equal(esp_image_get_metadata(&SLOT, &data), ESP_OK);
    assert_int_equal(data.image_len, len);
    assert_memory_equal(data.image_digest, board_flash(BOARD_OTA_0) + len - 32, 32);
    assert_false(log_has("esp_image"));
    board_flash(BOARD_OTA_0)[0] = 0;
    assert_int_equal(esp_image_get_metadata(&SLOT, &data), ESP_ERR_IMAGE_INVALID);
    assert_false(log_has("esp_image"));
    assert_int_equal(esp_image_get_metadata(NULL, &data), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_get_metadata(&SLOT, NULL), ESP_ERR_INVALID_ARG);
}

typedef struct {
    uint32_t offset;
    uint8_t value;
    esp_err_t err;
    const char *line;
    bool also_silent;
} damage_t;

static void each_damage_has_its_error_and_line(void **state)
{
    (void)state;
    const damage_t cases[] = {
        {0, 0x00, ESP_ERR_IMAGE_INVALID,
         "image at 0x50000 has invalid magic byte (nothing flashed here?)", false},
        {12, 0x09, ESP_FAIL, "boot_comm: mismatch chip ID, expected", true},
        {16, 0x7F, ESP_FAIL, "boot_comm: chip revision check failed. Required >=", true},
        {1, 17, ESP_ERR_IMAGE_INVALID, "image at 0x50000 segment count 17 exceeds max 16", false},
        {28, 0x02, ESP_ERR_IMAGE_INVALID, "invalid segment length 0x102", false},
        {24, 0x24, ESP_ERR_IMAGE_INVALID, "Segment 0 load address 0x3c000024, doesn't match data",
         false},
        {3000, 0x01, ESP_ERR_IMAGE_INVALID, "Checksum failed. Calculated 0x", false},
        {23, 0x01, ESP_ERR_IMAGE_INVALID, "Image hash failed - image is corrupt", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int silent = 0; silent < 2; silent++) {
            const damage_t *c = &cases[i];
            esp_image_metadata_t data;
            memset(&data, 0xA5, sizeof(data));
            size_t len = board_put_image(&GOOD, BOARD_OTA_0);
            uint8_t *byte = board_flash(BOARD_OTA_0) + c->offset;
            if (c->offset == 3000) {
                *byte ^= c->value;
            } else if (c->offset == 23) {
                board_flash(BOARD_OTA_0)[len - 1] ^= 1;
            } else {
                *byte = c->value;
            }
            log_clear();
            esp_image_load_mode_t mode = silent ? ESP_IMAGE_VERIFY_SILENT : ESP_IMAGE_VERIFY;
            assert_int_equal(esp_image_verify(mode, &SLOT, &data), c->err);
            assert_int_equal(data.image_len, 0);
            assert_int_equal(data.image.magic, 0);
            if (!silent || c->also_silent) {
                assert_true(log_has(c->line));
            } else {
                assert_false(log_has("E ("));
            }
        }
    }
}

static void arguments_and_limits_are_checked(void **state)
{
    (void)state;
    esp_image_metadata_t data;
    const esp_partition_pos_t large = {BOARD_OTA_0, 0x1000001};
    const esp_partition_pos_t small = {BOARD_OTA_0, 4000};
    const esp_partition_pos_t beyond = {BOARD_FLASH_SIZE - 0x1000, 0x4000};
    board_put_image(&GOOD, BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, NULL, &data), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_verify((esp_image_load_mode_t)7, &SLOT, &data), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &large, &data), ESP_ERR_INVALID_ARG);
    assert_true(log_has("partition size 0x1000001 invalid, larger than 16MB"));
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &small, &data), ESP_ERR_IMAGE_INVALID);
    assert_true(log_has("doesn't fit in partition length 4000"));
    memcpy(board_flash(BOARD_FLASH_SIZE - 0x1000), board_flash(BOARD_OTA_0), 0x1000);
    board_flash(BOARD_FLASH_SIZE - 0x1000)[24] = 0x20;
    board_flash(BOARD_FLASH_SIZE - 0x1000)[25] = 0xF0;
    log_clear();
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &beyond, &data), ESP_ERR_INVALID_ARG);
    assert_true(log_has("cannot read the image at 0x3"));
}

static void without_memory_or_flash_the_error_is_told(void **state)
{
    (void)state;
    esp_image_metadata_t data;
    wraps_unmapped(true);
    board_put_image(&GOOD, BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_OK);
    for (unsigned nth = 1; nth <= 2; nth++) {
        wraps_fail_malloc(nth);
        assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_ERR_NO_MEM);
    }
    for (unsigned nth = 1; nth <= 6; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data),
                         ESP_ERR_FLASH_OP_TIMEOUT);
    }
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_OK);
}

static void a_second_verification_reads_no_content_unless_flash_changed(void **state)
{
    (void)state;
    esp_image_metadata_t data;
    wraps_unmapped(true);
    linux_board_state_t *board = linux_board_testing_state();
    size_t len = board_put_image(&GOOD, BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_OK);
    uint64_t before = board->statistics.read_bytes;
    log_clear();
    assert_int_equal(esp_image_verify_again(&SLOT, &data), ESP_OK);
    assert_int_equal(log_count("esp_image: segment"), 2);
    assert_int_equal(data.image_len, len);
    assert_true(board->statistics.read_bytes - before < 1000);

    /* A write into the slot, even behind the image, and it is read again. */
    const uint8_t byte = 0;
    assert_int_equal(esp_flash_write(NULL, &byte, BOARD_OTA_0 + BOARD_APP_SIZE - 1, 1), ESP_OK);
    board_flash(BOARD_OTA_0)[3000] ^= 1;
    assert_int_equal(esp_image_verify_again(&SLOT, &data), ESP_ERR_IMAGE_INVALID);
    board_flash(BOARD_OTA_0)[3000] ^= 1;
    before = board->statistics.read_bytes;
    assert_int_equal(esp_image_verify_again(&SLOT, &data), ESP_OK);
    assert_true(board->statistics.read_bytes - before >= len);
    assert_int_equal(esp_image_verify_again(NULL, &data), ESP_ERR_INVALID_ARG);
}

static void a_bootloader_is_known_by_its_place(void **state)
{
    (void)state;
    esp_image_metadata_t data;
    const board_image_t bootloader = {.version = "b", .bootloader = true, .payload = 500};
    size_t len = board_put_image(&bootloader, 0);
    uint32_t length = 1;
    assert_int_equal(esp_image_verify_bootloader(&length), ESP_OK);
    assert_int_equal(length, len);
    assert_int_equal(esp_image_verify_bootloader_data(&data), ESP_OK);
    assert_int_equal(data.image_len, len);
    board_flash(0)[200] ^= 1;
    assert_int_equal(esp_image_verify_bootloader(&length), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(length, 0);

    /* Staged in a slot it is no app, until its place is told. */
    board_put_image(&bootloader, BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_ERR_IMAGE_INVALID);
    assert_true(log_has("Segment 0: length 0x50 is too short for app description"));
    esp_image_bootloader_offset_set(BOARD_OTA_0);
    assert_true(log_has("I ("));
    assert_true(log_has("Bootloader offsets for PRIMARY: 0x0, Secondary: 0x50000"));
    assert_int_equal(esp_image_bootloader_offset_get(), BOARD_OTA_0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_OK);
    esp_image_bootloader_offset_set(0);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &SLOT, &data), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(esp_image_verify_again(&SLOT, &data), ESP_ERR_IMAGE_INVALID);
}

static void flash_size_codes_become_bytes(void **state)
{
    (void)state;
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_1MB), 0x100000);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_128MB), 0x8000000);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_MAX), 0);
}

static void chip_validity_follows_id_and_revision(void **state)
{
    (void)state;
    board_put_image(&GOOD, BOARD_OTA_0);
    esp_image_header_t header;
    memcpy(&header, board_flash(BOARD_OTA_0), sizeof(header));
    assert_int_equal(bootloader_common_check_chip_validity(&header, ESP_IMAGE_APPLICATION), ESP_OK);
    header.max_chip_rev_full = 1;
    if (hal_chip_revision() > 1) {
        assert_int_equal(bootloader_common_check_chip_validity(&header, ESP_IMAGE_APPLICATION),
                         ESP_FAIL);
        assert_true(log_has("boot_comm: chip revision check failed. Required <= v0.1, found v"));
    }
    assert_int_equal(bootloader_common_check_chip_validity(&header, ESP_IMAGE_BOOTLOADER), ESP_OK);
    header.min_chip_rev_full = 9900;
    assert_int_equal(bootloader_common_check_chip_validity(&header, ESP_IMAGE_BOOTLOADER),
                     ESP_FAIL);
    header.chip_id = ESP_CHIP_ID_ESP32C3;
    assert_int_equal(bootloader_common_check_chip_validity(&header, ESP_IMAGE_BOOTLOADER),
                     ESP_FAIL);
    assert_true(log_has("mismatch chip ID, expected"));
    assert_int_equal(bootloader_common_check_chip_validity(NULL, ESP_IMAGE_BOOTLOADER),
                     ESP_ERR_INVALID_ARG);
}

static esp_ota_select_entry_t entry(uint32_t seq, uint32_t state, bool good_crc)
{
    esp_ota_select_entry_t e = {.ota_seq = seq, .ota_state = state};
    e.crc = bootloader_common_ota_select_crc(&e) ^ (good_crc ? 0 : 1);
    return e;
}

static void otadata_entries_are_judged(void **state)
{
    (void)state;
    esp_ota_select_entry_t e = entry(1, ESP_OTA_IMG_NEW, true);
    assert_int_equal(e.crc, 0x4743989A);
    assert_true(bootloader_common_ota_select_valid(&e));
    assert_false(bootloader_common_ota_select_invalid(&e));
    e = entry(1, ESP_OTA_IMG_ABORTED, true);
    assert_true(bootloader_common_ota_select_invalid(&e));
    assert_false(bootloader_common_ota_select_valid(&e));
    e = entry(0xFFFFFFFF, 0xFFFFFFFF, true);
    assert_true(bootloader_common_ota_select_invalid(&e));
    e = entry(2, 0xFFFFFFFF, false);
    assert_false(bootloader_common_ota_select_invalid(&e));
    assert_false(bootloader_common_ota_select_valid(&e));

    esp_ota_select_entry_t two[2] = {entry(5, 2, true), entry(6, 2, true)};
    assert_int_equal(bootloader_common_get_active_otadata(two), 1);
    two[1] = entry(5, 2, true);
    assert_int_equal(bootloader_common_get_active_otadata(two), 0);
    two[0] = entry(9, 3, true);
    assert_int_equal(bootloader_common_get_active_otadata(two), 1);
    two[1] = entry(9, 3, false);
    assert_int_equal(bootloader_common_get_active_otadata(two), -1);
    assert_int_equal(bootloader_common_get_active_otadata(NULL), -1);

    bool valid[2] = {true, true};
    two[0] = entry(3, 2, true);
    two[1] = entry(4, 2, true);
    assert_int_equal(bootloader_common_select_otadata(two, valid, true), 1);
    assert_int_equal(bootloader_common_select_otadata(two, valid, false), 0);
    valid[1] = false;
    assert_int_equal(bootloader_common_select_otadata(two, valid, true), 0);
    valid[0] = false;
    assert_int_equal(bootloader_common_select_otadata(two, valid, true), -1);
    valid[1] = true;
    assert_int_equal(bootloader_common_select_otadata(two, valid, true), 1);
    assert_int_equal(bootloader_common_select_otadata(two, NULL, true), -1);
}

static void a_partition_table_is_checked_with_a_reason(void **state)
{
    (void)state;
    static esp_partition_info_t table[ESP_PARTITION_TABLE_MAX_ENTRIES];
    int count = -1;
    memcpy(table, board_flash(0x8000), sizeof(table));
    assert_int_equal(esp_partition_table_verify(table, true, &count), ESP_OK);
    assert_int_equal(count, 10);
    table[0].pos.offset = BOARD_FLASH_SIZE;
    assert_int_equal(esp_partition_table_verify(table, false, &count), ESP_ERR_INVALID_SIZE);
    assert_int_equal(count, 0);
    assert_false(log_has("flash_parts"));
    assert_int_equal(esp_partition_table_verify(table, true, &count), ESP_ERR_INVALID_SIZE);
    assert_true(log_has("flash_parts: partition 0 invalid - offset 0x400000 size 0x4000 exceeds "
                        "flash chip size 0x400000"));
    memset(table, 0xFF, sizeof(table));
    assert_int_equal(esp_partition_table_verify(table, true, &count), ESP_ERR_INVALID_STATE);
    assert_true(log_has("partition 0 invalid magic number 0xffff"));
    assert_int_equal(esp_partition_table_verify(NULL, true, &count), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_table_verify(table, true, NULL), ESP_ERR_INVALID_ARG);
}

static void a_factory_reset_is_told_once(void **state)
{
    (void)state;
    uint8_t *memory = hal_reset_retain_memory();
    assert_false(bootloader_common_get_rtc_retain_mem_factory_reset_state()); /* power-on */

    /* As the specification lays it out: partition 0x10000 of 0x100000 bytes, flags at 10. */
    const uint8_t content[12] = {0, 0, 1, 0, 0, 0, 0x10, 0, 7, 0, 1, 0};
    uint32_t crc = fmt_crc32(0xFFFFFFFF, content, sizeof(content));
    memcpy(memory, content, sizeof(content));
    memcpy(memory + sizeof(content), &crc, sizeof(crc));
    assert_true(bootloader_common_get_rtc_retain_mem_factory_reset_state());
    assert_false(bootloader_common_get_rtc_retain_mem_factory_reset_state());
    assert_int_equal(memory[FMT_RETAIN_FLAGS], 0);
    assert_memory_equal(memory, content, FMT_RETAIN_FLAGS); /* the rest is still valid */
    memcpy(&crc, memory + FMT_RETAIN_CRC, sizeof(crc));
    assert_int_equal(crc, fmt_crc32(0xFFFFFFFF, memory, FMT_RETAIN_CRC));

    /* What is not sealed is noise. */
    memcpy(memory, content, sizeof(content));
    memory[FMT_RETAIN_CRC] ^= 1;
    assert_false(bootloader_common_get_rtc_retain_mem_factory_reset_state());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_image_is_described, new_board),
        cmocka_unit_test_setup(metadata_are_parsed_silently_without_looking_at_content, new_board),
        cmocka_unit_test_setup(each_damage_has_its_error_and_line, new_board),
        cmocka_unit_test_setup(arguments_and_limits_are_checked, new_board),
        cmocka_unit_test_setup(without_memory_or_flash_the_error_is_told, new_board),
        cmocka_unit_test_setup(a_second_verification_reads_no_content_unless_flash_changed,
                               new_board),
        cmocka_unit_test_setup(a_bootloader_is_known_by_its_place, new_board),
        cmocka_unit_test_setup(flash_size_codes_become_bytes, new_board),
        cmocka_unit_test_setup(chip_validity_follows_id_and_revision, new_board),
        cmocka_unit_test_setup(otadata_entries_are_judged, new_board),
        cmocka_unit_test_setup(a_partition_table_is_checked_with_a_reason, new_board),
        cmocka_unit_test_setup(a_factory_reset_is_told_once, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
