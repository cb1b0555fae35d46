/* The opening handshake of a conn: its head comes in, handlers are asked, and
 * the answer goes out (RFC 6455 section 4). */
#ifndef CAWS__OPENING_H
#define CAWS__OPENING_H

#include "protocol/conn.h"

/* A client's request, into the outbox. */
int caws__opening_begin(struct caws_conn *ws, const caws_url *url);

/* Keep the name of the agreed subprotocol; "" is none. */
bool caws__opening_agree(struct caws_conn *ws, caws_slice subprotocol);

/* Bytes for a conn that is CONNECTING and not undecided. Returns how many
 * belong to the head. */
size_t caws__opening_feed(struct caws_conn *ws, const uint8_t *data,
                          size_t len);

/* on_open; the handshake's memory goes. */
void caws__opening_done(struct caws_conn *ws);

/* Refuse: a response, on_error, and no more input. Only while handlers may
 * run. */
void caws__opening_refuse(struct caws_conn *ws, int status, int error,
                          const char *detail);

/* handshake_timeout_ms has passed. */
void caws__opening_late(struct caws_conn *ws);

#endif
