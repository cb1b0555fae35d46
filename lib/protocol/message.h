/* Received frames become messages (RFC 6455 section 5.4): the limits on one
 * message, its type, its UTF-8, and the bytes of one that came in pieces. */
#ifndef CAWS__MESSAGE_H
#define CAWS__MESSAGE_H

#include <caws.h>
#include "protocol/buffer.h"
#include "protocol/frame.h"
#include "protocol/utf8.h"

struct caws__message {
    struct caws__buffer data; /* what came before, unless it is streamed */
    uint64_t received;        /* bytes announced by its frames so far    */
    uint32_t fragments;       /* frames; 0: no message is under way      */
    uint8_t type;             /* caws_type                               */
    bool streamed;            /* a piece of it has been delivered        */
    struct caws__utf8 utf8;
};

struct caws__message_limits {
    size_t max_message;
    uint32_t max_fragments;
};

/* A data frame's header has come. CAWS_OK, CAWS_ERR_TOO_BIG or CAWS_ERR_LIMIT,
 * with *detail. */
int caws__message_frame(struct caws__message *m,
                        const struct caws__message_limits *limits,
                        const struct caws__frame *frame, const char **detail);

/* The next bytes of its payload, unmasked: still UTF-8, if it is text? */
bool caws__message_check(struct caws__message *m, const uint8_t *data,
                         size_t len, bool last);

/* Append masked payload: it is unmasked while it is copied. end is how long
 * the message can become, as far as its frames have said. */
int caws__message_add(struct caws__message *m, const caws_alloc *alloc,
                      const uint8_t *data, size_t len, const uint8_t key[4],
                      size_t phase, size_t end);

/* Back to "no message". The data has been freed or handed over. */
void caws__message_reset(struct caws__message *m);

#endif
