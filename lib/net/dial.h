/* From addresses to a connection: they are tried one after the other, the next
 * one as soon as the last has failed or 250 ms have passed, and the first to
 * connect wins (RFC 8305 section 5). */
#ifndef CAWS__DIAL_H
#define CAWS__DIAL_H

#include "net/address.h"
#include "net/turn.h"

struct caws__dial;

struct caws__dial_try {
    struct caws__source source; /* fd -1: it is not under way */
    struct caws__turn turn;
    struct caws__dial *dial;
    struct caws__address address;
};

struct caws__dial {
    struct caws__link *link;
    struct caws__ring *turns; /* NULL: each may be tried at any time */
    void (*done)(struct caws__link *link, int fd);
    caws_timer pause;
    int error;      /* of the last that failed */
    size_t next;    /* to be tried */
    size_t running;
    size_t count;
    struct caws__dial_try tries[];
};

/* done is called once, from within the other functions too: with a connected
 * descriptor, or -1 where all addresses have failed. The winner keeps its turn
 * until caws__dial_free. NULL for want of memory. */
struct caws__dial *caws__dial_new(struct caws__link *link,
                                  struct caws__ring *turns,
                                  const struct caws__addresses *addresses,
                                  void (*done)(struct caws__link *link,
                                               int fd));

void caws__dial_start(struct caws__dial *dial);

/* Go on, if the turn that it waited for has come. */
void caws__dial_go(struct caws__dial *dial);

/* Does it wait for its turn, and for nothing else? */
bool caws__dial_is_held_up(const struct caws__dial *dial);

/* Not while its own sources may be in the batch that the loop is going
 * through: after done, or outside of the wait. */
void caws__dial_free(struct caws__dial *dial);

#endif
