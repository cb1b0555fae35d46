/* lib/net/resolve.c and dial.c: from a name to a connection. */
#include "fake_sys.h"

static const struct name names[] = {
    { "four.example", "192.0.2.1" },
    { "many.example", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2 2001:db8::3" },
    { NULL, NULL }
};

static struct net resolve_new(void **state, const struct fate_of *fates)
{
    fake_reset();
    fake.names = names;
    fake.fates = fates;
    return loop_only(state);
}

static void connect_to(struct net *n, const char *host, uint16_t port)
{
    caws_client_config cfg = client_config(url_of(host, port, "/"));
    assert_non_null(caws_connect_with(n->loop, &cfg));
}

static void test_name_is_looked_up_elsewhere(void **state)
{
    struct net n = resolve_new(state, NULL);
    uint16_t port;
    int listener = listen_by_hand(&port);
    fake.gated = true;
    connect_to(&n, "four.example", port);
    PUMP_UNTIL(&n, fake.asked == 1);
    pump(&n, 20); /* the loop goes on meanwhile */
    assert_int_equal(fake.answered, 0);
    sem_post(&fake.gate);
    struct peer p = accept_by_hand(&n, listener);
    assert_non_null(strstr(read_head(&n, &p), "\r\nHost: four.example:"));
    assert_string_equal(fake.tried, "192.0.2.1 ");
    peer_free(&p);
    net_free(&n);
    close(listener);
}

static void test_name_is_not_found(void **state)
{
    struct net n = resolve_new(state, NULL);
    connect_to(&n, "none.example", 80);
    want_failure(&n, CAWS_ERR_RESOLVE);
    assert_int_equal(fake.tries, 0);
    assert_rests(&n);
    net_free(&n);
}

static void test_no_thread(void **state)
{
    struct net n = resolve_new(state, NULL);
    fake.no_thread = true;
    connect_to(&n, "four.example", 80);
    want_failure(&n, CAWS_ERR_RESOLVE);
    assert_int_equal(fake.asked, 0);
    net_free(&n);
}

/* Addresses in figures, and localhost, need no looking up. */
static void test_known_addresses(void **state)
{
    static const struct fate_of fates[] = { { "::1", REFUSE }, { NULL, PASS } };
    struct net n = resolve_new(state, fates);
    uint16_t port;
    int listener = listen_by_hand(&port);
    static const char *const hosts[] = { "localhost", "127.0.0.1", "[2001:db8::9]", "LocalHost" };
    static const char *const tried[] = { "::1 127.0.0.1 ", "127.0.0.1 ", "2001:db8::9 ",
                                         "::1 127.0.0.1 " };
    for (int i = 0; i < 4; i++) {
        fake.tried[0] = '\0';
        connect_to(&n, hosts[i], port);
        struct peer p = admit(&n, listener);
        assert_string_equal(fake.tried, tried[i]);
        peer_free(&p);
    }
    assert_int_equal(fake.asked, 0);
    net_free(&n);
    close(listener);
}

/* The families take turns, and the next is tried as soon as one has failed. */
static void test_all_addresses_fail(void **state)
{
    static const struct fate_of fates[] = { { "2001:db8::1", REFUSE }, { "192.0.2.1", LATER },
                                            { "2001:db8::2", LATER },  { "192.0.2.2", REFUSE },
                                            { "2001:db8::3", LATER },  { NULL, PASS } };
    struct net n = resolve_new(state, fates);
    uint64_t begin = caws__sys_now_ms();
    connect_to(&n, "many.example", 80);
    want_failure(&n, CAWS_ERR_CONNECT);
    assert_true(caws__sys_now_ms() - begin < 240);
    assert_string_equal(fake.tried, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3 ");
    assert_rests(&n);
    net_free(&n);
}

/* One that hangs delays by 250 ms; the first to connect wins, and the other
 * one is closed. */
static void test_one_address_hangs(void **state)
{
    static const struct fate_of fates[] = { { "2001:db8::1", HOLE }, { NULL, PASS } };
    struct net n = resolve_new(state, fates);
    uint16_t port;
    int listener = listen_by_hand(&port), before;
    fake.hole = hole_new();
    before = count_descriptors();
    connect_to(&n, "many.example", port);
    struct peer p = admit(&n, listener);
    assert_string_equal(fake.tried, "2001:db8::1 192.0.2.1 ");
    assert_in_range(fake.at_ms[1] - fake.at_ms[0], 249, 2000);
    assert_int_equal(count_descriptors(), before + 2);
    assert_rests(&n);
    peer_free(&p);
    net_free(&n);
    hole_free(&fake.hole);
    close(listener);
}

static void test_all_addresses_hang(void **state)
{
    static const struct fate_of fates[] = { { "2001:db8::1", HOLE }, { "192.0.2.1", HOLE },
                                            { NULL, PASS } };
    struct net n = resolve_new(state, fates);
    int before = count_descriptors();
    fake.hole = hole_new();
    caws_client_config cfg = client_config("ws://many.example/");
    cfg.connect_timeout_ms = 300;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    want_failure(&n, CAWS_ERR_TIMEOUT);
    assert_int_equal(fake.tries, 2);
    assert_rests(&n);
    hole_free(&fake.hole);
    assert_int_equal(count_descriptors(), before);
    net_free(&n);
}

static void test_look_up_takes_too_long(void **state)
{
    struct net n = resolve_new(state, NULL);
    fake.gated = true;
    caws_client_config cfg = client_config("ws://four.example/");
    cfg.connect_timeout_ms = 30;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    want_failure(&n, CAWS_ERR_TIMEOUT);
    sem_post(&fake.gate); /* its answer is not for anybody */
    PUMP_UNTIL(&n, fake.answered == 1);
    pump(&n, 10);
    assert_int_equal(fake.tries, 0);
    assert_int_equal(seen.closes, 1);
    net_free(&n);
}

/* Whoever frees the loop does not wait for the name. */
static void test_loop_is_freed_meanwhile(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct net n = resolve_new(state, NULL);
        fake.gated = true;
        connect_to(&n, "four.example", 80);
        PUMP_UNTIL(&n, fake.asked == 1);
        if (i % 2)
            sem_post(&fake.gate); /* just now */
        uint64_t begin = caws__sys_now_ms();
        net_free(&n);
        assert_true(caws__sys_now_ms() - begin < 1000);
        assert_int_equal(seen.closes, 1);
        if (i % 2 == 0)
            sem_post(&fake.gate);
        while (fake.answered == 0)
            usleep(100);
    }
    usleep(20000); /* for the threads to end */
}

static void test_no_descriptors(void **state)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
    for (int i = 0; i < 4; i++) {
        struct net n = resolve_new(state, NULL);
        fake.socket_error = errors[i];
        connect_to(&n, "localhost", 80);
        want_failure(&n, CAWS_ERR_SYS);
        net_free(&n);
    }
    struct net n = resolve_new(state, NULL);
    fake.socket_error = EAFNOSUPPORT;
    connect_to(&n, "localhost", 80);
    want_failure(&n, CAWS_ERR_CONNECT);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_name_is_looked_up_elsewhere),
        ON_BOTH(test_name_is_not_found),
        ON_BOTH(test_no_thread),
        ON_BOTH(test_known_addresses),
        ON_BOTH(test_all_addresses_fail),
        ON_BOTH(test_one_address_hangs),
        ON_BOTH(test_all_addresses_hang),
        ON_BOTH(test_look_up_takes_too_long),
        ON_BOTH(test_loop_is_freed_meanwhile),
        ON_BOTH(test_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
