/* A node of the outbox: a run of whole frames in wire form, or one control
 * frame, or an HTTP head. */
#ifndef CAWS__NODE_H
#define CAWS__NODE_H

#include <caws.h>

enum caws__kind {
    CAWS__NODE_DATA, /* frames of messages                */
    CAWS__NODE_HTTP, /* the opening handshake's text      */
    CAWS__NODE_PING, /* one control frame each            */
    CAWS__NODE_PONG,
    CAWS__NODE_CLOSE
};

struct caws__node {
    struct caws__node *next;
    caws_prepared *shared; /* whose frame this is, or NULL        */
    uint8_t *bytes;        /* shared->frame, or its room          */
    size_t len, cap;       /* filled, and the size of its room    */
    size_t offered;        /* frozen bytes, from the start        */
    size_t taken;          /* of those, taken by the transport    */
    size_t mark;           /* start of the frame that holds taken */
    size_t payload;        /* of its messages, not taken yet      */
    enum caws__kind kind;
};

/* An empty one, whose room is there. */
void caws__node_init(struct caws__node *node, enum caws__kind kind,
                     uint8_t *room, size_t cap);

/* The same with room for cap bytes of its own; NULL for want of memory. */
struct caws__node *caws__node_new(const caws_alloc *alloc,
                                  enum caws__kind kind, size_t cap);
/* It no longer holds what it shares. */
void caws__node_release(struct caws__node *node);
void caws__node_free(struct caws__node *node, const caws_alloc *alloc);

/* Of a node of data: payload in its frames from at, a frame's start, on. */
size_t caws__node_payload(const struct caws__node *node, size_t at);
/* From at on, the frames that finish a message begun before: where they end.
 * *begun becomes false with the last of them. */
size_t caws__node_rest_of_message(const struct caws__node *node, size_t at,
                                  bool *begun);
/* Drop all from at, a frame's start, on. Returns how many bytes that was. */
size_t caws__node_cut(struct caws__node *node, size_t at);
/* The transport has taken n more bytes. Returns how many of them were payload
 * of messages. */
size_t caws__node_take(struct caws__node *node, size_t n);

#endif
