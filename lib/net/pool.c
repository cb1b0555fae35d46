#include "net/pool.h"

#include <string.h>

#include "net/memory.h"

/* A sanitizer is to see each use of a block that was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_MAX 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define POOL_MAX 0
#endif
#endif
#ifndef POOL_MAX
#define POOL_MAX CAWS__POOL_MAX
#endif

/* What is had for a size: so close to it that little is lost, and with few
 * enough steps that another one's block is likely to fit: a quarter of a power
 * of two, for what is not small. */
static size_t pool_size(size_t size)
{
    size_t grain = CAWS__POOL_GRAIN;

    if (size > CAWS__POOL_MAX)
        return size;
    if (size > CAWS__POOL_SMALL)
        for (grain = CAWS__POOL_SMALL / 4; grain * 8 < size;)
            grain *= 2;
    return (size + grain - 1) & ~(grain - 1);
}

static struct caws__pool_block **pool_list(struct caws__pool *pool, size_t size)
{
    return &pool->small[size / CAWS__POOL_GRAIN - 1];
}

static void *pool_take_small(struct caws__pool *pool, size_t size)
{
    struct caws__pool_block **list = pool_list(pool, size);
    struct caws__pool_block *block = *list;

    if (block) {
        *list = block->next;
        pool->kept -= size;
    }
    return block;
}

static void *pool_take_large(struct caws__pool *pool, size_t size)
{
    for (size_t i = pool->larges; i-- > 0;)
        if (pool->large[i].size == size) {
            void *block = pool->large[i].block;

            pool->large[i] = pool->large[--pool->larges];
            pool->kept -= size;
            return block;
        }
    return NULL;
}

/* One that is kept, or a new one. */
static void *pool_get(struct caws__pool *pool, size_t size)
{
    void *block = size <= CAWS__POOL_SMALL ? pool_take_small(pool, size)
                                           : pool_take_large(pool, size);

    return block ? block : caws__memory(&pool->under, NULL, 0, size);
}

static void pool_put(struct caws__pool *pool, void *block, size_t size)
{
    bool small = size <= CAWS__POOL_SMALL;

    if (size > pool->max - pool->kept ||
        (!small && pool->larges == CAWS__POOL_LARGE)) {
        caws__memory(&pool->under, block, size, 0);
        return;
    }
    pool->kept += size;
    if (small) {
        struct caws__pool_block **list = pool_list(pool, size);
        struct caws__pool_block *first = block;

        first->next = *list;
        *list = first;
    } else {
        pool->large[pool->larges++] = (struct caws__pool_large){ block, size };
    }
}

/* Growing copies only where a block is at hand: else the C library may move
 * its pages, not their bytes. */
static void *pool_grow(struct caws__pool *pool, void *block, size_t old_size,
                       size_t new_size)
{
    void *larger = new_size > CAWS__POOL_SMALL
                       ? pool_take_large(pool, new_size)
                       : pool_get(pool, new_size);

    if (!larger && new_size > CAWS__POOL_SMALL)
        return caws__memory(&pool->under, block, old_size, new_size);
    if (!larger)
        return NULL;
    memcpy(larger, block, old_size < new_size ? old_size : new_size);
    pool_put(pool, block, old_size);
    return larger;
}

static void *pool_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct caws__pool *pool = ctx;

    old_size = pool_size(old_size);
    new_size = pool_size(new_size);
    if (!ptr)
        return pool_get(pool, new_size);
    if (new_size == 0)
        pool_put(pool, ptr, old_size);
    else if (new_size != old_size)
        return pool_grow(pool, ptr, old_size, new_size);
    return new_size == 0 ? NULL : ptr;
}

caws_alloc caws__pool_init(struct caws__pool *pool, const caws_alloc *under)
{
    memset(pool, 0, sizeof *pool);
    pool->under = *under;
    pool->max = POOL_MAX;
    return (caws_alloc){ pool_resize, pool };
}

void caws__pool_empty(struct caws__pool *pool)
{
    for (size_t size = CAWS__POOL_GRAIN; size <= CAWS__POOL_SMALL;
         size += CAWS__POOL_GRAIN)
        for (void *block; (block = pool_take_small(pool, size));)
            caws__memory(&pool->under, block, size, 0);
    while (pool->larges > 0) {
        struct caws__pool_large *last = &pool->large[--pool->larges];

        caws__memory(&pool->under, last->block, last->size, 0);
        pool->kept -= last->size;
    }
}
