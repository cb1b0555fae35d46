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
    for (struct caws__link *l = server->owner.first; l; l = l->next)
        if (caws_ready_state(l->ws) == CAWS_OPEN)
            fn(l->ws, arg);
}

void caws_server_stats(const caws_server *server, caws_stats *out,
                       size_t sizeof_out)
{
    caws_stats stats = server->stats;
    size_t known = sizeof_out < sizeof stats ? sizeof_out : sizeof stats;

    stats.open_now = (size_t)(stats.opened - stats.closed);
    for (struct caws__link *l = server->owner.first; l; l = l->next)
        if (caws_ready_state(l->ws) != CAWS_CLOSED)
            stats.buffered_now += caws_buffered_amount(l->ws);
    memset(out, 0, sizeof_out);
    memcpy(out, &stats, known);
}

uint64_t caws_id(const caws_conn *ws)
{
    return caws__link_of(ws)->id;
}

caws_conn *caws_find(caws_loop *loop, uint64_t id)
{
    struct caws__link *link = caws__ids_find(&loop->ids, id);

    if (!link || caws_ready_state(link->ws) == CAWS_CLOSED)
        return NULL;
    return link->ws;
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
