/* lib/net/ids.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/ids.h"

static const caws_alloc libc;

static void test_numbers_are_never_used_twice(void **state)
{
    struct caws__ids ids = { 0 };
    int item;
    (void)state;
    assert_null(caws__ids_find(&ids, 1));
    for (uint64_t last = 0, i = 0; i < 1000; i++) {
        uint64_t id = caws__ids_add(&ids, &libc, &item);
        assert_true(id > last);
        assert_ptr_equal(caws__ids_find(&ids, id), &item);
        assert_null(caws__ids_find(&ids, last));
        caws__ids_remove(&ids, id);
        last = id;
    }
    /* What is gone leaves no room behind it. */
    assert_int_equal(ids.len, 0);
    assert_true(ids.cap <= 16);
    caws__ids_free(&ids, &libc);
}

static void test_nothing_is_found_by_0_or_by_others(void **state)
{
    struct caws__ids ids = { 0 };
    int item;
    (void)state;
    uint64_t id = caws__ids_add(&ids, &libc, &item);
    assert_null(caws__ids_find(&ids, 0));
    assert_null(caws__ids_find(&ids, id + 1));
    caws__ids_remove(&ids, 0);
    caws__ids_remove(&ids, id + 1);
    assert_ptr_equal(caws__ids_find(&ids, id), &item);
    caws__ids_free(&ids, &libc);
}

/* Removal must not cut off others that collided with what is removed. */
static void test_agrees_with_an_array(void **state)
{
    enum { COUNT = 300 };
    struct caws__ids ids = { 0 };
    uint64_t id[COUNT] = { 0 };
    uint32_t seed = 1;
    (void)state;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        size_t i = (seed >> 8) % COUNT;
        if (id[i]) {
            caws__ids_remove(&ids, id[i]);
            assert_null(caws__ids_find(&ids, id[i]));
            id[i] = 0;
        } else {
            id[i] = caws__ids_add(&ids, &libc, &id[i]);
        }
        if (step % 50 == 0)
            for (size_t k = 0; k < COUNT; k++)
                assert_ptr_equal(caws__ids_find(&ids, id[k]), id[k] ? &id[k] : NULL);
    }
    assert_true(ids.cap <= 1024);
    caws__ids_free(&ids, &libc);
}

static void *no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)ptr;
    (void)old_size;
    (void)new_size;
    return NULL;
}

static void test_no_memory(void **state)
{
    const caws_alloc none = { no_memory, NULL };
    struct caws__ids ids = { 0 };
    int item;
    (void)state;
    assert_int_equal(caws__ids_add(&ids, &none, &item), 0);
    for (int i = 0; i < 8; i++)
        assert_int_not_equal(caws__ids_add(&ids, &libc, &item), 0);
    assert_int_equal(caws__ids_add(&ids, &none, &item), 0);
    for (uint64_t id = 1; id <= 8; id++)
        assert_ptr_equal(caws__ids_find(&ids, id), &item);
    caws__ids_free(&ids, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_never_used_twice),
        cmocka_unit_test(test_nothing_is_found_by_0_or_by_others),
        cmocka_unit_test(test_agrees_with_an_array),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
