/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"
#include "wraps.h"

#include "formats/image.h"
#include "mbedtls/sha256.h"

#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_private/partition_internal.h"
#include "esp_private/partition_linux.h"

#define ANY_TYPE    ESP_PARTITION_TYPE_ANY
#define ANY_SUBTYPE ESP_PARTITION_SUBTYPE_ANY

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    return 0;
}

/* --- loading and finding --- */

static void a_table_entry_becomes_a_partition(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("frozen");
    assert_ptr_equal(p->flash_chip, esp_flash_default_chip);
    assert_int_equal(p->type, ESP_PARTITION_TYPE_DATA);
    assert_int_equal(p->subtype, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED);
    assert_int_equal(p->address, BOARD_READONLY);
    assert_int_equal(p->size, 0x2000);
    assert_int_equal(p->erase_size, 4096);
    assert_true(p->readonly);
    assert_false(p->encrypted);
    assert_false(board_partition("storage")->readonly);
}

static void a_label_of_16_characters_is_kept_whole(void **state)
{
    (void)state;
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, 6, 0x10000, 0x1000, "abcdefghijklmnop", 0},
        {FMT_PART_TYPE_DATA, 6, 0x11000, 0x1000, "abcdefghijklmno", 0},
    };
    board_new_with(rows, 2, true, UINT32_MAX);
    assert_int_equal(board_partition("abcdefghijklmnop")->address, 0x10000);
    assert_int_equal(board_partition("abcdefghijklmno")->address, 0x11000);
    assert_null(esp_partition_find_first(ANY_TYPE, ANY_SUBTYPE, "abcdefghijklmn"));
}

static void iteration_follows_the_table_and_ends_with_null(void **state)
{
    (void)state;
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_APP, ANY_SUBTYPE, NULL);
    const char *expected[] = {"factory", "ota_0", "ota_1", "test"};
    for (unsigned i = 0; i < 4; i++) {
        assert_non_null(it);
        assert_string_equal(esp_partition_get(it)->label, expected[i]);
        it = esp_partition_next(it);
    }
    assert_null(it);
    esp_partition_iterator_release(NULL);

    unsigned count = 0;
    for (it = esp_partition_find(ANY_TYPE, ANY_SUBTYPE, NULL); it != NULL;
         it = esp_partition_next(it)) {
        count++;
    }
    assert_int_equal(count, 10);
}

static void searching_matches_type_subtype_and_label(void **state)
{
    (void)state;
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    assert_string_equal(p->label, "otadata");
    /* Types and subtypes nobody enumerated. */
    p = esp_partition_find_first((esp_partition_type_t)0x40, (esp_partition_subtype_t)1, NULL);
    assert_string_equal(p->label, "big");
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ANY_SUBTYPE, "nvs"));
    assert_null(esp_partition_find_first(ANY_TYPE, ANY_SUBTYPE, "NVS"));
    assert_int_equal(ESP_PARTITION_SUBTYPE_OTA(17), ESP_PARTITION_SUBTYPE_APP_OTA_1);
}

static void a_failed_search_says_why(void **state)
{
    (void)state;
    esp_partition_iterator_t it = (esp_partition_iterator_t)1;
    const esp_partition_t *p = (const esp_partition_t *)1;
    assert_int_equal(esp_partition_find_err(ANY_TYPE, ANY_SUBTYPE, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_find_err(ANY_TYPE, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL, &it),
                     ESP_ERR_INVALID_ARG);
    assert_null(it);
    assert_int_equal(esp_partition_find_err(ANY_TYPE, ANY_SUBTYPE, "nobody", &it),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, "nobody", &p),
                     ESP_ERR_NOT_FOUND);
    assert_null(p);
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, "nvs", &p), ESP_OK);
    assert_string_equal(p->label, "nvs");
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, "nvs", NULL),
                     ESP_ERR_INVALID_ARG);
    wraps_fail_malloc(1);
    assert_int_equal(esp_partition_find_err(ANY_TYPE, ANY_SUBTYPE, NULL, &it), ESP_ERR_NO_MEM);
    assert_null(it);
}

static void a_table_without_or_with_a_wrong_md5_is_refused_and_tried_again(void **state)
{
    (void)state;
    const fmt_partition_t row = {FMT_PART_TYPE_DATA, 6, 0x10000, 0x1000, "one", 0};
    const esp_partition_t *p;
    board_new_with(&row, 1, false, UINT32_MAX);
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p),
                     ESP_ERR_NOT_FOUND);
    assert_true(log_has("E ("));
    assert_true(log_has("No MD5 found in partition table"));
    assert_true(log_has("load_partitions returned 0x105"));

    board_new_with(&row, 1, true, UINT32_MAX);
    board_flash(FMT_PARTITION_TABLE_OFFSET)[40] = 'x';
    board_flash(FMT_PARTITION_TABLE_OFFSET)[13] = 'x';
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p),
                     ESP_ERR_INVALID_STATE);
    assert_true(log_has("Partition table MD5 mismatch"));
    assert_true(log_has("load_partitions returned 0x103"));

    /* Repaired meanwhile. */
    fmt_partition_table_encode(&row, 1, true, board_flash(FMT_PARTITION_TABLE_OFFSET));
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p), ESP_OK);
}

static void an_unreadable_table_or_no_memory_is_reported_and_recovered_from(void **state)
{
    (void)state;
    const esp_partition_t *p;
    assert_int_equal(esp_flash_init(NULL), ESP_OK);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p),
                     ESP_ERR_FLASH_OP_TIMEOUT);
    for (unsigned nth = 1; nth <= 11; nth++) { /* the table's buffer and the ten entries */
        board_reload();
        wraps_fail_malloc(nth);
        assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p),
                         ESP_ERR_NO_MEM);
    }
    assert_int_equal(esp_partition_find_first_err(ANY_TYPE, ANY_SUBTYPE, NULL, &p), ESP_OK);
}

static void verify_finds_the_list_entry_that_equals(void **state)
{
    (void)state;
    const esp_partition_t *nvs = board_partition("nvs");
    const esp_partition_t *out;
    esp_partition_t copy = *nvs;
    assert_ptr_equal(esp_partition_verify(&copy), nvs);
    copy.label[0] = '\0';
    copy.readonly = true;
    copy.erase_size = 1;
    assert_ptr_equal(esp_partition_verify(&copy), nvs);
    copy = *nvs;
    copy.size++;
    assert_null(esp_partition_verify(&copy));
    copy = *nvs;
    copy.encrypted = true;
    assert_null(esp_partition_verify(&copy));
    copy = *nvs;
    copy.flash_chip = NULL;
    assert_null(esp_partition_verify(&copy));
    copy = *nvs;
    strcpy(copy.label, "nvt");
    assert_null(esp_partition_verify(&copy));
    assert_null(esp_partition_verify(NULL));
    assert_int_equal(esp_partition_verify_err(NULL, &out), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_verify_err(nvs, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_verify_err(&copy, &out), ESP_ERR_NOT_FOUND);
}

static void the_running_partition_is_where_the_loader_says(void **state)
{
    (void)state;
    assert_string_equal(esp_partition_running()->label, "factory");
    linux_board_testing_state()->running_offset = BOARD_OTA_1;
    assert_string_equal(esp_partition_running()->label, "ota_1");
    linux_board_testing_state()->running_offset = BOARD_STORAGE; /* no app */
    assert_null(esp_partition_running());
    linux_board_testing_state()->running_offset = UINT32_MAX;
    assert_null(esp_partition_running());
}

/* --- content --- */

static void bounds_are_checked_in_order(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("storage");
    const esp_partition_t *ro = board_partition("frozen");
    uint8_t byte = 0;
    assert_int_equal(esp_partition_read(p, p->size + 1, &byte, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_read(p, p->size, &byte, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_read(p, 1, &byte, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_read(p, p->size, &byte, 0), ESP_OK);
    assert_int_equal(esp_partition_write(p, p->size + 1, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_write(p, p->size, &byte, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_write(ro, ro->size + 1, &byte, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_write_raw(ro, 0, &byte, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_write(p, p->size, NULL, 0), ESP_OK);

    assert_int_equal(esp_partition_erase_range(ro, ro->size + 1, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_erase_range(p, p->size + 1, 4096), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_erase_range(p, p->size - 1, 4096), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_erase_range(p, 1, 100), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_erase_range(p, 1, 4096), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_erase_range(p, 0, 0), ESP_OK);
    assert_int_equal(board_operations(), 0);
}

static void encrypted_structs_take_whole_blocks_on_the_main_chip_only(void **state)
{
    (void)state;
    esp_partition_t p = *board_partition("storage");
    p.encrypted = true;
    uint8_t block[16] = {1};
    assert_int_equal(esp_partition_write(&p, 8, block, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_write(&p, 16, block, 15), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_write(&p, 16, block, 16), ESP_OK);
    assert_int_equal(esp_partition_write_raw(&p, 8, block, 3), ESP_OK);
    int other;
    p.flash_chip = (esp_flash_t *)&other;
    assert_int_equal(esp_partition_write(&p, 16, block, 16), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_partition_read(&p, 16, block, 16), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_partition_read_raw(&p, 16, block, 16), ESP_ERR_FLASH_NOT_INITIALISED);
}

static void writing_ands_reading_and_erasing_work(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("storage");
    uint8_t data[3] = {0xF0, 0x0F, 0x55};
    uint8_t back[3];
    assert_int_equal(esp_partition_write(p, 0x1FFE, data, 3), ESP_OK);
    linux_board_testing_state()->check_nor = 0;
    data[0] = 0x3C;
    assert_int_equal(esp_partition_write(p, 0x1FFE, data, 1), ESP_OK);
    assert_int_equal(esp_partition_read(p, 0x1FFE, back, 3), ESP_OK);
    assert_int_equal(back[0], 0x30);
    assert_int_equal(back[1], 0x0F);
    assert_int_equal(esp_partition_erase_range(p, 0x1000, 0x1000), ESP_OK);
    assert_int_equal(esp_partition_read_raw(p, 0x1FFE, back, 3), ESP_OK);
    assert_int_equal(back[0], 0xFF);
    assert_int_equal(back[2], 0x55);
}

static void a_made_up_struct_meets_the_chip_bounds(void **state)
{
    (void)state;
    esp_partition_t p = {.address = BOARD_FLASH_SIZE - 0x1000, .size = 0x3000};
    uint8_t byte = 0;
    assert_int_equal(esp_partition_read(&p, 0, &byte, 1), ESP_OK);
    assert_int_equal(esp_partition_read(&p, 0x1000, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_erase_range(&p, 0, 0x3000), ESP_ERR_INVALID_ARG);
    p.address = UINT32_MAX - 0xFFF;
    assert_int_equal(esp_partition_write(&p, 0x2000, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(board_operations(), 0);
}

static void flash_errors_come_through(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("storage");
    uint8_t byte = 0;
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_partition_read(p, 0, &byte, 1), ESP_ERR_FLASH_OP_TIMEOUT);
    linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_write(p, 0, &byte, 1), ESP_ERR_FLASH_OP_FAIL);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 2, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_erase_range(p, 0, 0x3000), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(board_operations(), 1);
    assert_int_equal(esp_partition_erase_range(p, 0, 0x3000), ESP_OK);
}

static void an_erase_step_takes_the_largest_unit(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("big"); /* at 0x120000: block aligned */
    size_t erased;
    assert_int_equal(esp_partition_erase_step(p, 0x10000, 0x20000, &erased), ESP_OK);
    assert_int_equal(erased, 0x10000);
    assert_int_equal(esp_partition_erase_step(p, 0x1000, 0x20000, &erased), ESP_OK);
    assert_int_equal(erased, 0x1000);
    assert_int_equal(esp_partition_erase_step(p, 0x1000, 0x100, &erased), ESP_ERR_INVALID_SIZE);
    assert_int_equal(erased, 0);
}

static void a_mapping_shows_the_flash_and_follows_it(void **state)
{
    (void)state;
    const esp_partition_t *p = board_partition("storage");
    const void *view;
    esp_partition_mmap_handle_t handle;
    assert_int_equal(esp_partition_mmap(p, p->size + 1, 1, ESP_PARTITION_MMAP_DATA, &view, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_mmap(p, 1, p->size, ESP_PARTITION_MMAP_DATA, &view, &handle),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_mmap(p, 0, 0, ESP_PARTITION_MMAP_DATA, &view, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_mmap(p, 0, 1, ESP_PARTITION_MMAP_DATA, NULL, &handle),
                     ESP_ERR_INVALID_ARG);
    esp_partition_t other = *p;
    other.flash_chip = (esp_flash_t *)&other;
    assert_int_equal(esp_partition_mmap(&other, 0, 1, ESP_PARTITION_MMAP_DATA, &view, &handle),
                     ESP_ERR_NOT_SUPPORTED);

    assert_int_equal(esp_partition_mmap(p, 3, 100, ESP_PARTITION_MMAP_DATA, &view, &handle),
                     ESP_OK);
    assert_int_equal(esp_partition_write(p, 3, "hello", 5), ESP_OK);
    assert_memory_equal(view, "hello", 5);
    esp_partition_munmap(handle);
}

static void without_a_memory_map_a_mapping_is_a_bounded_copy(void **state)
{
    (void)state;
    wraps_unmapped(true);
    const esp_partition_t *p = board_partition("big");
    const void *view[2];
    esp_partition_mmap_handle_t handle[2];
    assert_int_equal(esp_partition_write(p, 3, "hello", 5), ESP_OK);
    assert_int_equal(esp_partition_mmap(p, 3, 65536, ESP_PARTITION_MMAP_DATA, &view[0], &handle[0]),
                     ESP_OK);
    assert_int_equal(esp_partition_mmap(p, 4, 4, ESP_PARTITION_MMAP_DATA, &view[1], &handle[1]),
                     ESP_OK);
    assert_memory_equal(view[0], "hello", 5);
    assert_memory_equal(view[1], "ello", 4);
    assert_int_not_equal(handle[0], handle[1]);
    esp_partition_munmap(handle[0]);
    assert_memory_equal(view[1], "ello", 4);
    esp_partition_munmap(handle[1]);
    esp_partition_munmap(handle[1]); /* unknown by now */

    assert_int_equal(esp_partition_mmap(p, 0, 65537, ESP_PARTITION_MMAP_DATA, &view[0], &handle[0]),
                     ESP_ERR_NO_MEM);
    assert_true(log_has("not memory mapped"));
    wraps_fail_malloc(1);
    assert_int_equal(esp_partition_mmap(p, 0, 16, ESP_PARTITION_MMAP_DATA, &view[0], &handle[0]),
                     ESP_ERR_NO_MEM);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_mmap(p, 0, 16, ESP_PARTITION_MMAP_DATA, &view[0], &handle[0]),
                     ESP_ERR_FLASH_OP_FAIL);
}

/* --- digests --- */

static void digest_cases(void)
{
    uint8_t digest[32];
    uint8_t expected[32];
    const esp_partition_t *storage = board_partition("storage");
    const esp_partition_t *slot = board_partition("ota_0");

    /* Data: the whole partition. */
    memset(board_flash(BOARD_STORAGE), 0x5A, 0x1000);
    mbedtls_sha256(board_flash(BOARD_STORAGE), storage->size, expected, 0);
    assert_int_equal(esp_partition_get_sha256(storage, digest), ESP_OK);
    assert_memory_equal(digest, expected, 32);

    /* An app: the appended digest, compared with the content. */
    const board_image_t image = {.version = "1", .payload = 10000};
    size_t len = board_put_image(&image, BOARD_OTA_0);
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_OK);
    assert_memory_equal(digest, board_flash(BOARD_OTA_0) + len - 32, 32);
    board_flash(BOARD_OTA_0)[5000] ^= 1;
    memset(digest, 0, sizeof(digest));
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_ERR_IMAGE_INVALID);
    assert_memory_equal(digest, board_flash(BOARD_OTA_0) + len - 32, 32);

    /* The chip and the checksum do not matter, the length does. */
    const board_image_t foreign = {.version = "1", .payload = 100, .chip_id = 5};
    board_put_image(&foreign, BOARD_OTA_0);
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_OK);
    esp_partition_t small = *slot;
    small.size = 0x100;
    assert_int_equal(esp_partition_get_sha256(&small, digest), ESP_ERR_IMAGE_INVALID);

    /* No digest appended: that of the image. */
    const board_image_t bare = {.version = "1", .payload = 10000, .no_hash = true};
    len = board_put_image(&bare, BOARD_OTA_0);
    mbedtls_sha256(board_flash(BOARD_OTA_0), len, expected, 0);
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_OK);
    assert_memory_equal(digest, expected, 32);

    memset(board_flash(BOARD_OTA_0), 0xFF, BOARD_APP_SIZE);
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_ERR_IMAGE_INVALID);
}

static void digests_of_apps_and_data_are_what_they_should_be(void **state)
{
    (void)state;
    digest_cases();
    new_board(state);
    wraps_unmapped(true);
    digest_cases();
}

static void the_bootloader_can_be_digested_as_an_app_with_a_made_up_struct(void **state)
{
    (void)state;
    size_t len =
        board_put_image(&(board_image_t){.version = "b", .bootloader = true, .payload = 1000}, 0);
    esp_partition_t p;
    memset(&p, 0xA5, sizeof(p));
    p.address = 0;
    p.size = 0x8000;
    p.type = ESP_PARTITION_TYPE_APP;
    uint8_t digest[32];
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_OK);
    assert_memory_equal(digest, board_flash(0) + len - 32, 32);
    p.type = ESP_PARTITION_TYPE_BOOTLOADER;
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_OK);
    board_flash(0)[200] ^= 1;
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_ERR_IMAGE_INVALID);
}

static void a_digest_needs_a_size_a_buffer_memory_and_a_working_flash(void **state)
{
    (void)state;
    uint8_t digest[32];
    esp_partition_t p = *board_partition("storage");
    assert_int_equal(esp_partition_get_sha256(&p, NULL), ESP_ERR_INVALID_ARG);
    p.size = 0;
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_ERR_INVALID_ARG);
    p.size = 0x1000;
    wraps_unmapped(true);
    wraps_fail_malloc(1);
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_ERR_NO_MEM);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_get_sha256(&p, digest), ESP_ERR_FLASH_OP_FAIL);
    const esp_partition_t *slot = board_partition("ota_0");
    board_put_image(&(board_image_t){.version = "1", .payload = 100}, BOARD_OTA_0);
    for (unsigned nth = 1; nth <= 2; nth++) {
        wraps_fail_malloc(nth);
        assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_ERR_NO_MEM);
    }
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_get_sha256(slot, digest), ESP_ERR_FLASH_OP_FAIL);
}

static void identity_needs_two_equal_digests(void **state)
{
    (void)state;
    const board_image_t image = {.version = "1", .payload = 1000};
    board_put_image(&image, BOARD_OTA_0);
    board_put_image(&image, BOARD_OTA_1);
    const esp_partition_t *a = board_partition("ota_0");
    const esp_partition_t *b = board_partition("ota_1");
    assert_true(esp_partition_check_identity(a, b));
    board_put_image(&(board_image_t){.version = "2", .payload = 1000}, BOARD_OTA_1);
    assert_false(esp_partition_check_identity(a, b));
    assert_false(esp_partition_check_identity(a, board_partition("factory")));
}

/* --- copying --- */

static void copying_erases_and_copies(void **state)
{
    (void)state;
    const esp_partition_t *from = board_partition("big");
    const esp_partition_t *to = board_partition("storage");
    memset(board_flash(BOARD_STORAGE), 0, to->size);
    for (unsigned i = 0; i < 0x60000; i++) {
        board_flash(BOARD_BIG)[i] = (uint8_t)(i * 7 + i / 256);
    }
    assert_int_equal(esp_partition_copy(to, 0x1000, from, 5, 5000), ESP_OK);
    assert_memory_equal(board_flash(BOARD_STORAGE) + 0x1000, board_flash(BOARD_BIG) + 5, 5000);
    assert_int_equal(board_flash(BOARD_STORAGE)[0xFFF], 0);
    assert_int_equal(board_flash(BOARD_STORAGE)[0x2FFF], 0xFF); /* erased, not copied to */
    assert_int_equal(board_flash(BOARD_STORAGE)[0x3000], 0);

    /* The rest of the source, and the whole rest of the destination erased. */
    assert_int_equal(esp_partition_copy(to, 0, from, 0x60000 - 0x1800, SIZE_MAX), ESP_OK);
    assert_memory_equal(board_flash(BOARD_STORAGE), board_flash(BOARD_BIG) + 0x60000 - 0x1800,
                        0x1800);
    assert_int_equal(board_flash(BOARD_STORAGE)[0x7FFF], 0xFF);
}

static void copying_refuses_what_does_not_fit_before_erasing(void **state)
{
    (void)state;
    const esp_partition_t *from = board_partition("big");
    const esp_partition_t *to = board_partition("storage");
    assert_int_equal(esp_partition_copy(NULL, 0, from, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(to, 0, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(to, 0, to, 0x1000, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(to, to->size + 1, from, 0, 0), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_copy(to, 0, from, from->size + 1, 0), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_copy(to, 0, from, 0, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_copy(to, 0x1000, from, 0, to->size), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_copy(to, 100, from, 0, 10), ESP_ERR_INVALID_ARG);
    assert_true(log_has("Erasing destination partition range failed (err=0x102)"));
    esp_partition_t other = *from;
    other.flash_chip = (esp_flash_t *)&other;
    assert_int_equal(esp_partition_copy(to, 0, &other, 0, 10), ESP_ERR_NOT_SUPPORTED);
    assert_true(log_has("Source partition is on external flash. Operation not supported."));
    wraps_fail_malloc(1);
    assert_int_equal(esp_partition_copy(to, 0, from, 0, 10), ESP_ERR_NO_MEM);
    assert_int_equal(board_operations(), 0);
    assert_int_equal(esp_partition_copy(board_partition("frozen"), 0, from, 0, 10),
                     ESP_ERR_NOT_ALLOWED);
}

static void copying_stops_at_the_first_flash_error(void **state)
{
    (void)state;
    const esp_partition_t *from = board_partition("big");
    const esp_partition_t *to = board_partition("storage");
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 2, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_partition_copy(to, 0, from, 0, 0x3000), ESP_ERR_FLASH_OP_TIMEOUT);
    assert_true(log_has("Reading from source partition failed (err=0x6002)"));
    linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 2, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_copy(to, 0, from, 0, 0x3000), ESP_ERR_FLASH_OP_FAIL);
    assert_true(log_has("Writing to destination partition failed (err=0x6001)"));
    assert_int_equal(esp_partition_copy(to, 0, from, 0, 0x3000), ESP_OK);
}

/* --- partitions outside the table --- */

static void external_partitions_follow_those_of_the_table(void **state)
{
    (void)state;
    const esp_partition_t *boot;
    const esp_partition_t *table;
    assert_int_equal(esp_partition_register_external(NULL, 0, 0x8000, "primary_bootloader_is_long",
                                                     ESP_PARTITION_TYPE_BOOTLOADER,
                                                     ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY,
                                                     &boot),
                     ESP_OK);
    assert_string_equal(boot->label, "primary_bootload");
    assert_false(boot->readonly);
    assert_int_equal(esp_partition_register_external(esp_flash_default_chip, 0x8000, 0x1000, "t",
                                                     ESP_PARTITION_TYPE_PARTITION_TABLE,
                                                     ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY,
                                                     &table),
                     ESP_OK);
    assert_ptr_equal(esp_partition_verify(boot), boot);
    const esp_partition_t *last = NULL;
    for (esp_partition_iterator_t it = esp_partition_find(ANY_TYPE, ANY_SUBTYPE, NULL); it != NULL;
         it = esp_partition_next(it)) {
        last = esp_partition_get(it);
    }
    assert_ptr_equal(last, table);

    assert_int_equal(esp_partition_deregister_external(boot), ESP_OK);
    assert_int_equal(esp_partition_deregister_external(table), ESP_OK);
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_BOOTLOADER, ANY_SUBTYPE, NULL));
    esp_partition_t stranger = {0};
    assert_int_equal(esp_partition_deregister_external(&stranger), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_deregister_external(board_partition("nvs")),
                     ESP_ERR_INVALID_ARG);
}

static void external_partitions_must_fit_and_not_overlap(void **state)
{
    (void)state;
    const esp_partition_t *p = (const esp_partition_t *)1;
    const esp_partition_type_t type = (esp_partition_type_t)0x41;
    assert_int_equal(
        esp_partition_register_external(NULL, BOARD_FLASH_SIZE - 0x1000, 0x1001, "x", type, 0, &p),
        ESP_ERR_INVALID_SIZE);
    assert_null(p);
    assert_int_equal(esp_partition_register_external(NULL, SIZE_MAX, 2, "x", type, 0, &p),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(
        esp_partition_register_external(NULL, BOARD_NVS - 0x1000, 0x1001, "x", type, 0, &p),
        ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_register_external(NULL, 0x200000, 0x1000, NULL, type, 0, NULL),
                     ESP_OK);
    assert_int_equal(esp_partition_register_external(NULL, 0x200000, 0x1000, "x", type, 0, &p),
                     ESP_ERR_INVALID_ARG);
    wraps_fail_malloc(1);
    assert_int_equal(esp_partition_register_external(NULL, 0x300000, 0x1000, "x", type, 0, &p),
                     ESP_ERR_NO_MEM);
    esp_partition_unload_all();
    assert_null(esp_partition_find_first(type, ANY_SUBTYPE, NULL));
    board_flash(FMT_PARTITION_TABLE_OFFSET)[0] = 0;
    esp_partition_unload_all();
    assert_int_equal(esp_partition_register_external(NULL, 0x300000, 0x1000, "x", type, 0, &p),
                     ESP_ERR_NOT_FOUND);
    assert_null(p);
}

static void regions_are_judged_by_partitions(void **state)
{
    (void)state;
    assert_false(esp_partition_is_flash_region_writable(BOARD_READONLY + 0x1000, 1));
    assert_true(esp_partition_is_flash_region_writable(BOARD_READONLY + 0x2000, 0x1000));
    assert_false(esp_partition_main_flash_region_safe(0x8C00, 1));
    assert_true(esp_partition_main_flash_region_safe(0x9000, 0x1000));
    assert_false(esp_partition_main_flash_region_safe(BOARD_FACTORY + BOARD_APP_SIZE - 1, 1));
    assert_true(esp_partition_main_flash_region_safe(BOARD_OTA_0, 0x1000));
}

static void names_and_the_flash_view_are_there_for_tests(void **state)
{
    (void)state;
    assert_string_equal(esp_partition_type_to_str(0), "app");
    assert_string_equal(esp_partition_type_to_str(0x1234), "unknown");
    assert_string_equal(esp_partition_subtype_to_str(1, 2), "nvs");
    assert_string_equal(esp_partition_subtype_to_str(1, 0x77), "unknown");
    const uint8_t *start;
    assert_int_equal(esp_partition_file_mmap(&start), ESP_OK);
    assert_memory_equal(start + BOARD_OTADATA, board_flash(BOARD_OTADATA), 32);
    assert_int_equal(esp_partition_file_mmap(NULL), ESP_ERR_INVALID_ARG);
    wraps_unmapped(true);
    assert_int_equal(esp_partition_file_mmap(&start), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_partition_file_munmap(), ESP_OK);
    assert_int_equal(esp_partition_get_main_flash_sector_size(), 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_table_entry_becomes_a_partition, new_board),
        cmocka_unit_test_setup(a_label_of_16_characters_is_kept_whole, new_board),
        cmocka_unit_test_setup(iteration_follows_the_table_and_ends_with_null, new_board),
        cmocka_unit_test_setup(searching_matches_type_subtype_and_label, new_board),
        cmocka_unit_test_setup(a_failed_search_says_why, new_board),
        cmocka_unit_test_setup(a_table_without_or_with_a_wrong_md5_is_refused_and_tried_again,
                               new_board),
        cmocka_unit_test_setup(an_unreadable_table_or_no_memory_is_reported_and_recovered_from,
                               new_board),
        cmocka_unit_test_setup(verify_finds_the_list_entry_that_equals, new_board),
        cmocka_unit_test_setup(the_running_partition_is_where_the_loader_says, new_board),
        cmocka_unit_test_setup(bounds_are_checked_in_order, new_board),
        cmocka_unit_test_setup(encrypted_structs_take_whole_blocks_on_the_main_chip_only,
                               new_board),
        cmocka_unit_test_setup(writing_ands_reading_and_erasing_work, new_board),
        cmocka_unit_test_setup(a_made_up_struct_meets_the_chip_bounds, new_board),
        cmocka_unit_test_setup(flash_errors_come_through, new_board),
        cmocka_unit_test_setup(an_erase_step_takes_the_largest_unit, new_board),
        cmocka_unit_test_setup(a_mapping_shows_the_flash_and_follows_it, new_board),
        cmocka_unit_test_setup(without_a_memory_map_a_mapping_is_a_bounded_copy, new_board),
        cmocka_unit_test_setup(digests_of_apps_and_data_are_what_they_should_be, new_board),
        cmocka_unit_test_setup(the_bootloader_can_be_digested_as_an_app_with_a_made_up_struct,
                               new_board),
        cmocka_unit_test_setup(a_digest_needs_a_size_a_buffer_memory_and_a_working_flash,
                               new_board),
        cmocka_unit_test_setup(identity_needs_two_equal_digests, new_board),
        cmocka_unit_test_setup(copying_erases_and_copies, new_board),
        cmocka_unit_test_setup(copying_refuses_what_does_not_fit_before_erasing, new_board),
        cmocka_unit_test_setup(copying_stops_at_the_first_flash_error, new_board),
        cmocka_unit_test_setup(external_partitions_follow_those_of_the_table, new_board),
        cmocka_unit_test_setup(external_partitions_must_fit_and_not_overlap, new_board),
        cmocka_unit_test_setup(regions_are_judged_by_partitions, new_board),
        cmocka_unit_test_setup(names_and_the_flash_view_are_there_for_tests, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
