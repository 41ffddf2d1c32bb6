/* SPDX-License-Identifier: Apache-2.0
 *
 * Warnings about updates that are confirmed too early or never; the clock and the timer are the
 * test's. */
#include "storage_board.h"
#include "wraps.h"

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"
#include "ota_warnings.h"

#define EARLY "confirmed only 999 ms after boot"
#define NEVER "was not confirmed in 60 s"

static uint32_t s_now;
static esp_timer_create_args_t s_timer;
static uint64_t s_time;
static unsigned s_deleted;
static esp_err_t s_create_result;
static int s_handle;

/* Through the linker's --wrap. */
uint32_t __wrap_esp_log_timestamp(void);
esp_err_t __wrap_esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out);
esp_err_t __wrap_esp_timer_start_once(esp_timer_handle_t timer, uint64_t us);
esp_err_t __wrap_esp_timer_delete(esp_timer_handle_t timer);

uint32_t __wrap_esp_log_timestamp(void)
{
    return s_now;
}

esp_err_t __wrap_esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out)
{
    s_timer = *args;
    *out = (esp_timer_handle_t)&s_handle;
    return s_create_result;
}

esp_err_t __wrap_esp_timer_start_once(esp_timer_handle_t timer, uint64_t us)
{
    assert_ptr_equal(timer, &s_handle);
    s_time = us;
    return ESP_OK;
}

esp_err_t __wrap_esp_timer_delete(esp_timer_handle_t timer)
{
    assert_ptr_equal(timer, &s_handle);
    s_deleted++;
    return ESP_OK;
}

static int trial_of_ota_0(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_OTA_0);
    board_put_otadata(0, 1, ESP_OTA_IMG_PENDING_VERIFY, true);
    s_now = 5000;
    s_timer.callback = NULL;
    s_time = 0;
    s_deleted = 0;
    s_create_result = ESP_OK;
    return 0;
}

static void a_confirmation_in_the_first_second_is_warned_about(void **state)
{
    (void)state;
    s_now = 999;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(log_count(EARLY), 1);
    assert_true(log_has("W (999) esp_ota_ops: "));
    /* It is confirmed; that it says so again is no news. */
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(log_count(EARLY), 1);
}

static void a_later_confirmation_is_not(void **state)
{
    (void)state;
    s_now = 1000;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_false(log_has("W ("));
}

static void an_app_that_is_not_on_trial_may_confirm_at_once(void **state)
{
    (void)state;
    s_now = 1;
    board_put_otadata(0, 1, ESP_OTA_IMG_UNDEFINED, true);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_false(log_has("W ("));
}

static void a_confirmation_that_failed_is_not_called_early(void **state)
{
    (void)state;
    s_now = 1;
    linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 3, ESP_ERR_FLASH_OP_FAIL);
    assert_int_not_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_false(log_has("W ("));
}

static void an_update_that_is_never_confirmed_is_warned_about_once(void **state)
{
    (void)state;
    ota_watch_confirmation();
    assert_int_equal(s_time, 60000000);
    assert_false(log_has("W ("));
    s_timer.callback(s_timer.arg);
    assert_int_equal(log_count(NEVER), 1);
    assert_int_equal(s_deleted, 1);
}

static void one_that_was_confirmed_in_time_is_not(void **state)
{
    (void)state;
    ota_watch_confirmation();
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    s_timer.callback(s_timer.arg);
    assert_false(log_has("W ("));
    assert_int_equal(s_deleted, 1);
}

static void without_a_trial_there_is_no_timer(void **state)
{
    static const uint32_t states[] = {ESP_OTA_IMG_NEW, ESP_OTA_IMG_VALID, ESP_OTA_IMG_INVALID,
                                      ESP_OTA_IMG_ABORTED, ESP_OTA_IMG_UNDEFINED};
    (void)state;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        board_put_otadata(0, 1, states[i], true);
        ota_watch_confirmation();
    }
    board_put_otadata(0, 2, ESP_OTA_IMG_PENDING_VERIFY, true); /* another slot's */
    ota_watch_confirmation();
    board_new(BOARD_FACTORY);
    ota_watch_confirmation();
    board_new(UINT32_MAX);
    ota_watch_confirmation();
    const fmt_partition_t no_otadata[] = {
        {FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0}};
    board_new_with(no_otadata, 1, true, BOARD_OTA_0);
    ota_watch_confirmation();
    assert_null(s_timer.callback);
    assert_false(log_has("E ("));
}

static void without_memory_for_the_timer_the_app_starts_all_the_same(void **state)
{
    (void)state;
    s_create_result = ESP_ERR_NO_MEM;
    ota_watch_confirmation();
    assert_int_equal(s_time, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, trial_of_ota_0)
    const struct CMUnitTest tests[] = {
        TEST(a_confirmation_in_the_first_second_is_warned_about),
        TEST(a_later_confirmation_is_not),
        TEST(an_app_that_is_not_on_trial_may_confirm_at_once),
        TEST(a_confirmation_that_failed_is_not_called_early),
        TEST(an_update_that_is_never_confirmed_is_warned_about_once),
        TEST(one_that_was_confirmed_in_time_is_not),
        TEST(without_a_trial_there_is_no_timer),
        TEST(without_memory_for_the_timer_the_app_starts_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
