/* lib/net/turn.c and way.c: RFC 6455 section 4.1, who waits for whom. */
#include "fake_sys.h"

#include <sys/un.h>

/* No connection comes for a while. */
static void want_none(struct net *n, int listener)
{
    pump(n, 20);
    assert_int_equal(try_accept(listener), -1);
    assert_int_equal(errno, EAGAIN);
}

static caws_conn *connect_to(struct net *n, const char *host, uint16_t port)
{
    caws_client_config cfg = client_config(url_of(host, port, "/"));
    caws_conn *ws = caws_connect_with(n->loop, &cfg);
    assert_non_null(ws);
    return ws;
}

static void test_one_at_a_time(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    for (int i = 0; i < 3; i++)
        connect_to(&n, "127.0.0.1", port);
    /* REQ 4.1-4 */
    struct peer a = accept_by_hand(&n, listener);
    want_none(&n, listener);
    assert_int_equal(fake.tries, 1);
    say_101(&a, read_head(&n, &a));
    PUMP_UNTIL(&n, seen.opens == 1);
    struct peer b = accept_by_hand(&n, listener);
    want_none(&n, listener);
    assert_int_equal(fake.tries, 2);
    peer_free(&b); /* the second fails */
    PUMP_UNTIL(&n, seen.closes == 1);
    struct peer c = admit(&n, listener);
    assert_int_equal(seen.opens, 2);
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    peer_free(&a);
    peer_free(&c);
    net_free(&n);
    close(listener);
}

/* Other ports, other addresses and other loops do not wait. */
static void test_others_do_not_wait(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port, port2;
    int listener = listen_by_hand(&port), listener2 = listen_by_hand(&port2);
    connect_to(&n, "127.0.0.1", port);
    connect_to(&n, "127.0.0.2", port);
    connect_to(&n, "127.0.0.1", port2);
    struct peer a = accept_by_hand(&n, listener), b = accept_by_hand(&n, listener);
    struct peer c = accept_by_hand(&n, listener2);
    assert_int_equal(seen.opens, 0);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    net_free(&n);
    close(listener);
    close(listener2);
}

/* The name's second address is busy while the first refuses. */
static void test_wait_for_the_second_address(void **state)
{
    static const struct fate_of fates[] = { { "::1", LATER }, { NULL, PASS } };
    fake_reset();
    fake.fates = fates;
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    connect_to(&n, "127.0.0.1", port);
    struct peer a = accept_by_hand(&n, listener);
    caws_client_config cfg = client_config(url_of("localhost", port, "/"));
    cfg.connect_timeout_ms = 30;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    pump(&n, 60); /* longer than its timeout, which stands still */
    want_none(&n, listener);
    assert_string_equal(fake.tried, "127.0.0.1 ::1 ");
    assert_int_equal(seen.closes, 0);
    say_101(&a, read_head(&n, &a));
    PUMP_UNTIL(&n, seen.opens == 1);
    struct peer b = admit(&n, listener);
    assert_string_equal(fake.tried, "127.0.0.1 ::1 127.0.0.1 ");
    peer_free(&a);
    peer_free(&b);
    net_free(&n);
    close(listener);
}

/* Whoever waits may give up; those behind him do not lose their turn. */
static void test_one_in_line_gives_up(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    caws_conn *ws[5];
    for (int i = 0; i < 5; i++)
        ws[i] = connect_to(&n, "127.0.0.1", port);
    struct peer a = accept_by_hand(&n, listener);
    caws_abort(ws[1]);
    caws_abort(ws[3]);
    PUMP_UNTIL(&n, seen.closes == 2);
    caws_abort(ws[0]);
    struct peer b = admit(&n, listener);
    assert_ptr_equal(seen.ws, ws[2]);
    struct peer c = admit(&n, listener);
    assert_ptr_equal(seen.ws, ws[4]);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    net_free(&n);
    close(listener);
}

static void test_a_limit_to_all(void **state)
{
    enum { LIMIT = 64 };
    struct peer peers[LIMIT];
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char host[32];
    for (int i = 0; i < LIMIT + 2; i++) {
        snprintf(host, sizeof host, "127.1.0.%d", i + 1);
        connect_to(&n, host, port);
    }
    /* REQ 4.1-6 */
    for (int i = 0; i < LIMIT; i++)
        peers[i] = accept_by_hand(&n, listener);
    want_none(&n, listener);
    assert_int_equal(fake.tries, LIMIT);
    say_101(&peers[0], read_head(&n, &peers[0]));
    struct peer a = accept_by_hand(&n, listener);
    want_none(&n, listener);
    assert_int_equal(seen.opens, 1);
    peer_free(&peers[1]);
    struct peer b = accept_by_hand(&n, listener);
    assert_int_equal(fake.tries, LIMIT + 2);
    peer_free(&a);
    peer_free(&b);
    for (int i = 0; i < LIMIT; i++)
        if (i != 1)
            peer_free(&peers[i]);
    net_free(&n);
    close(listener);
}

/* Those who wait for an address that hangs keep nobody else from theirs. */
static void test_a_line_is_in_nobodys_way(void **state)
{
    static const struct fate_of fates[] = { { "127.0.0.9", HOLE }, { NULL, PASS } };
    fake_reset();
    fake.fates = fates;
    fake.hole = hole_new();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    for (int i = 0; i < 200; i++)
        connect_to(&n, "127.0.0.9", port);
    connect_to(&n, "127.0.0.1", port);
    struct peer a = admit(&n, listener);
    assert_string_equal(fake.tried, "127.0.0.9 127.0.0.1 ");
    peer_free(&a);
    net_free(&n);
    assert_int_equal(seen.closes, 201);
    hole_free(&fake.hole);
    close(listener);
}

static void test_a_crowd_gets_in(void **state)
{
    caws_server_config cfg = { .host = "127.0.0.1" };
    fake_reset();
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 300; i++)
        connect_to(&n, "127.0.0.1", caws_server_port(n.server));
    PUMP_UNTIL(&n, seen.opens == 300);
    assert_int_equal(net_stats(&n).open_now, 300);
    assert_rests(&n);
    net_free(&n);
    assert_int_equal(seen.closes, 300);
}

/* A masking key for each frame, but not a system call for each key. */
static void test_keys_cost_no_calls(void **state)
{
    for (int without = 0; without < 2; without++) {
        caws_server_config cfg = { .host = "127.0.0.1" };
        cfg.ws.on_message = note_message;
        fake_reset();
        fake.no_page = without; /* then they do */
        struct net n = net_new(state, &cfg);
        connect_to(&n, "127.0.0.1", caws_server_port(n.server));
        PUMP_UNTIL(&n, seen.opens == 1);
        int before = fake.randoms;
        for (int i = 0; i < 1000; i++)
            assert_int_equal(caws_send_text(seen.ws, "x"), CAWS_OK);
        PUMP_UNTIL(&n, seen.messages == 1000);
        assert_in_range(fake.randoms - before, without ? 1000 : 0, without ? 1000 : 2);
        net_free(&n);
    }
}

/* All refused, one after the other, without a recursion. */
static void test_a_crowd_is_refused(void **state)
{
    static const struct fate_of fates[] = { { "127.0.0.1", REFUSE }, { NULL, PASS } };
    fake_reset();
    fake.fates = fates;
    struct net n = loop_only(state);
    for (int i = 0; i < 2000; i++)
        connect_to(&n, "127.0.0.1", 80);
    PUMP_UNTIL(&n, seen.closes == 2000);
    assert_int_equal(fake.tries, 2000);
    assert_int_equal(n.loop->live, 0);
    net_free(&n);
}

/* A server's backlog may be full for a moment. */
static void test_unix_backlog_is_full(void **state)
{
    char dir[] = "/tmp/caws-turns-XXXXXX", url[128];
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    fake_reset();
    assert_non_null(mkdtemp(dir));
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", dir);
    snprintf(url, sizeof url, "ws+unix:%s/s", dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), others[3];
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 0), 0);
    for (int i = 0; i < 3; i++) {
        others[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(others[i], (struct sockaddr *)&at, sizeof at);
    }
    struct net n = loop_only(state);
    caws_client_config cfg = client_config(url);
    assert_non_null(caws_connect_with(n.loop, &cfg));
    pump(&n, 30);
    assert_int_equal(seen.closes, 0);
    for (int i = 0; i < 3; i++)
        close(others[i]);
    struct peer p = accept_by_hand(&n, listener);
    while (peer_take(&p), p.ended) { /* one of the others */
        peer_free(&p);
        p = accept_by_hand(&n, listener);
    }
    say_101(&p, read_head(&n, &p));
    PUMP_UNTIL(&n, seen.opens == 1);
    peer_free(&p);
    net_free(&n);
    close(listener);
    unlink(at.sun_path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_one_at_a_time),
        ON_BOTH(test_others_do_not_wait),
        ON_BOTH(test_wait_for_the_second_address),
        ON_BOTH(test_one_in_line_gives_up),
        ON_BOTH(test_a_limit_to_all),
        ON_BOTH(test_a_line_is_in_nobodys_way),
        ON_BOTH(test_a_crowd_gets_in),
        ON_BOTH(test_keys_cost_no_calls),
        ON_BOTH(test_a_crowd_is_refused),
        ON_BOTH(test_unix_backlog_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
