/* Invariants after every event, and of what a conn sends. */
#include <string.h>

#include "sim.h"

uint32_t limit(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

uint64_t max_buffered(const struct end *e)
{
    return limit((uint32_t)e->cfg.max_buffered, 1 << 20);
}

/* ---- What leaves --------------------------------------------------------- */

/* A data frame has begun to leave, and its header is cut. */
static bool is_cut(const struct wire *w)
{
    return w->have > 0 && (w->header[0] & 15) < 8;
}

/* Data frames, and messages, of which a byte was offered. */
uint32_t frames_begun(const struct end *e)
{
    return e->offer.frames + is_cut(&e->offer);
}

/* As far as is known: of what write_now was shown, caws decides. */
uint32_t messages_begun(const struct end *e)
{
    uint32_t frames = frames_begun(e);
    if (frames < e->presented)
        frames = e->presented;
    return frames > 0 ? e->frames[frames - 1].message + 1 : 0;
}

/* Bytes of data frames that caws has accepted and the transport not taken. */
uint64_t queued(const struct end *e)
{
    return e->accepted_frames - e->wire.data_bytes - e->dropped -
           (is_cut(&e->wire) ? e->wire.have : 0);
}

/* caws_discard: of messages that have not begun nothing leaves. */
void check_dropped(struct end *e)
{
    uint32_t begun = messages_begun(e);
    if (e->may_begin == UINT32_MAX)
        e->may_begin = begun;
    if (e->discarded)
        return;
    e->vague = e->presented > frames_begun(e);
    for (size_t i = frames_begun(e); i < e->frame_count; i++)
        if (e->frames[i].message >= begun)
            e->dropped += frame_size(e, e->frames[i].len);
    e->discarded = true;
}

/* A data frame must be the next that was accepted. */
static void offered_frame(struct wire *w)
{
    struct end *e = w->sender;
    const struct frame *f = &e->frames[w->frames - 1];
    bool first;
    if (w->frames > e->frame_count)
        broken(e, "a data frame leaves that was never sent");
    first = w->frames == 1 || f[-1].message != f->message;
    if (w->opcode != (first ? (unsigned)e->messages[f->message].type : 0u) || w->len != f->len ||
        w->fin != f->fin)
        broken(e, "data frame %u leaves out of order", w->frames - 1);
    if (f->message >= e->may_begin)
        broken(e, "message %u leaves, though it was dropped", f->message);
}

static void sent_data(struct wire *w, const uint8_t *p, size_t n, uint64_t at)
{
    struct end *e = w->sender;
    const struct frame *f = &e->frames[w->frames - 1];
    const struct message *m = &e->messages[f->message];
    if (!message_is(m, f->from + (uint32_t)at, p, n, w->masked ? w->key : NULL, at))
        broken(e, "message %u leaves with other bytes", f->message);
}

static bool is_control(const struct control *k, const uint8_t *p, size_t n)
{
    return k->len == n && memcmp(k->bytes, p, n) == 0;
}

/* caws's own Pings are empty, those of the application are not. */
static void sent_ping(struct end *e, const uint8_t *p, size_t n)
{
    const struct control *k = controls_first(&e->pings);
    if (n == 0) {
        if (!e->may_ping)
            broken(e, "a Ping before ping_interval_ms of silence");
        e->may_ping = false;
        return;
    }
    if (!k || !is_control(k, p, n))
        broken(e, "a Ping leaves that was not sent");
    controls_pop(&e->pings);
}

/* It was the first, or, if that and more may be missing, a later one of the
 * same bytes: then that may be missing, too. */
static void pong_seen(struct controls *c, const uint8_t *p, size_t n)
{
    bool missing = c->list[c->first].may_vanish;
    for (size_t i = c->first + 1; missing && i < c->count; i++) {
        missing = c->list[i].may_vanish;
        if (is_control(&c->list[i], p, n))
            c->list[i].may_vanish = true;
    }
    controls_pop(c);
}

/* Answers and unasked ones, in order; those may be missing that a later one
 * has replaced while max_control_burst waited. */
static void sent_pong(struct end *e, const uint8_t *p, size_t n)
{
    const struct control *k;
    while ((k = controls_first(&e->pongs)) && !is_control(k, p, n) && k->may_vanish)
        controls_pop(&e->pongs);
    if (!k || !is_control(k, p, n))
        broken(e, "a Pong leaves that is not the next");
    pong_seen(&e->pongs, p, n);
}

static uint16_t code_of(int error)
{
    switch (error) {
    case CAWS_ERR_TOO_BIG: return CAWS_CLOSE_TOO_BIG;
    case CAWS_ERR_LIMIT:
    case CAWS_ERR_TIMEOUT: return CAWS_CLOSE_POLICY;
    default: return CAWS_CLOSE_INTERNAL;
    }
}

static void sent_close(struct end *e, const struct wire *w)
{
    size_t reason = strlen(e->asked_reason);
    if (w->continuing && !e->streaming)
        broken(e, "a Close leaves inside a message");
    if (!e->discarded && !e->may_drop && w->frames != e->frame_count)
        broken(e, "a Close leaves ahead of messages");
    if (e->asked_close) {
        if (w->close_code != (e->asked_code ? e->asked_code : 1005) ||
            w->close_len != (e->asked_code ? 2 + reason : 0) ||
            (reason > 0 && memcmp(w->close + 2, e->asked_reason, reason) != 0))
            broken(e, "a Close leaves that is not what was asked for");
    } else if (e->error != CAWS_OK && e->error != CAWS_ERR_EOF && e->error != CAWS_ERR_SYS) {
        if (w->close_code != code_of(e->error))
            broken(e, "error %d sends a Close with code %u", e->error, w->close_code);
    } else if (e->error == CAWS_OK && !e->aborted) {
        if (e->in.closes == 0 || w->close_code != e->in.close_code || w->close_len > 2)
            broken(e, "a Close leaves that answers nothing");
    }
}

static void sent_control(struct wire *w, unsigned opcode, const uint8_t *p, size_t n)
{
    struct end *e = w->sender;
    if (opcode == 9)
        sent_ping(e, p, n);
    else if (opcode == 10)
        sent_pong(e, p, n);
    else
        sent_close(e, w);
}

static void heard_control(struct wire *w, unsigned opcode, const uint8_t *p, size_t n)
{
    struct end *e = w->sender->peer;
    if (opcode == 9)
        controls_push(&e->in_pings, p, n);
    else if (opcode == 10)
        controls_push(&e->in_pongs, p, n);
}

void check_wire(struct end *e)
{
    e->offer.frame = offered_frame;
    e->wire.data = sent_data;
    e->wire.control = sent_control;
    e->in.control = heard_control;
}

/* The transport takes these: first what it was offered before. */
void check_taken(struct end *e, const uint8_t *p, size_t n)
{
    size_t old = e->shown_len - e->shown_at;
    if (old > n)
        old = n;
    if (old > 0 && memcmp(e->shown + e->shown_at, p, old) != 0)
        broken(e, "offered bytes were passed over");
    e->shown_at += old;
    if (e->shown_at == e->shown_len)
        e->shown_at = e->shown_len = 0;
    wire_read(&e->offer, p + old, n - old);
    wire_read(&e->wire, p, n);
    pipe_write(&e->out, p, n);
    e->bytes_out += n;
    if (n > 0)
        e->taken = sim.now;
}

/* ---- State --------------------------------------------------------------- */

static void end_pause(struct end *e)
{
    if (e->paused)
        e->paused_ms += sim.now - e->paused_at;
    e->paused = false;
}

/* Closing began. Did the peer begin it, and what follows for our messages? */
static void begin_closing(struct end *e)
{
    e->closing = later(sim.now, e->starts);
    end_pause(e); /* nothing is delivered any more */
    if (e->in.closes == 0 || e->asked_close || e->aborted || e->error != CAWS_OK)
        return;
    e->may_drop = e->waited || e->mixed;
    if (e->waited && !e->mixed && e->may_begin == UINT32_MAX)
        e->may_begin = messages_begun(e);
}

static void check_state(struct end *e)
{
    caws_state now = caws_ready_state(e->ws), before = e->state;
    if (now < before)
        broken(e, "the ready state went back from %d to %d", (int)before, (int)now);
    e->state = now;
    if (now >= CAWS_CLOSING && before < CAWS_CLOSING)
        begin_closing(e);
    if (now != CAWS_CONNECTING)
        e->undecided = false;
    if ((now == CAWS_CLOSED && e->owed) != e->closed)
        broken(e, "CLOSED and on_close do not agree");
    if (now != CAWS_CLOSED && e->in.closes > 0 && e->wire.closes > 0 && e->error == CAWS_OK &&
        !e->aborted && e->deadline > sim.now)
        broken(e, "both Closes are exchanged, and on_close did not come");
}

static void check_wants(const struct end *e)
{
    unsigned wants = caws_wants(e->ws);
    if ((wants & CAWS_WANT_CLOSE) && wants != CAWS_WANT_CLOSE)
        broken(e, "wants more than to be closed: %u", wants);
    if (e->client && (wants & CAWS_WANT_SHUTDOWN))
        broken(e, "a client wants to close its sending side");
    if (e->shut && !(wants & (CAWS_WANT_SHUTDOWN | CAWS_WANT_CLOSE)))
        broken(e, "CAWS_WANT_SHUTDOWN did not stay");
    if ((e->paused || e->fed_end) && (wants & CAWS_WANT_READ))
        broken(e, "wants to read, though it should not");
    if (e->state <= CAWS_CLOSING && !e->paused && !e->fed_end && !e->undecided &&
        !(wants & (CAWS_WANT_READ | CAWS_WANT_CLOSE)) && e->deadline > sim.now)
        broken(e, "does not want to read");
}

static void check_queue(const struct end *e)
{
    if (caws_buffered_amount(e->ws) != e->accepted - e->wire.payload)
        broken(e, "caws_buffered_amount is %llu, not %llu",
               (unsigned long long)caws_buffered_amount(e->ws),
               (unsigned long long)(e->accepted - e->wire.payload));
    if (e->counters.messages_in != e->got || e->counters.messages_out != e->messages_out ||
        e->counters.bytes_out != e->bytes_out)
        broken(e, "the counters are wrong");
    if (e->state == CAWS_OPEN && !e->vague && caws_needs_drain(e->ws) != e->above)
        broken(e, "caws_needs_drain is not %d, and %u bytes of %u are queued", e->above,
               (unsigned)queued(e), (unsigned)max_buffered(e));
}

/* ---- Memory -------------------------------------------------------------- */

#define NODE 128u   /* what caws may need beside the bytes of one frame */
#define CHUNK 4096u /* of small data frames, begun anew behind a control frame */

/* What waits to leave: data, which chunks may leave room in, and control
 * frames, each of which may have cut a chunk, and have one behind it. */
static size_t sending_bound(const struct end *e)
{
    size_t longest = e->longest + 14, max = (size_t)max_buffered(e);
    size_t controls = e->pongs.count - e->pongs.first + 3;
    size_t most = (size_t)limit(e->cfg.max_control_burst, 64) + 4;
    if (controls > most)
        controls = most;
    return 2 * (longest > max ? longest : max) + controls * (125 + 14 + NODE + 2 * CHUNK);
}

/* "Memory a conn takes" of caws.h. */
static size_t memory_bound(const struct end *e)
{
    size_t max_message = limit((uint32_t)e->cfg.max_message, 1 << 20);
    size_t bound = sim.block + 4 + 126 + sending_bound(e);
    if (e->told < TOLD_OPEN)
        bound += 2 * limit((uint32_t)e->cfg.max_head, 16384) + 4096;
    if (!e->streams && (e->state >= CAWS_CLOSING || e->got != e->in.messages ||
                        !wire_is_clean(&e->in)))
        bound += max_message < 2 * e->in.payload ? max_message : (size_t)(2 * e->in.payload);
    bound += 2 * 125;             /* a control frame that was cut */
    bound += 2 * e->largest_feed; /* the rest of a feed, held in a pause */
    return bound;
}

static bool is_idle(const struct end *e)
{
    return e->state == CAWS_OPEN && e->told == TOLD_OPEN && caws_wants(e->ws) == CAWS_WANT_READ &&
           wire_is_clean(&e->in) && e->got == e->in.messages && e->deadline > sim.now &&
           caws_buffered_amount(e->ws) == 0; /* it may be without a queue, after caws_discard */
}

static void check_memory(const struct end *e)
{
    size_t name = *caws_subprotocol(e->ws) ? 4 : 0, bound = memory_bound(e);
    if (e->memory.bytes > bound)
        broken(e, "takes %u bytes of memory, of %u", (unsigned)e->memory.bytes, (unsigned)bound);
    if (is_idle(e) && e->memory.bytes != sim.block + name)
        broken(e, "is idle and takes %u bytes of memory, not %u", (unsigned)e->memory.bytes,
               (unsigned)(sim.block + name));
}

void check_end(struct end *e)
{
    check_state(e);
    check_queue(e);
    check_wants(e);
    check_memory(e);
    check_deadline(e);
}
