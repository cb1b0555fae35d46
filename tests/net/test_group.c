/* lib/net/group.c */
#include "client.h"

static caws_group *room;

static void enter_room(caws_conn *ws)
{
    note_open(ws);
    assert_int_equal(caws_group_add(room, ws), CAWS_OK);
}

static void say_in_room(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_group_send(room, ws, type, data, len);
}

/* It has left before it is told. */
static void leave_room(caws_conn *ws, const caws_close_event *event)
{
    size_t before = caws_group_count(room);
    note_close(ws, event);
    assert_int_equal(caws_group_add(room, ws), CAWS_ERR_STATE);
    caws_group_remove(room, ws);
    assert_int_equal(caws_group_count(room), before);
    caws_group_send(room, NULL, CAWS_TEXT, "one left", 8);
}

static struct net room_new(void **state, caws_slow slow)
{
    caws_server_config cfg = echo_config();
    cfg.slow = slow;
    cfg.ws.on_open = enter_room;
    cfg.ws.on_message = say_in_room;
    cfg.ws.on_close = leave_room;
    struct net n = net_new(state, &cfg);
    room = caws_group_new(n.loop);
    assert_non_null(room);
    assert_int_equal(caws_group_count(room), 0);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "nobody", 6), 0);
    return n;
}

static void test_everyone_but_one(void **state)
{
    struct net n = room_new(state, CAWS_SLOW_CLOSE);
    struct peer a = peer_open(&n), b = peer_open(&n), c = peer_open(&n);
    assert_int_equal(caws_group_count(room), 3);
    peer_text(&a, "hello");
    peer_want_text(&n, &b, "hello");
    peer_want_text(&n, &c, "hello");
    pump(&n, 2);
    assert_int_equal(a.len, 0);
    assert_int_equal(caws_group_send(room, NULL, CAWS_BINARY, "\0\1", 2), 3);
    assert_int_equal(caws_group_send(room, seen.ws, CAWS_TEXT, NULL, 0), 2);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "\xff", 1), CAWS_ERR_UTF8);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, NULL, 1), CAWS_ERR_ARG);
    assert_int_equal(caws_group_send(room, NULL, (caws_type)3, "x", 1), CAWS_ERR_ARG);
    caws_group_remove(room, seen.ws); /* c */
    caws_group_remove(room, seen.ws);
    assert_int_equal(caws_group_count(room), 2);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "x", 1), 2);
    caws_group_free(room);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    seen.ws = NULL;
    room = caws_group_new(n.loop); /* for on_close */
    net_free(&n);
    caws_group_free(room);
}

static void test_close_leaves(void **state)
{
    struct net n = room_new(state, CAWS_SLOW_CLOSE);
    struct peer a = peer_open(&n), b = peer_open(&n), c = peer_open(&n);
    peer_close(&a, 1000);
    peer_want_text(&n, &b, "one left");
    peer_want_text(&n, &c, "one left");
    assert_int_equal(caws_group_count(room), 2);
    caws_abort(seen.ws); /* c: CLOSING, still in there, and sent nothing */
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "x", 1), 1);
    peer_want_end(&n, &c);
    assert_int_equal(caws_group_count(room), 1);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    net_free(&n);
    assert_int_equal(caws_group_count(room), 0);
    caws_group_free(room); /* after its loop */
}

static void test_many_groups(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg), other = loop_only(state);
    struct peer a = peer_open(&n), b = peer_open(&n);
    caws_group *groups[8], *foreign = caws_group_new(other.loop);
    for (int i = 0; i < 8; i++) {
        groups[i] = caws_group_new(n.loop);
        assert_int_equal(caws_group_add(groups[i], seen.ws), CAWS_OK);
        assert_int_equal(caws_group_add(groups[i], seen.ws), CAWS_OK);
        assert_int_equal(caws_group_count(groups[i]), 1);
    }
    assert_int_equal(caws_group_add(foreign, seen.ws), CAWS_ERR_ARG);
    assert_int_equal(caws_group_add(NULL, seen.ws), CAWS_ERR_ARG);
    assert_int_equal(caws_group_add(groups[0], NULL), CAWS_ERR_ARG);
    assert_null(caws_group_new(NULL));
    caws_group_free(NULL);
    caws_group_free(groups[3]);
    caws_group_remove(groups[5], seen.ws);
    peer_free(&b);
    PUMP_UNTIL(&n, seen.closes == 1);
    for (int i = 0; i < 8; i++)
        if (i != 3) {
            assert_int_equal(caws_group_count(groups[i]), 0);
            caws_group_free(groups[i]);
        }
    caws_group_free(foreign);
    peer_free(&a);
    net_free(&n);
    net_free(&other);
}

static int add_and_refuse(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_group_add(room, ws), CAWS_OK);
    assert_int_equal(caws_group_count(room), 1);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "x", 1), 0); /* not OPEN yet */
    return 403;
}

/* One that is never let in has no on_close, and leaves all the same. */
static void test_refused_leaves(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_request = add_and_refuse;
    struct net n = net_new(state, &cfg);
    room = caws_group_new(n.loop);
    struct peer p = peer_new(&n);
    peer_say(&p, request, sizeof request - 1);
    assert_int_equal(peer_status(&n, &p), 403);
    peer_free(&p);
    PUMP_UNTIL(&n, caws_group_count(room) == 0);
    assert_int_equal(seen.closes, 0);
    net_free(&n);
    caws_group_free(room);
}

static void test_busy_is_skipped(void **state)
{
    struct net n = room_new(state, CAWS_SLOW_CLOSE);
    struct peer p = peer_open(&n);
    char got[8];
    assert_int_equal(caws_send_fragment(seen.ws, CAWS_TEXT, "a", 1, false), CAWS_OK);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "x", 1), 0);
    assert_int_equal(net_stats(&n).busy_skipped, 1);
    assert_int_equal(caws_send_fragment(seen.ws, CAWS_TEXT, "b", 1, true), CAWS_OK);
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "y", 1), 1);
    assert_int_equal(peer_frame(&n, &p, 0x01, got, 8), 1);
    assert_int_equal(peer_frame(&n, &p, 0x80, got, 8), 1);
    peer_want_text(&n, &p, "y");
    peer_free(&p);
    net_free(&n);
    caws_group_free(room);
}

/* Before a step the queue only grows: past max_buffered each has its server's
 * policy. */
static void check_slow(void **state, caws_slow slow)
{
    enum { SIZE = 600000 };
    char *data = calloc(1, SIZE);
    struct net n = room_new(state, slow);
    struct peer p = peer_open(&n);
    caws_conn *ws = seen.ws;
    int64_t queued = 0;
    int sends = 0;
    while (net_stats(&n).slow_closed + net_stats(&n).slow_skipped == 0 && sends++ < 100)
        queued += caws_group_send(room, NULL, CAWS_BINARY, data, SIZE);
    assert_int_equal(queued, sends - 1);
    assert_int_equal(net_stats(&n).slow_closed, slow == CAWS_SLOW_CLOSE);
    assert_int_equal(net_stats(&n).slow_skipped, slow == CAWS_SLOW_SKIP);
    assert_int_equal(caws_ready_state(ws), slow == CAWS_SLOW_SKIP ? CAWS_OPEN : CAWS_CLOSING);
    peer_free(&p);
    net_free(&n);
    caws_group_free(room);
    free(data);
}

static void test_slow_is_closed(void **state)
{
    check_slow(state, CAWS_SLOW_CLOSE);
}

static void test_slow_is_skipped(void **state)
{
    check_slow(state, CAWS_SLOW_SKIP);
}

/* Clients and a server's conns in one group; a slow client is skipped. */
static void test_clients(void **state)
{
    enum { SIZE = 600000 };
    char *data = calloc(1, SIZE);
    caws_server_config cfg = { .host = "127.0.0.1" };
    cfg.ws.on_open = enter_room;
    cfg.ws.on_message = echo_message;
    struct net n = net_new(state, &cfg);
    room = caws_group_new(n.loop);
    caws_config client = { .on_open = enter_room, .on_message = note_message };
    caws_conn *ws =
        caws_connect(n.loop, url_of("127.0.0.1", caws_server_port(n.server), "/"), &client);
    PUMP_UNTIL(&n, seen.opens == 2);
    /* The client echoes nothing; the server does, so one comes back. */
    assert_int_equal(caws_group_send(room, NULL, CAWS_TEXT, "both", 4), 2);
    PUMP_UNTIL(&n, seen.messages == 3);
    caws_conn *served = caws_find(n.loop, caws_id(ws) + 1);
    assert_non_null(served);
    int64_t queued = 1;
    for (int i = 0; i < 100 && queued == 1; i++)
        queued = caws_group_send(room, served, CAWS_BINARY, data, SIZE);
    assert_int_equal(queued, 0);
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_int_equal(net_stats(&n).slow_closed + net_stats(&n).slow_skipped, 0);
    net_free(&n);
    caws_group_free(room);
    free(data);
}

static void test_nobody_to_remove(void **state)
{
    struct net n = room_new(state, CAWS_SLOW_CLOSE);
    struct peer a = peer_open(&n);
    caws_group_remove(room, NULL);
    caws_group_remove(NULL, seen.ws);
    assert_int_equal(caws_group_count(room), 1);
    peer_text(&a, "still here");
    PUMP_UNTIL(&n, seen.messages == 1);
    peer_free(&a);
    net_free(&n);
    caws_group_free(room);
}

/* Bytes that came before it, and groups: the link has one pointer for both. */
static void test_groups_and_early_bytes(void **state)
{
    struct net n = room_new(state, CAWS_SLOW_CLOSE);
    caws_group *other = caws_group_new(n.loop);
    uint8_t frame[16];
    size_t len = frame_write(frame, 0x81, "early", 5);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    caws_conn *ws = caws_adopt_open(n.server, fds[0], NULL, NULL, frame, len);
    assert_non_null(ws);
    assert_int_equal(caws_group_add(room, ws), CAWS_OK);
    assert_int_equal(caws_group_add(other, ws), CAWS_OK);
    caws_group_remove(room, ws);
    assert_int_equal(caws_group_count(room), 0);
    caws_pause(ws); /* they wait on */
    pump(&n, 2);
    assert_int_equal(seen.messages, 0);
    assert_int_equal(caws_group_count(room), 1); /* by on_open */
    assert_int_equal(caws_group_add(room, ws), CAWS_OK);
    assert_int_equal(caws_group_count(room), 1);
    caws_resume(ws);
    PUMP_UNTIL(&n, seen.messages == 1);
    assert_int_equal(caws_group_send(other, NULL, CAWS_TEXT, "x", 1), 1);
    caws_group_remove(room, ws);
    assert_int_equal(caws_group_count(room), 0);
    ws = caws_adopt_open(n.server, fds[1], NULL, NULL, frame, len);
    assert_int_equal(caws_group_add(other, ws), CAWS_OK);
    net_free(&n); /* with early bytes, in a group */
    assert_int_equal(caws_group_count(other), 0);
    caws_group_free(other);
    caws_group_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_everyone_but_one), ON_BOTH(test_close_leaves),
        ON_BOTH(test_many_groups),      ON_BOTH(test_refused_leaves),
        ON_BOTH(test_busy_is_skipped),  ON_BOTH(test_slow_is_closed),
        ON_BOTH(test_slow_is_skipped),  ON_BOTH(test_clients),
        ON_BOTH(test_nobody_to_remove), ON_BOTH(test_groups_and_early_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
