/* Incremental UTF-8 check (RFC 6455 section 8.1, RFC 3629), resumable at any
 * byte; it fails at the first byte that no valid text can go on with. */
#ifndef CAWS__UTF8_H
#define CAWS__UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: between two code points. */
struct caws__utf8 {
    uint8_t need;      /* continuation bytes still to come        */
    uint8_t low, high; /* the range of the next one, if need > 0  */
};

/* Where it fails, what the state is then is of no use. */
bool caws__utf8_check(struct caws__utf8 *u, const void *data, size_t len);

/* The portable part. */
bool caws__utf8_bytes(struct caws__utf8 *u, const uint8_t *p, size_t len);

/* May the text end here? */
static inline bool caws__utf8_complete(const struct caws__utf8 *u)
{
    return u->need == 0;
}

/* The whole of data is UTF-8. */
bool caws__utf8_valid(const void *data, size_t len);

#endif
