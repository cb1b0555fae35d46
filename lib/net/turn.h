/* RFC 6455 section 4.1: of the connections to one address, one at a time is
 * CONNECTING. The others wait for their turn, in the order in which they
 * came. */
#ifndef CAWS__TURN_H
#define CAWS__TURN_H

#include "net/link.h"
#include "net/ring.h"

enum caws__turn_state { CAWS__TURN_NONE, CAWS__TURN_WAITS, CAWS__TURN_HELD };

struct caws__turn {
    struct caws__ring place; /* among those that are held, or behind one */
    struct caws__ring behind;
    struct caws__link *link;
    const void *key; /* the address, in any form of its own */
    size_t len;
    enum caws__turn_state state;
};

void caws__turn_init(struct caws__turn *turn, struct caws__link *link,
                     const void *key, size_t len);

/* Get in line, if need be. True: it has its turn. Else it waits, and its link
 * is served when it has. held are all turns that are. */
bool caws__turn_take(struct caws__ring *held, struct caws__turn *turn);

/* The turn is over, or is not waited for any more. */
void caws__turn_give(struct caws__ring *held, struct caws__turn *turn);

#endif
