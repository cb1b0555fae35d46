#include <errno.h>

#include "net/memory.h"
#include "net/poller.h"
#include "net/sys.h"

/* Two arrays side by side: what poll wants to see, and whose it is. */
struct poll_poller {
    const caws_alloc *alloc;
    struct pollfd *fds;
    struct caws__source **sources;
    size_t len, cap;
    size_t first; /* where to start looking: nobody is always the last */
};

static void *poll_poller_create(const caws_alloc *alloc)
{
    struct poll_poller *p = caws__memory(alloc, NULL, 0, sizeof *p);

    if (p)
        *p = (struct poll_poller){ .alloc = alloc };
    else
        errno = ENOMEM;
    return p;
}

static void poll_poller_free_arrays(struct poll_poller *p)
{
    if (p->cap == 0)
        return;
    caws__memory(p->alloc, p->fds, p->cap * sizeof *p->fds, 0);
    caws__memory(p->alloc, p->sources, p->cap * sizeof *p->sources, 0);
}

static void poll_poller_destroy(void *poller)
{
    struct poll_poller *p = poller;
    const caws_alloc *alloc = p->alloc;

    poll_poller_free_arrays(p);
    caws__memory(alloc, p, sizeof *p, 0);
}

static int poll_poller_grow(struct poll_poller *p)
{
    size_t cap = p->cap ? p->cap * 2 : 16;
    struct pollfd *fds = caws__memory(p->alloc, NULL, 0, cap * sizeof *fds);
    struct caws__source **sources =
        caws__memory(p->alloc, NULL, 0, cap * sizeof(void *));

    if (!fds || !sources) {
        if (fds)
            caws__memory(p->alloc, fds, cap * sizeof *fds, 0);
        if (sources)
            caws__memory(p->alloc, sources, cap * sizeof(void *), 0);
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < p->len; i++) {
        fds[i] = p->fds[i];
        sources[i] = p->sources[i];
    }
    poll_poller_free_arrays(p);
    p->fds = fds;
    p->sources = sources;
    p->cap = cap;
    return 0;
}

static short poll_poller_events(unsigned interest)
{
    return (short)((interest & CAWS__READ ? POLLIN : 0) |
                   (interest & CAWS__WRITE ? POLLOUT : 0));
}

static int poll_poller_add(void *poller, struct caws__source *source,
                           unsigned interest)
{
    struct poll_poller *p = poller;

    if (p->len == p->cap && poll_poller_grow(p) < 0)
        return -1;
    p->fds[p->len] = (struct pollfd){ .fd = source->fd,
                                      .events = poll_poller_events(interest) };
    p->sources[p->len++] = source;
    return 0;
}

static size_t poll_poller_find(const struct poll_poller *p,
                               const struct caws__source *source)
{
    size_t i = 0;

    while (i < p->len && p->sources[i] != source)
        i++;
    return i;
}

static int poll_poller_modify(void *poller, struct caws__source *source,
                              unsigned interest)
{
    struct poll_poller *p = poller;

    p->fds[poll_poller_find(p, source)].events = poll_poller_events(interest);
    return 0;
}

static void poll_poller_remove(void *poller, struct caws__source *source)
{
    struct poll_poller *p = poller;
    size_t i = poll_poller_find(p, source);

    p->len--;
    p->fds[i] = p->fds[p->len];
    p->sources[i] = p->sources[p->len];
}

static unsigned poll_poller_what(short events)
{
    if (events & (POLLERR | POLLHUP | POLLNVAL))
        return CAWS__READ | CAWS__WRITE;
    return ((events & POLLIN) ? CAWS__READ : 0) |
           ((events & POLLOUT) ? CAWS__WRITE : 0);
}

static int poll_poller_wait(void *poller, struct caws__event *out, int max,
                            int timeout_ms)
{
    struct poll_poller *p = poller;
    int ready = caws__sys_poll(p->fds, p->len, timeout_ms);
    int n = 0;

    if (ready < 0)
        return errno == EINTR ? 0 : -1;
    if (ready > max)
        ready = max;
    for (size_t seen = 0; n < ready && seen < p->len; seen++) {
        size_t i = p->first++ % p->len;

        if (p->fds[i].revents == 0)
            continue;
        out[n].source = p->sources[i];
        out[n++].what = poll_poller_what(p->fds[i].revents);
    }
    return n;
}

static int poll_poller_fd(const void *poller)
{
    (void)poller;
    return -1;
}

const struct caws__poller caws__poller_poll = {
    .create = poll_poller_create,
    .destroy = poll_poller_destroy,
    .add = poll_poller_add,
    .modify = poll_poller_modify,
    .remove = poll_poller_remove,
    .wait = poll_poller_wait,
    .fd = poll_poller_fd,
};
