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

static bool pool_is_small(size_t size)
{
    return size <= CAWS__POOL_SMALL;
}

static void pool_needed(struct caws__pool *pool, size_t size)
{
    pool->kept -= size;
    if (pool->kept < pool->spare)
        pool->spare = pool->kept;
}

/* ---- Small: a list for each size ---------------------------------------- */

static size_t pool_small_size(size_t size)
{
    return (size + CAWS__POOL_GRAIN - 1) / CAWS__POOL_GRAIN * CAWS__POOL_GRAIN;
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
        pool_needed(pool, size);
    }
    return block;
}

static void *pool_get_small(struct caws__pool *pool, size_t size)
{
    void *block;

    size = pool_small_size(size);
    block = pool_take_small(pool, size);
    return block ? block : caws__memory(&pool->under, NULL, 0, size);
}

static void pool_put_small(struct caws__pool *pool, void *ptr, size_t size)
{
    struct caws__pool_block *block = ptr, **list;

    size = pool_small_size(size);
    if (size > pool->max - pool->kept) {
        caws__memory(&pool->under, block, size, 0);
        return;
    }
    list = pool_list(pool, size);
    block->next = *list;
    *list = block;
    pool->kept += size;
}

/* ---- Large: any of about the size --------------------------------------- */

static size_t pool_whole(const struct caws__pool_large *large)
{
    return sizeof *large + large->size;
}

static struct caws__pool_large *pool_large_of(void *ptr)
{
    return (struct caws__pool_large *)((uintptr_t)ptr -
                                       offsetof(struct caws__pool_large, room));
}

/* It is kept no longer. */
static struct caws__pool_large *pool_remove_large(struct caws__pool *pool,
                                                  size_t at)
{
    struct caws__pool_large *large = pool->large[at];

    pool->larges--;
    memmove(pool->large + at, pool->large + at + 1,
            (pool->larges - at) * sizeof(struct caws__pool_large *));
    pool_needed(pool, pool_whole(large));
    return large;
}

/* The largest that is kept, up to twice the size, so that what grows in it is
 * not copied; of several, the last that came, which the caches may have. */
static struct caws__pool_large *pool_take_large(struct caws__pool *pool,
                                                size_t size)
{
    size_t best = pool->larges;

    for (size_t i = 0; i < pool->larges; i++)
        if (pool->large[i]->size >= size && pool->large[i]->size / 2 <= size &&
            (best == pool->larges ||
             pool->large[i]->size >= pool->large[best]->size))
            best = i;
    return best == pool->larges ? NULL : pool_remove_large(pool, best);
}

/* A new one, or old made larger: then old is gone. */
static struct caws__pool_large *
pool_have_large(struct caws__pool *pool, struct caws__pool_large *old,
                size_t size)
{
    struct caws__pool_large *large;

    if (size > SIZE_MAX - sizeof *large)
        return NULL;
    large = caws__memory(&pool->under, old, old ? pool_whole(old) : 0,
                         sizeof *large + size);
    if (large)
        large->size = size;
    return large;
}

static void *pool_get_large(struct caws__pool *pool, size_t size)
{
    struct caws__pool_large *large = pool_take_large(pool, size);

    if (!large)
        large = pool_have_large(pool, NULL, size);
    return large ? large->room : NULL;
}

static void pool_put_large(struct caws__pool *pool, void *ptr)
{
    struct caws__pool_large *large = pool_large_of(ptr);

    if (pool_whole(large) > pool->max - pool->kept ||
        pool->larges == CAWS__POOL_LARGE) {
        caws__memory(&pool->under, large, pool_whole(large), 0);
        return;
    }
    pool->kept += pool_whole(large);
    pool->large[pool->larges++] = large;
}

/* ---- Both ---------------------------------------------------------------- */

static void *pool_get(struct caws__pool *pool, size_t size)
{
    return pool_is_small(size) ? pool_get_small(pool, size)
                               : pool_get_large(pool, size);
}

static void pool_put(struct caws__pool *pool, void *ptr, size_t size)
{
    if (pool_is_small(size))
        pool_put_small(pool, ptr, size);
    else
        pool_put_large(pool, ptr);
}

/* Into another block. Bytes are copied only where one is at hand: the C
 * library may move a large block's pages instead. */
static void *pool_move(struct caws__pool *pool, void *ptr, size_t old_size,
                       size_t new_size)
{
    void *to;

    if (!pool_is_small(old_size) && !pool_is_small(new_size)) {
        struct caws__pool_large *large = pool_take_large(pool, new_size);

        if (!large) {
            large = pool_have_large(pool, pool_large_of(ptr), new_size);
            return large ? large->room : NULL;
        }
        to = large->room;
    } else {
        to = pool_get(pool, new_size);
    }
    if (!to)
        return NULL;
    memcpy(to, ptr, old_size < new_size ? old_size : new_size);
    pool_put(pool, ptr, old_size);
    return to;
}

/* Has it room for so much, and is it of the same kind? */
static bool pool_fits(void *ptr, size_t old_size, size_t new_size)
{
    if (pool_is_small(old_size))
        return pool_small_size(old_size) == pool_small_size(new_size);
    return !pool_is_small(new_size) && pool_large_of(ptr)->size >= new_size;
}

/* Apart, as what it saves and restores is a third of the cost of the two cases
 * that each message needs. */
__attribute__((noinline)) static void *
pool_again(struct caws__pool *pool, void *ptr, size_t old_size, size_t new_size)
{
    return pool_fits(ptr, old_size, new_size)
               ? ptr
               : pool_move(pool, ptr, old_size, new_size);
}

static void *pool_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct caws__pool *pool = ctx;

    if (!ptr)
        return pool_get(pool, new_size);
    if (new_size > 0)
        return pool_again(pool, ptr, old_size, new_size);
    pool_put(pool, ptr, old_size);
    return NULL;
}

caws_alloc caws__pool_init(struct caws__pool *pool, const caws_alloc *under)
{
    memset(pool, 0, sizeof *pool);
    pool->under = *under;
    pool->max = POOL_MAX;
    return (caws_alloc){ pool_resize, pool };
}

/* The large ones first, the oldest of them before the others. */
static void pool_shrink(struct caws__pool *pool, size_t to)
{
    while (pool->larges > 0 && pool->kept > to) {
        struct caws__pool_large *oldest = pool_remove_large(pool, 0);

        caws__memory(&pool->under, oldest, pool_whole(oldest), 0);
    }
    for (size_t size = CAWS__POOL_SMALL; size > 0; size -= CAWS__POOL_GRAIN)
        while (pool->kept > to && *pool_list(pool, size))
            caws__memory(&pool->under, pool_take_small(pool, size), size, 0);
}

void caws__pool_trim(struct caws__pool *pool)
{
    pool_shrink(pool, pool->kept - pool->spare / 2);
    pool->spare = pool->kept;
}

void caws__pool_empty(struct caws__pool *pool)
{
    pool_shrink(pool, 0);
}
