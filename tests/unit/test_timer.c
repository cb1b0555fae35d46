/* lib/net/timer.c, by a clock of the test's own */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define caws__sys_now_ms real_now_ms
#include "net/sys.c"
#undef caws__sys_now_ms

#include "net/timer.h"

static uint64_t now_ms;
static char fired[32];
static caws_loop *loop;

uint64_t caws__sys_now_ms(void)
{
    return now_ms;
}

static void note(caws_timer *timer)
{
    strcat(fired, timer->user);
}

static void begin(uint64_t at_ms)
{
    now_ms = at_ms;
    loop = caws__loop_new_with(NULL, &caws__poller_poll);
    assert_non_null(loop);
    fired[0] = '\0';
}

/* What has fired by then, since it was last asked for. */
static const char *at(uint64_t at_ms)
{
    fired[0] = '\0';
    now_ms = at_ms;
    assert_int_equal(caws_loop_step(loop, 0), CAWS_OK);
    return fired;
}

static caws_timer timer_named(const char *name)
{
    return (caws_timer){ .fn = note, .user = (void *)(uintptr_t)name };
}

static void test_the_longest(void **state)
{
    const uint64_t start = (UINT64_C(1) << 32) - 10; /* a clock of 49 days */
    caws_timer a = timer_named("a"), b = timer_named("b");
    (void)state;
    begin(start);
    assert_int_equal(caws_timer_start(loop, &a, UINT32_MAX, UINT32_MAX), CAWS_OK);
    assert_int_equal(caws_timer_start(loop, &b, 20, 0), CAWS_OK);
    assert_int_equal(caws_loop_timeout(loop), 20);
    assert_string_equal(at(start + 19), "");
    assert_string_equal(at(start + 20), "b");
    assert_int_equal(caws_loop_timeout(loop), INT32_MAX);
    assert_string_equal(at(start + UINT32_MAX - 1), "");
    assert_string_equal(at(start + UINT32_MAX), "a");
    assert_string_equal(at(start + 2 * (uint64_t)UINT32_MAX - 1), "");
    assert_string_equal(at(start + 2 * (uint64_t)UINT32_MAX), "a");
    caws_loop_free(loop);
}

/* Of the same moment, in the order of starting; a new start is the last. */
static void test_the_same_moment(void **state)
{
    caws_timer a = timer_named("a"), b = timer_named("b"), c = timer_named("c");
    (void)state;
    begin(1000);
    caws_timer_start(loop, &a, 10, 0);
    caws_timer_start(loop, &b, 10, 0);
    now_ms = 1004;
    caws_timer_start(loop, &c, 6, 0);
    caws_timer_start(loop, &a, 6, 0);
    assert_string_equal(at(1010), "bca");
    assert_string_equal(at(1020), "");
    caws_loop_free(loop);
}

static void test_a_start_while_it_runs_moves_it(void **state)
{
    caws_timer a = timer_named("a");
    (void)state;
    begin(0);
    caws_timer_start(loop, &a, 10, 10);
    caws_timer_start(loop, &a, 30, 0); /* and does not repeat any more */
    assert_string_equal(at(29), "");
    assert_string_equal(at(30), "a");
    assert_string_equal(at(60), "");
    caws_timer_start(loop, &a, 30, 0);
    caws_timer_start(loop, &a, 5, 0); /* nearer, too */
    assert_string_equal(at(65), "a");
    assert_string_equal(at(100), "");
    caws_loop_free(loop);
}

/* A step that is a little late does not move the beat. */
static void test_the_beat_is_kept(void **state)
{
    caws_timer a = timer_named("a");
    (void)state;
    begin(100);
    caws_timer_start(loop, &a, 0, 10);
    assert_string_equal(at(100), "a");
    assert_string_equal(at(117), "a");
    assert_string_equal(at(119), "");
    assert_string_equal(at(120), "a");
    assert_string_equal(at(165), "a"); /* 130 to 160 are one */
    assert_string_equal(at(174), "");
    assert_string_equal(at(175), "a");
    caws_loop_free(loop);
}

static void stop_and_note(caws_timer *timer)
{
    note(timer);
    caws_timer_stop(loop, timer);
}

static void test_stopped(void **state)
{
    caws_timer a = timer_named("a"), b = timer_named("b");
    (void)state;
    begin(0);
    a.fn = stop_and_note;
    caws_timer_start(loop, &a, 5, 5);
    caws_timer_start(loop, &b, 5, 0);
    assert_string_equal(at(5), "ab");
    assert_string_equal(at(10), "");
    assert_int_equal(caws_loop_timeout(loop), -1);
    caws_timer_stop(loop, &a);
    caws_timer_stop(loop, NULL);
    caws_timer_stop(NULL, &a);
    caws_timer_start(loop, &b, 5, 5);
    caws_timer_stop(loop, &b);
    assert_string_equal(at(50), "");
    caws_loop_free(loop);
}

static bool no_more;

static void *some_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size > 0)
        return no_more ? NULL : realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static void test_errors(void **state)
{
    const caws_alloc some = { some_memory, NULL };
    caws_timer a = timer_named("a"), none = { 0 };
    (void)state;
    no_more = false;
    begin(0);
    assert_int_equal(caws_timer_start(loop, &none, 0, 0), CAWS_ERR_ARG);
    caws_loop_free(loop);
    loop = caws__loop_new_with(&some, &caws__poller_poll);
    no_more = true;
    assert_int_equal(caws_timer_start(loop, &a, 0, 0), CAWS_ERR_NOMEM);
    assert_string_equal(at(10), "");
    no_more = false;
    assert_int_equal(caws_timer_start(loop, &a, 0, 0), CAWS_OK);
    loop->closing = true;
    assert_int_equal(caws_timer_start(loop, &a, 50, 0), CAWS_ERR_STATE);
    loop->closing = false;
    assert_string_equal(at(10), "a");
    caws_loop_free(loop);
}

/* With all of them dropped, none keeps a place that is not there. */
static void test_drop(void **state)
{
    caws_timer timers[20];
    (void)state;
    begin(0);
    for (uint32_t i = 0; i < 20; i++) {
        timers[i] = timer_named("x");
        caws_timer_start(loop, &timers[i], i * 7 % 20, 1);
    }
    caws__timer_drop(loop);
    for (int i = 0; i < 20; i++)
        assert_int_equal(timers[i].slot_, 0);
    assert_string_equal(at(100), "");
    caws_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_longest),
        cmocka_unit_test(test_the_same_moment),
        cmocka_unit_test(test_a_start_while_it_runs_moves_it),
        cmocka_unit_test(test_the_beat_is_kept),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
