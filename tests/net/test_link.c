/* lib/net/link.c, flush.c, query.c: conns over real sockets */
#include "net.h"

static void test_echo(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    peer_text(&p, "one");
    peer_text(&p, "two");
    peer_want_text(&n, &p, "one");
    peer_want_text(&n, &p, "two");
    peer_send(&p, 0x89, "ping", 4);
    char pong[125];
    assert_int_equal(peer_frame(&n, &p, 0x8a, pong, sizeof pong), 4);
    assert_memory_equal(pong, "ping", 4);
    assert_int_equal(seen.opens, 1);
    assert_int_equal(seen.messages, 3);
    assert_int_equal(seen.closes, 0);
    peer_free(&p);
    net_free(&n);
}

static void test_request_and_first_message_in_pieces(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    uint8_t bytes[512];
    size_t len = sizeof request - 1;
    memcpy(bytes, request, len);
    len += frame_write(bytes + len, 0x81, "hello", 5);
    for (size_t i = 0; i < len; i++) {
        peer_say(&p, bytes + i, 1);
        pump(&n, 0);
    }
    assert_int_equal(peer_status(&n, &p), 101);
    peer_want_text(&n, &p, "hello");
    peer_free(&p);
    net_free(&n);
}

/* The server closes TCP first, in its sending direction, once both Closes are
 * exchanged, and ends when the peer has. */
static void test_closing_handshake(void **state)
{
    /* REQ 7.1.1-1, 7.1.1-3, 5.5.1-12 */
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    peer_close(&p, 1000);
    peer_want_close(&n, &p, 1000);
    peer_want_end(&n, &p);
    assert_false(p.reset);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1000);
    assert_true(seen.clean);
    /* Trailing bytes are discarded, not answered with a reset. */
    uint64_t id = seen.id;
    assert_null(caws_find(n.loop, id));
    assert_int_equal(n.loop->live, 2);
    peer_text(&p, "too late");
    pump(&n, 5);
    peer_text(&p, "too late");
    assert_int_equal(n.loop->live, 2);
    assert_rests(&n);
    shutdown(p.fd, SHUT_WR);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_int_equal(seen.messages, 0);
    assert_int_equal(seen.closes, 1);
    peer_free(&p);
    net_free(&n);
}

static void test_server_closes(void **state)
{
    /* REQ 7.3-1 */
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    assert_int_equal(caws_close(caws_find(n.loop, seen.id), 4001, "bye"), CAWS_OK);
    peer_want_close(&n, &p, 4001);
    assert_int_equal(seen.closes, 0);
    assert_false(p.ended);
    peer_close(&p, 4001);
    peer_want_end(&n, &p);
    assert_int_equal(seen.closes, 1);
    assert_true(seen.clean);
    assert_int_equal(seen.ended_by, CAWS_BY_US);
    peer_free(&p);
    net_free(&n);
}

static void test_abort(void **state)
{
    /* REQ 7.1.1-2 */
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    caws_abort(caws_find(n.loop, seen.id));
    assert_int_equal(seen.closes, 0);
    peer_want_end(&n, &p);
    assert_int_equal(p.len, 0);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1006);
    assert_int_equal(n.loop->live, 1);
    peer_free(&p);
    net_free(&n);
}

/* End or reset at any place: one on_close, 1006, and nothing is left. */
static void check_loss(void **state, bool reset)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    uint8_t bytes[512];
    size_t len = sizeof request - 1;
    memcpy(bytes, request, len);
    len += frame_write(bytes + len, 0x81, "hello", 5);
    for (size_t cut = 0; cut < len; cut += cut < sizeof request - 5 ? 37 : 1) {
        int opens = seen.opens, closes = seen.closes;
        struct peer p = peer_new(&n);
        struct linger hard = { 1, 0 };
        if (cut)
            peer_say(&p, bytes, cut);
        pump(&n, 1);
        peer_take(&p);
        if (reset)
            setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        peer_free(&p);
        PUMP_UNTIL(&n, n.loop->live == 1);
        assert_int_equal(seen.closes - closes, seen.opens - opens);
        if (seen.opens > opens) {
            assert_int_equal(seen.code, 1006);
            assert_false(seen.clean);
        }
    }
    assert_true(seen.opens > 5);
    net_free(&n);
}

static void test_end_of_transport(void **state)
{
    /* REQ 7.2.1-2, 7.1.4-1 */
    check_loss(state, false);
}

static void test_reset_of_transport(void **state)
{
    /* REQ 7.2.1-2, 7.1.4-2 */
    check_loss(state, true);
}

/* A peer that has ended its sending direction still gets what is queued. */
static void test_half_closed_peer_gets_the_rest(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    peer_text(&p, "last");
    shutdown(p.fd, SHUT_WR);
    peer_want_text(&n, &p, "last");
    peer_want_end(&n, &p);
    assert_false(p.reset);
    assert_int_equal(seen.code, 1006);
    assert_int_equal(seen.closes, 1);
    peer_free(&p);
    net_free(&n);
}

/* A peer that does not read resets under our sends: what it had sent before
 * that is delivered all the same. */
static void burst_open(caws_conn *ws)
{
    static char big[16 << 20]; /* more than the system buffers */
    note_open(ws);
    caws_send(ws, CAWS_BINARY, big, sizeof big);
}

static void test_reading_goes_on_when_sending_fails(void **state)
{
    caws_server_config cfg = echo_config();
    struct linger hard = { 1, 0 };
    cfg.ws.on_open = burst_open;
    cfg.ws.on_message = note_message;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    peer_say(&p, request, sizeof request - 1);
    PUMP_UNTIL(&n, seen.opens == 1);
    pump(&n, 2);
    /* In one segment, so that all of it is there before the reset is. */
    uint8_t frames[1300];
    size_t len = 0;
    for (int i = 0; i < 100; i++)
        len += frame_write(frames + len, 0x81, "counted", 7);
    peer_say(&p, frames, len);
    setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_free(&p);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_int_equal(seen.messages, 100);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    net_free(&n);
}

/* 16 MiB behind a bad frame: the Close still arrives, since the server reads
 * on until the peer has ended. */
static void check_last_words(void **state, const void *bad, size_t bad_len, bool opened)
{
    enum { BEHIND = 16 << 20 };
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = opened ? peer_open(&n) : peer_new(&n);
    uint8_t *behind = calloc(1, BEHIND);
    assert_non_null(behind);
    peer_say(&p, bad, bad_len);
    assert_true(peer_push(&n, &p, behind, BEHIND, true));
    shutdown(p.fd, SHUT_WR);
    if (opened)
        peer_want_close(&n, &p, 1002);
    else
        assert_int_equal(peer_status(&n, &p), 400);
    peer_want_end(&n, &p);
    assert_false(p.reset);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_int_equal(seen.closes, opened);
    assert_int_equal(seen.messages, 0);
    free(behind);
    peer_free(&p);
    net_free(&n);
}

static void test_close_arrives_before_16_mib_are_read(void **state)
{
    /* REQ 7.1.1-1, 10.7-3 */
    check_last_words(state, "\x81\x05hello", 7, true);
}

static void test_refusal_arrives_before_16_mib_are_read(void **state)
{
    /* REQ 10.7-4 */
    static const char bad[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Key: short\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";
    check_last_words(state, bad, sizeof bad - 1, false);
}

/* Larger than any socket buffer, both ways. */
static void test_large_messages(void **state)
{
    enum { SIZE = 6 << 20 };
    caws_server_config cfg = echo_config();
    cfg.ws.max_message = SIZE;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    uint8_t *data = malloc(SIZE), *frame = malloc(SIZE + 14);
    assert_true(data && frame);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    assert_true(peer_push(&n, &p, frame, frame_write(frame, 0x82, data, SIZE), false));
    memset(frame, 0, SIZE);
    assert_int_equal(peer_frame(&n, &p, 0x82, frame, SIZE), SIZE);
    assert_memory_equal(frame, data, SIZE);
    PUMP_UNTIL(&n, net_stats(&n).buffered_now == 0);
    free(data);
    free(frame);
    peer_free(&p);
    net_free(&n);
}

/* A paused conn is not read: its peer's socket fills up, and no step spins. */
static void test_pause_and_resume(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_message = note_message;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    uint8_t frame[1014];
    char data[1000] = { 0 };
    size_t len = frame_write(frame, 0x82, data, sizeof data);
    int sent = 0;
    caws_pause(caws_find(n.loop, seen.id));
    pump(&n, 2);
    while (sent < 100000 && send(p.fd, frame, len, MSG_DONTWAIT) == (ssize_t)len)
        sent++;
    assert_true(sent > 0 && sent < 100000);
    pump(&n, 10);
    assert_int_equal(seen.messages, 0);
    assert_rests(&n);
    caws_resume(caws_find(n.loop, seen.id));
    PUMP_UNTIL(&n, seen.messages >= sent);
    peer_free(&p);
    net_free(&n);
}

static int say_later(caws_conn *ws, const caws_request *req)
{
    (void)req;
    seen.ws = ws;
    return CAWS_LATER;
}

/* In whatever state a conn waits for its peer or for us, the loop sleeps. */
static void test_waiting_is_no_work(void **state)
{
    static char big[16 << 20]; /* more than the system buffers */
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    assert_rests(&n);
    struct peer silent = peer_new(&n);
    assert_rests(&n);
    struct peer p = peer_open(&n);
    assert_rests(&n);
    /* It does not read, ... */
    assert_int_equal(caws_send(seen.ws, CAWS_BINARY, big, sizeof big), CAWS_OK);
    assert_rests(&n);
    /* ... has ended its own direction, ... */
    shutdown(p.fd, SHUT_WR);
    assert_rests(&n);
    assert_int_equal(n.loop->live, 3);
    peer_free(&p);
    PUMP_UNTIL(&n, n.loop->live == 2);
    /* ... does not read, while we close, ... */
    p = peer_open(&n);
    caws_send(seen.ws, CAWS_BINARY, big, sizeof big);
    caws_close(seen.ws, 1000, NULL);
    assert_rests(&n);
    peer_free(&p);
    /* ... or does not answer our Close. */
    p = peer_open(&n);
    caws_close(seen.ws, 1000, NULL);
    peer_want_close(&n, &p, 1000);
    assert_rests(&n);
    peer_free(&p);
    peer_free(&silent);
    net_free(&n);
}

static void test_an_undecided_request(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_request = say_later;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    peer_say(&p, request, sizeof request - 1);
    peer_text(&p, "held");
    PUMP_UNTIL(&n, seen.ws != NULL);
    assert_rests(&n);
    assert_int_equal(caws_accept(seen.ws), CAWS_OK);
    assert_int_equal(peer_status(&n, &p), 101);
    peer_want_text(&n, &p, "held");
    struct peer q = peer_new(&n);
    seen.ws = NULL;
    peer_say(&q, request, sizeof request - 1);
    PUMP_UNTIL(&n, seen.ws != NULL);
    assert_int_equal(caws_refuse(seen.ws, 401), CAWS_OK);
    assert_int_equal(peer_status(&n, &q), 401);
    peer_want_end(&n, &q);
    peer_free(&p);
    peer_free(&q);
    net_free(&n);
}

/* Both are readable in one step, and one pauses the other: that is not read
 * any more, whatever the poller has said. */
static void pause_other(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_conn *other = caws_find(caws_loop_of(ws), caws_id(ws) ^ 3);
    assert_non_null(other);
    caws_pause(other);
}

static void test_paused_by_another(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_message = pause_other;
    struct net n = net_new(state, &cfg);
    struct peer a = peer_open(&n), b = peer_open(&n);
    uint64_t before = net_stats(&n).conns.bytes_in;
    assert_int_equal(seen.id, 2);
    peer_text(&a, "now");
    peer_text(&b, "now");
    pump(&n, 5);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(net_stats(&n).conns.bytes_in - before, 9);
    peer_free(&a);
    peer_free(&b);
    net_free(&n);
}

/* More pieces in the queue than one system call takes, then a message large
 * enough to be sent at once. */
static void test_many_slices(void **state)
{
    static char data[20000], got[20000];
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    for (int queued = 0; queued < 200; queued += 1 + queued / 20) {
        for (int i = 0; i < queued; i++) {
            caws_prepared *msg = caws_prepare(&cfg.ws, CAWS_BINARY, data, (size_t)(300 + i));
            assert_int_equal(caws_send_prepared(seen.ws, msg), CAWS_OK);
            caws_prepared_free(msg);
        }
        assert_int_equal(caws_send(seen.ws, CAWS_BINARY, data, sizeof data), CAWS_OK);
        for (int i = 0; i < queued; i++)
            assert_int_equal(peer_frame(&n, &p, 0x82, got, sizeof got), 300 + i);
        assert_int_equal(peer_frame(&n, &p, 0x82, got, sizeof got), sizeof data);
    }
    peer_free(&p);
    net_free(&n);
}

/* Of a long queue only as much is offered to the system as it may well take:
 * the rest can still be dropped. */
static void test_a_long_queue_can_be_dropped(void **state)
{
    enum { SIZE = 10000, COUNT = 200 };
    static char data[SIZE], got[SIZE];
    caws_server_config cfg = echo_config();
    int small = 4096, frames = 0;
    cfg.ws.max_buffered = 2 * SIZE * COUNT;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    setsockopt((int)caws_fd(seen.ws), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(caws_send(seen.ws, CAWS_BINARY, data, SIZE), CAWS_OK);
    pump(&n, 2);
    caws_discard(seen.ws);
    assert_int_equal(caws_close(seen.ws, 1013, NULL), CAWS_OK);
    for (peer_want(&n, &p, 2); p.in[0] == 0x82; peer_want(&n, &p, 2)) {
        assert_int_equal(peer_frame(&n, &p, 0x82, got, SIZE), SIZE);
        frames++;
    }
    peer_want_close(&n, &p, 1013);
    assert_in_range(frames, 1, COUNT / 4);
    peer_free(&p);
    net_free(&n);
}

static int drains;

static void count_drain(caws_conn *ws)
{
    (void)ws;
    drains++;
}

static void test_drain(void **state)
{
    static char block[64 << 10];
    caws_server_config cfg = echo_config();
    cfg.ws.on_drain = count_drain;
    drains = 0;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    caws_conn *ws = caws_find(n.loop, seen.id);
    int result, sent = 0;
    while ((result = caws_send(ws, CAWS_BINARY, block, sizeof block)) == CAWS_OK)
        sent++;
    assert_int_equal(result, CAWS_ERR_FULL);
    assert_true(sent >= 16);
    assert_int_equal(drains, 0);
    size_t total = (size_t)sent * (sizeof block + 10);
    peer_want(&n, &p, total);
    assert_int_equal(p.len, total);
    PUMP_UNTIL(&n, drains == 1);
    assert_int_equal(caws_buffered_amount(ws), 0);
    peer_free(&p);
    net_free(&n);
}

static void test_queries(void **state)
{
    static int context;
    caws_server_config cfg = echo_config();
    char name[64], expected[64];
    struct sockaddr_in us;
    socklen_t len = sizeof us;
    cfg.ws.context = &context;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    caws_conn *ws = caws_find(n.loop, seen.id);
    assert_ptr_equal(ws, seen.ws);
    assert_int_equal(caws_id(ws), seen.id);
    assert_ptr_equal(caws_loop_of(ws), n.loop);
    assert_ptr_equal(caws_server_of(ws), n.server);
    assert_ptr_equal(caws_context(ws), &context);
    assert_true(caws_fd(ws) >= 0);
    assert_true(fcntl((int)caws_fd(ws), F_GETFD) & FD_CLOEXEC);
    getsockname(p.fd, (struct sockaddr *)&us, &len);
    snprintf(expected, sizeof expected, "127.0.0.1:%u", ntohs(us.sin_port));
    assert_int_equal(caws_peer_name(ws, name, sizeof name), CAWS_OK);
    assert_string_equal(name, expected);
    assert_null(caws_find(n.loop, seen.id + 1));
    assert_null(caws_find(n.loop, 0));
    peer_free(&p);
    net_free(&n);
}

/* An id goes stale with its conn, though memory and descriptor are used again. */
static void test_ids_go_stale(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    uint64_t last = 0;
    for (int i = 0; i < 20; i++) {
        struct peer p = peer_open(&n);
        assert_true(seen.id > last);
        assert_null(caws_find(n.loop, last));
        last = seen.id;
        assert_non_null(caws_find(n.loop, last));
        peer_free(&p);
        PUMP_UNTIL(&n, seen.closes == i + 1);
        assert_null(caws_find(n.loop, last));
    }
    net_free(&n);
}

/* Two conns are readable in one step; the first one's handler aborts the
 * other, and a new one takes its descriptor: events never reach the wrong one. */
static uint64_t victims[2];

static void abort_other(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_conn *other = caws_find(caws_loop_of(ws), victims[caws_id(ws) == victims[0]]);
    if (other)
        caws_abort(other);
}

static void test_events_of_a_conn_that_was_just_aborted(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_message = abort_other;
    struct net n = net_new(state, &cfg);
    for (int round = 0; round < 10; round++) {
        memset(&seen, 0, sizeof seen);
        struct peer a = peer_open(&n);
        victims[0] = seen.id;
        struct peer b = peer_open(&n);
        victims[1] = seen.id;
        peer_text(&a, "now");
        peer_text(&b, "now");
        struct peer c = peer_new(&n);
        peer_say(&c, request, sizeof request - 1);
        assert_int_equal(peer_status(&n, &c), 101);
        PUMP_UNTIL(&n, seen.closes == 1);
        assert_int_equal(seen.messages, 1);
        assert_non_null(caws_find(n.loop, seen.id));
        assert_true(!caws_find(n.loop, victims[0]) != !caws_find(n.loop, victims[1]));
        peer_free(&a);
        peer_free(&b);
        peer_free(&c);
        PUMP_UNTIL(&n, n.loop->live == 1);
        assert_int_equal(seen.closes, 3);
    }
    net_free(&n);
}

/* One that floods does not keep the others waiting. */
static void test_one_that_floods_starves_nobody(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_message = echo_message;
    struct net n = net_new(state, &cfg);
    struct peer loud = peer_open(&n), quiet = peer_open(&n);
    uint8_t frame[1014];
    char data[1000] = { 0 };
    size_t len = frame_write(frame, 0x82, data, sizeof data);
    while (send(loud.fd, frame, len, MSG_DONTWAIT) == (ssize_t)len)
        continue;
    peer_text(&quiet, "and me?");
    for (int i = 0; i < 3; i++)
        caws_loop_step(n.loop, 0);
    peer_take(&quiet);
    assert_true(quiet.len > 0);
    peer_free(&loud);
    peer_free(&quiet);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_echo),
        ON_BOTH(test_request_and_first_message_in_pieces),
        ON_BOTH(test_closing_handshake),
        ON_BOTH(test_server_closes),
        ON_BOTH(test_abort),
        ON_BOTH(test_end_of_transport),
        ON_BOTH(test_reset_of_transport),
        ON_BOTH(test_half_closed_peer_gets_the_rest),
        ON_BOTH(test_reading_goes_on_when_sending_fails),
        ON_BOTH(test_close_arrives_before_16_mib_are_read),
        ON_BOTH(test_refusal_arrives_before_16_mib_are_read),
        ON_BOTH(test_large_messages),
        ON_BOTH(test_pause_and_resume),
        ON_BOTH(test_waiting_is_no_work),
        ON_BOTH(test_an_undecided_request),
        ON_BOTH(test_paused_by_another),
        ON_BOTH(test_many_slices),
        ON_BOTH(test_a_long_queue_can_be_dropped),
        ON_BOTH(test_drain),
        ON_BOTH(test_queries),
        ON_BOTH(test_ids_go_stale),
        ON_BOTH(test_events_of_a_conn_that_was_just_aborted),
        ON_BOTH(test_one_that_floods_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
