/* What the application and the protocol send becomes queued frames. */
#ifndef CAWS__SEND_H
#define CAWS__SEND_H

#include "protocol/conn.h"

/* Queue a control frame of at most 125 bytes. CAWS_ERR_NOMEM or
 * CAWS_ERR_RANDOM, and then nothing is queued. */
int caws__send_control(struct caws_conn *ws, enum caws__kind kind,
                       const void *data, size_t len);

/* A Ping, and the wait for its answer. */
int caws__send_ping(struct caws_conn *ws, const void *data, size_t len);

/* The transport has taken len bytes. Calls no handler. */
void caws__send_taken(struct caws_conn *ws, size_t len);

#endif
