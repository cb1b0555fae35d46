#include <errno.h>

#include "net/memory.h"
#include "net/poller.h"
#include "net/sys.h"

#define EPOLL_BATCH 256

struct epoll_poller {
    const caws_alloc *alloc;
    int fd;
};

static void *epoll_poller_create(const caws_alloc *alloc)
{
    struct epoll_poller *p = caws__memory(alloc, NULL, 0, sizeof *p);

    if (!p) {
        errno = ENOMEM;
        return NULL;
    }
    p->alloc = alloc;
    p->fd = caws__sys_epoll_create1();
    if (p->fd >= 0)
        return p;
    caws__memory(alloc, p, sizeof *p, 0);
    return NULL;
}

static void epoll_poller_destroy(void *poller)
{
    struct epoll_poller *p = poller;

    caws__sys_close(p->fd);
    caws__memory(p->alloc, p, sizeof *p, 0);
}

static int epoll_poller_set(void *poller, int op, struct caws__source *source,
                            unsigned interest)
{
    struct epoll_poller *p = poller;
    struct epoll_event event = { .data = { .ptr = source } };

    if (interest & CAWS__READ)
        event.events |= EPOLLIN;
    if (interest & CAWS__WRITE)
        event.events |= EPOLLOUT;
    return caws__sys_epoll_ctl(p->fd, op, source->fd, &event);
}

static int epoll_poller_add(void *poller, struct caws__source *source,
                            unsigned interest)
{
    return epoll_poller_set(poller, EPOLL_CTL_ADD, source, interest);
}

static int epoll_poller_modify(void *poller, struct caws__source *source,
                               unsigned interest)
{
    return epoll_poller_set(poller, EPOLL_CTL_MOD, source, interest);
}

static void epoll_poller_remove(void *poller, struct caws__source *source)
{
    epoll_poller_set(poller, EPOLL_CTL_DEL, source, 0);
}

static unsigned epoll_poller_what(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return CAWS__READ | CAWS__WRITE;
    return ((events & EPOLLIN) ? CAWS__READ : 0) |
           ((events & EPOLLOUT) ? CAWS__WRITE : 0);
}

static int epoll_poller_wait(void *poller, struct caws__event *out, int max,
                             int timeout_ms)
{
    struct epoll_poller *p = poller;
    struct epoll_event events[EPOLL_BATCH];

    int n = caws__sys_epoll_wait(
        p->fd, events, max < EPOLL_BATCH ? max : EPOLL_BATCH, timeout_ms);
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    for (int i = 0; i < n; i++) {
        out[i].source = events[i].data.ptr;
        out[i].what = epoll_poller_what(events[i].events);
    }
    return n;
}

static int epoll_poller_fd(const void *poller)
{
    const struct epoll_poller *p = poller;

    return p->fd;
}

const struct caws__poller caws__poller_epoll = {
    .create = epoll_poller_create,
    .destroy = epoll_poller_destroy,
    .add = epoll_poller_add,
    .modify = epoll_poller_modify,
    .remove = epoll_poller_remove,
    .wait = epoll_poller_wait,
    .fd = epoll_poller_fd,
};
