/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"
#include "wraps.h"

#include "formats/nvs.h"
#include "nvs_vector.h"

#include "nvs_flash.h"

static nvs_handle_t s_nvs;

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
    return 0;
}

static int old_board(void **state)
{
    (void)state;
    (void)nvs_flash_deinit();
    return 0;
}

static void reload(void)
{
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
}

/* --- partitions --- */

static void init_and_erase_behave_as_applications_expect(void **state)
{
    (void)state;
    assert_int_equal(nvs_flash_init(), ESP_OK); /* again */
    assert_int_equal(nvs_set_u8(s_nvs, "k", 1), ESP_OK);
    assert_int_equal(nvs_flash_erase(), ESP_OK); /* deinitialises */
    assert_int_equal(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    for (unsigned i = 0; i < 0x4000; i++) {
        assert_int_equal(board_flash(BOARD_NVS)[i], 0xFF);
    }
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_erase(), ESP_OK); /* again */
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READONLY, &s_nvs), ESP_ERR_NVS_NOT_FOUND);
}

static void a_blank_partition_stays_blank_until_something_is_written(void **state)
{
    (void)state;
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    uint64_t before = board_operations();
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READONLY, &s_nvs), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(board_operations(), before);
}

static void a_missing_partition_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(nvs_flash_init_partition("nobody"), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_init_partition("storage"), ESP_ERR_NOT_FOUND); /* not of that kind */
    assert_int_equal(nvs_flash_init_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_init_partition("12345678901234567"), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_init_partition_ptr(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_erase_partition("nobody"), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_erase_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_erase_partition_ptr(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_deinit_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_deinit_partition("nobody"), ESP_ERR_NVS_NOT_INITIALIZED);
    nvs_handle_t handle;
    assert_int_equal(nvs_open_from_partition("nobody", "space", NVS_READWRITE, &handle),
                     ESP_ERR_NVS_PART_NOT_FOUND);
    esp_partition_t encrypted = *board_partition("nvs");
    strcpy(encrypted.label, "other");
    encrypted.encrypted = true;
    assert_int_equal(nvs_flash_init_partition_ptr(&encrypted), ESP_ERR_NVS_WRONG_ENCRYPTION);
}

static void too_small_full_or_newer_partitions_must_be_erased(void **state)
{
    (void)state;
    esp_partition_t small = *board_partition("storage");
    small.size = 0x2000;
    assert_int_equal(nvs_flash_init_partition_ptr(&small), ESP_ERR_NVS_NO_FREE_PAGES);
    assert_true(log_has("must be erased"));

    nvs_flash_deinit();
    memset(board_flash(BOARD_NVS), 0xFF, 0x4000);
    for (unsigned i = 0; i < 4; i++) {
        fmt_nvs_page_header_encode(
            &(fmt_nvs_page_header_t){FMT_NVS_STATE_FULL, i, FMT_NVS_VERSION_2},
            board_flash(BOARD_NVS + i * 0x1000));
    }
    assert_int_equal(nvs_flash_init(), ESP_ERR_NVS_NO_FREE_PAGES);
    fmt_nvs_page_header_encode(&(fmt_nvs_page_header_t){FMT_NVS_STATE_ACTIVE, 4, 0xFD},
                               board_flash(BOARD_NVS + 0x3000));
    assert_int_equal(nvs_flash_init(), ESP_ERR_NVS_NEW_VERSION_FOUND);
    assert_true(log_has("newer version"));
    /* What applications then do. */
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

static void garbage_in_the_partition_does_no_harm(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (unsigned round = 0; round < 50; round++) {
        nvs_flash_deinit();
        for (unsigned i = 0; i < 0x4000; i++) {
            random = random * 1664525u + 1013904223u;
            board_flash(BOARD_NVS)[i] = (uint8_t)(random >> 24);
        }
        /* Pages that look used, with a random content. */
        for (unsigned i = 0; i < round % 4; i++) {
            fmt_nvs_page_header_encode(
                &(fmt_nvs_page_header_t){
                    round % 8 < 4 ? FMT_NVS_STATE_ACTIVE : FMT_NVS_STATE_FREEING, i, 0xFE},
                board_flash(BOARD_NVS + i * 0x1000));
        }
        assert_int_equal(nvs_flash_init(), ESP_OK);
        assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
        assert_int_equal(nvs_set_u32(s_nvs, "k", round), ESP_OK);
        uint32_t value;
        reload();
        assert_int_equal(nvs_get_u32(s_nvs, "k", &value), ESP_OK);
        assert_int_equal(value, round);
    }
}

static void the_vector_is_written_byte_for_byte(void **state)
{
    (void)state;
    static uint8_t expected[NVS_VECTOR_SIZE];
    nvs_vector_fill(expected);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("ota", NVS_READWRITE, &s_nvs), ESP_OK);
    assert_int_equal(nvs_set_u32(s_nvs, "count", 7), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "url", "http://a/b"), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "blob", NVS_VECTOR_BLOB, 17), ESP_OK);
    assert_int_equal(nvs_set_i8(s_nvs, "neg", -2), ESP_OK);
    assert_memory_equal(board_flash(BOARD_NVS), expected, sizeof(expected));
}

static void the_vector_is_read(void **state)
{
    (void)state;
    nvs_flash_deinit();
    memset(board_flash(BOARD_NVS), 0xFF, 0x4000);
    nvs_vector_fill(board_flash(BOARD_NVS));
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("ota", NVS_READONLY, &s_nvs), ESP_OK);
    uint32_t count;
    int8_t neg;
    char url[20];
    uint8_t blob[20];
    size_t len = sizeof(url);
    assert_int_equal(nvs_get_u32(s_nvs, "count", &count), ESP_OK);
    assert_int_equal(count, 7);
    assert_int_equal(nvs_get_i8(s_nvs, "neg", &neg), ESP_OK);
    assert_int_equal(neg, -2);
    assert_int_equal(nvs_get_str(s_nvs, "url", url, &len), ESP_OK);
    assert_string_equal(url, "http://a/b");
    assert_int_equal(len, 11);
    len = sizeof(blob);
    assert_int_equal(nvs_get_blob(s_nvs, "blob", blob, &len), ESP_OK);
    assert_int_equal(len, 17);
    assert_memory_equal(blob, NVS_VECTOR_BLOB, 17);
}

/* --- namespaces and handles --- */

static void opening_says_what_is_wrong(void **state)
{
    (void)state;
    nvs_handle_t handle;
    assert_int_equal(nvs_open(NULL, NVS_READWRITE, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_open("x", NVS_READWRITE, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_open_from_partition(NULL, "x", NVS_READWRITE, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_open("", NVS_READWRITE, &handle), ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(nvs_open("1234567890123456", NVS_READWRITE, &handle),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_open("123456789012345", NVS_READWRITE, &handle), ESP_OK);
    assert_int_equal(nvs_open("1234567890123456", NVS_READONLY, &handle), ESP_ERR_NVS_NOT_FOUND);
    wraps_fail_malloc(1);
    assert_int_equal(nvs_open("x", NVS_READWRITE, &handle), ESP_ERR_NO_MEM);
    wraps_fail_malloc(2);
    assert_int_equal(nvs_open("x", NVS_READWRITE, &handle), ESP_ERR_NO_MEM);
    assert_int_equal(nvs_open("x", NVS_READONLY, &handle), ESP_ERR_NVS_NOT_FOUND);
}

static void there_are_at_most_254_namespaces(void **state)
{
    (void)state;
    char name[16];
    nvs_handle_t handle;
    for (unsigned i = 2; i <= 254; i++) {
        snprintf(name, sizeof(name), "ns%u", i);
        assert_int_equal(nvs_open(name, NVS_READWRITE, &handle), ESP_OK);
        nvs_close(handle);
    }
    assert_int_equal(nvs_open("onemore", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(nvs_open("ns254", NVS_READWRITE, &handle), ESP_OK);
    assert_int_equal(nvs_set_u8(handle, "k", 9), ESP_OK);
    reload();
    uint8_t value;
    assert_int_equal(nvs_get_u8(s_nvs, "k", &value), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_open("ns254", NVS_READONLY, &handle), ESP_OK);
    assert_int_equal(nvs_get_u8(handle, "k", &value), ESP_OK);
    nvs_stats_t stats;
    assert_int_equal(nvs_get_stats(NULL, &stats), ESP_OK);
    assert_int_equal(stats.namespace_count, 254);
}

static void closed_and_orphaned_handles_are_invalid(void **state)
{
    (void)state;
    uint8_t u8;
    size_t size = 0;
    nvs_type_t type;
    nvs_iterator_t it;
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0) {
            nvs_close(s_nvs);
            nvs_close(s_nvs);
        } else {
            reload();
            nvs_flash_deinit();
        }
        assert_int_equal(nvs_set_u8(s_nvs, "k", 1), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_set_str(s_nvs, "k", "v"), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_set_blob(s_nvs, "k", "v", 1), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_get_u8(s_nvs, "k", &u8), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_get_str(s_nvs, "k", NULL, &size), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_get_blob(s_nvs, "k", NULL, &size), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_erase_key(s_nvs, "k"), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_erase_all(s_nvs), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_commit(s_nvs), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_find_key(s_nvs, "k", &type), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_get_used_entry_count(s_nvs, &size), ESP_ERR_NVS_INVALID_HANDLE);
        assert_int_equal(nvs_entry_find_in_handle(s_nvs, NVS_TYPE_ANY, &it),
                         ESP_ERR_NVS_INVALID_HANDLE);
        assert_null(it);
        if (i == 0) {
            nvs_flash_deinit();
            assert_int_equal(nvs_flash_init(), ESP_OK);
        }
    }
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    uint8_t u8;
    size_t size = 0;
    nvs_iterator_t it = NULL;
    nvs_entry_info_t info;
    assert_int_equal(nvs_set_u8(s_nvs, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_set_str(s_nvs, "k", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_set_blob(s_nvs, "k", NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_u8(s_nvs, NULL, &u8), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_u8(s_nvs, "k", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_str(s_nvs, NULL, NULL, &size), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_find_key(s_nvs, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_erase_key(s_nvs, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_stats(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_used_entry_count(s_nvs, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_find(NULL, NULL, NVS_TYPE_ANY, &it), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_find_in_handle(s_nvs, NVS_TYPE_ANY, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_next(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_next(&it), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_info(NULL, &info), ESP_ERR_INVALID_ARG);
    nvs_release_iterator(NULL);
}

static void a_read_only_handle_does_not_write(void **state)
{
    (void)state;
    assert_int_equal(nvs_set_u8(s_nvs, "k", 1), ESP_OK);
    nvs_handle_t handle;
    assert_int_equal(nvs_open("space", NVS_READONLY, &handle), ESP_OK);
    assert_int_equal(nvs_set_u8(handle, "k", 2), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_erase_key(handle, "k"), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_erase_all(handle), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_commit(handle), ESP_OK);
    uint8_t value;
    assert_int_equal(nvs_get_u8(handle, "k", &value), ESP_OK);
    assert_int_equal(value, 1);
}

static void a_read_only_partition_can_be_one_page_and_is_not_changed(void **state)
{
    (void)state;
    nvs_flash_deinit();
    static uint8_t before[0x1000];
    nvs_vector_fill(board_flash(BOARD_NVS));
    fmt_nvs_entry_set_state(board_flash(BOARD_NVS) + 32, 3, FMT_NVS_ENTRY_EMPTY); /* url is torn */
    memcpy(before, board_flash(BOARD_NVS), sizeof(before));
    esp_partition_t one = *board_partition("nvs");
    one.size = 0x1000;
    one.readonly = true;
    uint64_t operations = board_operations();
    assert_int_equal(nvs_flash_init_partition_ptr(&one), ESP_OK);
    nvs_handle_t handle;
    assert_int_equal(nvs_open("ota", NVS_READWRITE, &handle), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(nvs_open("ota", NVS_READONLY, &handle), ESP_OK);
    uint32_t count;
    size_t len;
    assert_int_equal(nvs_get_u32(handle, "count", &count), ESP_OK);
    assert_int_equal(nvs_get_str(handle, "url", NULL, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_blob(handle, "blob", NULL, &len), ESP_OK);
    assert_int_equal(board_operations(), operations);
    assert_memory_equal(board_flash(BOARD_NVS), before, sizeof(before));
}

/* --- values --- */

#define CHECK_NUMBER(suffix, c_type, a, b)                                                         \
    do {                                                                                           \
        c_type value = (c_type)77;                                                                 \
        assert_int_equal(nvs_get_##suffix(s_nvs, #suffix, &value), ESP_ERR_NVS_NOT_FOUND);         \
        assert_true(value == (c_type)77);                                                          \
        assert_int_equal(nvs_set_##suffix(s_nvs, #suffix, (a)), ESP_OK);                           \
        assert_int_equal(nvs_get_##suffix(s_nvs, #suffix, &value), ESP_OK);                        \
        assert_true(value == (a));                                                                 \
        assert_int_equal(nvs_set_##suffix(s_nvs, #suffix, (b)), ESP_OK);                           \
        reload();                                                                                  \
        assert_int_equal(nvs_get_##suffix(s_nvs, #suffix, &value), ESP_OK);                        \
        assert_true(value == (b));                                                                 \
    } while (0)

static void numbers_of_every_type_are_kept(void **state)
{
    (void)state;
    CHECK_NUMBER(u8, uint8_t, 0, UINT8_MAX);
    CHECK_NUMBER(i8, int8_t, INT8_MIN, INT8_MAX);
    CHECK_NUMBER(u16, uint16_t, 0, UINT16_MAX);
    CHECK_NUMBER(i16, int16_t, INT16_MIN, INT16_MAX);
    CHECK_NUMBER(u32, uint32_t, 0, UINT32_MAX);
    CHECK_NUMBER(i32, int32_t, INT32_MIN, INT32_MAX);
    CHECK_NUMBER(u64, uint64_t, 0, UINT64_MAX);
    CHECK_NUMBER(i64, int64_t, INT64_MIN, INT64_MAX);
    CHECK_NUMBER(float, float, -1.5f, 3.25e20f);
    CHECK_NUMBER(double, double, -1.5, 3.25e200);
}

static void keys_have_1_to_15_characters(void **state)
{
    (void)state;
    uint8_t value;
    assert_int_equal(nvs_set_u8(s_nvs, "", 1), ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(nvs_set_u8(s_nvs, "1234567890123456", 1), ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_set_u8(s_nvs, "123456789012345", 1), ESP_OK);
    assert_int_equal(nvs_get_u8(s_nvs, "1234567890123456", &value), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_u8(s_nvs, "123456789012345", &value), ESP_OK);
    assert_int_equal(nvs_get_u8(s_nvs, "12345678901234", &value), ESP_ERR_NVS_NOT_FOUND);
}

static void a_wrong_type_is_not_found_and_setting_replaces_any_type(void **state)
{
    (void)state;
    uint8_t u8;
    int32_t i32;
    size_t len = 0;
    nvs_type_t type;
    assert_int_equal(nvs_set_u8(s_nvs, "k", 1), ESP_OK);
    assert_int_equal(nvs_get_i32(s_nvs, "k", &i32), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_str(s_nvs, "k", NULL, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_set_i32(s_nvs, "k", 5), ESP_OK);
    assert_int_equal(nvs_get_u8(s_nvs, "k", &u8), ESP_ERR_NVS_NOT_FOUND);
    static const uint8_t large[5000] = {1};
    assert_int_equal(nvs_set_blob(s_nvs, "k", large, sizeof(large)), ESP_OK);
    assert_int_equal(nvs_get_i32(s_nvs, "k", &i32), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_find_key(s_nvs, "k", &type), ESP_OK);
    assert_int_equal(type, NVS_TYPE_BLOB);
    assert_int_equal(nvs_set_str(s_nvs, "k", "text"), ESP_OK);
    assert_int_equal(nvs_get_blob(s_nvs, "k", NULL, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_find_key(s_nvs, "k", &type), ESP_OK);
    assert_int_equal(type, NVS_TYPE_STR);
    size_t used;
    assert_int_equal(nvs_get_used_entry_count(s_nvs, &used), ESP_OK);
    assert_int_equal(used, 2); /* no chunk of the blob is left */
    assert_int_equal(nvs_find_key(s_nvs, "other", &type), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_find_key(s_nvs, "k", NULL), ESP_OK);
}

static void an_equal_value_is_not_written_again(void **state)
{
    (void)state;
    static uint8_t large[5000];
    memset(large, 0x5A, sizeof(large));
    assert_int_equal(nvs_set_u8(s_nvs, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "b", "some text that takes more than an entry"), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "c", large, sizeof(large)), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "d", NULL, 0), ESP_OK);
    uint64_t before = board_operations();
    assert_int_equal(nvs_set_u8(s_nvs, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "b", "some text that takes more than an entry"), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "c", large, sizeof(large)), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "d", NULL, 0), ESP_OK);
    assert_int_equal(board_operations(), before);
    large[4999] ^= 1;
    assert_int_equal(nvs_set_blob(s_nvs, "c", large, sizeof(large)), ESP_OK);
    assert_true(board_operations() > before);
}

static void strings_and_blobs_tell_their_size(void **state)
{
    (void)state;
    char text[10];
    size_t len = 0;
    assert_int_equal(nvs_set_str(s_nvs, "s", "12345"), ESP_OK);
    assert_int_equal(nvs_get_str(s_nvs, "s", NULL, &len), ESP_OK);
    assert_int_equal(len, 6);
    assert_int_equal(nvs_get_str(s_nvs, "s", text, NULL), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(nvs_get_str(s_nvs, "none", text, NULL), ESP_ERR_NVS_NOT_FOUND);
    len = 5;
    assert_int_equal(nvs_get_str(s_nvs, "s", text, &len), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 6);
    len = sizeof(text);
    assert_int_equal(nvs_get_str(s_nvs, "s", text, &len), ESP_OK);
    assert_int_equal(len, 6);
    assert_string_equal(text, "12345");

    assert_int_equal(nvs_set_blob(s_nvs, "b", "abc", 3), ESP_OK);
    len = 2;
    assert_int_equal(nvs_get_blob(s_nvs, "b", text, &len), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 3);
    assert_int_equal(nvs_get_blob(s_nvs, "b", text, NULL), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(nvs_get_blob(s_nvs, "b", NULL, &len), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "b", NULL, 0), ESP_OK);
    assert_int_equal(nvs_get_blob(s_nvs, "b", text, &len), ESP_OK);
    assert_int_equal(len, 0);
    assert_int_equal(nvs_set_str(s_nvs, "s", ""), ESP_OK);
    len = sizeof(text);
    assert_int_equal(nvs_get_str(s_nvs, "s", text, &len), ESP_OK);
    assert_int_equal(len, 1);
}

static void strings_hold_4000_bytes_and_blobs_what_the_partition_can(void **state)
{
    (void)state;
    static char text[4002];
    static char back[4002];
    size_t len = sizeof(back);
    memset(text, 'x', 4000);
    assert_int_equal(nvs_set_str(s_nvs, "s", text), ESP_ERR_NVS_VALUE_TOO_LONG);
    text[3999] = '\0';
    assert_int_equal(nvs_set_str(s_nvs, "s", text), ESP_OK);
    assert_int_equal(nvs_get_str(s_nvs, "s", back, &len), ESP_OK);
    assert_string_equal(back, text);

    static uint8_t blob[12001];
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, 12001), ESP_ERR_NVS_VALUE_TOO_LONG);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, 12000), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    size_t used;
    assert_int_equal(nvs_get_used_entry_count(s_nvs, &used), ESP_OK);
    assert_int_equal(used, 126); /* nothing of it stayed */
    assert_int_equal(nvs_get_str(s_nvs, "s", back, &len), ESP_OK);
}

static void a_blob_spans_pages_and_changes_its_chunk_numbers(void **state)
{
    (void)state;
    static uint8_t blob[5000];
    static uint8_t back[5000];
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(blob); i++) {
            blob[i] = (uint8_t)(i * 3 + round + i / 256);
        }
        size_t len = sizeof(back);
        assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob) - round), ESP_OK);
        if (round % 3 == 0) {
            reload();
        }
        assert_int_equal(nvs_get_blob(s_nvs, "b", back, &len), ESP_OK);
        assert_int_equal(len, sizeof(blob) - round);
        assert_memory_equal(back, blob, len);
        size_t used;
        assert_int_equal(nvs_get_used_entry_count(s_nvs, &used), ESP_OK);
        assert_true(used <= 157 + 4);
    }
}

static void a_blob_of_version_1_is_read_and_replaced(void **state)
{
    (void)state;
    nvs_flash_deinit();
    uint8_t *page = board_flash(BOARD_NVS);
    memset(page, 0xFF, 0x4000);
    fmt_nvs_page_header_encode(&(fmt_nvs_page_header_t){FMT_NVS_STATE_ACTIVE, 0, 0xFF}, page);
    const uint8_t one = 1;
    fmt_nvs_entry_t entry;
    fmt_nvs_make_value(&entry, 0, "space", FMT_NVS_TYPE_U8, &one);
    fmt_nvs_entry_encode(&entry, page + 64);
    fmt_nvs_make_data(&entry, 1, "b", FMT_NVS_TYPE_BLOB_V1, FMT_NVS_CHUNK_NONE, "old", 3);
    fmt_nvs_entry_encode(&entry, page + 96);
    memcpy(page + 128, "old", 3);
    for (unsigned i = 0; i < 3; i++) {
        fmt_nvs_entry_set_state(page + 32, i, FMT_NVS_ENTRY_WRITTEN);
    }
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
    char back[8] = "";
    size_t len = sizeof(back);
    assert_int_equal(nvs_get_blob(s_nvs, "b", back, &len), ESP_OK);
    assert_memory_equal(back, "old", 3);
    assert_int_equal(nvs_set_blob(s_nvs, "b", "new!", 4), ESP_OK);
    reload();
    len = sizeof(back);
    assert_int_equal(nvs_get_blob(s_nvs, "b", back, &len), ESP_OK);
    assert_int_equal(len, 4);
    assert_int_equal(fmt_nvs_entry_state(page + 32, 1), FMT_NVS_ENTRY_ERASED);
}

static void a_damaged_value_is_reported_and_gone(void **state)
{
    (void)state;
    static uint8_t blob[5000];
    size_t len = sizeof(blob);
    assert_int_equal(nvs_set_str(s_nvs, "s", "needle in flash"), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob)), ESP_OK);
    uint8_t *flash = board_flash(BOARD_NVS);
    for (unsigned i = 0; i < 0x4000 - 6; i++) {
        if (memcmp(flash + i, "needle", 6) == 0) {
            flash[i] = 'N';
        }
    }
    char text[32];
    size_t text_len = sizeof(text);
    assert_int_equal(nvs_get_str(s_nvs, "s", text, &text_len), ESP_ERR_NVS_NOT_FOUND);
    assert_true(log_has("the value of s is damaged"));
    flash[0x800] ^= 1;
    assert_int_equal(nvs_get_blob(s_nvs, "b", blob, &len), ESP_ERR_NVS_NOT_FOUND);
    len = sizeof(blob);
    assert_int_equal(nvs_get_blob(s_nvs, "b", blob, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob)), ESP_OK);
}

/* --- erasing --- */

static void keys_and_namespaces_can_be_emptied(void **state)
{
    (void)state;
    static uint8_t blob[5000];
    nvs_handle_t other;
    uint8_t value;
    size_t used;
    assert_int_equal(nvs_open("other", NVS_READWRITE, &other), ESP_OK);
    assert_int_equal(nvs_set_u8(other, "a", 7), ESP_OK);
    assert_int_equal(nvs_set_u8(s_nvs, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob)), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "c", "text"), ESP_OK);
    assert_int_equal(nvs_erase_key(s_nvs, "b"), ESP_OK);
    assert_int_equal(nvs_erase_key(s_nvs, "b"), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_used_entry_count(s_nvs, &used), ESP_OK);
    assert_int_equal(used, 3);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob)), ESP_OK);
    assert_int_equal(nvs_erase_all(s_nvs), ESP_OK);
    assert_int_equal(nvs_get_used_entry_count(s_nvs, &used), ESP_OK);
    assert_int_equal(used, 0);
    assert_int_equal(nvs_get_u8(other, "a", &value), ESP_OK);
    assert_int_equal(nvs_erase_all(s_nvs), ESP_OK); /* nothing to do */
    nvs_handle_t again;
    assert_int_equal(nvs_open("space", NVS_READONLY, &again), ESP_OK); /* it is still there */
}

static bool flash_has(const char *text)
{
    for (unsigned i = 0; i < 0x4000 - strlen(text); i++) {
        if (memcmp(board_flash(BOARD_NVS) + i, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

static void purging_leaves_no_trace(void **state)
{
    (void)state;
    nvs_handle_t purge;
    assert_int_equal(nvs_open("space", NVS_READWRITE_PURGE, &purge), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "s", "first secret"), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "s", "second secret"), ESP_OK);
    assert_true(flash_has("first secret"));
    assert_int_equal(nvs_set_str(purge, "s", "third secret"), ESP_OK);
    assert_false(flash_has("second secret"));
    assert_int_equal(nvs_set_blob(purge, "b", "blob secret", 11), ESP_OK);
    assert_int_equal(nvs_erase_all(purge), ESP_OK);
    assert_false(flash_has("third secret"));
    assert_false(flash_has("blob secret"));
    reload();
    assert_int_equal(nvs_set_str(s_nvs, "s", "fourth"), ESP_OK);
}

/* --- space --- */

static void pages_are_turned_over_without_losing_anything(void **state)
{
    (void)state;
    char key[16];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "keep%u", i);
        assert_int_equal(nvs_set_u32(s_nvs, key, i * 1000), ESP_OK);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        assert_int_equal(nvs_set_u32(s_nvs, "counter", i), ESP_OK);
    }
    reload();
    uint32_t value;
    assert_int_equal(nvs_get_u32(s_nvs, "counter", &value), ESP_OK);
    assert_int_equal(value, 1999);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "keep%u", i);
        assert_int_equal(nvs_get_u32(s_nvs, key, &value), ESP_OK);
        assert_int_equal(value, i * 1000);
    }
    /* The pages take turns; one of them holds values that stay. */
    linux_board_state_t *board = linux_board_testing_state();
    unsigned worn = 0;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(board->wear[BOARD_NVS / 4096 + i] <= 10);
        worn += board->wear[BOARD_NVS / 4096 + i] >= 2 ? 1 : 0;
    }
    assert_true(worn >= 3);
}

static void a_full_store_says_so_and_goes_on_when_there_is_room_again(void **state)
{
    (void)state;
    char key[16];
    unsigned count = 0;
    esp_err_t err;
    do {
        snprintf(key, sizeof(key), "k%u", count);
        err = nvs_set_u32(s_nvs, key, count);
    } while (err == ESP_OK && ++count < 1000);
    assert_int_equal(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(count, 3 * 126 - 1); /* the namespace takes one, a page is kept free */
    nvs_stats_t stats;
    assert_int_equal(nvs_get_stats("nvs", &stats), ESP_OK);
    assert_int_equal(stats.total_entries, 4 * 126);
    assert_int_equal(stats.used_entries, 3 * 126);
    assert_int_equal(stats.free_entries, 126);
    assert_int_equal(stats.available_entries, 0);
    assert_int_equal(stats.namespace_count, 1);

    assert_int_equal(nvs_set_u32(s_nvs, "more", 1), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    nvs_handle_t handle;
    assert_int_equal(nvs_open("more", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    reload();
    assert_int_equal(nvs_erase_key(s_nvs, "k7"), ESP_OK);
    assert_int_equal(nvs_set_u32(s_nvs, "more", 1), ESP_OK);
    assert_int_equal(nvs_set_u32(s_nvs, "evenmore", 1), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    uint32_t value;
    for (unsigned i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(nvs_get_u32(s_nvs, key, &value), i == 7 ? ESP_ERR_NVS_NOT_FOUND : ESP_OK);
    }
    assert_int_equal(nvs_get_stats("nobody", &stats), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(stats.total_entries, 0);
}

/* --- iterating --- */

static unsigned iterate(nvs_iterator_t it, const char *expected)
{
    char all[200] = "";
    unsigned count = 0;
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && it != NULL) {
        nvs_entry_info_t info;
        assert_int_equal(nvs_entry_info(it, &info), ESP_OK);
        size_t len = strlen(all);
        snprintf(all + len, sizeof(all) - len, "%s/%s:%x ", info.namespace_name, info.key,
                 (unsigned)info.type);
        count++;
        err = nvs_entry_next(&it);
    }
    assert_int_equal(err, ESP_ERR_NVS_NOT_FOUND);
    assert_null(it);
    assert_string_equal(all, expected);
    return count;
}

static void iterators_meet_each_value_once(void **state)
{
    (void)state;
    static uint8_t blob[5000];
    nvs_handle_t other;
    nvs_iterator_t it;
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it), ESP_ERR_NVS_NOT_FOUND);
    assert_null(it);
    assert_int_equal(nvs_open("other", NVS_READWRITE, &other), ESP_OK);
    assert_int_equal(nvs_set_u8(s_nvs, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "b", blob, sizeof(blob)), ESP_OK);
    assert_int_equal(nvs_set_u8(other, "c", 2), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "d", "x"), ESP_OK);

    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it), ESP_OK);
    iterate(it, "space/a:1 space/b:42 other/c:1 space/d:21 ");
    assert_int_equal(nvs_entry_find("nvs", "space", NVS_TYPE_ANY, &it), ESP_OK);
    iterate(it, "space/a:1 space/b:42 space/d:21 ");
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_U8, &it), ESP_OK);
    iterate(it, "space/a:1 other/c:1 ");
    assert_int_equal(nvs_entry_find_in_handle(other, NVS_TYPE_ANY, &it), ESP_OK);
    iterate(it, "other/c:1 ");
    assert_int_equal(nvs_entry_find_in_handle(s_nvs, NVS_TYPE_BLOB, &it), ESP_OK);
    iterate(it, "space/b:42 ");
    assert_int_equal(nvs_entry_find("nvs", "nobody", NVS_TYPE_ANY, &it), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_entry_find("other", NULL, NVS_TYPE_ANY, &it), ESP_ERR_NVS_PART_NOT_FOUND);
    wraps_fail_malloc(1);
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it), ESP_ERR_NO_MEM);

    /* The partition goes away meanwhile. */
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it), ESP_OK);
    nvs_flash_deinit();
    assert_int_equal(nvs_entry_next(&it), ESP_ERR_NVS_PART_NOT_FOUND);
    assert_null(it);
}

/* --- failing flash and memory --- */

static void after_any_failed_operation_the_value_is_old_or_new_and_can_be_set(void **state)
{
    static uint8_t old_blob[5000];
    static uint8_t new_blob[5000];
    static uint8_t back[5000];
    memset(old_blob, 0x11, sizeof(old_blob));
    memset(new_blob, 0x22, sizeof(new_blob));
    unsigned failures = 0;
    for (unsigned nth = 1;; nth++) {
        new_board(state);
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(nvs_set_u32(s_nvs, "x", i), ESP_OK);
        }
        assert_int_equal(nvs_set_blob(s_nvs, "b", old_blob, sizeof(old_blob)), ESP_OK);
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_FAIL);
        esp_err_t err = nvs_set_blob(s_nvs, "b", new_blob, sizeof(new_blob));
        bool failed = linux_board_testing_failed();
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 0, ESP_OK);
        if (!failed) {
            assert_int_equal(err, ESP_OK);
            old_board(state);
            break;
        }
        failures++;
        assert_true(err == ESP_ERR_FLASH_OP_FAIL || err == ESP_ERR_NVS_REMOVE_FAILED);
        size_t len = sizeof(back);
        assert_int_equal(nvs_get_blob(s_nvs, "b", back, &len), ESP_OK);
        if (err == ESP_ERR_NVS_REMOVE_FAILED) {
            assert_memory_equal(back, new_blob, sizeof(back));
        } else {
            assert_true(memcmp(back, old_blob, sizeof(back)) == 0 ||
                        memcmp(back, new_blob, sizeof(back)) == 0);
        }
        uint32_t x;
        assert_int_equal(nvs_get_u32(s_nvs, "x", &x), ESP_OK);
        assert_int_equal(x, 99);
        assert_int_equal(nvs_set_blob(s_nvs, "b", new_blob, sizeof(new_blob)), ESP_OK);
        assert_int_equal(nvs_get_blob(s_nvs, "b", back, &len), ESP_OK);
        assert_memory_equal(back, new_blob, sizeof(back));
        old_board(state);
    }
    print_message("%u failing operations\n", failures);
    assert_true(failures > 20);
    new_board(state);
}

static void init_survives_failures_of_memory_and_flash(void **state)
{
    (void)state;
    assert_int_equal(nvs_set_u8(s_nvs, "k", 3), ESP_OK);
    nvs_flash_deinit();
    (void)board_partition("nvs");
    for (unsigned nth = 1; nth <= 5; nth++) {
        wraps_fail_malloc(nth);
        assert_int_equal(nvs_flash_init(), ESP_ERR_NO_MEM);
    }
    for (unsigned nth = 1; nth <= 6; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(nvs_flash_init(), ESP_ERR_FLASH_OP_TIMEOUT);
        assert_true(log_has("cannot read partition nvs: error 0x6002"));
    }
    assert_int_equal(nvs_flash_init(), ESP_OK);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nvs_flash_erase(), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_board, old_board)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init_and_erase_behave_as_applications_expect),
        TEST(a_blank_partition_stays_blank_until_something_is_written),
        TEST(a_missing_partition_is_not_found),
        TEST(too_small_full_or_newer_partitions_must_be_erased),
        TEST(garbage_in_the_partition_does_no_harm),
        TEST(the_vector_is_written_byte_for_byte),
        TEST(the_vector_is_read),
        TEST(opening_says_what_is_wrong),
        TEST(there_are_at_most_254_namespaces),
        TEST(closed_and_orphaned_handles_are_invalid),
        TEST(null_arguments_are_refused),
        TEST(a_read_only_handle_does_not_write),
        TEST(a_read_only_partition_can_be_one_page_and_is_not_changed),
        TEST(numbers_of_every_type_are_kept),
        TEST(keys_have_1_to_15_characters),
        TEST(a_wrong_type_is_not_found_and_setting_replaces_any_type),
        TEST(an_equal_value_is_not_written_again),
        TEST(strings_and_blobs_tell_their_size),
        TEST(strings_hold_4000_bytes_and_blobs_what_the_partition_can),
        TEST(a_blob_spans_pages_and_changes_its_chunk_numbers),
        TEST(a_blob_of_version_1_is_read_and_replaced),
        TEST(a_damaged_value_is_reported_and_gone),
        TEST(keys_and_namespaces_can_be_emptied),
        TEST(purging_leaves_no_trace),
        TEST(pages_are_turned_over_without_losing_anything),
        TEST(a_full_store_says_so_and_goes_on_when_there_is_room_again),
        TEST(iterators_meet_each_value_once),
        TEST(after_any_failed_operation_the_value_is_old_or_new_and_can_be_set),
        TEST(init_survives_failures_of_memory_and_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
