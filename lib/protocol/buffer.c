#include "protocol/buffer.h"

#include <stdlib.h>
#include <string.h>

void *caws__resize(const caws_alloc *alloc, void *ptr, size_t old_size,
                   size_t new_size)
{
    if (ptr == NULL && new_size == 0)
        return NULL;
    if (alloc->resize != NULL)
        return alloc->resize(alloc->ctx, ptr, old_size, new_size);
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

int caws__buffer_reserve(struct caws__buffer *b, const caws_alloc *alloc,
                         size_t extra, size_t max)
{
    size_t need = b->len + extra, cap;
    uint8_t *data;
    if (need <= b->cap)
        return CAWS_OK;
    cap = b->cap > max / 2 ? max : b->cap * 2;
    if (cap < need)
        cap = need;
    data = caws__resize(alloc, b->data, b->cap, cap);
    if (data == NULL)
        return CAWS_ERR_NOMEM;
    b->data = data;
    b->cap = cap;
    return CAWS_OK;
}

int caws__buffer_add(struct caws__buffer *b, const caws_alloc *alloc,
                     const void *data, size_t n)
{
    if (n == 0)
        return CAWS_OK;
    if (n > SIZE_MAX - b->len ||
        caws__buffer_reserve(b, alloc, n, SIZE_MAX) != CAWS_OK)
        return CAWS_ERR_NOMEM;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    return CAWS_OK;
}

void caws__buffer_free(struct caws__buffer *b, const caws_alloc *alloc)
{
    caws__resize(alloc, b->data, b->cap, 0);
    *b = (struct caws__buffer){ NULL, 0, 0 };
}
