/* lib/protocol/url.c: bytes, escapes, IPv6 literals, "host:port" */
#include <arpa/inet.h>
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

static bool parses(const char *url)
{
    char *copy = exact(url, strlen(url) + 1);
    caws_url out;
    int r = caws_url_parse(copy, &out);
    free(copy);
    assert_true(r == CAWS_OK || r == CAWS_ERR_URL);
    return r == CAWS_OK;
}

static const char unreserved_and_sub_delims[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "-._~!$&'()*+,;=";

static bool plain(int c)
{
    return c != 0 && strchr(unreserved_and_sub_delims, c) != NULL;
}

static bool target_valid(const char *text, size_t len)
{
    char *copy = exact(text, len);
    bool valid = caws__url_target_valid((caws_slice){ copy, len });
    free(copy);
    return valid;
}

static void test_every_byte_in_a_target_and_a_host(void **state)
{
    /* REQ 3-9, 3986-3.3-1, 3986-3.4-1 */
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[3] = { '/', (char)c, 'x' }, url[9] = "ws://a?b";
        bool pchar = plain(c) || (c != 0 && strchr(":@/?", c) != NULL);
        assert_int_equal(target_valid(text, 3), pchar);
        assert_int_equal(target_valid(text, 2), pchar);
        if (c == 0 || strchr("/?:", c) != NULL)
            continue;
        url[6] = (char)c;
        assert_int_equal(parses(url), plain(c));
    }
}

/* All 65536 pairs of bytes behind a '%', in a target and in a host. */
static void test_every_percent_escape(void **state)
{
    /* REQ 3-9, 3986-3.2.2-2 */
    static const char hex[] = "0123456789ABCDEF";
    (void)state;
    for (int v = 0; v < 65536; v++) {
        int a = v >> 8, b = v & 255, byte = -1;
        char text[3] = { '%', (char)a, (char)b }, url[9] = "ws://%";
        for (int i = 0; i < 256; i++) {
            int high = hex[i / 16], low = hex[i % 16];
            if ((a == high || (i / 16 > 9 && a == high + 32)) &&
                (b == low || (i % 16 > 9 && b == low + 32)))
                byte = i;
        }
        assert_int_equal(target_valid(text, 3), byte >= 0);
        if (a == 0 || b == 0 || strchr("/?:", a) || strchr("/?:", b))
            continue;
        url[6] = (char)a;
        url[7] = (char)b;
        assert_int_equal(parses(url), byte >= 128 || plain(byte));
    }
}

static void test_targets(void **state)
{
    (void)state;
    assert_true(target_valid("/chat?room=1", 12));
    assert_true(target_valid("%41", 3));
    assert_false(target_valid("%41", 2));
    assert_false(target_valid("%41", 1));
    assert_false(target_valid("/%4/1", 5));
    assert_false(target_valid("/a\0b", 4));
    assert_false(target_valid("/a#", 3));
    assert_true(caws__url_target_valid((caws_slice){ NULL, 0 }));
}

static bool literal_valid(const char *address)
{
    char url[128];
    snprintf(url, sizeof url, "ws://[%s]/", address);
    return parses(url);
}

static void test_ipv6_literals(void **state)
{
    /* REQ 3986-3.2.2-1 */
    static const char *const good[] = {
        "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "1::8", "::1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5::1.2.3.4", "::2:3:4:5:6:1.2.3.4",
        "ABCD:ef01::", "0000::", "::0:0:0", "::255.255.255.255", "1::0.0.0.0",
        "::ffff:1.2.3.4",
    };
    static const char *const bad[] = {
        "", ":", ":::", "1", "1:", ":1", "1:2", "1:::2", "::1::", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8", "12345::", "::g", "::1.2.3", "::1.2.3.4.5",
        "::1.2.3.", "::.1.2.3", "::1..2.3", "::256.1.1.1", "::1.1.1.256",
        "::01.2.3.4", "::1.2.3.04", "::1.2.3.4:5", "1.2.3.4::", "1.2.3.4",
        "::1.2.3.a", "::a.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::1.2.3.1234",
        " ::1", "::1 ", "::1/64", "::-1", "::1.2.3.4.",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(literal_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(literal_valid(bad[i]));
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Random pieces of addresses: the same verdict as the C library's parser. */
static void test_ipv6_literals_against_inet_pton(void **state)
{
    /* REQ 3986-3.2.2-1 */
    static const char *const pieces[] = {
        "0", "1", "aB", "f00d", "12345", "255", "256", "01", ":", ":", ":",
        ":", ":", ":", "::", "::", ".", ".", "1:", "2:", "3:4:", "5:6:",
        "1.2.3.4", "1.2.3",
    };
    uint32_t seed = 3986;
    size_t valid = 0;
    (void)state;
    for (int round = 0; round < 300000; round++) {
        char text[128] = "";
        struct in6_addr address;
        bool expected;
        for (uint32_t n = 1 + next_random(&seed) % 12; n > 0; n--)
            strcat(text, pieces[next_random(&seed) %
                                (sizeof pieces / sizeof *pieces)]);
        expected = inet_pton(AF_INET6, text, &address) == 1;
        if (literal_valid(text) != expected)
            fail_msg("%s: inet_pton says %d", text, expected);
        valid += expected;
    }
    assert_true(valid > 1000);
}

/* port NULL: none at all. */
static void authority(const char *text, const char *host, const char *port)
{
    size_t len = strlen(text);
    char *copy = exact(text, len);
    caws_slice h, p;
    assert_true(caws__url_authority((caws_slice){ copy, len }, &h, &p));
    assert_slice(h, host);
    if (port == NULL) {
        assert_null(p.data);
        assert_int_equal(p.len, 0);
    } else {
        assert_non_null(p.data);
        assert_slice(p, port);
    }
    free(copy);
}

static void test_authorities(void **state)
{
    static const char *const bad[] = {
        "", ":", ":80", "a b", "a,b", "a/b", "u@h", "h:x", "h:70000",
        "h:65536", "h:0", "h:8 ", " h", "h ", "h:80:80", "[::1", "::1]",
        "::1", "[::1]x", "[::1]:x", "[::1]80", "[]", "[", "]", "[h]", "[::1]]",
        "h?", "h#", "h%", "h%4", "h%zz", "a%00b", "a%2fb", "h\x7f",
        "\xc3\xbc", "a\tb", "a,", ",", "http://h", "h/",
    };
    (void)state;
    authority("h", "h", NULL);
    authority("h:81", "h", "81");
    authority("h:65535", "h", "65535");
    authority("h:", "h", "");
    authority("127.0.0.1:1025", "127.0.0.1", "1025");
    authority("[::1]", "::1", NULL);
    authority("[::1]:81", "::1", "81");
    authority("[::1]:", "::1", "");
    authority("%41", "%41", NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t len = strlen(bad[i]);
        char *copy = exact(bad[i], len);
        caws_slice text = { copy, len }, h, p;
        if (caws__url_authority(text, &h, &p))
            fail_msg("not refused: \"%s\"", bad[i]);
        free(copy);
    }
}

static void test_nul_inside_an_authority(void **state)
{
    caws_slice h, p;
    (void)state;
    assert_false(caws__url_authority((caws_slice){ "a\0b", 3 }, &h, &p));
    assert_false(caws__url_authority((caws_slice){ "a:8\0", 4 }, &h, &p));
    assert_false(caws__url_authority((caws_slice){ "\0", 1 }, &h, &p));
    assert_false(caws__url_authority((caws_slice){ NULL, 0 }, &h, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_in_a_target_and_a_host),
        cmocka_unit_test(test_every_percent_escape),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_ipv6_literals),
        cmocka_unit_test(test_ipv6_literals_against_inet_pton),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_nul_inside_an_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
