/* Clients: conns that are made before they have a descriptor. */
#ifndef CAWS__CLIENT_H
#define CAWS__CLIENT_H

#include "net/link.h"
#include "net/ring.h"
#include "net/strings.h"
#include "net/way.h"

/* What the clients of a loop share; the owner of their links. */
struct caws__clients {
    struct caws__owner owner;
    struct caws__ring queue;   /* ways that may not set out yet */
    struct caws__ring turns;   /* that are held */
    struct caws__ring lookups;
    size_t pending;            /* ways that have set out, and wait for none */
    struct caws__random *random;
};

struct caws__client {
    caws_transport transport;
    caws_config ws;                 /* with our on_open and on_close ... */
    void (*on_open)(caws_conn *ws); /* ... that go on to these */
    void (*on_close)(caws_conn *ws, const caws_close_event *event);
    struct caws__strings strings;
    struct caws__way *way; /* until it is OPEN, or at its end */
};

/* The room in a client's conn. */
struct caws__client_link {
    struct caws__link link;
    struct caws__client *client;
};

static inline struct caws__client *caws__client_of(struct caws__link *link)
{
    return ((struct caws__client_link *)link)->client;
}

static inline struct caws__clients *caws__clients_of(struct caws__link *link)
{
    return (struct caws__clients *)link->owner;
}

/* caws__owner.screen: is it a redirect that is to be followed? */
bool caws__redirect_screen(struct caws__link *link, void *data, size_t len);

#endif
