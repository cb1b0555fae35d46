#include "protocol/state.h"

#include <assert.h>

/* Legal changes of the ready state, which only moves forward:
 *
 *   CONNECTING -> OPEN      the opening handshake is done (4.1, 4.2.2)
 *   CONNECTING -> CLOSING   failed, refused or aborted before that
 *   CONNECTING -> CLOSED    the transport ended before that
 *   OPEN       -> CLOSING   a Close was queued or received (7.1.3), or it was
 *                           failed or aborted (7.1.7)
 *   OPEN       -> CLOSED    the transport ended without a Close
 *   CLOSING    -> CLOSED    both Closes are exchanged, or the transport or our
 *                           patience ended (7.1.4) */
void caws__enter(struct caws_conn *ws, caws_state state)
{
    static const uint8_t from[] = {
        [CAWS_CONNECTING] = 0,
        [CAWS_OPEN] = 1u << CAWS_CONNECTING,
        [CAWS_CLOSING] = 1u << CAWS_CONNECTING | 1u << CAWS_OPEN,
        [CAWS_CLOSED] = 1u << CAWS_CONNECTING | 1u << CAWS_OPEN |
                        1u << CAWS_CLOSING,
    };
    assert(from[state] & 1u << ws->state);
    (void)from;
    if (state != CAWS_OPEN && ws->state < CAWS_CLOSING)
        ws->time.paused = CAWS__NEVER; /* nothing has been put off yet */
    ws->state = (uint8_t)state;
    if (state == CAWS_OPEN)
        return;
    ws->rearm = true;
    ws->paused = false; /* to hear the peer's Close; nothing is delivered */
}

void caws__changed(struct caws_conn *ws)
{
    if (ws->transport->changed)
        ws->transport->changed(ws);
}

void caws__end_by(struct caws_conn *ws, caws_ended_by who)
{
    if (!ws->ended)
        ws->ended_by = (uint8_t)who;
    ws->ended = true;
}

/* ---- The clock --------------------------------------------------------- */

/* Each byte that the peer takes of the last words puts the end off, four
 * times close_timeout_ms in all. */
static uint64_t state_closing_due(struct caws_conn *ws)
{
    uint32_t ms = caws__close_timeout(ws->cfg);
    uint64_t now = ws->time.now, due = caws__after(now, ms);
    if (ws->time.paused == CAWS__NEVER && due != CAWS__NEVER)
        ws->time.paused = now + 4 * (uint64_t)ms;
    return due < ws->time.paused ? due : ws->time.paused;
}

static uint64_t state_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What stood still while the conn was paused goes on, as if begun now at the
 * latest: it may have begun in the pause, or since. */
static void state_resume(struct caws_conn *ws)
{
    uint64_t now = ws->time.now, stood = now - ws->time.paused;
    ws->time.phase = state_earlier(ws->time.phase + stood, now);
    if (caws__message_due(ws) != CAWS__NEVER)
        ws->input->due = state_earlier(
            ws->input->due + stood,
            caws__after(now, caws__message_timeout(ws->cfg)));
    if (ws->pinging)
        ws->rearm = true;
}

void caws_pause(caws_conn *ws)
{
    if (ws->paused || ws->state >= CAWS_CLOSING)
        return;
    ws->paused = true;
    if (!ws->resumed) /* else the pause before has not been counted yet */
        ws->time.paused = ws->time.now;
    ws->resumed = false;
    caws__changed(ws);
}

void caws_resume(caws_conn *ws)
{
    if (!ws->paused)
        return;
    ws->paused = false;
    ws->resumed = true;
    caws__changed(ws);
}

void caws__settle_timers(struct caws_conn *ws)
{
    if (ws->resumed && ws->state == CAWS_OPEN)
        state_resume(ws);
    ws->resumed = false;
    if (!ws->rearm)
        return;
    ws->rearm = false;
    if (ws->state == CAWS_CONNECTING)
        ws->time.phase = caws__after(ws->time.now,
                                     caws__handshake_timeout(ws->cfg));
    else if (ws->state >= CAWS_CLOSING)
        ws->time.phase = state_closing_due(ws);
    else if (ws->pinging)
        ws->time.phase = caws__after(ws->time.now,
                                     caws__pong_timeout(ws->cfg));
    else
        ws->time.phase = ws->time.now;
}

/* Of two moments only the low half is kept. Before it could be taken for a
 * later one, it is of no more use: a round trip of 49 days is none, and in 4
 * seconds all of the allowance has come back. */
static void state_advance(struct caws_conn *ws, uint64_t now_ms)
{
    uint64_t passed = now_ms - ws->time.now;
    uint32_t low = (uint32_t)ws->time.now;
    if (passed >= UINT32_MAX - (low - ws->time.pinged))
        ws->measuring = false;
    if (state_earlier(passed, 4000) + (low - ws->time.control) >= 4000)
        ws->controls = 0;
    ws->time.now = now_ms;
}

void caws__clock(struct caws_conn *ws, uint64_t now_ms)
{
    if (!ws->clocked) {
        ws->time.phase = ws->time.now = now_ms;
        ws->time.control = ws->time.pinged = (uint32_t)now_ms;
    }
    ws->clocked = true;
    if (now_ms > ws->time.now)
        state_advance(ws, now_ms);
    caws__settle(ws);
}
