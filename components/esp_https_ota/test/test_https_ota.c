/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates over TLS from openssl's s_server into a board in memory. With -HTTP that server sends a
 * file as the whole response, so every kind of good and bad response is a file here. */
#include "storage_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "net_lab.h"

#define IMAGE_MAX 0x50000u

static uint8_t s_image[IMAGE_MAX];
static size_t s_image_len;
static uint8_t s_before[BOARD_FLASH_SIZE];
static char *s_pem;
static lab_tls_server_t s_server;
static esp_http_client_config_t s_http;
static char s_url[128];

static void make_image(uint32_t seed, uint32_t payload)
{
    s_image_len =
        board_make_image(&(board_image_t){.version = "2", .payload = payload, .seed = seed},
                         BOARD_OTA_0, s_image, sizeof(s_image));
}

/* A new board running from the factory partition, and a new image to download. */
static void fresh_board(void)
{
    board_new(BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "1", .payload = 4096}, BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "old", .payload = 8192, .seed = 9}, BOARD_OTA_0);
    make_image(1, 150000);
    lab_log_start();
    memcpy(s_before, board_flash(0), BOARD_FLASH_SIZE);
}

/* Makes file NAME a response of that head and body. */
static void make_response(const char *name, const char *head, const void *body, size_t len)
{
    size_t head_len = strlen(head);
    char *all = malloc(head_len + len + 1);
    memcpy(all, head, head_len);
    if (len > 0) {
        memcpy(all + head_len, body, len);
    }
    lab_write_file(name, all, head_len + len);
    free(all);
}

static esp_https_ota_config_t config_for(const char *file)
{
    snprintf(s_url, sizeof(s_url), "https://localhost:%d/%s", s_server.port, file);
    s_http = (esp_http_client_config_t){.url = s_url, .cert_pem = s_pem, .timeout_ms = 10000};
    return (esp_https_ota_config_t){.http_config = &s_http};
}

static esp_err_t update_from(const char *file)
{
    esp_https_ota_config_t config = config_for(file);
    return esp_https_ota(&config);
}

static void assert_updated(void)
{
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_image_len);
    assert_ptr_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
    assert_memory_equal(board_flash(BOARD_FACTORY), s_before + BOARD_FACTORY, BOARD_APP_SIZE);
}

static void assert_nothing_touched(void)
{
    assert_memory_equal(board_flash(0), s_before, BOARD_FLASH_SIZE);
}

static void assert_running_and_otadata_untouched(void)
{
    assert_memory_equal(board_flash(0), s_before, BOARD_OTA_0);
}

/* --- good updates --- */

static void update_of_unknown_length_is_installed(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\n", s_image,
                  s_image_len);
    assert_int_equal(update_from("new.bin"), ESP_OK);
    assert_updated();
    assert_true(lab_log_has("esp_https_ota: Starting OTA..."));
    assert_true(lab_log_has("esp_https_ota: Writing to <ota_0> partition at offset 0x50000"));
    assert_true(lab_log_has(" ms: network "));
    assert_int_equal(lab_log_count("E ("), 2); /* no event loop: of both components */
}

static void update_with_length_is_installed(void **state)
{
    (void)state;
    fresh_board();
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %u\r\n\r\n",
             (unsigned)s_image_len);
    make_response("new.bin", head, s_image, s_image_len);
    assert_int_equal(update_from("new.bin"), ESP_OK);
    assert_updated();
}

static void chunked_update_is_installed(void **state)
{
    (void)state;
    fresh_board();
    char *body = malloc(2 * IMAGE_MAX);
    size_t len = 0;
    for (size_t at = 0; at < s_image_len;) {
        size_t piece = 1 + (at * 7) % 5000;
        piece = piece < s_image_len - at ? piece : s_image_len - at;
        len += (size_t)sprintf(body + len, "%zx\r\n", piece);
        memcpy(body + len, s_image + at, piece);
        len += piece;
        len += (size_t)sprintf(body + len, "\r\n");
        at += piece;
    }
    len += (size_t)sprintf(body + len, "0\r\n\r\n");
    make_response("new.bin", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body, len);
    free(body);
    assert_int_equal(update_from("new.bin"), ESP_OK);
    assert_updated();
}

static void bulk_erase_gives_the_same_result(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    esp_https_ota_config_t config = config_for("new.bin");
    config.bulk_flash_erase = true;
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_updated();
}

static void redirect_is_followed(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    make_response("moved.bin", "HTTP/1.0 302 Found\r\nLocation: new.bin\r\n\r\nmoved", "", 0);
    assert_int_equal(update_from("moved.bin"), ESP_OK);
    assert_updated();
}

static void second_update_goes_to_the_other_slot(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_int_equal(update_from("new.bin"), ESP_OK);
    linux_board_testing_state()->running_offset = BOARD_OTA_0;
    board_reload();
    make_image(2, 100000);
    make_response("newer.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_int_equal(update_from("newer.bin"), ESP_OK);
    assert_memory_equal(board_flash(BOARD_OTA_1), s_image, s_image_len);
    assert_ptr_equal(esp_ota_get_boot_partition(), board_partition("ota_1"));
}

/* --- refused before flash is touched --- */

static void assert_refused(const char *file, esp_err_t code, const char *words)
{
    lab_log_start();
    esp_err_t err = update_from(file);
    assert_int_equal(err, code);
    assert_true(lab_log_has(words));
    assert_nothing_touched();
}

static void responses_without_a_firmware_touch_nothing(void **state)
{
    (void)state;
    fresh_board();
    make_response("404.bin", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "", 0);
    assert_refused("404.bin", ESP_FAIL, "File not found(404)");
    make_response("410.bin", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "", 0);
    assert_refused("410.bin", ESP_FAIL, "Client error (410)");
    make_response("503.bin", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "", 0);
    assert_refused("503.bin", ESP_FAIL, "Server error (503)");
    make_response("304.bin", "HTTP/1.1 304 Not Modified\r\n\r\n", "", 0);
    assert_refused("304.bin", ESP_ERR_HTTP_NOT_MODIFIED, "OTA image not modified");
    make_response("401.bin", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "", 0);
    assert_refused("401.bin", ESP_ERR_NOT_SUPPORTED, "Authorization Failed");
    make_response("loop.bin",
                  "HTTP/1.1 302 Found\r\nLocation: /loop.bin\r\n"
                  "Content-Length: 0\r\n\r\n",
                  "", 0);
    assert_refused("loop.bin", ESP_ERR_HTTP_MAX_REDIRECT, "more redirects than");
    make_response("empty.bin", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "", 0);
    assert_refused("empty.bin", ESP_FAIL, "The file is empty");
    make_response("nothing.bin", "HTTP/1.0 200 OK\r\n\r\n", "", 0);
    assert_refused("nothing.bin", ESP_FAIL, "the file has only 0 bytes");
    make_response("short.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, 500);
    assert_refused("short.bin", ESP_FAIL, "the file has only 500 bytes");
    make_response("text.bin", "HTTP/1.0 200 ok\r\n\r\n", "Error opening 'x' mode='r'\n", 27);
    assert_refused("text.bin", ESP_FAIL, "text: \"Error opening 'x' mode='r'\"");
    make_response("early.bin", "HTTP/1.0 200 OK\r\nContent-Length: 90000\r\n\r\n", s_image, 700);
    assert_refused("early.bin", ESP_FAIL, "Complete headers were not received");
    make_response("http.bin", "not http at all\r\n\r\n", "", 0);
    assert_refused("http.bin", ESP_FAIL, "HTTP parser error");
}

static void images_for_others_touch_nothing(void **state)
{
    (void)state;
    fresh_board();
    s_image[0] = 0xE8;
    make_response("magic.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_refused("magic.bin", ESP_ERR_OTA_VALIDATE_FAILED,
                   "not a firmware image (expected 0xE9 as first byte, saw 0xe8)");
    s_image_len = board_make_image(&(board_image_t){.version = "2", .payload = 9000, .chip_id = 5},
                                   BOARD_OTA_0, s_image, sizeof(s_image));
    make_response("chip.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_refused("chip.bin", ESP_ERR_INVALID_VERSION,
                   "The image is for another board: chip id 0x0005");
    make_image(1, BOARD_APP_SIZE);
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %u\r\n\r\n",
             (unsigned)s_image_len);
    make_response("large.bin", head, s_image, s_image_len);
    assert_refused("large.bin", ESP_ERR_INVALID_SIZE, "does not fit into partition <ota_0>");
}

static void random_files_touch_nothing(void **state)
{
    (void)state;
    fresh_board();
    for (unsigned i = 0; i < 5; i++) {
        lab_run("{ printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; openssl rand 60000; } > random.bin");
        esp_err_t err = update_from("random.bin");
        assert_true(err == ESP_ERR_OTA_VALIDATE_FAILED || err == ESP_ERR_INVALID_VERSION);
        assert_nothing_touched();
    }
}

static void configurations_that_cannot_be_safe_are_refused(void **state)
{
    (void)state;
    fresh_board();
    assert_int_equal(esp_https_ota(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota(&(esp_https_ota_config_t){0}), ESP_ERR_INVALID_ARG);
    esp_https_ota_config_t config = config_for("new.bin");
    s_http.cert_pem = NULL;
    assert_int_equal(esp_https_ota(&config), ESP_ERR_INVALID_ARG);
    assert_true(
        lab_log_has("No option for server verification is enabled in esp_http_client config."));
    config = config_for("new.bin");
    s_http.url = "http://localhost/new.bin";
    assert_int_equal(esp_https_ota(&config), ESP_ERR_INVALID_ARG);
    assert_true(lab_log_has("Plain HTTP is refused"));
    config = config_for("new.bin");
    config.ota_resumption = true;
    assert_int_equal(esp_https_ota(&config), ESP_ERR_NOT_SUPPORTED);
    esp_https_ota_handle_t handle = (void *)1;
    assert_int_equal(esp_https_ota_begin(NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_null(handle);
    assert_int_equal(esp_https_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_image_size(NULL), -1);
    assert_int_equal(esp_https_ota_get_status_code(NULL), -1);
    assert_nothing_touched();
}

static void unreachable_and_untrusted_servers_touch_nothing(void **state)
{
    (void)state;
    fresh_board();
    esp_https_ota_config_t config = config_for("new.bin");
    snprintf(s_url, sizeof(s_url), "https://localhost:%d/new.bin", lab_closed_port());
    assert_int_equal(esp_https_ota(&config), ESP_ERR_HTTP_CONNECT);
    assert_true(lab_log_has("Connection refused"));
    assert_true(lab_log_has("Failed to open HTTP connection: ESP_ERR_HTTP_CONNECT"));
    assert_true(lab_log_has("Failed to establish HTTP connection"));

    config = config_for("new.bin");
    snprintf(s_url, sizeof(s_url), "https://no-such-host.invalid/new.bin");
    assert_int_equal(esp_https_ota(&config), ESP_ERR_HTTP_CONNECT);
    assert_true(lab_log_has("The name \"no-such-host.invalid\" has no address"));

    config = config_for("new.bin");
    char *other = lab_read_file("other.pem", NULL);
    s_http.cert_pem = other;
    assert_int_equal(esp_https_ota(&config), ESP_ERR_HTTP_CONNECT);
    assert_true(lab_log_has("it is self-signed and not one of the device's 1 trusted"));
    free(other);

    config = config_for("new.bin");
    s_http.common_name = "firmware.example";
    assert_int_equal(esp_https_ota(&config), ESP_ERR_HTTP_CONNECT);
    assert_true(lab_log_has("but the device asks for \"firmware.example\""));
    assert_nothing_touched();
}

/* --- damaged files --- */

static void assert_fails_later(const char *file, const char *words)
{
    lab_log_start();
    assert_int_not_equal(update_from(file), ESP_OK);
    assert_true(lab_log_has(words));
    assert_running_and_otadata_untouched();
}

static void bodies_shorter_or_longer_than_promised_are_refused(void **state)
{
    (void)state;
    fresh_board();
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %u\r\n\r\n",
             (unsigned)s_image_len + 1000);
    make_response("shorter.bin", head, s_image, s_image_len);
    assert_fails_later("shorter.bin", "closed the connection after ");
    snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %u\r\n\r\n",
             (unsigned)s_image_len);
    char *longer = calloc(1, s_image_len + 50);
    memcpy(longer, s_image, s_image_len);
    make_response("longer.bin", head, longer, s_image_len + 50);
    free(longer);
    assert_fails_later("longer.bin", "The server sends more than the ");
}

static void truncated_and_damaged_images_never_boot(void **state)
{
    (void)state;
    fresh_board();
    const size_t ends[] = {
        1024,           2000, 4096, 65536, 65537, 100000, s_image_len - 40, s_image_len - 32,
        s_image_len - 1};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        make_response("cut.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, ends[i]);
        assert_fails_later("cut.bin", "E (");
    }
    for (unsigned i = 0; i < 40; i++) {
        size_t at = 1 + (i * 7919u) % (s_image_len - 1);
        s_image[at] ^= 1u << (i % 8);
        make_response("flip.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
        assert_fails_later("flip.bin", "E (");
        s_image[at] ^= 1u << (i % 8);
    }
    /* And then, without anything in between, the good one. */
    make_response("good.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_int_equal(update_from("good.bin"), ESP_OK);
    assert_updated();
}

static void tail_of_an_older_copy_does_not_complete_a_cut_file(void **state)
{
    (void)state;
    fresh_board();
    memcpy(board_flash(BOARD_OTA_0), s_image, s_image_len);
    make_response("cut.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, 0x20000);
    assert_fails_later("cut.bin", "The file is cut off: it has 131072 of the image's ");
}

static void image_larger_than_the_slot_is_refused_without_a_length_too(void **state)
{
    (void)state;
    fresh_board();
    make_image(1, BOARD_APP_SIZE);
    make_response("large.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_fails_later("large.bin", "The image does not fit into partition <ota_0>");
    assert_memory_equal(board_flash(BOARD_OTA_1), s_before + BOARD_OTA_1, BOARD_APP_SIZE);
}

static void flash_errors_end_the_update(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    for (uint64_t nth = 1; nth <= 3; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(update_from("new.bin"), ESP_ERR_FLASH_OP_TIMEOUT);
        assert_true(linux_board_testing_failed());
        linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, nth, ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(update_from("new.bin"), ESP_ERR_FLASH_OP_FAIL);
        assert_running_and_otadata_untouched();
    }
    assert_int_equal(update_from("new.bin"), ESP_OK);
    assert_updated();
}

/* --- step by step --- */

static void description_is_read_before_anything_is_written(void **state)
{
    (void)state;
    fresh_board();
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %u\r\n\r\n",
             (unsigned)s_image_len);
    make_response("new.bin", head, s_image, s_image_len);
    esp_https_ota_config_t config = config_for("new.bin");
    esp_https_ota_handle_t handle;
    assert_int_equal(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_status_code(handle), 200);
    assert_int_equal(esp_https_ota_get_image_size(handle), s_image_len);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    esp_app_desc_t desc;
    for (int i = 0; i < 2; i++) { /* asking twice gives the same answer */
        memset(&desc, 0, sizeof(desc));
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2");
    }
    assert_int_equal(esp_https_ota_get_img_desc(handle, NULL), ESP_ERR_INVALID_ARG);
    esp_bootloader_desc_t bootloader;
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(handle, &bootloader), ESP_FAIL);
    assert_nothing_touched();
    esp_err_t err;
    int steps = 0;
    while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        assert_true(esp_https_ota_get_image_len_read(handle) > 0);
        steps++;
    }
    assert_int_equal(err, ESP_OK);
    assert_true(steps > 5);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(esp_https_ota_get_image_len_read(handle), s_image_len);
    assert_int_equal(esp_https_ota_perform(handle), ESP_FAIL); /* it is over */
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_updated();
}

static void abort_leaves_the_boot_partition(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    esp_https_ota_config_t config = config_for("new.bin");
    esp_https_ota_handle_t handle;
    assert_int_equal(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_running_and_otadata_untouched();
    assert_int_equal(update_from("new.bin"), ESP_OK); /* the session is closed */
    assert_updated();
}

static void finish_before_the_end_does_not_switch(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    esp_https_ota_config_t config = config_for("new.bin");
    esp_https_ota_handle_t handle;
    assert_int_equal(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_nothing_touched();
    assert_int_equal(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_not_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_running_and_otadata_untouched();
}

static void data_goes_to_its_partition_by_way_of_the_slot(void **state)
{
    (void)state;
    fresh_board();
    uint8_t data[0x8000];
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 31 >> 3);
    }
    make_response("storage.bin", "HTTP/1.0 200 OK\r\n\r\n", data, sizeof(data));
    esp_https_ota_config_t config = config_for("storage.bin");
    config.partition.final = board_partition("storage");
    config.partition.finalize_with_copy = true;
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_memory_equal(board_flash(BOARD_STORAGE), data, sizeof(data));
    assert_running_and_otadata_untouched();
}

static esp_err_t refuse(esp_http_client_handle_t client)
{
    assert_int_equal(esp_http_client_set_header(client, "X-Device", "7"), ESP_OK);
    return ESP_ERR_NOT_ALLOWED;
}

static void init_callback_can_refuse_and_add_headers(void **state)
{
    (void)state;
    fresh_board();
    esp_https_ota_config_t config = config_for("new.bin");
    config.http_client_init_cb = refuse;
    assert_int_equal(esp_https_ota(&config), ESP_ERR_NOT_ALLOWED);
    assert_true(lab_log_has("http_client_init_cb returned 0x10d"));
}

/* --- events --- */

static char s_events[512];

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    size_t used = strlen(s_events);
    if (id == ESP_HTTPS_OTA_WRITE_FLASH) {
        if (*(int *)data == (int)s_image_len) {
            snprintf(s_events + used, sizeof(s_events) - used, "all ");
        }
        return;
    }
    if (id == ESP_HTTPS_OTA_VERIFY_CHIP_ID) {
        assert_int_equal(*(esp_chip_id_t *)data, ESP_CHIP_ID_AIRLIFT_LINUX);
    }
    snprintf(s_events + used, sizeof(s_events) - used, "%d ", (int)id);
}

static void events_tell_the_way_of_an_update(void **state)
{
    (void)state;
    fresh_board();
    make_response("new.bin", "HTTP/1.0 200 OK\r\n\r\n", s_image, s_image_len);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(
        esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, on_event, NULL), ESP_OK);
    assert_int_equal(update_from("new.bin"), ESP_OK);
    for (int i = 0; i < 6000 && strstr(s_events, "8 ") == NULL; i++) {
        usleep(10000); /* they are delivered by another task */
    }
    assert_string_equal(s_events, "0 1 3 4 all 7 8 ");
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(lab_log_count("E ("), 0);
    assert_updated();
}

static int start(void **state)
{
    (void)state;
    lab_self_signed("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    lab_self_signed("other", "/CN=localhost.other", NULL);
    s_pem = lab_read_file("server.pem", NULL);
    s_server = lab_tls_server("server", "-HTTP");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lab_tls_server_kill(&s_server);
    free(s_pem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(update_of_unknown_length_is_installed),
        cmocka_unit_test(update_with_length_is_installed),
        cmocka_unit_test(chunked_update_is_installed),
        cmocka_unit_test(bulk_erase_gives_the_same_result),
        cmocka_unit_test(redirect_is_followed),
        cmocka_unit_test(second_update_goes_to_the_other_slot),
        cmocka_unit_test(responses_without_a_firmware_touch_nothing),
        cmocka_unit_test(images_for_others_touch_nothing),
        cmocka_unit_test(random_files_touch_nothing),
        cmocka_unit_test(configurations_that_cannot_be_safe_are_refused),
        cmocka_unit_test(unreachable_and_untrusted_servers_touch_nothing),
        cmocka_unit_test(bodies_shorter_or_longer_than_promised_are_refused),
        cmocka_unit_test(truncated_and_damaged_images_never_boot),
        cmocka_unit_test(tail_of_an_older_copy_does_not_complete_a_cut_file),
        cmocka_unit_test(image_larger_than_the_slot_is_refused_without_a_length_too),
        cmocka_unit_test(flash_errors_end_the_update),
        cmocka_unit_test(description_is_read_before_anything_is_written),
        cmocka_unit_test(abort_leaves_the_boot_partition),
        cmocka_unit_test(finish_before_the_end_does_not_switch),
        cmocka_unit_test(data_goes_to_its_partition_by_way_of_the_slot),
        cmocka_unit_test(init_callback_can_refuse_and_add_headers),
        cmocka_unit_test(events_tell_the_way_of_an_update),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
