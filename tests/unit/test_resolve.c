/* lib/net/resolve.c: look-ups by a system of the test's own */
#include "../net/fake_sys.h"

#include <pthread.h>

#include "net/resolve.h"

static const struct name names[] = { { "some.example", "192.0.2.1 2001:db8::1" }, { NULL, NULL } };

static struct answered {
    int calls, addresses;
    uint16_t port;
    pthread_t thread;
    void *user;
} answered;

static void done(void *user, const struct addrinfo *list)
{
    struct sockaddr_in first;
    answered.calls++;
    answered.thread = pthread_self();
    answered.user = user;
    answered.addresses = 0;
    if (list) {
        memcpy(&first, list->ai_addr, sizeof first);
        answered.port = ntohs(first.sin_port);
        assert_int_equal(list->ai_socktype, SOCK_STREAM);
    }
    for (; list; list = list->ai_next)
        answered.addresses++;
}

static struct net begin(void **state, struct caws__ring *all)
{
    fake_reset();
    fake.names = names;
    memset(&answered, 0, sizeof answered);
    caws__ring_init(all);
    return loop_only(state);
}

static void test_what_is_found(void **state)
{
    static const struct {
        const char *name;
        uint16_t port;
        int addresses;
    } rows[] = { { "some.example", 65535, 2 }, { "127.0.0.1", 1, 1 }, { "none.example", 80, 0 } };
    struct caws__ring all;
    for (size_t i = 0; i < 3; i++) {
        struct net n = begin(state, &all);
        int mine;
        assert_non_null(caws__resolve_start(&all, n.loop, rows[i].name, rows[i].port, done,
                                            &mine));
        assert_false(caws__ring_is_empty(&all));
        assert_int_equal(answered.calls, 0); /* never from inside */
        PUMP_UNTIL(&n, answered.calls == 1);
        assert_ptr_equal(answered.user, &mine);
        assert_true(pthread_equal(answered.thread, pthread_self()));
        assert_int_equal(answered.addresses, rows[i].addresses);
        if (rows[i].addresses > 0)
            assert_int_equal(answered.port, rows[i].port);
        assert_true(caws__ring_is_empty(&all));
        net_free(&n);
    }
}

/* The longest that there is (RFC 1035: 253) is not cut. */
static void test_a_long_name(void **state)
{
    char name[256];
    struct caws__ring all;
    struct net n = begin(state, &all);
    memset(name, 'x', 255);
    name[255] = '\0';
    const struct name longest[] = { { name, "192.0.2.1" }, { NULL, NULL } };
    fake.names = longest;
    assert_non_null(caws__resolve_start(&all, n.loop, name, 80, done, NULL));
    PUMP_UNTIL(&n, answered.calls == 1);
    assert_int_equal(answered.addresses, 1);
    net_free(&n);
}

static void test_cancelled(void **state)
{
    struct caws__ring all;
    struct net n = begin(state, &all);
    fake.gated = true;
    struct caws__lookup *a =
        caws__resolve_start(&all, n.loop, "some.example", 80, done, NULL);
    struct caws__lookup *b =
        caws__resolve_start(&all, n.loop, "some.example", 80, done, &all);
    assert_non_null(a);
    assert_non_null(b);
    caws__resolve_cancel(a);
    sem_post(&fake.gate);
    sem_post(&fake.gate);
    PUMP_UNTIL(&n, caws__ring_is_empty(&all));
    assert_int_equal(answered.calls, 1);
    assert_ptr_equal(answered.user, &all);
    net_free(&n);
}

/* Some have been answered, in tasks that never run, and some have not. */
static void test_abandoned(void **state)
{
    struct caws__ring all;
    struct net n = begin(state, &all);
    fake.gated = true;
    for (int i = 0; i < 6; i++)
        assert_non_null(caws__resolve_start(&all, n.loop, "some.example", 80, done, NULL));
    for (int i = 0; i < 3; i++)
        sem_post(&fake.gate);
    while (!atomic_load(&n.loop->wake.tasks))
        continue;
    caws__resolve_abandon(&all);
    assert_true(caws__ring_is_empty(&all));
    net_free(&n);
    for (int i = 0; i < 3; i++)
        sem_post(&fake.gate);
    while (atomic_load(&fake.answered) < 6)
        continue;
    assert_int_equal(answered.calls, 0);
}

static void test_no_thread(void **state)
{
    struct caws__ring all;
    struct net n = begin(state, &all);
    fake.no_thread = true;
    assert_null(caws__resolve_start(&all, n.loop, "some.example", 80, done, NULL));
    assert_true(caws__ring_is_empty(&all));
    assert_int_equal(fake.asked, 0);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_what_is_found), ON_BOTH(test_a_long_name), ON_BOTH(test_cancelled),
        ON_BOTH(test_abandoned),     ON_BOTH(test_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
