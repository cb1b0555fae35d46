/* lib/net/heap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/heap.h"

static const caws_alloc libc;

/* Take the soonest out; the place of its slot in slots. */
static size_t take(struct caws__heap *heap, const size_t *slots)
{
    size_t *slot = heap->entries[0].slot;
    caws__heap_remove(heap, slot);
    assert_int_equal(*slot, 0);
    return (size_t)(slot - slots);
}

static void test_soonest_first(void **state)
{
    static const uint64_t due[] = { 30, 10, 20, 40, 5 };
    static const size_t order[] = { 4, 1, 2, 0, 3 };
    struct caws__heap heap = { 0 };
    size_t slots[5] = { 0 };
    (void)state;
    assert_true(caws__heap_due(&heap) == CAWS__HEAP_NEVER);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(caws__heap_set(&heap, &libc, &slots[i], due[i]), CAWS_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(caws__heap_due(&heap), due[order[i]]);
        assert_int_equal(take(&heap, slots), order[i]);
    }
    assert_true(caws__heap_due(&heap) == CAWS__HEAP_NEVER);
    caws__heap_free(&heap, &libc);
}

static void test_equal_moments_in_order_of_setting(void **state)
{
    struct caws__heap heap = { 0 };
    size_t slots[40] = { 0 };
    (void)state;
    for (size_t i = 0; i < 40; i++)
        caws__heap_set(&heap, &libc, &slots[i], 7);
    caws__heap_set(&heap, &libc, &slots[0], 7);
    for (size_t i = 1; i < 40; i++)
        assert_int_equal(take(&heap, slots), i);
    assert_int_equal(take(&heap, slots), 0);
    caws__heap_free(&heap, &libc);
}

static void test_remove_of_what_is_not_in_it(void **state)
{
    struct caws__heap heap = { 0 };
    size_t in = 0, out = 0;
    (void)state;
    caws__heap_set(&heap, &libc, &in, 1);
    caws__heap_remove(&heap, &out);
    assert_int_equal(heap.len, 1);
    caws__heap_remove(&heap, &in);
    caws__heap_remove(&heap, &in);
    assert_int_equal(heap.len, 0);
    caws__heap_free(&heap, &libc);
}

/* Against a plain array, through thousands of entries, moves and removals. */
static void test_agrees_with_an_array(void **state)
{
    enum { COUNT = 200 };
    struct caws__heap heap = { 0 };
    size_t slots[COUNT] = { 0 };
    uint64_t due[COUNT];
    uint32_t seed = 1;
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        due[i] = CAWS__HEAP_NEVER;
    for (int step = 0; step < 20000; step++) {
        uint64_t least = CAWS__HEAP_NEVER;
        seed = seed * 1664525 + 1013904223;
        size_t i = (seed >> 8) % COUNT;
        if (seed >> 31) {
            due[i] = (seed >> 16) % 1000;
            assert_int_equal(caws__heap_set(&heap, &libc, &slots[i], due[i]), CAWS_OK);
        } else {
            due[i] = CAWS__HEAP_NEVER;
            caws__heap_remove(&heap, &slots[i]);
        }
        for (size_t k = 0; k < COUNT; k++) {
            assert_int_equal(slots[k] != 0, due[k] != CAWS__HEAP_NEVER);
            if (due[k] < least)
                least = due[k];
        }
        assert_true(caws__heap_due(&heap) == least);
    }
    caws__heap_free(&heap, &libc);
}

static void *no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    assert_null(ptr);
    assert_true(new_size > 0);
    return NULL;
}

static void test_no_memory(void **state)
{
    const caws_alloc none = { no_memory, NULL };
    struct caws__heap heap = { 0 };
    size_t slot = 0;
    (void)state;
    assert_int_equal(caws__heap_set(&heap, &none, &slot, 1), CAWS_ERR_NOMEM);
    assert_int_equal(slot, 0);
    assert_int_equal(heap.len, 0);
    /* Who is in it can be moved without any. */
    caws__heap_set(&heap, &libc, &slot, 1);
    assert_int_equal(caws__heap_set(&heap, &none, &slot, 2), CAWS_OK);
    assert_int_equal(caws__heap_due(&heap), 2);
    caws__heap_free(&heap, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soonest_first),
        cmocka_unit_test(test_equal_moments_in_order_of_setting),
        cmocka_unit_test(test_remove_of_what_is_not_in_it),
        cmocka_unit_test(test_agrees_with_an_array),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
