/* SPDX-License-Identifier: Apache-2.0
 *
 * Random operations on the store and on a model of it, with resets and power cuts in between. */
#include <stdlib.h>

#include "storage_board.h"
#include "wraps.h"

#include "nvs_flash.h"

#define KEYS     32
#define ROUNDS   20000
#define DATA_MAX 2500

/* What a key holds: nothing, a number, a string or a blob made from a seed. */
typedef struct {
    nvs_type_t type; /* 0: nothing */
    uint32_t seed;
    size_t size;
} value_t;

static nvs_handle_t s_nvs;
static value_t s_model[KEYS];
static uint64_t s_random = 88172645463325252u;
static uint8_t s_data[DATA_MAX + 1];
static uint8_t s_back[DATA_MAX + 1];

static uint32_t random_below(uint32_t limit)
{
    s_random ^= s_random << 13;
    s_random ^= s_random >> 7;
    s_random ^= s_random << 17;
    return (uint32_t)(s_random >> 16) % limit;
}

static const char *key_name(unsigned key)
{
    static char name[16];
    snprintf(name, sizeof(name), "key%u", key);
    return name;
}

static void make_data(const value_t *value)
{
    uint32_t x = value->seed;
    for (size_t i = 0; i < value->size; i++) {
        x = x * 1664525u + 1013904223u;
        s_data[i] = (uint8_t)((x >> 24) | 1); /* no NUL inside */
    }
    s_data[value->size] = 0;
}

static esp_err_t store(unsigned key, const value_t *value)
{
    switch (value->type) {
    case NVS_TYPE_U32:
        return nvs_set_u32(s_nvs, key_name(key), value->seed);
    case NVS_TYPE_STR:
        make_data(value);
        return nvs_set_str(s_nvs, key_name(key), (const char *)s_data);
    case NVS_TYPE_BLOB:
        make_data(value);
        return nvs_set_blob(s_nvs, key_name(key), s_data, value->size);
    default:
        return nvs_erase_key(s_nvs, key_name(key));
    }
}

static bool holds(unsigned key, const value_t *value)
{
    nvs_type_t type;
    esp_err_t err = nvs_find_key(s_nvs, key_name(key), &type);
    if (value->type == 0) {
        return err == ESP_ERR_NVS_NOT_FOUND;
    }
    if (err != ESP_OK || type != value->type) {
        return false;
    }
    uint32_t number;
    size_t len = sizeof(s_back);
    switch (value->type) {
    case NVS_TYPE_U32:
        return nvs_get_u32(s_nvs, key_name(key), &number) == ESP_OK && number == value->seed;
    case NVS_TYPE_STR:
        make_data(value);
        return nvs_get_str(s_nvs, key_name(key), (char *)s_back, &len) == ESP_OK &&
               len == value->size + 1 && memcmp(s_back, s_data, len) == 0;
    default:
        make_data(value);
        return nvs_get_blob(s_nvs, key_name(key), s_back, &len) == ESP_OK && len == value->size &&
               memcmp(s_back, s_data, len) == 0;
    }
}

static void check_all(void)
{
    for (unsigned key = 0; key < KEYS; key++) {
        assert_true(holds(key, &s_model[key]));
    }
}

static value_t random_value(void)
{
    value_t value = {.seed = random_below(UINT32_MAX)};
    switch (random_below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        value.type = NVS_TYPE_U32;
        break;
    case 4:
    case 5:
        value.type = NVS_TYPE_STR;
        value.size = random_below(300);
        break;
    case 6:
    case 7:
        value.type = NVS_TYPE_BLOB;
        value.size = random_below(random_below(5) == 0 ? DATA_MAX : 200);
        break;
    default:
        break; /* erase */
    }
    return value;
}

static void start(void)
{
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &s_nvs), ESP_OK);
}

static void survive(void *arg)
{
    (void)arg; /* flash fails from here on until power is back */
}

static void random_operations_agree_with_a_model(void **state)
{
    (void)state;
    unsigned cuts = 0;
    unsigned full = 0;
    unsigned old_after_cut = 0;
    board_new(BOARD_FACTORY);
    linux_board_testing_on_cut(survive, NULL);
    start();
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned key = random_below(KEYS);
        value_t value = random_value();
        bool with_cut = random_below(4) == 0;
        if (with_cut) {
            linux_board_testing_cut(1 + random_below(12), LINUX_BOARD_CUT_INSIDE_PERCENT,
                                    random_below(101));
        }
        esp_err_t err = store(key, &value);
        bool cut = with_cut && linux_board_testing_state()->cut.mode == LINUX_BOARD_CUT_NEVER;
        linux_board_testing_state()->cut.mode = LINUX_BOARD_CUT_NEVER;
        if (cut) {
            cuts++;
            nvs_flash_deinit();
            linux_board_testing_power_on();
            board_reload();
            start();
            if (holds(key, &value)) {
                s_model[key] = value;
            } else {
                old_after_cut++;
                assert_int_not_equal(err, ESP_OK); /* it was not reported done */
            }
        } else if (err == ESP_OK) {
            s_model[key] = value;
        } else if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
            full++;
        } else {
            assert_int_equal(err, ESP_ERR_NVS_NOT_FOUND);
            assert_int_equal(value.type, 0);
            assert_int_equal(s_model[key].type, 0);
        }
        if (!cut && random_below(20) == 0) {
            nvs_flash_deinit();
            start();
        }
        if (cut || random_below(10) == 0) {
            check_all();
        } else {
            assert_true(holds(key, &s_model[key]));
        }
    }
    check_all();
    print_message("%u operations, %u cuts (%u left the old value), %u times full\n", ROUNDS, cuts,
                  old_after_cut, full);
    assert_true(cuts > ROUNDS / 20);
    nvs_flash_deinit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
