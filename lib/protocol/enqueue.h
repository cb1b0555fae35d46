/* Frames, of the application's and of the protocol's making, on their way into
 * the outbox: room for them, their masking, and what the transport takes. */
#ifndef CAWS__ENQUEUE_H
#define CAWS__ENQUEUE_H

#include <string.h>

#include "protocol/conn.h"

/* A frame is queued: the last of its message, if fin. */
static inline void caws__enqueue_count(const struct caws_conn *ws, bool fin)
{
    if (fin && ws->transport->counters)
        ws->transport->counters->messages_out++;
}

/* Is it a server's small frame, and the queue less than half full with it? */
static inline bool caws__enqueue_is_small(const struct caws_conn *ws,
                                          size_t len)
{
    return !ws->client && len <= CAWS__CONTROL_MAX &&
           ws->out->queued + 2 + len <= caws__max_buffered(ws->cfg) / 2;
}

/* Such a frame, in the last node, which has room for it. */
static inline void caws__enqueue_small(struct caws_conn *ws, uint8_t opcode,
                                       bool fin, const void *data, size_t len)
{
    uint8_t *to = ws->out->last->bytes + ws->out->last->len;
    to[0] = (uint8_t)((fin ? CAWS__FIN : 0) | opcode);
    to[1] = (uint8_t)len;
    caws__outbox_commit(ws->out, 2 + len, len);
    caws__enqueue_count(ws, fin);
    if (len > 0) /* last, so that nothing has to be saved from the call */
        memcpy(to + 2, data, len);
}

/* The same behind others, if that is how it is: 60 instructions instead of
 * 200. Nothing changes by it but that there is more of it. */
static inline bool caws__enqueue_behind(struct caws_conn *ws, uint8_t opcode,
                                        bool fin, const void *data, size_t len)
{
    if (!caws__outbox_may_grow(ws->out, 2 + len) ||
        !caws__enqueue_is_small(ws, len))
        return false;
    caws__enqueue_small(ws, opcode, fin, data, len);
    return true;
}

/* Any frame. CAWS_ERR_FULL, CAWS_ERR_RANDOM or CAWS_ERR_NOMEM, and then
 * nothing is queued. */
int caws__enqueue(struct caws_conn *ws, uint8_t opcode, bool fin,
                  const void *data, size_t len);

/* The first and the last step of it, for frames that exist already. */
int caws__enqueue_make_room(struct caws_conn *ws, size_t size);
void caws__enqueued(struct caws_conn *ws, bool fin);

/* Queue a control frame of at most 125 bytes. CAWS_ERR_NOMEM or
 * CAWS_ERR_RANDOM, and then nothing is queued. */
int caws__enqueue_control(struct caws_conn *ws, enum caws__kind kind,
                          const void *data, size_t len);

/* A Ping, unless one waits to leave, and the wait for its answer. */
int caws__enqueue_ping(struct caws_conn *ws, const void *data, size_t len);

/* The transport has taken len bytes. Calls no handler. */
void caws__taken(struct caws_conn *ws, size_t len);

#endif
