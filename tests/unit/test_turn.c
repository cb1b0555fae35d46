/* lib/net/turn.c: the lines alone. RFC 6455 section 4.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/turn.h"

#define COUNT 5

/* Links that are never served: only that they are to be is looked at. */
static struct {
    caws_loop *loop;
    struct caws__owner owner;
    struct caws__link links[COUNT];
    struct caws__turn turns[COUNT];
    struct caws__ring held;
} t;

static void begin(const char *const keys[COUNT])
{
    memset(&t, 0, sizeof t);
    t.loop = caws__loop_new_with(NULL, &caws__poller_poll);
    assert_non_null(t.loop);
    t.owner.loop = t.loop;
    caws__ring_init(&t.held);
    for (int i = 0; i < COUNT; i++) {
        t.links[i].owner = &t.owner;
        caws__turn_init(&t.turns[i], &t.links[i], keys[i], strlen(keys[i]));
    }
}

static bool take(int i)
{
    return caws__turn_take(&t.held, &t.turns[i]);
}

/* Whose link is to be served after that; -1: nobody's. */
static int give(int i)
{
    int woken = -1;
    caws__turn_give(&t.held, &t.turns[i]);
    for (int k = 0; k < COUNT; k++)
        if (t.links[k].source.flags & CAWS__LINK_TODO) {
            assert_int_equal(woken, -1);
            woken = k;
            t.links[k].source.flags = 0;
        }
    t.loop->todo = NULL;
    return woken;
}

static void end(void)
{
    assert_true(caws__ring_is_empty(&t.held));
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(t.turns[i].state, CAWS__TURN_NONE);
        assert_true(caws__ring_is_empty(&t.turns[i].behind));
        assert_true(caws__ring_is_empty(&t.turns[i].place));
    }
    caws_loop_free(t.loop);
}

static const char *const all_the_same[COUNT] = { "a", "a", "a", "a", "a" };

static void test_in_the_order_in_which_they_came(void **state)
{
    static const int order[COUNT] = { 2, 0, 4, 1, 3 };
    (void)state;
    begin(all_the_same);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(take(order[i]), i == 0);
    for (int i = 0; i < COUNT; i++) {
        assert_true(take(order[i]));
        assert_int_equal(give(order[i]), i + 1 < COUNT ? order[i + 1] : -1);
    }
    end();
}

/* A key is its bytes and their number. */
static void test_other_keys_do_not_wait(void **state)
{
    static const char *const keys[COUNT] = { "host:80", "host:8", "Host:80", "", "host:80" };
    (void)state;
    begin(keys);
    for (int i = 0; i < 4; i++)
        assert_true(take(i));
    assert_false(take(4));
    assert_int_equal(give(1), -1);
    assert_false(take(4));
    assert_int_equal(give(0), 4);
    for (int i = 2; i < COUNT; i++)
        assert_int_equal(give(i), -1);
    end();
}

static void test_taking_twice_is_taking_once(void **state)
{
    (void)state;
    begin(all_the_same);
    for (int i = 0; i < 3; i++) {
        assert_true(take(0));
        assert_false(take(1));
    }
    assert_int_equal(give(0), 1);
    assert_int_equal(give(1), -1);
    end();
}

/* Who leaves the line wakes nobody, and keeps nobody from the turn. */
static void test_leaving_the_line(void **state)
{
    (void)state;
    begin(all_the_same);
    for (int i = 0; i < COUNT; i++)
        take(i);
    assert_int_equal(give(1), -1);
    assert_int_equal(give(3), -1);
    assert_int_equal(give(3), -1); /* once more does no harm */
    assert_int_equal(give(0), 2);
    assert_false(take(0)); /* from the end again */
    assert_int_equal(give(2), 4);
    assert_int_equal(give(4), 0);
    assert_int_equal(give(0), -1);
    assert_int_equal(give(0), -1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_order_in_which_they_came),
        cmocka_unit_test(test_other_keys_do_not_wait),
        cmocka_unit_test(test_taking_twice_is_taking_once),
        cmocka_unit_test(test_leaving_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
