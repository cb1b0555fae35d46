/* The transport of a client is lost, at each moment of a session. */
#include "client.h"

/* A session of a server that never closes, as far as this byte, and then the
 * end, or a reset. */
static void lose(struct net *n, int listener, uint16_t port, size_t *len, bool reset)
{
    char out[512];
    struct linger hard = { 1, 0 };
    caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
    memset(&seen, 0, sizeof seen);
    memset(&told, 0, sizeof told);
    assert_non_null(caws_connect_with(n->loop, &cfg));
    struct peer p = accept_by_hand(n, listener);
    size_t head = write_101(out, sizeof out, read_head(n, &p)), total = head;
    static const char frames[] = "\x81\x05hello\x01\x02he\x89\x01!\x80\x03llo\x82\x7e\x00\x80yes";
    memcpy(out + total, frames, sizeof frames - 1);
    total += sizeof frames - 1;
    peer_say(&p, out, *len);
    if (reset) {
        PUMP_UNTIL(n, *len < head || seen.opens == 1);
        pump(n, 1);
        setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    peer_free(&p);
    /* REQ 7.2.1-2 */
    PUMP_UNTIL(n, n->loop->live == 0);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1006);
    assert_false(seen.clean);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    assert_int_equal(seen.opens, *len >= head);
    assert_int_equal(seen.messages, (*len >= head + 7) + (*len >= head + 7 + 4 + 3 + 5));
    *len = *len == total ? SIZE_MAX : *len + 1;
}

static void lose_at_each_byte(void **state, bool reset)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port), before = count_descriptors();
    size_t len = 0;
    while (len != SIZE_MAX)
        lose(&n, listener, port, &len, reset);
    assert_int_equal(count_descriptors(), before);
    net_free(&n);
    close(listener);
}

static void test_end_at_each_byte(void **state)
{
    lose_at_each_byte(state, false);
}

static void test_reset_at_each_byte(void **state)
{
    lose_at_each_byte(state, true);
}

/* A client leaves the TCP close to the server, for a reasonable time. */
static void test_server_closes_first(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    uint8_t close_frame[4] = { 0x88, 2, 3, 232 };
    for (int silent = 0; silent < 2; silent++) {
        memset(&seen, 0, sizeof seen);
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        cfg.ws.close_timeout_ms = silent ? 60 : 5000;
        assert_non_null(caws_connect_with(n.loop, &cfg));
        struct peer p = admit(&n, listener);
        caws_close(seen.ws, 1000, NULL);
        peer_want(&n, &p, 8);
        peer_say(&p, close_frame, sizeof close_frame);
        PUMP_UNTIL(&n, seen.closes == 1);
        assert_true(seen.clean);
        pump(&n, 20);
        /* REQ 7.1.1-4 */
        peer_take(&p);
        assert_false(p.ended);
        assert_int_equal(n.loop->live, 1);
        if (silent)
            peer_want_end(&n, &p);
        peer_free(&p);
        PUMP_UNTIL(&n, n.loop->live == 0);
        assert_int_equal(seen.errors, 0);
    }
    net_free(&n);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_end_at_each_byte),
        ON_BOTH(test_reset_at_each_byte),
        ON_BOTH(test_server_closes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
