/* The blocks that a loop keeps (lib/net/pool.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/pool.h"

static struct {
    size_t blocks, bytes;
    unsigned long calls; /* that needed memory */
    bool refuses;
} under;

static void *counting(void *unused, void *ptr, size_t old_size, size_t new_size)
{
    (void)unused;
    under.bytes -= old_size;
    under.blocks -= ptr != NULL;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    under.calls++;
    if (under.refuses) {
        under.bytes += old_size;
        under.blocks += ptr != NULL;
        return NULL;
    }
    under.bytes += new_size;
    under.blocks++;
    ptr = realloc(ptr, new_size);
    assert_non_null(ptr);
    return ptr;
}

static struct caws__pool pool;
static caws_alloc through;

static void set_up(void)
{
    const caws_alloc alloc = { counting, NULL };

    memset(&under, 0, sizeof under);
    through = caws__pool_init(&pool, &alloc);
    pool.max = CAWS__POOL_MAX; /* with sanitizers, too */
}

/* Whatever a test did: all of it has gone back. */
static int tear_down(void **state)
{
    (void)state;
    caws__pool_empty(&pool);
    assert_int_equal(pool.kept, 0);
    assert_int_equal(under.blocks, 0);
    assert_int_equal(under.bytes, 0);
    return 0;
}

static void *resize(void *ptr, size_t old_size, size_t new_size)
{
    void *p = through.resize(through.ctx, ptr, old_size, new_size);

    if (p && new_size > 0 && new_size < SIZE_MAX / 4)
        memset((char *)p + (ptr ? old_size : 0), 7,
               !ptr ? new_size : new_size > old_size ? new_size - old_size : 0);
    return p;
}

static void drop(void *ptr, size_t size)
{
    assert_null(resize(ptr, size, 0));
}

static void a_block_is_kept_for_the_next(void **state)
{
    static const size_t sizes[] = { 1, 15, 16, 17, 500, 4095, 4096, 4097, 16384, 1000000,
                                    CAWS__POOL_MAX - sizeof(struct caws__pool_large) };

    (void)state;
    set_up();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *first = resize(NULL, 0, sizes[i]);
        unsigned long calls = under.calls;

        drop(first, sizes[i]);
        assert_true(pool.kept >= sizes[i]);
        assert_true(pool.kept <= sizes[i] + sizeof(struct caws__pool_large));
        assert_ptr_equal(resize(NULL, 0, sizes[i]), first);
        assert_int_equal(pool.kept, 0);
        assert_int_equal(under.calls, calls);
        drop(first, sizes[i]);
        caws__pool_empty(&pool);
    }
}

static void not_for_one_of_another_size(void **state)
{
    (void)state;
    set_up();
    for (size_t size = 160; size < 100000; size *= 10) {
        void *first = resize(NULL, 0, size);
        unsigned long calls = under.calls;
        void *other;

        drop(first, size);
        other = resize(NULL, 0, size * 2);
        assert_int_equal(under.calls, calls + 1);
        drop(other, size * 2);
        drop(resize(NULL, 0, size), size);
        drop(resize(NULL, 0, size * 2), size * 2);
        assert_int_equal(under.calls, calls + 1);
    }
}

static void the_largest_up_to_twice_the_size(void **state)
{
    static const size_t sizes[] = { 30000, 10000, 20000, 8000 };
    void *blocks[4], *first;

    (void)state;
    set_up();
    for (int i = 0; i < 4; i++)
        blocks[i] = resize(NULL, 0, sizes[i]);
    for (int i = 0; i < 4; i++)
        drop(blocks[i], sizes[i]);
    assert_ptr_equal(resize(NULL, 0, 10001), blocks[2]);
    assert_ptr_equal(resize(NULL, 0, 5000), blocks[1]);
    assert_ptr_equal(resize(NULL, 0, 5000), blocks[3]);
    assert_int_equal(pool.larges, 1);
    first = resize(NULL, 0, 14999); /* less than half of the one that is left */
    assert_true(first != blocks[0]);
    assert_ptr_equal(resize(NULL, 0, 15000), blocks[0]);
    drop(blocks[0], 15000);
    drop(blocks[1], 5000);
    drop(blocks[2], 10001);
    drop(blocks[3], 5000);
    drop(first, 14999);
}

static void the_last_one_first(void **state)
{
    void *small[3], *large[3];

    (void)state;
    set_up();
    for (int i = 0; i < 3; i++) {
        small[i] = resize(NULL, 0, 100);
        large[i] = resize(NULL, 0, 10000);
    }
    for (int i = 0; i < 3; i++) {
        drop(small[i], 100);
        drop(large[i], 10000);
    }
    for (int i = 3; i-- > 0;) {
        assert_ptr_equal(resize(NULL, 0, 100), small[i]);
        assert_ptr_equal(resize(NULL, 0, 10000), large[i]);
    }
    for (int i = 0; i < 3; i++) {
        drop(small[i], 100);
        drop(large[i], 10000);
    }
}

static void no_more_than_max(void **state)
{
    enum { COUNT = CAWS__POOL_MAX / 4096 + 3 };
    static void *blocks[COUNT];

    (void)state;
    set_up();
    for (int i = 0; i < COUNT; i++)
        blocks[i] = resize(NULL, 0, 4096);
    for (int i = 0; i < COUNT; i++)
        drop(blocks[i], 4096);
    assert_int_equal(pool.kept, CAWS__POOL_MAX);
    assert_int_equal(under.bytes, CAWS__POOL_MAX);
    drop(resize(NULL, 0, 16), 16);
    assert_int_equal(pool.kept, CAWS__POOL_MAX);
    drop(resize(NULL, 0, CAWS__POOL_MAX + 1), CAWS__POOL_MAX + 1);
    assert_int_equal(under.bytes, CAWS__POOL_MAX);
}

/* What one beat did not need goes in halves. */
static void what_is_not_needed_goes_back(void **state)
{
    void *small[8], *large[8];

    (void)state;
    set_up();
    for (int i = 0; i < 8; i++) {
        small[i] = resize(NULL, 0, 4096);
        large[i] = resize(NULL, 0, 8192);
    }
    for (int i = 0; i < 8; i++) {
        drop(small[i], 4096);
        drop(large[i], 8192);
    }
    caws__pool_trim(&pool); /* none was needed, but none was spare either */
    assert_int_equal(under.blocks, 16);
    caws__pool_trim(&pool);
    assert_in_range(under.bytes, 11 * 4096, 13 * 4096);
    assert_int_equal(pool.larges, 2); /* the last two that came */
    assert_ptr_equal(resize(NULL, 0, 8192), large[7]);
    assert_ptr_equal(resize(NULL, 0, 8192), large[6]);
    drop(large[6], 8192);
    drop(large[7], 8192);
    caws__pool_trim(&pool); /* 8 of 12 were spare */
    assert_in_range(under.bytes, 7 * 4096, 9 * 4096);
    assert_int_equal(pool.larges, 0);
    for (int i = 0; i < 20; i++)
        caws__pool_trim(&pool);
    assert_true(under.bytes <= 4096);
}

static void only_so_many_large_ones(void **state)
{
    void *blocks[CAWS__POOL_LARGE + 1];

    (void)state;
    set_up();
    for (size_t i = 0; i <= CAWS__POOL_LARGE; i++)
        blocks[i] = resize(NULL, 0, 5000);
    for (size_t i = 0; i <= CAWS__POOL_LARGE; i++)
        drop(blocks[i], 5000);
    assert_int_equal(under.blocks, CAWS__POOL_LARGE);
    assert_int_equal(pool.larges, CAWS__POOL_LARGE);
}

static void nothing_with_a_max_of_0(void **state)
{
    (void)state;
    set_up();
    pool.max = 0;
    drop(resize(NULL, 0, 16), 16);
    drop(resize(NULL, 0, 5000), 5000);
    assert_int_equal(under.blocks, 0);
}

static bool is_filled(const unsigned char *p, size_t len)
{
    while (len > 0 && p[len - 1] == 7)
        len--;
    return len == 0;
}

static void a_block_grows_and_shrinks(void **state)
{
    static const size_t sizes[] = { 1, 16, 17, 4000, 4200, 70000, CAWS__POOL_MAX + 5,
                                    90000, 4097, 3000, 2 };

    (void)state;
    set_up();
    for (int warm = 0; warm < 2; warm++) { /* the second time from what is kept */
        size_t old = 0;
        void *p = NULL;

        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            p = resize(p, old, sizes[i]);
            old = sizes[i];
            assert_true(is_filled(p, old));
        }
        drop(p, old);
    }
}

static void in_its_own_room_at_no_cost(void **state)
{
    void *small, *large;
    unsigned long calls;

    (void)state;
    set_up();
    small = resize(NULL, 0, 97);
    large = resize(NULL, 0, 20000);
    drop(large, 20000);
    calls = under.calls;
    assert_ptr_equal(resize(NULL, 0, 12000), large);
    assert_ptr_equal(resize(large, 12000, 20000), large);
    assert_ptr_equal(resize(large, 20000, 5000), large);
    assert_ptr_equal(resize(small, 97, 104), small);
    assert_int_equal(under.calls, calls);
    drop(small, 104);
    drop(large, 5000);
}

static void without_memory_nothing_changes(void **state)
{
    void *small, *large;

    (void)state;
    set_up();
    small = resize(NULL, 0, 100);
    large = resize(NULL, 0, 10000);
    under.refuses = true;
    assert_null(resize(NULL, 0, 100));
    assert_null(resize(NULL, 0, 10000));
    assert_null(resize(small, 100, 200));
    assert_null(resize(small, 100, 10000));
    assert_null(resize(large, 10000, 20000));
    assert_null(resize(large, 10000, 200));
    assert_null(resize(NULL, 0, SIZE_MAX));
    assert_null(resize(NULL, 0, SIZE_MAX - 3));
    assert_true(is_filled(small, 100));
    assert_true(is_filled(large, 10000));
    assert_int_equal(pool.kept, 0);
    drop(small, 100);
    drop(large, 10000);
    assert_ptr_equal(resize(NULL, 0, 100), small);
    drop(small, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_block_is_kept_for_the_next, tear_down),
        cmocka_unit_test_teardown(not_for_one_of_another_size, tear_down),
        cmocka_unit_test_teardown(the_largest_up_to_twice_the_size, tear_down),
        cmocka_unit_test_teardown(the_last_one_first, tear_down),
        cmocka_unit_test_teardown(no_more_than_max, tear_down),
        cmocka_unit_test_teardown(what_is_not_needed_goes_back, tear_down),
        cmocka_unit_test_teardown(only_so_many_large_ones, tear_down),
        cmocka_unit_test_teardown(nothing_with_a_max_of_0, tear_down),
        cmocka_unit_test_teardown(a_block_grows_and_shrinks, tear_down),
        cmocka_unit_test_teardown(in_its_own_room_at_no_cost, tear_down),
        cmocka_unit_test_teardown(without_memory_nothing_changes, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
