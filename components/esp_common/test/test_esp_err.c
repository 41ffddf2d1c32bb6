/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "esp_check.h"
#include "esp_err.h"
#include "esp_idf_version.h"

static void every_known_code_has_its_macro_name(void **state)
{
    (void)state;
    static const struct {
        esp_err_t code;
        const char *name;
    } known[] = {
        {ESP_OK, "ESP_OK"},
        {ESP_FAIL, "ESP_FAIL"},
        {ESP_ERR_NO_MEM, "ESP_ERR_NO_MEM"},
        {ESP_ERR_NOT_ALLOWED, "ESP_ERR_NOT_ALLOWED"},
        {0x1101, "ESP_ERR_NVS_NOT_INITIALIZED"},
        {0x1119, "ESP_ERR_NVS_WRONG_ENCRYPTION"},
        {0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"},
        {0x1601, "ESP_OK_EFUSE_CNT"},
        {ESP_ERR_IMAGE_INVALID, "ESP_ERR_IMAGE_INVALID"},
        {0x3001, "ESP_ERR_WIFI_NOT_INIT"},
        {0x5001, "ESP_ERR_ESP_NETIF_INVALID_PARAMS"},
        {0x500E, "ESP_ERR_ESP_NETIF_TX_FAILED"},
        {ESP_ERR_FLASH_PROTECTED, "ESP_ERR_FLASH_PROTECTED"},
        {0x7007, "ESP_ERR_HTTP_EAGAIN"},
        {0x801A, "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED"},
        {0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS"},
        {0xE004, "ESP_ERR_TCP_TRANSPORT_NO_MEM"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_string_equal(esp_err_to_name(known[i].code), known[i].name);
    }
}

static void unknown_code_is_named_error(void **state)
{
    (void)state;
    const esp_err_t unknown[] = {1, 0x100, 0x10E, 0x1100, -2, INT32_MAX, INT32_MIN, 0xE005};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_string_equal(esp_err_to_name(unknown[i]), "ERROR");
    }
}

static void name_r_knows_table_errno_and_numbers_and_fits_the_buffer(void **state)
{
    (void)state;
    char buf[64];
    assert_ptr_equal(esp_err_to_name_r(ESP_ERR_TIMEOUT, buf, sizeof(buf)), buf);
    assert_string_equal(buf, "ESP_ERR_TIMEOUT");
    assert_string_equal(esp_err_to_name_r(2, buf, sizeof(buf)), strerror(2));
    assert_string_equal(esp_err_to_name_r(0x7777, buf, sizeof(buf)), "ERROR 0x7777(30583)");
    assert_string_equal(esp_err_to_name_r(-3, buf, sizeof(buf)), "ERROR 0xfffffffd(-3)");
    memset(buf, 'x', sizeof(buf));
    assert_string_equal(esp_err_to_name_r(ESP_ERR_TIMEOUT, buf, 8), "ESP_ERR");
    assert_int_equal(buf[8], 'x');
    esp_err_to_name_r(ESP_ERR_TIMEOUT, buf, 0);
    assert_int_equal(buf[0], 'E');
}

/* --- What the macros print --- */

static char output[1024];

/* Runs function with the console going to output; true if it returned. */
static int captured(void (*function)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(ends[0], output + used, sizeof(output) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    output[used] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int calls;

static esp_err_t fail_with(esp_err_t code)
{
    calls++;
    return code;
}

static void check_failing(void)
{
    ESP_ERROR_CHECK(fail_with(ESP_FAIL));
}

static void check_passing(void)
{
    ESP_ERROR_CHECK(fail_with(ESP_OK));
    _exit(calls == 1 ? 0 : 1);
}

static void check_without_abort(void)
{
    esp_err_t err = ESP_ERROR_CHECK_WITHOUT_ABORT(fail_with(ESP_ERR_NO_MEM));
    _exit(err == ESP_ERR_NO_MEM && calls == 1 ? 0 : 1);
}

static void error_check_prints_its_block_and_aborts(void **state)
{
    (void)state;
    assert_false(captured(check_failing));
    assert_ptr_equal(
        strstr(output, "ESP_ERROR_CHECK failed: esp_err_t 0xffffffff (ESP_FAIL) at 0x"), output);
    assert_non_null(strstr(output, "\nfile: \""));
    assert_non_null(strstr(output, "test_esp_err.c\" line "));
    assert_non_null(strstr(output, "\nfunc: check_failing\nexpression: fail_with(ESP_FAIL)\n"));
}

static void error_check_evaluates_once_and_is_silent_on_success(void **state)
{
    (void)state;
    assert_true(captured(check_passing));
    assert_string_equal(output, "");
    assert_true(captured(check_without_abort));
    assert_ptr_equal(strstr(output, "ESP_ERROR_CHECK_WITHOUT_ABORT failed: esp_err_t 0x101 "
                                    "(ESP_ERR_NO_MEM) at 0x"),
                     output);
}

static char log_text[256];

static int keep_log(const char *format, va_list args)
{
    return vsnprintf(log_text, sizeof(log_text), format, args);
}

static esp_err_t returns_on_error(esp_err_t code)
{
    ESP_RETURN_ON_ERROR(code, "tag", "step %d", 7);
    return 99;
}

static esp_err_t goes_on_false(bool condition)
{
    esp_err_t ret = ESP_OK;
    ESP_GOTO_ON_FALSE(condition, ESP_ERR_INVALID_ARG, out, "tag", "no");
    return 99;
out:
    return ret;
}

static void returns_void(bool condition, bool *passed)
{
    ESP_RETURN_VOID_ON_FALSE(condition, "tag", "void");
    *passed = true;
}

static void check_macros_log_function_and_line_and_leave(void **state)
{
    (void)state;
    bool passed = false;
    vprintf_like_t before = esp_log_set_vprintf(keep_log);

    assert_int_equal(returns_on_error(ESP_OK), 99);
    assert_string_equal(log_text, "");
    assert_int_equal(returns_on_error(ESP_ERR_NOT_FOUND), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(log_text, ") tag: returns_on_error("));
    assert_non_null(strstr(log_text, "): step 7\n"));
    assert_int_equal(goes_on_false(true), 99);
    assert_int_equal(goes_on_false(false), ESP_ERR_INVALID_ARG);
    returns_void(false, &passed);
    assert_false(passed);
    returns_void(true, &passed);
    assert_true(passed);

    esp_log_set_vprintf(before);
}

static void version_is_one_number_and_a_text(void **state)
{
    (void)state;
    assert_int_equal(ESP_IDF_VERSION, 0x060200);
    assert_true(ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 3));
    assert_ptr_equal(strstr(esp_get_idf_version(), "v"), esp_get_idf_version());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_code_has_its_macro_name),
        cmocka_unit_test(unknown_code_is_named_error),
        cmocka_unit_test(name_r_knows_table_errno_and_numbers_and_fits_the_buffer),
        cmocka_unit_test(error_check_prints_its_block_and_aborts),
        cmocka_unit_test(error_check_evaluates_once_and_is_silent_on_success),
        cmocka_unit_test(check_macros_log_function_and_line_and_leave),
        cmocka_unit_test(version_is_one_number_and_a_text),
    };
    return cmocka_run_group_tests_name("esp_err", tests, NULL, NULL);
}
