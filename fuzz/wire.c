#include "wire.h"

#include <stdlib.h>
#include <string.h>

struct end ends[2];
uint64_t now;
static unsigned key;

/* ---- Messages: told by their sender, number and place ------------------- */

uint8_t *wire_content(const struct end *from, size_t number, size_t at, size_t len)
{
    uint8_t *data = malloc(len > 0 ? len : 1);
    if (!data)
        abort();
    at += number * 7 + (from == &ends[0]);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(' ' + ((at + i) & 63));
    return data;
}

static void check(struct end *e, caws_type type, const void *data, size_t len)
{
    const struct end *from = e->other;
    uint8_t *expected;
    REQUIRE(e->opened == 1 && e->closed == 0);
    REQUIRE(e->received < from->count && from->sent[e->received].whole);
    REQUIRE(from->sent[e->received].type == type && from->sent[e->received].len == len);
    expected = wire_content(from, e->received, 0, len);
    REQUIRE(len == 0 || memcmp(expected, data, len) == 0);
    free(expected);
    e->received++;
    if (e->pause_next)
        caws_pause(e->ws);
    e->pause_next = false;
}

/* ---- Handlers ---------------------------------------------------------- */

static struct end *of(caws_conn *ws)
{
    return caws_context(ws);
}

static void on_open(caws_conn *ws)
{
    of(ws)->opened++;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    check(of(ws), type, data, len);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct end *e = of(ws);
    bytes_add(&e->chunks, data, len);
    if (!(flags & CAWS_CHUNK_LAST))
        return;
    check(e, type, e->chunks.data, e->chunks.len);
    e->chunks.len = 0;
}

/* Ours have a number; those of caws are empty. */
static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    struct end *from = of(ws)->other;
    if (len > 0)
        REQUIRE(len == 1 && *(const uint8_t *)data == ++from->pinged);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    struct end *e = of(ws);
    if (len == 1)
        REQUIRE(*(const uint8_t *)data == ++e->ponged);
    else
        REQUIRE(len == 0 || memcmp(data, "unasked", len) == 0);
}

static void on_drain(caws_conn *ws)
{
    REQUIRE(!caws_needs_drain(ws));
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws;
    (void)error;
    fuzz_fail(detail, __FILE__, __LINE__);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    of(ws)->closed++;
    of(ws)->event = *event;
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    REQUIRE(req->upgrade);
    if (!of(ws)->undecided)
        return CAWS_ACCEPT;
    return CAWS_LATER;
}

static int next_key(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)((key = key * 1103515245u + 12345u) >> 16);
    return 0;
}

/* ---- The wires --------------------------------------------------------- */

static size_t share(struct input *in, size_t all)
{
    unsigned how = input_byte(in);
    size_t n = how < 128 ? all : how < 192 ? how - 127u : all * (how - 192) / 64 + 1;
    return n < all ? n : all;
}

void wire_take_output(struct end *e, struct input *in)
{
    caws_slice v[4];
    size_t n = caws_output(e->ws, v, 1 + input_below(in, 4)), all = 0, left;
    for (size_t i = 0; i < n; i++)
        all += v[i].len;
    all = left = share(in, all);
    for (size_t i = 0; i < n && left > 0; i++) {
        size_t part = v[i].len < left ? v[i].len : left;
        bytes_add(&e->wire, v[i].data, part);
        left -= part;
    }
    caws_output_done(e->ws, all);
}

void wire_deliver(struct end *from, struct input *in)
{
    struct end *to = from->other;
    size_t all = from->wire.len - from->arrived, n = share(in, all);
    uint8_t *copy;
    if (n == 0 || to->eof || !(caws_wants(to->ws) & CAWS_WANT_READ))
        return;
    copy = exact_copy(from->wire.data + from->arrived, n);
    from->arrived += n;
    caws_feed(to->ws, copy, n, now);
    free(copy);
}

/* What the owner of a conn owes it. */
void wire_serve(struct end *e)
{
    const struct end *o = e->other;
    if (caws_deadline(e->ws) <= now)
        caws_tick(e->ws, now);
    if (!e->eof && (o->eof || (caws_wants(o->ws) & CAWS_WANT_SHUTDOWN)) &&
        o->arrived == o->wire.len && (caws_wants(e->ws) & (CAWS_WANT_READ | CAWS_WANT_CLOSE))) {
        e->eof = true;
        caws_feed_eof(e->ws, CAWS_OK, NULL);
    }
}

/* No choices any more: until nothing moves. */
void wire_settle(void)
{
    struct input none = { NULL, 0 };
    for (int rest = 0; rest < 3; rest++) {
        for (int i = 0; i < 2; i++) {
            struct end *e = &ends[i];
            size_t before = e->wire.len + e->arrived + e->other->received;
            caws_resume(e->ws);
            wire_take_output(e, &none);
            wire_deliver(e, &none);
            wire_serve(e);
            wire_serve(e->other);
            if (before != e->wire.len + e->arrived + e->other->received)
                rest = -1;
        }
    }
}

/* ---- Birth ------------------------------------------------------------- */

void wire_begin(struct input *in)
{
    unsigned how = input_byte(in);
    now = 1000;
    for (int i = 0; i < 2; i++) {
        struct end *e = &ends[i];
        *e = (struct end){ .other = &ends[1 - i], .undecided = i == 1 && how & 4 };
        e->cfg = (caws_config){
            .context = e, .on_open = on_open, .on_ping = on_ping, .on_pong = on_pong,
            .on_drain = on_drain, .on_error = on_error, .on_close = on_close,
            .on_request = on_request, .random = next_key, .max_message = 1u << 24,
            .max_buffered = how & 8 ? 5000 : 1u << 17, .max_control_burst = 100000,
            .handshake_timeout_ms = CAWS_OFF, .message_timeout_ms = CAWS_OFF,
            .ping_interval_ms = how & 16 ? 500 : CAWS_OFF, .pong_timeout_ms = CAWS_OFF,
            .close_timeout_ms = CAWS_OFF };
        if (how >> i & 1)
            e->cfg.on_chunk = on_chunk;
        else
            e->cfg.on_message = on_message;
        e->ws = i == 0 ? caws_new_client("ws://h/", &e->cfg, NULL)
                       : caws_new_server(&e->cfg, NULL);
        if (!e->ws)
            abort();
        caws_tick(e->ws, now);
    }
}
