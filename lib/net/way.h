/* The way of a client's conn to its server: in line, to the addresses of a
 * name, through a proxy, and by redirects. Gone when the conn is OPEN. */
#ifndef CAWS__WAY_H
#define CAWS__WAY_H

#include "net/dial.h"
#include "net/resolve.h"
#include "net/tunnel.h"

enum caws__way_stage {
    CAWS__WAY_NEW,
    CAWS__WAY_QUEUED,   /* too many others are under way */
    CAWS__WAY_ADMITTED,
    CAWS__WAY_TURN,     /* for a host behind a proxy */
    CAWS__WAY_LOOKUP,
    CAWS__WAY_DIAL,
    CAWS__WAY_TUNNEL,
    CAWS__WAY_THERE     /* the conn has its descriptor, or has failed */
};

struct caws__way {
    struct caws__ring queue; /* first */
    struct caws__link *link;
    enum caws__way_stage stage;
    bool counted; /* among those that are pending */
    bool proxied;
    uint32_t redirects; /* that may still be followed */
    uint32_t timeout_ms;
    caws_timer late;
    struct caws__target target;
    struct caws__place proxy;
    struct caws__turn turn;
    char key[280];
    struct caws__lookup *lookup;
    struct caws__dial *dial;
    struct caws__tunnel *tunnel;
    struct caws__answer *answer; /* what was received, maybe a redirect */
};

/* CAWS_OK, CAWS_ERR_URL or CAWS_ERR_NOMEM. Its link comes later. */
int caws__way_new(struct caws__way **out, const caws_alloc *alloc,
                  const caws_client_config *cfg);
/* After its end, if it ever had a link. */
void caws__way_free(struct caws__way *way, const caws_alloc *alloc);

/* caws__owner.wait: set out, or go on. */
void caws__way_go(struct caws__link *link);

/* Back to the beginning; the target may be another one. */
void caws__way_again(struct caws__way *way);

/* The turn is over, and so is whatever was under way. */
void caws__way_end(struct caws__way *way);

#endif
