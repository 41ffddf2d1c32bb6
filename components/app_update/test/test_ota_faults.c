/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever goes wrong inside a call, the next one works: in every function that changes flash, each
 * flash operation and each allocation fails once, and then the same call succeeds. */
#include "storage_board.h"
#include "wraps.h"

#include "esp_ota_ops.h"

static uint8_t s_image[BOARD_APP_SIZE];
static size_t s_len;
static uint8_t s_table[0xC00];

static const esp_partition_t *slot(void)
{
    return board_partition("ota_1");
}

static esp_err_t ended(esp_ota_handle_t handle, esp_err_t err)
{
    if (err == ESP_OK) {
        return esp_ota_end(handle);
    }
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
    return err;
}

static esp_err_t write_from(esp_ota_handle_t handle, size_t done)
{
    esp_err_t err = ESP_OK;
    while (done < s_len && err == ESP_OK) {
        size_t len = s_len - done < 5000 ? s_len - done : 5000;
        err = esp_ota_write(handle, s_image + done, len);
        done += len;
    }
    return err;
}

static esp_err_t update(size_t image_size)
{
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(slot(), image_size, &handle);
    return err == ESP_OK ? ended(handle, write_from(handle, 0)) : err;
}

static void slot_holds_image(void)
{
    assert_memory_equal(board_flash(BOARD_OTA_1), s_image, s_len);
}

static esp_err_t update_sequentially(void)
{
    return update(OTA_WITH_SEQUENTIAL_WRITES);
}

static esp_err_t update_of_unknown_size(void)
{
    return update(OTA_SIZE_UNKNOWN);
}

static esp_err_t update_of_known_size(void)
{
    return update(s_len);
}

static esp_err_t update_in_any_order(void)
{
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(slot(), s_len, &handle);
    if (err != ESP_OK) {
        return err;
    }
    size_t half = s_len / 2 + 3;
    err = esp_ota_write_with_offset(handle, s_image + half, s_len - half, (uint32_t)half);
    if (err == ESP_OK) {
        err = esp_ota_write_with_offset(handle, s_image, half, 0);
    }
    return ended(handle, err);
}

static void begun(void)
{
    memcpy(board_flash(BOARD_OTA_1), s_image, 0x3000);
    memset(board_flash(BOARD_OTA_1 + 0x3000), 0xFF, 0x1000);
}

static esp_err_t update_resumed(void)
{
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_resume(slot(), OTA_WITH_SEQUENTIAL_WRITES, 0x3000, &handle);
    return err == ESP_OK ? ended(handle, write_from(handle, 0x3000)) : err;
}

static const esp_partition_t *area(uint32_t offset, uint32_t size, esp_partition_type_t type)
{
    const esp_partition_t *known =
        esp_partition_find_first(type, ESP_PARTITION_SUBTYPE_ANY, "area");
    if (known == NULL || known->address != offset) {
        known = NULL;
        (void)esp_partition_register_external(NULL, offset, size, "area", type, 0, &known);
    }
    return known;
}

static esp_err_t staged(const esp_partition_t *final, const void *data, size_t len)
{
    if (final == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(slot(), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = esp_ota_set_final_partition(handle, final, true);
    if (err == ESP_OK) {
        err = esp_ota_write(handle, data, len);
    }
    return ended(handle, err);
}

static esp_err_t data_staged_and_copied(void)
{
    return staged(board_partition("storage"), s_image, 5000);
}

static void storage_holds_data(void)
{
    assert_memory_equal(board_flash(BOARD_STORAGE), s_image, 5000);
}

static esp_err_t table_staged_and_copied(void)
{
    return staged(area(0x8000, 0x1000, ESP_PARTITION_TYPE_PARTITION_TABLE), s_table,
                  sizeof(s_table));
}

static esp_err_t table_written_directly(void)
{
    const esp_partition_t *table = area(0x8000, 0x1000, ESP_PARTITION_TYPE_PARTITION_TABLE);
    esp_ota_handle_t handle;
    esp_err_t err = table != NULL ? esp_ota_begin(table, sizeof(s_table), &handle) : ESP_ERR_NO_MEM;
    return err == ESP_OK ? ended(handle, esp_ota_write(handle, s_table, sizeof(s_table))) : err;
}

static void table_is_installed(void)
{
    assert_memory_equal(board_flash(0x8000), s_table, sizeof(s_table));
}

static void a_bootloader_to_stage(void)
{
    s_len =
        board_make_image(&(board_image_t){.version = "b", .bootloader = true, .payload = 0x2000},
                         BOARD_OTA_1, s_image, sizeof(s_image));
}

static esp_err_t bootloader_staged_and_copied(void)
{
    return staged(area(0, 0x8000, ESP_PARTITION_TYPE_BOOTLOADER), s_image, s_len);
}

static void bootloader_is_installed(void)
{
    assert_memory_equal(board_flash(0), s_image, s_len);
}

static void a_slot_to_choose(void)
{
    board_put_image(&(board_image_t){.version = "2", .payload = 400}, BOARD_OTA_1);
}

static esp_err_t slot_chosen(void)
{
    return esp_ota_set_boot_partition(slot());
}

static void slot_is_chosen(void)
{
    assert_ptr_equal(esp_ota_get_boot_partition(), slot());
}

static esp_err_t factory_chosen(void)
{
    return esp_ota_set_boot_partition(board_partition("factory"));
}

static void factory_is_chosen(void)
{
    assert_ptr_equal(esp_ota_get_boot_partition(), board_partition("factory"));
}

static void unconfirmed(void)
{
    a_slot_to_choose();
    board_put_otadata(0, 3, ESP_OTA_IMG_PENDING_VERIFY, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
}

static void running_is_valid(void)
{
    esp_ota_img_states_t state;
    assert_int_equal(esp_ota_get_state_partition(board_partition("ota_0"), &state), ESP_OK);
    assert_int_equal(state, ESP_OTA_IMG_VALID);
}

static void running_is_rejected(void)
{
    slot_is_chosen();
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), board_partition("ota_0"));
}

static void confirmed(void)
{
    a_slot_to_choose();
    board_put_otadata(0, 3, ESP_OTA_IMG_VALID, true);
    board_put_otadata(1, 2, ESP_OTA_IMG_VALID, true);
}

static void last_app_is_gone(void)
{
    for (size_t i = 0; i < 0x200; i++) {
        assert_int_equal(board_flash(BOARD_OTA_1)[i], 0xFF);
    }
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_int_equal(board_otadata_seq(0), 3);
}

static void last_record_is_gone(void)
{
    assert_int_equal(board_otadata_seq(1), 0xFFFFFFFF);
    assert_int_equal(board_otadata_seq(0), 3);
}

typedef struct {
    const char *name;
    void (*prepare)(void); /* may be NULL */
    esp_err_t (*act)(void);
    void (*check)(void);
    unsigned flash_faults; /* at least so many operations happen */
    unsigned memory_faults;
} scenario_t;

static const scenario_t s_scenarios[] = {
    {"update, sequential", NULL, update_sequentially, slot_holds_image, 20, 2},
    {"update, unknown size", NULL, update_of_unknown_size, slot_holds_image, 20, 2},
    {"update, known size", NULL, update_of_known_size, slot_holds_image, 20, 2},
    {"update, any order", NULL, update_in_any_order, slot_holds_image, 10, 2},
    {"update, resumed", begun, update_resumed, slot_holds_image, 10, 2},
    {"data, staged", NULL, data_staged_and_copied, storage_holds_data, 10, 2},
    {"table, staged", NULL, table_staged_and_copied, table_is_installed, 4, 2},
    {"table, direct", NULL, table_written_directly, table_is_installed, 3, 2},
    {"bootloader, staged", a_bootloader_to_stage, bootloader_staged_and_copied,
     bootloader_is_installed, 10, 2},
    {"choose a slot", a_slot_to_choose, slot_chosen, slot_is_chosen, 5, 1},
    {"choose factory", confirmed, factory_chosen, factory_is_chosen, 5, 1},
    {"confirm", unconfirmed, esp_ota_mark_app_valid_cancel_rollback, running_is_valid, 3, 0},
    {"reject", unconfirmed, esp_ota_mark_app_invalid_rollback, running_is_rejected, 3, 1},
    {"erase the last app", confirmed, esp_ota_erase_last_boot_app_partition, last_app_is_gone, 3,
     0},
    {"forget the last app", confirmed, esp_ota_invalidate_inactive_ota_data_slot,
     last_record_is_gone, 2, 0},
};

static void new_board(const scenario_t *scenario)
{
    wraps_fail_malloc(0);
    wraps_unmapped(true); /* so that reading counts too */
    board_new(BOARD_OTA_0);
    board_put_image(&(board_image_t){.version = "f", .payload = 400}, BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "1", .payload = 400}, BOARD_OTA_0);
    /* The slot holds an older image, so that erasing matters. */
    board_put_image(&(board_image_t){.version = "0", .payload = 0x6000, .seed = 9}, BOARD_OTA_1);
    s_len = board_make_image(&(board_image_t){.version = "2", .payload = 0x9000, .seed = 1},
                             BOARD_OTA_1, s_image, sizeof(s_image));
    memcpy(s_table, board_flash(0x8000), sizeof(s_table));
    if (scenario->prepare != NULL) {
        scenario->prepare();
    }
    (void)slot(); /* loads the table */
}

/* Runs it with its nth flash operation or allocation failing; false: there are fewer. */
static bool try(const scenario_t *scenario, bool memory, unsigned nth)
{
    new_board(scenario);
    if (memory) {
        wraps_fail_malloc(nth);
    } else {
        linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_TIMEOUT);
    }
    esp_err_t err = scenario->act();
    bool failed = memory ? wraps_malloc_failed() : linux_board_testing_failed();
    wraps_fail_malloc(0);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, 0, ESP_OK);
    if (err != ESP_OK) {
        if (!failed || (memory && err != ESP_ERR_NO_MEM && err != ESP_ERR_OTA_VALIDATE_FAILED &&
                        err != ESP_ERR_OTA_ROLLBACK_FAILED)) {
            fail_msg("%s: error 0x%x at %s %u", scenario->name, (unsigned)err,
                     memory ? "allocation" : "flash operation", nth);
        }
        err = scenario->act();
        if (err != ESP_OK) {
            fail_msg("%s: error 0x%x after the failure of %s %u", scenario->name, (unsigned)err,
                     memory ? "allocation" : "flash operation", nth);
        }
    }
    scenario->check();
    return failed;
}

static void after_any_failure_inside_a_call_the_same_call_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(s_scenarios) / sizeof(s_scenarios[0]); i++) {
        const scenario_t *scenario = &s_scenarios[i];
        for (unsigned memory = 0; memory < 2; memory++) {
            unsigned nth = 1;
            while (try(scenario, memory, nth)) {
                nth++;
            }
            print_message("%s: %u %s\n", scenario->name, nth - 1,
                          memory ? "allocations" : "flash operations");
            assert_true(nth > (memory ? scenario->memory_faults : scenario->flash_faults));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_failure_inside_a_call_the_same_call_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
