/* Bytes that grow on a caws_alloc. */
#ifndef CAWS__BUFFER_H
#define CAWS__BUFFER_H

#include <caws.h>

/* The one call through which all memory of lib/protocol is had and freed:
 * alloc->resize, or the C library where that is NULL. */
void *caws__resize(const caws_alloc *alloc, void *ptr, size_t old_size,
                   size_t new_size);

/* All zero: empty, and without memory. */
struct caws__buffer {
    uint8_t *data;
    size_t len, cap;
};

/* Room for extra more bytes: at least doubles, but not past max, which the
 * caller has made sure is len + extra or more. CAWS_OK or CAWS_ERR_NOMEM. */
int caws__buffer_reserve(struct caws__buffer *b, const caws_alloc *alloc,
                         size_t extra, size_t max);

/* Append a copy of the n bytes at data, growing without a maximum. */
int caws__buffer_add(struct caws__buffer *b, const caws_alloc *alloc,
                     const void *data, size_t n);

void caws__buffer_free(struct caws__buffer *b, const caws_alloc *alloc);

#endif
