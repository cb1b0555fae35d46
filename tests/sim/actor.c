/* What applications do, when their time has come and inside handlers: anything
 * that the header allows. */
#include <string.h>

#include "sim.h"

static uint8_t bytes[126]; /* of a Ping or Pong */

/* After a call of the application side: the loop looks again only if it was
 * told to. Where the conn is inside one of the four calls, it looks anyway. */
void called(struct end *e)
{
    if (e->inside > 0)
        return;
    if (!e->stale && (caws_wants(e->ws) != e->wants || caws_deadline(e->ws) != e->deadline))
        broken(e, "wants or the deadline changed, and transport.changed was not called");
    if (e->stale)
        look(e);
    check_end(e);
}

/* ---- Flow control ------------------------------------------------------- */

void act_pause(struct end *e)
{
    note(e, "pause", 0, 0);
    caws_pause(e->ws);
    if (!e->paused && caws_ready_state(e->ws) < CAWS_CLOSING) {
        e->paused = true;
        e->paused_at = sim.now;
    }
    called(e);
}

void act_resume(struct end *e)
{
    note(e, "resume", 0, 0);
    caws_resume(e->ws);
    if (e->paused) {
        e->paused = false;
        e->paused_ms += sim.now - e->paused_at;
        e->resumed = sim.now;
    }
    called(e);
}

/* ---- Control ------------------------------------------------------------- */

static bool control_failed(const struct end *e, int result, uint64_t failures)
{
    return (result == CAWS_ERR_NOMEM || result == CAWS_ERR_RANDOM) &&
           e->memory.failed + e->random_failed > failures;
}

static bool may_control(const struct end *e)
{
    return caws_ready_state(e->ws) == CAWS_OPEN && !e->discarded;
}

static size_t fill_small(void)
{
    size_t len = one_in(4) ? 125 : 1 + (size_t)draw(20);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)draw(256);
    return len;
}

static void act_ping(struct end *e)
{
    size_t len = fill_small(), waiting = e->pings.count - e->pings.first;
    uint64_t failures = e->memory.failed + e->random_failed;
    int result = caws_ping(e->ws, bytes, len);
    note(e, "ping", len, (uint64_t)-result);
    if (result == CAWS_OK) {
        if (waiting > 0 || !may_control(e))
            broken(e, "a Ping was accepted that may not be");
        controls_push(&e->pings, bytes, len);
        e->pinged = sim.now;
    } else if (!control_failed(e, result, failures) &&
               (result == CAWS_ERR_STATE ? may_control(e)
                : result == CAWS_ERR_FULL
                    ? waiting == 0 && e->cfg.ping_interval_ms == CAWS_OFF
                    : true)) {
        broken(e, "a Ping came to %d", result);
    }
    called(e);
}

static void act_pong(struct end *e)
{
    size_t len = fill_small(), waiting = e->pongs.count - e->pongs.first;
    uint64_t failures = e->memory.failed + e->random_failed;
    bool full = waiting >= limit(e->cfg.max_control_burst, 64);
    int result = caws_pong(e->ws, bytes, len);
    note(e, "pong", len, (uint64_t)-result);
    if (result == CAWS_OK) {
        if (!may_control(e))
            broken(e, "a Pong was accepted that may not be");
        controls_push(&e->pongs, bytes, len);
    } else if (!control_failed(e, result, failures) &&
               (result == CAWS_ERR_STATE ? may_control(e) : result != CAWS_ERR_FULL || !full)) {
        broken(e, "a Pong came to %d", result);
    }
    called(e);
}

/* ---- The end -------------------------------------------------------------- */

void act_close(struct end *e, uint16_t code, const char *reason)
{
    caws_state before = caws_ready_state(e->ws);
    bool over = caws_wants(e->ws) & CAWS_WANT_CLOSE;
    int result = caws_close(e->ws, code, reason), wanted = CAWS_OK;
    note(e, "close", code, (uint64_t)-result);
    if (before >= CAWS_CLOSING || over)
        wanted = CAWS_ERR_STATE;
    if (result != wanted)
        broken(e, "caws_close came to %d, not %d", result, wanted);
    if (result == CAWS_OK && before == CAWS_OPEN) {
        e->asked_close = true;
        e->asked_code = code;
        strcpy(e->asked_reason, reason ? reason : "");
    } else if (result == CAWS_OK) {
        e->aborted = true;
    }
    called(e);
}

static void act_close_somehow(struct end *e)
{
    static const uint32_t codes[] = { 0, 1000, 1001, 1008, 3000, 4999 };
    uint16_t code = (uint16_t)PICK(codes);
    act_close(e, code, code > 0 && one_in(2) ? "\xe2\x82\xac and so on" : NULL);
}

static void act_abort(struct end *e)
{
    note(e, "abort", 0, 0);
    if (caws_ready_state(e->ws) < CAWS_CLOSED)
        e->aborted = true;
    caws_abort(e->ws);
    called(e);
}

static void act_discard(struct end *e)
{
    note(e, "discard", 0, 0);
    caws_discard(e->ws);
    check_dropped(e);
    called(e);
}

static void act_decide(struct end *e)
{
    bool accept = !one_in(5);
    int result = accept ? caws_accept(e->ws) : caws_refuse(e->ws, 403);
    note(e, accept ? "accept" : "refuse", (uint64_t)-result, 0);
    if (caws_ready_state(e->ws) == CAWS_CONNECTING && result == CAWS_ERR_NOMEM)
        return;
    e->undecided = false;
    called(e);
}

/* A server that is full turns a client away before it has read a thing. */
static void act_turn_away(struct end *e)
{
    int result = caws_refuse(e->ws, 503);
    note(e, "turn away", (uint64_t)-result, 0);
    called(e);
}

/* A redirect to another transport, which goes to the same server, as that has
 * heard nothing yet. */
static void act_retarget(struct end *e)
{
    uint64_t failures = e->memory.failed + e->random_failed;
    int result = caws_retarget(e->ws, "ws://sim.example/");
    note(e, "retarget", (uint64_t)-result, 0);
    if (result == CAWS_OK) {
        e->out.len = e->out.start = e->out.count = 0;
        e->shown_at = e->shown_len = 0;
        wire_init(&e->offer, e, true);
        wire_init(&e->wire, e, true);
        check_wire(e);
        e->born = sim.now;
    } else if (!control_failed(e, result, failures)) {
        broken(e, "caws_retarget came to %d", result);
    }
    called(e);
}

static bool may_retarget(const struct end *e)
{
    return e->client && e->peer->in.head_at == 0 && e->in.head_at == 0 && !e->out.cut;
}

/* What may not be changes nothing. */
static void act_wrongly(struct end *e)
{
    if (caws_send(e->ws, CAWS_TEXT, "\xff", 1) != CAWS_ERR_UTF8 ||
        caws_send(e->ws, (caws_type)3, "", 0) != CAWS_ERR_ARG ||
        caws_ping(e->ws, bytes, 126) != CAWS_ERR_ARG ||
        caws_close(e->ws, 1005, NULL) != CAWS_ERR_ARG ||
        caws_close(e->ws, 1000, "\xff") != CAWS_ERR_UTF8)
        broken(e, "a wrong argument was not refused");
    called(e);
}

/* ---- Which --------------------------------------------------------------- */

static void act_connecting(struct end *e)
{
    uint64_t what = draw(600);
    if (e->undecided && what < 200)
        act_decide(e);
    else if (what == 200 && one_in(4))
        act_close_somehow(e);
    else if (what == 201 && one_in(4))
        act_abort(e);
    else if (what == 202 && one_in(2) && !e->client && !e->undecided)
        act_turn_away(e);
    else if (what < 230 && may_retarget(e))
        act_retarget(e);
    else if (what < 260)
        act_pause(e);
    else if (e->paused)
        act_resume(e);
}

/* The peer allows few Pings and Pongs: do not send it many. */
static bool bears_control(const struct end *e)
{
    return limit(e->peer->cfg.max_control_burst, 64) > 8 || one_in(20);
}

static void act_open(struct end *e)
{
    uint64_t what = draw(128);
    if (e->streaming && one_in(2))
        act_stream(e, false);
    else if (e->paused && one_in(4))
        act_resume(e);
    else if (what < 60)
        act_send(e);
    else if (what < 70)
        act_stream(e, false);
    else if (what < 78)
        act_prepared(e);
    else if (what < 90 && bears_control(e))
        act_ping(e);
    else if (what < 98 && bears_control(e))
        act_pong(e);
    else if (what < 105)
        act_pause(e);
    else if (what < 112)
        act_resume(e);
    else if (what < 114)
        act_wrongly(e);
    else if (what == 114 && one_in(6))
        act_close_somehow(e);
    else if (what == 115 && one_in(50))
        act_abort(e);
    else if (what == 116 && one_in(20))
        act_discard(e);
}

/* Anything at any time is an answer, too. */
static void act_closing(struct end *e)
{
    uint64_t what = draw(16);
    if (what == 0)
        act_send(e);
    else if (what == 1)
        act_ping(e);
    else if (what == 2)
        act_close_somehow(e);
    else if (what == 3)
        act_discard(e);
    else if (what == 4)
        act_pause(e);
    else if (what == 5)
        act_resume(e);
    else if (what == 6 && one_in(4))
        act_abort(e);
}

static void act_any(struct end *e)
{
    caws_state state = caws_ready_state(e->ws);
    if (state == CAWS_CONNECTING)
        act_connecting(e);
    else if (state == CAWS_OPEN)
        act_open(e);
    else
        act_closing(e);
}

void act_in_handler(struct end *e)
{
    struct end *to;
    if (sim.phase == SIM_BUSY && e->paused && one_in(4))
        act_resume(e);
    else if (sim.phase == SIM_BUSY && e->sips && e->told == TOLD_OPEN)
        act_pause(e);
    if (sim.phase == SIM_BUSY && e->told == TOLD_ERROR && one_in(8))
        act_close_somehow(e);
    to = one_in(4) ? &sim.ends[draw(sim.count)] : e;
    if (sim.phase == SIM_BUSY && to->ws && one_in(4))
        act_any(to);
}

/* Nothing new: what was begun is brought to its end. */
static void act_quietly(struct end *e)
{
    if (e->paused)
        act_resume(e);
    if (e->undecided)
        act_decide(e);
    if (e->streaming)
        act_stream(e, true);
}

void act(struct end *e)
{
    e->act_at = sim.now + 1 + draw(sim.phase == SIM_BUSY ? 2 * e->busy : 100);
    if (e->over && (sim.phase != SIM_BUSY || one_in(3)))
        service_free(e);
    else if (sim.phase == SIM_BUSY && one_in(20000))
        service_free(e); /* it dies */
    else if (sim.phase == SIM_BUSY)
        act_any(e);
    else if (sim.phase == SIM_QUIET)
        act_quietly(e);
    else
        e->act_at = e->over ? e->act_at : SIM_NEVER;
}
