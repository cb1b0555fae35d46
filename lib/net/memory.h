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

#endif
