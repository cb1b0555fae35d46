/* The memory of an outbox: its own block, with its first node, and others. */
#include <string.h>

#include "protocol/buffer.h"
#include "protocol/outbox.h"

struct caws__outbox *caws__outbox_none(void)
{
    static const struct caws__outbox none = { 0 };
    return (struct caws__outbox *)(uintptr_t)&none;
}

/* Its own node has room for what it is begun for, if that is short. */
static int memory_begin(struct caws__outbox **out, const caws_alloc *alloc,
                        size_t size)
{
    struct caws__outbox *begun;
    size_t room = 0;
    if (*out != caws__outbox_none())
        return CAWS_OK;
    if (size > 0 && size <= CAWS__OUTBOX_SHORT)
        room = CAWS__OUTBOX_SHORT;
    begun = caws__resize(alloc, NULL, 0, sizeof *begun + room);
    if (!begun)
        return CAWS_ERR_NOMEM;
    memset(begun, 0, offsetof(struct caws__outbox, own));
    begun->room = (uint16_t)room;
    *out = begun;
    return CAWS_OK;
}

void caws__outbox_end(struct caws__outbox **out, const caws_alloc *alloc)
{
    if (*out != caws__outbox_none() && caws__outbox_empty(*out) &&
        (*out)->buffered == 0)
        caws__outbox_free(out, alloc);
}

static struct caws__node *memory_own_node(struct caws__outbox *out,
                                          enum caws__kind kind)
{
    out->own_used = true;
    caws__node_init(&out->own, kind, (uint8_t *)(out + 1), out->room);
    return &out->own;
}

void caws__outbox_free_node(struct caws__outbox *out, struct caws__node *node,
                            const caws_alloc *alloc)
{
    if (node != &out->own) {
        caws__node_free(node, alloc);
        return;
    }
    caws__node_release(node);
    out->own_used = false;
}

struct caws__node *caws__outbox_node(struct caws__outbox **out,
                                     const caws_alloc *alloc,
                                     enum caws__kind kind, size_t cap)
{
    struct caws__node *node;
    if (memory_begin(out, alloc, cap) != CAWS_OK)
        return NULL;
    if (!(*out)->own_used && cap <= (*out)->room)
        return memory_own_node(*out, kind);
    node = caws__node_new(alloc, kind, cap);
    if (!node)
        caws__outbox_end(out, alloc);
    return node;
}

void caws__outbox_free(struct caws__outbox **out, const caws_alloc *alloc)
{
    struct caws__node *node;
    if (*out == caws__outbox_none())
        return;
    while ((node = (*out)->first)) {
        (*out)->first = node->next;
        caws__outbox_free_node(*out, node, alloc);
    }
    if ((*out)->late)
        caws__outbox_free_node(*out, (*out)->late, alloc);
    caws__resize(alloc, *out, sizeof **out + (*out)->room, 0);
    *out = caws__outbox_none();
}
