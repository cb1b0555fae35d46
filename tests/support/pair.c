#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t pair_random, pair_now;

size_t draw(size_t below)
{
    pair_random = pair_random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(pair_random >> 33) % below;
}

bool one_in(size_t n)
{
    return draw(n) == 0;
}

static struct end *end_of(caws_conn *ws)
{
    return caws_context(ws);
}

/* ---- Messages: their content follows from number and length ------------ */

static char letter(const struct sent *m, size_t number, size_t at)
{
    if (m->type == CAWS_TEXT)
        return m->len % 3 == 0 ? "\xe2\x82\xac"[at % 3] : (char)('a' + (number + at) % 26);
    return (char)(number * 31 + at * 7 + (at >> 8));
}

static const char *content(const struct sent *m, size_t number)
{
    static char bytes[PAIR_LARGEST + 1];
    for (size_t i = 0; i < m->len; i++)
        bytes[i] = letter(m, number, i);
    return bytes;
}

static struct sent compose(void)
{
    struct sent m = { one_in(2) ? CAWS_TEXT : CAWS_BINARY, draw(300) };
    if (one_in(5))
        m.len = draw(3000);
    if (one_in(25))
        m.len = draw(PAIR_LARGEST);
    return m;
}

bool pair_accepted(int result)
{
    if (result != CAWS_OK)
        assert_int_equal(result, CAWS_ERR_FULL);
    return result == CAWS_OK;
}

void pair_send(struct end *e)
{
    struct sent m = compose();
    const char *data = content(&m, e->count);
    if (e->count == PAIR_MESSAGES || e->parted)
        return;
    if (one_in(6) && m.len > 0) {
        e->part = m;
        e->part_at = 0;
        e->parted = true;
    } else if (one_in(4)) {
        caws_prepared *msg = caws_prepare(&e->cfg, m.type, data, m.len);
        if (pair_accepted(caws_send_prepared(e->ws, msg)))
            e->sent[e->count++] = m;
        caws_prepared_free(msg);
    } else if (pair_accepted(caws_send(e->ws, m.type, data, m.len))) {
        e->sent[e->count++] = m;
    }
}

void pair_send_part(struct end *e)
{
    size_t left = e->part.len - e->part_at, n = one_in(3) ? left : draw(left + 1);
    const char *data = content(&e->part, e->count) + e->part_at;
    if (!pair_accepted(caws_send_fragment(e->ws, e->part.type, data, n, n == left)))
        return;
    e->part_at += n;
    if (n == left) {
        e->sent[e->count++] = e->part;
        e->parted = false;
    }
}

/* ---- Handlers ---------------------------------------------------------- */

static int on_request(caws_conn *ws, const caws_request *req)
{
    (void)req;
    end_of(ws)->undecided = one_in(2);
    return end_of(ws)->undecided ? CAWS_LATER : CAWS_ACCEPT;
}

static void on_open(caws_conn *ws)
{
    end_of(ws)->opened++;
    if (one_in(2))
        pair_send(end_of(ws));
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct end *e = end_of(ws);
    const struct sent *m = &e->other->sent[e->received];
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_true(e->received < e->other->count);
    assert_int_equal(type, m->type);
    assert_int_equal(len, m->len);
    assert_true(memcmp(data, content(m, e->received), len) == 0);
    e->received++;
    if (one_in(8) && e->count < PAIR_MESSAGES / 2)
        pair_send(e);
    if (one_in(20))
        caws_pause(ws);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct end *e = end_of(ws);
    assert_int_equal(!!(flags & CAWS_CHUNK_FIRST), e->chunks == NULL);
    if (!e->chunks)
        e->chunks = malloc(PAIR_LARGEST);
    memcpy(e->chunks + e->chunks_len, data, len);
    e->chunks_len += len;
    if (flags & CAWS_CHUNK_LAST) {
        on_message(ws, type, e->chunks, e->chunks_len);
        free(e->chunks);
        e->chunks = NULL;
        e->chunks_len = 0;
    }
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    print_error("error %d: %s\n", error, detail);
    end_of(ws)->errors++;
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    assert_int_equal(end_of(ws)->closed++, 0);
    end_of(ws)->event = *event;
}

/* ---- The wire ---------------------------------------------------------- */

static size_t put(struct end *e, const caws_slice *v, size_t count, size_t most)
{
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < most; i++) {
        size_t n = v[i].len < most - taken ? v[i].len : most - taken;
        if (e->wire_len + n > e->wire_cap) {
            e->wire_cap = 2 * (e->wire_len + n);
            e->wire = realloc(e->wire, e->wire_cap);
            if (!e->wire)
                abort();
        }
        memcpy(e->wire + e->wire_len, v[i].data, n);
        e->wire_len += n;
        taken += n;
    }
    return taken;
}

static size_t write_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    return put(end_of(ws), v, count, draw(30000));
}

static size_t piece(void)
{
    return one_in(3) ? 1 + draw(4) : one_in(2) ? draw(200) : draw(20000);
}

void pair_take_output(struct end *e)
{
    caws_slice v[8];
    size_t n = caws_output(e->ws, v, 1 + draw(8)), taken = put(e, v, n, piece());
    caws_output_done(e->ws, taken);
}

/* A piece of what is on the wire, also now and then where it is not wanted. */
void pair_deliver(struct end *from)
{
    struct end *to = from->other;
    size_t n = piece();
    unsigned char *data;
    if (to->ended || from->wire_len == 0 || (!(caws_wants(to->ws) & CAWS_WANT_READ) && !one_in(20)))
        return;
    if (n > from->wire_len)
        n = from->wire_len;
    data = malloc(n + 1);
    if (!data)
        abort();
    memcpy(data, from->wire, n);
    from->wire_len -= n;
    memmove(from->wire, from->wire + n, from->wire_len);
    caws_feed(to->ws, data, n, pair_now);
    free(data);
}

static void end_transport(struct end *e)
{
    if (!e->ended)
        caws_feed_eof(e->ws, CAWS_OK, NULL);
    e->ended = true;
}

/* What the owner of a conn owes it at every step. */
void pair_serve(struct end *e)
{
    unsigned wants = caws_wants(e->ws);
    if (caws_deadline(e->ws) <= pair_now)
        caws_tick(e->ws, pair_now);
    if (wants & CAWS_WANT_CLOSE)
        end_transport(e);
    if (wants & (CAWS_WANT_SHUTDOWN | CAWS_WANT_CLOSE))
        e->shut = true;
    if (e->shut && e->wire_len == 0)
        end_transport(e->other);
}

/* ---- Birth and death --------------------------------------------------- */

static int random_bytes(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = (unsigned char)draw(256);
    return 0;
}

void pair_new(struct end *ends)
{
    memset(ends, 0, 2 * sizeof *ends);
    for (int i = 0; i < 2; i++) {
        struct end *e = &ends[i];
        e->other = &ends[1 - i];
        e->cfg = (caws_config){ .context = e, .on_request = on_request, .on_open = on_open,
                                .on_message = on_message, .on_error = on_error,
                                .on_close = on_close, .random = random_bytes,
                                .subprotocols = "chat",
                                .max_buffered = one_in(2) ? 20000 : 0, .ping_interval_ms = 300,
                                .close_timeout_ms = 60000, .max_control_burst = 2000 };
        e->cfg.on_chunk = one_in(2) ? on_chunk : NULL;
        e->transport.write_now = one_in(3) ? write_now : NULL;
    }
    ends[0].ws = caws_new_client("ws://example.com/", &ends[0].cfg, &ends[0].transport);
    ends[1].ws = caws_new_server(&ends[1].cfg, &ends[1].transport);
}

void pair_free(struct end *ends)
{
    for (int i = 0; i < 2; i++) {
        caws_free(ends[i].ws);
        free(ends[i].wire);
        free(ends[i].chunks);
    }
}
