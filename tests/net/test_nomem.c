/* The n-th allocation fails, for every n, once and from then on: whatever it
 * is, nothing leaks, no on_close is lost or comes twice. */
#include "net.h"

static struct {
    size_t in_use;
    int countdown, times, failed;
} memory;

static void *failing_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    assert_ptr_equal(ctx, &memory);
    assert_int_equal(ptr == NULL, old_size == 0);
    if (new_size > 0 && memory.countdown-- <= 0 && memory.failed < memory.times) {
        memory.failed++;
        return NULL;
    }
    memory.in_use = memory.in_use - old_size + new_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static void settle(caws_loop *loop, struct peer *p)
{
    for (int i = 0; i < 30; i++) {
        assert_int_equal(caws_loop_step(loop, 0), CAWS_OK);
        peer_take(p);
    }
}

static void say(struct peer *p, const void *data, size_t len)
{
    if (send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}

static void serve(caws_loop *loop, caws_server *server)
{
    uint8_t frame[64];
    int pair[2];
    struct peer p = peer_on(dial_port(caws_server_port(server)));
    struct peer q = peer_on(dial_port(caws_server_port(server)));
    struct peer r = peer_on(dial_port(caws_server_port(server)));
    int result = caws_server_stop_on(server, SIGUSR2, 10);
    assert_true(result == CAWS_OK || result == CAWS_ERR_NOMEM);
    say(&p, request, sizeof request - 1);
    settle(loop, &p);
    say(&p, frame, frame_write(frame, 0x01, "hel", 3));
    say(&p, frame, frame_write(frame, 0x80, "lo", 2));
    settle(loop, &p);
    result = (int)caws_broadcast(server, NULL, CAWS_TEXT, "all", 3);
    assert_true(result >= 0 || result == CAWS_ERR_NOMEM);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct peer a = peer_on(pair[1]);
    size_t len = frame_write(frame, 0x81, "early", 5);
    caws_conn *ws = caws_adopt_open(server, pair[0], NULL, NULL, frame, len);
    assert_true(ws || errno == ENOMEM);
    settle(loop, &a);
    struct peer b = peer_on(dial_port(caws_server_port(server))); /* told 503 */
    settle(loop, &b);
    say(&p, frame, frame_write(frame, 0x88, "\x03\xe8", 2));
    settle(loop, &p);
    caws_server_stop(server, 0);
    settle(loop, &a);
    peer_free(&p);
    peer_free(&q);
    peer_free(&r);
    peer_free(&a);
    peer_free(&b);
}

static void session(const struct caws__poller *kind)
{
    const caws_alloc alloc = { failing_resize, &memory };
    caws_server_config cfg = echo_config();
    cfg.max_conns = 4;
    cfg.ws.path = "/chat";
    caws_loop *loop = caws__loop_new_with(&alloc, kind);
    if (!loop) {
        assert_int_equal(errno, ENOMEM);
        return;
    }
    caws_server *server = caws_listen(loop, &cfg);
    if (server)
        serve(loop, server);
    else
        assert_int_equal(errno, ENOMEM);
    caws_loop_free(loop);
}

static void check_all(void **state, int times)
{
    int before = count_descriptors(), n = 0;
    do {
        memset(&seen, 0, sizeof seen);
        memset(&memory, 0, sizeof memory);
        memory.countdown = n++;
        memory.times = times;
        session(*state);
        assert_int_equal(memory.in_use, 0);
        assert_true(seen.closes >= seen.opens && seen.closes <= 2);
        assert_int_equal(count_descriptors(), before);
    } while (memory.failed > 0 && n < 2000);
    /* The last time through nothing failed. */
    assert_int_equal(memory.failed, 0);
    assert_int_equal(seen.opens, 2);
    assert_int_equal(seen.closes, 2);
    assert_int_equal(seen.messages, 2);
    assert_true(n > 20);
}

static void test_each_allocation_fails_once(void **state)
{
    check_all(state, 1);
}

static void test_each_allocation_fails_from_then_on(void **state)
{
    check_all(state, 1000000);
}

/* Not only when the loop is freed. */
static void test_memory_of_closed_conns_is_returned(void **state)
{
    const caws_alloc alloc = { failing_resize, &memory };
    caws_server_config cfg = echo_config();
    memset(&seen, 0, sizeof seen);
    memset(&memory, 0, sizeof memory);
    memory.countdown = 1 << 30;
    struct net n = { .loop = caws__loop_new_with(&alloc, *state) };
    n.server = caws_listen(n.loop, &cfg);
    size_t first = 0;
    for (int i = 0; i < 30; i++) {
        struct peer p = peer_open(&n);
        peer_text(&p, "hello");
        peer_want_text(&n, &p, "hello");
        peer_free(&p);
        PUMP_UNTIL(&n, n.loop->live == 1);
        if (i == 0)
            first = memory.in_use;
        assert_int_equal(memory.in_use, first);
    }
    net_free(&n);
    assert_int_equal(memory.in_use, 0);
}

/* Bytes that came early are kept until they can be fed: where there is no room
 * for them, or then none in the loop, the descriptor is closed and that is all. */
static void test_bytes_that_came_early(void **state)
{
    const caws_alloc alloc = { failing_resize, &memory };
    caws_server_config cfg = echo_config();
    int before = count_descriptors(), fails = 0;
    caws_conn *ws = NULL;
    while (!ws) {
        int pair[2];
        memset(&seen, 0, sizeof seen);
        memset(&memory, 0, sizeof memory);
        memory.countdown = 1 << 30;
        struct net n = { .loop = caws__loop_new_with(&alloc, *state) };
        n.server = caws_listen(n.loop, &cfg);
        assert_non_null(n.server);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        struct peer p = peer_on(pair[1]);
        if (fails == 0) { /* more than there can be */
            assert_null(caws_adopt(n.server, dup(pair[0]), "x", SIZE_MAX));
            assert_int_equal(errno, ENOMEM);
        }
        memory.countdown = fails++;
        memory.times = 1;
        ws = caws_adopt(n.server, pair[0], request, sizeof request - 1);
        memory.countdown = 1 << 30;
        if (ws) {
            assert_int_equal(peer_status(&n, &p), 101);
            assert_int_equal(seen.opens, 1);
        } else {
            assert_int_equal(errno, ENOMEM);
            assert_int_equal(n.loop->live, 1); /* the server */
            peer_want_end(&n, &p);
        }
        net_free(&n);
        peer_free(&p);
        assert_int_equal(memory.in_use, 0);
        assert_int_equal(count_descriptors(), before);
        assert_true(fails < 20);
    }
    assert_int_equal(fails, 5); /* the conn, the bytes, a deadline, an id */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_memory_of_closed_conns_is_returned),
        ON_BOTH(test_each_allocation_fails_once),
        ON_BOTH(test_each_allocation_fails_from_then_on),
        ON_BOTH(test_bytes_that_came_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
