#include "net/server.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "net/group.h"
#include "net/memory.h"
#include "net/sys.h"

#define SERVER_MAX_CONNS 1024
#define SERVER_BACKLOG   511

/* ---- What the conns report --------------------------------------------- */

static void server_on_open(caws_conn *ws)
{
    struct caws__link *link = caws__link_of(ws);
    caws_server *server = link->owner->server;

    link->source.flags |= CAWS__SERVER_OPENED;
    server->stats.opened++;
    if (server->on_open)
        server->on_open(ws);
    /* Let in by a handler inside which the server was stopped. */
    if (server->listener.fd < 0 && caws_ready_state(ws) == CAWS_OPEN)
        caws_close(ws, CAWS_CLOSE_GOING_AWAY, "server is stopping");
}

/* At most once for a conn. */
static void server_tell(struct caws__link *link, int error, const char *detail)
{
    caws_server *server = link->owner->server;

    if (link->source.flags & CAWS__SERVER_TOLD)
        return;
    link->source.flags |= CAWS__SERVER_TOLD;
    if (server->on_failure)
        server->on_failure(caws__link_conn(link), error, detail);
}

/* A broadcast calls no handlers, so what it did is told here, later. */
static void server_tell_slow(struct caws__link *link)
{
    if (link->source.flags & CAWS__SERVER_SLOW)
        server_tell(link, CAWS_ERR_FULL,
                    "too slow for a broadcast: its queue was full, "
                    "RFC 6455 section 7.4.1");
}

static void server_on_error(caws_conn *ws, int error, const char *detail)
{
    server_tell_slow(caws__link_of(ws));
    server_tell(caws__link_of(ws), error, detail);
}

static void server_on_close(caws_conn *ws, const caws_close_event *result)
{
    struct caws__link *link = caws__link_of(ws);
    caws_server *server = link->owner->server;
    caws_close_event event = *result;

    server_tell_slow(link);
    if (link->source.flags & CAWS__SERVER_SLOW)
        event.error = CAWS_ERR_FULL;
    if (link->source.flags & CAWS__SERVER_OPENED)
        server->stats.closed++;
    caws__group_forget(link);
    if (server->on_close)
        server->on_close(ws, &event);
}

static void server_gone(struct caws__link *link)
{
    caws_server *server = link->owner->server;

    if (link->source.flags & CAWS__SERVER_FULL)
        server->turned_away--;
    else
        server->conns--;
    if (server->owner.links.len == 0)
        caws_timer_stop(server->owner.loop, &server->cut);
}

void caws__server_report(caws_server *server, int error, const char *detail)
{
    if (server->on_error)
        server->on_error(server, error, detail);
}

/* ---- Birth ------------------------------------------------------------- */

static int server_copy_strings(caws_server *server)
{
    caws_config *ws = &server->ws;
    const char **fields[] = { &ws->path,         &ws->hosts,  &ws->origins,
                              &ws->subprotocols, &ws->origin, &ws->headers,
                              &server->unix_path };

    return caws__strings_copy(&server->strings, &server->owner.loop->alloc,
                              fields, sizeof fields / sizeof *fields);
}

/* 0, or an errno. */
static int server_configure(caws_server *server, const caws_server_config *cfg)
{
    server->ws = cfg->ws;
    server->on_open = cfg->ws.on_open;
    server->on_failure = cfg->ws.on_error;
    server->on_close = cfg->ws.on_close;
    server->on_error = cfg->on_error;
    server->ws.on_open = server_on_open;
    server->ws.on_error = server_on_error;
    server->ws.on_close = server_on_close;
    if (!server->ws.random)
        server->ws.random = caws_entropy;
    if (!server->ws.alloc.resize)
        server->ws.alloc = server->owner.loop->for_conns;
    server->max_conns = cfg->max_conns ? cfg->max_conns : SERVER_MAX_CONNS;
    server->slow = cfg->slow;
    server->unix_path = cfg->listen_fd ? NULL : caws__sock_unix_path(cfg->host);
    int result = caws_config_check(&server->ws, NULL);
    if (result == CAWS_OK)
        result = server_copy_strings(server);
    return result == CAWS_OK ? 0 : result == CAWS_ERR_NOMEM ? ENOMEM : EINVAL;
}

/* On a loopback address: its usual names, and the one it was asked for by. */
static void server_answer_to(caws_server *server, const char *name)
{
    size_t len = strlen(server->hosts);

    if (server->ws.hosts || len == 0)
        return;
    if (name && !strchr(name, ':') &&
        strlen(name) + 3 <= sizeof server->hosts - len) {
        memcpy(server->hosts + len, ", ", 2);
        memcpy(server->hosts + len + 2, name, strlen(name) + 1);
    }
    server->ws.hosts = server->hosts;
}

static int server_open_listener(caws_server *server,
                                const caws_server_config *cfg)
{
    int fd = (int)cfg->listen_fd;

    if (!fd)
        fd = caws__sock_listen(cfg->host, cfg->port,
                               cfg->backlog > 0 ? cfg->backlog : SERVER_BACKLOG,
                               cfg->reuse_port);
    else if (caws__sock_inherit(fd) < 0)
        fd = -1;
    if (fd < 0)
        return errno;
    /* Without the address the Host check would be left out unnoticed. */
    server->listener.fd = fd;
    if (caws__sock_local(fd, &server->port, server->hosts) == 0 &&
        caws__loop_watch(server->owner.loop, &server->listener, CAWS__READ) ==
            CAWS_OK) {
        if (server->unix_path)
            caws__sys_lstat(server->unix_path, &server->unix_file);
        server_answer_to(server, cfg->listen_fd ? NULL : cfg->host);
        return 0;
    }
    int error = errno;
    if (!cfg->listen_fd)
        caws__sys_close(fd);
    if (server->unix_path)
        caws__sys_unlink(server->unix_path);
    return error;
}

/* Not that of a successor which took the path over. */
static void server_unlink(const caws_server *server)
{
    struct stat file;

    if (server->unix_path &&
        caws__sys_lstat(server->unix_path, &file) == 0 &&
        file.st_dev == server->unix_file.st_dev &&
        file.st_ino == server->unix_file.st_ino)
        caws__sys_unlink(server->unix_path);
}

static void server_release(caws_server *server)
{
    const caws_alloc *alloc = &server->owner.loop->alloc;

    caws__strings_free(&server->strings, alloc);
    caws__memory(alloc, server, sizeof *server, 0);
}

static void server_stop_listening(caws_server *server)
{
    caws_loop *loop = server->owner.loop;

    caws__loop_watch(loop, &server->listener, 0);
    caws_timer_stop(loop, &server->retry);
    caws__sys_close(server->listener.fd);
    server->listener.fd = -1;
    loop->live--;
    server_unlink(server);
}

static void server_free(struct caws__owner *owner)
{
    if (owner->server->listener.fd >= 0)
        server_stop_listening(owner->server);
    server_release(owner->server);
}

static void server_cut(caws_timer *timer)
{
    caws_server *server = timer->user;
    struct caws__link *link;

    for (size_t at = 0; (link = caws__link_next(&server->owner, &at));)
        caws_abort(caws__link_conn(link));
}

static void server_init(caws_server *server, caws_loop *loop)
{
    *server = (caws_server){
        .owner = { .server = server,
                   .gone = server_gone,
                   .free = server_free,
                   .look = server_tell_slow },
        .listener = { .ready = caws__server_accept, .fd = -1 },
        .retry = { .fn = caws__server_retry, .user = server },
        .cut = { .fn = server_cut, .user = server },
    };
    server->owner.loop = loop;
    caws__link_transport(&server->transport);
    server->transport.counters = &server->stats.conns;
}

static bool server_config_is_legal(const caws_server_config *cfg)
{
    return cfg && !cfg->tls && cfg->listen_fd >= 0 &&
           cfg->listen_fd <= INT_MAX &&
           (cfg->slow == CAWS_SLOW_CLOSE || cfg->slow == CAWS_SLOW_SKIP);
}

caws_server *caws_listen(caws_loop *loop, const caws_server_config *cfg)
{
    caws_server *server;

    if (!loop || loop->closing || !server_config_is_legal(cfg)) {
        errno = EINVAL;
        return NULL;
    }
    server = caws__memory(&loop->alloc, NULL, 0, sizeof *server);
    if (!server) {
        errno = ENOMEM;
        return NULL;
    }
    server_init(server, loop);
    int error = server_configure(server, cfg);
    if (!error)
        error = server_open_listener(server, cfg);
    if (error) {
        server_release(server);
        errno = error;
        return NULL;
    }
    caws__loop_own(loop, &server->owner);
    loop->live++;
    return server;
}

/* ---- Stop -------------------------------------------------------------- */

static void server_dismiss(caws_conn *ws)
{
    switch (caws_ready_state(ws)) {
    case CAWS_CONNECTING:
        caws_refuse(ws, 503);
        break;
    case CAWS_OPEN:
        caws_close(ws, CAWS_CLOSE_GOING_AWAY, "server is stopping");
        break;
    case CAWS_CLOSING:
    case CAWS_CLOSED:
        break;
    }
}

void caws_server_stop(caws_server *server, uint32_t deadline_ms)
{
    caws_loop *loop = server->owner.loop;
    uint64_t due = caws__sys_now_ms() + deadline_ms;
    struct caws__link *link;

    if (server->listener.fd >= 0)
        server_stop_listening(server);
    for (size_t at = 0; (link = caws__link_next(&server->owner, &at));)
        server_dismiss(caws__link_conn(link));
    if (server->owner.links.len == 0 || loop->closing ||
        (server->cut.slot_ && server->cut.due_ <= due))
        return;
    if (caws_timer_start(loop, &server->cut, deadline_ms, 0) < 0)
        server_cut(&server->cut);
}
