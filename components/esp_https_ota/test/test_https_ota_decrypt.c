/* SPDX-License-Identifier: Apache-2.0
 *
 * Images that the application decrypts on the way. The cipher of these tests is XOR with 0x5A,
 * behind a header of 16 bytes. */
#include "storage_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "net_lab.h"

#define HEADER 16u

static uint8_t s_image[0x40000];
static size_t s_image_len;

typedef struct {
    size_t seen;    /* bytes of the file */
    size_t swallow; /* give nothing out before so many */
    size_t fail_at; /* 0: never */
    char *kept;
    size_t kept_len;
} cipher_t;

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    cipher_t *cipher = user_ctx;
    char *out = realloc(cipher->kept, cipher->kept_len + args->data_in_len);
    assert_non_null(out);
    for (size_t i = 0; i < args->data_in_len; i++) {
        if (cipher->seen++ >= HEADER) {
            out[cipher->kept_len++] = (char)(args->data_in[i] ^ 0x5A);
        }
    }
    cipher->kept = out;
    if (cipher->fail_at != 0 && cipher->seen >= cipher->fail_at) {
        return ESP_ERR_INVALID_CRC;
    }
    if (cipher->seen < cipher->swallow) {
        return ESP_OK; /* nothing yet */
    }
    args->data_out = cipher->kept;
    args->data_out_len = cipher->kept_len;
    cipher->kept = NULL;
    cipher->kept_len = 0;
    return ESP_OK;
}

static void serve(int fd, const char *request, int number, void *arg)
{
    (void)request;
    (void)number;
    (void)arg;
    char head[128];
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n"
             "\r\n0123456789abcdef",
             s_image_len + HEADER);
    lab_send(fd, head);
    static uint8_t secret[sizeof(s_image)];
    for (size_t i = 0; i < s_image_len; i++) {
        secret[i] = s_image[i] ^ 0x5A;
    }
    for (size_t at = 0; at < s_image_len;) {
        ssize_t sent = send(fd, secret + at, s_image_len - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        at += (size_t)sent;
    }
}

static esp_err_t update(cipher_t *cipher, bool with_callback)
{
    board_new(BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "1", .payload = 4096}, BOARD_FACTORY);
    s_image_len = board_make_image(&(board_image_t){.version = "2", .payload = 100000, .seed = 5},
                                   BOARD_OTA_0, s_image, sizeof(s_image));
    lab_log_start();
    lab_server_t *server = lab_server_start(serve, NULL, true);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/secret.bin", lab_server_port(server));
    esp_http_client_config_t http = {.url = url, .timeout_ms = 10000};
    esp_https_ota_config_t config = {.http_config = &http,
                                     .decrypt_cb = with_callback ? decrypt : NULL,
                                     .decrypt_user_ctx = cipher,
                                     .enc_img_header_size = HEADER};
    esp_err_t err = esp_https_ota(&config);
    lab_server_stop(server);
    free(cipher->kept);
    return err;
}

static void encrypted_image_is_installed(void **state)
{
    (void)state;
    cipher_t cipher = {0};
    assert_int_equal(update(&cipher, true), ESP_OK);
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_image_len);
    assert_ptr_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
}

static void callback_may_need_much_input_before_the_first_output(void **state)
{
    (void)state;
    cipher_t cipher = {.swallow = 50000};
    assert_int_equal(update(&cipher, true), ESP_OK);
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_image_len);
}

static void failing_callback_ends_the_update_with_its_code(void **state)
{
    (void)state;
    cipher_t cipher = {.fail_at = 1};
    assert_int_equal(update(&cipher, true), ESP_ERR_INVALID_CRC);
    assert_true(lab_log_has("Decryption of image header failed"));
    cipher = (cipher_t){.fail_at = 60000};
    assert_int_equal(update(&cipher, true), ESP_ERR_INVALID_CRC);
    assert_true(lab_log_has("Decrypt callback failed 265"));
    assert_ptr_not_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
}

static void file_without_content_is_refused(void **state)
{
    (void)state;
    cipher_t cipher = {.swallow = 10000000};
    assert_int_equal(update(&cipher, true), ESP_FAIL);
    assert_true(lab_log_has("The file holds nothing to install"));
}

static void callback_is_required_and_excludes_resumption(void **state)
{
    (void)state;
    cipher_t cipher = {0};
    assert_int_equal(update(&cipher, false), ESP_ERR_INVALID_ARG);
    esp_http_client_config_t http = {.url = "http://127.0.0.1/x"};
    esp_https_ota_config_t config = {
        .http_config = &http, .decrypt_cb = decrypt, .ota_resumption = true};
    esp_https_ota_handle_t handle;
    assert_int_equal(esp_https_ota_begin(&config, &handle), ESP_ERR_NOT_SUPPORTED);
    assert_null(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_image_is_installed),
        cmocka_unit_test(callback_may_need_much_input_before_the_first_output),
        cmocka_unit_test(failing_callback_ends_the_update_with_its_code),
        cmocka_unit_test(file_without_content_is_refused),
        cmocka_unit_test(callback_is_required_and_excludes_resumption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
