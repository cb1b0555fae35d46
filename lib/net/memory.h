/* The one call through which all memory of lib/net is had and freed. */
#ifndef CAWS__MEMORY_H
#define CAWS__MEMORY_H

#include <caws_net.h>
#include <stdlib.h>

static inline void *caws__memory(const caws_alloc *alloc, void *ptr,
                                 size_t old_size, size_t new_size)
{
    if (alloc->resize)
        return alloc->resize(alloc->ctx, ptr, old_size, new_size);
    if (new_size > 0) /* GCC's analyzer thinks that realloc frees a NULL */
        return ptr ? realloc(ptr, new_size) : malloc(new_size);
    free(ptr);
    return NULL;
}

/* An array of *cap elements with room for a quarter more: what stays unused
 * counts for an idle connection. NULL for want of memory, and nothing has
 * changed. */
static inline void *caws__memory_more(const caws_alloc *alloc, void *array,
                                      size_t *cap, size_t each)
{
    size_t more = *cap + *cap / 4 + 16;
    void *larger = caws__memory(alloc, array, *cap * each, more * each);

    if (larger)
        *cap = more;
    return larger;
}

#endif
