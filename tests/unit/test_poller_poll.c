/* lib/net/poller_poll.c: its arrays. test_poller.c has what both do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define caws__sys_poll real_poll
#include "net/sys.c"
#undef caws__sys_poll

#include "net/poller.h"

#define COUNT 40

static const struct caws__poller *const kind = &caws__poller_poll;
static struct caws__source sources[COUNT];
static int poll_error;
static bool no_more;
static size_t held;

int caws__sys_poll(struct pollfd *v, size_t count, int timeout_ms)
{
    errno = poll_error;
    return poll_error ? -1 : real_poll(v, count, timeout_ms);
}

static void *some_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    if (new_size > 0 && no_more)
        return NULL;
    held += new_size - old_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static const caws_alloc counted = { some_memory, NULL };

/* Of eventfds, which can always be written to. */
static void *poller_with(int count)
{
    void *poller = kind->create(&counted);
    for (int i = 0; i < COUNT; i++)
        sources[i].fd = caws__sys_eventfd();
    for (int i = 0; i < count; i++)
        assert_int_equal(kind->add(poller, &sources[i], CAWS__WRITE), 0);
    return poller;
}

static void poller_free(void *poller)
{
    kind->destroy(poller);
    assert_int_equal(held, 0);
    for (int i = 0; i < COUNT; i++)
        close(sources[i].fd);
}

/* Exactly these are reported, as the bits of a number. */
static uint64_t reported(void *poller)
{
    struct caws__event events[COUNT];
    uint64_t set = 0;
    int n = kind->wait(poller, events, COUNT, 0);
    for (int i = 0; i < n; i++) {
        uint64_t bit = UINT64_C(1) << (events[i].source - sources);
        assert_false(set & bit);
        assert_int_equal(events[i].what, CAWS__WRITE);
        set |= bit;
    }
    return set;
}

static void test_growing_keeps_what_was_in_it(void **state)
{
    void *poller = poller_with(COUNT);
    (void)state;
    assert_true(reported(poller) == (UINT64_C(1) << COUNT) - 1);
    for (int i = 0; i < COUNT; i += 2)
        assert_int_equal(kind->modify(poller, &sources[i], CAWS__READ), 0);
    assert_true(reported(poller) == UINT64_C(0xaaaaaaaaaa));
    poller_free(poller);
}

static void test_no_memory_to_grow(void **state)
{
    void *poller = poller_with(16);
    (void)state;
    no_more = true;
    assert_int_equal(kind->add(poller, &sources[16], CAWS__WRITE), -1);
    assert_int_equal(errno, ENOMEM);
    no_more = false;
    assert_int_equal(reported(poller), 0xffff);
    assert_int_equal(kind->add(poller, &sources[16], CAWS__WRITE), 0);
    assert_int_equal(reported(poller), 0x1ffff);
    poller_free(poller);
}

static void test_first_last_and_only(void **state)
{
    void *poller = poller_with(3);
    (void)state;
    kind->remove(poller, &sources[2]);
    assert_int_equal(reported(poller), 3);
    kind->remove(poller, &sources[0]);
    assert_int_equal(reported(poller), 2);
    assert_int_equal(kind->modify(poller, &sources[1], CAWS__READ), 0);
    assert_int_equal(reported(poller), 0);
    /* It has moved, and its own descriptor with it. */
    struct caws__event event;
    assert_int_equal(caws__sys_write(sources[1].fd, &(uint64_t){ 1 }, 8), 8);
    assert_int_equal(kind->wait(poller, &event, 1, 0), 1);
    assert_int_equal(event.what, CAWS__READ);
    kind->remove(poller, &sources[1]);
    assert_int_equal(reported(poller), 0);
    assert_int_equal(kind->add(poller, &sources[2], CAWS__WRITE), 0);
    assert_int_equal(reported(poller), 4);
    poller_free(poller);
}

/* Epoll forgets a descriptor that is closed; this one has to say so. */
static void test_closed_by_others(void **state)
{
    struct caws__event event;
    void *poller = poller_with(1);
    (void)state;
    assert_int_equal(kind->modify(poller, &sources[0], CAWS__READ), 0);
    close(sources[0].fd);
    assert_int_equal(kind->wait(poller, &event, 1, 0), 1);
    assert_ptr_equal(event.source, &sources[0]);
    assert_int_equal(event.what, CAWS__READ | CAWS__WRITE);
    sources[0].fd = caws__sys_eventfd();
    poller_free(poller);
}

static void test_waiting_is_interrupted_or_fails(void **state)
{
    void *poller = poller_with(1);
    struct caws__event event;
    (void)state;
    poll_error = EINTR;
    assert_int_equal(kind->wait(poller, &event, 1, 0), 0);
    poll_error = ENOMEM;
    assert_int_equal(kind->wait(poller, &event, 1, 0), -1);
    assert_int_equal(errno, ENOMEM);
    poll_error = 0;
    assert_int_equal(reported(poller), 1);
    poller_free(poller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing_keeps_what_was_in_it),
        cmocka_unit_test(test_no_memory_to_grow),
        cmocka_unit_test(test_first_last_and_only),
        cmocka_unit_test(test_closed_by_others),
        cmocka_unit_test(test_waiting_is_interrupted_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
