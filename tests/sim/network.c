/* The network: bytes arrive in order, in pieces, late, or never. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* ---- A pipe -------------------------------------------------------------- */

size_t pipe_room(const struct pipe *p)
{
    return p->len < p->room ? p->room - p->len : 0;
}

static uint64_t arrival(const struct pipe *p)
{
    uint64_t at = sim.now + p->latency + (p->jitter > 0 ? draw(p->jitter) : 0);
    if (p->count > 0 && at < p->segments[p->count - 1].arrives)
        at = p->segments[p->count - 1].arrives;
    return at;
}

void pipe_write(struct pipe *p, const void *data, size_t n)
{
    uint64_t at = arrival(p);
    if (p->cut || n == 0)
        return;
    if (p->start > 0 && p->start + p->len + n > p->cap) {
        memmove(p->bytes, p->bytes + p->start, p->len);
        p->start = 0;
    }
    p->bytes = grown(p->bytes, &p->cap, p->start + p->len + n, 1);
    memcpy(p->bytes + p->start + p->len, data, n);
    p->len += n;
    if (p->count == PIPE_SEGMENTS) { /* it joins the last */
        p->segments[p->count - 1].arrives = at;
        p->segments[p->count - 1].len += n;
    } else {
        p->segments[p->count++] = (struct segment){ at, n };
    }
}

void pipe_end(struct pipe *p)
{
    if (p->ended)
        return;
    p->end_arrives = arrival(p);
    p->ended = p->cut = true;
}

/* When something can be read next: bytes, or the end. */
uint64_t pipe_due(const struct pipe *p)
{
    uint64_t at = SIM_NEVER;
    if (p->len > 0)
        at = p->segments[0].arrives;
    else if (p->ended)
        at = p->end_arrives;
    return at < p->stalled ? p->stalled : at;
}

size_t pipe_ready(const struct pipe *p)
{
    size_t sum = 0;
    for (size_t i = 0; i < p->count && p->segments[i].arrives <= sim.now; i++)
        sum += p->segments[i].len;
    return p->stalled > sim.now ? 0 : sum;
}

void pipe_read(struct pipe *p, void *to, size_t n)
{
    memcpy(to, p->bytes + p->start, n);
    p->start += n;
    p->len -= n;
    while (n > 0) {
        size_t part = n < p->segments[0].len ? n : p->segments[0].len;
        p->segments[0].len -= part;
        n -= part;
        if (p->segments[0].len == 0)
            memmove(p->segments, p->segments + 1, --p->count * sizeof *p->segments);
    }
}

void pipe_free(struct pipe *p)
{
    free(p->bytes);
    *p = (struct pipe){ 0 };
}

/* ---- Weather ------------------------------------------------------------- */

void network_vary(struct pipe *p)
{
    static const uint32_t rooms[] = { 1, 7, 100, 1500, 4096, 65536, 200000, 200000 };
    static const uint32_t latencies[] = { 0, 0, 1, 20, 150, 400 };
    p->room = PICK(rooms);
    p->latency = PICK(latencies);
    p->jitter = one_in(2) ? draw(50) : 0;
}

void network_heal(struct pipe *p)
{
    p->room = 1 << 20;
    p->latency = p->jitter = 0;
    if (p->stalled != SIM_NEVER)
        p->stalled = 0;
}

/* Both directions break, and what was on its way is lost. */
void network_reset(struct end *e)
{
    struct end *both[] = { e, e->peer };
    for (int i = 0; i < 2; i++) {
        struct pipe *p = &both[i]->out;
        both[i]->reset = true;
        p->len = p->start = p->count = 0;
        p->cut = true;
    }
}

/* What a connection does not survive is rare, or it would not live long. */
static void break_it(struct end *e)
{
    uint64_t what = draw(3);
    if (what == 0) {
        note(e, "reset", 0, 0);
        network_reset(e);
    } else if (what == 1) {
        note(e, "half-close", e->out.len, 0);
        pipe_end(&e->out);
    } else {
        note(e, "black hole", 0, 0);
        e->out.stalled = SIM_NEVER;
    }
}

void network_weather(void)
{
    struct end *e = &sim.ends[draw(sim.count)];
    uint64_t what = draw(40), ms;
    sim.weather_at = sim.now + 1 + draw(2 * sim.calm);
    if (what == 0 && one_in(5)) {
        break_it(e);
    } else if (what < 20) {
        network_vary(&e->out);
        note(e, "weather", e->out.room, e->out.latency);
    } else if (e->out.stalled != SIM_NEVER) {
        ms = one_in(20) ? draw(90000) : draw(1500);
        e->out.stalled = sim.now + ms;
        note(e, "stall", ms, 0);
    }
}
