/* lib/net/serve.c: what a link asks the poller and the clock for */
#include "../net/net.h"

#include "net/link.h"

struct joined {
    struct net net;
    caws_conn *ws;
    struct caws__link *link;
    struct peer far;
};

static struct joined joined_new(void **state)
{
    caws_server_config cfg = echo_config();
    struct joined j = { .ws = NULL };
    int fds[2], small = 4096;
    cfg.ws.max_buffered = 1 << 24;
    cfg.ws.ping_interval_ms = 20000;
    cfg.ws.close_timeout_ms = 2000;
    j.net = net_new(state, &cfg);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    j.ws = caws_adopt_open(j.net.server, fds[0], NULL, NULL, NULL, 0);
    assert_non_null(j.ws);
    j.link = caws__link_of(j.ws);
    j.far = peer_on(fds[1]);
    assert_int_equal(j.link->source.interest, 0); /* not before a step */
    pump(&j.net, 0);
    return j;
}

static void joined_free(struct joined *j)
{
    peer_free(&j->far);
    net_free(&j->net);
}

static void test_reading_only_while_it_is_wanted(void **state)
{
    struct joined j = joined_new(state);
    assert_int_equal(j.link->source.interest, CAWS__READ);
    caws_pause(j.ws);
    pump(&j.net, 0);
    assert_int_equal(j.link->source.interest, 0);
    peer_text(&j.far, "later");
    pump(&j.net, 2);
    assert_int_equal(seen.messages, 0);
    caws_resume(j.ws);
    PUMP_UNTIL(&j.net, seen.messages == 1);
    assert_int_equal(j.link->source.interest, CAWS__READ);
    joined_free(&j);
}

static void test_writing_only_while_it_is_blocked(void **state)
{
    static char much[30000];
    static uint8_t got[sizeof much];
    struct joined j = joined_new(state);
    memset(much, 'x', sizeof much);
    caws_send_text(j.ws, "short");
    pump(&j.net, 0);
    assert_int_equal(j.link->source.interest, CAWS__READ);
    peer_want_text(&j.net, &j.far, "short");
    assert_int_equal(caws_send(j.ws, CAWS_BINARY, much, sizeof much), CAWS_OK);
    pump(&j.net, 0);
    assert_int_equal(j.link->source.interest, CAWS__READ | CAWS__WRITE);
    assert_int_equal(peer_frame(&j.net, &j.far, 0x82, got, sizeof got), sizeof much);
    assert_memory_equal(got, much, sizeof much);
    PUMP_UNTIL(&j.net, j.link->source.interest == CAWS__READ);
    assert_int_equal(j.link->source.flags & CAWS__LINK_TODO, 0); /* it rests */
    joined_free(&j);
}

static uint64_t armed(const struct joined *j)
{
    return caws__alarms_due(&j->net.loop->deadlines, &j->link->alarm);
}

/* What is armed is never too late, but may be too early. */
static void test_the_clock_is_set_when_it_is_nearer(void **state)
{
    struct joined j = joined_new(state);
    uint64_t ping = armed(&j);
    assert_true(ping == caws_deadline(j.ws));
    pump(&j.net, 10);
    peer_text(&j.far, "x"); /* so the Ping comes later */
    PUMP_UNTIL(&j.net, seen.messages == 1);
    assert_true(caws_deadline(j.ws) > ping);
    assert_true(armed(&j) == ping);
    caws_close(j.ws, 1000, NULL); /* and its end comes sooner */
    pump(&j.net, 0);
    assert_true(caws_deadline(j.ws) == 0); /* our Close has left: at once */
    assert_true(armed(&j) == j.net.loop->now_ms);
    pump(&j.net, 0);
    assert_true(caws_deadline(j.ws) + 10000 < ping);
    assert_true(armed(&j) == caws_deadline(j.ws));
    joined_free(&j);
}

/* One that is too early costs one look, and is set anew. */
static void test_a_deadline_that_has_moved(void **state)
{
    struct joined j = joined_new(state);
    caws__alarms_set(&j.net.loop->deadlines, &j.link->alarm, 1);
    assert_int_equal(caws_loop_timeout(j.net.loop), 0);
    caws_loop_step(j.net.loop, 0);
    assert_true(armed(&j) == caws_deadline(j.ws));
    assert_true(caws_loop_timeout(j.net.loop) > 10000);
    assert_int_equal(caws_ready_state(j.ws), CAWS_OPEN);
    joined_free(&j);
}

/* RFC 6455 section 7.1.1: the sending direction first, the rest when the
 * other side has closed, too. */
static void test_the_end(void **state)
{
    struct joined j = joined_new(state);
    int fd = (int)caws_fd(j.ws);
    caws_close(j.ws, 1000, NULL);
    peer_want_close(&j.net, &j.far, 1000);
    peer_take(&j.far);
    assert_false(j.far.ended);
    assert_false(j.link->source.flags & CAWS__LINK_SHUT);
    peer_close(&j.far, 1000);
    peer_want_end(&j.net, &j.far);
    assert_int_equal(seen.closes, 1);
    assert_true(j.link->source.flags & CAWS__LINK_SHUT);
    assert_int_equal(j.net.loop->live, 2);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    shutdown(j.far.fd, SHUT_WR);
    PUMP_UNTIL(&j.net, j.net.loop->live == 1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    joined_free(&j);
}

/* What came before the sending failed is read; where it is not, that is all. */
static void test_broken(void **state)
{
    for (int paused = 0; paused < 2; paused++) {
        struct joined j = joined_new(state);
        if (paused)
            caws_pause(j.ws);
        peer_text(&j.far, "last words");
        peer_free(&j.far);
        caws_send_text(j.ws, "x");
        PUMP_UNTIL(&j.net, seen.closes == 1);
        assert_int_equal(seen.messages, !paused);
        assert_int_equal(seen.error, CAWS_ERR_EOF);
        assert_int_equal(seen.code, 1006);
        joined_free(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_reading_only_while_it_is_wanted),
        ON_BOTH(test_writing_only_while_it_is_blocked),
        ON_BOTH(test_the_clock_is_set_when_it_is_nearer),
        ON_BOTH(test_a_deadline_that_has_moved),
        ON_BOTH(test_the_end),
        ON_BOTH(test_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
