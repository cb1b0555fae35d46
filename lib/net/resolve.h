/* Names are looked up on helper threads: the system may take its time. */
#ifndef CAWS__RESOLVE_H
#define CAWS__RESOLVE_H

#include "net/loop.h"
#include "net/ring.h"
#include "net/sys.h"

struct caws__lookup;

/* Begin. done is called on the loop's thread, in a task, unless it is cancelled
 * before; list is NULL where nothing was found, and is freed after the call.
 * NULL: there is no memory, or no thread. all: the loop's. */
struct caws__lookup *
caws__resolve_start(struct caws__ring *all, caws_loop *loop, const char *host,
                    uint16_t port,
                    void (*done)(void *user, const struct addrinfo *list),
                    void *user);

/* done is not called; the thread goes on for as long as it must. */
void caws__resolve_cancel(struct caws__lookup *lookup);

/* Their loop is being freed: leave all of them to their threads. */
void caws__resolve_abandon(struct caws__ring *all);

#endif
