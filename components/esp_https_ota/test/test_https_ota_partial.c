/* SPDX-License-Identifier: Apache-2.0
 *
 * Downloads in parts and downloads that go on: a server in this process that knows ranges, ignores
 * them, or gets them wrong. */
#include "storage_board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "net_lab.h"

static uint8_t s_image[0x40000];
static size_t s_image_len;

typedef struct {
    bool no_head;     /* 405 for HEAD */
    bool no_range;    /* always 200 with everything */
    bool wrong_start; /* sends other bytes than asked for */
    bool no_length;   /* no Content-Length anywhere */
    bool close;       /* one request a connection */
    size_t cut_after; /* ends the connection after so many body bytes in total; 0: never */
    size_t sent;
    int heads;
    int gets;
    char ranges[1024];
} server_t;

static bool send_body(int fd, server_t *server, const uint8_t *data, size_t len)
{
    if (server->cut_after > 0 && server->sent + len > server->cut_after) {
        len = server->cut_after - server->sent;
        server->cut_after = 0;
        (void)!send(fd, data, len, MSG_NOSIGNAL);
        return false;
    }
    server->sent += len;
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, data + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += (size_t)sent;
    }
    return true;
}

static bool answer(int fd, server_t *server, const char *request)
{
    char head[256];
    if (strncmp(request, "HEAD", 4) == 0) {
        server->heads++;
        snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%s%zu\r\n\r\n",
                 server->no_head ? "405 Not Allowed" : "200 OK",
                 server->no_length ? "X-Length: " : "Content-Length: ", s_image_len);
        lab_send(fd, head);
        return !server->no_head;
    }
    server->gets++;
    size_t first = 0;
    size_t last = s_image_len - 1;
    const char *range = strstr(request, "Range: bytes=");
    if (range != NULL) {
        size_t used = strlen(server->ranges);
        snprintf(server->ranges + used, sizeof(server->ranges) - used, "%.*s ",
                 (int)strcspn(range + 13, "\r"), range + 13);
        int fields = sscanf(range, "Range: bytes=%zu-%zu", &first, &last);
        if (fields < 1 || first >= s_image_len) {
            lab_send(fd, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
            return true;
        }
        if (last >= s_image_len) {
            last = s_image_len - 1;
        }
    }
    const char *connection = server->close ? "Connection: close\r\n" : "";
    if (range == NULL || server->no_range) {
        first = 0;
        last = s_image_len - 1;
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", connection,
                 s_image_len);
    } else {
        if (server->wrong_start) {
            first += first > 0;
        }
        snprintf(head, sizeof(head),
                 "HTTP/1.1 206 Part\r\n%sContent-Length: %zu\r\n"
                 "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                 connection, last - first + 1, first, last, s_image_len);
    }
    lab_send(fd, head);
    return send_body(fd, server, s_image + first, last - first + 1) && !server->close;
}

static void serve(int fd, const char *request, int number, void *arg)
{
    (void)number;
    char next[4096];
    snprintf(next, sizeof(next), "%s", request);
    while (next[0] != '\0' && answer(fd, arg, next)) {
        lab_read_request(fd, next, sizeof(next));
    }
}

typedef struct {
    lab_server_t *server;
    char url[64];
    esp_http_client_config_t http;
    esp_https_ota_config_t config;
} bench_t;

static void bench_start(bench_t *bench, server_t *server)
{
    board_new(BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "1", .payload = 4096}, BOARD_FACTORY);
    s_image_len = board_make_image(&(board_image_t){.version = "2", .payload = 150000, .seed = 3},
                                   BOARD_OTA_0, s_image, sizeof(s_image));
    lab_log_start();
    bench->server = lab_server_start(serve, server, true);
    snprintf(bench->url, sizeof(bench->url), "http://127.0.0.1:%d/new.bin",
             lab_server_port(bench->server));
    bench->http = (esp_http_client_config_t){.url = bench->url, .timeout_ms = 10000};
    bench->config = (esp_https_ota_config_t){
        .http_config = &bench->http, .partial_http_download = true, .max_http_request_size = 40000};
}

static void assert_updated(bench_t *bench)
{
    lab_server_stop(bench->server);
    assert_memory_equal(board_flash(BOARD_OTA_0), s_image, s_image_len);
    assert_ptr_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
}

static void assert_not_updated(bench_t *bench)
{
    lab_server_stop(bench->server);
    assert_ptr_not_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
}

static void parts_are_asked_for_one_after_the_other(void **state)
{
    (void)state;
    server_t server = {0};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_OK);
    assert_updated(&bench);
    assert_int_equal(server.heads, 1);
    assert_string_equal(server.ranges, "0-39999 40000-79999 80000-119999 120000- ");
    assert_int_equal(server.sent, s_image_len); /* nothing twice */
    assert_true(lab_log_has("Continuing with insecure option because "
                            "CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is set."));
}

static void parts_work_with_a_connection_each(void **state)
{
    (void)state;
    server_t server = {.close = true};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_OK);
    assert_updated(&bench);
    assert_int_equal(server.gets, 4);
}

static void file_smaller_than_a_part_is_asked_for_without_range(void **state)
{
    (void)state;
    server_t server = {0};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.max_http_request_size = 0x100000;
    assert_int_equal(esp_https_ota(&bench.config), ESP_OK);
    assert_updated(&bench);
    assert_string_equal(server.ranges, "");
}

static void length_is_found_without_head(void **state)
{
    (void)state;
    server_t server = {.no_head = true};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_OK);
    assert_updated(&bench);
    assert_string_equal(server.ranges, "0-0 0-39999 40000-79999 80000-119999 120000- ");
}

static void without_a_length_there_are_no_parts(void **state)
{
    (void)state;
    server_t server = {.no_length = true};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_FAIL);
    assert_true(lab_log_has("Failed to get image length from http response"));
    assert_not_updated(&bench);
}

static void server_that_ignores_ranges_delivers_all_at_once(void **state)
{
    (void)state;
    server_t server = {.no_range = true};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_OK);
    assert_updated(&bench);
    assert_int_equal(server.gets, 1);
}

static void bytes_from_another_place_are_refused(void **state)
{
    (void)state;
    server_t server = {.wrong_start = true};
    bench_t bench;
    bench_start(&bench, &server);
    assert_int_equal(esp_https_ota(&bench.config), ESP_FAIL);
    assert_true(lab_log_has("The server sent bytes from 40001 on instead of 40000"));
    assert_not_updated(&bench);
}

/* Downloads until the server cuts the connection; returns what the application would remember. */
static int download_until_cut(bench_t *bench)
{
    esp_https_ota_handle_t handle;
    assert_int_equal(esp_https_ota_begin(&bench->config, &handle), ESP_OK);
    esp_err_t err;
    while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
    }
    assert_int_equal(err, ESP_FAIL);
    int written = esp_https_ota_get_image_len_read(handle);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    return written;
}

static esp_err_t go_on(bench_t *bench, int written)
{
    bench->config.ota_resumption = true;
    bench->config.ota_image_bytes_written = (size_t)written;
    esp_https_ota_handle_t handle;
    esp_err_t err = esp_https_ota_begin(&bench->config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    assert_int_equal(esp_https_ota_get_image_size(handle), s_image_len);
    while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
    }
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

static void cut_download_goes_on_where_it_was(void **state)
{
    (void)state;
    for (int partial = 0; partial <= 1; partial++) {
        server_t server = {.cut_after = 100000};
        bench_t bench;
        bench_start(&bench, &server);
        bench.config.partial_http_download = partial;
        int written = download_until_cut(&bench);
        assert_in_range(written, 90000, 100000);
        server.sent = 0;
        assert_int_equal(go_on(&bench, written), ESP_OK);
        assert_in_range(server.sent, s_image_len - 100000, s_image_len - 86000);
        assert_updated(&bench);
    }
}

static void what_was_written_after_the_last_note_does_no_harm(void **state)
{
    (void)state;
    server_t server = {.cut_after = 100000};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.partial_http_download = false;
    int written = download_until_cut(&bench);
    assert_int_equal(go_on(&bench, written - 50001), ESP_OK);
    assert_updated(&bench);
}

static void resumption_starts_over_when_the_server_cannot(void **state)
{
    (void)state;
    server_t server = {.cut_after = 100000, .no_range = true};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.partial_http_download = false;
    int written = download_until_cut(&bench);
    assert_int_equal(go_on(&bench, written), ESP_OK);
    assert_true(lab_log_has("Server ignored the requested Range header"));
    assert_true(lab_log_has("OTA resumption requires server with range request support."));
    assert_true(lab_log_has(
        "Falling back to OTA without resumption and restarting download from beginning"));
    assert_updated(&bench);
}

static void resumption_from_nothing_is_an_ordinary_download(void **state)
{
    (void)state;
    server_t server = {0};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.partial_http_download = false;
    assert_int_equal(go_on(&bench, 0), ESP_OK);
    assert_string_equal(server.ranges, "0- ");
    assert_updated(&bench);
}

static void resumption_beyond_the_file_starts_over(void **state)
{
    (void)state;
    server_t server = {0};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.partial_http_download = false;
    assert_int_equal(go_on(&bench, 0x3F000), ESP_OK);
    assert_true(lab_log_has("Requested range is incorrect (status code: 416)"));
    assert_updated(&bench);
}

static void another_file_under_the_name_is_not_mixed_with_the_old(void **state)
{
    (void)state;
    server_t server = {.cut_after = 100000};
    bench_t bench;
    bench_start(&bench, &server);
    bench.config.partial_http_download = false;
    int written = download_until_cut(&bench);
    s_image_len = board_make_image(&(board_image_t){.version = "3", .payload = 150000, .seed = 4},
                                   BOARD_OTA_0, s_image, sizeof(s_image));
    assert_int_equal(go_on(&bench, written), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_not_updated(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_asked_for_one_after_the_other),
        cmocka_unit_test(parts_work_with_a_connection_each),
        cmocka_unit_test(file_smaller_than_a_part_is_asked_for_without_range),
        cmocka_unit_test(length_is_found_without_head),
        cmocka_unit_test(without_a_length_there_are_no_parts),
        cmocka_unit_test(server_that_ignores_ranges_delivers_all_at_once),
        cmocka_unit_test(bytes_from_another_place_are_refused),
        cmocka_unit_test(cut_download_goes_on_where_it_was),
        cmocka_unit_test(what_was_written_after_the_last_note_does_no_harm),
        cmocka_unit_test(resumption_starts_over_when_the_server_cannot),
        cmocka_unit_test(resumption_from_nothing_is_an_ordinary_download),
        cmocka_unit_test(resumption_beyond_the_file_starts_over),
        cmocka_unit_test(another_file_under_the_name_is_not_mixed_with_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
