/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"
#include "wraps.h"

#include "formats/image.h"

#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "esp_private/esp_ota_stats.h"

#define UNKNOWN_HANDLE 0xDEAD

static uint8_t s_image[BOARD_APP_SIZE];
static size_t s_len;

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    /* The slot holds an older image, so that erasing matters. */
    board_put_image(&(board_image_t){.version = "0", .payload = 0x30000, .seed = 9}, BOARD_OTA_0);
    s_len = board_make_image(&(board_image_t){.version = "1", .payload = 0x15000, .seed = 1},
                             BOARD_OTA_0, s_image, sizeof(s_image));
    return 0;
}

static const esp_partition_t *slot(void)
{
    return board_partition("ota_0");
}

/* Writes s_image in chunks of that size; on failure the session is still open. */
static esp_err_t write_image(esp_ota_handle_t handle, size_t chunk)
{
    for (size_t done = 0; done < s_len; done += chunk) {
        size_t len = s_len - done < chunk ? s_len - done : chunk;
        esp_err_t err = esp_ota_write(handle, s_image + done, len);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static void assert_slot_holds_image(void)
{
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_len);
}

/* --- begin --- */

static void begin_refuses_what_it_should(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 77;
    esp_partition_t made_up = *slot();
    made_up.size -= 0x1000;
    assert_int_equal(esp_ota_begin(NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(slot(), 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(&made_up, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(handle, 0);
    assert_int_equal(esp_ota_begin(board_partition("factory"), 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(board_partition("test"), 0, &handle), ESP_ERR_INVALID_ARG);
    linux_board_testing_state()->running_offset = BOARD_OTA_0;
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(esp_ota_begin(board_partition("frozen"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(board_operations(), 0);
}

static void begin_needs_memory_and_leaves_nothing_behind_without(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    (void)slot(); /* loads the table */
    wraps_fail_malloc(1);
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_ERR_NO_MEM);
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void a_partition_beyond_the_flash_is_named_and_refused(void **state)
{
    (void)state;
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA, 0xD000, 0x2000, "otadata", 0},
        {FMT_PART_TYPE_APP, 0x10, 0x10000, 0x100000, "ota_0", 0},
        {FMT_PART_TYPE_APP, 0x11, 0x350000, 0x100000, "ota_1", 0},
    };
    board_new_with(rows, 3, true, 0x10000);
    esp_ota_handle_t handle;
    const esp_partition_t *beyond = board_partition("ota_1");
    assert_int_equal(esp_ota_begin(beyond, OTA_SIZE_UNKNOWN, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_begin(beyond, OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_resume(beyond, OTA_WITH_SEQUENTIAL_WRITES, 0, &handle),
                     ESP_ERR_INVALID_SIZE);
    assert_true(log_has("does not fit the flash of 0x400000 bytes"));
    assert_int_equal(board_operations(), 0);
}

static void one_session_per_partition_and_several_partitions(void **state)
{
    (void)state;
    esp_ota_handle_t a;
    esp_ota_handle_t b;
    esp_ota_handle_t c;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &a), ESP_OK);
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &c),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_true(log_has("OTA operation already in progress on partition ota_0"));
    assert_int_equal(esp_ota_begin(board_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &b),
                     ESP_OK);
    assert_true(b > a && a > 0);
    /* The final partition is taken too. */
    assert_int_equal(esp_ota_set_final_partition(b, board_partition("storage"), false), ESP_OK);
    assert_int_equal(esp_ota_begin(board_partition("storage"), 0, &c),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_ota_abort(a), ESP_OK);
    assert_int_equal(esp_ota_abort(b), ESP_OK);
    assert_int_equal(esp_ota_abort(b), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &c), ESP_OK);
    assert_true(c > b);
    assert_int_equal(esp_ota_abort(c), ESP_OK);
}

static void begin_erases_by_the_size_given(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    linux_board_state_t *board = linux_board_testing_state();
    uint8_t *flash = board_flash(BOARD_OTA_0);

    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(board_operations(), 0);
    esp_ota_abort(handle);

    assert_int_equal(esp_ota_begin(slot(), 5000, &handle), ESP_OK);
    assert_int_equal(flash[0], 0xFF);
    assert_int_equal(flash[0x1FFF], 0xFF);
    assert_int_equal(board->statistics.sector_erases, 2);
    assert_int_not_equal(flash[0x2000] & flash[0x2001] & flash[0x2002], 0xFF);
    esp_ota_abort(handle);

    assert_int_equal(esp_ota_begin(slot(), BOARD_APP_SIZE + 1, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(handle, 0);

    for (unsigned i = 0; i < 2; i++) {
        memset(flash, 0, BOARD_APP_SIZE);
        assert_int_equal(esp_ota_begin(slot(), i == 0 ? 0 : OTA_SIZE_UNKNOWN, &handle), ESP_OK);
        for (size_t at = 0; at < BOARD_APP_SIZE; at++) {
            assert_int_equal(flash[at], 0xFF);
        }
        esp_ota_abort(handle);
    }
}

static void a_failed_erase_leaves_no_session(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 5;
    for (unsigned nth = 1; nth <= 4; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(handle, 0);
        assert_int_equal(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
    }
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void rollback_off_leaves_otadata_alone_at_begin(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(board_otadata_seq(0), 1);
    assert_int_equal(board_otadata_seq(1), 2);
    esp_ota_abort(handle);
}

/* --- write --- */

static void an_image_arrives_whole_in_chunks_of_any_size(void **state)
{
    (void)state;
    static const size_t chunks[] = {1, 7, 1024, 4096, 5000, 65536, 100000, BOARD_APP_SIZE};
    static const size_t sizes[] = {OTA_WITH_SEQUENTIAL_WRITES, OTA_SIZE_UNKNOWN};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        for (size_t k = 0; k < 2; k++) {
            esp_ota_handle_t handle;
            memset(board_flash(BOARD_OTA_0), 0x11, BOARD_APP_SIZE);
            assert_int_equal(esp_ota_begin(slot(), sizes[k], &handle), ESP_OK);
            assert_int_equal(write_image(handle, chunks[i]), ESP_OK);
            assert_int_equal(esp_ota_end(handle), ESP_OK);
            assert_slot_holds_image();
            assert_int_equal(board_flash(BOARD_OTA_0)[s_len], 0xFF);
            /* Nothing outside the slot. */
            assert_int_equal(board_flash(BOARD_OTA_0)[-1], 0xFF);
            assert_int_equal(board_flash(BOARD_OTA_1)[0], 0xFF);
        }
    }
}

static void sequential_writes_erase_one_unit_ahead(void **state)
{
    (void)state;
    linux_board_state_t *board = linux_board_testing_state();
    esp_ota_handle_t handle;
    esp_ota_stats_t stats;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, s_image, 1), ESP_OK);
    /* ota_0 begins on a 64 KiB border: one block erase serves the first 64 KiB. */
    assert_int_equal(board->statistics.block_erases, 1);
    assert_int_equal(board->statistics.sector_erases, 0);
    assert_int_equal(esp_ota_write(handle, s_image + 1, 0xFFFF), ESP_OK);
    assert_int_equal(board->statistics.block_erases, 1);
    assert_int_equal(esp_ota_write(handle, s_image + 0x10000, 1), ESP_OK);
    assert_int_equal(board->statistics.block_erases, 2);
    assert_true(esp_ota_get_stats(handle, &stats));
    assert_int_equal(stats.written_bytes, 0x10001);
    assert_int_equal(stats.erased_bytes, 0x20000);
    esp_ota_abort(handle);
    assert_true(esp_ota_get_stats(handle, &stats));
    assert_int_equal(stats.erased_bytes, 0x20000);
    assert_false(esp_ota_get_stats(UNKNOWN_HANDLE, &stats));
    assert_int_equal(stats.erased_bytes, 0);

    /* Where no block fits, sectors. */
    const esp_partition_t *storage = board_partition("storage"); /* 8 sectors at 0x112000 */
    uint64_t blocks = board->statistics.block_erases;
    assert_int_equal(esp_ota_begin(storage, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, s_image, 0x1001), ESP_OK);
    assert_int_equal(board->statistics.block_erases, blocks);
    assert_int_equal(board->statistics.sector_erases, 2);
    esp_ota_abort(handle);
}

static void a_write_needs_data_and_a_session(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_true(log_has("write data is invalid"));
    assert_int_equal(esp_ota_write(UNKNOWN_HANDLE, s_image, 0), ESP_OK);
    assert_int_equal(esp_ota_write(UNKNOWN_HANDLE, s_image, 1), ESP_ERR_INVALID_ARG);
    assert_true(log_has("not found the handle"));
    assert_int_equal(esp_ota_write_with_offset(handle, NULL, 1, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write_with_offset(UNKNOWN_HANDLE, s_image, 1, 0), ESP_ERR_INVALID_ARG);
    assert_true(log_has("OTA handle not found"));
    esp_ota_abort(handle);
}

static void a_wrong_beginning_is_refused_before_the_slot_is_touched(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const uint8_t html[] = "<!DOCTYPE html>";
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, html, sizeof(html)), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(log_has("OTA image has invalid magic byte (expected 0xE9, saw 0x3c)"));
    assert_int_equal(board_operations(), 0);
    /* The session is still good. */
    assert_int_equal(write_image(handle, 4096), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
}

static void more_than_the_partition_holds_is_refused(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    static uint8_t large[BOARD_APP_SIZE + 1];
    memcpy(large, s_image, s_len);
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, sizeof(large)), ESP_ERR_INVALID_SIZE);
    assert_int_equal(board_operations(), 0);
    assert_true(log_has("larger than partition ota_0"));
    assert_int_equal(esp_ota_write(handle, large, sizeof(large) - 1), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_end(handle), ESP_OK);

    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, sizeof(large)), ESP_ERR_INVALID_SIZE);
    esp_ota_abort(handle);
}

static void what_is_both_too_large_and_no_image_is_told_in_the_order_of_the_steps(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    static uint8_t large[BOARD_APP_SIZE + 1];
    /* The first byte is looked at before writing, but after erasing. */
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, sizeof(large)), ESP_ERR_OTA_VALIDATE_FAILED);
    esp_ota_abort(handle);
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, sizeof(large)), ESP_ERR_INVALID_SIZE);
    esp_ota_abort(handle);
    /* Writes with offset may sum up to more than there is. */
    assert_int_equal(esp_ota_begin(slot(), 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(handle, large, BOARD_APP_SIZE, 0), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_write_with_offset(handle, large, 1, 0), ESP_OK);
    assert_int_equal(esp_ota_write(handle, large, 1), ESP_ERR_INVALID_ARG);
    esp_ota_abort(handle);
}

static void pieces_may_be_written_in_any_order(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(slot(), s_len, &handle), ESP_OK);
    size_t half = s_len / 2 + 3;
    assert_int_equal(esp_ota_write_with_offset(handle, s_image + half, s_len - half, half), ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(handle, s_image, half, 0), ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(handle, s_image, 1, BOARD_APP_SIZE),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_write_with_offset(handle, s_image, 1, BOARD_APP_SIZE + 1),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_slot_holds_image();
}

/* --- resume --- */

static void an_update_can_be_resumed_at_any_offset(void **state)
{
    (void)state;
    static const size_t offsets[] = {0, 1, 4095, 4096, 4097, 0xFFFF, 0x10000, 0x12345};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        size_t first = offsets[i];
        esp_ota_handle_t handle;
        memset(board_flash(BOARD_OTA_0), 0x11, BOARD_APP_SIZE);
        assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
        assert_int_equal(esp_ota_write(handle, s_image, first), ESP_OK);
        esp_ota_abort(handle);
        board_reload(); /* a reset in between */
        assert_int_equal(esp_ota_resume(slot(), OTA_WITH_SEQUENTIAL_WRITES, first, &handle),
                         ESP_OK);
        assert_int_equal(esp_ota_write(handle, s_image + first, 100), ESP_OK);
        assert_int_equal(esp_ota_write(handle, s_image + first + 100, s_len - first - 100), ESP_OK);
        assert_int_equal(esp_ota_end(handle), ESP_OK);
        assert_slot_holds_image();
    }
}

static void resume_refuses_what_it_should(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_resume(NULL, 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_resume(slot(), 0, 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_resume(slot(), 0, BOARD_APP_SIZE + 1, &handle), ESP_ERR_INVALID_ARG);
    esp_partition_t made_up = *slot();
    made_up.address += 0x1000;
    assert_int_equal(esp_ota_resume(&made_up, 0, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_resume(board_partition("test"), 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_resume(board_partition("frozen"), 0, 0, &handle), ESP_ERR_NOT_ALLOWED);
    linux_board_testing_state()->running_offset = BOARD_OTA_0;
    assert_int_equal(esp_ota_resume(slot(), 0, 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(handle, 0);
    assert_int_equal(board_operations(), 0);
}

static void a_resumed_session_without_erasing_erases_nothing(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    memset(board_flash(BOARD_OTA_0), 0xFF, BOARD_APP_SIZE);
    memcpy(board_flash(BOARD_OTA_0), s_image, 5000);
    assert_int_equal(esp_ota_resume(slot(), 0, 5000, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, s_image + 5000, s_len - 5000), ESP_OK);
    assert_int_equal(linux_board_testing_state()->statistics.sector_erases, 0);
    assert_int_equal(linux_board_testing_state()->statistics.block_erases, 0);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_slot_holds_image();
}

/* --- end --- */

static void end_verifies_what_was_written(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    esp_ota_stats_t stats;
    assert_int_equal(esp_ota_end(UNKNOWN_HANDLE), ESP_ERR_NOT_FOUND);

    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_INVALID_ARG); /* nothing written */
    assert_int_equal(esp_ota_end(handle), ESP_ERR_NOT_FOUND);

    s_image[0x3000] ^= 4;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(write_image(handle, 4096), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(log_has("Checksum failed"));
    assert_true(log_has("New image failed verification"));
    assert_int_equal(esp_ota_end(handle), ESP_ERR_NOT_FOUND);

    s_image[0x3000] ^= 4;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(write_image(handle, 4096), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_true(esp_ota_get_stats(handle, &stats));
    assert_int_equal(stats.written_bytes, s_len);
}

static void a_truncated_image_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    const size_t cuts[] = {1, 23, 24, 31, 32, 200, 287, 288, 296, 1000, s_len - 33, s_len - 1};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        esp_ota_handle_t handle;
        assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
        assert_int_equal(esp_ota_write(handle, s_image, cuts[i]), ESP_OK);
        assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    }
}

static void an_image_for_another_chip_is_refused_at_the_end(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    s_len = board_make_image(
        &(board_image_t){.version = "1", .payload = 0x100, .chip_id = FMT_CHIP_ID_ESP32C3},
        BOARD_OTA_0, s_image, sizeof(s_image));
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(write_image(handle, 4096), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(log_has("mismatch chip ID"));
}

static void end_without_memory_fails_and_frees_the_session(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    for (unsigned nth = 1; nth <= 2; nth++) {
        assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
        assert_int_equal(write_image(handle, 65536), ESP_OK);
        wraps_fail_malloc(nth);
        assert_int_equal(esp_ota_end(handle),
                         nth == 1 ? ESP_ERR_NO_MEM : ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
    }
}

static void data_is_taken_as_it_is(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const esp_partition_t *storage = board_partition("storage");
    assert_int_equal(esp_ota_begin(storage, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, "anything", 8), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(board_flash(BOARD_STORAGE), "anything", 8);
}

/* --- final partitions --- */

static void data_is_staged_and_copied(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const esp_partition_t *storage = board_partition("storage");
    memset(board_flash(BOARD_STORAGE), 0, storage->size);
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, storage, true), ESP_OK);
    assert_true(log_has("Staging partition - <ota_0>. Final partition - <storage>."));
    assert_int_equal(esp_ota_write(handle, "7296406769363431", 16), ESP_OK);
    assert_int_equal(board_flash(BOARD_STORAGE)[0], 0);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_true(log_has("Copy from <ota_0> staging partition to <storage>..."));
    assert_memory_equal(board_flash(BOARD_STORAGE), "7296406769363431", 16);
    assert_int_equal(board_flash(BOARD_STORAGE)[16], 0xFF);
}

static void a_staging_partition_smaller_than_the_final_one_cannot_be_copied(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(board_partition("storage"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, board_partition("big"), true), ESP_OK);
    assert_int_equal(esp_ota_write(handle, "data", 4), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_INVALID_SIZE);
}

static void set_final_partition_refuses_what_it_should(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const esp_partition_t *storage = board_partition("storage");
    esp_partition_t made_up = *storage;
    made_up.size = 1;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, NULL, true), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_final_partition(UNKNOWN_HANDLE, storage, true), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_set_final_partition(handle, &made_up, true), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_set_final_partition(handle, slot(), true), ESP_OK);
    esp_partition_t same = *slot();
    assert_int_equal(esp_ota_set_final_partition(handle, &same, true), ESP_OK);
    assert_false(log_has("Final partition")); /* nothing has changed */
    assert_int_equal(esp_ota_write(handle, s_image, 100), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, storage, true), ESP_ERR_INVALID_STATE);
    esp_ota_abort(handle);
    assert_int_equal(esp_ota_resume(slot(), 0, 100, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, storage, true), ESP_OK);
    esp_ota_abort(handle);
}

static const esp_partition_t *register_area(uint32_t offset, uint32_t size,
                                            esp_partition_type_t type)
{
    const esp_partition_t *partition;
    assert_int_equal(
        esp_partition_register_external(NULL, offset, size, "area", type, 0, &partition), ESP_OK);
    return partition;
}

static void a_partition_table_is_checked_and_installed(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const esp_partition_t *area = register_area(0x8000, 0x1000, ESP_PARTITION_TYPE_PARTITION_TABLE);
    static uint8_t table[0xC00];
    const fmt_partition_t row = {FMT_PART_TYPE_DATA, 6, 0x10000, 0x1000, "one", 0};
    fmt_partition_table_encode(&row, 1, true, table);

    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, area, true), ESP_OK);
    assert_int_equal(esp_ota_write(handle, s_image, 2), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(
        log_has("Partition table image has invalid magic word (expected 0x50AA, saw 0x02e9)"));
    table[12] = 'O'; /* not what the MD5 says */
    assert_int_equal(esp_ota_write(handle, table, sizeof(table)), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(log_has("flash_parts: Incorrect MD5 checksum"));

    table[12] = 'o';
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, area, true), ESP_OK);
    assert_int_equal(esp_ota_write(handle, table, sizeof(table)), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(board_flash(0x8000), table, sizeof(table));

    /* Directly. */
    assert_int_equal(esp_ota_begin(area, OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, table, sizeof(table)), ESP_OK);
    wraps_fail_malloc(1);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_NO_MEM);
    assert_int_equal(esp_ota_begin(area, OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, table, sizeof(table)), ESP_OK);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_FLASH_OP_FAIL);
}

static void a_bootloader_is_staged_checked_and_copied(void **state)
{
    (void)state;
    esp_ota_handle_t handle;
    const esp_partition_t *area = register_area(0, 0x8000, ESP_PARTITION_TYPE_BOOTLOADER);
    s_len =
        board_make_image(&(board_image_t){.version = "b", .bootloader = true, .payload = 0x2000},
                         BOARD_OTA_0, s_image, sizeof(s_image));
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, area, true), ESP_OK);
    assert_int_equal(esp_image_bootloader_offset_get(), BOARD_OTA_0);
    assert_int_equal(write_image(handle, 1000), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_int_equal(esp_image_bootloader_offset_get(), 0);
    assert_memory_equal(board_flash(0), s_image, s_len);

    /* An aborted session gives the place back too; a damaged image is refused. */
    assert_int_equal(esp_ota_begin(area, 0, &handle), ESP_OK);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
    assert_int_equal(esp_image_bootloader_offset_get(), 0);
    s_image[0x800] ^= 1;
    assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, area, true), ESP_OK);
    assert_int_equal(write_image(handle, 1000), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_image_bootloader_offset_get(), 0);
}

/* --- everything that can fail, fails once --- */

static esp_err_t whole_update(size_t image_size)
{
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(slot(), image_size, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = write_image(handle, 5000);
    if (err != ESP_OK) {
        assert_int_equal(esp_ota_abort(handle), ESP_OK);
        return err;
    }
    err = esp_ota_end(handle);
    return err == ESP_OK ? esp_ota_set_boot_partition(slot()) : err;
}

static void after_any_failed_flash_operation_the_next_update_succeeds(void **state)
{
    static const size_t sizes[] = {OTA_WITH_SEQUENTIAL_WRITES, OTA_SIZE_UNKNOWN};
    unsigned failures = 0;
    for (size_t k = 0; k < 2; k++) {
        for (unsigned nth = 1;; nth++) {
            new_board(state);
            wraps_unmapped(true);
            (void)slot();
            linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_FAIL);
            esp_err_t err = whole_update(sizes[k]);
            if (!linux_board_testing_failed()) {
                assert_int_equal(err, ESP_OK);
                break;
            }
            failures++;
            /* Without an error only if all was done: the end of the record in otadata's journal. */
            assert_true(err == ESP_ERR_FLASH_OP_FAIL || err == ESP_ERR_OTA_VALIDATE_FAILED ||
                        (err == ESP_OK && board_otadata_seq(0) == 1));
            assert_true(log_has("E ("));
            assert_int_equal(whole_update(sizes[k]), ESP_OK);
            assert_slot_holds_image();
            assert_string_equal(esp_ota_get_boot_partition()->label, "ota_0");
        }
    }
    print_message("%u failing operations\n", failures);
    assert_true(failures > 60);
}

static void after_any_failed_write_the_same_write_can_be_repeated(void **state)
{
    for (unsigned nth = 1;; nth++) {
        new_board(state);
        (void)slot();
        esp_ota_handle_t handle;
        assert_int_equal(esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_FAIL);
        for (size_t done = 0; done < s_len; done += 5000) {
            size_t len = s_len - done < 5000 ? s_len - done : 5000;
            esp_err_t err = esp_ota_write(handle, s_image + done, len);
            if (err != ESP_OK) {
                assert_int_equal(esp_ota_write(handle, s_image + done, len), ESP_OK);
            }
        }
        bool failed = linux_board_testing_failed();
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 0, ESP_OK);
        assert_int_equal(esp_ota_end(handle), ESP_OK);
        assert_slot_holds_image();
        if (!failed) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(begin_refuses_what_it_should, new_board),
        cmocka_unit_test_setup(begin_needs_memory_and_leaves_nothing_behind_without, new_board),
        cmocka_unit_test_setup(a_partition_beyond_the_flash_is_named_and_refused, new_board),
        cmocka_unit_test_setup(one_session_per_partition_and_several_partitions, new_board),
        cmocka_unit_test_setup(begin_erases_by_the_size_given, new_board),
        cmocka_unit_test_setup(a_failed_erase_leaves_no_session, new_board),
        cmocka_unit_test_setup(rollback_off_leaves_otadata_alone_at_begin, new_board),
        cmocka_unit_test_setup(an_image_arrives_whole_in_chunks_of_any_size, new_board),
        cmocka_unit_test_setup(sequential_writes_erase_one_unit_ahead, new_board),
        cmocka_unit_test_setup(a_write_needs_data_and_a_session, new_board),
        cmocka_unit_test_setup(a_wrong_beginning_is_refused_before_the_slot_is_touched, new_board),
        cmocka_unit_test_setup(more_than_the_partition_holds_is_refused, new_board),
        cmocka_unit_test_setup(
            what_is_both_too_large_and_no_image_is_told_in_the_order_of_the_steps, new_board),
        cmocka_unit_test_setup(pieces_may_be_written_in_any_order, new_board),
        cmocka_unit_test_setup(an_update_can_be_resumed_at_any_offset, new_board),
        cmocka_unit_test_setup(resume_refuses_what_it_should, new_board),
        cmocka_unit_test_setup(a_resumed_session_without_erasing_erases_nothing, new_board),
        cmocka_unit_test_setup(end_verifies_what_was_written, new_board),
        cmocka_unit_test_setup(a_truncated_image_is_refused_wherever_it_ends, new_board),
        cmocka_unit_test_setup(an_image_for_another_chip_is_refused_at_the_end, new_board),
        cmocka_unit_test_setup(end_without_memory_fails_and_frees_the_session, new_board),
        cmocka_unit_test_setup(data_is_taken_as_it_is, new_board),
        cmocka_unit_test_setup(data_is_staged_and_copied, new_board),
        cmocka_unit_test_setup(a_staging_partition_smaller_than_the_final_one_cannot_be_copied,
                               new_board),
        cmocka_unit_test_setup(set_final_partition_refuses_what_it_should, new_board),
        cmocka_unit_test_setup(a_partition_table_is_checked_and_installed, new_board),
        cmocka_unit_test_setup(a_bootloader_is_staged_checked_and_copied, new_board),
        cmocka_unit_test_setup(after_any_failed_flash_operation_the_next_update_succeeds,
                               new_board),
        cmocka_unit_test_setup(after_any_failed_write_the_same_write_can_be_repeated, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
