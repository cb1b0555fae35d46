/* A connection through a proxy: CONNECT (RFC 9110 section 9.3.6). */
#ifndef CAWS__TUNNEL_H
#define CAWS__TUNNEL_H

#include "net/answer.h"
#include "net/link.h"
#include "net/target.h"

struct caws__tunnel {
    struct caws__source source;
    struct caws__link *link;
    void (*done)(struct caws__link *link, int status);
    struct caws__answer *answer;
    size_t sent, len;
    char request[640];
};

/* Ask the proxy at the other end of fd for a connection to this place. done is
 * called once, while the loop waits: with the status of the proxy's answer, 0
 * where it gave none, or -1 where that was no HTTP. NULL for want of memory,
 * and fd is still the caller's. */
struct caws__tunnel *caws__tunnel_new(struct caws__link *link, int fd,
                                      const struct caws__place *to,
                                      void (*done)(struct caws__link *link,
                                                   int status));

/* Take the descriptor out of it. */
int caws__tunnel_take(struct caws__tunnel *tunnel);

/* Not from within done. */
void caws__tunnel_free(struct caws__tunnel *tunnel);

#endif
