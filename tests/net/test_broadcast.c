/* lib/net/broadcast.c */
#include "net.h"

/* Counts what is allocated at one time, and the largest block. */
static size_t in_use, largest;

static void *count_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    in_use = in_use - old_size + new_size;
    if (new_size > largest)
        largest = new_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static void broadcast_all(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_broadcast(caws_server_of(ws), NULL, type, data, len);
}

static void test_same_order_for_everyone(void **state)
{
    caws_server_config cfg = echo_config();
    struct peer peers[5];
    char text[32], all[2][8192];
    cfg.ws.on_message = broadcast_all;
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 5; i++)
        peers[i] = peer_open(&n);
    for (int k = 0; k < 20; k++)
        for (int i = 0; i < 5; i++) {
            snprintf(text, sizeof text, "%d from %d", k, i);
            peer_text(&peers[i], text);
        }
    PUMP_UNTIL(&n, seen.messages == 100);
    for (int i = 0; i < 5; i++) {
        char *out = all[i > 0], *at = out;
        *out = '\0';
        for (int k = 0; k < 100; k++) {
            at += peer_frame(&n, &peers[i], 0x81, at, 64);
            *at++ = '\n';
        }
        *at = '\0';
        if (i > 0)
            assert_string_equal(all[0], all[1]);
        peer_free(&peers[i]);
    }
    net_free(&n);
}

static void test_except_and_count(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "nobody", 6), 0);
    struct peer a = peer_open(&n);
    caws_conn *first = seen.ws;
    struct peer b = peer_open(&n), c = peer_new(&n), d = peer_open(&n);
    pump(&n, 2);
    caws_close(seen.ws, 1000, NULL); /* d: CLOSING; c: CONNECTING */
    assert_int_equal(caws_broadcast(n.server, first, CAWS_TEXT, "b", 1), 1);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_BINARY, "\0\1", 2), 2);
    char got[8];
    peer_want_text(&n, &b, "b");
    assert_int_equal(peer_frame(&n, &b, 0x82, got, 8), 2);
    assert_int_equal(peer_frame(&n, &a, 0x82, got, 8), 2);
    assert_memory_equal(got, "\0\1", 2);
    peer_want_close(&n, &d, 1000);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    peer_free(&d);
    net_free(&n);
}

static void test_bad_arguments(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    assert_int_equal(caws_broadcast(n.server, NULL, (caws_type)9, "x", 1), CAWS_ERR_ARG);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, NULL, 1), CAWS_ERR_ARG);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "\xff", 1), CAWS_ERR_UTF8);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_BINARY, "\xff", 1), 1);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, NULL, 0), 1);
    peer_free(&p);
    net_free(&n);
}

/* A large message is encoded once, whatever the number of receivers. */
static void test_one_encoding(void **state)
{
    enum { SIZE = 400000 };
    caws_server_config cfg = echo_config();
    struct peer peers[8];
    char *data = malloc(SIZE), *got = malloc(SIZE);
    memset(data, 'z', SIZE);
    cfg.ws.alloc.resize = count_resize;
    cfg.ws.max_buffered = 10 * SIZE;
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 8; i++)
        peers[i] = peer_open(&n);
    size_t before = in_use;
    for (int k = 1; k <= 3; k++) {
        assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, data, SIZE), 8);
        assert_in_range(in_use - before, (size_t)k * SIZE, (size_t)k * SIZE + 65536);
    }
    assert_true(net_stats(&n).buffered_now == 8u * 3 * SIZE);
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 3; k++) {
            assert_int_equal(peer_frame(&n, &peers[i], 0x81, got, SIZE), SIZE);
            assert_memory_equal(got, data, SIZE);
        }
    PUMP_UNTIL(&n, net_stats(&n).buffered_now == 0);
    assert_true(in_use - before < 65536);
    for (int i = 0; i < 8; i++)
        peer_free(&peers[i]);
    net_free(&n);
    assert_int_equal(in_use, 0);
    free(data);
    free(got);
}

/* One of two receivers does not read; the other gets everything. */
static void check_slow(void **state, caws_slow slow)
{
    enum { SIZE = 60000, COUNT = 200 };
    caws_server_config cfg = echo_config();
    char *data = malloc(SIZE), *got = malloc(SIZE);
    int small = 4096;
    memset(data, 'z', SIZE);
    cfg.slow = slow;
    cfg.ws.max_buffered = 4 * SIZE;
    cfg.ws.close_timeout_ms = 50;
    struct net n = net_new(state, &cfg);
    struct peer quick = peer_open(&n), lazy = peer_open(&n);
    setsockopt((int)caws_fd(seen.ws), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    for (int k = 0; k < COUNT; k++) {
        assert_true(caws_broadcast(n.server, NULL, CAWS_TEXT, data, SIZE) >= 1);
        assert_int_equal(peer_frame(&n, &quick, 0x81, got, SIZE), SIZE);
    }
    caws_stats s = net_stats(&n);
    if (slow == CAWS_SLOW_SKIP) {
        assert_int_equal(seen.closes, 0);
        assert_int_equal(s.open_now, 2);
        assert_int_equal(s.slow_closed, 0);
        assert_true(s.slow_skipped > 0 && s.slow_skipped < COUNT);
        /* What it has got is whole, and it gets more once it reads. */
        int frames = COUNT - (int)s.slow_skipped;
        for (int k = 0; k < frames; k++)
            assert_int_equal(peer_frame(&n, &lazy, 0x81, got, SIZE), SIZE);
        pump(&n, 2);
        assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "hi", 2), 2);
        peer_want_text(&n, &lazy, "hi");
    } else {
        assert_int_equal(s.slow_closed, 1);
        assert_int_equal(s.slow_skipped, 0);
        assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "hi", 2), 1);
        /* It never reads, and is cut. */
        PUMP_UNTIL(&n, seen.closes == 1);
        assert_int_equal(seen.code, 1006);
        assert_int_equal(seen.ended_by, CAWS_BY_US);
    }
    peer_free(&quick);
    peer_free(&lazy);
    net_free(&n);
    free(data);
    free(got);
}

static void test_slow_receiver_is_skipped(void **state)
{
    check_slow(state, CAWS_SLOW_SKIP);
}

static void test_slow_receiver_is_closed(void **state)
{
    check_slow(state, CAWS_SLOW_CLOSE);
}

/* One that does read on gets whole frames, then 1013. */
static void test_slow_receiver_is_told(void **state)
{
    enum { SIZE = 60000 };
    caws_server_config cfg = echo_config();
    char *data = calloc(1, SIZE), *got = malloc(SIZE);
    uint8_t first;
    cfg.ws.max_buffered = 8 * SIZE;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    int64_t queued = 0;
    while (net_stats(&n).slow_closed == 0) {
        queued += caws_broadcast(n.server, NULL, CAWS_TEXT, data, SIZE);
        caws_loop_step(n.loop, 0);
    }
    do {
        peer_want(&n, &p, 2);
        first = p.in[0];
        if (first == 0x81)
            assert_int_equal(peer_frame(&n, &p, 0x81, got, SIZE), SIZE);
        queued -= first == 0x81;
    } while (first == 0x81);
    assert_true(queued >= 1); /* those that had not begun were dropped */
    peer_want_close(&n, &p, 1013);
    peer_close(&p, 1013);
    peer_want_end(&n, &p);
    assert_true(seen.clean);
    peer_free(&p);
    net_free(&n);
    free(data);
    free(got);
}

/* In the middle of a fragmented message no other may go between (5.4). */
static void test_busy_receiver_is_skipped(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    char got[8];
    assert_int_equal(caws_send_fragment(seen.ws, CAWS_TEXT, "a", 1, false), CAWS_OK);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "x", 1), 0);
    assert_int_equal(caws_send_fragment(seen.ws, CAWS_TEXT, "b", 1, true), CAWS_OK);
    assert_int_equal(caws_broadcast(n.server, NULL, CAWS_TEXT, "y", 1), 1);
    assert_int_equal(net_stats(&n).busy_skipped, 1);
    assert_int_equal(peer_frame(&n, &p, 0x01, got, 8), 1);
    assert_int_equal(peer_frame(&n, &p, 0x80, got, 8), 1);
    peer_want_text(&n, &p, "y");
    peer_free(&p);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_same_order_for_everyone), ON_BOTH(test_except_and_count),
        ON_BOTH(test_bad_arguments),           ON_BOTH(test_one_encoding),
        ON_BOTH(test_slow_receiver_is_skipped), ON_BOTH(test_slow_receiver_is_closed),
        ON_BOTH(test_slow_receiver_is_told),   ON_BOTH(test_busy_receiver_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
