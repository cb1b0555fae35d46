/* lib/net/poller_epoll.c: what is its own. test_poller.c has what both do. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define caws__sys_epoll_wait    real_epoll_wait
#define caws__sys_epoll_create1 real_epoll_create1
#include "net/sys.c"
#undef caws__sys_epoll_wait
#undef caws__sys_epoll_create1

#include "net/poller.h"

static const struct caws__poller *const kind = &caws__poller_epoll;
static const caws_alloc libc;
static int wait_error, create_error;

int caws__sys_epoll_wait(int epoll, struct epoll_event *out, int max, int timeout_ms)
{
    errno = wait_error;
    return wait_error ? -1 : real_epoll_wait(epoll, out, max, timeout_ms);
}

int caws__sys_epoll_create1(void)
{
    errno = create_error;
    return create_error ? -1 : real_epoll_create1();
}

static void test_what_the_system_says_of_a_descriptor(void **state)
{
    void *poller = kind->create(&libc);
    int pipes[2];
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    struct caws__source in = { .fd = pipes[0] }, bad = { .fd = -1 };
    struct caws__source file = { .fd = open("/", O_RDONLY | O_CLOEXEC) };
    assert_int_equal(kind->modify(poller, &in, CAWS__READ), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(kind->add(poller, &in, CAWS__READ), 0);
    assert_int_equal(kind->add(poller, &in, CAWS__READ), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(kind->add(poller, &bad, CAWS__READ), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(kind->add(poller, &file, CAWS__READ), -1);
    assert_int_equal(errno, EPERM);
    kind->remove(poller, &in);
    assert_int_equal(kind->add(poller, &in, CAWS__READ), 0);
    kind->destroy(poller);
    close(pipes[0]);
    close(pipes[1]);
    close(file.fd);
}

/* No more than there is room for, on either side. */
static void test_a_large_batch(void **state)
{
    enum { COUNT = 300 };
    static struct caws__source sources[COUNT];
    static struct caws__event events[COUNT];
    void *poller = kind->create(&libc);
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        sources[i].fd = caws__sys_eventfd();
        assert_int_equal(kind->add(poller, &sources[i], CAWS__WRITE), 0);
    }
    assert_int_equal(kind->wait(poller, events, COUNT, 0), 256);
    for (int i = 0; i < 256; i++)
        assert_int_equal(events[i].what, CAWS__WRITE);
    events[1].source = NULL;
    assert_int_equal(kind->wait(poller, events, 1, 0), 1);
    assert_null(events[1].source);
    kind->destroy(poller);
    for (int i = 0; i < COUNT; i++)
        close(sources[i].fd);
}

static void test_waiting_is_interrupted_or_fails(void **state)
{
    void *poller = kind->create(&libc);
    struct caws__event event;
    (void)state;
    wait_error = EINTR;
    assert_int_equal(kind->wait(poller, &event, 1, 0), 0);
    wait_error = EBADF;
    assert_int_equal(kind->wait(poller, &event, 1, 0), -1);
    assert_int_equal(errno, EBADF);
    wait_error = 0;
    kind->destroy(poller);
}

static void *count(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    size_t *held = ctx;
    *held += new_size - old_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* The loop goes on with the other one then, so nothing is left behind. */
static void test_there_is_none(void **state)
{
    size_t held = 0;
    const caws_alloc counted = { count, &held };
    (void)state;
    create_error = EMFILE;
    assert_null(kind->create(&counted));
    assert_int_equal(errno, EMFILE);
    assert_int_equal(held, 0);
    create_error = 0;
    void *poller = kind->create(&counted);
    int fd = kind->fd(poller);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    kind->destroy(poller);
    assert_int_equal(held, 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_system_says_of_a_descriptor),
        cmocka_unit_test(test_a_large_batch),
        cmocka_unit_test(test_waiting_is_interrupted_or_fails),
        cmocka_unit_test(test_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
