/* Numbers that are never used twice, and whom they name: a hash table with
 * open addressing. */
#ifndef CAWS__IDS_H
#define CAWS__IDS_H

#include <caws_net.h>

struct caws__ids_entry {
    uint64_t id; /* 0: free */
    void *item;
};

struct caws__ids {
    struct caws__ids_entry *entries;
    size_t len, cap; /* cap: 0 or a power of two */
    uint64_t last;
};

/* A new number for item; 0 for want of memory. */
uint64_t caws__ids_add(struct caws__ids *ids, const caws_alloc *alloc,
                       void *item);
void *caws__ids_find(const struct caws__ids *ids, uint64_t id);
void caws__ids_remove(struct caws__ids *ids, uint64_t id);
void caws__ids_free(struct caws__ids *ids, const caws_alloc *alloc);

#endif
