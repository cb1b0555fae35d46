/* lib/net/alarm.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/alarm.h"
#include "peer.h"

#define DAY ((uint64_t)24 * 60 * 60 * 1000)

static const caws_alloc libc;

/* count of them may be set, at a clock that says now. */
static struct caws__alarms alarms_new(size_t count, uint64_t now)
{
    struct caws__alarms alarms = { 0 };
    for (size_t i = 0; i < count; i++)
        assert_int_equal(caws__alarms_join(&alarms, &libc), CAWS_OK);
    assert_null(caws__alarms_take(&alarms, now));
    return alarms;
}

static void test_soonest_first(void **state)
{
    static const uint64_t due[] = { 30, 10, 20, 40, 5 };
    static const size_t order[] = { 4, 1, 2, 0, 3 };
    struct caws__alarms alarms = alarms_new(5, 0);
    struct caws__alarm each[5] = { 0 };
    (void)state;
    assert_true(caws__alarms_next(&alarms) == CAWS__ALARM_NEVER);
    for (size_t i = 0; i < 5; i++)
        caws__alarms_set(&alarms, &each[i], due[i]);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(caws__alarms_next(&alarms), due[order[i]]);
        assert_null(caws__alarms_take(&alarms, due[order[i]] - 1));
        assert_ptr_equal(caws__alarms_take(&alarms, due[order[i]]), &each[order[i]]);
        assert_true(caws__alarms_due(&alarms, &each[order[i]]) == CAWS__ALARM_NEVER);
    }
    assert_true(caws__alarms_next(&alarms) == CAWS__ALARM_NEVER);
    caws__alarms_free(&alarms, &libc);
}

static void test_never_unsets(void **state)
{
    struct caws__alarms alarms = alarms_new(2, 0);
    struct caws__alarm a = { 0 }, b = { 0 };
    (void)state;
    caws__alarms_set(&alarms, &a, CAWS__ALARM_NEVER);
    assert_int_equal(alarms.len, 0);
    caws__alarms_set(&alarms, &a, 1);
    caws__alarms_set(&alarms, &b, 2);
    caws__alarms_set(&alarms, &a, CAWS__ALARM_NEVER);
    assert_int_equal(caws__alarms_next(&alarms), 2);
    assert_true(caws__alarms_due(&alarms, &a) == CAWS__ALARM_NEVER);
    caws__alarms_free(&alarms, &libc);
}

/* The clock, and the moments, by plain 64-bit numbers. */
static void agree_from(uint64_t now, uint32_t spread)
{
    enum { COUNT = 100 };
    struct caws__alarms alarms = alarms_new(COUNT, now);
    struct caws__alarm each[COUNT] = { 0 };
    uint64_t due[COUNT];
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT; i++)
        due[i] = CAWS__ALARM_NEVER;
    for (int step = 0; step < 5000; step++) {
        uint64_t soonest = CAWS__ALARM_NEVER;
        struct caws__alarm *alarm;
        seed = seed * 1664525 + 1013904223;
        size_t i = (seed >> 8) % COUNT;
        due[i] = seed % 7 ? now + (seed >> 4) % spread : CAWS__ALARM_NEVER;
        caws__alarms_set(&alarms, &each[i], due[i]);
        if (seed % 5 == 0) {
            now += seed / 5 % (spread / COUNT + 2);
            while ((alarm = caws__alarms_take(&alarms, now))) {
                assert_true(due[alarm - each] <= now);
                due[alarm - each] = CAWS__ALARM_NEVER;
            }
        }
        for (i = 0; i < COUNT; i++) {
            assert_true(caws__alarms_due(&alarms, &each[i]) == due[i]);
            soonest = due[i] < soonest ? due[i] : soonest;
        }
        assert_true(caws__alarms_next(&alarms) == soonest);
        assert_true(soonest > now || seed % 5 != 0);
    }
    caws__alarms_free(&alarms, &libc);
}

static void test_agrees_with_an_array(void **state)
{
    (void)state;
    agree_from(0, 20);
    agree_from(0, 100000);
    agree_from(UINT32_MAX - (uint64_t)5000, 3000);          /* the half wraps */
    agree_from(UINT32_MAX - (uint64_t)5000, UINT32_MAX);
    agree_from((uint64_t)20 * 365 * DAY, UINT32_MAX);
}

/* Stopped for years, or asked for something years away. */
static void test_long_times(void **state)
{
    struct caws__alarms alarms = alarms_new(2, 1000);
    struct caws__alarm a = { 0 }, b = { 0 };
    uint64_t now = 1000 + 400 * DAY, early;
    (void)state;
    caws__alarms_set(&alarms, &a, 2000);
    caws__alarms_set(&alarms, &b, 3000);
    assert_ptr_equal(caws__alarms_take(&alarms, now), &a);
    assert_int_equal(caws__alarms_due(&alarms, &b), 3000);
    caws__alarms_set(&alarms, &a, now + 10); /* the clock stands until all are taken */
    assert_ptr_equal(caws__alarms_take(&alarms, now), &b);
    assert_true(caws__alarms_next(&alarms) <= now + 10);
    while (caws__alarms_take(&alarms, now))
        ;
    caws__alarms_set(&alarms, &a, now + 400 * DAY);
    early = caws__alarms_due(&alarms, &a);
    assert_true(early == now + UINT32_MAX);
    assert_null(caws__alarms_take(&alarms, early - 1));
    assert_ptr_equal(caws__alarms_take(&alarms, early), &a);
    caws__alarms_free(&alarms, &libc);
}

/* What was to be done is done at once, and a clock that goes back is none. */
static void test_the_past(void **state)
{
    struct caws__alarms alarms = alarms_new(1, 5000);
    struct caws__alarm a = { 0 };
    (void)state;
    assert_null(caws__alarms_take(&alarms, 4000));
    caws__alarms_set(&alarms, &a, 1);
    assert_int_equal(caws__alarms_next(&alarms), 5000);
    assert_ptr_equal(caws__alarms_take(&alarms, 5000), &a);
    caws__alarms_free(&alarms, &libc);
}

static void test_those_who_leave(void **state)
{
    enum { COUNT = 50 };
    struct caws__alarms alarms = alarms_new(COUNT, 0);
    struct caws__alarm each[COUNT] = { 0 };
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        caws__alarms_set(&alarms, &each[i], (i * 37) % COUNT);
    for (size_t i = 0; i < COUNT; i += 2)
        caws__alarms_leave(&alarms, &each[i]);
    assert_int_equal(alarms.len, COUNT / 2);
    assert_int_equal(alarms.users, COUNT / 2);
    for (uint64_t last = 0; alarms.len > 0;) {
        assert_true(caws__alarms_next(&alarms) >= last);
        last = caws__alarms_next(&alarms);
        caws__alarms_leave(&alarms, caws__alarms_take(&alarms, last));
    }
    assert_int_equal(alarms.users, 0);
    caws__alarms_free(&alarms, &libc);
}

static void test_no_memory(void **state)
{
    const caws_alloc none = { peer_no_memory, NULL };
    struct caws__alarms alarms = { 0 };
    struct caws__alarm each[17] = { 0 };
    (void)state;
    assert_int_equal(caws__alarms_join(&alarms, &none), CAWS_ERR_NOMEM);
    assert_int_equal(alarms.users, 0);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(caws__alarms_join(&alarms, &libc), CAWS_OK);
    assert_int_equal(caws__alarms_join(&alarms, &none), CAWS_ERR_NOMEM);
    assert_int_equal(alarms.users, 16);
    for (size_t i = 0; i < 16; i++)
        caws__alarms_set(&alarms, &each[i], 1);
    assert_int_equal(alarms.len, 16);
    caws__alarms_free(&alarms, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soonest_first),
        cmocka_unit_test(test_never_unsets),
        cmocka_unit_test(test_agrees_with_an_array),
        cmocka_unit_test(test_long_times),
        cmocka_unit_test(test_the_past),
        cmocka_unit_test(test_those_who_leave),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
