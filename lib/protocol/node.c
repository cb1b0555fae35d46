#include "protocol/node.h"

#include <string.h>

#include "protocol/buffer.h"
#include "protocol/frame.h"
#include "protocol/prepared.h"

void caws__node_init(struct caws__node *node, enum caws__kind kind,
                     uint8_t *room, size_t cap)
{
    *node = (struct caws__node){ .bytes = room, .cap = cap, .kind = kind };
}

struct caws__node *caws__node_new(const caws_alloc *alloc,
                                  enum caws__kind kind, size_t cap)
{
    struct caws__node *node;
    if (cap > SIZE_MAX - sizeof *node)
        return NULL;
    node = caws__resize(alloc, NULL, 0, sizeof *node + cap);
    if (node)
        caws__node_init(node, kind, (uint8_t *)(node + 1), cap);
    return node;
}

void caws__node_release(struct caws__node *node)
{
    if (node->shared)
        caws_prepared_free(node->shared);
}

void caws__node_free(struct caws__node *node, const caws_alloc *alloc)
{
    caws__node_release(node);
    caws__resize(alloc, node, sizeof *node + node->cap, 0);
}

static size_t node_frame_size(const struct caws__node *node, size_t at)
{
    size_t header;
    uint64_t payload;
    caws__frame_measure(node->bytes + at, &header, &payload);
    return header + (size_t)payload;
}

size_t caws__node_payload(const struct caws__node *node, size_t at)
{
    size_t sum = 0, header;
    uint64_t payload;
    while (at < node->len) {
        caws__frame_measure(node->bytes + at, &header, &payload);
        sum += (size_t)payload;
        at += header + (size_t)payload;
    }
    return sum;
}

size_t caws__node_rest_of_message(const struct caws__node *node, size_t at,
                                  bool *begun)
{
    while (*begun && at < node->len) {
        if ((node->bytes[at] & 0x0f) != CAWS__CONTINUATION) {
            *begun = false;
            break;
        }
        *begun = !(node->bytes[at] & CAWS__FIN);
        at += node_frame_size(node, at);
    }
    return at;
}

size_t caws__node_cut(struct caws__node *node, size_t at)
{
    size_t bytes = node->len - at;
    node->payload -= caws__node_payload(node, at);
    node->len = at;
    return bytes;
}

/* Payload among the next n bytes of a node of data. */
static size_t node_walk(struct caws__node *node, size_t n)
{
    size_t end = node->taken + n, sum = 0;
    while (node->taken < end) {
        size_t header, step, from;
        uint64_t payload;
        caws__frame_measure(node->bytes + node->mark, &header, &payload);
        step = node->mark + header + (size_t)payload;
        from = node->mark + header;
        if (from < node->taken)
            from = node->taken;
        if (step <= end)
            node->mark = step;
        else
            step = end;
        if (step > from)
            sum += step - from;
        node->taken = step;
    }
    return sum;
}

size_t caws__node_take(struct caws__node *node, size_t n)
{
    size_t payload;
    if (node->kind == CAWS__NODE_DATA && node->taken + n < node->len) {
        payload = node_walk(node, n);
    } else {
        payload = node->payload; /* the rest of it; other kinds have none */
        node->taken += n;
    }
    node->payload -= payload;
    return payload;
}
