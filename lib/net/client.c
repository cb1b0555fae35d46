#include "net/client.h"

#include <errno.h>

#include "net/group.h"
#include "net/memory.h"
#include "net/random.h"

/* ---- What the conns report --------------------------------------------- */

static void client_end_way(struct caws__link *link)
{
    struct caws__client *client = caws__client_of(link);

    if (!client->way)
        return;
    caws__way_end(client->way);
    caws__way_free(client->way, &link->owner->loop->alloc);
    client->way = NULL;
}

static void client_on_open(caws_conn *ws)
{
    struct caws__link *link = caws__link_of(ws);

    client_end_way(link);
    if (caws__client_of(link)->on_open)
        caws__client_of(link)->on_open(ws);
}

static void client_on_close(caws_conn *ws, const caws_close_event *event)
{
    struct caws__link *link = caws__link_of(ws);

    caws__group_forget(link);
    if (caws__client_of(link)->on_close)
        caws__client_of(link)->on_close(ws, event);
}

/* ---- What clients share ------------------------------------------------ */

static void client_free(struct caws__client *client, const caws_alloc *alloc)
{
    if (client->way)
        caws__way_free(client->way, alloc);
    caws__strings_free(&client->strings, alloc);
    caws__memory(alloc, client, sizeof *client, 0);
}

/* The conn uses the config until it is freed. */
static void client_reap(struct caws__link *link)
{
    struct caws__client *client = caws__client_of(link);
    const caws_alloc *alloc = &link->owner->loop->alloc;

    caws_free(caws__link_conn(link));
    client_free(client, alloc);
}

static void client_free_all(struct caws__owner *owner)
{
    struct caws__clients *clients = (struct caws__clients *)owner;
    caws_loop *loop = owner->loop;

    caws__resolve_abandon(&clients->lookups);
    caws__random_free(clients->random);
    caws__memory(&loop->alloc, clients, sizeof *clients, 0);
}

/* NULL for want of memory. */
static struct caws__clients *client_all(caws_loop *loop)
{
    struct caws__clients *clients = (struct caws__clients *)loop->clients;

    if (clients)
        return clients;
    clients = caws__memory(&loop->alloc, NULL, 0, sizeof *clients);
    if (!clients)
        return NULL;
    *clients = (struct caws__clients){ .owner = { .gone = client_end_way,
                                                  .free = client_free_all,
                                                  .wait = caws__way_go,
                                                  .screen =
                                                      caws__redirect_screen,
                                                  .reap = client_reap } };
    caws__ring_init(&clients->queue);
    caws__ring_init(&clients->turns);
    caws__ring_init(&clients->lookups);
    clients->random = caws__random_new();
    caws__loop_own(loop, &clients->owner);
    loop->clients = &clients->owner;
    return clients;
}

/* ---- Birth ------------------------------------------------------------- */

static int client_copy_config(struct caws__client *client,
                              struct caws__clients *clients,
                              const caws_config *cfg)
{
    caws_loop *loop = clients->owner.loop;
    caws_config *ws = &client->ws;
    const char **fields[] = { &ws->path,         &ws->hosts,  &ws->origins,
                              &ws->subprotocols, &ws->origin, &ws->headers };

    *ws = *cfg;
    client->on_open = cfg->on_open;
    client->on_close = cfg->on_close;
    ws->on_open = client_on_open;
    ws->on_close = client_on_close;
    if (!ws->random) {
        ws->random = caws__random_take;
        ws->random_ctx = clients->random;
    }
    if (!ws->alloc.resize)
        ws->alloc = loop->for_conns;
    int result = caws_config_check(ws, client->way->target.url);
    if (result < 0)
        return result;
    return caws__strings_copy(&client->strings, &loop->alloc, fields,
                              sizeof fields / sizeof *fields);
}

/* CAWS_OK, or why there is none. */
static int client_make_conn(struct caws__client *client,
                            struct caws__clients *clients, caws_conn **out)
{
    uint8_t probe;
    caws_conn *ws;

    caws__link_transport(&client->transport);
    client->transport.owner_size = sizeof(struct caws__client_link);
    ws = caws_new_client(client->way->target.url, &client->ws,
                         &client->transport);
    if (!ws)
        return client->ws.random(client->ws.random_ctx, &probe, 1) == 0
                   ? CAWS_ERR_NOMEM
                   : CAWS_ERR_RANDOM;
    struct caws__client_link *room = caws_transport_owner(ws);
    room->client = client;
    client->way->link = &room->link;
    if (caws__link_start(&clients->owner, ws, -1, NULL, 0) < 0) {
        caws_free(ws);
        return CAWS_ERR_NOMEM;
    }
    *out = ws;
    return CAWS_OK;
}

static int client_new(struct caws__clients *clients,
                      const caws_client_config *cfg, caws_conn **out)
{
    const caws_alloc *alloc = &clients->owner.loop->alloc;
    struct caws__client *client =
        caws__memory(alloc, NULL, 0, sizeof *client);

    if (!client)
        return CAWS_ERR_NOMEM;
    *client = (struct caws__client){ .way = NULL };
    int result = caws__way_new(&client->way, alloc, cfg);
    if (result == CAWS_OK)
        result = client_copy_config(client, clients, &cfg->ws);
    if (result == CAWS_OK)
        result = client_make_conn(client, clients, out);
    if (result < 0)
        client_free(client, alloc);
    return result;
}

static bool client_config_is_legal(const caws_client_config *cfg)
{
    if (!cfg || cfg->tls)
        return false;
    for (size_t i = 0; i < sizeof cfg->reserved_ / sizeof *cfg->reserved_; i++)
        if (cfg->reserved_[i])
            return false;
    return true;
}

static int client_errno(int error)
{
    if (error == CAWS_ERR_NOMEM)
        return ENOMEM;
    return error == CAWS_ERR_RANDOM ? EIO : EINVAL;
}

caws_conn *caws_connect_with(caws_loop *loop, const caws_client_config *cfg)
{
    struct caws__clients *clients;
    caws_conn *ws = NULL;
    int result;

    if (!loop || !client_config_is_legal(cfg)) {
        errno = EINVAL;
        return NULL;
    }
    if (loop->closing) {
        errno = ECANCELED;
        return NULL;
    }
    clients = client_all(loop);
    result = clients ? client_new(clients, cfg, &ws) : CAWS_ERR_NOMEM;
    if (result < 0)
        errno = client_errno(result);
    return ws;
}

caws_conn *caws_connect(caws_loop *loop, const char *url,
                        const caws_config *cfg)
{
    caws_client_config client = { .url = url };

    if (!cfg) {
        errno = EINVAL;
        return NULL;
    }
    client.ws = *cfg;
    return caws_connect_with(loop, &client);
}
