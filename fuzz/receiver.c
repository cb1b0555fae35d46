#include "receiver.h"

#include <stdlib.h>
#include <string.h>

/* ---- Handlers ---------------------------------------------------------- */

static struct receiver *of(caws_conn *ws)
{
    return caws_context(ws);
}

static void on_open(caws_conn *ws)
{
    trace(&of(ws)->events, "open", 0, NULL, 0);
}

/* A pause takes effect before the next of these handlers. */
static struct receiver *heard(caws_conn *ws)
{
    REQUIRE(!of(ws)->paused && of(ws)->closes == 0);
    return of(ws);
}

static void message_ends(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct receiver *r = heard(ws);
    trace(&r->events, type == CAWS_TEXT ? "text" : "binary", 0, data, len);
    r->messages++;
    if (r->echo)
        REQUIRE(caws_send(ws, type, data, len) == CAWS_OK);
    r->paused = r->pause && r->messages % 2;
    if (r->paused)
        caws_pause(ws);
    if (r->messages == r->close_at)
        REQUIRE(caws_close(ws, 3000, NULL) == CAWS_OK);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct receiver *r = heard(ws);
    REQUIRE(r->streaming == !(flags & CAWS_CHUNK_FIRST));
    bytes_add(&r->chunks, data, len);
    r->streaming = !(flags & CAWS_CHUNK_LAST);
    if (r->streaming)
        return;
    message_ends(ws, type, r->chunks.data, r->chunks.len);
    r->chunks.len = 0;
}

static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    trace(&heard(ws)->events, "ping", 0, data, len);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    trace(&heard(ws)->events, "pong", 0, data, len);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct receiver *r = of(ws);
    size_t len = strlen(detail);
    REQUIRE(++r->errors == 1 && r->closes == 0);
    REQUIRE(len > 0 && len < sizeof r->detail);
    memcpy(r->detail, detail, len + 1);
    trace(&r->events, "error", error, NULL, 0);
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    static const char *const how[2][3] = {
        { "close unclean by peer", "close unclean by us", "close unclean by transport" },
        { "close clean by peer", "close clean by us", "close clean by transport" },
    };
    REQUIRE(++of(ws)->closes == 1);
    REQUIRE(e->reason[e->reason_len] == '\0');
    trace(&of(ws)->events, how[e->was_clean][e->ended_by], e->code, e->reason, e->reason_len);
    trace(&of(ws)->events, "why", e->error, NULL, 0);
}

/* Masking keys of all kinds, and a nonce. */
static int counting_random(void *ctx, void *out, size_t len)
{
    static const uint8_t step = 37;
    struct receiver *r = ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(step * (r->output.len + r->messages + i));
    return 0;
}

void receiver_init(struct receiver *r, bool stream)
{
    r->cfg.context = r->cfg.random_ctx = r;
    r->cfg.random = counting_random;
    r->cfg.on_open = on_open;
    r->cfg.on_ping = on_ping;
    r->cfg.on_pong = on_pong;
    r->cfg.on_error = on_error;
    r->cfg.on_close = on_close;
    if (stream)
        r->cfg.on_chunk = on_chunk;
    else
        r->cfg.on_message = message_ends;
}

/* ---- Bytes ------------------------------------------------------------- */

static void take(struct receiver *r, unsigned seed)
{
    caws_slice v[3];
    size_t n;
    while ((n = caws_output(r->ws, v, 3)) > 0) {
        size_t first = v[0].len, taken = piece(&seed, first);
        REQUIRE(first > 0 && (caws_wants(r->ws) == CAWS_WANT_CLOSE ||
                              (caws_wants(r->ws) & CAWS_WANT_WRITE)));
        bytes_add(&r->output, v[0].data, taken);
        if (n > 1 && taken == first) { /* the second too */
            bytes_add(&r->output, v[1].data, v[1].len);
            taken += v[1].len;
        }
        caws_output_done(r->ws, taken);
    }
}

static void resume(struct receiver *r)
{
    r->paused = false;
    caws_resume(r->ws);
}

static void go_on(struct receiver *r, bool tick)
{
    resume(r);
    while (tick && caws_deadline(r->ws) == 0)
        caws_tick(r->ws, 1);
}

void receiver_feed(struct receiver *r, const uint8_t *data, size_t len, unsigned seed)
{
    unsigned take_seed = seed % 3;
    caws_tick(r->ws, 1);
    if (!r->hold)
        take(r, take_seed);
    while (len > 0) {
        size_t n = piece(&seed, len);
        uint8_t *copy = exact_copy(data, n);
        caws_feed(r->ws, copy, n, 1);
        free(copy);
        if (!r->hold)
            take(r, take_seed);
        go_on(r, seed & 4);
        if (!r->hold)
            take(r, take_seed);
        data += n;
        len -= n;
    }
    resume(r);
    while (caws_deadline(r->ws) == 0) {
        caws_tick(r->ws, 1);
        if (!r->hold)
            take(r, take_seed);
        resume(r);
    }
    take(r, take_seed);
}

void receiver_end(struct receiver *r)
{
    caws_feed_eof(r->ws, CAWS_OK, NULL);
    take(r, 0);
    REQUIRE(caws_ready_state(r->ws) == CAWS_CLOSED);
    REQUIRE(caws_wants(r->ws) == CAWS_WANT_CLOSE);
    caws_free(r->ws);
    r->ws = NULL;
}

void receiver_free(struct receiver *r)
{
    bytes_free(&r->events);
    bytes_free(&r->output);
    bytes_free(&r->chunks);
}

/* ---- Verdicts ---------------------------------------------------------- */

void receiver_sent(const struct receiver *r, bool client, size_t from, struct model *m)
{
    *m = (struct model){ .server = client, .echo = true, .max_message = SIZE_MAX / 2,
                         .max_fragments = UINT32_MAX, .max_control = UINT32_MAX };
    REQUIRE(from <= r->output.len);
    model_receive(m, from > 0 ? r->output.data + from : r->output.data, r->output.len - from);
    REQUIRE(m->error == CAWS_OK && m->left == 0);
}

void receiver_compare(const struct receiver *r, size_t from, const struct model *m)
{
    struct model sent;
    trace_compare("the events", &m->events, &r->events);
    receiver_sent(r, !m->server, from, &sent);
    trace_compare("the control frames sent", &m->control, &sent.heard);
    if (!r->hold) /* else the answer to a Close may have overtaken them */
        trace_compare("the messages sent", &m->echoed, &sent.echoed);
    if (m->error != CAWS_OK && !m->closing)
        REQUIRE(sent.reason.len == strlen(r->detail) &&
                memcmp(sent.reason.data, r->detail, sent.reason.len) == 0);
    /* What was streamed of a message that did not end is the beginning of it. */
    REQUIRE(r->chunks.len <= m->message.len &&
            (r->chunks.len == 0 || memcmp(r->chunks.data, m->message.data, r->chunks.len) == 0));
    model_free(&sent);
}
