#include "net/resolve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "net/memory.h"

/* Two use it, its thread and its loop, and the last one frees it. */
struct caws__lookup {
    caws_task task;
    struct caws__ring ring; /* the loop's alone */
    void (*done)(void *user, const struct addrinfo *list);
    void *user;
    struct addrinfo *list; /* the thread's, until the task is posted */
    pthread_mutex_t mutex;
    caws_loop *loop; /* with the mutex held; NULL: it is no more */
    atomic_int users;
    char host[256];
    char port[8];
};

/* The loop's own allocator may not be one for several threads. */
static const caws_alloc resolve_alloc = { NULL, NULL };

static void resolve_release(struct caws__lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->users, 1) > 1)
        return;
    if (lookup->list)
        freeaddrinfo(lookup->list);
    pthread_mutex_destroy(&lookup->mutex);
    caws__memory(&resolve_alloc, lookup, sizeof *lookup, 0);
}

/* The mutex is held for the posting alone, so that whoever frees the loop
 * never waits for the look-up. */
static void *resolve_run(void *arg)
{
    static const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV,
                                           .ai_socktype = SOCK_STREAM };
    struct caws__lookup *lookup = arg;

    if (caws__sys_getaddrinfo(lookup->host, lookup->port, &hints,
                              &lookup->list) != 0)
        lookup->list = NULL;
    pthread_mutex_lock(&lookup->mutex);
    if (lookup->loop)
        caws_loop_post(lookup->loop, &lookup->task);
    pthread_mutex_unlock(&lookup->mutex);
    resolve_release(lookup);
    return NULL;
}

static void resolve_task(caws_task *task)
{
    struct caws__lookup *lookup = (struct caws__lookup *)task;

    caws__ring_remove(&lookup->ring);
    if (lookup->done)
        lookup->done(lookup->user, lookup->list);
    resolve_release(lookup);
}

struct caws__lookup *
caws__resolve_start(struct caws__ring *all, caws_loop *loop, const char *host,
                    uint16_t port,
                    void (*done)(void *user, const struct addrinfo *list),
                    void *user)
{
    struct caws__lookup *lookup =
        caws__memory(&resolve_alloc, NULL, 0, sizeof *lookup);

    if (!lookup)
        return NULL;
    *lookup = (struct caws__lookup){ .task = { .fn = resolve_task },
                                     .done = done,
                                     .user = user,
                                     .loop = loop };
    pthread_mutex_init(&lookup->mutex, NULL);
    atomic_init(&lookup->users, 2);
    snprintf(lookup->host, sizeof lookup->host, "%s", host);
    snprintf(lookup->port, sizeof lookup->port, "%u", (unsigned)port);
    if (caws__sys_thread(resolve_run, lookup) != 0) {
        pthread_mutex_destroy(&lookup->mutex);
        caws__memory(&resolve_alloc, lookup, sizeof *lookup, 0);
        return NULL;
    }
    caws__ring_add(all, &lookup->ring);
    return lookup;
}

void caws__resolve_cancel(struct caws__lookup *lookup)
{
    lookup->done = NULL;
}

void caws__resolve_abandon(struct caws__ring *all)
{
    while (!caws__ring_is_empty(all)) {
        struct caws__lookup *lookup =
            (struct caws__lookup *)(void *)((char *)caws__ring_take(all) -
                                            offsetof(struct caws__lookup,
                                                     ring));

        pthread_mutex_lock(&lookup->mutex);
        lookup->loop = NULL;
        pthread_mutex_unlock(&lookup->mutex);
        resolve_release(lookup);
    }
}
