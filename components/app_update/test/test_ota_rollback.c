/* SPDX-License-Identifier: Apache-2.0
 *
 * With CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. */
#include "storage_board.h"
#include "wraps.h"

#include "formats/otadata.h"

#include "esp_ota_ops.h"

static jmp_buf s_restart;

/* In the place of esp_system's, through the linker's --wrap. */
_Noreturn void __wrap_esp_restart(void);

_Noreturn void __wrap_esp_restart(void)
{
    longjmp(s_restart, 1);
}

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

static void a_newly_chosen_app_is_new(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_NEW);
    assert_int_equal(board_otadata_seq(0), 2);
}

static void an_unconfirmed_app_may_not_update(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_begin(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_true(log_has("Running app has not confirmed state (ESP_OTA_IMG_PENDING_VERIFY)"));
    assert_int_equal(esp_ota_resume(board_partition("ota_1"), 0, 0, &handle),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    /* Data may be written at any time. */
    assert_int_equal(esp_ota_begin(board_partition("storage"), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_ota_begin(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void begin_forgets_the_app_it_writes_over(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    board_put_otadata(0, 3, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_begin(board_partition("storage"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(board_otadata_seq(1), 2);
    esp_ota_abort(handle);
    assert_int_equal(esp_ota_begin(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_int_equal(board_otadata_seq(0), 3);
    esp_ota_abort(handle);
    assert_int_equal(
        esp_ota_resume(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, 0, &handle), ESP_OK);
    esp_ota_abort(handle);
    /* If that cannot be done, begin goes on. */
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_begin(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    esp_ota_abort(handle);
}

static void confirming_marks_the_running_slot_valid_once(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
    assert_int_equal(board_otadata_seq(0), 1);
    uint64_t before = board_operations();
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_operations(), before);
}

static void confirming_after_choosing_the_next_app_confirms_the_running_one(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
    assert_int_equal(board_otadata_state(1), ESP_OTA_IMG_NEW); /* never booted: not confirmed */
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_1");
}

static void factory_has_nothing_to_confirm_or_reject(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL); /* otadata is blank */
    assert_true(log_has("Running firmware is factory"));
    board_put_otadata(0, 2, ESP_OTA_IMG_NEW, true);
    linux_board_testing_state()->running_offset = BOARD_FACTORY;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_FAIL);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_NEW);
    log_clear();
    assert_false(esp_ota_check_rollback_is_possible());
    assert_false(log_has("E (")); /* a question is no error */
}

static void after_a_fallback_boot_the_record_follows_the_slot_that_runs(void **state)
{
    (void)state;
    board_put_otadata(0, 2, ESP_OTA_IMG_VALID, true); /* ota_1, which is corrupt; ota_0 runs */
    board_flash(BOARD_OTA_1)[500] ^= 1;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_0");
    assert_int_equal(board_otadata_state(1), ESP_OTA_IMG_VALID);
    assert_int_equal(board_otadata_seq(1), 3);
}

static void a_choice_that_can_boot_is_not_overruled_by_confirming(void **state)
{
    (void)state;
    board_put_otadata(0, 2, ESP_OTA_IMG_NEW, true); /* ota_1 is whole; nothing names ota_0 */
    uint64_t before = board_operations();
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(board_operations(), before);
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_1");
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
}

static void rejecting_goes_back_to_the_other_slot(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_true(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_true(log_has("Rollback to previously worked partition."));
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_INVALID);
    assert_int_equal(board_otadata_seq(0), 3);
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_1");
    assert_string_equal(esp_ota_get_last_invalid_partition()->label, "ota_0");
}

static void rejecting_and_rebooting_restarts_only_if_it_can(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    board_flash(BOARD_OTA_1)[500] ^= 1;
    assert_int_equal(esp_ota_mark_app_invalid_rollback_and_reboot(), ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_true(log_has("Rollback is not possible, do not have any suitable apps in slots"));
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_PENDING_VERIFY);
    board_flash(BOARD_OTA_1)[500] ^= 1;
    if (setjmp(s_restart) == 0) {
        (void)esp_ota_mark_app_invalid_rollback_and_reboot();
        fail_msg("it returned");
    }
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_INVALID);
}

static void rejecting_falls_back_to_factory_without_another_entry(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_true(esp_ota_check_rollback_is_possible());
    board_put_otadata(1, 2, ESP_OTA_IMG_ABORTED, true); /* blocked: does not count */
    assert_true(esp_ota_check_rollback_is_possible());
    board_flash(BOARD_FACTORY)[500] ^= 1;
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    board_flash(BOARD_FACTORY)[500] ^= 1;
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_string_equal(esp_ota_get_boot_partition()->label, "factory");
}

static void two_entries_for_the_running_slot_give_nowhere_to_go(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    assert_false(esp_ota_check_rollback_is_possible());
}

static void the_last_boot_app_can_be_erased(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_FAIL); /* blank otadata */
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_FAIL); /* no other entry */
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, false);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_FAIL); /* its CRC is wrong */
    board_put_otadata(0, 3, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_ABORTED, true);
    linux_board_testing_state()->running_offset = BOARD_OTA_1;
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_FAIL); /* it is running */
    linux_board_testing_state()->running_offset = BOARD_OTA_0;
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 2, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(board_otadata_seq(1), 2);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_OK);
    assert_int_equal(board_flash(BOARD_OTA_1)[0], 0xFF);
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_int_equal(board_otadata_seq(0), 3);
}

static void the_inactive_entry_alone_can_be_invalidated(void **state)
{
    (void)state;
    board_put_otadata(0, 3, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(), ESP_OK);
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_int_equal(board_flash(BOARD_OTA_1)[0], 0xE9);
    assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
}

static void flash_errors_of_confirming_and_rejecting_can_be_repeated(void **state)
{
    for (unsigned which = 0; which < 2; which++) {
        for (unsigned nth = 1;; nth++) {
            new_board(state);
            wraps_unmapped(true);
            board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
            board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
            (void)board_partition("ota_0");
            linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_TIMEOUT);
            esp_err_t err = which == 0 ? esp_ota_mark_app_valid_cancel_rollback()
                                       : esp_ota_mark_app_invalid_rollback();
            if (!linux_board_testing_failed()) {
                assert_int_equal(err, ESP_OK);
                break;
            }
            uint32_t wanted = which == 0 ? ESP_OTA_IMG_VALID : ESP_OTA_IMG_INVALID;
            assert_true(err == ESP_ERR_FLASH_OP_TIMEOUT || err == ESP_ERR_OTA_ROLLBACK_FAILED ||
                        (err == ESP_OK && board_otadata_state(0) == wanted));
            esp_ota_img_states_t now;
            assert_int_equal(esp_ota_get_state_partition(board_partition("ota_0"), &now), ESP_OK);
            if (now != (esp_ota_img_states_t)wanted) {
                assert_int_equal(now, ESP_OTA_IMG_PENDING_VERIFY);
                assert_int_equal(which == 0 ? esp_ota_mark_app_valid_cancel_rollback()
                                            : esp_ota_mark_app_invalid_rollback(),
                                 ESP_OK);
                assert_int_equal(board_otadata_state(0), wanted);
            }
        }
    }
}

static jmp_buf s_cut;

static void cut(void *arg)
{
    (void)arg;
    longjmp(s_cut, 1);
}

static esp_err_t choose_ota_1(void)
{
    return esp_ota_set_boot_partition(board_partition("ota_1"));
}

static esp_err_t choose_ota_0(void)
{
    return esp_ota_set_boot_partition(board_partition("ota_0"));
}

/* What an app does to otadata, with the states of ota_0, which runs, and of ota_1; -1: no record.
 */
static const struct {
    const char *name;
    esp_err_t (*work)(void);
    int before, after;
    int other_before, other_after;
} s_works[] = {
    {"confirm", esp_ota_mark_app_valid_cancel_rollback, 1, 2, 2, 2},
    {"reject", esp_ota_mark_app_invalid_rollback, 1, 3, 2, 2},
    {"choose an older slot", choose_ota_1, 2, 2, 2, 0},
    {"choose a rejected slot", choose_ota_1, 2, 2, 4, 0},
    {"choose the same slot", choose_ota_0, 2, 0, 2, 2},
    {"forget the other slot", esp_ota_invalidate_inactive_ota_data_slot, 2, 2, 2, -1},
    {"forget a rejected slot", esp_ota_invalidate_inactive_ota_data_slot, 2, 2, 4, -1},
};

static int state_of(const char *label)
{
    esp_ota_img_states_t found;
    esp_err_t err = esp_ota_get_state_partition(board_partition(label), &found);
    return err == ESP_OK ? (int)found : -1;
}

static void a_power_cut_in_any_otadata_write_leaves_the_old_or_the_new_records(void **state)
{
    volatile unsigned cuts = 0;
    for (volatile size_t w = 0; w < sizeof(s_works) / sizeof(s_works[0]); w++) {
        volatile bool again = true;
        for (volatile unsigned op = 1; again; op++) {
            for (volatile unsigned percent = 0; percent <= 100; percent += 10) {
                new_board(state);
                board_put_otadata(0, 3, (uint32_t)s_works[w].before, true);
                board_put_otadata(1, 2, (uint32_t)s_works[w].other_before, true);
                linux_board_testing_on_cut(cut, NULL);
                (void)board_partition("ota_0");
                linux_board_testing_cut(op, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
                if (setjmp(s_cut) == 0) {
                    assert_int_equal(s_works[w].work(), ESP_OK);
                    linux_board_testing_cut(1, LINUX_BOARD_CUT_NEVER, 0);
                    assert_int_equal(state_of("ota_0"), s_works[w].after);
                    assert_int_equal(state_of("ota_1"), s_works[w].other_after);
                    again = false;
                    break;
                }
                cuts = cuts + 1;
                linux_board_testing_power_on();
                board_reload();
                int one = state_of("ota_0");
                int other = state_of("ota_1");
                assert_true((one == s_works[w].before && other == s_works[w].other_before) ||
                            (one == s_works[w].after && other == s_works[w].other_after));
                for (int i = 0; i < 5; i++) {
                    assert_int_equal(state_of("ota_0"), one);
                    assert_int_equal(state_of("ota_1"), other);
                }
            }
        }
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 5 * 4 * 11);
}

/* Choosing factory empties otadata: after a cut the old choice stands, or factory. */
static void a_power_cut_while_choosing_factory_leaves_the_old_choice_or_factory(void **state)
{
    volatile unsigned cuts = 0;
    for (volatile unsigned active = 0; active < 2; active++) {
        volatile bool again = true;
        for (volatile unsigned op = 1; again; op++) {
            for (volatile unsigned percent = 0; percent <= 100; percent += 10) {
                new_board(state);
                board_put_otadata(active, 3, ESP_OTA_IMG_VALID, true);
                board_put_otadata(1 - active, 2, ESP_OTA_IMG_VALID, true);
                linux_board_testing_on_cut(cut, NULL);
                const esp_partition_t *factory = board_partition("factory");
                linux_board_testing_cut(op, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
                if (setjmp(s_cut) == 0) {
                    assert_int_equal(esp_ota_set_boot_partition(factory), ESP_OK);
                    linux_board_testing_cut(1, LINUX_BOARD_CUT_NEVER, 0);
                    assert_string_equal(esp_ota_get_boot_partition()->label, "factory");
                    again = false;
                    break;
                }
                cuts = cuts + 1;
                linux_board_testing_power_on();
                board_reload();
                const char *label = esp_ota_get_boot_partition()->label;
                assert_true(strcmp(label, "ota_0") == 0 || strcmp(label, "factory") == 0);
                for (int i = 0; i < 5; i++) {
                    assert_string_equal(esp_ota_get_boot_partition()->label, label);
                }
            }
        }
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_newly_chosen_app_is_new, new_board),
        cmocka_unit_test_setup(an_unconfirmed_app_may_not_update, new_board),
        cmocka_unit_test_setup(begin_forgets_the_app_it_writes_over, new_board),
        cmocka_unit_test_setup(confirming_marks_the_running_slot_valid_once, new_board),
        cmocka_unit_test_setup(confirming_after_choosing_the_next_app_confirms_the_running_one,
                               new_board),
        cmocka_unit_test_setup(factory_has_nothing_to_confirm_or_reject, new_board),
        cmocka_unit_test_setup(after_a_fallback_boot_the_record_follows_the_slot_that_runs,
                               new_board),
        cmocka_unit_test_setup(a_choice_that_can_boot_is_not_overruled_by_confirming, new_board),
        cmocka_unit_test_setup(rejecting_goes_back_to_the_other_slot, new_board),
        cmocka_unit_test_setup(rejecting_and_rebooting_restarts_only_if_it_can, new_board),
        cmocka_unit_test_setup(rejecting_falls_back_to_factory_without_another_entry, new_board),
        cmocka_unit_test_setup(two_entries_for_the_running_slot_give_nowhere_to_go, new_board),
        cmocka_unit_test_setup(the_last_boot_app_can_be_erased, new_board),
        cmocka_unit_test_setup(the_inactive_entry_alone_can_be_invalidated, new_board),
        cmocka_unit_test_setup(flash_errors_of_confirming_and_rejecting_can_be_repeated, new_board),
        cmocka_unit_test_setup(a_power_cut_in_any_otadata_write_leaves_the_old_or_the_new_records,
                               new_board),
        cmocka_unit_test_setup(a_power_cut_while_choosing_factory_leaves_the_old_choice_or_factory,
                               new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
