/* A buffer that grows by unknown pieces, up to a maximum or without, on the C
 * library's memory.
 * files: buffer
 * options: -eva-alloc-returns-null
 * apart: caws__resize caws__buffer_reserve caws__buffer_add */
#include "prove.h"

#include "protocol/buffer.h"

#define MAX_LEN 6

static void grow(size_t first, size_t second, size_t max)
{
    static const caws_alloc alloc = { NULL, NULL };
    struct caws__buffer b = { NULL, 0, 0 };
    uint8_t bytes[MAX_LEN], *data = bytes + MAX_LEN - second;
    Frama_C_make_unknown((char *)data, second);
    if (caws__buffer_reserve(&b, &alloc, first, max) == CAWS_OK) {
        //@ assert b.cap == first;
        b.len = first;
        if (first > 0)
            Frama_C_make_unknown((char *)b.data, first);
    }
    if (caws__buffer_reserve(&b, &alloc, second, max) == CAWS_OK) {
        //@ assert b.len + second <= b.cap <= max;
        caws__buffer_add(&b, &alloc, data, second);
    }
    caws__buffer_add(&b, &alloc, data, second);
    //@ assert b.len <= b.cap;
    if (b.len > 0) {
        int result = caws__buffer_add(&b, &alloc, data, SIZE_MAX);
        //@ assert result == CAWS_ERR_NOMEM;
    }
    caws__buffer_free(&b, &alloc);
}

int main(void)
{
    for (size_t first = 0; first <= MAX_LEN; first++)
        for (size_t second = 1; second <= MAX_LEN; second++)
            for (size_t more = 0; more <= first; more++)
                grow(first, second, first + second + more);
    return 0;
}
