#include <string.h>

#include "net/server.h"
#include "net/sys.h"

uint16_t caws_server_port(const caws_server *server)
{
    return server->port;
}

void caws_server_each(caws_server *server, void (*fn)(caws_conn *ws, void *arg),
                      void *arg)
{
    struct caws__link *link;

    for (size_t at = 0; (link = caws__link_next(&server->owner, &at));)
        if (caws_ready_state(caws__link_conn(link)) == CAWS_OPEN)
            fn(caws__link_conn(link), arg);
}

void caws_server_stats(const caws_server *server, caws_stats *out,
                       size_t sizeof_out)
{
    caws_stats stats = server->stats;
    size_t known = sizeof_out < sizeof stats ? sizeof_out : sizeof stats;
    struct caws__link *link;

    stats.open_now = (size_t)(stats.opened - stats.closed);
    for (size_t at = 0; (link = caws__link_next(&server->owner, &at));) {
        const caws_conn *ws = caws__link_conn(link);

        if (caws_ready_state(ws) != CAWS_CLOSED)
            stats.buffered_now += caws_buffered_amount(ws);
    }
    memset(out, 0, sizeof_out);
    memcpy(out, &stats, known);
}

uint64_t caws_id(const caws_conn *ws)
{
    return caws__link_of(ws)->id;
}

caws_conn *caws_find(caws_loop *loop, uint64_t id)
{
    const uint64_t *found = NULL;
    caws_conn *ws;

    for (struct caws__owner *o = loop->owners; o && !found; o = o->next)
        found = caws__ids_find(&o->links, id);
    if (!found)
        return NULL;
    ws = caws__link_conn(caws__link_by(found));
    return caws_ready_state(ws) == CAWS_CLOSED ? NULL : ws;
}

caws_loop *caws_loop_of(const caws_conn *ws)
{
    return caws__link_of(ws)->owner->loop;
}

caws_server *caws_server_of(const caws_conn *ws)
{
    return caws__link_of(ws)->owner->server;
}

intptr_t caws_fd(const caws_conn *ws)
{
    return caws__link_of(ws)->source.fd;
}

int caws_peer_name(const caws_conn *ws, char *out, size_t size)
{
    return caws__sock_peer_name(caws__link_of(ws)->source.fd, out, size);
}
