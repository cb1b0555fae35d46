/* The queue of output: a list of nodes, each a run of whole frames in wire
 * form (or an HTTP head), so a node's end is always a frame's end.
 *
 *   first .. frozen          offered to the transport: stays where it is
 *   .. control               control frames that overtook the data behind them
 *   .. last                  data that has not been offered
 *
 * The frames need no bookkeeping beside them: their headers are ours, and
 * never masked, so they are read again where a frame's bounds are asked for. */
#ifndef CAWS__OUTBOX_H
#define CAWS__OUTBOX_H

#include <caws.h>
#include "protocol/node.h"
#include "protocol/prepared.h"

struct caws__outbox {
    struct caws__node *first, *last;
    struct caws__node *frozen;  /* the last node with offered bytes       */
    struct caws__node *control; /* the last control node not offered yet  */
    struct caws__node *late;    /* the newest Pong, while others wait     */
    size_t queued;              /* bytes of data frames, headers included */
    size_t buffered;            /* bytes of their payload                 */
    uint32_t pongs;             /* in the list; late is not               */
    uint16_t room;              /* bytes behind own, which are its room   */
    bool pinging;               /* a Ping of ours is in the list          */
    bool own_used;              /* own has been given out                 */
    struct caws__node own;      /* without a value, unless own_used       */
};

/* ---- Memory ------------------------------------------------------------ */

/* A conn that has nothing queued shares this one, to which nobody writes; else
 * it has one of its own: an idle conn does not pay for it. A short reply needs
 * no other block than that: 180 instructions instead of 320. */
struct caws__outbox *caws__outbox_none(void);

/* The room of its own node: half a KiB in all, with the fields of both and of
 * malloc on 64 bits; the same on all, so that all cut their output alike. */
#define CAWS__OUTBOX_SHORT ((size_t)352)

/* A node, in no list yet, and an outbox that it can be appended to; or NULL,
 * and nothing has changed. */
struct caws__node *caws__outbox_node(struct caws__outbox **out,
                                     const caws_alloc *alloc,
                                     enum caws__kind kind, size_t cap);
void caws__outbox_free_node(struct caws__outbox *out, struct caws__node *node,
                            const caws_alloc *alloc);
/* Back to none, if it is empty. What was dropped still counts as buffered. */
void caws__outbox_end(struct caws__outbox **out, const caws_alloc *alloc);
void caws__outbox_free(struct caws__outbox **out, const caws_alloc *alloc);

/* ---- The queue --------------------------------------------------------- */

/* What caws__outbox_done saw leaving completely: a set of these. */
#define CAWS__LEFT_PING  1u
#define CAWS__LEFT_CLOSE 2u

static inline bool caws__outbox_empty(const struct caws__outbox *out)
{
    return !out->first && !out->late;
}

/* May data frames be added to the last node? */
static inline bool caws__outbox_may_grow(const struct caws__outbox *out,
                                         size_t size)
{
    const struct caws__node *node = out->last;
    return node && node->kind == CAWS__NODE_DATA && !node->shared &&
           (!out->late || node != out->frozen) &&
           node->cap - node->len >= size;
}

/* Room for size bytes of data frames at the end of the queue, or NULL. They
 * are written there, then committed: nothing may come between. */
uint8_t *caws__outbox_room(struct caws__outbox **out, const caws_alloc *alloc,
                           size_t size);
static inline void caws__outbox_commit(struct caws__outbox *out, size_t size,
                                       size_t payload)
{
    out->last->len += size;
    out->last->payload += payload;
    out->queued += size;
    out->buffered += payload;
}
/* The same for a node of the caller's (caws__outbox_node), whose room is
 * filled. */
void caws__outbox_append(struct caws__outbox *out, struct caws__node *node,
                         size_t size, size_t payload);
/* Queue a reference to the frame of a prepared message. */
int caws__outbox_share(struct caws__outbox **out, const caws_alloc *alloc,
                       caws_prepared *msg);
/* Queue the text of an opening handshake. Nothing overtakes it. */
int caws__outbox_http(struct caws__outbox **out, const caws_alloc *alloc,
                      const void *text, size_t len);

/* Queue a control frame: a Close behind everything, the others ahead of the
 * data that has not been offered. A Pong past max_pongs waiting replaces the
 * newest (5.5.3). */
int caws__outbox_control(struct caws__outbox **out, const caws_alloc *alloc,
                         enum caws__kind kind, const uint8_t *frame,
                         size_t len, uint32_t max_pongs);

/* Drop the data that has not been offered, but for what finishes a message
 * that has begun. It still counts as buffered. */
void caws__outbox_discard(struct caws__outbox **of, const caws_alloc *alloc);
/* Is there data that has not been offered? */
bool caws__outbox_waits(const struct caws__outbox *out);

size_t caws__outbox_offer(struct caws__outbox *out, caws_slice *v, size_t max,
                          uint32_t max_pongs);
/* All of it, only to look at: nothing is frozen. 0 where that is nothing, more
 * than max slices, or not all in the list. */
size_t caws__outbox_peek(const struct caws__outbox *out, caws_slice *v,
                         size_t max);
unsigned caws__outbox_done(struct caws__outbox **of, const caws_alloc *alloc,
                           size_t len);

#endif
