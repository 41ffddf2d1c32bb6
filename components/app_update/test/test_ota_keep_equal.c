/* SPDX-License-Identifier: Apache-2.0
 *
 * With CONFIG_APP_UPDATE_KEEP_EQUAL_SECTORS. */
#include "storage_board.h"
#include "wraps.h"

#include "esp_ota_ops.h"
#include "esp_private/esp_ota_stats.h"

static uint8_t s_image[BOARD_APP_SIZE];
static size_t s_len;
static esp_ota_stats_t s_stats;

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    s_len = board_make_image(&(board_image_t){.version = "1", .payload = 0x8400, .seed = 1},
                             BOARD_OTA_0, s_image, sizeof(s_image));
    return 0;
}

static esp_err_t update(size_t chunk)
{
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(board_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    for (size_t done = 0; err == ESP_OK && done < s_len; done += chunk) {
        size_t len = s_len - done < chunk ? s_len - done : chunk;
        err = esp_ota_write(handle, s_image + done, len);
    }
    if (err == ESP_OK) {
        err = esp_ota_end(handle);
    } else {
        esp_ota_abort(handle);
    }
    esp_ota_get_stats(handle, &s_stats);
    return err;
}

static void assert_updated(void)
{
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_len);
    size_t end = (s_len + 4095) / 4096 * 4096;
    for (size_t i = s_len; i < end; i++) {
        assert_int_equal(board_flash(BOARD_OTA_0)[i], 0xFF);
    }
}

static void the_same_image_again_changes_nothing(void **state)
{
    (void)state;
    static const size_t chunks[] = {1, 100, 4096, 5000, BOARD_APP_SIZE};
    assert_int_equal(update(4096), ESP_OK);
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        uint64_t before = board_operations();
        assert_int_equal(update(chunks[i]), ESP_OK);
        assert_int_equal(board_operations(), before);
        assert_int_equal(s_stats.kept_bytes, s_len);
        assert_int_equal(s_stats.erased_bytes, 0);
        assert_updated();
    }
}

static void only_sectors_that_differ_are_erased(void **state)
{
    static const size_t chunks[] = {1, 100, 4096, 5000, BOARD_APP_SIZE};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        new_board(state);
        memset(board_flash(BOARD_OTA_0), 0, BOARD_APP_SIZE);
        memcpy(board_flash(BOARD_OTA_0), s_image, s_len);
        memset(board_flash(BOARD_OTA_0) + s_len, 0xFF, 8192 - s_len % 4096);
        board_flash(BOARD_OTA_0)[0x2000] ^= 1; /* at the beginning of a sector */
        board_flash(BOARD_OTA_0)[0x47FF] ^= 1; /* in the middle */
        board_flash(BOARD_OTA_0)[0x6FFF] ^= 1; /* at the end */
        assert_int_equal(update(chunks[i]), ESP_OK);
        assert_int_equal(linux_board_testing_state()->statistics.sector_erases, 3);
        assert_int_equal(s_stats.erased_bytes, 3 * 4096);
        assert_updated();
    }
}

static void old_bytes_behind_the_image_in_its_last_sector_are_removed(void **state)
{
    (void)state;
    memcpy(board_flash(BOARD_OTA_0), s_image, s_len);
    board_flash(BOARD_OTA_0)[s_len + 5] = 0x42;
    assert_int_equal(update(1000), ESP_OK);
    assert_int_equal(linux_board_testing_state()->statistics.sector_erases, 1);
    assert_updated();
}

static void a_resumed_session_leaves_its_first_sector_as_it_is(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    memcpy(board_flash(BOARD_OTA_0), s_image, 5000);
    memset(board_flash(BOARD_OTA_0) + 8192, 0, 100);
    assert_int_equal(
        esp_ota_resume(board_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, 5000, &handle),
        ESP_OK);
    assert_int_equal(esp_ota_write(handle, s_image + 5000, s_len - 5000), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_updated();
}

static void any_failed_write_can_be_repeated(void **state)
{
    for (unsigned nth = 1;; nth++) {
        new_board(state);
        memset(board_flash(BOARD_OTA_0), 0, BOARD_APP_SIZE);
        memcpy(board_flash(BOARD_OTA_0), s_image, s_len);
        board_flash(BOARD_OTA_0)[0x27FF] ^= 1;
        board_flash(BOARD_OTA_0)[0x3800] ^= 1;
        const esp_partition_t *slot = board_partition("ota_0");
        esp_ota_handle_t handle;
        assert_int_equal(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_FAIL);
        for (size_t done = 0; done < s_len; done += 1500) {
            size_t len = s_len - done < 1500 ? s_len - done : 1500;
            if (esp_ota_write(handle, s_image + done, len) != ESP_OK) {
                assert_int_equal(esp_ota_write(handle, s_image + done, len), ESP_OK);
            }
        }
        bool failed = linux_board_testing_failed();
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 0, ESP_OK);
        assert_int_equal(esp_ota_end(handle), ESP_OK);
        assert_updated();
        if (!failed) {
            assert_true(nth > 100);
            break;
        }
    }
}

static void without_memory_the_write_fails_and_can_be_repeated(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    memcpy(board_flash(BOARD_OTA_0), s_image, 100);
    board_flash(BOARD_OTA_0)[100] = 0x42;
    assert_int_equal(esp_ota_begin(board_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    wraps_fail_malloc(1);
    assert_int_equal(esp_ota_write(handle, s_image, s_len), ESP_ERR_NO_MEM);
    assert_int_equal(esp_ota_write(handle, s_image, s_len), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_updated();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_image_again_changes_nothing, new_board),
        cmocka_unit_test_setup(only_sectors_that_differ_are_erased, new_board),
        cmocka_unit_test_setup(old_bytes_behind_the_image_in_its_last_sector_are_removed,
                               new_board),
        cmocka_unit_test_setup(a_resumed_session_leaves_its_first_sector_as_it_is, new_board),
        cmocka_unit_test_setup(any_failed_write_can_be_repeated, new_board),
        cmocka_unit_test_setup(without_memory_the_write_fails_and_can_be_repeated, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
