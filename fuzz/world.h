/* The target api's conn and all that must hold for it whatever is called: the
 * promises of caws.h, watched from outside. */
#ifndef WORLD_H
#define WORLD_H

#include <caws.h>

#include "fuzz.h"
#include "model.h"

struct world {
    caws_conn *ws;
    caws_config cfg;
    caws_transport transport;
    caws_counters counters;
    struct input in;
    uint64_t now;
    bool client, handshake;

    /* What happened. */
    struct bytes output;      /* all that left */
    struct bytes sent;        /* messages of ours, each a trace line */
    size_t ends[256];         /* of those lines in sent */
    size_t count;
    struct bytes part;        /* the fragmented message of ours under way */
    bool parted, part_text;
    size_t written_now, fed;
    unsigned changed, handlers, messages;
    unsigned requests, opened, errors, closes;
    int answered;             /* by on_request */
    bool owed;                /* on_close will come */
    bool paused;              /* by the application */
    bool aborted, discarded, closed_by_peer, saw_shutdown;
    caws_state state;         /* the last one seen */

    /* The environment: these many more calls succeed, then one fails. */
    unsigned allocs_left, randoms_left;
    bool alloc_failed, random_failed; /* in this call; and in all */
    unsigned failures;
    size_t blocks, bytes;

    /* Called in handlers: does something. */
    void (*act)(struct world *w);
    unsigned depth;
};

void world_new(struct world *w, unsigned how);
/* Everything that must be true between two calls. */
void world_check(struct world *w);
/* Around one call of the application side. */
struct before {
    caws_state state;
    unsigned wants, changed, handlers;
    uint64_t deadline;
    size_t buffered, written_now;
    bool needs_drain;
};
struct before world_before(struct world *w);
void world_after(struct world *w, const struct before *b, int result);
/* A message of ours was queued whole. */
void world_sent(struct world *w, bool text, const void *data, size_t len);
/* The transport takes at most len bytes; time comes to all that is due. */
void world_take(struct world *w, size_t len);
void world_tick(struct world *w);
void world_resume(struct world *w);
/* Takes all output, ends the transport, and checks what it all came to. */
void world_end(struct world *w);

#endif
