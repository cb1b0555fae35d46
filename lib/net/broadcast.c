#include "net/broadcast.h"
#include "net/server.h"

/* caws_prepare does not say why it failed. If there is memory for the same as
 * binary, and then still none for it as text, it is not UTF-8. */
int caws__broadcast_prepare(const caws_config *cfg, caws_type type,
                            const void *data, size_t len, caws_prepared **out)
{
    caws_prepared *probe;

    if ((type != CAWS_TEXT && type != CAWS_BINARY) || (!data && len > 0))
        return CAWS_ERR_ARG;
    *out = caws_prepare(cfg, type, data, len);
    if (*out)
        return CAWS_OK;
    probe = caws_prepare(cfg, CAWS_BINARY, data, len);
    if (!probe)
        return CAWS_ERR_NOMEM;
    caws_prepared_free(probe);
    *out = caws_prepare(cfg, type, data, len);
    return *out ? CAWS_OK : CAWS_ERR_UTF8;
}

/* Its queue is full, or there is no memory to put the message there. */
static void broadcast_slow(caws_server *server, caws_conn *ws)
{
    if (server->slow == CAWS_SLOW_SKIP) {
        server->stats.slow_skipped++;
        return;
    }
    server->stats.slow_closed++;
    caws__link_of(ws)->source.flags |= CAWS__SERVER_SLOW;
    caws_discard(ws);
    caws_close(ws, CAWS_CLOSE_TRY_AGAIN_LATER, "slow receiver");
}

/* One that is in the middle of a fragmented message of ours cannot take it;
 * there is no server for a client, and so no policy but to leave it out. */
int caws__broadcast_to(struct caws__link *link, caws_prepared *msg)
{
    caws_server *server = link->owner->server;

    if (caws_ready_state(caws__link_conn(link)) != CAWS_OPEN)
        return 0;
    int result = caws_send_prepared(caws__link_conn(link), msg);
    if (result != CAWS_OK && server) {
        if (result == CAWS_ERR_STATE)
            server->stats.busy_skipped++;
        else
            broadcast_slow(server, caws__link_conn(link));
    }
    return result == CAWS_OK;
}

int64_t caws_broadcast(caws_server *server, const caws_conn *except,
                       caws_type type, const void *data, size_t len)
{
    caws_prepared *msg;
    struct caws__link *link;
    int64_t count = caws__broadcast_prepare(&server->ws, type, data, len,
                                            &msg);

    if (count < 0)
        return count;
    for (size_t at = 0; (link = caws__link_next(&server->owner, &at));)
        if (caws__link_conn(link) != except)
            count += caws__broadcast_to(link, msg);
    caws_prepared_free(msg);
    return count;
}
