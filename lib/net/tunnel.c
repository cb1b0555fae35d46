#include "net/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/memory.h"
#include "net/sys.h"

static void tunnel_end(struct caws__tunnel *tunnel, int status)
{
    caws__loop_watch(tunnel->link->owner->loop, &tunnel->source, 0);
    tunnel->done(tunnel->link, status);
}

/* What came behind the head is the first of what comes through the tunnel. */
static void tunnel_receive(struct caws__tunnel *tunnel)
{
    char data[2048];
    size_t room = sizeof tunnel->answer->text - tunnel->answer->len;
    ssize_t n = caws__sys_recv(tunnel->source.fd, data,
                               room < sizeof data ? room : sizeof data);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0) {
        tunnel_end(tunnel, 0);
        return;
    }
    caws__answer_add(tunnel->answer, data, (size_t)n);
    int status = caws__answer_status(tunnel->answer);
    if (status != 0)
        tunnel_end(tunnel, status);
}

/* Nothing is said to the proxy after the request until it has answered. */
static void tunnel_ready(struct caws__source *source, unsigned what)
{
    struct caws__tunnel *tunnel = (struct caws__tunnel *)source;
    struct iovec v = { tunnel->request + tunnel->sent,
                       tunnel->len - tunnel->sent };

    (void)what;
    if (v.iov_len == 0) {
        tunnel_receive(tunnel);
        return;
    }
    ssize_t n = caws__sys_sendmsg(source->fd, &v, 1);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        tunnel_end(tunnel, 0);
        return;
    }
    tunnel->sent += n > 0 ? (size_t)n : 0;
    if (tunnel->sent == tunnel->len &&
        caws__loop_watch(tunnel->link->owner->loop, source, CAWS__READ) < 0)
        tunnel_end(tunnel, 0);
}

static void tunnel_write(struct caws__tunnel *tunnel,
                         const struct caws__place *to)
{
    bool six = strchr(to->host, ':') != NULL;
    char authority[sizeof to->host + 16];

    _Static_assert(sizeof tunnel->request > 2 * sizeof authority + 64,
                   "the request fits");
    snprintf(authority, sizeof authority, "%s%s%s:%u", six ? "[" : "",
             to->host, six ? "]" : "", (unsigned)to->port);
    tunnel->len = (size_t)snprintf(tunnel->request, sizeof tunnel->request,
                                   "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n",
                                   authority, authority);
}

struct caws__tunnel *caws__tunnel_new(struct caws__link *link, int fd,
                                      const struct caws__place *to,
                                      void (*done)(struct caws__link *link,
                                                   int status))
{
    caws_loop *loop = link->owner->loop;
    struct caws__answer *answer = caws__answer_new(&loop->alloc);
    struct caws__tunnel *tunnel =
        caws__memory(&loop->alloc, NULL, 0, sizeof *tunnel);

    if (!answer || !tunnel) {
        caws__answer_free(answer, &loop->alloc);
        if (tunnel)
            caws__memory(&loop->alloc, tunnel, sizeof *tunnel, 0);
        return NULL;
    }
    *tunnel = (struct caws__tunnel){ .source = { .ready = tunnel_ready,
                                                 .fd = fd },
                                     .link = link,
                                     .done = done,
                                     .answer = answer };
    tunnel_write(tunnel, to);
    if (caws__loop_watch(loop, &tunnel->source, CAWS__WRITE) < 0) {
        tunnel->source.fd = -1;
        caws__tunnel_free(tunnel);
        return NULL;
    }
    return tunnel;
}

int caws__tunnel_take(struct caws__tunnel *tunnel)
{
    int fd = tunnel->source.fd;

    caws__loop_watch(tunnel->link->owner->loop, &tunnel->source, 0);
    tunnel->source.fd = -1;
    return fd;
}

void caws__tunnel_free(struct caws__tunnel *tunnel)
{
    const caws_alloc *alloc;

    if (!tunnel)
        return;
    alloc = &tunnel->link->owner->loop->alloc;
    if (tunnel->source.fd >= 0)
        caws__sys_close(caws__tunnel_take(tunnel));
    caws__answer_free(tunnel->answer, alloc);
    caws__memory(alloc, tunnel, sizeof *tunnel, 0);
}
