/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs: parts, references, Host texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "http_client_private.h"

static void assert_url(const char *text, const char *scheme, const char *host, int port,
                       const char *path, const char *query)
{
    http_url_t url;
    assert_int_equal(http_url_parse(text, &url), ESP_OK);
    assert_string_equal(url.scheme, scheme);
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
    assert_string_equal(url.path, path);
    if (query != NULL) {
        assert_string_equal(url.query, query);
    } else {
        assert_null(url.query);
    }
    http_url_free(&url);
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    assert_url("https://192.168.1.3:8070/simple_ota.bin", "https", "192.168.1.3", 8070,
               "/simple_ota.bin", NULL);
    assert_url("http://host", "http", "host", 80, "/", NULL);
    assert_url("https://host/a/b?c=d&e#f", "https", "host", 443, "/a/b", "c=d&e");
    assert_url("https://[2001:db8::1]:99/x", "https", "2001:db8::1", 99, "/x", NULL);
    assert_url("HTTPS://Host/%20x", "HTTPS", "Host", 443, "/%20x", NULL);
    assert_url("ftp://host/x", "ftp", "host", 0, "/x", NULL);
}

static void user_name_and_password_come_out_of_the_url(void **state)
{
    (void)state;
    http_url_t url;
    assert_int_equal(http_url_parse("http://me:pa:ss@host/", &url), ESP_OK);
    assert_string_equal(url.username, "me");
    assert_string_equal(url.password, "pa:ss");
    http_url_free(&url);
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "host",
        "http://",
        "http:///x",
        "http://host:port/",
        "http://host:99999/",
        "http://a b/",
        "http://host/a b",
        "http://host/\r\nX: y",
        "://host/",
        "http//host",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        http_url_t url;
        assert_int_equal(http_url_parse(bad[i], &url), ESP_ERR_INVALID_ARG);
    }
    char *monster = malloc(70001);
    memset(monster, 'a', 70000);
    memcpy(monster, "http://h/", 9);
    monster[70000] = '\0';
    http_url_t url;
    assert_int_equal(http_url_parse(monster, &url), ESP_ERR_INVALID_ARG);
    free(monster);
}

static void assert_resolves(const char *reference, const char *expected)
{
    char *text = http_url_resolve("https", "host", 8070, "/dir/file", reference);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void references_are_resolved_against_the_origin(void **state)
{
    (void)state;
    assert_resolves("https://other/x", "https://other/x");
    assert_resolves("http://other/x", "http://other/x");
    assert_resolves("//other/x", "https://other/x");
    assert_resolves("/abs?q", "https://host:8070/abs?q");
    assert_resolves("rel", "https://host:8070/dir/rel");
    assert_resolves("?q", "https://host:8070/dir/file?q");
    assert_true(http_url_is_absolute("svn+ssh://x"));
    assert_false(http_url_is_absolute("/a://b"));
    assert_false(http_url_is_absolute("1a://b"));
    char *text = http_url_resolve("http", "::1", 80, "/", "/x");
    assert_string_equal(text, "http://[::1]:80/x");
    free(text);
}

static void assert_host(const char *host, int port, const char *expected)
{
    char *text = http_url_host_text(host, port);
    assert_string_equal(text, expected);
    free(text);
}

static void host_header_has_the_port_unless_it_is_80_or_443(void **state)
{
    (void)state;
    assert_host("host", 80, "host");
    assert_host("host", 443, "host");
    assert_host("host", 8070, "host:8070");
    assert_host("::1", 8070, "[::1]:8070");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(user_name_and_password_come_out_of_the_url),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(references_are_resolved_against_the_origin),
        cmocka_unit_test(host_header_has_the_port_unless_it_is_80_or_443),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
