/* Waiting for descriptors: one seam with two back ends behind it, both level-
 * triggered. Read one and know both. */
#ifndef CAWS__POLLER_H
#define CAWS__POLLER_H

#include <caws_net.h>

#define CAWS__READ  1u
#define CAWS__WRITE 2u

/* What a descriptor belongs to. Embedded, first, in whatever that is. */
struct caws__source {
    void (*ready)(struct caws__source *source, unsigned what);
    int fd;
    uint16_t interest; /* CAWS__READ, CAWS__WRITE: what the poller knows */
    uint16_t flags;    /* of whatever it is embedded in */
};

struct caws__event {
    struct caws__source *source;
    unsigned what; /* on trouble with the descriptor, both */
};

struct caws__poller {
    void *(*create)(const caws_alloc *alloc); /* NULL: errno */
    void (*destroy)(void *poller);
    /* 0, or -1 with errno set. Interest is never empty: a descriptor of which
     * nothing is wanted is removed, as errors are reported unasked. */
    int (*add)(void *poller, struct caws__source *source, unsigned interest);
    int (*modify)(void *poller, struct caws__source *source, unsigned interest);
    void (*remove)(void *poller, struct caws__source *source);
    /* How many events, at most max, or -1 with errno set. A negative timeout
     * waits for ever. */
    int (*wait)(void *poller, struct caws__event *out, int max, int timeout_ms);
    int (*fd)(const void *poller); /* readable when an event is; or -1 */
};

extern const struct caws__poller caws__poller_epoll;
extern const struct caws__poller caws__poller_poll;

#endif
