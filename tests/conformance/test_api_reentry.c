/* Every call of the application side, from inside every handler. */
#include "frames.h"

enum handler { REQUEST, OPEN, MESSAGE, PING, PONG, DRAIN, ERROR, CLOSE, HANDLERS };

static const char *const handler_names[] = {
    "request", "open", "text", "ping", "pong", "drain", "error", "close "
};

/* What a handler does, and what it must not come to. */
static void act_close(caws_conn *ws) { caws_close(ws, 4000, "from a handler"); }
static void act_abort(caws_conn *ws) { caws_abort(ws); }
static void act_pause(caws_conn *ws) { caws_pause(ws); }
static void act_resume(caws_conn *ws) { caws_pause(ws); caws_resume(ws); }
static void act_discard(caws_conn *ws) { caws_discard(ws); }
static void act_refuse(caws_conn *ws) { caws_refuse(ws, 403); }
static void act_accept(caws_conn *ws) { caws_accept(ws); }

static void act_send(caws_conn *ws)
{
    caws_prepared *msg = caws_prepare(NULL, CAWS_TEXT, "prepared", 8);
    caws_send_text(ws, "from a handler");
    caws_send_fragment(ws, CAWS_BINARY, "a", 1, false);
    caws_send_fragment(ws, CAWS_BINARY, "b", 1, true);
    caws_send_prepared(ws, msg);
    caws_prepared_free(msg);
    caws_ping(ws, "p", 1);
    caws_pong(ws, "p", 1);
}

static void act_send_and_abort(caws_conn *ws)
{
    act_send(ws);
    caws_close(ws, 1000, NULL);
    caws_abort(ws);
    caws_abort(ws);
    act_send(ws);
}

static void act_everything(caws_conn *ws)
{
    act_send(ws);
    caws_pause(ws);
    caws_discard(ws);
    caws_close(ws, 1000, NULL);
    caws_close(ws, 1000, NULL);
    caws_resume(ws);
    act_accept(ws);
    act_refuse(ws);
    caws_set_user(ws, ws);
    caws_choose_subprotocol(ws, "chat");
    caws_add_header(ws, "X-Name", "value");
    caws_set_body(ws, "text/plain", "body", 4);
}

static void (*const acts[])(caws_conn *) = {
    act_close, act_abort, act_pause, act_resume, act_discard, act_refuse,
    act_accept, act_send, act_send_and_abort, act_everything
};
#define ACTS (sizeof acts / sizeof *acts)

static struct {
    enum handler at;
    void (*act)(caws_conn *);
    unsigned times;
    caws_conn *other;
} plan;

static void reach(caws_conn *ws, enum handler here)
{
    if (here != plan.at || plan.times++ > 0)
        return;
    plan.act(ws);
    caws_free(plan.other); /* another conn may be freed here */
    plan.other = NULL;
}

static int in_request(caws_conn *ws, const caws_request *req)
{
    (void)req;
    reach(ws, REQUEST);
    return CAWS_ACCEPT;
}

static void in_open(caws_conn *ws)
{
    reach(ws, OPEN);
    caws_send_text(ws, "more than half of what may be buffered");
}

static void in_message(caws_conn *ws, caws_type type, const void *data,
                       size_t len)
{
    (void)type;
    (void)data;
    (void)len;
    reach(ws, MESSAGE);
}

static void in_chunk(caws_conn *ws, caws_type type, const void *data,
                     size_t len, unsigned flags)
{
    (void)flags;
    in_message(ws, type, data, len);
}

static void in_ping(caws_conn *ws, const void *data, size_t len)
{
    (void)data;
    (void)len;
    reach(ws, PING);
}

static void in_pong(caws_conn *ws, const void *data, size_t len)
{
    (void)data;
    (void)len;
    reach(ws, PONG);
}

static void in_drain(caws_conn *ws)
{
    reach(ws, DRAIN);
}

static void in_error(caws_conn *ws, int error, const char *detail)
{
    (void)error;
    (void)detail;
    reach(ws, ERROR);
}

static void in_close(caws_conn *ws, const caws_close_event *event)
{
    (void)event;
    reach(ws, CLOSE);
    assert_int_equal(caws_ready_state(ws), CAWS_CLOSED);
}

static void start(struct peer *p, bool client, const caws_config *cfg)
{
    char answer[300] = PEER_REQUEST;
    if (client) {
        peer_client(p, "ws://h/", cfg);
        peer_response_lines(p, answer, sizeof answer - 2);
        strcat(answer, "\r\n");
    } else {
        peer_server(p, cfg);
    }
    peer_feed_text(p, answer);
}

/* A session that comes to every handler, unless it is cut short. */
static void run(struct peer *p, bool client, const caws_config *cfg,
                size_t piece)
{
    start(p, client, cfg);
    frames_feed_pieces(p, "01:a 89:b 00:c 8a:d 80:e 81:whole 89:f 82:g 8a:",
                       piece);
    caws_resume(p->ws);
    peer_tick(p, 0);
    peer_tick(p, 1);
    if (plan.at == ERROR)
        frames_feed_pieces(p, "81:x 83:bad 81:y", piece);
    frames_feed_pieces(p, "88:#1000", piece);
    peer_tick(p, 1);
    peer_eof(p);
    peer_take(p);
    peer_eof(p);
    peer_tick(p, 100000000);
}

static void check(struct peer *p, void (*act)(caws_conn *))
{
    const char *last = strstr(p->log, "close 1");
    const char *mine = strstr(p->log, handler_names[plan.at]);
    unsigned closes = peer_log_count(p, "close 1") +
                      peer_log_count(p, "close 4");
    if (!last)
        last = strstr(p->log, "close 4");
    assert_int_equal(plan.times > 0, mine != NULL);
    assert_true(closes <= 1 && peer_log_count(p, "error") <= 1);
    if (plan.at != REQUEST)
        assert_int_equal(closes, 1);
    if (last)
        assert_int_equal(strchr(last, '\n') - p->log, p->log_len - 1);
    if (mine && (act == act_abort ||
                 (act == act_send_and_abort && plan.at != REQUEST))) {
        const char *next = strchr(mine, '\n') + 1;
        if (*next != '\0' && strncmp(next, "close ", 6) != 0)
            fail_msg("after an abort in %s:\n%s", handler_names[plan.at],
                     p->log);
    }
    assert_true(caws_wants(p->ws) == CAWS_WANT_CLOSE);
}

static void any_call_from_any_handler(void **state)
{
    /* REQ CRASH-7, evt-2 */
    static const caws_config base = {
        .max_buffered = 60, .on_request = in_request, .on_open = in_open,
        .on_message = in_message, .on_chunk = in_chunk, .on_ping = in_ping,
        .on_pong = in_pong, .on_drain = in_drain, .on_error = in_error,
        .on_close = in_close
    };
    unsigned reached[HANDLERS] = { 0 };
    (void)state;
    for (size_t i = 0; i < 12 * HANDLERS * ACTS; i++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = base, other = { 0 };
        struct peer p = { .stream = i / 2 & 1 };
        cfg.alloc = other.alloc = peer_counting(&a);
        plan.at = (enum handler)(i / 12 % HANDLERS);
        plan.act = acts[i / 12 / HANDLERS];
        plan.times = 0;
        plan.other = caws_new_server(&other, NULL);
        run(&p, i & 1, &cfg, (size_t[]){ 1, 5, SIZE_MAX / 2 }[i / 4 % 3]);
        check(&p, plan.act);
        reached[plan.at] += plan.times > 0;
        peer_free(&p);
        caws_free(plan.other);
        assert_int_equal(a.bytes, 0);
    }
    for (int h = 0; h < HANDLERS; h++)
        assert_int_equal(reached[h], (h == REQUEST ? 6 : 12) * ACTS);
}

static struct peer other;

static void send_to_other(caws_conn *ws, caws_type type, const void *data,
                          size_t len)
{
    (void)ws;
    assert_int_equal(caws_send(other.ws, type, data, len), CAWS_OK);
    if (len == 4)
        assert_int_equal(caws_close(other.ws, 1000, NULL), CAWS_OK);
}

static void a_handler_may_use_another_connection(void **state)
{
    /* REQ CRASH-7 */
    static const caws_config cfg = { .on_message = send_to_other };
    struct peer p = { 0 };
    (void)state;
    memset(&other, 0, sizeof other);
    peer_open(&other, PEER_CLIENT, NULL);
    peer_open(&p, PEER_SERVER, &cfg);
    frames_feed(&p, "81:one 82:two 81:last");
    peer_take(&other);
    frames_expect_out(&other, "other", "81:one 82:two 81:last 88:#1000");
    assert_string_equal(other.log, "open\n");
    peer_free(&p);
    peer_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_from_any_handler),
        cmocka_unit_test(a_handler_may_use_another_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
