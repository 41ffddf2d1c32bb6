/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against servers in this process that answer as told, byte for byte, and against
 * openssl's s_server over TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_http_client.h"
#include "esp_private/esp_http_client_update.h"
#include "net_lab.h"

#include "hal/clock.h"

#define NET_MS 60000 /* only reached when something is broken */

/* --- servers --- */

/* Answers, one a connection (the last again and again), and the requests that came. */
typedef struct {
    const char *answers[8];
    int pause_us;   /* between single bytes; 0: all at once */
    bool hold;      /* keep the connection open after the answer until the client closes it */
    bool keep_open; /* answer more requests on the same connection */
    char requests[16][2048];
    int count;
} script_t;

static void send_answer(int fd, const script_t *script, const char *answer)
{
    if (script->pause_us == 0) {
        lab_send(fd, answer);
        return;
    }
    char byte;
    for (; *answer != '\0' && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0; answer++) {
        lab_send(fd, (const char[]){*answer, '\0'});
        usleep((useconds_t)script->pause_us);
    }
}

static const char *answer_number(const script_t *script, int number)
{
    const int last = (int)(sizeof(script->answers) / sizeof(script->answers[0])) - 1;
    int answer = number < last ? number : last;
    while (answer > 0 && script->answers[answer] == NULL) {
        answer--;
    }
    return script->answers[answer];
}

static void play(int fd, const char *request, int number, void *arg)
{
    script_t *script = arg;
    char next[2048];
    snprintf(next, sizeof(next), "%s", request);
    (void)number;
    do {
        int index = script->count++;
        if (index < 16) {
            snprintf(script->requests[index], sizeof(script->requests[0]), "%s", next);
        }
        send_answer(fd, script, answer_number(script, index < 8 ? index : 7));
        if (script->keep_open) {
            lab_read_request(fd, next, sizeof(next));
        }
    } while (script->keep_open && next[0] != '\0');
    char byte;
    while (script->hold && recv(fd, &byte, 1, 0) > 0) {
    }
}

typedef struct {
    lab_server_t *server;
    esp_http_client_handle_t client;
    char url[64];
} bench_t;

static bench_t bench_start(script_t *script, esp_http_client_config_t config)
{
    bench_t bench = {.server = lab_server_start(play, script, true)};
    snprintf(bench.url, sizeof(bench.url), "http://127.0.0.1:%d/file.bin",
             lab_server_port(bench.server));
    lab_log_start();
    config.url = bench.url;
    bench.client = esp_http_client_init(&config);
    assert_non_null(bench.client);
    return bench;
}

static void bench_end(bench_t *bench)
{
    assert_int_equal(esp_http_client_cleanup(bench->client), ESP_OK);
    lab_server_stop(bench->server);
}

/* --- events --- */

typedef struct {
    int seen[10];
    char order[256];
    char body[4096];
    size_t body_len;
    char header[256];
} events_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    events_t *events = event->user_data;
    events->seen[event->event_id]++;
    size_t used = strlen(events->order);
    snprintf(events->order + used, sizeof(events->order) - used, "%d ", event->event_id);
    if (event->event_id == HTTP_EVENT_ON_DATA &&
        events->body_len + (size_t)event->data_len < sizeof(events->body)) {
        memcpy(events->body + events->body_len, event->data, (size_t)event->data_len);
        events->body_len += (size_t)event->data_len;
    }
    if (event->event_id == HTTP_EVENT_ON_HEADER) {
        snprintf(events->header, sizeof(events->header), "%s=%s", event->header_key,
                 event->header_value);
    }
    return ESP_OK;
}

/* --- streaming --- */

static void body_with_length_is_read_exactly(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.0 200 ok\r\ncontent-LENGTH:5\r\n\r\nhello"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 5);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    assert_int_equal(esp_http_client_get_content_length(bench.client), 5);
    assert_false(esp_http_client_is_chunked_response(bench.client));
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    assert_int_equal(esp_http_client_read(bench.client, buf, 3), 3);
    assert_memory_equal(buf, "hel", 3);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 2);
    assert_memory_equal(buf, "lo", 2);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 0);
    assert_true(esp_http_client_is_complete_data_received(bench.client));
    assert_int_equal(errno, 0);
    assert_string_equal(script.requests[0] + strlen("GET /file.bin HTTP/1.1\r\n"),
                        strstr(script.requests[0], "User-Agent: ESP32 HTTP Client/1.0\r\nHost: "));
    assert_null(strstr(script.requests[0], "Connection"));
    bench_end(&bench);
}

static void single_bytes_from_the_server_make_no_difference(void **state)
{
    (void)state;
    script_t script = {
        .answers = {"HTTP/1.1 200 OK\r\nX-Long: a\r\nTransfer-Encoding: chunked\r\n"
                    "\r\n5;ext=1\r\nhello\r\n7\r\n, world\r\n0\r\nTrailer: x\r\n\r\n"},
        .pause_us = 200};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.buffer_size = 7});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 0);
    assert_true(esp_http_client_is_chunked_response(bench.client));
    assert_int_equal(esp_http_client_get_content_length(bench.client), -1);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 12);
    assert_memory_equal(buf, "hello, world", 12);
    assert_true(esp_http_client_is_complete_data_received(bench.client));
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 0);
    assert_true(esp_http_client_is_persistent_connection(bench.client));
    bench_end(&bench);
}

static void chunks_that_came_with_the_headers_are_decoded_in_any_piece_size(void **state)
{
    (void)state;
    for (int size = 1; size <= 9; size++) {
        script_t script = {.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "1\r\na\r\n0a\r\n0123456789\r\n0\r\n\r\n"}};
        bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
        char body[64];
        int len = 0;
        int got;
        assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(bench.client), 0);
        while ((got = esp_http_client_read(bench.client, body + len, size)) > 0) {
            assert_in_range(got, 1, size);
            len += got;
        }
        assert_int_equal(got, 0);
        assert_int_equal(len, 11);
        assert_memory_equal(body, "a0123456789", 11);
        bench_end(&bench);
    }
}

static void body_without_length_ends_with_the_connection(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\nhello"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 0);
    assert_true(esp_http_client_is_chunked_response(bench.client));
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 5);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 0);
    assert_true(esp_http_client_is_complete_data_received(bench.client));
    assert_false(esp_http_client_is_persistent_connection(bench.client));
    bench_end(&bench);
}

static void early_end_is_an_error_after_the_bytes_that_came(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 10);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 5);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    assert_int_equal(lab_log_count("closed the connection after 5 of 10 bytes"), 1);
    bench_end(&bench);
}

static void early_end_inside_a_chunk_is_an_error(void **state)
{
    (void)state;
    script_t script = {
        .answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhel"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 0);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 3);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), -1);
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    assert_true(lab_log_has("stream ended at an unexpected time"));
    bench_end(&bench);
}

static void silence_is_a_timeout_and_not_an_end(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
                       .hold = true};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.timeout_ms = 1000});
    char buf[32];
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 10);
    uint64_t before = hal_clock_us();
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 5);
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), -ESP_ERR_HTTP_EAGAIN);
    assert_in_range((hal_clock_us() - before) / 1000, 1750, NET_MS);
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    bench_end(&bench);
}

static void silence_before_the_headers_is_a_timeout(void **state)
{
    (void)state;
    script_t script = {.answers = {""}, .hold = true};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.timeout_ms = 200});
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(esp_http_client_get_status_code(bench.client), -1);
    assert_true(lab_log_has("Connection timed out before data was ready!"));
    char buf[4];
    assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), -1);
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    bench_end(&bench);
}

static void deadline_ends_every_wait(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                       .pause_us = 100000};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.timeout_ms = 5000});
    uint64_t before = hal_clock_us();
    esp_http_client_set_deadline(bench.client, (int64_t)before + 1000000);
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), -ESP_ERR_HTTP_EAGAIN);
    assert_in_range((hal_clock_us() - before) / 1000, 990, NET_MS);
    bench_end(&bench);
}

static void surplus_after_the_announced_length_is_noticed(void **state)
{
    (void)state;
    char buf[32];
    const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n!",
    };
    for (size_t i = 0; i < 4; i++) {
        script_t script = {.answers = {answers[i]}};
        bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
        assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
        assert_true(esp_http_client_fetch_headers(bench.client) >= 0);
        assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), 5);
        assert_memory_equal(buf, "hello", 5);
        assert_int_equal(esp_http_client_has_surplus(bench.client, 1000), i > 0);
        bench_end(&bench);
    }
}

static void interim_responses_are_skipped(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
                                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}};
    events_t events = {0};
    bench_t bench = bench_start(
        &script, (esp_http_client_config_t){.event_handler = on_event, .user_data = &events});
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), 2);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    assert_int_equal(events.seen[HTTP_EVENT_ON_HEADER], 1);
    bench_end(&bench);
}

static void head_expects_no_body(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
                       .keep_open = true};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.method = HTTP_METHOD_HEAD});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_content_length(bench.client), 1000);
    assert_false(esp_http_client_is_complete_data_received(bench.client));
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(script.count, 2);
    assert_int_equal(lab_server_connections(bench.server), 1);
    bench_end(&bench);
}

static void broken_responses_are_refused(void **state)
{
    (void)state;
    const char *const answers[] = {
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551614\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "\x15\x03\x01\x02\x02\x46",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        script_t script = {.answers = {answers[i]}};
        bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
        assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(bench.client), ESP_FAIL);
        assert_true(lab_log_has("HTTP parser error: "));
        char buf[8];
        assert_int_equal(esp_http_client_read(bench.client, buf, sizeof(buf)), -1);
        bench_end(&bench);
    }
    assert_true(lab_log_has("answers in TLS: use https:// in the URL"));
}

static void endless_headers_are_refused(void **state)
{
    (void)state;
    char *answer = calloc(1, 120000);
    strcpy(answer, "HTTP/1.1 200 OK\r\n");
    for (size_t len = strlen(answer); len < 110000; len += 20) {
        memcpy(answer + len, "X-Header: abcdefgh\r\n", 20);
    }
    script_t script = {.answers = {answer}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    assert_int_equal(esp_http_client_open(bench.client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(bench.client), ESP_FAIL);
    assert_true(lab_log_has("HTTP parser error: "));
    bench_end(&bench);
    free(answer);
}

static void refused_connection_is_reported(void **state)
{
    (void)state;
    events_t events = {0};
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", lab_closed_port());
    lab_log_start();
    esp_http_client_handle_t client = esp_http_client_init(
        &(esp_http_client_config_t){.url = url, .event_handler = on_event, .user_data = &events});
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_CONNECT);
    assert_true(lab_log_has("HTTP_CLIENT: Connection failed, sock < 0"));
    assert_int_equal(events.seen[HTTP_EVENT_ERROR], 1);
    assert_int_equal(esp_http_client_get_errno(client), ECONNREFUSED);
    assert_int_equal(esp_http_client_get_errno(client), 0);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    assert_int_equal(esp_http_client_cleanup(NULL), ESP_FAIL);
}

/* --- requests --- */

static void headers_are_set_replaced_and_deleted_without_case(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.user_agent = "me"});
    esp_http_client_handle_t client = bench.client;
    char *value;
    assert_int_equal(esp_http_client_set_header(client, "X-Device", "  one \t"), ESP_OK);
    assert_int_equal(esp_http_client_get_header(client, "x-device", &value), ESP_OK);
    assert_string_equal(value, "one");
    assert_int_equal(esp_http_client_set_header(client, "x-DEVICE", "two"), ESP_OK);
    assert_int_equal(esp_http_client_set_header(client, "X-Gone", "x"), ESP_OK);
    assert_int_equal(esp_http_client_set_header(client, "X-Gone", NULL), ESP_OK);
    assert_int_equal(esp_http_client_delete_header(client, "X-Gone"), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_get_header(client, "X-Gone", &value), ESP_ERR_NOT_FOUND);
    assert_null(value);
    assert_int_equal(esp_http_client_set_header(client, "X", "a\r\nEvil: b"), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_header(NULL, "X", "a"), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    char expected[256];
    snprintf(
        expected, sizeof(expected),
        "GET /file.bin HTTP/1.1\r\nUser-Agent: me\r\nHost: 127.0.0.1:%d\r\nX-Device: two\r\n\r\n",
        lab_server_port(bench.server));
    assert_string_equal(script.requests[0], expected);
    bench_end(&bench);
}

static void long_requests_are_sent_in_pieces_or_refused(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.buffer_size_tx = 64});
    char text[101];
    memset(text, 'x', 100);
    text[100] = '\0';
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "X-%d", i);
        assert_int_equal(esp_http_client_set_header(bench.client, key, text + 60), ESP_OK);
    }
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_non_null(strstr(script.requests[0], "\r\nX-7: xxx"));
    assert_int_equal(esp_http_client_set_header(bench.client, "X-8", text), ESP_OK);
    assert_int_equal(esp_http_client_perform(bench.client), ESP_ERR_HTTP_HEADER_TOO_LONG);
    assert_true(lab_log_has("Buffer length is small to fit all the headers, required 107 bytes, "
                            "buffer size 64"));
    char url[200];
    snprintf(url, sizeof(url), "/%s", text);
    assert_int_equal(esp_http_client_set_url(bench.client, url), ESP_OK);
    assert_int_equal(esp_http_client_perform(bench.client), ESP_FAIL);
    assert_true(lab_log_has("Out of buffer"));
    bench_end(&bench);
}

static void body_is_posted_with_its_length(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    assert_int_equal(esp_http_client_set_post_field(bench.client, "a=b", 3), ESP_OK);
    char *data = NULL;
    assert_int_equal(esp_http_client_get_post_field(bench.client, &data), 3);
    assert_string_equal(data, "a=b");
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_non_null(strstr(script.requests[0], "POST /file.bin HTTP/1.1\r\n"));
    assert_non_null(
        strstr(script.requests[0], "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(script.requests[0], "Content-Length: 3\r\n"));
    bench_end(&bench);
}

static void connection_is_kept_and_made_again_when_the_server_closed_it(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
                       .keep_open = true};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    }
    assert_int_equal(lab_server_connections(bench.server), 1);
    bench_end(&bench);
    assert_int_equal(script.count, 3);

    script_t closing = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}};
    bench = bench_start(&closing, (esp_http_client_config_t){0});
    for (int i = 0; i < 3; i++) { /* says it keeps the connection, but closes it */
        assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
        usleep((useconds_t)i * 50000); /* seen before the next request is sent, and after */
    }
    bench_end(&bench);
    assert_int_equal(closing.count, 3);
}

/* --- perform --- */

static void events_come_in_order(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 200 OK\r\nX-A: b \r\nContent-Length: 5\r\n"
                                   "Connection: close\r\n\r\nhello"}};
    events_t events = {0};
    bench_t bench = bench_start(
        &script, (esp_http_client_config_t){.event_handler = on_event, .user_data = &events});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_string_equal(events.order, "1 2 5 3 3 3 4 6 7 8 ");
    assert_int_equal(events.body_len, 5);
    assert_memory_equal(events.body, "hello", 5);
    char *value;
    assert_int_equal(esp_http_client_get_response_header(bench.client, "x-a", &value), ESP_OK);
    assert_string_equal(value, "b");
    assert_int_equal(esp_http_client_get_response_header(bench.client, "x-b", &value),
                     ESP_ERR_NOT_FOUND);
    bench_end(&bench);
    /* There is no default event loop here: that is said once, not once an event. */
    assert_int_equal(lab_log_count("Failed to post http_client event"), 1);
}

static void error_status_is_no_error_of_perform(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"}};
    events_t events = {0};
    bench_t bench = bench_start(
        &script, (esp_http_client_config_t){.event_handler = on_event, .user_data = &events});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 404);
    assert_memory_equal(events.body, "gone", 4);
    bench_end(&bench);
}

static void failures_of_perform_have_their_codes(void **state)
{
    (void)state;
    const struct {
        const char *answer;
        bool hold;
        esp_err_t code;
    } cases[] = {
        {"", false, ESP_ERR_HTTP_CONNECTION_CLOSED},
        {"", true, ESP_ERR_HTTP_EAGAIN},
        {"nonsense\r\n\r\n", false, ESP_ERR_HTTP_FETCH_HEADER},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false, ESP_ERR_HTTP_INCOMPLETE_DATA},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", false,
         ESP_ERR_HTTP_INCOMPLETE_DATA},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        script_t script = {.answers = {cases[i].answer}, .hold = cases[i].hold};
        bench_t bench = bench_start(
            &script, (esp_http_client_config_t){.timeout_ms = cases[i].hold ? 200 : NET_MS});
        assert_int_equal(esp_http_client_perform(bench.client), cases[i].code);
        bench_end(&bench);
    }
}

static void redirects_are_followed_to_relative_and_absolute_places(void **state)
{
    (void)state;
    script_t target = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}};
    lab_server_t *other = lab_server_start(play, &target, true);
    char absolute[256];
    snprintf(absolute, sizeof(absolute),
             "HTTP/1.1 307 Temporary Redirect\r\nLOCATION: http://localhost:%d/there?x=1\r\n"
             "Content-Length: 0\r\n\r\n",
             lab_server_port(other));
    script_t script = {
        .answers = {"HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 4\r\n\r\n"
                    "away",
                    "HTTP/1.1 302 Found\r\nlocation: newer\r\n"
                    "Content-Length: 0\r\n\r\n",
                    absolute}};
    bench_t bench =
        bench_start(&script, (esp_http_client_config_t){.username = "u", .password = "p"});
    assert_int_equal(esp_http_client_set_header(bench.client, "Authorization", "secret"), ESP_OK);
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    assert_non_null(strstr(script.requests[0], "GET /file.bin HTTP"));
    assert_non_null(strstr(script.requests[1], "GET /new HTTP"));
    assert_non_null(strstr(script.requests[2], "GET /newer HTTP"));
    assert_non_null(strstr(script.requests[2], "Authorization: secret"));
    assert_non_null(strstr(target.requests[0], "GET /there?x=1 HTTP"));
    assert_non_null(strstr(target.requests[0], "Host: localhost:"));
    assert_null(strstr(target.requests[0], "Authorization")); /* not for another host */
    char *name;
    assert_int_equal(esp_http_client_get_username(bench.client, &name), ESP_OK);
    assert_null(name);
    bench_end(&bench);
    lab_server_stop(other);
}

static void redirects_have_a_limit_and_can_be_left_to_the_caller(void **state)
{
    (void)state;
    const char loop[] = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
    script_t script = {.answers = {loop}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_true(lab_log_has("Error, reach max_redirection_count count=10"));
    bench_end(&bench);
    assert_int_equal(script.count, 11);

    script_t once = {.answers = {loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    events_t events = {0};
    bench = bench_start(&once, (esp_http_client_config_t){.disable_auto_redirect = true,
                                                          .event_handler = on_event,
                                                          .user_data = &events});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 302);
    assert_int_equal(events.seen[HTTP_EVENT_REDIRECT], 1);
    assert_int_equal(esp_http_client_set_redirection(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    assert_int_equal(esp_http_client_set_redirection(bench.client), ESP_ERR_INVALID_ARG);
    bench_end(&bench);
}

static void basic_authentication_answers_a_challenge(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic "
                                   "realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    bench_t bench = bench_start(
        &script, (esp_http_client_config_t){.username = "Aladdin", .password = "open sesame"});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
    assert_null(strstr(script.requests[0], "Authorization"));
    assert_non_null(
        strstr(script.requests[1], "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    bench_end(&bench);
}

/* The response to the server's nonce is recomputed with openssl's digests. */
static void assert_digest(const char *request, const char *hash)
{
    char nc[16];
    char cnonce[64];
    char response[128];
    const char *p = strstr(request, "Authorization: Digest ");
    assert_non_null(p);
    assert_int_equal(sscanf(strstr(p, "nc="), "nc=%15[0-9a-f]", nc), 1);
    assert_int_equal(sscanf(strstr(p, "cnonce="), "cnonce=\"%63[0-9a-f]", cnonce), 1);
    assert_int_equal(sscanf(strstr(p, "response="), "response=\"%127[0-9a-f]", response), 1);
    assert_string_equal(nc, "00000001");
    assert_int_equal(strlen(cnonce), 16);
    lab_run("H() { printf '%%s' \"$1\" | openssl dgst -%s | sed 's/.* //'; }; "
            "test \"$(H \"$(H 'me:the realm:pw'):abc==:%s:%s:auth:$(H 'GET:/file.bin')\")\" = %s",
            hash, nc, cnonce, response);
}

static void digest_authentication_answers_a_challenge(void **state)
{
    (void)state;
    const struct {
        const char *algorithm;
        const char *hash;
    } cases[] = {{"", "md5"}, {", algorithm=MD5", "md5"}, {", algorithm=SHA-256", "sha256"}};
    for (size_t i = 0; i < 3; i++) {
        char challenge[512];
        snprintf(challenge, sizeof(challenge),
                 "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"the realm\"\r\n"
                 "WWW-Authenticate: Digest realm=\"the realm\", qop=\"auth-int, auth\", "
                 "nonce=\"abc==\", opaque=\"o\"%s\r\nContent-Length: 0\r\n\r\n",
                 cases[i].algorithm);
        script_t script = {.answers = {challenge, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
        bench_t bench =
            bench_start(&script, (esp_http_client_config_t){.username = "me", .password = "pw"});
        assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(bench.client), 200);
        assert_digest(script.requests[1], cases[i].hash);
        assert_non_null(strstr(script.requests[1], "opaque=\"o\""));
        bench_end(&bench);
    }
}

static void challenges_that_cannot_be_answered_fail(void **state)
{
    (void)state;
    script_t script = {.answers = {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"
                                   "Content-Length: 0\r\n\r\n"}};
    bench_t bench = bench_start(&script, (esp_http_client_config_t){.username = "me"});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_ERR_NOT_SUPPORTED);
    assert_true(lab_log_has("This authentication method is not supported: Negotiate"));
    bench_end(&bench);

    script_t wrong = {.answers = {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n"
                                  "Content-Length: 0\r\n\r\n"}};
    bench = bench_start(
        &wrong, (esp_http_client_config_t){.username = "me", .max_authorization_retries = 2});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_FAIL);
    assert_true(lab_log_has("Error, reached max_authorization_retries count=2"));
    bench_end(&bench);
    assert_int_equal(wrong.count, 3);
}

static void ranges_are_told(void **state)
{
    (void)state;
    const struct {
        const char *value;
        int64_t start;
        int64_t total;
    } cases[] = {
        {"bytes 10-19/100", 10, 100}, {"bytes 0-0/5", 0, 5},
        {"bytes 10-19/*", 10, -1},    {"bytes */100", -1, 100},
        {"garbage", -1, -1},          {"bytes 1-2/9x", 1, -1},
        {"bytes 1-2/", 1, -1},        {"bytes 99999999999999999999-1/1", -1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answer[256];
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 206 Partial\r\nContent-Range: %s\r\nContent-Length: 0\r\n\r\n",
                 cases[i].value);
        script_t script = {.answers = {answer}};
        bench_t bench = bench_start(&script, (esp_http_client_config_t){0});
        assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
        assert_int_equal(esp_http_client_get_range_start(bench.client), cases[i].start);
        assert_int_equal(esp_http_client_get_content_range(bench.client), cases[i].total);
        bench_end(&bench);
    }
}

/* --- configuration --- */

static void configurations_without_a_server_are_refused(void **state)
{
    (void)state;
    lab_log_start();
    assert_null(esp_http_client_init(NULL));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){0}));
    assert_true(lab_log_has("config should have either URL or host & path"));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "nonsense"}));
    assert_true(lab_log_has("Error parse url nonsense"));
    assert_true(lab_log_has("Failed to set URL"));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.host = "", .path = "/"}));
    assert_true(lab_log_has("invalid host"));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.host = "a", .path = "/ b"}));
}

static void parts_make_a_url_and_win_over_it(void **state)
{
    (void)state;
    char url[64];
    esp_http_client_handle_t client = esp_http_client_init(
        &(esp_http_client_config_t){.url = "http://other/",
                                    .host = "host",
                                    .path = "/p",
                                    .query = "q",
                                    .transport_type = HTTP_TRANSPORT_OVER_SSL});
    assert_non_null(client);
    assert_int_equal(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "https://host:443/p");
    assert_int_equal(esp_http_client_get_url(client, url, 5), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_http_client_get_transport_type(client), HTTP_TRANSPORT_OVER_SSL);
    assert_int_equal(esp_http_client_get_socket(client), -1);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
}

static void other_schemes_have_no_transport(void **state)
{
    (void)state;
    lab_log_start();
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = "ftp://host/x"});
    assert_non_null(client);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_INVALID_TRANSPORT);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
}

/* --- TLS --- */

static void openssl_www_server_delivers_a_file_of_unknown_length(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    char *pem = lab_read_file("self.pem", NULL);
    size_t file_len;
    char *file = lab_read_file("big.bin", &file_len);
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%d/big.bin", server.port);
    lab_log_start();
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = url, .cert_pem = pem});
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 0);
    char *got = malloc(file_len + 10);
    assert_int_equal(esp_http_client_read(client, got, (int)file_len + 10), file_len);
    assert_memory_equal(got, file, file_len);
    assert_true(esp_http_client_is_complete_data_received(client));
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    free(got);
    free(file);
    free(pem);
    lab_tls_server_kill(&server);
}

static void cut_without_close_notify_makes_a_body_of_unknown_length_incomplete(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-quiet");
    char *pem = lab_read_file("self.pem", NULL);
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%d/", server.port);
    lab_log_start();
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = url, .cert_pem = pem});
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    const char answer[] = "HTTP/1.0 200 ok\r\n\r\nhello";
    assert_int_equal(write(server.in, answer, strlen(answer)), strlen(answer));
    assert_int_equal(esp_http_client_fetch_headers(client), 0);
    char buf[32];
    assert_int_equal(esp_http_client_read(client, buf, 5), 5);
    lab_tls_server_kill(&server);
    assert_int_equal(esp_http_client_read(client, buf, sizeof(buf)), -1);
    assert_false(esp_http_client_is_complete_data_received(client));
    assert_true(lab_log_has("was cut after 5 bytes of a body of unknown length"));
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    free(pem);
}

static void https_does_not_go_back_to_http_but_http_goes_to_https(void **state)
{
    (void)state;
    char *pem = lab_read_file("self.pem", NULL);
    /* s_server -HTTP sends files as whole responses. */
    lab_write_file("down.txt", "HTTP/1.0 302 Found\r\nLocation: http://localhost/x\r\n\r\n", 53);
    lab_write_file("fine.txt", "HTTP/1.0 200 OK\r\n\r\nfine", 23);
    lab_tls_server_t server = lab_tls_server("self", "-HTTP");
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%d/down.txt", server.port);
    lab_log_start();
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = url, .cert_pem = pem});
    assert_int_equal(esp_http_client_perform(client), ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    assert_true(lab_log_has("HTTPS origin can only redirect to https:// targets (got "
                            "http://localhost/x)"));
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);

    char answer[128];
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 302 Found\r\nLocation: https://localhost:%d/fine.txt\r\n"
             "Content-Length: 0\r\n\r\n",
             server.port);
    script_t script = {.answers = {answer}};
    events_t events = {0};
    bench_t bench =
        bench_start(&script, (esp_http_client_config_t){
                                 .cert_pem = pem, .event_handler = on_event, .user_data = &events});
    assert_int_equal(esp_http_client_perform(bench.client), ESP_OK);
    assert_memory_equal(events.body, "fine", 4);
    bench_end(&bench);
    lab_tls_server_kill(&server);
    free(pem);
}

static void asynchronous_perform_never_waits(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    char *pem = lab_read_file("self.pem", NULL);
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%d/hello.txt", server.port);
    lab_log_start();
    events_t events = {0};
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = url,
                                                         .cert_pem = pem,
                                                         .is_async = true,
                                                         .event_handler = on_event,
                                                         .user_data = &events});
    esp_err_t err;
    while ((err = esp_http_client_perform(client)) == ESP_ERR_HTTP_EAGAIN) {
        usleep(1000);
    }
    assert_int_equal(err, ESP_OK);
    assert_memory_equal(events.body, "hello, device\n", 14);
    assert_int_equal(events.seen[HTTP_EVENT_ON_CONNECTED], 1);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    free(pem);
    lab_tls_server_kill(&server);
}

static int make_files(void **state)
{
    (void)state;
    lab_self_signed("self", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    lab_write_file("hello.txt", "hello, device\n", 14);
    lab_run("openssl rand -out big.bin 300001");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_with_length_is_read_exactly),
        cmocka_unit_test(single_bytes_from_the_server_make_no_difference),
        cmocka_unit_test(chunks_that_came_with_the_headers_are_decoded_in_any_piece_size),
        cmocka_unit_test(body_without_length_ends_with_the_connection),
        cmocka_unit_test(early_end_is_an_error_after_the_bytes_that_came),
        cmocka_unit_test(early_end_inside_a_chunk_is_an_error),
        cmocka_unit_test(silence_is_a_timeout_and_not_an_end),
        cmocka_unit_test(silence_before_the_headers_is_a_timeout),
        cmocka_unit_test(deadline_ends_every_wait),
        cmocka_unit_test(surplus_after_the_announced_length_is_noticed),
        cmocka_unit_test(interim_responses_are_skipped),
        cmocka_unit_test(head_expects_no_body),
        cmocka_unit_test(broken_responses_are_refused),
        cmocka_unit_test(endless_headers_are_refused),
        cmocka_unit_test(refused_connection_is_reported),
        cmocka_unit_test(headers_are_set_replaced_and_deleted_without_case),
        cmocka_unit_test(long_requests_are_sent_in_pieces_or_refused),
        cmocka_unit_test(body_is_posted_with_its_length),
        cmocka_unit_test(connection_is_kept_and_made_again_when_the_server_closed_it),
        cmocka_unit_test(events_come_in_order),
        cmocka_unit_test(error_status_is_no_error_of_perform),
        cmocka_unit_test(failures_of_perform_have_their_codes),
        cmocka_unit_test(redirects_are_followed_to_relative_and_absolute_places),
        cmocka_unit_test(redirects_have_a_limit_and_can_be_left_to_the_caller),
        cmocka_unit_test(basic_authentication_answers_a_challenge),
        cmocka_unit_test(digest_authentication_answers_a_challenge),
        cmocka_unit_test(challenges_that_cannot_be_answered_fail),
        cmocka_unit_test(ranges_are_told),
        cmocka_unit_test(configurations_without_a_server_are_refused),
        cmocka_unit_test(parts_make_a_url_and_win_over_it),
        cmocka_unit_test(other_schemes_have_no_transport),
        cmocka_unit_test(openssl_www_server_delivers_a_file_of_unknown_length),
        cmocka_unit_test(cut_without_close_notify_makes_a_body_of_unknown_length_incomplete),
        cmocka_unit_test(https_does_not_go_back_to_http_but_http_goes_to_https),
        cmocka_unit_test(asynchronous_perform_never_waits),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
