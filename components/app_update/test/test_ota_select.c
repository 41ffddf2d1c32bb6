/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_board.h"
#include "wraps.h"

#include "formats/otadata.h"

#include "esp_ota_ops.h"

static int new_board(void **state)
{
    (void)state;
    wraps_unmapped(false);
    wraps_fail_malloc(0);
    board_new(BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "f", .payload = 400}, BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "0", .payload = 400}, BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "1", .payload = 400}, BOARD_OTA_1);
    return 0;
}

static void assert_boots(const char *label)
{
    const esp_partition_t *partition = esp_ota_get_boot_partition();
    assert_non_null(partition);
    assert_string_equal(partition->label, label);
}

/* --- set_boot --- */

static void choosing_a_slot_writes_the_sequence_that_selects_it(void **state)
{
    (void)state;
    const esp_partition_t *a = board_partition("ota_0");
    const esp_partition_t *b = board_partition("ota_1");
    assert_boots("factory");
    assert_int_equal(esp_ota_set_boot_partition(b), ESP_OK);
    assert_int_equal(board_otadata_seq(0), 2);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_UNDEFINED);
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_boots("ota_1");
    assert_int_equal(esp_ota_set_boot_partition(a), ESP_OK);
    assert_int_equal(board_otadata_seq(0), 2);
    assert_int_equal(board_otadata_seq(1), 3);
    assert_boots("ota_0");
    assert_int_equal(esp_ota_set_boot_partition(b), ESP_OK);
    assert_int_equal(board_otadata_seq(0), 4);
    assert_boots("ota_1");
}

static void only_the_entry_concerned_is_written(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    uint64_t before = board_operations();
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    /* Its record in the journal, an erase, a program, and the end of the record. */
    assert_int_equal(board_operations() - before, 4);
    assert_int_equal(board_otadata_state(0), ESP_OTA_IMG_VALID);
    /* Choosing it again changes nothing, so nothing is risked. */
    before = board_operations();
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_operations(), before);
    /* The active slot with another state: its own entry is renewed. */
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_otadata_seq(1), 2);
    assert_int_equal(board_otadata_state(1), ESP_OTA_IMG_UNDEFINED);
}

static void the_label_bytes_of_an_entry_stay(void **state)
{
    (void)state;
    board_put_otadata(0, 2, ESP_OTA_IMG_VALID, true);
    memset(board_flash(BOARD_OTADATA + 4), 'L', 20);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
    assert_int_equal(board_flash(BOARD_OTADATA)[4], 'L');
    assert_int_equal(board_flash(BOARD_OTADATA)[23], 'L');
}

static void choosing_factory_erases_otadata(void **state)
{
    (void)state;
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("factory")), ESP_OK);
    for (unsigned i = 0; i < 0x2000; i++) {
        assert_int_equal(board_flash(BOARD_OTADATA)[i], 0xFF);
    }
    assert_boots("factory");
}

static void an_invalid_image_is_not_chosen(void **state)
{
    (void)state;
    uint64_t before = board_operations();
    board_flash(BOARD_OTA_1)[500] ^= 1;
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("storage")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    wraps_fail_malloc(1);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_0")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(board_operations(), before);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("ota_1")), ESP_OK);
    assert_boots("ota_1");
}

static void only_slots_and_factory_can_be_chosen(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_set_boot_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("storage")),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("test")),
                     ESP_ERR_INVALID_ARG);
    /* A slot behind a gap does not count. */
    esp_partition_t far = *board_partition("ota_1");
    far.subtype = ESP_PARTITION_SUBTYPE_APP_OTA_5;
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(&far), ESP_ERR_INVALID_ARG);
    /* An app image in a data partition is still no app. */
    esp_partition_t data = *board_partition("ota_1");
    data.type = ESP_PARTITION_TYPE_DATA;
    assert_int_equal(esp_ota_set_boot_partition(&data), ESP_ERR_INVALID_ARG);
    assert_int_equal(board_operations(), 0);
}

static void without_otadata_nothing_can_be_chosen(void **state)
{
    (void)state;
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_APP, 0x00, BOARD_FACTORY, BOARD_APP_SIZE, "factory", 0},
        {FMT_PART_TYPE_APP, 0x10, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0},
    };
    board_new_with(rows, 2, true, BOARD_FACTORY);
    esp_ota_img_states_t image_state;
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("ota_0")),
                     ESP_ERR_NOT_FOUND);
    assert_true(log_has("not found otadata"));
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("factory")),
                     ESP_ERR_NOT_FOUND);
    assert_null(esp_ota_get_boot_partition());
    assert_int_equal(esp_ota_get_state_partition(board_partition("ota_0"), &image_state),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_mark_app_invalid_rollback_and_reboot(), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
    assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_null(esp_ota_get_last_invalid_partition());
}

static void an_otadata_partition_of_one_sector_is_refused(void **state)
{
    (void)state;
    const fmt_partition_t rows[] = {
        {FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA, BOARD_OTADATA, 0x1000, "otadata", 0},
        {FMT_PART_TYPE_APP, 0x10, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0},
    };
    board_new_with(rows, 2, true, BOARD_OTA_0);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("ota_0")),
                     ESP_ERR_INVALID_SIZE);
    assert_true(log_has("is too small"));
    assert_null(esp_ota_get_boot_partition());
}

static void flash_errors_of_choosing_come_through_and_can_be_repeated(void **state)
{
    for (unsigned nth = 1;; nth++) {
        new_board(state);
        wraps_unmapped(true);
        board_put_otadata(0, 1, ESP_OTA_IMG_UNDEFINED, true);
        const esp_partition_t *next = board_partition("ota_1");
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        esp_err_t err = esp_ota_set_boot_partition(next);
        if (!linux_board_testing_failed()) {
            assert_int_equal(err, ESP_OK);
            assert_true(nth > 4);
            break;
        }
        /* All that may fail without a word is the end of the record. */
        assert_true(err == ESP_ERR_FLASH_OP_TIMEOUT || err == ESP_ERR_OTA_VALIDATE_FAILED ||
                    (err == ESP_OK && board_otadata_seq(1) == 2));
        if (err != ESP_OK && board_otadata_seq(1) != 2) {
            assert_boots("ota_0");
        }
        assert_int_equal(esp_ota_set_boot_partition(next), ESP_OK);
        assert_boots("ota_1");
    }
    new_board(state);
    board_put_otadata(0, 1, ESP_OTA_IMG_UNDEFINED, true);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("factory")),
                     ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(esp_ota_set_boot_partition(board_partition("factory")), ESP_OK);
}

/* --- queries --- */

static void the_boot_partition_is_what_otadata_says(void **state)
{
    (void)state;
    board_put_otadata(0, 5, ESP_OTA_IMG_ABORTED, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
    assert_boots("ota_1");
    board_put_otadata(1, 2, ESP_OTA_IMG_INVALID, true);
    assert_boots("factory"); /* both blocked */
    assert_false(log_has("ota data invalid"));
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, false);
    assert_boots("factory"); /* a wrong CRC */
    assert_true(log_has("ota data invalid, no current app. Assuming factory"));
}

static void the_default_is_factory_then_a_slot_then_test(void **state)
{
    (void)state;
    const fmt_partition_t otadata = {FMT_PART_TYPE_DATA, 0, BOARD_OTADATA, 0x2000, "otadata", 0};
    fmt_partition_t rows[3] = {otadata,
                               {FMT_PART_TYPE_APP, 0x20, BOARD_TEST, BOARD_APP_SIZE, "test", 0},
                               {FMT_PART_TYPE_APP, 0x13, BOARD_OTA_0, BOARD_APP_SIZE, "ota_3", 0}};
    board_new_with(rows, 3, true, BOARD_TEST);
    assert_boots("ota_3");
    assert_int_equal(esp_ota_get_app_partition_count(), 0);
    board_new_with(rows, 2, true, BOARD_TEST);
    assert_boots("test");
    board_new_with(rows, 1, true, UINT32_MAX);
    assert_null(esp_ota_get_boot_partition());
    assert_true(log_has("invalid partition table, no app partitions"));
    /* A slot that otadata selects and the table does not have cannot be: it is taken modulo. */
}

static void sixteen_slots_and_a_test_partition_are_counted_right(void **state)
{
    (void)state;
    fmt_partition_t rows[18] = {
        {FMT_PART_TYPE_DATA, 0, BOARD_OTADATA, 0x2000, "otadata", 0},
        {FMT_PART_TYPE_APP, 0x20, 0x110000, 0x10000, "test", 0},
    };
    for (uint8_t i = 0; i < 16; i++) {
        rows[2 + i] = (fmt_partition_t){
            FMT_PART_TYPE_APP, (uint8_t)(0x10 + i), 0x10000u + i * 0x10000u, 0x10000, "", 0};
        rows[2 + i].label[0] = (char)('a' + i);
    }
    board_new_with(rows, 18, true, 0x100000);
    assert_int_equal(esp_ota_get_app_partition_count(), 16);
    assert_string_equal(esp_ota_get_next_update_partition(NULL)->label, "a");
    assert_string_equal(esp_ota_get_next_update_partition(board_partition("c"))->label, "d");
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("p")), ESP_OK);
    assert_int_equal(board_otadata_seq(0), 16);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(board_partition("o")), ESP_OK);
    assert_int_equal(board_otadata_seq(1), 31);
}

static void the_next_slot_follows_the_running_one(void **state)
{
    (void)state;
    assert_string_equal(esp_ota_get_running_partition()->label, "factory");
    assert_string_equal(esp_ota_get_next_update_partition(NULL)->label, "ota_0");
    linux_board_testing_state()->running_offset = BOARD_OTA_0;
    assert_string_equal(esp_ota_get_next_update_partition(NULL)->label, "ota_1");
    linux_board_testing_state()->running_offset = BOARD_OTA_1;
    assert_string_equal(esp_ota_get_next_update_partition(NULL)->label, "ota_0");
    assert_string_equal(esp_ota_get_next_update_partition(board_partition("ota_0"))->label,
                        "ota_1");
    assert_string_equal(esp_ota_get_next_update_partition(board_partition("nvs"))->label, "ota_0");

    const fmt_partition_t one[] = {
        {FMT_PART_TYPE_DATA, 0, BOARD_OTADATA, 0x2000, "otadata", 0},
        {FMT_PART_TYPE_APP, 0x10, BOARD_OTA_0, BOARD_APP_SIZE, "ota_0", 0},
    };
    board_new_with(one, 2, true, BOARD_OTA_0);
    assert_string_equal(esp_ota_get_next_update_partition(NULL)->label, "ota_0");
    assert_null((board_new_with(one, 1, true, UINT32_MAX),
                 esp_ota_get_next_update_partition(board_partition("otadata"))));
}

static void descriptions_are_read_from_flash(void **state)
{
    (void)state;
    esp_app_desc_t desc;
    assert_int_equal(esp_ota_get_partition_description(board_partition("ota_1"), &desc), ESP_OK);
    assert_string_equal(desc.version, "1");
    assert_int_equal(esp_ota_get_partition_description(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_partition_description(board_partition("ota_1"), NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_partition_description(board_partition("nvs"), &desc),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_ota_get_partition_description(board_partition("test"), &desc),
                     ESP_ERR_NOT_FOUND);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_get_partition_description(board_partition("ota_1"), &desc),
                     ESP_ERR_FLASH_OP_FAIL);

    esp_bootloader_desc_t boot;
    assert_int_equal(esp_ota_get_bootloader_description(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot), ESP_ERR_NOT_FOUND);
    board_put_image(&(board_image_t){.version = "v6.2", .bootloader = true, .payload = 64}, 0);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot), ESP_OK);
    assert_string_equal(boot.idf_ver, "v6.2");
    assert_int_equal(esp_ota_get_bootloader_description(board_partition("ota_0"), &boot),
                     ESP_ERR_NOT_FOUND);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot), ESP_ERR_FLASH_OP_FAIL);
}

static void a_header_is_judged_before_anything_is_written(void **state)
{
    (void)state;
    esp_image_header_t header;
    memcpy(&header, board_flash(BOARD_OTA_0), sizeof(header));
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_DATA, &header, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_OK);
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_BOOTLOADER, &header, NULL),
                     ESP_OK);

    esp_app_desc_t desc;
    assert_int_equal(esp_ota_get_partition_description(board_partition("ota_0"), &desc), ESP_OK);
    uint8_t running = esp_app_get_description()->spi_flash_mode;
    desc.spi_flash_mode = 0;
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc), ESP_OK);
    desc.spi_flash_mode = running;
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc), ESP_OK);
    if (running != 0) {
        desc.spi_flash_mode = running + 1;
        assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc),
                         ESP_ERR_OTA_SPI_MODE_MISMATCH);
        assert_true(log_has("SPI flash mode mismatch: running app has mode"));
    }
    header.chip_id = ESP_CHIP_ID_ESP32S3;
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc),
                     ESP_ERR_INVALID_VERSION);
}

static void states_are_those_of_the_newer_entry(void **state)
{
    (void)state;
    esp_ota_img_states_t image_state = ESP_OTA_IMG_NEW;
    const esp_partition_t *a = board_partition("ota_0");
    assert_int_equal(esp_ota_get_state_partition(NULL, &image_state), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_state_partition(a, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_state_partition(board_partition("factory"), &image_state),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_ota_get_state_partition(a, &image_state), ESP_ERR_NOT_FOUND);
    board_put_otadata(0, 1, ESP_OTA_IMG_ABORTED, true);
    board_put_otadata(1, 3, ESP_OTA_IMG_VALID, true);
    assert_int_equal(esp_ota_get_state_partition(a, &image_state), ESP_OK);
    assert_int_equal(image_state, ESP_OTA_IMG_VALID);
    board_put_otadata(1, 3, ESP_OTA_IMG_VALID, false);
    assert_int_equal(esp_ota_get_state_partition(a, &image_state), ESP_OK);
    assert_int_equal(image_state, ESP_OTA_IMG_ABORTED);
    assert_int_equal(esp_ota_get_state_partition(board_partition("ota_1"), &image_state),
                     ESP_ERR_NOT_FOUND);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_ota_get_state_partition(a, &image_state), ESP_ERR_FLASH_OP_FAIL);
}

static void the_last_invalid_app_is_named_while_its_image_is_whole(void **state)
{
    (void)state;
    assert_null(esp_ota_get_last_invalid_partition());
    board_put_otadata(0, 1, ESP_OTA_IMG_INVALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_ABORTED, true);
    assert_string_equal(esp_ota_get_last_invalid_partition()->label, "ota_0");
    board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
    assert_string_equal(esp_ota_get_last_invalid_partition()->label, "ota_1");
    log_clear();
    board_flash(BOARD_OTA_1)[500] ^= 1;
    assert_null(esp_ota_get_last_invalid_partition());
    assert_false(log_has("segment"));
}

/* --- power cuts --- */

static jmp_buf s_cut;

static void cut(void *arg)
{
    (void)arg;
    longjmp(s_cut, 1);
}

/* Cuts power before, in three places inside, and after each operation of choosing ota_1. Nothing
 * but the old and the new choice may come out, and the new one once the call has returned. */
static void a_power_cut_while_choosing_leaves_the_old_or_the_new_choice(void **state)
{
    static const struct {
        linux_board_cut_mode_t mode;
        uint32_t percent;
    } points[] = {
        {LINUX_BOARD_CUT_BEFORE, 0},          {LINUX_BOARD_CUT_INSIDE_PERCENT, 20},
        {LINUX_BOARD_CUT_INSIDE_PERCENT, 50}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 90},
        {LINUX_BOARD_CUT_AFTER, 0},
    };
    volatile unsigned cuts = 0;
    volatile bool again = true;
    for (volatile unsigned op = 1; again; op++) {
        for (volatile unsigned point = 0; point < 5; point++) {
            new_board(state);
            board_put_otadata(0, 1, ESP_OTA_IMG_VALID, true);
            board_put_otadata(1, 0, 0, false);
            linux_board_testing_on_cut(cut, NULL);
            const esp_partition_t *next = board_partition("ota_1");
            linux_board_testing_cut(op, points[point].mode, points[point].percent);
            if (setjmp(s_cut) == 0) {
                assert_int_equal(esp_ota_set_boot_partition(next), ESP_OK);
                assert_boots("ota_1");
                again = false;
                break;
            }
            cuts = cuts + 1;
            linux_board_testing_power_on();
            board_reload();
            const char *label = esp_ota_get_boot_partition()->label;
            assert_true(strcmp(label, "ota_0") == 0 || strcmp(label, "ota_1") == 0);
            assert_int_equal(esp_ota_set_boot_partition(board_partition("ota_1")), ESP_OK);
            assert_boots("ota_1");
        }
    }
    print_message("%u cuts\n", cuts);
    assert_int_equal(cuts, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(choosing_a_slot_writes_the_sequence_that_selects_it, new_board),
        cmocka_unit_test_setup(only_the_entry_concerned_is_written, new_board),
        cmocka_unit_test_setup(the_label_bytes_of_an_entry_stay, new_board),
        cmocka_unit_test_setup(choosing_factory_erases_otadata, new_board),
        cmocka_unit_test_setup(an_invalid_image_is_not_chosen, new_board),
        cmocka_unit_test_setup(only_slots_and_factory_can_be_chosen, new_board),
        cmocka_unit_test_setup(without_otadata_nothing_can_be_chosen, new_board),
        cmocka_unit_test_setup(an_otadata_partition_of_one_sector_is_refused, new_board),
        cmocka_unit_test_setup(flash_errors_of_choosing_come_through_and_can_be_repeated,
                               new_board),
        cmocka_unit_test_setup(the_boot_partition_is_what_otadata_says, new_board),
        cmocka_unit_test_setup(the_default_is_factory_then_a_slot_then_test, new_board),
        cmocka_unit_test_setup(sixteen_slots_and_a_test_partition_are_counted_right, new_board),
        cmocka_unit_test_setup(the_next_slot_follows_the_running_one, new_board),
        cmocka_unit_test_setup(descriptions_are_read_from_flash, new_board),
        cmocka_unit_test_setup(a_header_is_judged_before_anything_is_written, new_board),
        cmocka_unit_test_setup(states_are_those_of_the_newer_entry, new_board),
        cmocka_unit_test_setup(the_last_invalid_app_is_named_while_its_image_is_whole, new_board),
        cmocka_unit_test_setup(a_power_cut_while_choosing_leaves_the_old_or_the_new_choice,
                               new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
