/* lib/net/answer.c: the head of a response, looked at on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/answer.h"

static const caws_alloc libc = { NULL, NULL };

/* In pieces of this size. */
static struct caws__answer *answer_of(const char *text, size_t piece, int *status)
{
    struct caws__answer *answer = caws__answer_new(&libc);
    size_t len = strlen(text);
    assert_non_null(answer);
    *status = caws__answer_status(answer);
    for (size_t at = 0; at < len && *status == 0; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        assert_int_equal(caws__answer_add(answer, text + at, n), n);
        *status = caws__answer_status(answer);
    }
    return answer;
}

static void test_statuses(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        { "", 0 },
        { "HTTP/1.1 200 OK\r\n\r", 0 },
        { "HTTP/1.1 200 OK\r\n\r\n", 200 },
        { "HTTP/1.0 200 \r\n\r\n", 200 },
        { "HTTP/1.1 599\r\nA: b\r\n\r\nrest", 599 },
        { "HTTP/1.1 101 X\r\n\r\n", 101 },
        { "HTTP/1.1 100 X\r\n\r\n", 0 },
        { "HTTP/1.1 100 X\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\nHTTP/1.1 302 X\r\n\r\n", 302 },
        { "HTTP/1.1 20 OK\r\n\r\n", -1 },
        { "HTTP/1.1 2000 OK\r\n\r\n", -1 },
        { "HTTP/1.1 2:0 OK\r\n\r\n", -1 },
        { "HTTP/1.1 20/ OK\r\n\r\n", -1 },
        { "HTTP/1.1x200 OK\r\n\r\n", -1 },
        { "HTTP/1.1 020 OK\r\n\r\n", -1 },
        { "HTTP/2 200 OK\r\n\r\n", -1 },
        { "HTTP/1.1\r\n\r\n", -1 },
        { "\r\n\r\n", -1 },
        { "HTTP/1.1 103 X\r\n\r\nnonsense\r\n\r\n", -1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 100; piece += 7) {
            int status;
            caws__answer_free(answer_of(rows[i].text, piece, &status), &libc);
            assert_int_equal(status, rows[i].status);
        }
}

static void want_field(const struct caws__answer *answer, const char *name, const char *value)
{
    caws_slice got = caws__answer_field(answer, name);
    assert_int_equal(got.data != NULL, value != NULL);
    if (!value)
        return;
    assert_int_equal(got.len, strlen(value));
    assert_memory_equal(got.data, value, got.len);
}

static void test_fields(void **state)
{
    int status;
    struct caws__answer *answer = answer_of("HTTP/1.1 103 X\r\nLocation: /early\r\n\r\n"
                                            "HTTP/1.1 302 Location: no\r\nlocation: \t/x y \t\r\n"
                                            "Empty:\r\nTwice: 1\r\nTWICE: 2\r\nLast:z\r\n\r\n"
                                            "Behind: 1\r\n\r\n",
                                            1000, &status);
    (void)state;
    assert_int_equal(status, 302);
    want_field(answer, "Location", "/x y");
    want_field(answer, "empty", "");
    want_field(answer, "Last", "z");
    want_field(answer, "Twice", NULL);
    want_field(answer, "Behind", NULL);
    want_field(answer, "Locatio", NULL);
    assert_int_equal(answer->len - answer->end, 13);
    assert_memory_equal(answer->text + answer->end, "Behind: 1\r\n\r\n", 13);
    caws__answer_free(answer, &libc);
}

static void test_size(void **state)
{
    struct caws__answer *answer = caws__answer_new(&libc);
    char *much = malloc(2 * CAWS__ANSWER_MAX);
    (void)state;
    memset(much, 'x', 2 * CAWS__ANSWER_MAX);
    assert_int_equal(caws__answer_add(answer, much, CAWS__ANSWER_MAX - 1), CAWS__ANSWER_MAX - 1);
    assert_int_equal(caws__answer_status(answer), 0);
    assert_int_equal(caws__answer_add(answer, much, 2), 1);
    assert_int_equal(caws__answer_status(answer), -1);
    assert_int_equal(caws__answer_add(answer, much, 1), 0);
    caws__answer_free(answer, &libc);
    caws__answer_free(NULL, &libc);
    free(much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
