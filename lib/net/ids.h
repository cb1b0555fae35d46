/* Whom numbers name, in the order of the numbers: an array that is searched by
 * halves, 8 bytes for each. Whoever is named keeps his own number, not 0, and
 * its place is his name here. */
#ifndef CAWS__IDS_H
#define CAWS__IDS_H

#include <caws_net.h>

/* entries[begin] to entries[end - 1]: where his number is, or, once he has
 * left, the number itself, doubled, and 1. The first one has not left. */
struct caws__ids {
    uint64_t *entries;
    size_t begin, end, cap;
    size_t len; /* those who have not left */
};

/* *id is greater than all before it. CAWS_OK or CAWS_ERR_NOMEM. */
int caws__ids_add(struct caws__ids *ids, const caws_alloc *alloc,
                  const uint64_t *id);
/* NULL: nobody has this number. */
const uint64_t *caws__ids_find(const struct caws__ids *ids, uint64_t id);
void caws__ids_remove(struct caws__ids *ids, uint64_t id);
void caws__ids_free(struct caws__ids *ids, const caws_alloc *alloc);

/* Who comes next; NULL: nobody does. *at is 0 at first. In between some may be
 * added, but none removed. */
const uint64_t *caws__ids_next(const struct caws__ids *ids, size_t *at);

#endif
