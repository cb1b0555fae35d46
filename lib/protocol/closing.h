/* The closing handshake (RFC 6455 section 7), and failing a connection. */
#ifndef CAWS__CLOSING_H
#define CAWS__CLOSING_H

#include "protocol/conn.h"

/* Fail the connection (7.1.7): on_error, the Close frame that is owed, and no
 * more input. detail names the rule and its section, in at most 123 bytes:
 * it is also the Close frame's reason. Only while handlers may run. */
void caws__fail(struct caws_conn *ws, int error, const char *detail);

/* The same for want of memory for what was received. */
void caws__fail_no_memory(struct caws_conn *ws);

/* The same where nobody is left to be told. */
void caws__fail_silently(struct caws_conn *ws, int error, const char *detail);

/* on_error, once; nothing else changes. */
void caws__report(struct caws_conn *ws, int error, const char *detail);

/* The peer's Close frame has come, with this payload. */
void caws__close_received(struct caws_conn *ws, const uint8_t *payload,
                          size_t len);

/* on_close if both Close frames are exchanged and ours has left. */
void caws__finish_if_closed(struct caws_conn *ws);
/* CLOSED: on_close, if it is owed and has not been called. */
void caws__finish(struct caws_conn *ws);

/* The peer's end has come, and nothing is held that came before it. */
void caws__end(struct caws_conn *ws, int error, const char *detail);

#endif
