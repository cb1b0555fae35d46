/* lib/net/strings.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/strings.h"

/* What is held, which must be given back with the size it was asked for. */
struct held {
    size_t size, calls, refuse;
};

static void *count(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct held *held = ctx;
    held->calls++;
    if (held->refuse)
        return NULL;
    assert_int_equal(held->size, old_size);
    held->size = new_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static void test_copies_are_their_own(void **state)
{
    struct held held = { 0 };
    const caws_alloc alloc = { count, &held };
    char one[] = "one", two[] = "two two";
    const char *a = one, *b = NULL, *c = "", *d = two;
    const char **fields[] = { &a, &b, &c, &d };
    struct caws__strings strings = { 0 };
    (void)state;
    assert_int_equal(caws__strings_copy(&strings, &alloc, fields, 4), CAWS_OK);
    memset(one, 'x', 3);
    memset(two, 'x', 7);
    assert_string_equal(a, "one");
    assert_null(b);
    assert_string_equal(c, "");
    assert_string_equal(d, "two two");
    /* All are inside the one block. */
    assert_int_equal(held.calls, 1);
    assert_true(a >= strings.block && d + 8 <= strings.block + strings.size);
    assert_true(c >= strings.block && c < strings.block + strings.size);
    caws__strings_free(&strings, &alloc);
    assert_int_equal(held.size, 0);
    assert_null(strings.block);
}

/* Two fields may name the same text. */
static void test_the_same_twice(void **state)
{
    const caws_alloc libc = { NULL, NULL };
    char text[] = "same";
    const char *a = text, *b = text;
    const char **fields[] = { &a, &b };
    struct caws__strings strings = { 0 };
    (void)state;
    assert_int_equal(caws__strings_copy(&strings, &libc, fields, 2), CAWS_OK);
    text[0] = 'x';
    assert_string_equal(a, "same");
    assert_string_equal(b, "same");
    caws__strings_free(&strings, &libc);
}

static void test_nothing_to_copy(void **state)
{
    struct held held = { 0 };
    const caws_alloc alloc = { count, &held };
    const char *none = NULL;
    const char **fields[] = { &none };
    struct caws__strings strings = { 0 };
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(caws__strings_copy(&strings, &alloc, fields, n), CAWS_OK);
        assert_null(none);
        caws__strings_free(&strings, &alloc);
        assert_int_equal(held.size, 0);
    }
    /* There is nothing to give back any more. */
    held.calls = 0;
    caws__strings_free(&strings, &alloc);
    assert_int_equal(held.calls, 0);
}

static void test_no_memory(void **state)
{
    struct held held = { .refuse = 1 };
    const caws_alloc alloc = { count, &held };
    const char text[] = "text";
    const char *a = text;
    const char **fields[] = { &a };
    struct caws__strings strings = { 0 };
    (void)state;
    assert_int_equal(caws__strings_copy(&strings, &alloc, fields, 1), CAWS_ERR_NOMEM);
    assert_ptr_equal(a, text);
    assert_null(strings.block);
    caws__strings_free(&strings, &alloc);
    assert_int_equal(held.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_are_their_own),
        cmocka_unit_test(test_the_same_twice),
        cmocka_unit_test(test_nothing_to_copy),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
