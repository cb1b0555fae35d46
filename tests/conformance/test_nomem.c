/* Memory runs out: in each scenario the n-th allocation fails, for every n,
 * once and from then on. Nothing leaks, nothing crashes, somebody is told, and
 * what an application was told had failed has not happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trial.h"

static char large[40000];

static bool open_conn(struct trial *t)
{
    peer_open(&t->p, t->client, &t->cfg);
    return trial_born(t);
}

static void feed_text(struct trial *t, const char *text)
{
    peer_feed_text(&t->p, text);
}

/* ---- Scenarios: the opening handshake ---------------------------------- */

static int shape_and_accept(caws_conn *ws, const caws_request *req)
{
    struct trial *t = trial_of(ws);
    (void)req;
    trial_ok(t, caws_choose_subprotocol(ws, "chat"));
    trial_ok(t, caws_add_header(ws, "X-One", "1"));
    trial_ok(t, caws_add_header(ws, "Set-Cookie", "a=b; a long value that makes the text grow"));
    t->put_off = true;
    return CAWS_ACCEPT;
}

static int shape_and_refuse(caws_conn *ws, const caws_request *req)
{
    struct trial *t = trial_of(ws);
    (void)req;
    trial_ok(t, caws_add_header(ws, "Location", "/elsewhere"));
    trial_ok(t, caws_set_body(ws, "text/html", "<p>first", 8));
    trial_ok(t, caws_set_body(ws, "text/html", "<p>Not here.", 12));
    return 403;
}

static int decide_later(caws_conn *ws, const caws_request *req)
{
    (void)req;
    trial_of(ws)->put_off = true;
    return CAWS_LATER;
}

static bool request(struct trial *t, int (*on_request)(caws_conn *, const caws_request *))
{
    t->cfg.on_request = on_request;
    t->cfg.headers = "Server: caws\r\n";
    peer_server(&t->p, &t->cfg);
    if (!trial_born(t))
        return false;
    feed_text(t, PEER_REQUEST_LINES);
    feed_text(t, "Sec-WebSocket-Protocol: soap, chat\r\n\r\n");
    return true;
}

static void server_accepts(struct trial *t)
{
    if (!request(t, shape_and_accept))
        return;
    peer_feed_frame_text(&t->p, 0x81, "Hello");
    peer_feed_frame_text(&t->p, 0x88, "\x03\xe8" "bye");
}

static void server_refuses(struct trial *t)
{
    request(t, shape_and_refuse);
}

static void server_refuses_a_bad_request(struct trial *t)
{
    peer_server(&t->p, &t->cfg);
    if (trial_born(t))
        feed_text(t, "GET / HTTP/1.1\n"); /* with its last byte */
}

static void server_accepts_later(struct trial *t)
{
    if (!request(t, decide_later))
        return;
    peer_feed_frame_text(&t->p, 0x81, "held");
    peer_feed_frame_text(&t->p, 0x81, "held too");
    if (caws_ready_state(t->p.ws) == CAWS_CONNECTING) {
        trial_ok(t, caws_choose_subprotocol(t->p.ws, "chat"));
        if (!trial_ok(t, caws_accept(t->p.ws)))
            trial_ok(t, caws_accept(t->p.ws)); /* it can be tried again */
    }
    peer_tick(&t->p, 0);
    peer_feed_frame_text(&t->p, 0x81, "Hello");
}

static void server_refuses_later(struct trial *t)
{
    if (!request(t, decide_later))
        return;
    trial_ok(t, caws_set_body(t->p.ws, "text/plain", "busy", 4));
    trial_ok(t, caws_refuse(t->p.ws, 503));
    peer_tick(&t->p, 0);
}

static void client_connects(struct trial *t)
{
    char response[1000];
    t->cfg.subprotocols = "chat, soap";
    t->cfg.headers = "Cookie: a=b\r\n";
    t->cfg.origin = "https://example.com";
    peer_client(&t->p, "ws://server.example.com/chat?a=b", &t->cfg);
    if (!trial_born(t))
        return;
    feed_text(t, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    peer_response_lines(&t->p, response, sizeof response);
    feed_text(t, response);
    feed_text(t, "Sec-WebSocket-Protocol: soap\r\n\r\n");
    trial_send(t, "hi", 2);
    peer_feed_frame_text(&t->p, 0x81, "Hello");
    if (caws_close(t->p.ws, 1000, "done") == CAWS_OK)
        peer_take(&t->p);
    peer_feed_frame_text(&t->p, 0x88, "\x03\xe8" "done");
}

static void open_with_a_subprotocol(struct trial *t)
{
    if (!open_conn(t))
        return;
    caws_free(t->p.ws);
    t->p.ws = caws_new_open(t->client, "chat", NULL, &t->p.cfg, &t->p.transport);
    if (!trial_born(t))
        t->nomem++;
    else
        peer_tick(&t->p, 0);
}

/* ---- Scenarios: receiving ---------------------------------------------- */

static void receives(struct trial *t)
{
    if (!open_conn(t))
        return;
    trial_feed(t, 0x81, "in one frame", 12);
    trial_feed(t, 0x01, "in ", 3);
    trial_feed(t, 0x89, "with a Ping within", 18);
    trial_feed(t, 0x00, "", 0);
    trial_feed(t, 0x80, "three, of which the last makes the buffer grow", 46);
    peer_feed_frame(&t->p, 0x02, large, 3000);
    peer_feed_frame(&t->p, 0x80, large, 9000);
    trial_feed(t, 0x8a, "", 0);
    trial_feed(t, 0x88, "\x03\xe8 and why", 10);
}

/* Pings come while output goes nowhere: Pongs wait, and are replaced. */
static void pongs_wait(struct trial *t)
{
    t->p.hold_output = true;
    t->cfg.max_control_burst = 4;
    if (!open_conn(t))
        return;
    peer_feed_frame_text(&t->p, 0x89, "1");
    peer_feed_frame_text(&t->p, 0x89, "2");
    peer_take_some(&t->p, 1);
    for (int i = 0; i < 8; i++) {
        peer_tick(&t->p, 1000);
        peer_feed_frame_text(&t->p, 0x89, "more");
    }
    trial_ok(t, caws_ping(t->p.ws, "p", 1));
    peer_take(&t->p);
}

static void a_pause(struct trial *t)
{
    if (!open_conn(t))
        return;
    caws_pause(t->p.ws);
    peer_feed_frame_text(&t->p, 0x81, "held");
    peer_feed_frame(&t->p, 0x82, large, 5000);
    peer_feed_frame_text(&t->p, 0x89, "p");
    caws_resume(t->p.ws);
    peer_tick(&t->p, 0);
    peer_feed_frame_text(&t->p, 0x81, "not held");
}

static void a_violation(struct trial *t)
{
    if (!open_conn(t))
        return;
    trial_feed(t, 0x01, "Hel", 3);
    trial_feed(t, 0x83, "lo", 2);
}

/* ---- Scenarios: sending ------------------------------------------------ */

static void sends(struct trial *t)
{
    t->p.hold_output = true;
    if (!open_conn(t))
        return;
    trial_send(t, "small", 5);
    trial_send(t, large, 3990); /* does not fit the first chunk */
    trial_send(t, large, 20000);
    trial_send_part(t, "one, ", false);
    trial_ok(t, caws_ping(t->p.ws, "between", 7));
    trial_send_part(t, "two, ", false);
    peer_take_some(&t->p, 3000);
    trial_send_part(t, "three", true);
    trial_send_prepared(t, "prepared", 8);
    trial_send_prepared(t, large, 1000);
    trial_ok(t, caws_pong(t->p.ws, "unasked", 7));
    trial_send(t, "the last", 8);
    peer_take(&t->p);
}

/* A frame joins a node that was offered; then a Ping must go between. */
static void an_offer_grows(struct trial *t)
{
    caws_slice v[2];
    t->p.hold_output = true;
    if (!open_conn(t))
        return;
    trial_send(t, "one", 3);
    caws_output(t->p.ws, v, 2);
    trial_send(t, "two", 3);
    trial_ok(t, caws_ping(t->p.ws, NULL, 0));
    trial_send(t, "three", 5);
    peer_take(&t->p);
}

/* The transport takes 10000 bytes at once, in the middle of a send. */
static size_t write_some(caws_conn *ws, const caws_slice *v, size_t count)
{
    struct peer *p = &trial_of(ws)->p;
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < 10000; i++) {
        size_t n = v[i].len < 10000 - taken ? v[i].len : 10000 - taken;
        p->out = trial_room(p->out, &p->out_cap, p->out_len + n + 1);
        memcpy(p->out + p->out_len, v[i].data, n);
        p->out_len += n;
        taken += n;
    }
    return taken;
}

static void writes_now(struct trial *t)
{
    t->p.hold_output = true;
    t->cfg.max_buffered = 30000;
    if (!open_conn(t))
        return;
    t->p.transport.write_now = write_some;
    trial_send(t, "small", 5);
    trial_send(t, large, 17000); /* goes out in part */
    trial_send(t, large, 16384);
    trial_send_prepared(t, large, 12000); /* would not fit the queue */
    trial_send(t, large, 100);
    peer_take(&t->p);
}

static void a_discard(struct trial *t)
{
    caws_slice v[1];
    t->p.hold_output = t->dropped = true;
    if (!open_conn(t))
        return;
    trial_send_part(t, "begun, ", false);
    caws_output(t->p.ws, v, 1);
    trial_send_part(t, "done", true);
    trial_send_prepared(t, large, 1000);
    trial_send(t, large, 5000);
    caws_discard(t->p.ws);
    if (caws_ready_state(t->p.ws) == CAWS_OPEN)
        caws_close(t->p.ws, 1008, "too slow");
    peer_take(&t->p);
    peer_feed_frame_text(&t->p, 0x88, "\x03\xf0");
}

static void we_close(struct trial *t)
{
    if (!open_conn(t))
        return;
    trial_send(t, "the last words", 14);
    assert_int_equal(caws_close(t->p.ws, 1000, "that is all"), CAWS_OK);
    peer_tick(&t->p, 0);
    peer_feed_frame_text(&t->p, 0x88, "\x03\xe8 fine");
}

static void test_every_allocation_fails(void **state)
{
    static const struct {
        const char *name;
        void (*scenario)(struct trial *t);
        bool server, client;
    } all[] = {
        { "a server accepts", server_accepts, true, false },
        { "a server refuses", server_refuses, true, false },
        { "a server refuses a bad request", server_refuses_a_bad_request, true, false },
        { "a server accepts later", server_accepts_later, true, false },
        { "a server refuses later", server_refuses_later, true, false },
        { "a client connects", client_connects, false, true },
        { "open with a subprotocol", open_with_a_subprotocol, true, true },
        { "receives", receives, true, true },
        { "Pongs wait", pongs_wait, true, true },
        { "a pause", a_pause, true, true },
        { "a violation", a_violation, true, true },
        { "sends", sends, true, true },
        { "an offer grows", an_offer_grows, true, true },
        { "writes now", writes_now, true, true },
        { "a discard", a_discard, true, true },
        { "we close", we_close, true, true },
    };
    unsigned long failures = 0;
    (void)state;
    /* REQ OOM-1 */
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].server)
            failures += trial_all(all[i].name, all[i].scenario, PEER_SERVER);
        if (all[i].client)
            failures += trial_all(all[i].name, all[i].scenario, PEER_CLIENT);
    }
    print_message("%lu injected failures\n", failures);
    assert_true(failures > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_allocation_fails, trial_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
