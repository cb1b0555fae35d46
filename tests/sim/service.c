/* What the owner of a conn's bytes does: an event loop that sleeps until
 * caws_wants and caws_deadline, as it knows them, give it something to do. So
 * a wake-up that is lost is a conn that is stuck. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

void look(struct end *e)
{
    uint64_t deadline = caws_deadline(e->ws);
    e->wants = caws_wants(e->ws);
    e->stale = false;
    if (deadline != e->deadline || deadline <= sim.now) {
        e->tick_at = deadline;
        if (sim.lag > 0 && deadline > sim.now && deadline < SIM_NEVER - sim.lag)
            e->tick_at += draw(sim.lag);
    }
    e->deadline = deadline;
}

static void after(struct end *e)
{
    e->inside--;
    look(e);
    check_end(e);
}

/* An owner may hear of the end without reading, in a pause: epoll tells. */
static bool can_read(const struct end *e)
{
    const struct pipe *in = &e->peer->out;
    bool at_end = in->len == 0 && in->ended && in->end_arrives <= sim.now;
    return !e->fed_end && ((e->wants & CAWS_WANT_READ) || (e->hears_end && at_end));
}

uint64_t service_due(const struct end *e)
{
    uint64_t due;
    if (!e->ws || e->over)
        return SIM_NEVER;
    if ((e->wants & CAWS_WANT_CLOSE) || (e->reset && !e->fed_end) ||
        ((e->wants & CAWS_WANT_SHUTDOWN) && !e->shut) ||
        ((e->wants & CAWS_WANT_WRITE) && !e->reset && pipe_room(&e->out) > 0))
        return later(sim.now, e->starts);
    due = e->tick_at;
    if (can_read(e) && pipe_due(&e->peer->out) < due)
        due = pipe_due(&e->peer->out);
    return later(due, e->starts);
}

/* ---- Bytes in ------------------------------------------------------------ */

static size_t piece_of(size_t n)
{
    static const uint32_t small[] = { 1, 1, 16, 200 };
    uint64_t what = draw(8);
    size_t most = what < 4 ? small[what] : n;
    if (what < 6)
        most = 1 + (size_t)draw(most);
    return most < n ? most : n;
}

static void feed_end(struct end *e, int error)
{
    e->fed_end = true;
    e->inside++;
    note(e, "end", (uint64_t)-error, 0);
    caws_feed_eof(e->ws, error, error ? "the network broke" : NULL);
    after(e);
}

/* In a block of its own, so that a sanitizer sees who reads past it. */
static void feed(struct end *e)
{
    size_t n = pipe_ready(&e->peer->out);
    uint8_t *data;
    if (n == 0 && e->peer->out.len == 0) {
        feed_end(e, CAWS_OK);
        return;
    }
    if (n == 0)
        return;
    n = piece_of(n);
    data = malloc(n);
    if (!data)
        abort();
    pipe_read(&e->peer->out, data, n);
    note(e, "feed", n, (uint64_t)e->state);
    wire_read(&e->in, data, n);
    if (e->state == CAWS_OPEN || e->state == CAWS_CONNECTING)
        heard(e);
    if (n > e->largest_feed)
        e->largest_feed = n;
    e->waited = e->frame_count > frames_begun(e);
    e->mixed = e->deadline == 0 || e->paused || e->undecided;
    e->inside++;
    caws_feed(e->ws, data, n, sim.now);
    free(data);
    after(e);
    check_delivered(e);
}

/* ---- Time ---------------------------------------------------------------- */

void service_tick(struct end *e)
{
    uint64_t calls = e->calls;
    bool due = e->deadline <= sim.now, over = e->wants & CAWS_WANT_CLOSE;
    bool closing = e->state >= CAWS_CLOSING;
    note(e, "tick", e->deadline, 0);
    e->waited = e->frame_count > frames_begun(e);
    e->mixed = true;
    check_ping_time(e);
    e->inside++;
    caws_tick(e->ws, sim.now);
    after(e);
    check_delivered(e);
    if (due && e->deadline <= sim.now && e->calls == calls)
        broken(e, "a tick that was due at %llu changed nothing", (unsigned long long)e->deadline);
    if (closing && !over && (e->wants & CAWS_WANT_CLOSE) && !e->aborted && !e->fed_end &&
        !check_patience(e))
        broken(e, "given up too early");
}

/* ---- Bytes out ----------------------------------------------------------- */

/* What is offered again is the same bytes, and new ones come behind. */
static size_t check_offer(struct end *e, const caws_slice *v, size_t count)
{
    size_t at = e->shown_at, begin = at;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = (const uint8_t *)v[i].data;
        size_t n = v[i].len, old = 0;
        if (n == 0)
            broken(e, "an empty slice was offered");
        if (at < e->shown_len)
            old = e->shown_len - at < n ? e->shown_len - at : n;
        if (old > 0 && memcmp(e->shown + at, p, old) != 0)
            broken(e, "offered bytes have changed");
        if (n > old) {
            e->shown = grown(e->shown, &e->shown_cap, e->shown_len + n - old, 1);
            memcpy(e->shown + e->shown_len, p + old, n - old);
            e->shown_len += n - old;
            wire_read(&e->offer, p + old, n - old);
        }
        at += n;
    }
    return at - begin;
}

static void write_some(struct end *e)
{
    caws_slice v[9];
    size_t max = 1 + (size_t)draw(8), count = caws_output(e->ws, v, max);
    size_t offered = check_offer(e, v, count), room = pipe_room(&e->out);
    size_t n = offered < room ? offered : room;
    uint64_t calls = e->calls;
    if (count == 0)
        broken(e, "wants to write, and offers nothing");
    if (one_in(2))
        n = piece_of(n);
    note(e, "write", n, offered);
    if (n == 0)
        return;
    check_taken(e, e->shown + e->shown_at, n);
    e->inside++;
    caws_output_done(e->ws, n);
    after(e);
    if (e->state == CAWS_OPEN && !e->vague && e->calls == calls && e->above &&
        queued(e) <= max_buffered(e) / 2)
        broken(e, "the queue fell, and on_drain did not come");
}

/* ---- The end ------------------------------------------------------------- */

/* A socket that is closed with input unread sends a reset. */
static void close_transport(struct end *e)
{
    note(e, "close transport", e->peer->out.len, 0);
    e->over = true;
    if (e->peer->out.len > 0 && !e->reset && one_in(2)) {
        network_reset(e);
    } else {
        pipe_end(&e->out);
        e->peer->out.cut = true;
    }
    feed_end(e, CAWS_OK); /* even where it was told of the peer's end before */
    if (e->state != CAWS_CLOSED || (e->owed && !e->closed))
        broken(e, "the transport is closed, and on_close did not come");
}

void service(struct end *e)
{
    if (e->reset && !e->fed_end)
        feed_end(e, CAWS_ERR_SYS);
    else if (can_read(e) && pipe_due(&e->peer->out) <= sim.now && !one_in(4))
        feed(e);
    if (e->tick_at <= sim.now || one_in(16))
        service_tick(e);
    if ((e->wants & CAWS_WANT_WRITE) && !e->reset && pipe_room(&e->out) > 0 && !one_in(4))
        write_some(e);
    if ((e->wants & CAWS_WANT_SHUTDOWN) && !e->shut) {
        note(e, "shutdown", 0, 0);
        e->shut = true;
        pipe_end(&e->out);
    }
    if (e->wants & CAWS_WANT_CLOSE)
        close_transport(e);
}

void service_free(struct end *e)
{
    note(e, "free", (uint64_t)e->state, 0);
    check_farewell(e);
    caws_free(e->ws);
    e->ws = NULL;
    e->act_at = SIM_NEVER;
    if (e->memory.blocks != 0 || e->memory.bytes != 0)
        broken(e, "%u blocks of memory were not freed", (unsigned)e->memory.blocks);
    pipe_end(&e->out);
    e->peer->out.cut = true;
}
