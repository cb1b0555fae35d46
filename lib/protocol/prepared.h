/* A prepared message: one encoding for many receivers. */
#ifndef CAWS__PREPARED_H
#define CAWS__PREPARED_H

#include <caws.h>
#include <stdatomic.h>

struct caws_prepared {
    atomic_uint users;
    caws_alloc alloc;
    caws_type type;
    size_t header;   /* of the frame, as a server sends it */
    size_t len;      /* of the whole frame                 */
    uint8_t frame[];
};

static inline void caws__prepared_share(caws_prepared *msg)
{
    atomic_fetch_add_explicit(&msg->users, 1, memory_order_relaxed);
}

#endif
