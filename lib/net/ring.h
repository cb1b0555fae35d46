/* Lines of whoever waits: doubly linked rings, embedded in what is in them.
 * The head of a line is one more member. */
#ifndef CAWS__RING_H
#define CAWS__RING_H

#include <stdbool.h>

struct caws__ring {
    struct caws__ring *prev, *next;
};

static inline void caws__ring_init(struct caws__ring *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool caws__ring_is_empty(const struct caws__ring *ring)
{
    return ring->next == ring;
}

/* At the end of the line. */
static inline void caws__ring_add(struct caws__ring *head,
                                  struct caws__ring *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

/* It is a line of its own after that: once more does no harm. */
static inline void caws__ring_remove(struct caws__ring *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    caws__ring_init(item);
}

/* The first in a line that is not empty. */
static inline struct caws__ring *caws__ring_take(struct caws__ring *head)
{
    struct caws__ring *first = head->next;

    head->next = first->next;
    head->next->prev = head;
    caws__ring_init(first);
    return first;
}

/* All who are in one line, into another, which is empty. */
static inline void caws__ring_move(struct caws__ring *from,
                                   struct caws__ring *to)
{
    caws__ring_add(from, to);
    caws__ring_remove(from);
}

#endif
