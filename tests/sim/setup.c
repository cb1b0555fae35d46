/* Who lives in a world: pairs of a client and a server, with limits and
 * timeouts of their own, and how each pair is to end. */
#include <string.h>

#include "sim.h"

/* ---- What a conn is given ------------------------------------------------ */

static int random_bytes(void *ctx, void *out, size_t len)
{
    struct end *e = ctx;
    uint8_t *p = out;
    if (sim.faults && e->random_fails > 0 && one_in(e->random_fails)) {
        e->random_failed++;
        note(e, "no randomness", len, 0);
        return -1;
    }
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)draw(256);
    return 0;
}

static void changed(caws_conn *ws)
{
    struct end *e = caws_context(ws);
    e->stale = true;
}

static size_t write_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    struct end *e = caws_context(ws);
    size_t room = e->reset ? 0 : pipe_room(&e->out), taken = 0;
    if (count > 66)
        broken(e, "write_now was given %u slices", (unsigned)count);
    if (one_in(2))
        room = (size_t)draw(room + 1);
    for (size_t i = 0; i < count && room > 0; i++) {
        size_t n = v[i].len < room ? v[i].len : room;
        check_taken(e, (const uint8_t *)v[i].data, n);
        taken += n;
        room -= n;
    }
    e->presented = (uint32_t)e->frame_count;
    e->sent_now = e->sent_now || taken > 0;
    note(e, "write now", taken, count);
    return taken;
}

/* ---- Limits -------------------------------------------------------------- */

static void choose_limits(caws_config *c)
{
    static const uint32_t messages[] = { 0, 0, 50, 300, 2000, 70000 };
    static const uint32_t buffers[] = { 0, 0, 100, 1000, 5000, 20000 };
    static const uint32_t fragments[] = { 0, 0, 2, 9 };
    static const uint32_t bursts[] = { 0, 0, 1, 2, 3, 16 };
    static const uint32_t heads[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 300, 100 };
    c->max_message = PICK(messages);
    c->max_buffered = PICK(buffers);
    c->max_fragments = PICK(fragments);
    c->max_control_burst = PICK(bursts);
    c->max_head = PICK(heads);
}

static void choose_timeouts(caws_config *c)
{
    static const uint32_t handshakes[] = { 0, 0, 1500, 10000, CAWS_OFF };
    static const uint32_t messages[] = { 0, 0, 700, 5000, CAWS_OFF };
    static const uint32_t intervals[] = { 0, 0, 100, 2500, CAWS_OFF };
    static const uint32_t pongs[] = { 0, 0, 900, 4000, CAWS_OFF };
    static const uint32_t closes[] = { 0, 0, 10, 1200 };
    c->handshake_timeout_ms = PICK(handshakes);
    c->message_timeout_ms = PICK(messages);
    c->ping_interval_ms = PICK(intervals);
    c->pong_timeout_ms = PICK(pongs);
    c->close_timeout_ms = PICK(closes);
}

static int choose_answer(void)
{
    static const int answers[] = { 401, 503, 7, 200, 404 };
    uint64_t what = draw(20);
    if (what == 0)
        return answers[draw(5)];
    return what < 5 ? CAWS_LATER : CAWS_ACCEPT;
}

/* ---- Birth --------------------------------------------------------------- */

/* Who pauses in every handler: with what makes a mistake about that show. */
static void make_sip(struct end *e)
{
    e->sips = true;
    e->cfg.message_timeout_ms = 700;
    e->cfg.ping_interval_ms = CAWS_OFF;
    e->transport.write_now = write_now;
}

static void choose(struct end *e, unsigned number, bool subprotocol)
{
    static const uint32_t paces[] = { 1, 5, 20, 100, 300, 2000 };
    static const uint32_t failing[] = { 0, 0, 0, 30, 200, 1000 };
    e->number = number;
    e->client = number % 2 == 0;
    e->peer = &sim.ends[number ^ 1];
    e->streams = one_in(3);
    e->hears_end = one_in(2);
    e->busy = PICK(paces);
    choose_limits(&e->cfg);
    choose_timeouts(&e->cfg);
    handlers_set(&e->cfg, e->streams);
    e->cfg.context = e;
    e->cfg.random = random_bytes;
    e->cfg.random_ctx = e;
    e->cfg.subprotocols = subprotocol ? "sim" : NULL;
    e->cfg.alloc = account_alloc(&e->memory);
    e->memory.fail_one_in = PICK(failing);
    e->random_fails = PICK(failing);
    if (sim.inject.on)
        e->random_fails = 0;
    e->transport.changed = changed;
    e->transport.write_now = one_in(3) ? write_now : NULL;
    e->transport.counters = &e->counters;
    e->transport.owner_size = sizeof(void *);
    e->answer = e->client ? CAWS_ACCEPT : choose_answer();
    network_vary(&e->out);
    e->may_begin = UINT32_MAX;
    e->act_at = sim.now + draw(e->busy + 1);
    if (one_in(8))
        make_sip(e);
}

/* Both ends of a pair begin alike: with the opening handshake, or OPEN. */
static void bear(struct end *e, bool open)
{
    const char *subprotocol = e->cfg.subprotocols;
    wire_init(&e->offer, e, !open);
    wire_init(&e->wire, e, !open);
    wire_init(&e->in, e->peer, !open);
    check_wire(e);
    if (open)
        e->ws = caws_new_open(e->client, subprotocol, NULL, &e->cfg, &e->transport);
    else if (e->client)
        e->ws = caws_new_client("ws://sim.example/", &e->cfg, &e->transport);
    else
        e->ws = caws_new_server(&e->cfg, &e->transport);
    note(e, open ? "new, open" : "new", e->ws != NULL, 0);
    if (!e->ws) {
        if (e->memory.failed == 0 && e->random_failed == 0)
            broken(e, "could not be made, without a reason");
        if (e->memory.blocks != 0)
            broken(e, "could not be made, and left memory behind");
        e->tick_at = e->act_at = SIM_NEVER;
        pipe_end(&e->out);
        return;
    }
    e->owed = e->client || open;
    e->began = e->born = e->heard = sim.now;
    e->state = open ? CAWS_OPEN : CAWS_CONNECTING;
    e->opened = sim.now;
    if (open && one_in(3))
        e->starts = sim.now + draw(400);
    look(e);
}

static size_t choose_pairs(void)
{
    uint64_t what = draw(40);
    if (what < 26 || sim.inject.on)
        return 1;
    if (what < 35)
        return 2;
    return what < 39 ? 3 + (size_t)draw(6) : 9 + (size_t)draw(24);
}

/* The one fixed block of a conn, which is all that an idle one has. */
static void measure_block(const caws_transport *transport)
{
    static struct account a;
    caws_config cfg = { .alloc = account_alloc(&a) };
    caws_conn *ws = caws_new_server(&cfg, transport);
    sim.block = a.bytes;
    caws_free(ws);
    if (a.blocks != 0)
        broken(NULL, "a conn that did nothing left memory behind");
}

void setup_world(void)
{
    static const uint32_t calms[] = { 0, 0, 5000, 1000, 200 };
    size_t pairs = choose_pairs();
    bool wired = one_in(3);
    sim.count = 2 * pairs;
    sim.now = one_in(2) ? draw(1000000) : 0;
    sim.calm = PICK(calms);
    sim.weather_at = sim.calm > 0 ? sim.now + draw(sim.calm) : SIM_NEVER;
    sim.lag = one_in(4) ? 1 + draw(200) : 0;
    for (unsigned i = 0; i < sim.count; i += 2) {
        bool subprotocol = one_in(3);
        choose(&sim.ends[i], i, subprotocol);
        choose(&sim.ends[i + 1], i + 1, subprotocol);
    }
    measure_block(&sim.ends[0].transport);
    sim.faults = one_in(2) || sim.inject.on;
    for (unsigned i = 0; i < sim.count; i += 2) {
        bear(&sim.ends[i], wired);
        bear(&sim.ends[i + 1], wired);
    }
}

/* ---- How a pair ends ----------------------------------------------------- */

/* With a timeout off, nothing but the network ends it where that is broken. */
static bool may_hang(const struct end *e)
{
    bool broken_off = e->out.stalled == SIM_NEVER || e->out.cut;
    return !e->ws || (e->cfg.handshake_timeout_ms == CAWS_OFF && e->state == CAWS_CONNECTING) ||
           ((e->cfg.ping_interval_ms == CAWS_OFF || e->cfg.pong_timeout_ms == CAWS_OFF) &&
            (broken_off || e->peer->out.stalled == SIM_NEVER || e->peer->out.cut));
}

enum fate { CLIENT_CLOSES, SERVER_CLOSES, BOTH_CLOSE, BREAKS, FALLS_SILENT };

void setup_end_phase(struct end *e)
{
    int fate;
    if (e->client)
        e->fate = e->peer->fate = (int)draw(5);
    fate = e->fate;
    e->act_at = e->ws ? sim.now : SIM_NEVER;
    if (may_hang(e) || may_hang(e->peer))
        fate = BREAKS;
    if (e->ws && (fate == BOTH_CLOSE || fate == (e->client ? CLIENT_CLOSES : SERVER_CLOSES)))
        act_close(e, 1001, "the end");
    if (fate == BREAKS && !e->reset)
        network_reset(e);
    if (fate == FALLS_SILENT)
        e->out.stalled = SIM_NEVER;
}
