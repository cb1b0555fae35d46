/* Where a client is to go, taken from URLs: its own, a proxy's, and those of
 * redirects. Nothing here asks the system. */
#ifndef CAWS__TARGET_H
#define CAWS__TARGET_H

#include <caws_net.h>

/* A host and port, or the path of a Unix-domain socket. */
struct caws__place {
    char host[256]; /* without brackets */
    char path[108]; /* "": host and port */
    uint16_t port;
};

struct caws__target {
    char *url; /* "ws://...": what the request is made from */
    size_t size;
    struct caws__place place;
};

/* "ws://host:port/path" or "ws+unix:/socket:/path". CAWS_OK, CAWS_ERR_URL
 * (also for wss:, as there is no TLS), or CAWS_ERR_NOMEM. */
int caws__target_parse(struct caws__target *target, const caws_alloc *alloc,
                       const char *text);
void caws__target_free(struct caws__target *target, const caws_alloc *alloc);

/* "http://host:port". CAWS_OK or CAWS_ERR_URL. */
int caws__target_proxy(struct caws__place *place, const char *text);

/* Where the Location field of a redirect leads to: an absolute URL or path.
 * CAWS_ERR_URL where that cannot be followed. */
int caws__target_follow(struct caws__target *to, const caws_alloc *alloc,
                        const struct caws__target *from, caws_slice location);

/* The same host and port? */
bool caws__target_is_same(const struct caws__place *a,
                          const struct caws__place *b);

#endif
