/* lib/net/signals.c: what is refused, and what fails */
#include <stdlib.h>

#define caws__sys_signalfd real_signalfd
#define caws__sys_sigmask  real_sigmask
#include "net/sys.c"
#undef caws__sys_signalfd
#undef caws__sys_sigmask

#include "../net/net.h"

#include "net/server.h"
#include "net/signals.h"

static bool no_signalfd, no_sigmask;
static int memory_left = -1; /* calls; -1: any number */

int caws__sys_signalfd(int fd, const sigset_t *signals)
{
    return no_signalfd ? -1 : real_signalfd(fd, signals);
}

int caws__sys_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    return no_sigmask ? EINVAL : real_sigmask(how, set, old);
}

static void *some_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size > 0 && memory_left == 0)
        return NULL;
    memory_left -= new_size > 0 && memory_left > 0;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static bool is_blocked(int number)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, number);
}

static struct net net_begin(void **state)
{
    static const caws_alloc some = { some_memory, NULL };
    caws_server_config cfg = echo_config();
    struct net n = { .loop = caws__loop_new_with(&some, *state) };
    assert_non_null(n.loop);
    n.server = caws_listen(n.loop, &cfg);
    assert_non_null(n.server);
    return n;
}

static void test_no_signals(void **state)
{
    static const int numbers[] = { SIGKILL, SIGSTOP, 0, -1, 65, 12345 };
    int before = count_descriptors();
    struct net n = net_begin(state);
    int with_loop = count_descriptors();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(caws_server_stop_on(n.server, numbers[i], 0), CAWS_ERR_ARG);
    assert_int_equal(count_descriptors(), with_loop);
    /* They are in nobody's way. */
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR2, 0), CAWS_OK);
    assert_int_equal(count_descriptors(), with_loop + 1);
    raise(SIGUSR2);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    net_free(&n);
    assert_int_equal(count_descriptors(), before);
}

/* Each stops those who asked for it, and nobody else. */
static void test_whose_signal(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_begin(state);
    caws_server *b = caws_listen(n.loop, &cfg), *c = caws_listen(n.loop, &cfg);
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_OK);
    assert_int_equal(caws_server_stop_on(b, SIGUSR2, 0), CAWS_OK);
    assert_int_equal(caws_server_stop_on(c, SIGUSR1, 0), CAWS_OK);
    assert_int_equal(caws_server_stop_on(c, SIGUSR2, 0), CAWS_OK);
    raise(SIGUSR1);
    pump(&n, 0);
    assert_int_equal(n.server->listener.fd, -1);
    assert_true(b->listener.fd >= 0);
    assert_int_equal(c->listener.fd, -1);
    raise(SIGUSR2);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(b->listener.fd, -1);
    net_free(&n);
}

static void test_the_mask_is_given_back(void **state)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    struct net n = net_begin(state);
    for (int i = 0; i < 2; i++) { /* the second time it is ours that block */
        assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_OK);
        assert_int_equal(caws_server_stop_on(n.server, SIGUSR2, 0), CAWS_OK);
    }
    assert_true(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
    raise(SIGUSR2); /* nobody has read it when the loop is freed */
    net_free(&n);
    assert_true(is_blocked(SIGUSR1));
    assert_false(is_blocked(SIGUSR2));
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
}

static void test_failures(void **state)
{
    struct net n = net_begin(state);
    no_signalfd = true;
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_ERR_SYS);
    no_signalfd = false;
    no_sigmask = true;
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_ERR_SYS);
    no_sigmask = false;
    for (int calls = 0; calls < 2; calls++) {
        caws__signals_free(n.loop);
        memory_left = calls;
        assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_ERR_NOMEM);
    }
    memory_left = -1;
    n.loop->closing = true;
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_ERR_STATE);
    n.loop->closing = false;
    assert_false(is_blocked(SIGUSR1));
    /* And after all of that it can be had. */
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 0), CAWS_OK);
    raise(SIGUSR1);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    net_free(&n);
    assert_false(is_blocked(SIGUSR1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_no_signals),
        ON_BOTH(test_whose_signal),
        ON_BOTH(test_the_mask_is_given_back),
        ON_BOTH(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
