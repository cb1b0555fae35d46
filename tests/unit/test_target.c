/* lib/net/target.c: where URLs lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/target.h"

static const caws_alloc libc = { NULL, NULL };

static void test_urls(void **state)
{
    static const struct {
        const char *text, *url, *host, *path;
        uint16_t port;
    } rows[] = {
        { "ws://h", "ws://h", "h", "", 80 },
        { "WS://Example.COM:81/a?b", "WS://Example.COM:81/a?b", "Example.COM", "", 81 },
        { "ws://[2001:db8::1]:9/", "ws://[2001:db8::1]:9/", "2001:db8::1", "", 9 },
        { "ws+unix:/run/s", "ws://localhost", "localhost", "/run/s", 80 },
        { "ws+unix:/run/s:", "ws://localhost", "localhost", "/run/s", 80 },
        { "ws+unix:/run/s:/a?b", "ws://localhost/a?b", "localhost", "/run/s", 80 },
        { "WS+Unix:s:?b", "ws://localhost?b", "localhost", "s", 80 },
        { "ws+unix:///run/s:/", "ws://localhost/", "localhost", "///run/s", 80 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct caws__target t;
        assert_int_equal(caws__target_parse(&t, &libc, rows[i].text), CAWS_OK);
        assert_string_equal(t.url, rows[i].url);
        assert_string_equal(t.place.host, rows[i].host);
        assert_string_equal(t.place.path, rows[i].path);
        assert_int_equal(t.place.port, rows[i].port);
        caws__target_free(&t, &libc);
    }
}

static void test_bad_urls(void **state)
{
    static const char *const rows[] = {
        NULL, "", "ws:", "ws:h", "ws://", "wss://h/", "http://h/", "ws://h/#", "ws://u@h/",
        "ws+unix:", "ws+unix::/a", "ws+unix:/s:a", "ws+unix:/s:/a#b", "ws+unix:/s:/a b",
    };
    char path[128] = "ws+unix:/";
    struct caws__target t;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(caws__target_parse(&t, &libc, rows[i]), CAWS_ERR_URL);
    memset(path + 9, 'x', 106); /* 107 bytes are as long as can be */
    assert_int_equal(caws__target_parse(&t, &libc, path), CAWS_OK);
    assert_int_equal(strlen(t.place.path), 107);
    caws__target_free(&t, &libc);
    path[9 + 106] = 'x';
    assert_int_equal(caws__target_parse(&t, &libc, path), CAWS_ERR_URL);
}

static void test_proxies(void **state)
{
    static const struct {
        const char *text, *host; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        { "http://proxy", "proxy", 80 },      { "HTTP://proxy:3128/", "proxy", 3128 },
        { "http://[::1]:8080", "::1", 8080 }, { "http://proxy/path", NULL, 0 },
        { "http://proxy?x", NULL, 0 },        { "https://proxy", NULL, 0 },
        { "http://user:pw@proxy", NULL, 0 },  { "proxy:3128", NULL, 0 },
        { "http://", NULL, 0 },               { "ws://proxy", NULL, 0 },
        { "", NULL, 0 },                      { "http://proxy?", NULL, 0 },
    };
    struct caws__place place;
    char text[600] = "http://";
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int result = caws__target_proxy(&place, rows[i].text);
        assert_int_equal(result, rows[i].host ? CAWS_OK : CAWS_ERR_URL);
        if (!rows[i].host)
            continue;
        assert_string_equal(place.host, rows[i].host);
        assert_string_equal(place.path, "");
        assert_int_equal(place.port, rows[i].port);
    }
    memset(text + 7, 'x', 255);
    assert_int_equal(caws__target_proxy(&place, text), CAWS_OK);
    memset(text + 7, 'x', 500);
    assert_int_equal(caws__target_proxy(&place, text), CAWS_ERR_URL);
}

static void test_redirects(void **state)
{
    static const struct {
        const char *from, *location, *to; /* NULL: is not followed */
    } rows[] = {
        { "ws://h:8/a/b?c", "/x", "ws://h:8/x" },
        { "ws://h", "/x", "ws://h/x" },
        { "ws://h?q", "/", "ws://h/" },
        { "ws://h/a", "/x?y#z", "ws://h/x?y" },
        { "ws://h/a", "http://i/b", "ws://i/b" },
        { "ws://h/a", "HTTP://i", "ws://i" },
        { "ws://h/a", "ws://i:9/", "ws://i:9/" },
        { "ws://h/a", "//i/b", "ws://i/b" },
        { "ws://h/a", "http://i#b", "ws://i" },
        { "ws+unix:/s:/a", "/b", "ws://localhost/b" },
        { "ws+unix:/s:/a", "//i/b", NULL },
        { "ws+unix:/s:/a", "http://i/b", NULL },
        { "ws://h/a", "https://i/b", NULL },
        { "ws://h/a", "wss://i/b", NULL },
        { "ws://h/a", "b", NULL },
        { "ws://h/a", "", NULL },
        { "ws://h/a", "#b", NULL },
        { "ws://h/a", "?b", NULL },
        { "ws://h/a", "http:/b", NULL },
        { "ws://h/a", "http://", NULL },
        { "ws://h/a", "///", NULL },
        { "ws://h/a", "/\t", NULL },
        { "ws://h/a", "ws+unix:/s:/a", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct caws__target from, to;
        caws_slice location = { rows[i].location, strlen(rows[i].location) };
        assert_int_equal(caws__target_parse(&from, &libc, rows[i].from), CAWS_OK);
        int result = caws__target_follow(&to, &libc, &from, location);
        assert_int_equal(result, rows[i].to ? CAWS_OK : CAWS_ERR_URL);
        if (rows[i].to) {
            assert_string_equal(to.url, rows[i].to);
            assert_string_equal(to.place.path, from.place.path);
            caws__target_free(&to, &libc);
        }
        assert_int_equal(caws__target_follow(&to, &libc, &from, (caws_slice){ NULL, 0 }),
                         CAWS_ERR_URL);
        assert_int_equal(caws__target_follow(&to, &libc, &from, (caws_slice){ "/a\0b", 4 }),
                         CAWS_ERR_URL);
        caws__target_free(&from, &libc);
    }
}

static void test_same(void **state)
{
    const struct caws__place a = { "Host", "", 80 }, b = { "hOST", "", 80 };
    const struct caws__place c = { "host", "", 81 }, d = { "host", "/s", 80 };
    const struct caws__place e = { "hos", "", 80 };
    (void)state;
    assert_true(caws__target_is_same(&a, &b));
    assert_false(caws__target_is_same(&a, &c));
    assert_false(caws__target_is_same(&a, &d));
    assert_false(caws__target_is_same(&a, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_proxies),   cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
