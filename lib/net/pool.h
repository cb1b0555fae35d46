/* Blocks that come and go with each message and each handshake are kept for
 * the next one. The C library gives the memory on top of its heap back to the
 * system, and the next batch faults it in again: that was a third of the time
 * of an echo of 1 MiB, and a sixth of a broadcast's. What was not needed for a
 * while goes back. */
#ifndef CAWS__POOL_H
#define CAWS__POOL_H

#include <caws_net.h>

#define CAWS__POOL_GRAIN 8u  /* small sizes are multiples of this ... */
#define CAWS__POOL_SMALL 4096u             /* ... up to this one */
#define CAWS__POOL_LISTS (CAWS__POOL_SMALL / CAWS__POOL_GRAIN)
#define CAWS__POOL_LARGE 32u                /* larger blocks that are kept */
#define CAWS__POOL_MAX   ((size_t)16 << 20) /* bytes that are kept in all */

struct caws__pool_block {
    struct caws__pool_block *next;
};

struct caws__pool_large {
    size_t size; /* of its room */
    _Alignas(max_align_t) unsigned char room[];
};

struct caws__pool {
    caws_alloc under;
    size_t kept, max; /* bytes; max 0: nothing is */
    size_t spare;     /* kept, and not needed since the last trim */
    struct caws__pool_block *small[CAWS__POOL_LISTS];
    struct caws__pool_large *large[CAWS__POOL_LARGE]; /* oldest first */
    size_t larges;
};

/* It is used through the result, by one thread at a time. */
caws_alloc caws__pool_init(struct caws__pool *pool, const caws_alloc *under);

/* Half of what was not needed since the last time goes back. */
void caws__pool_trim(struct caws__pool *pool);

/* Everything that is kept goes back. What is in use is not touched. */
void caws__pool_empty(struct caws__pool *pool);

#endif
