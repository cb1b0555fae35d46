/* The peer resets the connection, at each byte of all that it could have said:
 * a request, a message, a Ping, a Close; or, to a client, the response first.
 * Each conn ends once, nothing stays, and the next one is served. */
#include "client.h"

static void reset(struct peer *p)
{
    struct linger at_once = { 1, 0 };
    assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    peer_free(p);
}

/* What a peer says after the opening handshake; masked for a server. */
static size_t write_frames(uint8_t *out, bool masked)
{
    static const char unmasked[] = "\x81\x05hello\x89\x00\x82\x03" "abc\x88\x02\x03\xe8";
    size_t n = 0;
    if (!masked) {
        memcpy(out, unmasked, sizeof unmasked - 1);
        return sizeof unmasked - 1;
    }
    n += frame_write(out + n, 0x81, "hello", 5);
    n += frame_write(out + n, 0x89, "", 0);
    n += frame_write(out + n, 0x82, "abc", 3);
    n += frame_write(out + n, 0x88, "\x03\xe8", 2);
    return n;
}

/* heard: the reset comes when the server has read what was said, else it may
 * come with it, and take it away. */
static void reset_at(struct net *n, const uint8_t *script, size_t len, bool heard)
{
    caws_stats before = net_stats(n), after;
    struct peer p = peer_new(n);
    memset(&seen, 0, sizeof seen);
    peer_say(&p, script, len);
    if (heard) {
        PUMP_UNTIL(n, net_stats(n).accepted == before.accepted + 1);
        PUMP_UNTIL(n, net_stats(n).conns.bytes_in == before.conns.bytes_in + len);
    }
    reset(&p);
    PUMP_UNTIL(n, net_stats(n).accepted == before.accepted + 1);
    PUMP_UNTIL(n, n->loop->live == 1);
    after = net_stats(n);
    assert_int_equal(after.open_now, 0);
    assert_int_equal(after.opened - before.opened, seen.opens);
    assert_int_equal(seen.closes, seen.opens);
    assert_true(seen.errors <= 1);
    assert_true(seen.errors == 0 || seen.opens == 0 || seen.error == CAWS_ERR_EOF);
}

static void check_server(struct net *n, const uint8_t *script, size_t head, size_t len, bool heard)
{
    int before = count_descriptors();
    for (size_t k = 0; k <= len; k++) {
        reset_at(n, script, k, heard);
        if (heard) {
            assert_int_equal(seen.opens, k >= head);
            assert_int_equal(seen.closes > 0 ? seen.code : 1006, k < len ? 1006 : 1000);
            assert_true(seen.errors == 1 || k == 0 || k == len);
        }
        assert_int_equal(count_descriptors(), before);
    }
}

static void test_a_server_whose_peer_resets(void **state)
{
    /* REQ CRASH-10 */
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    uint8_t script[1024];
    size_t head = sizeof request - 1, len;
    memcpy(script, request, head);
    len = head + write_frames(script + head, true);
    check_server(&n, script, head, len, true);
    check_server(&n, script, head, len, false);
    struct peer p = peer_open(&n);
    peer_text(&p, "still there");
    peer_want_text(&n, &p, "still there");
    peer_free(&p);
    net_free(&n);
}

/* The answer is on its way, and nobody takes it. */
static void test_a_refusal_that_is_reset(void **state)
{
    static const char bad[] = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nand more";
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    for (size_t k = 0; k < sizeof bad; k++) {
        reset_at(&n, (const uint8_t *)bad, k, true);
        assert_int_equal(seen.opens, 0);
        reset_at(&n, (const uint8_t *)bad, k, false);
        assert_int_equal(seen.opens, 0);
    }
    net_free(&n);
}

/* Before its head is read, after so many bytes of the answer, or all. */
static void test_a_client_whose_server_resets(void **state)
{
    /* REQ CRASH-10 */
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port), before = count_descriptors();
    size_t head = SIZE_MAX, len = 0;
    for (size_t k = 0; k <= len + 1; k++) {
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        uint8_t script[1024];
        struct peer p;
        memset(&seen, 0, sizeof seen);
        assert_non_null(caws_connect_with(n.loop, &cfg));
        p = accept_by_hand(&n, listener);
        if (k > 0) {
            head = write_101((char *)script, sizeof script, read_head(&n, &p));
            len = head + write_frames(script + head, false);
            peer_say(&p, script, k - 1);
            for (int i = 0; i < 3; i++)
                assert_int_equal(caws_loop_step(n.loop, 1), CAWS_OK);
        }
        reset(&p);
        PUMP_UNTIL(&n, n.loop->live == 0);
        assert_int_equal(seen.closes, 1);
        assert_int_equal(seen.opens, k > 0 && k - 1 >= head);
        assert_int_equal(seen.code, k == len + 1 ? 1000 : 1006);
        assert_int_equal(seen.errors, seen.code == 1006);
        if (k == 0) /* it may not even have seen that it was connected */
            assert_true(seen.error == CAWS_ERR_CONNECT || seen.error == CAWS_ERR_EOF);
        else
            assert_int_equal(seen.error, seen.errors ? CAWS_ERR_EOF : CAWS_OK);
        assert_int_equal(count_descriptors(), before);
    }
    assert_true(len > head);
    close(listener);
    caws_loop_free(n.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_a_server_whose_peer_resets),
        ON_BOTH(test_a_refusal_that_is_reset),
        ON_BOTH(test_a_client_whose_server_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
