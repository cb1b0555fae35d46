/* Received control frames (RFC 6455 section 5.5): a Ping is answered, a Pong
 * measured, a Close begins or ends the closing handshake. */
#ifndef CAWS__CONTROL_H
#define CAWS__CONTROL_H

#include "protocol/conn.h"

/* Payload of the control frame under way; last: up to its end. */
void caws__control_bytes(struct caws_conn *ws, uint8_t *data, size_t len,
                         bool last);

#endif
