/* lib/net/poller_epoll.c, lib/net/poller_poll.c: the same tests for both */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/poller.h"
#include "net/sys.h"

static const caws_alloc libc;

struct pair {
    struct caws__source ours;
    int theirs;
};

static struct pair pair_new(void)
{
    struct pair p = { .theirs = -1 };
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    p.ours.fd = fds[0];
    p.theirs = fds[1];
    return p;
}

static void pair_free(struct pair *p)
{
    close(p->ours.fd);
    if (p->theirs >= 0)
        close(p->theirs);
}

static void test_reports_what_is_wanted(void **state)
{
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct pair p = pair_new();
    struct caws__event events[4];
    assert_int_equal(kind->add(poller, &p.ours, CAWS__READ), 0);
    assert_int_equal(kind->wait(poller, events, 4, 0), 0);
    assert_int_equal(write(p.theirs, "x", 1), 1);
    /* Level-triggered: as long as it is there. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kind->wait(poller, events, 4, 1000), 1);
        assert_ptr_equal(events[0].source, &p.ours);
        assert_int_equal(events[0].what, CAWS__READ);
    }
    assert_int_equal(kind->modify(poller, &p.ours, CAWS__WRITE), 0);
    assert_int_equal(kind->wait(poller, events, 4, 0), 1);
    assert_int_equal(events[0].what, CAWS__WRITE);
    assert_int_equal(kind->modify(poller, &p.ours, CAWS__READ | CAWS__WRITE), 0);
    assert_int_equal(kind->wait(poller, events, 4, 0), 1);
    assert_int_equal(events[0].what, CAWS__READ | CAWS__WRITE);
    kind->remove(poller, &p.ours);
    assert_int_equal(kind->wait(poller, events, 4, 0), 0);
    kind->destroy(poller);
    pair_free(&p);
}

static void test_trouble_is_reported_as_both(void **state)
{
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct pair p = pair_new();
    struct caws__event events[4];
    assert_int_equal(kind->add(poller, &p.ours, CAWS__READ), 0);
    close(p.theirs);
    p.theirs = -1;
    assert_int_equal(kind->wait(poller, events, 4, 1000), 1);
    assert_int_equal(events[0].what, CAWS__READ | CAWS__WRITE);
    kind->destroy(poller);
    pair_free(&p);
}

/* With more of them ready than asked for, each is reported before long. */
static void test_nobody_starves(void **state)
{
    enum { COUNT = 40 };
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct pair pairs[COUNT];
    unsigned seen[COUNT] = { 0 };
    struct caws__event events[7];
    for (int i = 0; i < COUNT; i++) {
        pairs[i] = pair_new();
        assert_int_equal(write(pairs[i].theirs, "x", 1), 1);
        assert_int_equal(kind->add(poller, &pairs[i].ours, CAWS__READ), 0);
    }
    for (int round = 0; round < COUNT; round++) {
        assert_int_equal(kind->wait(poller, events, 7, 0), 7);
        for (int i = 0; i < 7; i++)
            for (int k = 0; k < COUNT; k++)
                seen[k] += events[i].source == &pairs[k].ours;
    }
    for (int k = 0; k < COUNT; k++)
        assert_int_equal(seen[k], 7);
    kind->destroy(poller);
    for (int i = 0; i < COUNT; i++)
        pair_free(&pairs[i]);
}

static void test_remove_keeps_the_others(void **state)
{
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct pair pairs[20];
    struct caws__event events[20];
    for (int i = 0; i < 20; i++) {
        pairs[i] = pair_new();
        assert_int_equal(write(pairs[i].theirs, "x", 1), 1);
        assert_int_equal(kind->add(poller, &pairs[i].ours, CAWS__READ), 0);
    }
    for (int i = 0; i < 20; i += 2)
        kind->remove(poller, &pairs[i].ours);
    assert_int_equal(kind->wait(poller, events, 20, 0), 10);
    for (int i = 0; i < 10; i++) {
        struct pair *p = (struct pair *)(void *)events[i].source;
        assert_int_equal((p - pairs) % 2, 1);
    }
    kind->destroy(poller);
    for (int i = 0; i < 20; i++)
        pair_free(&pairs[i]);
}

static void test_timeout(void **state)
{
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct caws__event events[1];
    uint64_t begin = caws__sys_now_ms();
    assert_int_equal(kind->wait(poller, events, 1, 20), 0);
    assert_true(caws__sys_now_ms() - begin >= 19);
    kind->destroy(poller);
}

static void test_fd_tells_of_events(void **state)
{
    const struct caws__poller *kind = *state;
    void *poller = kind->create(&libc);
    struct pair p = pair_new();
    struct pollfd waiting = { .fd = kind->fd(poller), .events = POLLIN };
    if (kind == &caws__poller_poll) {
        assert_int_equal(waiting.fd, -1);
    } else {
        assert_int_equal(kind->add(poller, &p.ours, CAWS__READ), 0);
        assert_int_equal(poll(&waiting, 1, 0), 0);
        assert_int_equal(write(p.theirs, "x", 1), 1);
        assert_int_equal(poll(&waiting, 1, 1000), 1);
    }
    kind->destroy(poller);
    pair_free(&p);
}

static void *no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    size_t *left = ctx;
    if (new_size > 0 && (*left)-- == 0) {
        *left = 0;
        return NULL;
    }
    if (new_size > 0)
        return realloc(ptr, new_size);
    (void)old_size;
    free(ptr);
    return NULL;
}

static void test_no_memory(void **state)
{
    const struct caws__poller *kind = *state;
    struct pair p = pair_new();
    for (size_t n = 0; n < 4; n++) {
        size_t left = n;
        const caws_alloc some = { no_memory, &left };
        void *poller = kind->create(&some);
        assert_int_equal(poller != NULL, n > 0);
        if (!poller)
            continue;
        int result = kind->add(poller, &p.ours, CAWS__READ);
        if (kind == &caws__poller_poll)
            assert_int_equal(result, n < 3 ? -1 : 0);
        else
            assert_int_equal(result, 0);
        kind->destroy(poller);
    }
    pair_free(&p);
}

#define BOTH(test)                                                                                 \
    { #test " (epoll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_epoll },                \
        { #test " (poll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_poll }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_reports_what_is_wanted), BOTH(test_trouble_is_reported_as_both),
        BOTH(test_nobody_starves),         BOTH(test_remove_keeps_the_others),
        BOTH(test_timeout),                BOTH(test_fd_tells_of_events),
        BOTH(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
