/* SPDX-License-Identifier: Apache-2.0
 *
 * With CONFIG_AIRLIFT_STRICT_COMPATIBILITY, and rollback: what is written and done is what ESP-IDF
 * writes and does, with its weak points. */
#include "storage_board.h"
#include "wraps.h"

#include "formats/otadata_journal.h"

#include "esp_ota_ops.h"

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "f", .payload = 400}, BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "0", .payload = 400}, BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "1", .payload = 400}, BOARD_OTA_1);
    return 0;
}

static void assert_nothing_behind_the_entries(void)
{
    for (unsigned at = 0; at < FMT_OTADATA_SIZE; at++) {
        if (at % FMT_OTADATA_SECTOR >= FMT_OTADATA_ENTRY_SIZE) {
            assert_int_equal(board_flash(BOARD_OTADATA)[at], 0xFF);
        }
    }
}

static void a_record_is_written_by_one_erase_and_one_program(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    uint64_t before = board_operations();
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_operations() - before, 2);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_operations() - before, 4);
    /* The same once more is written once more. */
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_operations() - before, 6);
    assert_int_equal(board_otadata_seq(1), 4);
    assert_nothing_behind_the_entries();
    assert_int_equal(esp_ota_set_boot_partition(board_partition("factory")), ESP_OK);
    assert_int_equal(board_operations() - before, 8);
    assert_nothing_behind_the_entries();
    assert_int_equal(board_otadata_seq(0), 0xFFFFFFFF);
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
}

static void confirming_concerns_the_entry_in_force_whatever_runs(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_NEW, true);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK); /* ota_0 runs */
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_PENDING_VERIFY);
    assert_int_equal(board_otadata_state(1), ESP_OTA_IMG_VALID);
}

static void the_first_entry_with_the_slot_gives_its_state(void **state)
{
    esp_ota_img_states_t found;
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_get_state_partition(board_partition("ota_0"), &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
}

static jmp_buf s_cut;

static void cut(void *arg)
{
    (void)arg;
    longjmp(s_cut, 1);
}

static void a_cut_between_erase_and_program_loses_the_record(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    linux_board_testing_on_cut(cut, NULL);
    (void)board_partition("ota_0");
    linux_board_testing_cut(2, LINUX_BOARD_CUT_BEFORE, 0);
    if (setjmp(s_cut) == 0) {
        (void)esp_ota_mark_app_valid_cancel_rollback();
        fail_msg("not cut");
    }
    linux_board_testing_power_on();
    board_reload();
    assert_string_equal(esp_ota_get_boot_partition()->label, "factory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_is_written_by_one_erase_and_one_program, new_board),
        cmocka_unit_test_setup(confirming_concerns_the_entry_in_force_whatever_runs, new_board),
        cmocka_unit_test_setup(the_first_entry_with_the_slot_gives_its_state, new_board),
        cmocka_unit_test_setup(a_cut_between_erase_and_program_loses_the_record, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
