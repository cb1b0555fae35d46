/* The world: chance, the clock, and which end comes next. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct sim sim;
struct totals totals;

/* ---- Chance (splitmix64) ------------------------------------------------- */

uint64_t draw(uint64_t below)
{
    uint64_t z = sim.chance += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

bool one_in(uint64_t n)
{
    return draw(n) == 0;
}

uint32_t pick(const uint32_t *of, size_t count)
{
    return of[draw(count)];
}

/* ---- Events -------------------------------------------------------------- */

#define LAST_EVENTS 40
static struct happened {
    uint64_t now, a, b;
    const char *what;
    int end;
} last[LAST_EVENTS];

static void show(const struct happened *h)
{
    char who[16] = "-";
    if (h->end >= 0)
        snprintf(who, sizeof who, "%c%d", h->end % 2 ? 's' : 'c', h->end / 2);
    printf("%10llu ms %4s  %s %lld %lld\n", (unsigned long long)h->now, who, h->what,
           (long long)h->a, (long long)h->b);
}

static void hash(uint64_t value)
{
    for (int i = 0; i < 8; i++)
        sim.hash = (sim.hash ^ (value >> 8 * i & 0xff)) * 0x100000001b3u;
}

void note(const struct end *e, const char *what, uint64_t a, uint64_t b)
{
    struct happened *h = &last[sim.events++ % LAST_EVENTS];
    *h = (struct happened){ sim.now, a, b, what, e ? (int)e->number : -1 };
    hash(sim.now);
    hash((uint64_t)(h->end + 1));
    for (const char *p = what; *p; p++)
        hash((uint8_t)*p);
    hash(a);
    hash(b);
    if (sim.trace)
        show(h);
}

void show_last_events(void)
{
    uint64_t n = sim.events < LAST_EVENTS ? sim.events : LAST_EVENTS;
    for (uint64_t i = sim.events - n; i < sim.events && !sim.trace; i++)
        show(&last[i % LAST_EVENTS]);
}

/* ---- Steps --------------------------------------------------------------- */

/* Of the ends that are due first, any. */
static struct end *next_end(uint64_t *due)
{
    struct end *found = NULL;
    size_t from = (size_t)draw(sim.count);
    *due = SIM_NEVER;
    for (size_t i = 0; i < sim.count; i++) {
        struct end *e = &sim.ends[(from + i) % sim.count];
        uint64_t at = service_due(e);
        if (at > e->act_at)
            at = e->act_at;
        if (at < *due) {
            *due = at;
            found = e;
        }
    }
    return found;
}

/* The next event, if there is one up to that moment. */
static bool step(uint64_t until)
{
    uint64_t due;
    struct end *e = next_end(&due);
    if (sim.phase == SIM_BUSY && sim.weather_at < due && sim.weather_at <= until) {
        sim.now = sim.weather_at;
        network_weather();
        return true;
    }
    if (!e || due > until)
        return false;
    if (due > sim.now)
        sim.now = due;
    if (e->act_at <= sim.now)
        act(e);
    if (e->ws && service_due(e) <= sim.now)
        service(e);
    return true;
}

/* Steps until then, or as many as there may be. */
static bool run_until(uint64_t until, uint64_t most)
{
    while (step(until))
        if (most-- == 0)
            return false;
    sim.now = until;
    return true;
}

/* Once nothing new is asked for, it all comes to rest. */
static void run_to_rest(uint64_t ms)
{
    if (!run_until(sim.now + ms, 2000000))
        broken(NULL, "no rest: endless events");
}

/* ---- Phases -------------------------------------------------------------- */

/* The network is well and nobody wants anything: all must arrive. */
static void become_quiet(void)
{
    sim.phase = SIM_QUIET;
    sim.faults = false;
    note(NULL, "quiet", 0, 0);
    for (size_t i = 0; i < sim.count; i++) {
        network_heal(&sim.ends[i].out);
        sim.ends[i].act_at = sim.ends[i].ws ? sim.now : SIM_NEVER;
    }
    run_to_rest(3000);
    for (size_t i = 0; i < sim.count; i++)
        if (sim.ends[i].ws)
            check_idle(&sim.ends[i]);
}

static uint64_t unless_off(uint32_t value, uint32_t fallback)
{
    return value == CAWS_OFF ? 0 : limit(value, fallback);
}

/* No timeouts of any end take longer, one after the other. */
static uint64_t patience(void)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < sim.count; i++) {
        const caws_config *c = &sim.ends[i].cfg;
        uint64_t ms = unless_off(c->handshake_timeout_ms, 10000) +
                      unless_off(c->ping_interval_ms, 30000) +
                      unless_off(c->pong_timeout_ms, 20000) +
                      4 * unless_off(c->close_timeout_ms, 5000);
        longest = later(longest, ms);
    }
    return 2 * longest + 8 * sim.lag + 1000;
}

static void let_end(void)
{
    sim.phase = SIM_ENDING;
    note(NULL, "ending", 0, 0);
    for (size_t i = 0; i < sim.count; i++)
        setup_end_phase(&sim.ends[i]);
    run_to_rest(patience());
    for (size_t i = 0; i < sim.count; i++) {
        struct end *e = &sim.ends[i];
        if (e->ws && !e->over)
            broken(e, "stuck: has not ended, ready state %d, wants %u",
                   (int)caws_ready_state(e->ws), caws_wants(e->ws));
    }
}

void world_run(uint64_t seed)
{
    static const uint32_t lengths[] = { 5000, 30000, 120000, 600000 };
    uint64_t most, length;
    bool trace = sim.trace;
    struct injection inject = sim.inject;
    memset(&sim, 0, sizeof sim);
    sim.trace = trace;
    sim.inject = inject;
    sim.seed = seed;
    sim.chance = seed * 0xd1342543de82ef95u;
    sim.hash = 0xcbf29ce484222325u;
    setup_world();
    length = PICK(lengths);
    most = 300 * sim.count + draw(one_in(8) ? 15000 : 3000);
    if (sim.inject.on)
        most = 40 + most % 100;
    run_until(sim.now + length, most);
    become_quiet();
    let_end();
    for (size_t i = 0; i < sim.count; i++)
        if (sim.ends[i].ws)
            service_free(&sim.ends[i]);
    if (sim.prepared.blocks != 0)
        broken(NULL, "prepared messages were not freed");
    world_free();
}

void world_free(void)
{
    for (size_t i = 0; i < sim.count; i++) {
        struct end *e = &sim.ends[i];
        totals.ends++;
        totals.messages += e->got;
        totals.no_memory += e->memory.failed;
        totals.no_randomness += e->random_failed;
        pipe_free(&e->out);
        free(e->messages);
        free(e->frames);
        free(e->shown);
        free(e->pings.list);
        free(e->pongs.list);
        free(e->in_pings.list);
        free(e->in_pongs.list);
    }
}
