#include <errno.h>
#include <limits.h>

#include "net/server.h"
#include "net/sys.h"

#define ACCEPT_BATCH       64
#define ACCEPT_RETRY_MS    100
#define ACCEPT_TURNED_AWAY 64 /* that are being told so, at once */

static int accept_fail(caws_conn *ws, int fd, int error)
{
    caws_free(ws);
    caws__sys_close(fd);
    errno = error;
    return -1;
}

/* ws may be NULL: there was no memory for it. The descriptor is taken in any
 * case. */
static int accept_start(caws_server *server, caws_conn *ws, int fd,
                        const void *data, size_t len)
{
    if (!ws || caws__link_start(&server->owner, ws, fd, data, len) < 0)
        return accept_fail(ws, fd, ENOMEM);
    server->stats.accepted++;
    server->conns++;
    return 0;
}

/* One too many: it hears 503, unless too many are hearing that already. */
static void accept_turn_away(caws_server *server, int fd)
{
    if (server->turned_away >= ACCEPT_TURNED_AWAY) {
        caws__sys_close(fd);
    } else {
        caws_conn *ws = caws_new_server(&server->ws, &server->transport);

        if (accept_start(server, ws, fd, NULL, 0) == 0) {
            caws__link_of(ws)->source.flags |= CAWS__SERVER_FULL;
            server->conns--;
            server->turned_away++;
            caws_refuse(ws, 503);
        }
    }
}

static void accept_take(caws_server *server, int fd)
{
    if (server->conns >= server->max_conns) {
        accept_turn_away(server, fd);
        caws__server_report(server, CAWS_ERR_LIMIT,
                            "more connections than max_conns");
        return;
    }
    caws_conn *ws = caws_new_server(&server->ws, &server->transport);
    if (accept_start(server, ws, fd, NULL, 0) < 0)
        caws__server_report(server, CAWS_ERR_NOMEM,
                            "no memory for a connection");
}

/* Leave the listener alone for a while: it stays readable, and to ask again
 * at once would be to ask for ever. */
static void accept_back_off(caws_server *server)
{
    caws_loop *loop = server->owner.loop;
    bool first = !server->out_of_descriptors;

    if (caws_timer_start(loop, &server->retry, ACCEPT_RETRY_MS, 0) == CAWS_OK)
        caws__loop_watch(loop, &server->listener, 0);
    server->out_of_descriptors = true;
    if (first)
        caws__server_report(server, CAWS_ERR_SYS,
                            "cannot accept: out of descriptors or memory");
}

/* Is it worth asking for the next one? Most errors are those of the connection
 * that was to be accepted: see accept(2). */
static bool accept_goes_on(caws_server *server, int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case ETIMEDOUT:
        return true;
    case EAGAIN:
        return false;
    default:
        accept_back_off(server);
        return false;
    }
}

void caws__server_accept(struct caws__source *listener, unsigned what)
{
    caws_server *server =
        (caws_server *)(void *)((char *)listener -
                                offsetof(caws_server, listener));

    (void)what;
    /* on_error may stop the server. */
    for (int i = 0; i < ACCEPT_BATCH && listener->fd >= 0; i++) {
        int fd = caws__sys_accept4(listener->fd);

        if (fd >= 0) {
            server->out_of_descriptors = false;
            accept_take(server, fd);
        } else if (!accept_goes_on(server, errno)) {
            return;
        }
    }
}

void caws__server_retry(caws_timer *timer)
{
    caws_server *server = timer->user;

    if (caws__loop_watch(server->owner.loop, &server->listener, CAWS__READ) < 0)
        accept_back_off(server);
}

/* ---- Connections that others accepted ---------------------------------- */

static int accept_check(caws_server *server, intptr_t fd)
{
    if (server->listener.fd < 0 || server->owner.loop->closing) {
        errno = ECANCELED;
    } else if (fd >= 0 && fd <= INT_MAX) {
        if (caws__sock_adopt((int)fd) == 0)
            return 0;
    } else {
        errno = EBADF;
    }
    int saved = errno;
    if (fd >= 0 && fd <= INT_MAX)
        caws__sys_close((int)fd);
    errno = saved;
    return -1;
}

caws_conn *caws_adopt(caws_server *server, intptr_t fd, const void *data,
                      size_t len)
{
    if (accept_check(server, fd) < 0)
        return NULL;
    if (server->conns >= server->max_conns) {
        accept_turn_away(server, (int)fd);
        errno = EUSERS;
        return NULL;
    }
    caws_conn *ws = caws_new_server(&server->ws, &server->transport);
    return accept_start(server, ws, (int)fd, data, len) == 0 ? ws : NULL;
}

/* caws_new_open says only that it failed: was it for want of memory? */
static int accept_open_errno(const caws_server *server, const char *subprotocol,
                             const char *extensions)
{
    caws_config probe = server->ws;

    probe.subprotocols = subprotocol;
    if ((extensions && *extensions) ||
        caws_config_check(&probe, NULL) != CAWS_OK)
        return EINVAL;
    return ENOMEM;
}

caws_conn *caws_adopt_open(caws_server *server, intptr_t fd,
                           const char *subprotocol, const char *extensions,
                           const void *data, size_t len)
{
    if (accept_check(server, fd) < 0)
        return NULL;
    if (server->conns >= server->max_conns) {
        accept_fail(NULL, (int)fd, EUSERS);
        return NULL;
    }
    caws_conn *ws = caws_new_open(false, subprotocol, extensions, &server->ws,
                                  &server->transport);
    if (ws)
        return accept_start(server, ws, (int)fd, data, len) == 0 ? ws : NULL;
    accept_fail(NULL, (int)fd,
                accept_open_errno(server, subprotocol, extensions));
    return NULL;
}
