/* The handlers: each holds what it is told against what was sent, and then the
 * application may do something. */
#include <string.h>

#include "sim.h"

/* A handler runs inside one of the four calls, in the header's order. */
static struct end *enter(caws_conn *ws, enum told first, enum told last, enum told now)
{
    struct end *e = caws_context(ws);
    if (ws != e->ws)
        broken(e, "a handler has a conn that is not there");
    if (e->inside == 0)
        broken(e, "a handler outside of the four calls");
    if (e->told < first || e->told > last)
        broken(e, "a handler out of order: %d after %d", (int)now, (int)e->told);
    if (now == TOLD_OPEN && caws_ready_state(ws) != CAWS_OPEN)
        broken(e, "a handler of an OPEN conn, which is not");
    e->told = now;
    e->calls++;
    return e;
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    struct end *e = enter(ws, TOLD_NOTHING, TOLD_NOTHING, TOLD_REQUEST);
    note(e, "on_request", (uint64_t)e->answer, 0);
    if (!req->upgrade || req->target.len != 1 || req->host.len != 11)
        broken(e, "on_request with a request that was not made");
    if (caws_header(ws, "sec-websocket-version").len != 2)
        broken(e, "a header is not there");
    if (one_in(3) && caws_add_header(ws, "X-Sim", "yes") != CAWS_OK && e->memory.failed == 0)
        broken(e, "caws_add_header failed");
    if (one_in(3) && caws_set_body(ws, "text/plain", "no", 2) != CAWS_OK && e->memory.failed == 0)
        broken(e, "caws_set_body failed");
    if (one_in(40)) {
        e->aborted = true;
        caws_abort(ws);
        return CAWS_ACCEPT;
    }
    e->undecided = e->answer == CAWS_LATER;
    e->owed = e->undecided || e->answer == CAWS_ACCEPT;
    return e->answer;
}

/* The peer's handshake can be read up to here, and both agree. */
static void check_handshake(const struct end *e)
{
    const char *name = e->cfg.subprotocols ? e->cfg.subprotocols : "";
    if (strcmp(caws_subprotocol(e->ws), name) != 0)
        broken(e, "the subprotocol is \"%s\"", caws_subprotocol(e->ws));
    if (e->in.head_at > 0 && (caws_header(e->ws, "upgrade").len != 9 ||
                              (e->client && caws_http_status(e->ws) != 101)))
        broken(e, "on_open, and the peer's handshake cannot be read");
}

static void on_open(caws_conn *ws)
{
    struct end *e = caws_context(ws);
    if (e->told == TOLD_OPEN)
        broken(e, "on_open twice");
    enter(ws, TOLD_NOTHING, TOLD_REQUEST, TOLD_OPEN);
    note(e, "on_open", 0, 0);
    e->opened = sim.now;
    heard(e);
    if (e->pinged > 0) /* before it was told so: still without an answer */
        e->pinged = sim.now;
    check_handshake(e);
    act_in_handler(e);
}

/* ---- Messages ------------------------------------------------------------ */

/* The one that is due is the next that the peer has sent, and has arrived. */
static const struct message *due_message(const struct end *e, caws_type type, uint32_t from,
                                         const void *data, size_t len)
{
    const struct end *peer = e->peer;
    const struct message *m = &peer->messages[e->got];
    if (e->got >= peer->message_count)
        broken(e, "a message that was never sent");
    if (type != m->type)
        broken(e, "message %u has the wrong type", e->got);
    if (from + len > m->sent || !message_is(m, from, data, len, NULL, 0))
        broken(e, "message %u has other bytes from %u on", e->got, from);
    if (limit((uint32_t)e->cfg.max_message, 1 << 20) < from + len)
        broken(e, "message %u is larger than max_message", e->got);
    if (e->paused)
        broken(e, "message %u came in a pause", e->got);
    return m;
}

static void whole(struct end *e, const struct message *m, size_t len)
{
    if (len != m->sent || m->sent != m->len)
        broken(e, "message %u is not whole: %u of %u", e->got, (unsigned)len, m->len);
    if (m->pieces > limit(e->cfg.max_fragments, 4096))
        broken(e, "message %u has more frames than max_fragments", e->got);
    e->got++;
    if (e->got > e->in.messages)
        broken(e, "a message before it has arrived");
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct end *e = enter(ws, TOLD_OPEN, TOLD_OPEN, TOLD_OPEN);
    note(e, "on_message", e->got, len);
    whole(e, due_message(e, type, 0, data, len), len);
    e->got_bytes += len;
    act_in_handler(e);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct end *e = enter(ws, TOLD_OPEN, TOLD_OPEN, TOLD_OPEN);
    const struct message *m;
    note(e, "on_chunk", len, flags);
    m = due_message(e, type, e->chunk_at, data, len);
    if (!(flags & CAWS_CHUNK_FIRST) != (e->chunk_at > 0))
        broken(e, "CAWS_CHUNK_FIRST at byte %u", e->chunk_at);
    e->chunk_at += (uint32_t)len;
    e->got_bytes += len;
    if (flags & CAWS_CHUNK_LAST) {
        whole(e, m, e->chunk_at);
        e->chunk_at = 0;
    }
    act_in_handler(e);
}

/* ---- Control ------------------------------------------------------------- */

static void arrived(struct end *e, struct controls *c, const void *data, size_t len)
{
    const struct control *k = controls_first(c);
    uint64_t burst = limit(e->cfg.max_control_burst, 64);
    if (!k || k->len != len || (len > 0 && memcmp(k->bytes, data, len) != 0))
        broken(e, "a Ping or Pong that did not arrive");
    if (e->paused)
        broken(e, "a Ping or Pong in a pause");
    controls_pop(c);
    e->controls_heard++;
    if (e->controls_heard > burst + burst * (sim.now - e->began) / 4000)
        broken(e, "more Pings and Pongs than max_control_burst allows");
}

static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    struct end *e = enter(ws, TOLD_OPEN, TOLD_OPEN, TOLD_OPEN);
    note(e, "on_ping", len, 0);
    arrived(e, &e->in_pings, data, len);
    if (e->pongs.count - e->pongs.first >= limit(e->cfg.max_control_burst, 64))
        e->pongs.list[e->pongs.count - 1].may_vanish = true;
    controls_push(&e->pongs, data, len);
    act_in_handler(e);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    struct end *e = enter(ws, TOLD_OPEN, TOLD_OPEN, TOLD_OPEN);
    note(e, "on_pong", len, caws_round_trip_ms(ws));
    arrived(e, &e->in_pongs, data, len);
    if (caws_round_trip_ms(ws) > sim.now - e->began + 1)
        broken(e, "a round trip of %u ms", (unsigned)caws_round_trip_ms(ws));
    act_in_handler(e);
}

static void on_drain(caws_conn *ws)
{
    struct end *e = enter(ws, TOLD_OPEN, TOLD_OPEN, TOLD_OPEN);
    note(e, "on_drain", 0, 0);
    if (!e->above)
        broken(e, "on_drain, and the queue was not above half");
    if (!e->vague && queued(e) > max_buffered(e) / 2)
        broken(e, "on_drain, and the queue is above half");
    e->above = false;
    if (e->paused && one_in(2))
        act_resume(e);
    act_in_handler(e);
}

/* ---- The end ------------------------------------------------------------- */

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct end *e = enter(ws, TOLD_NOTHING, TOLD_OPEN, TOLD_ERROR);
    note(e, "on_error", (uint64_t)-error, 0);
    if (sim.trace)
        printf("                     %s\n", detail);
    if (error == CAWS_OK || !detail || !*detail || strlen(detail) > 123)
        broken(e, "on_error without a sentence");
    e->error = error;
    check_error(e, error);
    act_in_handler(e);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct end *e = enter(ws, TOLD_NOTHING, TOLD_ERROR, TOLD_CLOSE);
    note(e, "on_close", event->code, event->was_clean);
    e->closed = true;
    e->event = *event;
    check_close(e, event);
    act_in_handler(e);
}

void handlers_set(caws_config *cfg, bool streams)
{
    cfg->on_request = on_request;
    cfg->on_open = on_open;
    cfg->on_message = streams ? NULL : on_message;
    cfg->on_chunk = streams ? on_chunk : NULL;
    cfg->on_ping = on_ping;
    cfg->on_pong = on_pong;
    cfg->on_drain = on_drain;
    cfg->on_error = on_error;
    cfg->on_close = on_close;
}
