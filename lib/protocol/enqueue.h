/* Frames, of the application's and of the protocol's making, on their way into
 * the outbox: room for them, their masking, and what the transport takes. */
#ifndef CAWS__ENQUEUE_H
#define CAWS__ENQUEUE_H

#include "protocol/conn.h"

/* A data frame that is to be sent. */
struct caws__outgoing {
    const void *data;
    size_t len;
    uint8_t opcode;
    bool fin;
};

/* CAWS_ERR_FULL, CAWS_ERR_RANDOM or CAWS_ERR_NOMEM, and then nothing is
 * queued. */
int caws__enqueue(struct caws_conn *ws, const struct caws__outgoing *f);

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
