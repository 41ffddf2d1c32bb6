/* SPDX-License-Identifier: Apache-2.0
 *
 * esp-tls against openssl's s_server: what is trusted, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_tls.h"
#include "net_lab.h"

#include "hal/clock.h"

#define NET_MS 60000 /* only reached when something is broken */

static esp_tls_t *s_tls;

static int open_to(const char *host, int port, esp_tls_cfg_t *cfg)
{
    lab_log_start();
    s_tls = esp_tls_init();
    assert_non_null(s_tls);
    if (cfg->timeout_ms == 0) {
        cfg->timeout_ms = NET_MS;
    }
    return esp_tls_conn_new_sync(host, (int)strlen(host), port, cfg, s_tls);
}

/* Connects trusting NAME.pem; 1 or -1. */
static int connect_trusting(const char *name, const char *host, int port, esp_tls_cfg_t *cfg)
{
    char path[64];
    snprintf(path, sizeof(path), "%s.pem", name);
    size_t len;
    char *pem = lab_read_file(path, &len);
    cfg->cacert_buf = (const unsigned char *)pem;
    cfg->cacert_bytes = (unsigned)len + 1;
    int result = open_to(host, port, cfg);
    free(pem);
    return result;
}

static void assert_refused(int result, int mbedtls_code, uint32_t flags, const char *words)
{
    assert_int_equal(result, -1);
    esp_tls_error_handle_t error;
    assert_int_equal(esp_tls_get_error_handle(s_tls, &error), ESP_OK);
    int code = 0;
    int got_flags = 0;
    assert_int_equal(esp_tls_get_and_clear_last_error(error, &code, &got_flags),
                     ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_int_equal(code, mbedtls_code);
    assert_int_equal((uint32_t)got_flags & flags, flags);
    assert_true(lab_log_has(words));
    assert_true(lab_log_has("Failed to open new connection"));
    esp_tls_conn_destroy(s_tls);
}

static void assert_works(int result)
{
    assert_int_equal(result, 1);
    const char request[] = "GET /hello.txt HTTP/1.0\r\n\r\n";
    assert_int_equal(esp_tls_conn_write(s_tls, request, strlen(request)), strlen(request));
    char answer[512];
    size_t len = 0;
    ssize_t got;
    while ((got = esp_tls_conn_read(s_tls, answer + len, sizeof(answer) - 1 - len)) > 0) {
        len += (size_t)got;
    }
    assert_int_equal(got, 0); /* a proper end */
    answer[len] = '\0';
    assert_non_null(strstr(answer, "hello, device"));
    esp_tls_conn_destroy(s_tls);
}

static void pinned_self_signed_certificate_is_accepted_for_its_names(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    assert_works(connect_trusting("self", "localhost", server.port, &(esp_tls_cfg_t){0}));
    assert_works(connect_trusting("self", "127.0.0.1", server.port, &(esp_tls_cfg_t){0}));
    lab_tls_server_kill(&server);
}

static void ip_address_spelled_in_cn_is_accepted_without_subject_alt_name(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("cn_ip", "-WWW");
    assert_works(connect_trusting("cn_ip", "127.0.0.1", server.port, &(esp_tls_cfg_t){0}));
    lab_tls_server_kill(&server);
}

static void cn_is_ignored_when_there_is_a_subject_alt_name(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("cn_and_san", "-WWW");
    assert_refused(connect_trusting("cn_and_san", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_CN_MISMATCH,
                   "it is valid for DNS:elsewhere.example, but the device asks for \"localhost\"");
    lab_tls_server_kill(&server);
}

static void name_mismatch_names_the_names(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("cn_ip", "-WWW");
    assert_refused(connect_trusting("cn_ip", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_CN_MISMATCH,
                   "it is valid for CN=127.0.0.1, but the device asks for \"localhost\"");
    assert_true(lab_log_has("mbedtls_ssl_handshake returned -0x2700"));
    assert_true(lab_log_has("Failed to verify peer certificate!"));
    lab_tls_server_kill(&server);
}

static void common_name_replaces_the_host(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("elsewhere", "-WWW");
    assert_works(connect_trusting("elsewhere", "127.0.0.1", server.port,
                                  &(esp_tls_cfg_t){.common_name = "elsewhere.example"}));
    lab_tls_server_kill(&server);
}

static void any_name_is_accepted_only_when_asked_for(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("elsewhere", "-WWW");
    assert_works(connect_trusting("elsewhere", "127.0.0.1", server.port,
                                  &(esp_tls_cfg_t){.skip_common_name = true}));
    assert_true(lab_log_has("skip_common_name=true: hostname matching and SNI disabled. "));
    lab_tls_server_kill(&server);
}

static void wildcard_stands_for_exactly_one_label(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("wildcard", "-WWW");
    assert_works(connect_trusting("wildcard", "127.0.0.1", server.port,
                                  &(esp_tls_cfg_t){.common_name = "ota.devices.example"}));
    assert_refused(connect_trusting("wildcard", "127.0.0.1", server.port,
                                    &(esp_tls_cfg_t){.common_name = "a.b.devices.example"}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_CN_MISMATCH,
                   "DNS:*.devices.example");
    lab_tls_server_kill(&server);
}

static void foreign_self_signed_certificate_is_refused(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    assert_refused(connect_trusting("elsewhere", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                   "The server's certificate \"CN=localhost\" is refused: it is self-signed and "
                   "not one of the device's 1 trusted certificates");
    lab_tls_server_kill(&server);
}

static void certificate_made_anew_is_refused_and_said_to_be_new(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self_again", "-WWW");
    assert_refused(connect_trusting("self", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                   "was the certificate made anew?");
    lab_tls_server_kill(&server);
}

static void chain_to_a_trusted_authority_is_accepted(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("leaf", "-WWW");
    assert_works(connect_trusting("ca", "localhost", server.port, &(esp_tls_cfg_t){0}));
    lab_tls_server_kill(&server);
}

static void leaf_of_an_authority_cannot_be_pinned(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("leaf", "-WWW");
    assert_refused(connect_trusting("leaf", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                   "trust the certificate of its issuer \"CN=Test Authority\"");
    lab_tls_server_kill(&server);
}

static void unknown_authority_is_named(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("leaf", "-WWW");
    assert_refused(connect_trusting("self", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                   "none of the device's 1 trusted certificates is its issuer "
                   "\"CN=Test Authority\"");
    lab_tls_server_kill(&server);
}

static void rsa_server_works_with_tls_1_2_and_1_3(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("rsa", "-WWW -tls1_2");
    assert_works(connect_trusting("rsa", "localhost", server.port, &(esp_tls_cfg_t){0}));
    assert_refused(connect_trusting("rsa", "localhost", server.port,
                                    &(esp_tls_cfg_t){.tls_version = ESP_TLS_VER_TLS_1_3}),
                   MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, 0, "the server refused with a TLS alert");
    lab_tls_server_kill(&server);
    server = lab_tls_server("rsa", "-WWW -tls1_3");
    assert_works(connect_trusting("rsa", "localhost", server.port, &(esp_tls_cfg_t){0}));
    lab_tls_server_kill(&server);
}

static void weak_ciphers_and_old_versions_are_refused(void **state)
{
    (void)state;
    lab_tls_server_t server =
        lab_tls_server("rsa", "-WWW -tls1_2 -cipher ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0");
    int result = connect_trusting("rsa", "localhost", server.port, &(esp_tls_cfg_t){0});
    assert_refused(result, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, 0, "TLS handshake with localhost");
    lab_tls_server_kill(&server);
    server = lab_tls_server("rsa", "-WWW -tls1_1 -cipher ALL:@SECLEVEL=0");
    result = connect_trusting("rsa", "localhost", server.port, &(esp_tls_cfg_t){0});
    assert_int_equal(result, -1);
    esp_tls_conn_destroy(s_tls);
    lab_tls_server_kill(&server);
}

static void short_rsa_key_is_refused(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("weak", "-WWW -cipher ALL:@SECLEVEL=0");
    assert_refused(connect_trusting("weak", "localhost", server.port, &(esp_tls_cfg_t){0}),
                   MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_BAD_KEY,
                   "its key is too weak");
    lab_tls_server_kill(&server);
}

static void global_store_is_used_when_asked_for(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("leaf", "-WWW");
    esp_tls_cfg_t cfg = {.use_global_ca_store = true};
    assert_int_equal(open_to("localhost", server.port, &cfg), -1);
    assert_true(lab_log_has("global_cacert is NULL"));
    esp_tls_conn_destroy(s_tls);

    size_t len;
    char *pem = lab_read_file("ca.pem", &len);
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)pem, (unsigned)len + 1),
                     ESP_OK);
    free(pem);
    assert_works(open_to("localhost", server.port, &cfg));
    esp_tls_free_global_ca_store();
    assert_null(esp_tls_get_global_ca_store());
    lab_tls_server_kill(&server);
}

static void without_anchors_no_server_is_trusted(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    assert_int_equal(open_to("localhost", server.port, &(esp_tls_cfg_t){0}), -1);
    assert_true(lab_log_has("No server verification option set in esp_tls_cfg_t structure. "
                            "Check esp_tls API reference"));
    assert_true(lab_log_has("[0x8017] (ESP_ERR_MBEDTLS_SSL_SETUP_FAILED)"));
    assert_true(lab_log_has("create_ssl_handle failed"));
    esp_tls_conn_destroy(s_tls);
    lab_tls_server_kill(&server);
}

static void unreadable_anchor_is_said_to_be_unreadable(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    esp_tls_cfg_t cfg = {.cacert_buf = (const unsigned char *)"no certificate",
                         .cacert_bytes = sizeof("no certificate")};
    assert_int_equal(open_to("localhost", server.port, &cfg), -1);
    assert_true(lab_log_has("mbedtls_x509_crt_parse of CA cert returned -0x"));
    esp_tls_conn_destroy(s_tls);
    lab_tls_server_kill(&server);
}

static void mutual_tls_shows_the_client_certificate(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("leaf", "-WWW -Verify 1 -CAfile ca.pem "
                                                     "-verify_return_error");
    size_t cert_len;
    size_t key_len;
    char *cert = lab_read_file("client.pem", &cert_len);
    char *key = lab_read_file("client.key", &key_len);
    esp_tls_cfg_t cfg = {
        .clientcert_buf = (const unsigned char *)cert,
        .clientcert_bytes = (unsigned)cert_len + 1,
        .clientkey_buf = (const unsigned char *)key,
        .clientkey_bytes = (unsigned)key_len + 1,
    };
    assert_works(connect_trusting("ca", "localhost", server.port, &cfg));
    cfg.clientkey_buf = NULL;
    assert_int_equal(connect_trusting("ca", "localhost", server.port, &cfg), -1);
    assert_true(lab_log_has("You have to provide both clientcert_buf and clientkey_buf for mutual "
                            "authentication"));
    esp_tls_conn_destroy(s_tls);
    free(cert);
    free(key);
    lab_tls_server_kill(&server);
}

static void refused_port_is_said_to_be_refused(void **state)
{
    (void)state;
    int port = lab_closed_port();
    assert_int_equal(connect_trusting("self", "127.0.0.1", port, &(esp_tls_cfg_t){0}), -1);
    assert_true(lab_log_has("delayed connect error: Connection refused"));
    assert_int_equal(lab_log_count("No server accepts connections at 127.0.0.1 port"), 1);
    esp_tls_error_handle_t error;
    int number = 0;
    assert_int_equal(esp_tls_get_error_handle(s_tls, &error), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_error_type(error, ESP_TLS_ERR_TYPE_SYSTEM, &number),
                     ESP_OK);
    assert_int_equal(number, ECONNREFUSED);
    assert_int_equal(esp_tls_get_and_clear_last_error(error, NULL, NULL),
                     ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    esp_tls_conn_destroy(s_tls);
}

static void unknown_name_is_said_to_be_unknown(void **state)
{
    (void)state;
    assert_int_equal(connect_trusting("self", "no-such-host.invalid", 443, &(esp_tls_cfg_t){0}),
                     -1);
    assert_true(lab_log_has("couldn't get hostname for :no-such-host.invalid: getaddrinfo() "));
    esp_tls_conn_destroy(s_tls);
}

static void answer_in_http(int fd, const char *request, int number, void *arg)
{
    (void)request;
    (void)number;
    (void)arg;
    lab_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void answer_nonsense(int fd, const char *request, int number, void *arg)
{
    (void)request;
    (void)number;
    (void)arg;
    lab_send(fd, "220 mail.example ESMTP\r\n");
}

static void answer_nothing(int fd, const char *request, int number, void *arg)
{
    (void)request;
    (void)number;
    (void)arg;
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

static void answer_by_closing(int fd, const char *request, int number, void *arg)
{
    (void)fd;
    (void)request;
    (void)number;
    (void)arg;
    usleep(50000); /* the greeting has to be in the socket, and not read */
    char greeting[4096];
    (void)!recv(fd, greeting, sizeof(greeting), 0);
}

static void server_without_tls_is_recognised(void **state)
{
    (void)state;
    lab_server_t *server = lab_server_start(answer_in_http, NULL, false);
    assert_int_equal(
        connect_trusting("self", "127.0.0.1", lab_server_port(server), &(esp_tls_cfg_t){0}), -1);
    assert_true(lab_log_has("answers in plain HTTP, not TLS"));
    esp_tls_conn_destroy(s_tls);
    lab_server_stop(server);

    server = lab_server_start(answer_nonsense, NULL, false);
    assert_int_equal(
        connect_trusting("self", "127.0.0.1", lab_server_port(server), &(esp_tls_cfg_t){0}), -1);
    assert_true(lab_log_has("does not speak TLS (its answer begins with 32 32 30 20)"));
    esp_tls_conn_destroy(s_tls);
    lab_server_stop(server);

    server = lab_server_start(answer_by_closing, NULL, false);
    assert_int_equal(
        connect_trusting("self", "127.0.0.1", lab_server_port(server), &(esp_tls_cfg_t){0}), -1);
    assert_true(lab_log_has("closed the connection without any answer to the TLS greeting"));
    esp_tls_conn_destroy(s_tls);
    lab_server_stop(server);
}

static void silent_server_ends_at_the_timeout(void **state)
{
    (void)state;
    lab_server_t *server = lab_server_start(answer_nothing, NULL, false);
    uint64_t before = hal_clock_us();
    assert_int_equal(connect_trusting("self", "127.0.0.1", lab_server_port(server),
                                      &(esp_tls_cfg_t){.timeout_ms = 300}),
                     -1);
    uint64_t took_ms = (hal_clock_us() - before) / 1000;
    assert_in_range(took_ms, 290, NET_MS);
    assert_true(lab_log_has("Failed to open new connection in specified timeout"));
    assert_true(lab_log_has("never answered the TLS greeting"));
    esp_tls_conn_destroy(s_tls);
    lab_server_stop(server);
}

static bool hasty; /* poll() comes back a little before its time */

int __real_poll(struct pollfd *items, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *items, nfds_t count, int timeout_ms);

int __wrap_poll(struct pollfd *items, nfds_t count, int timeout_ms)
{
    return __real_poll(items, count, hasty && timeout_ms > 2 ? timeout_ms - 2 : timeout_ms);
}

static void a_wait_that_comes_back_early_is_no_half_open_connection(void **state)
{
    (void)state;
    lab_server_t *server = lab_server_start(answer_nothing, NULL, false);
    hasty = true;
    int connected = connect_trusting("self", "127.0.0.1", lab_server_port(server),
                                     &(esp_tls_cfg_t){.timeout_ms = 100});
    hasty = false;
    assert_int_equal(connected, -1);
    assert_true(lab_log_has("never answered the TLS greeting"));
    esp_tls_conn_destroy(s_tls);
    lab_server_stop(server);
}

static void read_tells_timeout_end_and_cut_apart(void **state)
{
    (void)state;
    lab_tls_server_t server = lab_tls_server("self", "-quiet -no_ticket");
    assert_int_equal(
        connect_trusting("self", "localhost", server.port, &(esp_tls_cfg_t){.timeout_ms = 4000}),
        1);
    assert_int_equal(write(server.in, "abc", 3), 3);
    char buf[16];
    assert_int_equal(esp_tls_conn_read(s_tls, buf, sizeof(buf)), 3);
    assert_memory_equal(buf, "abc", 3);
    uint64_t before = hal_clock_us();
    assert_int_equal(esp_tls_conn_read(s_tls, buf, sizeof(buf)), ESP_TLS_ERR_SSL_WANT_READ);
    assert_in_range((hal_clock_us() - before) / 1000, 3900, NET_MS);
    lab_tls_server_kill(&server);
    assert_true(esp_tls_conn_read(s_tls, buf, sizeof(buf)) < 0); /* cut: not a proper end */
    esp_tls_conn_destroy(s_tls);
}

static void asynchronous_connect_gets_there(void **state)
{
    (void)state;
    lab_log_start();
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    size_t len;
    char *pem = lab_read_file("self.pem", &len);
    esp_tls_cfg_t cfg = {.cacert_buf = (const unsigned char *)pem,
                         .cacert_bytes = (unsigned)len + 1,
                         .timeout_ms = NET_MS};
    s_tls = esp_tls_init();
    int result;
    while ((result = esp_tls_conn_new_async("localhost", 9, server.port, &cfg, s_tls)) == 0) {
        usleep(1000);
    }
    assert_works(result);
    free(pem);
    lab_tls_server_kill(&server);
}

static void asynchronous_connect_returns_at_once_and_keeps_its_time_limit(void **state)
{
    (void)state;
    lab_log_start();
    lab_server_t *server = lab_server_start(answer_nothing, NULL, false);
    esp_tls_cfg_t cfg = {.use_global_ca_store = true, .timeout_ms = 2000};
    size_t len;
    char *pem = lab_read_file("self.pem", &len);
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)pem, (unsigned)len + 1),
                     ESP_OK);
    free(pem);
    s_tls = esp_tls_init();
    uint64_t before = hal_clock_us();
    int port = lab_server_port(server);
    assert_int_equal(esp_tls_conn_new_async("127.0.0.1", 9, port, &cfg, s_tls), 0);
    assert_in_range((hal_clock_us() - before) / 1000, 0, 1900);
    int result;
    while ((result = esp_tls_conn_new_async("127.0.0.1", 9, port, &cfg, s_tls)) == 0) {
        usleep(1000);
    }
    assert_int_equal(result, -1);
    assert_in_range((hal_clock_us() - before) / 1000, 1900, NET_MS);
    assert_true(lab_log_has("Failed to open new connection in specified timeout"));
    esp_tls_conn_destroy(s_tls);
    esp_tls_free_global_ca_store();
    lab_server_stop(server);
}

static void url_gives_host_and_port(void **state)
{
    (void)state;
    lab_log_start();
    lab_tls_server_t server = lab_tls_server("self", "-WWW");
    size_t len;
    char *pem = lab_read_file("self.pem", &len);
    esp_tls_cfg_t cfg = {.cacert_buf = (const unsigned char *)pem,
                         .cacert_bytes = (unsigned)len + 1};
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%d/hello.txt", server.port);
    s_tls = esp_tls_init();
    assert_works(esp_tls_conn_http_new_sync(url, &cfg, s_tls));
    s_tls = esp_tls_init();
    assert_int_equal(esp_tls_conn_http_new_sync("not a url", &cfg, s_tls), -1);
    esp_tls_conn_destroy(s_tls);
    free(pem);
    lab_tls_server_kill(&server);
}

static int make_files(void **state)
{
    (void)state;
    lab_write_file("hello.txt", "hello, device\n", 14);
    lab_self_signed("self", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    lab_self_signed("self_again", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    lab_self_signed("cn_ip", "/CN=127.0.0.1", NULL);
    lab_self_signed("cn_and_san", "/CN=localhost", "DNS:elsewhere.example");
    lab_self_signed("elsewhere", "/CN=elsewhere.example", NULL);
    lab_self_signed("wildcard", "/CN=any", "DNS:*.devices.example");
    lab_self_signed("ca", "/CN=Test Authority", NULL);
    lab_signed_by("leaf", "/CN=localhost", "DNS:localhost", "ca");
    lab_signed_by("client", "/CN=device", "DNS:device", "ca");
    lab_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -days 365 "
            "-subj /CN=localhost 2>/dev/null");
    lab_run("openssl req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.pem -days 365 "
            "-subj /CN=localhost 2>/dev/null");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pinned_self_signed_certificate_is_accepted_for_its_names),
        cmocka_unit_test(ip_address_spelled_in_cn_is_accepted_without_subject_alt_name),
        cmocka_unit_test(cn_is_ignored_when_there_is_a_subject_alt_name),
        cmocka_unit_test(name_mismatch_names_the_names),
        cmocka_unit_test(common_name_replaces_the_host),
        cmocka_unit_test(any_name_is_accepted_only_when_asked_for),
        cmocka_unit_test(wildcard_stands_for_exactly_one_label),
        cmocka_unit_test(foreign_self_signed_certificate_is_refused),
        cmocka_unit_test(certificate_made_anew_is_refused_and_said_to_be_new),
        cmocka_unit_test(chain_to_a_trusted_authority_is_accepted),
        cmocka_unit_test(leaf_of_an_authority_cannot_be_pinned),
        cmocka_unit_test(unknown_authority_is_named),
        cmocka_unit_test(rsa_server_works_with_tls_1_2_and_1_3),
        cmocka_unit_test(weak_ciphers_and_old_versions_are_refused),
        cmocka_unit_test(short_rsa_key_is_refused),
        cmocka_unit_test(global_store_is_used_when_asked_for),
        cmocka_unit_test(without_anchors_no_server_is_trusted),
        cmocka_unit_test(unreadable_anchor_is_said_to_be_unreadable),
        cmocka_unit_test(mutual_tls_shows_the_client_certificate),
        cmocka_unit_test(refused_port_is_said_to_be_refused),
        cmocka_unit_test(unknown_name_is_said_to_be_unknown),
        cmocka_unit_test(server_without_tls_is_recognised),
        cmocka_unit_test(silent_server_ends_at_the_timeout),
        cmocka_unit_test(a_wait_that_comes_back_early_is_no_half_open_connection),
        cmocka_unit_test(read_tells_timeout_end_and_cut_apart),
        cmocka_unit_test(asynchronous_connect_gets_there),
        cmocka_unit_test(asynchronous_connect_returns_at_once_and_keeps_its_time_limit),
        cmocka_unit_test(url_gives_host_and_port),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
