/* lib/protocol/url.c: the URL as a whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/url.h"

/* A copy in a block of its own size, so that ASan sees a read past it. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void assert_slice(caws_slice s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.data, expected, s.len);
}

/* A failed parse leaves its result as it was. */
static void refuse(const char *url)
{
    char *copy = exact(url, strlen(url) + 1);
    caws_url out, before;
    int r;
    memset(&out, 0xa5, sizeof out);
    memcpy(&before, &out, sizeof out);
    r = caws_url_parse(copy, &out);
    if (r != CAWS_ERR_URL)
        print_error("not refused: %s\n", url);
    assert_int_equal(r, CAWS_ERR_URL);
    assert_memory_equal(&out, &before, sizeof out);
    free(copy);
}

static void allow(const char *url, const char *host, uint16_t port,
                  const char *target, bool secure)
{
    char *copy = exact(url, strlen(url) + 1);
    caws_url out;
    int r = caws_url_parse(copy, &out);
    if (r != CAWS_OK)
        print_error("refused: %s\n", url);
    assert_int_equal(r, CAWS_OK);
    assert_slice(out.host, host);
    assert_slice(out.target, target);
    assert_int_equal(out.port, port);
    assert_int_equal(out.secure, secure);
    free(copy);
}

static void test_schemes(void **state)
{
    /* REQ 3-1, 3-3, ctor-1 */
    static const char *const bad[] = {
        "", "w", "ws", "ws:", "ws:/", "ws://", "wss://", "ws:h", "ws:/h",
        "ws//h/", "//h/", "h", "/", " ws://h/", "ws ://h/", "wsx://h/",
        "wsss://h/", "w://h/", "s://h/", "http://h/", "https://h/",
        "ftp://h", "xws://h/", "\xd7s://h/", "ws:///", "ws://?", "ws://#",
    };
    (void)state;
    allow("ws://h/", "h", 80, "/", false);
    allow("WS://h/", "h", 80, "/", false);
    allow("wS://h", "h", 80, "/", false);
    allow("wSs://h/", "h", 443, "/", true);
    allow("WSS://h", "h", 443, "/", true);
    allow("wss://h/", "h", 443, "/", true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i]);
}

static void test_ports(void **state)
{
    /* REQ 3-2, 3-8, 3986-3.2.3-1 */
    static const char *const bad[] = {
        ":0", ":00", ":65536", ":-1", ":+1", ":8a", ": 80", ":80 ", ":0x50",
        ":99999999999999999999", ":4294967376", ":18446744073709551696",
        ":80:80", "::80", ":\xd9\xa1",
    };
    char url[64];
    (void)state;
    allow("ws://h/", "h", 80, "/", false);
    allow("wss://h/", "h", 443, "/", true);
    allow("ws://h:/", "h", 80, "/", false);
    allow("wss://h:", "h", 443, "/", true);
    allow("ws://h:00080/", "h", 80, "/", false);
    allow("ws://h:0000000000000000000000081?q", "h", 81, "?q", false);
    allow("wss://h:80/", "h", 80, "/", true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(url, sizeof url, "ws://h%s/", bad[i]);
        refuse(url);
    }
    for (unsigned port = 0; port <= 70000; port++) {
        snprintf(url, sizeof url, "ws://h:%u", port);
        if (port >= 1 && port <= 65535)
            allow(url, "h", (uint16_t)port, "/", false);
        else
            refuse(url);
    }
}

static void test_hosts(void **state)
{
    /* REQ 3-4, 3986-3.2.2-1, 3986-3.2.2-2 */
    static const char *const bad[] = {
        "ws://:80/", "ws://a b/", "ws://a%00b/", "ws://a%2fb/",
        "ws://a%2Fb/", "ws://a%20b/", "ws://a%40b/", "ws://a%25b/",
        "ws://a%3ab/", "ws://a%5bb/", "ws://a%7fb/", "ws://a%0d%0ab/",
        "ws://a%/", "ws://a%4/", "ws://a%4", "ws://a%zz/", "ws://%",
        "ws://[::1/", "ws://::1]/", "ws://::1/", "ws://[]/", "ws://[",
        "ws://]/", "ws://[[::1]]/", "ws://a[::1]/", "ws://[::1]a/",
        "ws://[::1]:x/", "ws://[::1]]/", "ws://[1.2.3.4]/", "ws://[h]/",
        "ws://[fe80::1%25eth0]/", "ws://[fe80::1%eth0]/", "ws://[v1.x]/",
        "ws://h\\a", "ws://a\tb/", "ws://a\nb/", "ws://a\x01/", "ws://a|b/",
        "ws://%41 b/", "ws://%c3\x80/", "ws://h/%41 b", "ws://h?%41#",
        "ws://a\"b/", "ws://<a>/", "ws://a^b/", "ws://a`b/", "ws://{a}/",
    };
    (void)state;
    allow("ws://a_b/", "a_b", 80, "/", false);
    allow("ws://hpath", "hpath", 80, "/", false);
    allow("ws://EXAMPLE.com/", "EXAMPLE.com", 80, "/", false);
    allow("ws://a-.~!$&'()*+,;=z/", "a-.~!$&'()*+,;=z", 80, "/", false);
    allow("ws://%41%c3%a9/", "%41%c3%a9", 80, "/", false);
    allow("ws://127.0.0.1:1025/", "127.0.0.1", 1025, "/", false);
    allow("ws://[::1]:81/a", "::1", 81, "/a", false);
    allow("ws://[::ffff:1.2.3.4]/", "::ffff:1.2.3.4", 80, "/", false);
    allow("wss://[2001:DB8::1]?q", "2001:DB8::1", 443, "?q", true);
    allow("ws://[::]:", "::", 80, "/", false);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i]);
}

/* An escape that is cut is not looked for behind the end. */
static void test_cut_escapes(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 3; len++) {
        char *copy = exact("%41", len);
        caws_slice host, port;
        assert_int_equal(caws__url_target_valid((caws_slice){ copy, len }), len == 3);
        assert_int_equal(caws__url_authority((caws_slice){ copy, len }, &host, &port), len == 3);
        free(copy);
    }
}

static void test_longest_host(void **state)
{
    /* REQ 3986-3.2.2-2 */
    char url[5 + 256 + 2] = "ws://", host[257];
    (void)state;
    memset(host, 'h', 256);
    host[256] = '\0';
    strcat(strcpy(url, "ws://"), host);
    refuse(url);
    strcat(url, "/");
    refuse(url);
    host[255] = '\0';
    strcat(strcpy(url, "ws://"), host);
    allow(url, host, 80, "/", false);
}

static void test_ascii_only(void **state)
{
    /* REQ 11.1-1 */
    (void)state;
    refuse("ws://b\xc3\xbc" "cher.example/");
    refuse("ws://h/\xc3\xbc");
    refuse("ws://h/?\xc3\xbc");
    allow("ws://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example", 80,
          "/%C3%BC", false);
}

static void test_resource_name(void **state)
{
    /* REQ 3-5, 3986-3.3-1, 3986-3.4-1, 3986-6.2.2-1 */
    (void)state;
    allow("ws://h", "h", 80, "/", false);
    allow("ws://h/", "h", 80, "/", false);
    allow("ws://h?x=1", "h", 80, "?x=1", false);
    allow("ws://h?", "h", 80, "?", false);
    allow("ws://h/a?", "h", 80, "/a?", false);
    allow("ws://h/?a/b?c", "h", 80, "/?a/b?c", false);
    allow("ws://h/Chat/%7eX;v=1,2:@?Q=%3F", "h", 80,
          "/Chat/%7eX;v=1,2:@?Q=%3F", false);
    allow("ws://h//a//b", "h", 80, "//a//b", false);
    refuse("ws://h\\a");
    refuse("ws://h/\\a");
}

static void test_dot_segments_stay(void **state)
{
    /* REQ 3986-5.2.4-1 */
    (void)state;
    allow("ws://h/a/../b", "h", 80, "/a/../b", false);
    allow("ws://h/./a/.", "h", 80, "/./a/.", false);
}

static void test_no_fragment(void **state)
{
    /* REQ 3-6, 3-7, ctor-3 */
    (void)state;
    refuse("ws://h/#f");
    refuse("ws://h/#");
    refuse("ws://h/a?b#");
    refuse("ws://h#");
    refuse("ws://h:80#f");
    allow("ws://h/a%23b", "h", 80, "/a%23b", false);
}

static void test_unsafe_resource_names(void **state)
{
    /* REQ 3-9 */
    static const char *const bad[] = {
        "/a b", "/a\r\nX: y", "/\x7f", "/%zz", "/\xc3\xa9", "/%", "/%4",
        "/a%4g", "/%g4", "/\t", "/a\n", "?a b", "?\r\n", "?%", "/%%41",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char url[64];
        snprintf(url, sizeof url, "ws://h%s", bad[i]);
        refuse(url);
    }
}

static void test_no_userinfo(void **state)
{
    /* REQ 3-10 */
    (void)state;
    refuse("ws://u:p@h/");
    refuse("ws://u@h/");
    refuse("ws://@h/");
    refuse("ws://u:80@h/");
    refuse("ws://u%40h@h/");
    refuse("ws://u@[::1]/");
}

static void test_arguments(void **state)
{
    caws_url out;
    (void)state;
    assert_int_equal(caws_url_parse(NULL, &out), CAWS_ERR_ARG);
    assert_int_equal(caws_url_parse("ws://h/", NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_url_parse("", NULL), CAWS_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_cut_escapes),
        cmocka_unit_test(test_longest_host),
        cmocka_unit_test(test_ascii_only),
        cmocka_unit_test(test_resource_name),
        cmocka_unit_test(test_dot_segments_stay),
        cmocka_unit_test(test_no_fragment),
        cmocka_unit_test(test_unsafe_resource_names),
        cmocka_unit_test(test_no_userinfo),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
