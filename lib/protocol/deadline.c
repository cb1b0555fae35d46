/* All timeouts as one next moment: caws_deadline and caws_tick. */
#include "protocol/closing.h"
#include "protocol/opening.h"
#include "protocol/receive.h"
#include "protocol/enqueue.h"
#include "protocol/state.h"

/* An OPEN conn waits for the end of a message, and for any byte: first a
 * whole ping_interval_ms, then, once it has sent a Ping, until phase. */
static uint64_t deadline_alive(const struct caws_conn *ws)
{
    return ws->pinging ? ws->time.phase
                       : caws__after(ws->time.phase,
                                     caws__ping_interval(ws->cfg));
}

uint64_t caws_deadline(const caws_conn *ws)
{
    uint64_t alive, message;
    if (caws__is_plain(ws))
        return deadline_alive(ws);
    if (ws->over)
        return CAWS__NEVER;
    if (ws->rearm || ws->resumed || caws__receive_pending(ws))
        return 0;
    if (ws->state != CAWS_OPEN)
        return ws->time.phase;
    if (ws->paused)
        return CAWS__NEVER;
    alive = deadline_alive(ws);
    message = caws__message_due(ws);
    return alive < message ? alive : message;
}

static void deadline_open(struct caws_conn *ws)
{
    int result;
    if (ws->paused)
        return;
    if (ws->time.now >= caws__message_due(ws)) {
        caws__fail(ws, CAWS_ERR_TIMEOUT,
                   "a message took longer than message_timeout_ms, "
                   "RFC 6455 section 10.4");
    } else if (ws->time.now < deadline_alive(ws)) {
        return;
    } else if (ws->pinging) {
        caws__fail_silently(ws, CAWS_ERR_TIMEOUT,
                            "nothing came within pong_timeout_ms of a Ping, "
                            "RFC 6455 section 5.5.2");
    } else {
        result = caws__enqueue_ping(ws, NULL, 0);
        if (result != CAWS_OK)
            caws__fail(ws, result, "a Ping could not be built, "
                                   "RFC 6455 section 5.5.2");
    }
}

static void deadline_closing(struct caws_conn *ws)
{
    if (ws->time.now < ws->time.phase)
        return;
    if (ws->deaf) {
        ws->over = true;
        caws__finish(ws);
    } else {
        caws__fail_silently(ws, CAWS_ERR_TIMEOUT,
                            "no Close came within close_timeout_ms of ours, "
                            "RFC 6455 section 7.1.1");
    }
}

void caws_tick(caws_conn *ws, uint64_t now_ms)
{
    caws__clock(ws, now_ms);
    if (ws->ping_left) /* the first tick after it left knows better when */
        ws->time.pinged = (uint32_t)ws->time.now;
    ws->ping_left = false;
    if (ws->over)
        return;
    if (caws__receive_pending(ws))
        caws__receive_held(ws);
    caws__settle(ws);
    if (ws->over)
        return;
    if (ws->state == CAWS_CONNECTING && ws->time.now >= ws->time.phase)
        caws__opening_late(ws);
    else if (ws->state == CAWS_OPEN)
        deadline_open(ws);
    else if (ws->state >= CAWS_CLOSING)
        deadline_closing(ws);
    caws__settle(ws);
}
