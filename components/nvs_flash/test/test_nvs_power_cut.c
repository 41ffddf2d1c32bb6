/* SPDX-License-Identifier: Apache-2.0
 *
 * Power cuts at every flash operation of changes to the store: before it, at three places inside
 * and after it; then also at every operation of the recovery that follows. */
#include "storage_board.h"
#include "wraps.h"

#include "nvs_flash.h"

static nvs_handle_t s_nvs;
static uint64_t s_seed = 1; /* of what a torn operation changes */
static uint8_t s_old[4500];
static uint8_t s_new[4500];
static uint8_t s_back[4500];

typedef struct {
    const char *name;
    void (*prepare)(void);
    esp_err_t (*change)(void);
    bool (*is_old)(void);
    bool (*is_new)(void);
} scenario_t;

static void start(void)
{
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
}

static bool number_is(const char *key, uint32_t expected)
{
    uint32_t value;
    return nvs_get_u32(s_nvs, key, &value) == ESP_OK && value == expected;
}

static bool blob_is(const uint8_t *expected)
{
    size_t len = sizeof(s_back);
    return nvs_get_blob(s_nvs, "blob", s_back, &len) == ESP_OK && len == sizeof(s_back) &&
           memcmp(s_back, expected, len) == 0;
}

/* Each write of the filler takes another entry of the page. */
static void fill(unsigned entries)
{
    for (uint32_t i = 0; i < entries; i++) {
        assert_int_equal(nvs_set_u32(s_nvs, "filler", i), ESP_OK);
    }
}

static void prepare_number(void)
{
    assert_int_equal(nvs_set_u32(s_nvs, "keep", 42), ESP_OK);
    assert_int_equal(nvs_set_u32(s_nvs, "number", 1), ESP_OK);
}

static esp_err_t change_number(void)
{
    return nvs_set_u32(s_nvs, "number", 2);
}

static bool number_is_old(void)
{
    return number_is("number", 1);
}

static bool number_is_new(void)
{
    return number_is("number", 2);
}

static void prepare_turnover(void)
{
    prepare_number();
    fill(126 * 3 - 3);
}

static void prepare_string(void)
{
    assert_int_equal(nvs_set_u32(s_nvs, "keep", 42), ESP_OK);
    assert_int_equal(nvs_set_str(s_nvs, "text", "the old text, longer than one entry of 32"),
                     ESP_OK);
}

static esp_err_t change_string(void)
{
    return nvs_set_str(s_nvs, "text", "the new text, which is even longer than two entries of 32");
}

static bool string_starts(const char *start_text)
{
    size_t len = sizeof(s_back);
    return nvs_get_str(s_nvs, "text", (char *)s_back, &len) == ESP_OK &&
           memcmp(s_back, start_text, strlen(start_text)) == 0;
}

static bool string_is_old(void)
{
    return string_starts("the old text");
}

static bool string_is_new(void)
{
    return string_starts("the new text");
}

static void prepare_blob(void)
{
    assert_int_equal(nvs_set_u32(s_nvs, "keep", 42), ESP_OK);
    assert_int_equal(nvs_set_blob(s_nvs, "blob", s_old, sizeof(s_old)), ESP_OK);
}

static esp_err_t change_blob(void)
{
    return nvs_set_blob(s_nvs, "blob", s_new, sizeof(s_new));
}

static bool blob_is_old(void)
{
    return blob_is(s_old);
}

static bool blob_is_new(void)
{
    return blob_is(s_new);
}

static esp_err_t erase_blob(void)
{
    return nvs_erase_key(s_nvs, "blob");
}

static bool blob_is_gone(void)
{
    size_t len;
    return nvs_get_blob(s_nvs, "blob", NULL, &len) == ESP_ERR_NVS_NOT_FOUND;
}

static esp_err_t change_type(void)
{
    return nvs_set_i8(s_nvs, "number", -2);
}

static bool type_is_new(void)
{
    int8_t value;
    nvs_type_t type;
    return nvs_find_key(s_nvs, "number", &type) == ESP_OK && type == NVS_TYPE_I8 &&
           nvs_get_i8(s_nvs, "number", &value) == ESP_OK && value == -2;
}

static void prepare_page_end(void)
{
    prepare_number();
    fill(126 - 3); /* the namespace, keep and number are there */
}

static void prepare_blob_turnover(void)
{
    prepare_blob();
    fill(126 * 2);
}

static const scenario_t SCENARIOS[] = {
    {"number", prepare_number, change_number, number_is_old, number_is_new},
    {"number at the end of a page", prepare_page_end, change_number, number_is_old, number_is_new},
    {"number, moving a page", prepare_turnover, change_number, number_is_old, number_is_new},
    {"number of another type", prepare_number, change_type, number_is_old, type_is_new},
    {"string", prepare_string, change_string, string_is_old, string_is_new},
    {"blob over pages", prepare_blob, change_blob, blob_is_old, blob_is_new},
    {"blob over pages, moving a page", prepare_blob_turnover, change_blob, blob_is_old,
     blob_is_new},
    {"erasing a blob", prepare_blob, erase_blob, blob_is_old, blob_is_gone},
};

static const struct {
    linux_board_cut_mode_t mode;
    uint32_t percent;
} POINTS[] = {
    {LINUX_BOARD_CUT_BEFORE, 0},          {LINUX_BOARD_CUT_INSIDE_PERCENT, 15},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 50}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 85},
    {LINUX_BOARD_CUT_AFTER, 0},
};

#define POINT_COUNT (sizeof(POINTS) / sizeof(POINTS[0]))

static void survive(void *arg)
{
    (void)arg;
}

static bool was_cut(void)
{
    bool cut = linux_board_testing_state()->cut.mode == LINUX_BOARD_CUT_NEVER;
    linux_board_testing_state()->cut.mode = LINUX_BOARD_CUT_NEVER;
    return cut;
}

static void power_cycle(void)
{
    (void)nvs_flash_deinit();
    linux_board_testing_power_on();
    board_reload();
}

static void judge(const scenario_t *scenario, bool reported_done)
{
    assert_true(number_is("keep", 42));
    if (reported_done) {
        assert_true(scenario->is_new());
    } else {
        assert_true(scenario->is_old() || scenario->is_new());
    }
    if (!scenario->is_new()) {
        assert_int_equal(scenario->change(), ESP_OK);
        assert_true(scenario->is_new());
    }
}

/* Cuts the change at one point; then, if second > 0, the recovery at its second-th operation.
 * False: the change has no such operation. *recovery_cut: the second cut happened. */
static bool trial(const scenario_t *scenario, unsigned operation, size_t point, unsigned second,
                  size_t second_point, bool *recovery_cut)
{
    board_new(BOARD_FACTORY);
    linux_board_testing_state()->seed = s_seed;
    linux_board_testing_on_cut(survive, NULL);
    start();
    scenario->prepare();
    assert_true(scenario->is_old());
    linux_board_testing_cut(operation, POINTS[point].mode, POINTS[point].percent);
    esp_err_t err = scenario->change();
    *recovery_cut = false;
    if (!was_cut()) {
        assert_int_equal(err, ESP_OK);
        nvs_flash_deinit();
        return false;
    }
    power_cycle();
    if (second > 0) {
        linux_board_testing_cut(second, POINTS[second_point].mode, POINTS[second_point].percent);
        (void)nvs_flash_init();
        *recovery_cut = was_cut();
        power_cycle();
    }
    start();
    judge(scenario, err == ESP_OK);
    nvs_flash_deinit();
    return true;
}

static void no_cut_loses_a_value(void **state)
{
    (void)state;
    memset(s_old, 0x11, sizeof(s_old));
    memset(s_new, 0x22, sizeof(s_new));
    unsigned cuts = 0;
    unsigned second_cuts = 0;
    for (size_t i = 0; i < sizeof(SCENARIOS) / sizeof(SCENARIOS[0]); i++) {
        const scenario_t *scenario = &SCENARIOS[i];
        unsigned operations = 0;
        bool more = true;
        for (unsigned op = 1; more; op++) {
            for (size_t point = 0; point < POINT_COUNT && more; point++) {
                bool recovery_cut;
                more = trial(scenario, op, point, 0, 0, &recovery_cut);
                cuts += more ? 1 : 0;
                /* The recovery of this cut, cut as well: each of its operations, the point varies.
                 */
                recovery_cut = more;
                for (unsigned second = 1; recovery_cut; second++) {
                    (void)trial(scenario, op, point, second, (op + point + second) % POINT_COUNT,
                                &recovery_cut);
                    second_cuts += recovery_cut ? 1 : 0;
                }
            }
            operations = op - 1;
        }
        print_message("%-30s %3u operations\n", scenario->name, operations);
    }
    print_message("%u cuts, %u cuts of the recovery\n", cuts, second_cuts);
    assert_true(cuts > 300);
}

/* Which of the bits of one byte change before the cut is a matter of luck: try many. */
static void no_luck_in_a_torn_repair_makes_half_a_string_whole(void **state)
{
    (void)state;
    const scenario_t string = {"string", prepare_string, change_string, string_is_old,
                               string_is_new};
    for (s_seed = 1; s_seed <= 16; s_seed++) {
        bool more = true;
        for (unsigned op = 1; more; op++) {
            for (size_t point = 0; point < POINT_COUNT && more; point++) {
                bool recovery_cut = true;
                for (unsigned second = 1; recovery_cut && more; second++) {
                    more = trial(&string, op, point, second, 2, &recovery_cut);
                }
            }
        }
    }
    s_seed = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_luck_in_a_torn_repair_makes_half_a_string_whole),
        cmocka_unit_test(no_cut_loses_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
