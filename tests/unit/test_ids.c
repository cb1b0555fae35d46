/* lib/net/ids.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/ids.h"
#include "peer.h"

static const caws_alloc libc;

static void test_one_after_the_other(void **state)
{
    struct caws__ids ids = { 0 };
    (void)state;
    assert_null(caws__ids_find(&ids, 1));
    for (uint64_t id = 1; id <= 1000; id++) {
        assert_int_equal(caws__ids_add(&ids, &libc, &id), CAWS_OK);
        assert_ptr_equal(caws__ids_find(&ids, id), &id);
        assert_null(caws__ids_find(&ids, id - 1));
        caws__ids_remove(&ids, id);
        assert_null(caws__ids_find(&ids, id));
    }
    /* What is gone leaves no room behind it. */
    assert_int_equal(ids.len, 0);
    assert_true(ids.cap <= 16);
    caws__ids_free(&ids, &libc);
}

static void test_nothing_is_found_by_0_or_by_others(void **state)
{
    struct caws__ids ids = { 0 };
    uint64_t id = 7;
    (void)state;
    caws__ids_add(&ids, &libc, &id);
    assert_null(caws__ids_find(&ids, 0));
    assert_null(caws__ids_find(&ids, id - 1));
    assert_null(caws__ids_find(&ids, id + 1));
    caws__ids_remove(&ids, 0);
    caws__ids_remove(&ids, id + 1);
    assert_ptr_equal(caws__ids_find(&ids, id), &id);
    assert_int_equal(ids.len, 1);
    caws__ids_free(&ids, &libc);
}

/* Those of id that are not 0, in the order of their numbers. */
static void check(const struct caws__ids *ids, const uint64_t *id, size_t count)
{
    const uint64_t *item;
    uint64_t last = 0;
    size_t at = 0, len = 0;
    for (; (item = caws__ids_next(ids, &at)); len++) {
        assert_true(*item > last);
        last = *item;
    }
    assert_int_equal(len, ids->len);
    for (size_t k = 0; k < count; k++) {
        assert_ptr_equal(caws__ids_find(ids, id[k]), id[k] ? &id[k] : NULL);
        len -= id[k] != 0;
    }
    assert_int_equal(len, 0);
}

static void test_agrees_with_an_array(void **state)
{
    enum { COUNT = 300 };
    struct caws__ids ids = { 0 };
    uint64_t id[COUNT] = { 0 }, gone = 0;
    uint32_t seed = 1;
    (void)state;
    for (uint64_t step = 1; step <= 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        size_t i = (seed >> 8) % COUNT;
        if (id[i]) {
            gone = id[i];
            caws__ids_remove(&ids, gone);
            id[i] = 0;
        } else {
            id[i] = step;
            assert_int_equal(caws__ids_add(&ids, &libc, &id[i]), CAWS_OK);
        }
        assert_null(caws__ids_find(&ids, gone));
        if (step % 50 == 0)
            check(&ids, id, COUNT);
    }
    assert_true(ids.cap <= 1024);
    caws__ids_free(&ids, &libc);
}

/* Whoever came first leaves first: nothing is moved, and room is not lost. */
static void test_a_queue(void **state)
{
    enum { COUNT = 100 };
    struct caws__ids ids = { 0 };
    uint64_t id[COUNT] = { 0 };
    (void)state;
    for (uint64_t n = 1; n <= 10 * COUNT; n++) {
        uint64_t *item = &id[n % COUNT];
        size_t at = 0;
        if (*item)
            caws__ids_remove(&ids, *item);
        *item = n;
        caws__ids_add(&ids, &libc, item);
        assert_int_equal(*caws__ids_next(&ids, &at), n > COUNT ? n - COUNT + 1 : 1);
    }
    assert_true(ids.cap <= 3 * COUNT);
    caws__ids_free(&ids, &libc);
}

static void test_some_are_added_meanwhile(void **state)
{
    struct caws__ids ids = { 0 };
    uint64_t id[100];
    size_t at = 0, n = 1;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        id[i] = i + 1;
    caws__ids_add(&ids, &libc, &id[0]);
    for (size_t i = 0; i < 100; i++) {
        assert_ptr_equal(caws__ids_next(&ids, &at), &id[i]);
        if (n < 100)
            caws__ids_add(&ids, &libc, &id[n++]);
    }
    assert_null(caws__ids_next(&ids, &at));
    caws__ids_free(&ids, &libc);
}

static void test_no_memory(void **state)
{
    const caws_alloc none = { peer_no_memory, NULL };
    struct caws__ids ids = { 0 };
    uint64_t id[17];
    (void)state;
    for (size_t i = 0; i < 17; i++)
        id[i] = i + 1;
    assert_int_equal(caws__ids_add(&ids, &none, &id[0]), CAWS_ERR_NOMEM);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(caws__ids_add(&ids, &libc, &id[i]), CAWS_OK);
    assert_int_equal(caws__ids_add(&ids, &none, &id[16]), CAWS_ERR_NOMEM);
    assert_int_equal(ids.len, 16);
    for (size_t i = 0; i < 16; i++)
        assert_ptr_equal(caws__ids_find(&ids, id[i]), &id[i]);
    assert_null(caws__ids_find(&ids, 17));
    caws__ids_free(&ids, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_nothing_is_found_by_0_or_by_others),
        cmocka_unit_test(test_agrees_with_an_array),
        cmocka_unit_test(test_a_queue),
        cmocka_unit_test(test_some_are_added_meanwhile),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
