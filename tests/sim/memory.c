/* An allocator that counts, holds caws to exact old sizes, and fails now and
 * then. Each block is one of the C library's, so that sanitizers see its ends. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static bool fails_by_chance(const struct account *a)
{
    return a->fail_one_in > 0 && one_in(a->fail_one_in);
}

static bool injected(void)
{
    uint64_t n = ++sim.inject.seen;
    return n == sim.inject.at || (sim.inject.onwards && n > sim.inject.at);
}

static bool refused(struct account *a)
{
    a->calls++;
    if (!sim.faults || !(sim.inject.on ? injected() : fails_by_chance(a)))
        return false;
    a->failed++;
    note(NULL, "no memory", a->calls, 0);
    return true;
}

/* A size ahead of each block: old_size must be it. */
static void *resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct account *a = ctx;
    uint64_t *block = ptr ? (uint64_t *)ptr - 2 : NULL;
    if ((block ? block[0] : 0) != old_size)
        broken(NULL, "resize was given a wrong old size");
    if (new_size > 0 && refused(a))
        return NULL;
    a->bytes += new_size - old_size;
    a->blocks += (new_size > 0) - (size_t)(block != NULL);
    if (new_size == 0) {
        memset(ptr, 0xdd, old_size); /* whoever reads it now will stumble */
        free(block);
        return NULL;
    }
    block = realloc(block, new_size + 16);
    if (!block)
        abort();
    if (new_size > old_size)
        memset((char *)(block + 2) + old_size, 0xcc, new_size - old_size);
    block[0] = new_size;
    return block + 2;
}

caws_alloc account_alloc(struct account *a)
{
    return (caws_alloc){ resize, a };
}
