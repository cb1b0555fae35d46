/* Received bytes become handshakes, frames, messages and handlers' calls. */
#ifndef CAWS__RECEIVE_H
#define CAWS__RECEIVE_H

#include "protocol/conn.h"

/* Is something left to do that the application side has begun, and that calls
 * handlers: on_open, on_drain, bytes that were held, an end that was? */
static inline bool caws__receive_pending(const struct caws_conn *ws)
{
    if (ws->open_due || (ws->drain_due && ws->state == CAWS_OPEN))
        return true;
    return ((caws__held(ws) > 0 && !ws->deaf) || ws->eof_due) && !ws->paused &&
           !ws->undecided;
}

/* Do it. */
void caws__receive_held(struct caws_conn *ws);

#endif
