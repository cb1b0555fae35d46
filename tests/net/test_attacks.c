/* Attacks on the loop, not on the protocol. The clock is the test's. */
#define caws__sys_now_ms real_now_ms
#include "net/sys.c"
#undef caws__sys_now_ms

/* It moves while somebody only looks at it, or patience would never end. */
static uint64_t clock_ms, looks;

uint64_t caws__sys_now_ms(void)
{
    return clock_ms + ++looks / 1000;
}

#include "net.h"

#define CROWD 100

static void step(struct net *n)
{
    clock_ms++;
    assert_int_equal(caws_loop_step(n->loop, 0), CAWS_OK);
}

/* As many frames as the socket takes. */
static void flood(const struct peer *p)
{
    static uint8_t frames[65536];
    size_t len = 0;
    while (len < sizeof frames - 200)
        len += frame_write(frames + len, 0x82, "flood", 5);
    while (send(p->fd, frames, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len)
        continue;
}

static void test_a_flood_does_not_starve_timers(void **state)
{
    /* REQ TIME-2 */
    static struct peer crowd[CROWD];
    caws_server_config cfg = echo_config();
    struct peer flooder;
    struct net n;
    cfg.ws.on_message = note_message;
    cfg.ws.ping_interval_ms = 50;
    n = net_new(state, &cfg);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = peer_open(&n);
    flooder = peer_open(&n);
    /* Due after 50 ms of silence; each step is one, and the flooder has always more to give. */
    for (int i = 0; i < 100; i++) {
        flood(&flooder);
        step(&n);
    }
    assert_true(seen.messages > 100000);
    for (int i = 0; i < CROWD; i++) {
        peer_take(&crowd[i]);
        assert_true(crowd[i].len >= 2);
        assert_int_equal(crowd[i].in[0], 0x89);
        peer_free(&crowd[i]);
    }
    peer_free(&flooder);
    net_free(&n);
}

/* A byte now and then, from as many as are let in at all. */
static void test_trickled_heads_are_cut_off_in_time(void **state)
{
    /* REQ HS-7 */
    static struct peer crowd[CROWD];
    caws_server_config cfg = echo_config();
    struct peer late;
    struct net n;
    cfg.max_conns = CROWD;
    n = net_new(state, &cfg);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = peer_new(&n);
        peer_say(&crowd[i], "G", 1);
    }
    PUMP_UNTIL(&n, net_stats(&n).accepted == CROWD);
    late = peer_new(&n);
    assert_int_equal(peer_status(&n, &late), 503);
    peer_free(&late);
    clock_ms += 9000;
    for (int i = 0; i < CROWD; i++)
        peer_say(&crowd[i], "E", 1);
    for (int i = 0; i < 10; i++)
        step(&n);
    for (int i = 0; i < CROWD; i++) {
        peer_take(&crowd[i]);
        assert_int_equal(crowd[i].len, 0);
    }
    clock_ms += 1000; /* the last byte is a second old */
    for (int i = 0; i < 10; i++)
        step(&n);
    for (int i = 0; i < CROWD; i++) {
        peer_take(&crowd[i]); /* patience is long by this clock */
        assert_true(crowd[i].len > 0);
        assert_int_equal(peer_status(&n, &crowd[i]), 408);
        peer_free(&crowd[i]);
    }
    PUMP_UNTIL(&n, n.loop->live == 1);
    late = peer_open(&n);
    peer_text(&late, "and now");
    peer_want_text(&n, &late, "and now");
    peer_free(&late);
    net_free(&n);
}

/* ---- A descriptor's number that is used again ------------------------------ */

static caws_conn *both[2];
static int heard[2], closed_fd;

/* Whoever is heard first cuts the other, of whom the same wait has reported too. */
static void cut_the_other(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    int i = ws == both[1];
    (void)type;
    (void)data;
    if (len == 3) {
        caws_send(ws, CAWS_TEXT, "new", 3);
        return;
    }
    heard[i]++;
    closed_fd = (int)caws_fd(both[!i]);
    caws_abort(both[!i]);
}

static void test_an_event_of_a_closed_descriptor_is_forgotten(void **state)
{
    /* REQ IO-2 */
    caws_server_config cfg = echo_config();
    struct peer p[2], successor;
    struct net n;
    int before;
    cfg.ws.on_message = cut_the_other;
    n = net_new(state, &cfg);
    memset(heard, 0, sizeof heard);
    for (int i = 0; i < 2; i++) {
        p[i] = peer_open(&n);
        both[i] = seen.ws;
    }
    peer_text(&p[0], "0");
    peer_text(&p[1], "1");
    for (int i = 0; i < 5; i++)
        step(&n);
    assert_int_equal(heard[0] + heard[1], 1);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(fcntl(closed_fd, F_GETFD), -1);
    /* The kernel gives the lowest number: fill it with one of the peer's, so that the server's is
     * above, then free it again for the server. */
    before = dup2(p[0].fd, closed_fd);
    assert_int_equal(before, closed_fd);
    successor = peer_new(&n);
    close(closed_fd);
    peer_say(&successor, request, sizeof request - 1);
    for (int i = 0; i < 5; i++)
        step(&n);
    assert_int_equal(caws_fd(seen.ws), closed_fd);
    assert_int_equal(peer_status(&n, &successor), 101);
    peer_text(&successor, "new");
    peer_want_text(&n, &successor, "new");
    assert_int_equal(heard[0] + heard[1], 1);
    assert_int_equal(seen.closes, 1);
    for (int i = 0; i < 2; i++)
        peer_free(&p[i]);
    peer_free(&successor);
    net_free(&n);
}

#define BOTH_BACK_ENDS(test)                                                                \
    { #test " (epoll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_epoll },         \
    { #test " (poll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_poll }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_BACK_ENDS(test_a_flood_does_not_starve_timers),
        BOTH_BACK_ENDS(test_trickled_heads_are_cut_off_in_time),
        BOTH_BACK_ENDS(test_an_event_of_a_closed_descriptor_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
