/* lib/protocol/text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/text.h"

static caws_slice s(const char *text)
{
    return caws__slice(text);
}

static void test_slices_of_strings(void **state)
{
    (void)state;
    assert_null(s(NULL).data);
    assert_int_equal(s(NULL).len, 0);
    assert_non_null(s("").data);
    assert_int_equal(s("abc").len, 3);
}

static void test_comparisons(void **state)
{
    (void)state;
    assert_true(caws__equal(s("aB"), s("aB")));
    assert_false(caws__equal(s("aB"), s("ab")));
    assert_false(caws__equal(s("a"), s("ab")));
    assert_true(caws__equal(s(NULL), s("")));
    assert_true(caws__same(s("WebSocket"), "websocket"));
    assert_false(caws__same(s("websocke"), "websocket"));
    assert_true(caws__same_text(s("azAZ09-"), s("AZaz09-")));
    /* Only letters fold: @ ` [ { differ by the same bit. */
    assert_false(caws__same(s("@["), "`{"));
    assert_false(caws__same(s("websoc\xe2\x84\xaa" "et"), "websocket")); /* U+212A */
    assert_false(caws__same(s("\xc4"), "\xe4"));
}

static void test_trim(void **state)
{
    static const char *const cases[][2] = {
        { "", "" }, { " \t ", "" }, { "a", "a" }, { " \ta b\t ", "a b" },
        { "\x0b" "a\r", "\x0b" "a\r" }, /* other white space stays */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(caws__equal(caws__trim(s(cases[i][0])), s(cases[i][1])));
}

static void test_every_byte_as_a_token_and_in_a_value(void **state)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    (void)state;
    /* REQ 9110-5.6.2-1 */
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        caws_slice text = { &byte, 1 };
        bool control = (c < 32 && c != '\t') || c == 127;
        assert_int_equal(caws__is_token(text), c != 0 && strchr(tchars, c) != NULL);
        assert_int_equal(caws__is_control(byte), control);
        assert_int_equal(caws__is_field_value(text), !control);
        assert_int_equal(caws__is_space(byte), c == ' ' || c == '\t');
        assert_int_equal(caws__is_visible(text), c > 32 && c < 127);
    }
    assert_false(caws__is_token(s("")));
    assert_false(caws__is_token(s("a b")));
    assert_int_equal(caws__token_len(s("abc: d")), 3);
    assert_int_equal(caws__token_len(s("")), 0);
    assert_true(caws__is_field_value(s("")));
    assert_true(caws__is_visible(s("!~")));
    assert_false(caws__is_visible(s("a b")));
}

static void test_lists(void **state)
{
    static const struct {
        const char *list, *elements;
    } cases[] = {
        { "", "" },           { "a", "a;" },          { "a,b", "a;b;" },
        { " a ,\tb ", "a;b;" }, { ",, ,a,,b,", "a;b;" }, { ",", "" },
        { "a b, c", "a b;c;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        caws_slice rest = s(cases[i].list), e;
        char seen[32] = "";
        while (caws__list_next(&rest, &e)) {
            strncat(seen, e.data, e.len);
            strcat(seen, ";");
        }
        assert_string_equal(seen, cases[i].elements);
        assert_int_equal(rest.len, 0);
    }
}

/* In a block of its own size, so that ASan sees a read past it. */
static bool extensions_valid(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + (len == 0));
    bool valid;
    memcpy(copy, text, len);
    valid = caws__extensions_valid((caws_slice){ copy, len });
    free(copy);
    return valid;
}

static void test_extensions(void **state)
{
    static const char *const valid[] = {
        "a", " a ", "a, b", "a,,b", ",a", "a;b", "a; b=1", "a ; b", "a; b=\"1\"",
        "a; b=\"\\1\\0\"", "permessage-deflate; client_max_window_bits; x=y, foo",
    };
    static const char *const invalid[] = {
        "", " ", ",", ";a", "a;", "a b", "a=1", "a;b=", "a;=1", "a;b=\"x", "a;b=\"\"",
        "a;b=\"b c\"", "a;b=\"x\\", "a;b=\"x\\\"", "a;b=\"x\"y", "a;b=1 2", "\"a\"", "a\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true(extensions_valid(valid[i]));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(extensions_valid(invalid[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices_of_strings),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_every_byte_as_a_token_and_in_a_value),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
