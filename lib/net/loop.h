/* The loop and what is in it. */
#ifndef CAWS__LOOP_H
#define CAWS__LOOP_H

#include <caws_net.h>

#include "net/alarm.h"
#include "net/heap.h"
#include "net/ids.h"
#include "net/pool.h"
#include "net/poller.h"
#include "net/wake.h"

/* One receive buffer for all. A piece of this size, with the header of its
 * echo, still fits half of the default max_buffered: see caws_needs_drain. */
#define CAWS__LOOP_INPUT ((size_t)512 * 1024 - 64)

struct caws__link;
struct caws__signals;

/* Whoever made links, a server for example: it is embedded, first, in that,
 * and outlives its links. */
struct caws__owner {
    caws_loop *loop;
    caws_server *server;             /* NULL: it is none */
    struct caws__ids links;          /* in the order in which they came */
    size_t link_at;                  /* in the block of a conn */
    struct caws__owner *next;
    void (*gone)(struct caws__link *link); /* its descriptor is closed */
    void (*free)(struct caws__owner *owner);
    void (*look)(struct caws__link *link); /* it is served; may be NULL */
    /* These may be NULL: only clients have them. */
    void (*wait)(struct caws__link *link); /* it is served, but waits */
    bool (*screen)(struct caws__link *link, void *data, size_t len);
    void (*reap)(struct caws__link *link); /* free the conn */
};

struct caws_loop {
    caws_alloc alloc;
    caws_alloc for_conns; /* the same, through the pool */
    struct caws__pool pool;
    const struct caws__poller *kind;
    void *poller;
    struct caws__wake wake;
    struct caws__heap timers;    /* the application's */
    struct caws__alarms deadlines; /* the links' */
    uint64_t last_id;
    struct caws__signals *signals;
    struct caws__owner *owners;
    struct caws__owner *clients; /* one of them; NULL: there were none yet */
    struct caws__link *todo, *todo_last; /* to be looked at in the flush */
    struct caws__link *dead;             /* to be freed when the step ends */
    size_t live; /* links and listeners: what the loop runs for */
    uint64_t now_ms;
    uint64_t trim_ms; /* when the pool is next trimmed */
    bool stepping;
    bool closing; /* inside caws_loop_free: nothing new may begin */
    uint8_t *input;
};

caws_loop *caws__loop_new_with(const caws_alloc *alloc,
                               const struct caws__poller *kind);

void caws__loop_own(caws_loop *loop, struct caws__owner *owner);

/* Wait for this of the source from now on; for nothing, if it is 0. CAWS_OK
 * or CAWS_ERR_SYS. */
int caws__loop_watch(caws_loop *loop, struct caws__source *source,
                     unsigned interest);

#endif
