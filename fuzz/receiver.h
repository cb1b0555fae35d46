/* One conn that receives, with all that it is told and sends written down. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <caws.h>

#include "fuzz.h"
#include "model.h"

struct receiver {
    caws_conn *ws;
    caws_config cfg;
    bool echo, pause;      /* the application: sends each message back, pauses at every
                              second, */
    unsigned close_at;     /* closes with 3000 at this one */
    bool hold;             /* output is taken at the end alone */
    struct bytes events;   /* a trace in the model's words */
    struct bytes output;   /* all of it, as it left */
    struct bytes chunks;   /* of the message that is streamed */
    char detail[124];      /* on_error's sentence; "" where it did not come */
    unsigned messages, errors, closes;
    bool streaming, paused;
};

/* Handlers and random source; what is set in cfg before stays. stream: with
 * on_chunk. Then r->ws = caws_new_*(..., &r->cfg, NULL). */
void receiver_init(struct receiver *r, bool stream);
/* Feed it all, in pieces. Resumes after a pause, by a tick or just by the next
 * feed, as seed decides. */
void receiver_feed(struct receiver *r, const uint8_t *data, size_t len, unsigned seed);
/* The transport ends; what must be true of any conn then; frees the conn. */
void receiver_end(struct receiver *r);
void receiver_free(struct receiver *r);

/* What it sent, from output.data[from] on, as a stream of frames that keeps
 * every rule, to the last byte. Fills heard, echoed, reason. */
void receiver_sent(const struct receiver *r, bool client, size_t from, struct model *m);
/* Events, messages and control frames are those of m. */
void receiver_compare(const struct receiver *r, size_t from, const struct model *m);

#endif
