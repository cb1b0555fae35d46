/* lib/protocol/buffer.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/buffer.h"

/* An allocator of one block that moves it on every call, insists on exact old
 * sizes, and fails on demand. */
struct strict {
    void *block;
    size_t size;
    size_t calls;
    size_t fail; /* this many calls fail */
};

static void *strict_resize(void *ctx, void *ptr, size_t old_size,
                           size_t new_size)
{
    struct strict *s = ctx;
    void *moved = NULL;
    s->calls++;
    assert_ptr_equal(ptr, s->block);
    assert_int_equal(old_size, s->size);
    assert_false(ptr == NULL && new_size == 0);
    if (new_size > 0) {
        if (s->fail > 0) {
            s->fail--;
            return NULL;
        }
        moved = malloc(new_size);
        assert_non_null(moved);
        if (old_size > 0)
            memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    }
    free(ptr);
    s->block = moved;
    s->size = new_size;
    return moved;
}

static caws_alloc strict_alloc(struct strict *s)
{
    return (caws_alloc){ strict_resize, s };
}

static void test_resize_passes_everything_on(void **state)
{
    struct strict s = { NULL, 0, 0, 0 };
    caws_alloc alloc = strict_alloc(&s);
    char *p = caws__resize(&alloc, NULL, 0, 3);
    (void)state;
    memcpy(p, "abc", 3);
    p = caws__resize(&alloc, p, 3, 5);
    assert_memory_equal(p, "abc", 3);
    assert_ptr_equal(p, s.block);
    assert_int_equal(s.size, 5);
    s.fail = 1;
    assert_null(caws__resize(&alloc, p, 5, 9));
    assert_null(caws__resize(&alloc, p, 5, 0));
    assert_null(s.block);
    assert_int_equal(s.calls, 4);
    assert_null(caws__resize(&alloc, NULL, 0, 0));
    assert_int_equal(s.calls, 4);
}

static void test_resize_without_an_allocator(void **state)
{
    caws_alloc libc = { NULL, NULL };
    char *p = caws__resize(&libc, NULL, 0, 4);
    (void)state;
    assert_non_null(p);
    memcpy(p, "caws", 4);
    p = caws__resize(&libc, p, 4, 4000);
    assert_non_null(p);
    assert_memory_equal(p, "caws", 4);
    memset(p, 1, 4000);
    assert_null(caws__resize(&libc, p, 4000, 0)); /* LSan: freed */
    assert_null(caws__resize(&libc, NULL, 0, 0));
}

static void test_reserve_gives_room(void **state)
{
    struct strict s = { NULL, 0, 0, 0 };
    caws_alloc alloc = strict_alloc(&s);
    struct caws__buffer b = { NULL, 0, 0 };
    (void)state;
    assert_int_equal(caws__buffer_reserve(&b, &alloc, 0, 0), CAWS_OK);
    assert_int_equal(s.calls, 0);
    assert_int_equal(caws__buffer_reserve(&b, &alloc, 10, 1000), CAWS_OK);
    assert_true(b.cap >= 10);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.data, s.block);
    assert_int_equal(b.cap, s.size);
    memset(b.data, 'x', 10);
    b.len = 10;
    assert_int_equal(caws__buffer_reserve(&b, &alloc, 1, 1000), CAWS_OK);
    assert_true(b.cap >= 20);
    assert_int_equal(s.calls, 2);
    for (size_t i = 1; i <= b.cap - b.len; i++)
        assert_int_equal(caws__buffer_reserve(&b, &alloc, i, 1000), CAWS_OK);
    assert_int_equal(s.calls, 2);
    assert_int_equal(caws__buffer_reserve(&b, &alloc, b.cap, 1000), CAWS_OK);
    assert_int_equal(s.calls, 3); /* old_size is the capacity, not the length */
    assert_true(b.cap >= 40);
    assert_memory_equal(b.data, "xxxxxxxxxx", 10);
    caws__buffer_free(&b, &alloc);
    assert_null(s.block);
}

/* For every maximum, byte by byte up to it: the capacity at least doubles, or
 * is the maximum, and is never past it. */
static void test_never_past_the_maximum(void **state)
{
    (void)state;
    for (size_t max = 1; max <= 300; max++) {
        struct strict s = { NULL, 0, 0, 0 };
        caws_alloc alloc = strict_alloc(&s);
        struct caws__buffer b = { NULL, 0, 0 };
        while (b.len < max) {
            size_t before = b.cap;
            int r = caws__buffer_reserve(&b, &alloc, 1, max);
            assert_int_equal(r, CAWS_OK);
            assert_true(b.cap <= max && b.cap > b.len);
            if (b.cap != before)
                assert_true(b.cap >= 2 * before || b.cap == max);
            b.data[b.len++] = 'x';
        }
        assert_int_equal(b.cap, max);
        assert_true(s.calls <= 10);
        caws__buffer_free(&b, &alloc);
    }
}

/* The arithmetic near the top: doubling may not wrap. No memory is touched. */
static void test_huge_capacity_does_not_wrap(void **state)
{
    struct strict s = { NULL, 0, 0, 1 };
    caws_alloc alloc = strict_alloc(&s);
    struct caws__buffer b = { NULL, 0, 0 };
    uint8_t byte = 0;
    (void)state;
    b.data = s.block = &byte;
    b.len = b.cap = s.size = SIZE_MAX / 2 + 2;
    assert_int_equal(caws__buffer_reserve(&b, &alloc, 1, SIZE_MAX),
                     CAWS_ERR_NOMEM);
    assert_int_equal(s.calls, 1);
    assert_int_equal(caws__buffer_add(&b, &alloc, &byte, SIZE_MAX / 2),
                     CAWS_ERR_NOMEM);
    assert_int_equal(s.calls, 1);
    assert_int_equal(b.cap, SIZE_MAX / 2 + 2);
}

static void test_a_failure_changes_nothing(void **state)
{
    struct strict s = { NULL, 0, 0, 1 };
    caws_alloc alloc = strict_alloc(&s);
    struct caws__buffer b = { NULL, 0, 0 }, before;
    (void)state;
    assert_int_equal(caws__buffer_add(&b, &alloc, "abc", 3), CAWS_ERR_NOMEM);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
    assert_int_equal(caws__buffer_add(&b, &alloc, "abc", 3), CAWS_OK);
    before = b;
    s.fail = 2;
    assert_int_equal(caws__buffer_add(&b, &alloc, "0123456789", 10),
                     CAWS_ERR_NOMEM);
    assert_int_equal(caws__buffer_reserve(&b, &alloc, 10, 100),
                     CAWS_ERR_NOMEM);
    assert_memory_equal(&b, &before, sizeof b);
    assert_memory_equal(b.data, "abc", 3);
    caws__buffer_free(&b, &alloc);
    assert_null(s.block);
}

static void test_add_appends(void **state)
{
    struct strict s = { NULL, 0, 0, 0 };
    caws_alloc alloc = strict_alloc(&s);
    struct caws__buffer b = { NULL, 0, 0 };
    (void)state;
    assert_int_equal(caws__buffer_add(&b, &alloc, NULL, 0), CAWS_OK);
    assert_int_equal(s.calls, 0);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i % 251);
        assert_int_equal(caws__buffer_add(&b, &alloc, &byte, 1), CAWS_OK);
    }
    assert_int_equal(b.len, 100000);
    assert_true(s.calls <= 18); /* doubling: log2 of 100000, and one */
    for (unsigned i = 0; i < 100000; i++)
        if (b.data[i] != i % 251)
            fail();
    assert_int_equal(caws__buffer_add(&b, &alloc, "end", 3), CAWS_OK);
    assert_memory_equal(b.data + 100000, "end", 3);
    caws__buffer_free(&b, &alloc);
}

static void test_free_leaves_it_empty(void **state)
{
    struct strict s = { NULL, 0, 0, 0 };
    caws_alloc alloc = strict_alloc(&s);
    struct caws__buffer b = { NULL, 0, 0 };
    (void)state;
    caws__buffer_free(&b, &alloc);
    assert_int_equal(s.calls, 0);
    assert_int_equal(caws__buffer_add(&b, &alloc, "x", 1), CAWS_OK);
    caws__buffer_free(&b, &alloc);
    assert_null(s.block);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
    assert_int_equal(caws__buffer_add(&b, &alloc, "y", 1), CAWS_OK);
    assert_memory_equal(b.data, "y", 1);
    caws__buffer_free(&b, &alloc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize_passes_everything_on),
        cmocka_unit_test(test_resize_without_an_allocator),
        cmocka_unit_test(test_reserve_gives_room),
        cmocka_unit_test(test_never_past_the_maximum),
        cmocka_unit_test(test_huge_capacity_does_not_wrap),
        cmocka_unit_test(test_a_failure_changes_nothing),
        cmocka_unit_test(test_add_appends),
        cmocka_unit_test(test_free_leaves_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
