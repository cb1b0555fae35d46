#include "protocol/outbox.h"

#include <string.h>

#define OUTBOX_CHUNK 4000u /* a page, with its node's fields and malloc's */

/* ---- The list ---------------------------------------------------------- */

/* Put node behind prev, or first where prev is NULL. */
static void outbox_link(struct caws__outbox *out, struct caws__node *prev,
                        struct caws__node *node)
{
    struct caws__node **at = prev ? &prev->next : &out->first;
    node->next = *at;
    *at = node;
    if (out->last == prev)
        out->last = node;
}

static void outbox_unlink(struct caws__outbox *out, struct caws__node *prev,
                          struct caws__node *node)
{
    *(prev ? &prev->next : &out->first) = node->next;
    if (out->last == node)
        out->last = prev;
}

/* ---- Queueing data ----------------------------------------------------- */

/* What is small goes into the first block, which is short, so that a thousand
 * receivers of one message do not take a page each. */
static size_t outbox_cap(const struct caws__outbox *out, size_t size)
{
    if ((!out->first && size <= CAWS__OUTBOX_SHORT / 4 * 3) ||
        (!out->own_used && size <= out->room))
        return CAWS__OUTBOX_SHORT;
    return size > OUTBOX_CHUNK / 4 ? size : OUTBOX_CHUNK;
}

uint8_t *caws__outbox_room(struct caws__outbox **out, const caws_alloc *alloc,
                           size_t size)
{
    struct caws__node *node;
    if (caws__outbox_may_grow(*out, size))
        return (*out)->last->bytes + (*out)->last->len;
    node = caws__outbox_node(out, alloc, CAWS__NODE_DATA,
                             outbox_cap(*out, size));
    if (!node)
        return NULL;
    outbox_link(*out, (*out)->last, node);
    return node->bytes;
}

void caws__outbox_append(struct caws__outbox *out, struct caws__node *node,
                         size_t size, size_t payload)
{
    outbox_link(out, out->last, node);
    caws__outbox_commit(out, size, payload);
}

int caws__outbox_share(struct caws__outbox **out, const caws_alloc *alloc,
                       caws_prepared *msg)
{
    struct caws__node *node = caws__outbox_node(out, alloc, CAWS__NODE_DATA, 0);
    if (!node)
        return CAWS_ERR_NOMEM;
    caws__prepared_share(msg);
    node->shared = msg;
    node->bytes = msg->frame;
    caws__outbox_append(*out, node, msg->len, msg->len - msg->header);
    return CAWS_OK;
}

int caws__outbox_http(struct caws__outbox **out, const caws_alloc *alloc,
                      const void *text, size_t len)
{
    struct caws__node *node =
        caws__outbox_node(out, alloc, CAWS__NODE_HTTP, len);
    if (!node)
        return CAWS_ERR_NOMEM;
    memcpy(node->bytes, text, len);
    node->len = node->offered = len;
    outbox_link(*out, (*out)->last, node);
    (*out)->frozen = node;
    return CAWS_OK;
}

/* Frames that were added to a node after it was offered get one of their own,
 * so that a control frame fits between. */
static int outbox_split_frozen(struct caws__outbox *out,
                               const caws_alloc *alloc)
{
    struct caws__node *node = out->frozen, *tail;
    size_t len;
    if (!node || node->offered == node->len)
        return CAWS_OK;
    len = node->len - node->offered;
    tail = caws__node_new(alloc, CAWS__NODE_DATA, len);
    if (!tail)
        return CAWS_ERR_NOMEM;
    memcpy(tail->bytes, node->bytes + node->offered, len);
    tail->len = len;
    tail->payload = caws__node_payload(tail, 0);
    node->len = node->offered;
    node->payload -= tail->payload;
    outbox_link(out, node, tail);
    return CAWS_OK;
}

/* ---- Control frames ---------------------------------------------------- */

/* The frozen node ends where its offered bytes do (see outbox_split_frozen). */
static void outbox_link_control(struct caws__outbox *out,
                                struct caws__node *node)
{
    outbox_link(out, out->control ? out->control : out->frozen, node);
    out->control = node;
    if (node->kind == CAWS__NODE_PONG)
        out->pongs++;
    else
        out->pinging = true;
}

/* The newest Pong waits apart, where it can still be replaced: in the list it
 * might be offered at any moment, and the list would grow without end. */
static void outbox_link_late(struct caws__outbox *out)
{
    struct caws__node *late = out->late;
    if (!late)
        return;
    out->late = NULL;
    outbox_link_control(out, late);
}

static void outbox_queue_pong(struct caws__outbox *out,
                              const caws_alloc *alloc,
                              struct caws__node *node, uint32_t max_pongs)
{
    if (out->late && out->pongs + 1 < max_pongs)
        outbox_link_late(out);
    if (out->late)
        caws__outbox_free_node(out, out->late, alloc);
    out->late = node;
}

static void outbox_queue_control(struct caws__outbox *out,
                                 const caws_alloc *alloc,
                                 struct caws__node *node, uint32_t max_pongs)
{
    if (node->kind == CAWS__NODE_PONG) {
        outbox_queue_pong(out, alloc, node, max_pongs);
    } else if (node->kind == CAWS__NODE_PING) {
        outbox_link_late(out);
        outbox_link_control(out, node);
    } else {
        outbox_link_late(out);
        outbox_link(out, out->last, node);
    }
}

int caws__outbox_control(struct caws__outbox **out, const caws_alloc *alloc,
                         enum caws__kind kind, const uint8_t *frame,
                         size_t len, uint32_t max_pongs)
{
    struct caws__node *node = caws__outbox_node(out, alloc, kind, len);
    if (!node)
        return CAWS_ERR_NOMEM;
    /* A Close has no need of it: while a Pong waits apart, no node grows that
     * was offered (caws__outbox_room). */
    if (kind != CAWS__NODE_CLOSE &&
        outbox_split_frozen(*out, alloc) != CAWS_OK) {
        caws__outbox_free_node(*out, node, alloc);
        return CAWS_ERR_NOMEM;
    }
    memcpy(node->bytes, frame, len);
    node->len = len;
    outbox_queue_control(*out, alloc, node, max_pongs);
    return CAWS_OK;
}

/* ---- Dropping data ----------------------------------------------------- */

void caws__outbox_discard(struct caws__outbox **of, const caws_alloc *alloc)
{
    struct caws__outbox *out = *of;
    struct caws__node *prev = NULL, *next;
    struct caws__node *node = out->frozen ? out->frozen : out->first;
    bool begun = true; /* unless the next frame starts a message */
    for (; node; node = next) {
        next = node->next;
        if (node->kind == CAWS__NODE_DATA)
            out->queued -= caws__node_cut(
                node, caws__node_rest_of_message(node, node->offered, &begun));
        if (node->taken < node->len) {
            prev = node;
        } else {
            outbox_unlink(out, prev, node);
            caws__outbox_free_node(out, node, alloc);
        }
    }
    caws__outbox_end(of, alloc);
}

/* Whatever is queued later than such data goes ahead of it, but a Close. */
bool caws__outbox_waits(const struct caws__outbox *out)
{
    const struct caws__node *node = out->last;
    return node && node->kind == CAWS__NODE_DATA && node->offered < node->len;
}

/* ---- Towards the transport --------------------------------------------- */

static caws_slice outbox_slice(const struct caws__node *node)
{
    return (caws_slice){ (const char *)node->bytes + node->taken,
                         node->len - node->taken };
}

size_t caws__outbox_peek(const struct caws__outbox *out, caws_slice *v,
                         size_t max)
{
    const struct caws__node *node = out->first;
    size_t n = 0;
    for (; node && n < max; node = node->next)
        v[n++] = outbox_slice(node);
    return node || out->late ? 0 : n;
}

size_t caws__outbox_offer(struct caws__outbox *out, caws_slice *v, size_t max,
                          uint32_t max_pongs)
{
    bool past = !out->frozen;
    size_t n = 0;
    if (out->late && (out->pongs == 0 || out->pongs + 1 < max_pongs))
        outbox_link_late(out);
    for (struct caws__node *node = out->first; node && n < max;
         node = node->next) {
        v[n++] = outbox_slice(node);
        node->offered = node->len;
        if (past)
            out->frozen = node;
        else
            past = node == out->frozen;
        if (node == out->control)
            out->control = NULL;
    }
    return n;
}

/* The first node has left. */
static unsigned outbox_pop(struct caws__outbox *out, const caws_alloc *alloc)
{
    struct caws__node *node = out->first;
    unsigned left = 0;
    outbox_unlink(out, NULL, node);
    if (out->frozen == node)
        out->frozen = NULL;
    if (node->kind == CAWS__NODE_PONG)
        out->pongs--;
    if (node->kind == CAWS__NODE_CLOSE)
        left = CAWS__LEFT_CLOSE;
    if (node->kind == CAWS__NODE_PING) {
        out->pinging = false;
        left = CAWS__LEFT_PING;
    }
    caws__outbox_free_node(out, node, alloc);
    return left;
}

/* Is that all of the only node, as most replies leave? Then there is nothing to
 * be reckoned: 80 instructions instead of 140. */
static bool outbox_is_all(const struct caws__outbox *out, size_t len)
{
    const struct caws__node *node = out->first;
    return node && node == out->last && node->kind == CAWS__NODE_DATA &&
           node->offered - node->taken == len && node->offered == node->len &&
           !out->late && node->payload == out->buffered;
}

unsigned caws__outbox_done(struct caws__outbox **of, const caws_alloc *alloc,
                           size_t len)
{
    struct caws__outbox *out = *of;
    struct caws__node *node;
    unsigned left = 0;
    if (outbox_is_all(out, len)) {
        caws__outbox_free(of, alloc);
        return 0;
    }
    while ((node = out->first) && len > 0) {
        size_t rest = node->offered - node->taken;
        size_t n = len < rest ? len : rest;
        out->buffered -= caws__node_take(node, n);
        if (node->kind == CAWS__NODE_DATA)
            out->queued -= n;
        len -= n;
        if (node->taken == node->len) {
            left |= outbox_pop(out, alloc);
        } else {
            if (node->taken == node->offered)
                out->frozen = NULL;
            break;
        }
    }
    caws__outbox_end(of, alloc);
    return left;
}
