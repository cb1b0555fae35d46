/* Moments to come, soonest first: a binary heap. Two at the same moment come
 * out in the order in which they were set. */
#ifndef CAWS__HEAP_H
#define CAWS__HEAP_H

#include <caws_net.h>

#define CAWS__HEAP_NEVER UINT64_MAX

/* Whoever waits keeps a slot, 0 while he does not, which is his name here. */
struct caws__heap_entry {
    uint64_t due, turn;
    size_t *slot;
};

struct caws__heap {
    struct caws__heap_entry *entries;
    size_t len, cap;
    uint64_t turns; /* how many were ever set */
};

/* Enter at this moment, or move to it. CAWS_ERR_NOMEM comes from entering
 * only. */
int caws__heap_set(struct caws__heap *heap, const caws_alloc *alloc,
                   size_t *slot, uint64_t due);
void caws__heap_remove(struct caws__heap *heap, size_t *slot);
void caws__heap_free(struct caws__heap *heap, const caws_alloc *alloc);

/* The soonest moment, CAWS__HEAP_NEVER where there is none. */
uint64_t caws__heap_due(const struct caws__heap *heap);

#endif
