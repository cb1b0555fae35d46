/* Invariants of what a conn tells, and when: deliveries, errors, the end, and
 * deadlines. */
#include <string.h>

#include "sim.h"

uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- Time ---------------------------------------------------------------- */

uint64_t paused_for(const struct end *e)
{
    return e->paused_ms + (e->paused ? sim.now - e->paused_at : 0);
}

static uint64_t timeout(uint32_t value, uint32_t fallback)
{
    value = limit(value, fallback);
    return value == CAWS_OFF ? SIM_NEVER / 4 : value;
}

/* The last sign of life, from the peer or of ours. */
static uint64_t quiet_since(const struct end *e)
{
    uint64_t at = later(later(e->heard, e->taken), later(e->pinged, e->resumed));
    return later(at, e->opened);
}

static uint64_t message_due(const struct end *e)
{
    uint64_t paused = paused_for(e) - e->in.since_paused;
    return wire_is_clean(&e->in)
               ? SIM_NEVER
               : e->in.since + paused + timeout(e->cfg.message_timeout_ms, 60000);
}

static uint64_t closing_due(const struct end *e)
{
    uint64_t ms = timeout(e->cfg.close_timeout_ms, 5000);
    uint64_t due = later(e->closing, e->taken) + ms, last = e->closing + 4 * ms;
    return due < last ? due : last;
}

void heard(struct end *e)
{
    e->heard = sim.now;
    e->heard_paused = paused_for(e);
}

/* Before a tick: it sends a Ping only after so much silence, pauses apart. */
void check_ping_time(struct end *e)
{
    uint64_t interval = timeout(e->cfg.ping_interval_ms, 30000);
    if (sim.now >= e->heard + interval + paused_for(e) - e->heard_paused)
        e->may_ping = true;
}

/* Has a timeout passed, which may end it now? */
bool check_patience(const struct end *e)
{
    uint64_t pong = timeout(e->cfg.pong_timeout_ms, 20000);
    uint64_t interval = timeout(e->cfg.ping_interval_ms, 30000);
    if (e->state == CAWS_CONNECTING)
        return sim.now >= e->born + timeout(e->cfg.handshake_timeout_ms, 10000);
    if (e->state >= CAWS_CLOSING)
        return sim.now >= closing_due(e);
    return sim.now >= message_due(e) ||
           (sim.now >= quiet_since(e) + pong &&
            (e->pinged >= e->heard || sim.now >= e->heard + interval + pong));
}

/* caws_deadline must not be later than what it waits for. */
void check_deadline(const struct end *e)
{
    uint64_t pong = timeout(e->cfg.pong_timeout_ms, 20000);
    uint64_t interval = timeout(e->cfg.ping_interval_ms, 30000);
    uint64_t due = SIM_NEVER / 4, message = message_due(e), deadline = caws_deadline(e->ws);
    if (caws_wants(e->ws) & CAWS_WANT_CLOSE)
        return;
    if (e->state == CAWS_CONNECTING)
        due = e->born + timeout(e->cfg.handshake_timeout_ms, 10000);
    else if (e->state >= CAWS_CLOSING)
        due = e->closing + 4 * timeout(e->cfg.close_timeout_ms, 5000);
    else if (e->paused)
        return;
    else
        due = quiet_since(e) + interval + pong + sim.lag;
    if (e->state == CAWS_OPEN && message != SIM_NEVER && e->got == e->in.messages) {
        message = later(message, later(e->resumed, e->opened) +
                                     timeout(e->cfg.message_timeout_ms, 60000));
        due = message < due ? message : due;
    }
    if (due < SIM_NEVER / 4 && deadline > due)
        broken(e, "the deadline is %llu, after %llu", (unsigned long long)deadline,
               (unsigned long long)due);
}

/* ---- Delivery ------------------------------------------------------------ */

/* All that has arrived was delivered, unless that is held. */
void check_delivered(const struct end *e)
{
    if (e->state != CAWS_OPEN || e->told != TOLD_OPEN || e->paused)
        return;
    if (e->got != e->in.messages || (e->streams && e->got_bytes != e->in.payload))
        broken(e, "%u messages arrived, %u were delivered", e->in.messages, e->got);
    if (e->in_pings.count + e->in_pongs.count > 0)
        broken(e, "a Ping or Pong arrived, and was not reported");
}

/* ---- Errors -------------------------------------------------------------- */

/* Two ends of caws never break the protocol. What else went wrong? */
static bool has_cause(const struct end *e, int error)
{
    const struct end *peer = e->peer;
    bool small_head = e->cfg.max_head != 0 || peer->cfg.max_head != 0;
    switch (error) {
    case CAWS_ERR_NOMEM: return e->memory.failed > 0;
    case CAWS_ERR_RANDOM: return e->random_failed > 0;
    case CAWS_ERR_TIMEOUT: return check_patience(e);
    case CAWS_ERR_TOO_BIG: return peer->longest > limit((uint32_t)e->cfg.max_message, 1 << 20);
    case CAWS_ERR_LIMIT:
        return peer->most_pieces > limit(e->cfg.max_fragments, 4096) ||
               e->in.pings + e->in.pongs > limit(e->cfg.max_control_burst, 64) ||
               (e->undecided && small_head);
    case CAWS_ERR_EOF: return e->fed_end || e->peer->out.ended || e->aborted;
    case CAWS_ERR_SYS: return e->fed_end && e->reset;
    case CAWS_ERR_REFUSED: return e->client && e->in.status != 101;
    case CAWS_ERR_HANDSHAKE: return small_head;
    default: return false;
    }
}

void check_error(const struct end *e, int error)
{
    if (!has_cause(e, error))
        broken(e, "error %d without a cause", error);
}

/* ---- The end ------------------------------------------------------------- */

static void check_who(const struct end *e, const caws_close_event *event)
{
    bool peer = e->in.closes > 0 && e->error == CAWS_OK && !e->aborted && !e->asked_close &&
                !e->fed_end;
    bool broke = e->error == CAWS_ERR_EOF || e->error == CAWS_ERR_SYS;
    bool ours = e->asked_close || e->aborted;
    if ((e->asked_close && !broke && event->ended_by != CAWS_BY_US) ||
        (peer && event->ended_by != CAWS_BY_PEER) ||
        (broke && !ours && event->ended_by != CAWS_BY_TRANSPORT))
        broken(e, "ended by %d", (int)event->ended_by);
}

void check_close(struct end *e, const caws_close_event *event)
{
    const struct wire *in = &e->in;
    size_t reason = in->close_len > 2 ? in->close_len - 2 : 0;
    bool both = in->closes > 0 && e->wire.closes > 0;
    bool plain = e->error == CAWS_OK && !e->aborted && !e->fed_end;
    if (!e->owed)
        broken(e, "on_close that is not owed");
    if (event->was_clean && !both)
        broken(e, "clean, and the Closes were not exchanged");
    if (both && plain && !event->was_clean)
        broken(e, "unclean, and both Closes were exchanged");
    if (event->error != e->error)
        broken(e, "on_close tells error %d, on_error %d", event->error, e->error);
    if (event->code == 1006 ? (in->closes > 0 && plain) || event->was_clean
                            : in->closes == 0 || event->code != in->close_code)
        broken(e, "on_close tells code %u", event->code);
    if (event->code == 1006 ? event->reason_len != 0
                            : event->reason_len != reason ||
                                  memcmp(event->reason, in->close + 2, reason) != 0)
        broken(e, "on_close tells another reason");
    if (e->error == CAWS_ERR_EOF && e->state == CAWS_OPEN && !e->asked_close && !e->aborted &&
        e->got != e->in.messages)
        broken(e, "an orderly end, and %u of %u messages were delivered", e->got,
               e->in.messages);
    check_who(e, event);
}

/* Whoever sent all, closed, and was answered has been heard. */
void check_farewell(const struct end *e)
{
    const struct end *peer = e->peer;
    size_t whole = peer->message_count - peer->streaming;
    if (e->owed && e->state == CAWS_CLOSED && !e->closed)
        broken(e, "on_close did not come");
    if (e->closed && e->event.was_clean && e->error == CAWS_OK && !e->asked_close &&
        peer->asked_close && !peer->discarded && peer->error == CAWS_OK && e->got != whole)
        broken(e, "a clean end, and %u of %u messages", e->got, (unsigned)whole);
}

/* The world is quiet: an OPEN pair has nothing left to do. */
void check_idle(const struct end *e)
{
    const struct end *peer = e->peer;
    const struct control *pong = controls_first((struct controls *)&e->pongs);
    bool never = e->cfg.ping_interval_ms == CAWS_OFF;
    if (e->state != CAWS_OPEN || !peer->ws || peer->state != CAWS_OPEN || e->reset ||
        e->out.stalled == SIM_NEVER || peer->out.stalled == SIM_NEVER || e->out.cut ||
        peer->out.cut || e->discarded || peer->discarded)
        return;
    if (e->wants != CAWS_WANT_READ || caws_buffered_amount(e->ws) != 0 || e->above)
        broken(e, "is not idle when all is quiet");
    if (e->got != peer->message_count || e->paused || e->streaming)
        broken(e, "all is quiet, and %u of %u messages came", e->got,
               (unsigned)peer->message_count);
    if (pong && !pong->may_vanish)
        broken(e, "all is quiet, and a Pong was not sent");
    if (e->deadline == SIM_NEVER && !never)
        broken(e, "is idle without a deadline");
}
