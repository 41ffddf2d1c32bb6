/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console_capture.h"

/* More than the default, so that levels can be raised at run time. */
#define LOG_LOCAL_LEVEL ESP_LOG_VERBOSE
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static char text[8192];
static int calls;

static int keep(const char *format, va_list args)
{
    size_t used = strlen(text);
    calls++;
    return vsnprintf(text + used, sizeof(text) - used, format, args);
}

static int set_up(void **state)
{
    (void)state;
    text[0] = '\0';
    calls = 0;
    esp_log_level_set("*", ESP_LOG_INFO);
    esp_log_set_vprintf(keep);
    return 0;
}

/* text without what stands between parentheses, which is the time. */
static const char *without_time(void)
{
    static char plain[sizeof(text)];
    char *out = plain;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in == '(') {
            in = strchr(in, ')');
            *out++ = '#';
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return plain;
}

static void line_is_letter_time_tag_message_in_one_call(void **state)
{
    (void)state;
    ESP_LOGE("app", "error %d", 1);
    assert_int_equal(calls, 1);
    ESP_LOGW("app", "warning");
    ESP_LOGI("app", "%s %u", "information", 7u);
    assert_string_equal(without_time(), "E # app: error 1\nW # app: warning\n"
                                        "I # app: information 7\n");
    unsigned ms;
    assert_int_equal(sscanf(text, "E (%u) app", &ms), 1);
}

static void time_never_goes_backwards(void **state)
{
    (void)state;
    uint32_t before = esp_log_timestamp();
    for (int i = 0; i < 1000; i++) {
        uint32_t now = esp_log_timestamp();
        assert_true(now >= before);
        before = now;
    }
    unsigned h, m, s, ms;
    char end;
    assert_int_equal(sscanf(esp_log_system_timestamp(), "%2u:%2u:%2u.%3u%c", &h, &m, &s, &ms, &end),
                     4);
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

static void level_of_a_tag_is_found_by_content(void **state)
{
    (void)state;
    char tag[] = "net";
    ESP_LOGD(tag, "hidden");
    esp_log_level_set("net", ESP_LOG_DEBUG);
    ESP_LOGD(tag, "shown");
    ESP_LOGD("other", "hidden");
    assert_int_equal(esp_log_level_get(tag), ESP_LOG_DEBUG);
    assert_int_equal(esp_log_level_get("other"), ESP_LOG_INFO);
    esp_log_level_set(tag, ESP_LOG_NONE);
    ESP_LOGE("net", "hidden");
    assert_string_equal(without_time(), "D # net: shown\n");
}

static void star_sets_the_default_and_forgets_tags(void **state)
{
    (void)state;
    esp_log_level_set("net", ESP_LOG_VERBOSE);
    esp_log_level_set("*", ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get("net"), ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get(NULL), ESP_LOG_WARN);
    esp_log_level_set(NULL, ESP_LOG_VERBOSE);
    assert_int_equal(esp_log_level_get("net"), ESP_LOG_WARN);
    ESP_LOGI("net", "hidden");
    assert_string_equal(text, "");
}

static void many_tags_keep_their_levels_beyond_the_cache(void **state)
{
    (void)state;
    static char tags[200][16];
    for (int i = 0; i < 200; i++) {
        snprintf(tags[i], sizeof(tags[i]), "t%d", i);
        esp_log_level_set(tags[i], (esp_log_level_t)(i % ESP_LOG_MAX));
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            assert_int_equal(esp_log_level_get(tags[i]), i % ESP_LOG_MAX);
        }
    }
}

static void write_prints_undecorated_text_if_the_level_admits_it(void **state)
{
    (void)state;
    esp_log_write(ESP_LOG_INFO, "app", "%d-%d", 1, 2);
    esp_log_write(ESP_LOG_DEBUG, "app", "hidden");
    esp_log_write(ESP_LOG_NONE, "app", "hidden");
    assert_string_equal(text, "1-2");
    ESP_LOG_LEVEL(ESP_LOG_WARN, "app", "by level");
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, "app", "local");
    assert_string_equal(without_time(), "1-2W # app: by level\nE # app: local\n");
}

static void set_vprintf_returns_the_one_before(void **state)
{
    (void)state;
    assert_ptr_equal(esp_log_set_vprintf(vprintf), keep);
    assert_ptr_equal(esp_log_set_vprintf(NULL), vprintf);
    assert_ptr_equal(esp_log_set_vprintf(keep), vprintf);
}

static void buffers_print_sixteen_bytes_a_line(void **state)
{
    (void)state;
    uint8_t bytes[18];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(0xf0 + i);
    }
    ESP_LOG_BUFFER_HEX("b", bytes, sizeof(bytes));
    assert_string_equal(without_time(), "I # b: f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff\n"
                                        "I # b: 00 01\n");
    set_up(NULL);
    ESP_LOG_BUFFER_HEX("b", bytes, 0);
    ESP_LOG_BUFFER_HEX_LEVEL("b", bytes, 1, ESP_LOG_DEBUG);
    assert_string_equal(text, "");
    ESP_LOG_BUFFER_CHAR("b", "plain text of 20 by.", 20);
    assert_string_equal(without_time(), "I # b: plain text of 20\nI # b:  by.\n");
}

static void hexdump_has_address_columns_and_characters(void **state)
{
    (void)state;
    static const char digits[] = "7296406769363431\x7f~!";
    char expected[256];
    ESP_LOG_BUFFER_HEXDUMP("b", digits, 19, ESP_LOG_INFO);
    snprintf(expected, sizeof(expected),
             "I # b: 0x%0*lx   37 32 39 36 34 30 36 37  36 39 33 36 33 34 33 31  "
             "|7296406769363431|\n"
             "I # b: 0x%0*lx   7f 7e 21                                          |.~!|\n",
             (int)sizeof(void *), (unsigned long)(uintptr_t)digits, (int)sizeof(void *),
             (unsigned long)(uintptr_t)digits + 16);
    assert_string_equal(without_time(), expected);
}

#undef LOG_LOCAL_LEVEL
#define LOG_LOCAL_LEVEL ESP_LOG_WARN

static void statement_above_the_local_level_evaluates_nothing(void **state)
{
    (void)state;
    esp_log_level_set("*", ESP_LOG_VERBOSE);
    evaluated = 0;
    ESP_LOGI("app", "%d", evaluate());
    ESP_EARLY_LOGI("app", "%d", evaluate());
    assert_int_equal(evaluated, 0);
    ESP_LOGW("app", "%d", evaluate());
    assert_int_equal(evaluated, 1);
    assert_string_equal(without_time(), "W # app: 1\n");
}

static void early_lines_go_past_stdio_and_ask_only_the_default_level(void **state)
{
    (void)state;
    char line[512];
    console_capture_begin();
    esp_log_level_set("app", ESP_LOG_NONE);
    ESP_EARLY_LOGE("app", "x%d", 1);
    ESP_DRAM_LOGW("app", "y");
    esp_log_level_set("*", ESP_LOG_ERROR);
    ESP_EARLY_LOGW("app", "hidden");
    size_t length = console_capture_end(line, sizeof(line));
    assert_true(length > 0);
    assert_string_equal(text, "");
    memcpy(text, line, length + 1);
    assert_string_equal(without_time(), "E # app: x1\nW app: y\n");
}

static void rom_printf_marks_what_it_cuts(void **state)
{
    (void)state;
    char wide[400];
    char line[512];
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    console_capture_begin();
    int printed = esp_rom_printf("%s", wide);
    size_t length = console_capture_end(line, sizeof(line));
    assert_int_equal(printed, 255);
    assert_int_equal(length, 255);
    assert_memory_equal(line + 251, "...\n", 4);
}

#undef LOG_LOCAL_LEVEL
#define LOG_LOCAL_LEVEL ESP_LOG_VERBOSE

static SemaphoreHandle_t done;

static void log_and_change_levels(void *arg)
{
    for (int i = 0; i < 500; i++) {
        ESP_LOGE("task", "from %s at %d", (const char *)arg, i);
        esp_log_level_set(arg, (esp_log_level_t)(i % ESP_LOG_MAX));
        if (i % 50 == 0) {
            esp_log_level_set("*", ESP_LOG_INFO);
        }
    }
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static int count_only(const char *format, va_list args)
{
    char line[64];
    return vsnprintf(line, sizeof(line), format, args);
}

static void tasks_may_log_and_change_levels_at_the_same_time(void **state)
{
    (void)state;
    esp_log_set_vprintf(count_only);
    done = xSemaphoreCreateCounting(4, 0);
    const char *const names[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        xTaskCreate(log_and_change_levels, names[i], 4096, (void *)(uintptr_t)names[i], 3, NULL);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(xSemaphoreTake(done, pdMS_TO_TICKS(120000)), pdTRUE);
    }
    vSemaphoreDelete(done);
    esp_log_level_set("*", ESP_LOG_INFO);
}

#define T(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(line_is_letter_time_tag_message_in_one_call),
        T(time_never_goes_backwards),
        T(level_of_a_tag_is_found_by_content),
        T(star_sets_the_default_and_forgets_tags),
        T(many_tags_keep_their_levels_beyond_the_cache),
        T(write_prints_undecorated_text_if_the_level_admits_it),
        T(set_vprintf_returns_the_one_before),
        T(buffers_print_sixteen_bytes_a_line),
        T(hexdump_has_address_columns_and_characters),
        T(statement_above_the_local_level_evaluates_nothing),
        T(early_lines_go_past_stdio_and_ask_only_the_default_level),
        T(rom_printf_marks_what_it_cuts),
        T(tasks_may_log_and_change_levels_at_the_same_time),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
