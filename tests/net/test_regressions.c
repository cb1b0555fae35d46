/* Found by reading and by trying: each was wrong once. */
#define caws__sys_getaddrinfo real_getaddrinfo
#include "net/sys.c"
#undef caws__sys_getaddrinfo

#include "net.h"

/* A name that resolves to a loopback address, as many machines' own does. */
int caws__sys_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **out)
{
    return real_getaddrinfo(host && strcmp(host, "crow.test") == 0 ? "127.0.0.1" : host, port,
                            hints, out);
}

#define CROWD 300 /* more than the poller reports at once */

static struct peer crowd[CROWD];

static void ping(caws_conn *ws, void *unused)
{
    (void)unused;
    assert_int_equal(caws_ping(ws, NULL, 0), CAWS_OK);
}

/* All Pongs come in time, but the loop is busy until after it. */
static void answer_and_stall(caws_task *task)
{
    (void)task;
    for (int i = 0; i < CROWD; i++)
        peer_send(&crowd[i], 0x8a, "", 0);
    usleep(250 * 1000);
}

static void test_what_came_in_time_is_not_late(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.pong_timeout_ms = 200;
    struct net n = net_new(state, &cfg);
    caws_task task = { .fn = answer_and_stall };
    for (int i = 0; i < CROWD; i++)
        crowd[i] = peer_open(&n);
    assert_int_equal(seen.opens, CROWD);
    caws_server_each(n.server, ping, NULL);
    for (int i = 0; i < 3; i++)
        caws_loop_step(n.loop, 0);
    caws_loop_post(n.loop, &task);
    for (int i = 0; i < 20; i++)
        caws_loop_step(n.loop, 1);
    assert_int_equal(seen.errors, 0);
    assert_int_equal(net_stats(&n).open_now, CROWD);
    for (int i = 0; i < CROWD; i++)
        peer_free(&crowd[i]);
    net_free(&n);
}

static int rung;

static void ring(caws_timer *timer)
{
    (void)timer;
    rung++;
}

static void test_a_timer_outlives_its_loop(void **state)
{
    caws_timer timer = { .fn = ring };
    caws_loop *loop = caws__loop_new_with(NULL, *state);
    assert_int_equal(caws_timer_start(loop, &timer, 100000, 0), CAWS_OK);
    caws_loop_free(loop);
    loop = caws__loop_new_with(NULL, *state);
    rung = 0;
    assert_int_equal(caws_timer_start(loop, &timer, 1, 0), CAWS_OK);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_int_equal(rung, 1);
    caws_loop_free(loop);
}

static void test_a_successors_socket_file_stays(void **state)
{
    char dir[] = "/tmp/caws-XXXXXX", path[64], host[80];
    caws_server_config cfg = echo_config();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/socket", dir);
    snprintf(host, sizeof host, "unix:%s", path);
    cfg.host = host;
    struct net first = net_new(state, &cfg);
    assert_int_equal(unlink(path), 0);
    struct net second = net_new(state, &cfg);
    net_free(&first);
    assert_int_equal(access(path, F_OK), 0);
    net_free(&second);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(dir), 0);
}

static void test_the_same_signal_again_cuts_at_once(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n); /* does not answer the Close */
    uint64_t begin = caws__sys_now_ms();
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 60000), CAWS_OK);
    raise(SIGUSR1);
    peer_want_close(&n, &p, 1001);
    pump(&n, 20);
    assert_int_equal(seen.closes, 0);
    raise(SIGUSR1);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(seen.closes, 1);
    assert_true(caws__sys_now_ms() - begin < 4000); /* close_timeout_ms is 5000 */
    peer_free(&p);
    net_free(&n);
}

/* A request that was accepted, though it asked for no upgrade, may own something. */
static void *owned;

static int take_something(caws_conn *ws, const caws_request *req)
{
    (void)req;
    owned = malloc(1);
    caws_set_user(ws, owned);
    return CAWS_ACCEPT;
}

static void give_it_back(caws_conn *ws, const caws_close_event *event)
{
    (void)event;
    assert_ptr_equal(caws_user(ws), owned);
    free(owned);
    owned = NULL;
}

static void test_an_accepted_plain_request_ends_with_on_close(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    caws_server_config cfg = echo_config();
    cfg.ws.on_request = take_something;
    cfg.ws.on_close = give_it_back;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    peer_say(&p, get, sizeof get - 1);
    assert_int_equal(peer_status(&n, &p), 426);
    peer_free(&p);
    PUMP_UNTIL(&n, !owned);
    net_free(&n);
}

static int status_for(struct net *n, const char *host)
{
    char text[256];
    struct peer p = peer_new(n);
    snprintf(text, sizeof text,
             "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
             host);
    peer_say(&p, text, strlen(text));
    int status = peer_status(n, &p);
    peer_free(&p);
    return status;
}

static void test_a_server_answers_to_its_own_name(void **state)
{
    /* REQ HS-2 */
    caws_server_config cfg = echo_config();
    cfg.host = "crow.test";
    struct net n = net_new(state, &cfg);
    assert_int_equal(status_for(&n, "crow.test"), 101);
    assert_int_equal(status_for(&n, "CROW.test:81"), 101);
    assert_int_equal(status_for(&n, "localhost"), 101);
    assert_int_equal(status_for(&n, "evil.test"), 403);
    net_free(&n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_BOTH(test_what_came_in_time_is_not_late),
        ON_BOTH(test_a_timer_outlives_its_loop),
        ON_BOTH(test_a_successors_socket_file_stays),
        ON_BOTH(test_a_server_answers_to_its_own_name),
        ON_BOTH(test_the_same_signal_again_cuts_at_once),
        ON_BOTH(test_an_accepted_plain_request_ends_with_on_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
