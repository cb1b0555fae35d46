/* The readyState and the clock of a conn. */
#ifndef CAWS__STATE_H
#define CAWS__STATE_H

#include "protocol/conn.h"

/* The one place where the ready state changes. */
void caws__enter(struct caws_conn *ws, caws_state state);

/* Tell the transport that wants or the deadline may have changed. */
void caws__changed(struct caws_conn *ws);

/* A moment that is ms after now; never, for CAWS_OFF. */
static inline uint64_t caws__after(uint64_t now, uint32_t ms)
{
    return ms == CAWS_OFF || now > CAWS__NEVER - ms ? CAWS__NEVER : now + ms;
}

/* It is now_ms. */
void caws__clock(struct caws_conn *ws, uint64_t now_ms);
/* Give timers that were begun without knowing the time their moment. */
void caws__settle_timers(struct caws_conn *ws);
static inline void caws__settle(struct caws_conn *ws)
{
    if (ws->resumed || ws->rearm)
        caws__settle_timers(ws);
}

/* When the message under way is due; never, if there is none. */
static inline uint64_t caws__message_due(const struct caws_conn *ws)
{
    return ws->input ? ws->input->due : CAWS__NEVER;
}

/* Who ended it: the first to say so. */
void caws__end_by(struct caws_conn *ws, caws_ended_by who);

#endif
