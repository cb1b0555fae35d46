/* lib/protocol/utf8.c: named cases; test_utf8_all.c has all the others */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/utf8.h"

/* The place of the byte at which the library fails, fed byte by byte. */
static size_t fails_at(const uint8_t *p, size_t len, bool *complete)
{
    struct caws__utf8 u = { 0, 0, 0 };
    for (size_t i = 0; i < len; i++)
        if (!caws__utf8_check(&u, p + i, 1))
            return i;
    *complete = caws__utf8_complete(&u);
    return len;
}

/* Cut in two at every place, and byte by byte: the first bad byte is always
 * the one at bad, or there is none and bad is len. */
static void check_splits(const uint8_t *p, size_t len, size_t bad)
{
    bool complete;
    assert_int_equal(fails_at(p, len, &complete), bad);
    for (size_t cut = 0; cut <= len; cut++) {
        struct caws__utf8 u = { 0, 0, 0 };
        bool first = caws__utf8_check(&u, p, cut);
        assert_int_equal(first, bad >= cut);
        if (first)
            assert_int_equal(caws__utf8_check(&u, p + cut, len - cut),
                             bad == len);
    }
}

/* bad: the place of the first bad byte. After valid text of any length, so
 * that the fast path for ASCII ends in front of it at every place. */
static void refuse(const char *bytes, size_t bad)
{
    size_t len = strlen(bytes);
    for (size_t before = 0; before <= 24; before++) {
        size_t all = before + len;
        bool complete;
        uint8_t *p = malloc(all);
        struct caws__utf8 u = { 0, 0, 0 };
        assert_non_null(p);
        memset(p, 'a', before);
        memcpy(p + before, bytes, len);
        assert_int_equal(fails_at(p, all, &complete), before + bad);
        assert_true(caws__utf8_check(&u, p, before + bad));
        assert_false(caws__utf8_check(&u, p + before + bad, 1));
        assert_false(caws__utf8_valid(p, all));
        check_splits(p, all, before + bad);
        free(p);
    }
}

static void allow(const void *bytes, size_t len)
{
    uint8_t *p = malloc(len);
    assert_non_null(p);
    memcpy(p, bytes, len);
    assert_true(caws__utf8_valid(p, len));
    check_splits(p, len, len);
    free(p);
}

static void test_overlong_forms(void **state)
{
    /* REQ 3629-2 */
    (void)state;
    refuse("\xc0\x80", 0);
    refuse("\xc1\xbf", 0);
    refuse("\xe0\x80\x80", 1);
    refuse("\xe0\x9f\xbf", 1);
    refuse("\xf0\x80\x80\x80", 1);
    refuse("\xf0\x8f\xbf\xbf", 1);
    allow("\xc2\x80", 2);
    allow("\xe0\xa0\x80", 3);
    allow("\xf0\x90\x80\x80", 4);
}

static void test_surrogates(void **state)
{
    /* REQ 3629-3 */
    (void)state;
    refuse("\xed\xa0\x80", 1);
    refuse("\xed\xa0\x80\xed\xb0\x80", 1);
    refuse("\xed\xbf\xbf", 1);
    for (unsigned second = 0xa0; second <= 0xbf; second++) {
        char bytes[4] = { (char)0xed, (char)second, (char)0x80, 0 };
        refuse(bytes, 1);
    }
    allow("\xed\x9f\xbf", 3);
    allow("\xee\x80\x80", 3);
}

static void test_above_the_last_code_point(void **state)
{
    /* REQ 3629-4 */
    (void)state;
    refuse("\xf4\x90\x80\x80", 1);
    for (unsigned lead = 0xf5; lead <= 0xff; lead++) {
        char bytes[7] = { (char)lead, (char)0x80, (char)0x80, (char)0x80,
                          (char)0x80, (char)0x80, 0 };
        refuse(bytes, 0);
    }
    allow("\xf4\x8f\xbf\xbf", 4);
}

static void test_stray_and_missing_continuations(void **state)
{
    /* REQ 3629-5 */
    static const char *const truncated[] = { "\xce", "\xe2\x82",
                                             "\xf0\x9f\x98", "ab\xf0" };
    (void)state;
    refuse("\x80", 0);
    refuse("\xbf", 0);
    refuse("\xc3\x28", 1);
    refuse("\xe2\x82\x28", 2);
    refuse("\xf0\x9f\x98\x28", 3);
    refuse("\xce\xba\x80", 2);
    refuse("\xe2\xe2\x82\xac", 1);
    for (size_t i = 0; i < 4; i++) {
        struct caws__utf8 u = { 0, 0, 0 };
        size_t len = strlen(truncated[i]);
        assert_true(caws__utf8_check(&u, truncated[i], len));
        assert_false(caws__utf8_complete(&u));
        assert_false(caws__utf8_valid(truncated[i], len));
        check_splits((const uint8_t *)truncated[i], len, len);
    }
}

static void test_ordinary_though_odd(void **state)
{
    /* REQ 3629-6 */
    (void)state;
    allow("\xef\xbf\xbe", 3);
    allow("\xef\xbf\xbf", 3);
    allow("\xef\xb7\x90", 3);
    allow("\xf4\x8f\xbf\xbe", 4);
    allow("\0", 1);
    allow("a\0b", 3);
    allow("\xef\xbb\xbf" "a", 4);
    allow("\x7f", 1);
}

/* Autobahn 6.4: the fourth byte is the first that can be known to be bad. */
static void test_fails_before_the_sequence_ends(void **state)
{
    /* REQ 3629-7 */
    (void)state;
    refuse("\xce\xba\xf4\x90", 3);
    refuse("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80", 12);
    refuse("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80" "edit", 12);
}

static void test_nothing_at_all(void **state)
{
    struct caws__utf8 u = { 0, 0, 0 };
    (void)state;
    assert_true(caws__utf8_complete(&u));
    assert_true(caws__utf8_valid(NULL, 0));
    assert_true(caws__utf8_check(&u, NULL, 0));
    assert_true(caws__utf8_check(&u, "\xe2\x82", 2));
    assert_true(caws__utf8_check(&u, NULL, 0));
    assert_false(caws__utf8_complete(&u));
    assert_true(caws__utf8_check(&u, "\xac", 1));
    assert_true(caws__utf8_complete(&u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlong_forms),
        cmocka_unit_test(test_surrogates),
        cmocka_unit_test(test_above_the_last_code_point),
        cmocka_unit_test(test_stray_and_missing_continuations),
        cmocka_unit_test(test_ordinary_though_odd),
        cmocka_unit_test(test_fails_before_the_sequence_ends),
        cmocka_unit_test(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
