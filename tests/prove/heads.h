/* For the drivers of lib/protocol/http.c: a head of two pieces, the first one
 * known, of the second so many bytes that may be anything. */
#ifndef HEADS_H
#define HEADS_H

#include "prove.h"

#include "protocol/http.h"

static void look_at(const struct caws__head *head);

/* It may fail, and else moves the block. */
static void *resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *to = NULL;
    (void)ctx;
    if (new_size > 0) {
        if (unknown_bool())
            return NULL;
        to = malloc(new_size);
        if (old_size > 0)
            memcpy(to, ptr, old_size < new_size ? old_size : new_size);
    }
    free(ptr);
    return to;
}

/* first, and then data, a block that is freed. */
static void feed(const char *first, uint8_t *data, size_t len,
                 const struct caws__head_limits *limits)
{
    static const caws_alloc alloc = { resize, NULL };
    struct caws__head head = { .started = false };
    const char *detail;
    size_t used;
    int result = caws__head_feed(&head, &alloc, limits, (const uint8_t *)first, strlen(first),
                                 &used, &detail);
    if (result == 0) {
        result = caws__head_feed(&head, &alloc, limits, data, len, &used, &detail);
        //@ assert used <= len;
    }
    if (result >= 400) {
        //@ assert \valid_read(detail);
    }
    if (result == 1)
        look_at(&head);
    caws__head_free(&head, &alloc);
    free(data);
}

/* first, and then any 0 to max_len bytes. */
static void feed_any(const char *first, size_t max_len, bool response)
{
    struct caws__head_limits limits = { 100, 1, response };
    for (size_t len = 0; len <= max_len; len++)
        feed(first, unknown(len), len, &limits);
}

#endif
