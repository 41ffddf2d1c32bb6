/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers that stop or crawl: an update ends in time, whatever they do. */
#include "storage_board.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "net_lab.h"

#include "hal/clock.h"

static uint8_t s_image[0x40000];
static size_t s_image_len;

#define SERVER_MS 5000 /* how long the server goes on, at least */

/* Sends this many bytes of the image, then one byte each pause_us, or nothing, for SERVER_MS or
 * more, or until the client is gone. */
typedef struct {
    size_t fast;
    unsigned pause_us; /* 0: nothing */
    bool slow_head;
    bool no_head;
} server_t;

static void crawl(int fd, const char *text, unsigned pause_us)
{
    for (; *text != '\0'; text++) {
        if (send(fd, text, 1, MSG_NOSIGNAL) != 1) {
            return;
        }
        usleep(pause_us);
    }
}

static void serve(int fd, const char *request, int number, void *arg)
{
    (void)request;
    (void)number;
    const server_t *server = arg;
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", s_image_len);
    if (server->slow_head) {
        for (int i = 0; i < 20; i++) {
            crawl(fd, head, server->pause_us);
        }
        return;
    }
    if (!server->no_head) {
        lab_send(fd, head);
        (void)!send(fd, s_image, server->fast, MSG_NOSIGNAL);
    }
    for (int i = 0; i < SERVER_MS / 50; i++) {
        if (server->pause_us > 0 && send(fd, s_image + server->fast + i, 1, MSG_NOSIGNAL) != 1) {
            return;
        }
        char byte;
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) {
            return;
        }
        usleep(server->pause_us > 0 ? server->pause_us : 50000);
    }
}

static void assert_given_up(server_t *server, int timeout_ms, esp_err_t code, const char *words,
                            unsigned min_ms)
{
    board_new(BOARD_FACTORY);
    board_put_image(&(board_image_t){.version = "1", .payload = 4096}, BOARD_FACTORY);
    s_image_len = board_make_image(&(board_image_t){.version = "2", .payload = 100000, .seed = 5},
                                   BOARD_OTA_0, s_image, sizeof(s_image));
    lab_log_start();
    lab_server_t *lab = lab_server_start(serve, server, true);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x.bin", lab_server_port(lab));
    esp_http_client_config_t http = {.url = url, .timeout_ms = timeout_ms};
    uint64_t before = hal_clock_us();
    assert_int_equal(esp_https_ota(&(esp_https_ota_config_t){.http_config = &http}), code);
    assert_in_range((hal_clock_us() - before) / 1000, min_ms, SERVER_MS);
    assert_true(lab_log_has(words));
    assert_ptr_not_equal(esp_ota_get_boot_partition(), board_partition("ota_0"));
    lab_server_stop(lab);
}

static void server_that_falls_silent_is_given_up_after_the_stall_limit(void **state)
{
    (void)state;
    server_t early = {.fast = 100};
    assert_given_up(&early, 400, ESP_ERR_TIMEOUT, "The server has sent nothing for ", 450);
    server_t late = {.fast = 60000};
    assert_given_up(&late, 400, ESP_ERR_TIMEOUT, "The server has sent nothing for ", 450);
}

static void server_that_never_answers_is_given_up_after_the_timeout(void **state)
{
    (void)state;
    server_t server = {.no_head = true};
    assert_given_up(&server, 300, -ESP_ERR_HTTP_EAGAIN,
                    "accepted the request but did not answer it in time", 250);
}

static void server_that_crawls_is_given_up_at_the_deadline(void **state)
{
    (void)state;
    server_t body = {.fast = 60000, .pause_us = 50000};
    assert_given_up(&body, 1000, ESP_ERR_TIMEOUT, "longer than ESP_HTTPS_OTA_DEADLINE_S (2 s)",
                    1900);
    server_t head = {.slow_head = true, .pause_us = 60000};
    assert_given_up(&head, 1000, -ESP_ERR_HTTP_EAGAIN, "did not answer it in time", 1900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_that_falls_silent_is_given_up_after_the_stall_limit),
        cmocka_unit_test(server_that_never_answers_is_given_up_after_the_timeout),
        cmocka_unit_test(server_that_crawls_is_given_up_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
