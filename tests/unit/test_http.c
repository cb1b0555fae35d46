/* lib/protocol/http.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/http.h"

static const caws_alloc libc = { NULL, NULL };
static const struct caws__head_limits request = { 500, 4, false };
static const struct caws__head_limits response = { 500, 4, true };

/* Feed it byte by byte, each in a block of its own. *used says how many. */
static int feed(struct caws__head *head, const struct caws__head_limits *limits, const char *text,
                size_t len, size_t *used)
{
    const char *detail = NULL;
    int result = 0;
    memset(head, 0, sizeof *head);
    for (*used = 0; *used < len && result == 0;) {
        uint8_t *byte = malloc(1);
        size_t n;
        byte[0] = (uint8_t)text[*used];
        result = caws__head_feed(head, &libc, limits, byte, 1, &n, &detail);
        free(byte);
        assert_true(n == 1 || result >= 400);
        *used += n;
    }
    assert_true(result < 400 || detail != NULL);
    return result;
}

static int verdict(const struct caws__head_limits *limits, const char *text)
{
    struct caws__head head;
    size_t used, whole_used;
    const char *detail;
    int result = feed(&head, limits, text, strlen(text), &used), whole;
    caws__head_free(&head, &libc);
    memset(&head, 0, sizeof head);
    whole = caws__head_feed(&head, &libc, limits, (const uint8_t *)text, strlen(text),
                            &whole_used, &detail);
    assert_int_equal(whole, result);
    if (result == 1)
        assert_int_equal(whole_used, used);
    caws__head_free(&head, &libc);
    return result;
}

#define GET "GET / HTTP/1.1\r\n"

static void test_verdicts_on_requests(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        { GET "\r\n", 1 }, { GET "a: b\r\n\r\n", 1 }, { GET "a:\r\n\r\n", 1 },
        { GET, 0 }, { GET "a: b\r\n", 0 }, { "", 0 },
        { "\r\n" GET "\r\n", 1 }, { "\r\n\r\n" GET "\r\n", 400 },
        { "GET / HTTP/1.9\r\n\r\n", 1 }, { "GET / HTTP/1.0\r\n", 505 },
        { "GET / HTTP/2.0\r\n", 505 }, { "GET / http/1.1\r\n", 400 },
        { "GET / HTTP/1.10\r\n", 400 }, { "GET / HTTP/1,1\r\n", 400 }, { "GET /\r\n", 400 },
        { "GET  / HTTP/1.1\r\n", 400 }, { "GET /  HTTP/1.1\r\n", 400 },
        { "GET /\tHTTP/1.1\r\n", 400 }, { " GET / HTTP/1.1\r\n", 400 },
        { "GET / HTTP/1.1 \r\n", 400 }, { "G(T / HTTP/1.1\r\n", 400 },
        { " / HTTP/1.1\r\n", 400 }, { "GET\t/ HTTP/1.1\r\n", 400 }, { "GET \r\n", 400 },
        { "GET  HTTP/1.1\r\n", 400 },
        { GET "a b\r\n", 400 }, { GET ": b\r\n", 400 }, { GET "a : b\r\n", 400 },
        { GET " a: b\r\n", 400 }, { GET "a: b\r\n c\r\n", 400 }, { GET "(a): b\r\n", 400 },
        { "GET / HTTP/1.1\n", 400 }, { GET "a: b\n", 400 }, { GET "a: b\rc", 400 },
        { GET "a: b\r\r\n", 400 }, { GET "a: \x01", 400 }, { GET "a: \x7f", 400 },
        { GET "a: \tb\x80\r\n\r\n", 1 }, { "\x16\x03\x01", 400 }, { "\n", 400 },
        { GET "a: 1\r\na: 2\r\na: 3\r\na: 4\r\n\r\n", 1 },
        { GET "a: 1\r\na: 2\r\na: 3\r\na: 4\r\na: 5\r\n", 431 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(verdict(&request, cases[i].text), cases[i].result);
}

static void test_verdicts_on_responses(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        { "HTTP/1.1 101 Switching\r\n\r\n", 1 }, { "HTTP/1.1 599 \r\n\r\n", 1 },
        { "HTTP/1.1 101\r\n", 400 }, { "HTTP/1.1 600 x\r\n", 400 }, { "HTTP/1.1 099 x\r\n", 400 },
        { "HTTP/1.1 1010 x\r\n", 400 }, { "HTTP/1.1  101 x\r\n", 400 },
        { "HTTP/1.1 +01 x\r\n", 400 }, { "HTTP/1.0 101 x\r\n", 505 }, { "\r\n", 400 },
        { "220 mail.example ESMTP\r\n", 400 }, { "HTTP/1.1 101 x\r\nbad\r\n", 400 },
        { "HTTP/1.1\t101 x\r\n", 400 }, { "HTTP/1.1 101\tx\r\n", 400 },
        { "HTTP/1.1 10: x\r\n", 400 }, { "HTTP/1.1 10/ x\r\n", 400 },
        { "HTTP/1.1 1:0 x\r\n", 400 }, { "HTTP/1.1 1/0 x\r\n", 400 },
        { "HTTP/1.1 5a9 x\r\n", 400 }, { "HTTP/:.1 101 x\r\n", 400 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(verdict(&response, cases[i].text), cases[i].result);
}

/* At max_bytes it passes, one byte more does not. */
static void test_the_size_is_exact(void **state)
{
    struct caws__head_limits limits = request;
    const char *text = GET "a: bcdef\r\n\r\n";
    (void)state;
    for (limits.max_bytes = 1; limits.max_bytes < 50; limits.max_bytes++) {
        int result = limits.max_bytes >= strlen(text) ? 1 : limits.max_bytes >= 16 ? 431 : 414;
        assert_int_equal(verdict(&limits, text), result);
    }
}

static void test_what_follows_is_left_alone(void **state)
{
    struct caws__head head = { 0 };
    const char *text = GET "\r\n\x81\x80", *detail;
    size_t used;
    (void)state;
    assert_int_equal(caws__head_feed(&head, &libc, &request, (const uint8_t *)text, strlen(text),
                                     &used, &detail), 1);
    assert_int_equal(used, strlen(text) - 2);
    caws__head_free(&head, &libc);
}

/* A limit that is met is named. */
static void test_which_limit(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        { GET "a: 1\r\na: 2\r\na: 3\r\na: 4\r\na: 5\r\n", "(max_headers)" },
        { GET "a: 1\r\na: 2\r\na: 3 and so on\r\n", "max_head," },
        { "GET /a/path/that/is/longer/than/all/that HTTP/1.1\r\n", "max_head," },
    };
    struct caws__head_limits limits = { 40, 4, false };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caws__head head = { 0 };
        const char *detail = NULL;
        size_t used;
        assert_true(caws__head_feed(&head, &libc, i == 0 ? &request : &limits,
                                    (const uint8_t *)cases[i].text, strlen(cases[i].text), &used,
                                    &detail) >= 400);
        assert_non_null(strstr(detail, cases[i].name));
        caws__head_free(&head, &libc);
    }
}

static void test_reading_a_head(void **state)
{
    static const char text[] = "GET /a?b HTTP/1.1\r\nHost: h\r\nX:  y, ,Z\t\r\nx:\r\n"
                               "connection: X\r\n\r\n";
    struct caws__head head;
    caws_slice method, target, e;
    struct caws__list list = { &head, "x", 0, { NULL, 0 } };
    unsigned count;
    size_t used, pos;
    (void)state;
    assert_int_equal(feed(&head, &request, text, sizeof text - 1, &used), 1);
    caws__request_line(caws__head_start_line(&head), &method, &target);
    assert_true(caws__same(method, "GET") && caws__same(target, "/a?b"));
    pos = list.pos = head.fields;
    assert_true(caws__head_next(&head, &pos, &method, &target));
    assert_true(caws__same(method, "host") && caws__same(target, "h"));
    assert_true(caws__same(caws__head_get(&head, "X", &count), "y, ,Z"));
    assert_int_equal(count, 2);
    assert_null(caws__head_get(&head, "Y", &count).data);
    assert_int_equal(count, 0);
    assert_true(caws__head_list_next(&list, &e) && caws__same(e, "y"));
    assert_true(caws__head_list_next(&list, &e) && caws__same(e, "Z"));
    assert_false(caws__head_list_next(&list, &e));
    assert_true(caws__head_list_has(&head, "X", "z"));
    assert_false(caws__head_list_has(&head, "X", "y, "));
    assert_int_equal(caws__status_line(caws__slice("HTTP/1.1 426 No")), 426);
    caws__head_free(&head, &libc);
}

static void test_no_memory(void **state)
{
    struct peer_alloc counting = { .fail_at = 1 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__head head = { 0 };
    const char *detail;
    size_t used;
    (void)state;
    assert_int_equal(caws__head_feed(&head, &alloc, &request, (const uint8_t *)"GET", 3, &used,
                                     &detail), CAWS_ERR_NOMEM);
    caws__head_free(&head, &alloc);
    assert_int_equal(counting.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts_on_requests),
        cmocka_unit_test(test_verdicts_on_responses),
        cmocka_unit_test(test_the_size_is_exact),
        cmocka_unit_test(test_what_follows_is_left_alone),
        cmocka_unit_test(test_which_limit),
        cmocka_unit_test(test_reading_a_head),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
