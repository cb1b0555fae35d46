#include "world.h"

#include <stdlib.h>
#include <string.h>

/* ---- Environment ------------------------------------------------------- */

/* Sizes are kept ahead of each block, so that old_size can be checked. */
static void *resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct world *w = ctx;
    max_align_t *block = ptr ? (max_align_t *)ptr - 1 : NULL;
    REQUIRE(block ? *(size_t *)block == old_size : old_size == 0);
    if (new_size > 0 && w->allocs_left > 0 && --w->allocs_left == 0) {
        w->alloc_failed = true;
        w->failures++;
        return NULL;
    }
    w->bytes += new_size - old_size;
    w->blocks += new_size > 0;
    w->blocks -= ptr != NULL;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, sizeof *block + new_size);
    if (!block)
        abort();
    *(size_t *)block = new_size;
    return block + 1;
}

static int random_bytes(void *ctx, void *out, size_t len)
{
    struct world *w = ctx;
    if (w->randoms_left > 0 && --w->randoms_left == 0) {
        w->random_failed = true;
        w->failures++;
        return -1;
    }
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(91 * w->output.len + 7 * i + 1);
    return 0;
}

static struct world *of(caws_conn *ws)
{
    return caws_context(ws);
}

static void changed(caws_conn *ws)
{
    of(ws)->changed++;
}

static size_t write_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    struct world *w = of(ws);
    size_t left = input_below(&w->in, 4) * 9000, taken = 0;
    REQUIRE(count > 0 && count <= 66);
    for (size_t i = 0; i < count; i++) {
        size_t n = v[i].len < left ? v[i].len : left;
        bytes_add(&w->output, v[i].data, n);
        taken += n;
        left -= n;
    }
    w->written_now += taken;
    return taken;
}

/* ---- Handlers ---------------------------------------------------------- */

/* Of every handler but on_error and on_close; and of those that tell what has
 * come, ahead of which a pause takes effect. */
static void enter(struct world *w)
{
    w->handlers++;
    REQUIRE(w->closes == 0);
    REQUIRE(caws_ready_state(w->ws) < CAWS_CLOSING);
}

static void enter_heard(struct world *w)
{
    REQUIRE(!w->paused);
    enter(w);
}

static void leave(struct world *w)
{
    w->depth++;
    for (unsigned n = input_byte(&w->in) % 4; n > 0 && w->depth == 1; n--)
        w->act(w);
    w->depth--;
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    static const int answers[] = { CAWS_ACCEPT, CAWS_ACCEPT, CAWS_LATER, 404, 5, 200 };
    struct world *w = of(ws);
    enter_heard(w);
    REQUIRE(++w->requests == 1 && w->opened == 0 && req->target.data[0] == '/');
    REQUIRE(caws_ready_state(ws) == CAWS_CONNECTING);
    leave(w);
    w->answered = answers[input_below(&w->in, 6)];
    w->owed = w->answered <= 0 && caws_ready_state(ws) == CAWS_CONNECTING;
    return w->answered;
}

static void on_open(caws_conn *ws)
{
    struct world *w = of(ws);
    enter(w);
    REQUIRE(++w->opened == 1 && caws_ready_state(ws) == CAWS_OPEN);
    w->owed = true;
    leave(w);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct world *w = of(ws);
    enter_heard(w);
    w->messages++;
    REQUIRE(w->opened == 1 && len <= w->cfg.max_message);
    REQUIRE(type != CAWS_TEXT || model_utf8(data, len) == MODEL_VALID);
    leave(w);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct world *w = of(ws);
    enter_heard(w);
    (void)type;
    (void)data;
    REQUIRE(len > 0 || flags & CAWS_CHUNK_LAST);
    w->messages += (flags & CAWS_CHUNK_LAST) != 0;
    leave(w);
}

static void on_control(caws_conn *ws, const void *data, size_t len)
{
    struct world *w = of(ws);
    enter_heard(w);
    (void)data;
    REQUIRE(w->opened == 1 && len <= 125);
    leave(w);
}

static void on_drain(caws_conn *ws)
{
    struct world *w = of(ws);
    enter(w);
    REQUIRE(!caws_needs_drain(ws));
    leave(w);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct world *w = of(ws);
    w->handlers++;
    REQUIRE(++w->errors == 1 && w->closes == 0 && !w->aborted);
    REQUIRE(error < 0 && strlen(detail) <= 123 && strstr(detail, "RFC "));
    REQUIRE(w->failures > 0 || (error != CAWS_ERR_NOMEM && error != CAWS_ERR_RANDOM));
    leave(w);
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    struct world *w = of(ws);
    w->handlers++;
    REQUIRE(++w->closes == 1 && caws_ready_state(ws) == CAWS_CLOSED);
    REQUIRE(e->code != CAWS_CLOSE_ABNORMAL || (!e->was_clean && e->ended_by != CAWS_BY_PEER));
    REQUIRE(e->reason[e->reason_len] == '\0' && e->reason_len <= 123);
    w->closed_by_peer = e->code != CAWS_CLOSE_ABNORMAL;
    leave(w);
}

/* ---- Birth ------------------------------------------------------------- */

enum { CLIENT = 1, HANDSHAKE = 2, CHUNKS = 4, WRITE_NOW = 8, SMALL = 16, NO_HANDLERS = 32 };

static void world_configure(struct world *w, unsigned how)
{
    w->cfg = (caws_config){
        .context = w, .alloc = { resize, w }, .random = random_bytes, .random_ctx = w,
        .on_request = how & NO_HANDLERS ? NULL : on_request, .on_open = on_open,
        .on_ping = on_control, .on_pong = on_control, .on_drain = on_drain,
        .on_error = on_error, .on_close = on_close, .max_message = 3000, .max_fragments = 9,
        .max_buffered = how & SMALL ? 300 : 40000, .max_head = 700, .max_headers = 9,
        .max_control_burst = 5, .subprotocols = "chat, superchat" };
    if (how & CHUNKS)
        w->cfg.on_chunk = on_chunk;
    else
        w->cfg.on_message = on_message;
    w->transport.changed = changed;
    w->transport.counters = &w->counters;
    w->transport.write_now = how & WRITE_NOW ? write_now : NULL;
}

void world_new(struct world *w, unsigned how)
{
    world_configure(w, how);
    w->client = how & CLIENT;
    w->handshake = how & HANDSHAKE;
    w->owed = w->client || !w->handshake;
    w->now = 1000;
    if (!w->handshake)
        w->ws = caws_new_open(w->client, NULL, NULL, &w->cfg, &w->transport);
    else if (w->client)
        w->ws = caws_new_client("ws://h/", &w->cfg, &w->transport);
    else
        w->ws = caws_new_server(&w->cfg, &w->transport);
    if (!w->ws)
        abort();
}

/* ---- Invariants -------------------------------------------------------- */

void world_check(struct world *w)
{
    caws_state state = caws_ready_state(w->ws);
    unsigned wants = caws_wants(w->ws);
    REQUIRE(state >= w->state);
    w->state = state;
    REQUIRE(!(wants & CAWS_WANT_CLOSE) || wants == CAWS_WANT_CLOSE);
    REQUIRE(!(wants & CAWS_WANT_SHUTDOWN) || !(wants & CAWS_WANT_WRITE));
    if (wants & CAWS_WANT_SHUTDOWN)
        w->saw_shutdown = true;
    REQUIRE(!w->saw_shutdown || wants & (CAWS_WANT_SHUTDOWN | CAWS_WANT_CLOSE));
    REQUIRE(!caws_needs_drain(w->ws) || state == CAWS_OPEN);
    REQUIRE(wants != CAWS_WANT_CLOSE || caws_deadline(w->ws) == UINT64_MAX);
    REQUIRE(state != CAWS_OPEN || w->opened <= 1);
    REQUIRE(w->counters.bytes_out == w->output.len);
    REQUIRE(w->counters.messages_in == w->messages && w->counters.messages_out == w->count);
    REQUIRE(w->counters.bytes_in <= w->fed);
}

struct before world_before(struct world *w)
{
    w->written_now = 0;
    w->alloc_failed = w->random_failed = false;
    return (struct before){ caws_ready_state(w->ws), caws_wants(w->ws), w->changed, w->handlers,
                            caws_deadline(w->ws), caws_buffered_amount(w->ws), 0,
                            caws_needs_drain(w->ws) };
}

/* "A function of the application side that fails has changed nothing", but
 * what write_now took, and that the queue has refused a message. */
void world_after(struct world *w, const struct before *b, int result)
{
    bool same = caws_wants(w->ws) == b->wants && caws_deadline(w->ws) == b->deadline;
    REQUIRE(w->handlers == b->handlers);
    REQUIRE(same || w->changed > b->changed);
    REQUIRE(result != CAWS_ERR_NOMEM || w->alloc_failed);
    REQUIRE(result != CAWS_ERR_RANDOM || w->random_failed);
    if (result != CAWS_OK) {
        REQUIRE(caws_ready_state(w->ws) == b->state);
        REQUIRE(w->written_now > 0 || (same && caws_buffered_amount(w->ws) == b->buffered));
        REQUIRE(result == CAWS_ERR_FULL || w->written_now > 0 ||
                caws_needs_drain(w->ws) == b->needs_drain);
    }
    world_check(w);
}

void world_sent(struct world *w, bool text, const void *data, size_t len)
{
    trace(&w->sent, text ? "text" : "binary", 0, data, len);
    REQUIRE(w->count < sizeof w->ends / sizeof *w->ends);
    w->ends[w->count++] = w->sent.len;
}
