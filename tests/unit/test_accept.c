/* lib/net/accept.c: what the system says instead, and who is one too many */
#include <errno.h>

#define caws__sys_accept4 real_accept4
#include "net/sys.c"
#undef caws__sys_accept4

/* Errors that come first, and how often it was asked. */
static struct {
    int errors[4], at, calls;
} fake;

int caws__sys_accept4(int fd)
{
    fake.calls++;
    if (fake.at < 4 && fake.errors[fake.at]) {
        errno = fake.errors[fake.at++];
        return -1;
    }
    return real_accept4(fd);
}

#include "../net/net.h"

#include <limits.h>

#include "net/server.h"

static struct net net_begin(void **state, size_t max_conns)
{
    caws_server_config cfg = echo_config();
    cfg.max_conns = max_conns;
    memset(&fake, 0, sizeof fake);
    return net_new(state, &cfg);
}

static void test_errors_of_one_connection(void **state)
{
    static const int errors[] = { ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN,
                                  EHOSTUNREACH, ENONET, ENOPROTOOPT, ETIMEDOUT };
    struct net n = net_begin(state, 0);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        fake.errors[0] = fake.errors[1] = errors[i];
        fake.at = fake.calls = 0;
        struct peer p = peer_new(&n);
        PUMP_UNTIL(&n, fake.calls > 0);
        assert_int_equal(fake.calls, 4); /* all in one go, up to EAGAIN */
        assert_int_equal(net_stats(&n).accepted, i + 1);
        peer_free(&p);
    }
    assert_int_equal(seen.server_errors, 0);
    net_free(&n);
}

static void test_backing_off(void **state)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct net n = net_begin(state, 0);
        struct peer p = peer_new(&n);
        fake.errors[0] = fake.errors[1] = errors[i];
        PUMP_UNTIL(&n, fake.calls == 1);
        assert_int_equal(n.server->listener.interest, 0);
        int due = caws_loop_timeout(n.loop);
        assert_true(due > 50 && due <= 100);
        pump(&n, 2);
        assert_int_equal(fake.calls, 1);
        /* Its time has come; told of once, until one has been let in. */
        for (int k = 1; k <= 2; k++) {
            caws_timer_start(n.loop, &n.server->retry, 0, 0);
            PUMP_UNTIL(&n, fake.calls > k);
            assert_int_equal(seen.server_errors, 1);
            assert_int_equal(seen.server_error, CAWS_ERR_SYS);
        }
        assert_int_equal(net_stats(&n).accepted, 1);
        assert_int_equal(n.server->listener.interest, CAWS__READ);
        fake.at = 1;
        struct peer q = peer_new(&n);
        PUMP_UNTIL(&n, seen.server_errors == 2);
        peer_free(&p);
        peer_free(&q);
        net_free(&n);
    }
}

/* Then others have their turn. */
static void test_a_batch(void **state)
{
    struct net n = net_begin(state, 0);
    int fds[70];
    for (int i = 0; i < 70; i++)
        fds[i] = dial_port(caws_server_port(n.server));
    caws_loop_step(n.loop, 1000);
    assert_int_equal(net_stats(&n).accepted, 64);
    caws_loop_step(n.loop, 1000);
    assert_int_equal(net_stats(&n).accepted, 70);
    for (int i = 0; i < 70; i++)
        close(fds[i]);
    net_free(&n);
}

/* Those turned away are no conns, but are accepted; the place comes back. */
static void test_one_too_many(void **state)
{
    struct net n = net_begin(state, 1);
    struct peer a = peer_open(&n), b = peer_new(&n);
    PUMP_UNTIL(&n, seen.server_errors == 1);
    assert_int_equal(seen.server_error, CAWS_ERR_LIMIT);
    assert_int_equal(n.server->conns, 1);
    assert_int_equal(n.server->turned_away, 1);
    peer_free(&b);
    PUMP_UNTIL(&n, n.server->turned_away == 0);
    assert_int_equal(n.server->conns, 1);
    peer_free(&a);
    PUMP_UNTIL(&n, n.server->conns == 0);
    struct peer c = peer_open(&n);
    assert_int_equal(seen.server_errors, 1);
    peer_free(&c);
    net_free(&n);
}

static void test_numbers_that_are_no_descriptors(void **state)
{
    static const intptr_t numbers[] = {
        -1, INT_MIN, INTPTR_MAX, INTPTR_MIN,
#if INTPTR_MAX > INT_MAX
        (intptr_t)INT_MAX + 1, (intptr_t)UINT_MAX + 1 /* as an int it would be 0 */
#endif
    };
    struct net n = net_begin(state, 0);
    int before = count_descriptors();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        errno = 0;
        assert_null(caws_adopt(n.server, numbers[i], NULL, 0));
        assert_int_equal(errno, EBADF);
        assert_null(caws_adopt_open(n.server, numbers[i], NULL, NULL, NULL, 0));
        assert_int_equal(errno, EBADF);
    }
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(n.server->conns, 0);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_errors_of_one_connection),
        ON_BOTH(test_backing_off),
        ON_BOTH(test_a_batch),
        ON_BOTH(test_one_too_many),
        ON_BOTH(test_numbers_that_are_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
