#include "net/loop.h"

#include <errno.h>
#include <limits.h>

#include "net/link.h"
#include "net/memory.h"
#include "net/signals.h"
#include "net/sys.h"
#include "net/timer.h"

#define LOOP_EVENTS 256
#define LOOP_TRIM_MS 1000

/* ---- Birth and death --------------------------------------------------- */

static void loop_release(caws_loop *loop)
{
    caws_alloc alloc = loop->alloc;

    if (loop->poller)
        loop->kind->destroy(loop->poller);
    caws__wake_free(&loop->wake);
    caws__heap_free(&loop->timers, &alloc);
    caws__alarms_free(&loop->deadlines, &alloc);
    caws__pool_empty(&loop->pool);
    if (loop->input)
        caws__memory(&alloc, loop->input, CAWS__LOOP_INPUT, 0);
    caws__memory(&alloc, loop, sizeof *loop, 0);
}

static int loop_init(caws_loop *loop)
{
    loop->input = caws__memory(&loop->alloc, NULL, 0, CAWS__LOOP_INPUT);
    if (!loop->input) {
        errno = ENOMEM;
        return -1;
    }
    loop->poller = loop->kind->create(&loop->alloc);
    if (!loop->poller || caws__wake_init(&loop->wake) < 0)
        return -1;
    return caws__loop_watch(loop, &loop->wake.source, CAWS__READ);
}

caws_loop *caws__loop_new_with(const caws_alloc *alloc,
                               const struct caws__poller *kind)
{
    static const caws_alloc libc = { NULL, NULL };
    caws_loop *loop;

    if (!alloc)
        alloc = &libc;
    loop = caws__memory(alloc, NULL, 0, sizeof *loop);
    if (!loop) {
        errno = ENOMEM;
        return NULL;
    }
    *loop = (caws_loop){ .alloc = *alloc, .kind = kind };
    loop->for_conns = caws__pool_init(&loop->pool, alloc);
    loop->wake.source.fd = -1;
    if (loop_init(loop) == 0)
        return loop;
    int saved = errno;
    loop_release(loop);
    errno = saved;
    return NULL;
}

caws_loop *caws_loop_new(const caws_alloc *alloc)
{
    caws_loop *loop = caws__loop_new_with(alloc, &caws__poller_epoll);

    return loop ? loop : caws__loop_new_with(alloc, &caws__poller_poll);
}

static void loop_reap(caws_loop *loop)
{
    while (loop->dead) {
        struct caws__link *link = loop->dead;

        loop->dead = link->next_todo;
        if (link->owner->reap)
            link->owner->reap(link);
        else
            caws_free(caws__link_conn(link));
    }
}

static void loop_cut_all(struct caws__owner *owner)
{
    struct caws__link *link;
    size_t at = 0;

    while ((link = caws__link_next(owner, &at))) {
        caws_abort(caws__link_conn(link));
        caws__link_cut(link);
        at = 0; /* of what is left */
    }
    caws__ids_free(&owner->links, &owner->loop->alloc);
}

void caws_loop_free(caws_loop *loop)
{
    if (!loop)
        return;
    loop->closing = true;
    loop->todo = NULL;
    caws__timer_drop(loop);
    for (struct caws__owner *o = loop->owners; o; o = o->next)
        loop_cut_all(o);
    loop_reap(loop);
    while (loop->owners) {
        struct caws__owner *owner = loop->owners;

        loop->owners = owner->next;
        owner->free(owner);
    }
    caws__signals_free(loop);
    loop_release(loop);
}

void caws__loop_own(caws_loop *loop, struct caws__owner *owner)
{
    owner->loop = loop;
    owner->next = loop->owners;
    loop->owners = owner;
}

/* ---- Waiting ----------------------------------------------------------- */

int caws__loop_watch(caws_loop *loop, struct caws__source *source,
                     unsigned interest)
{
    int result = 0;

    if (interest == source->interest)
        return CAWS_OK;
    if (interest == 0)
        loop->kind->remove(loop->poller, source);
    else if (source->interest == 0)
        result = loop->kind->add(loop->poller, source, interest);
    else
        result = loop->kind->modify(loop->poller, source, interest);
    if (result < 0)
        return CAWS_ERR_SYS;
    source->interest = (uint16_t)interest;
    return CAWS_OK;
}

int caws_loop_fd(const caws_loop *loop)
{
    return loop->kind->fd(loop->poller);
}

int caws_loop_timeout(const caws_loop *loop)
{
    uint64_t due = caws__heap_due(&loop->timers);
    uint64_t deadline = caws__alarms_next(&loop->deadlines);

    if (loop->todo || atomic_load(&loop->wake.tasks))
        return 0;
    if (deadline < due)
        due = deadline;
    if (due == CAWS__HEAP_NEVER)
        return -1;
    uint64_t now_ms = caws__sys_now_ms();
    if (due <= now_ms)
        return 0;
    return due - now_ms < INT_MAX ? (int)(due - now_ms) : INT_MAX;
}

/* Sources are told what they still want to hear: what an earlier one in the
 * same batch has removed is not called. None is freed before the batch is
 * through, so no event reaches a successor that got the same descriptor. */
static int loop_wait(caws_loop *loop, int timeout_ms)
{
    struct caws__event events[LOOP_EVENTS];
    int due = caws_loop_timeout(loop);

    if (due >= 0 && (timeout_ms < 0 || due < timeout_ms))
        timeout_ms = due;
    int n = loop->kind->wait(loop->poller, events, LOOP_EVENTS, timeout_ms);
    loop->now_ms = caws__sys_now_ms();
    for (int i = 0; i < n; i++) {
        struct caws__source *source = events[i].source;
        unsigned what = events[i].what & source->interest;

        if (what)
            source->ready(source, what);
    }
    return n < 0 ? CAWS_ERR_SYS : CAWS_OK;
}

/* ---- Steps ------------------------------------------------------------- */

/* Those that come up meanwhile wait for the next step. */
static void loop_flush(caws_loop *loop)
{
    struct caws__link *link = loop->todo;

    loop->todo = NULL;
    while (link) {
        struct caws__link *next = link->next_todo;

        caws__link_serve(link);
        link = next;
    }
}

/* Only when there is a step anyway: nobody is woken for it. */
static void loop_trim(caws_loop *loop)
{
    if (loop->now_ms < loop->trim_ms)
        return;
    caws__pool_trim(&loop->pool);
    loop->trim_ms = loop->now_ms + LOOP_TRIM_MS;
}

int caws_loop_step(caws_loop *loop, int timeout_ms)
{
    if (loop->stepping || loop->closing)
        return CAWS_ERR_STATE;
    loop->stepping = true;
    int result = loop_wait(loop, timeout_ms);
    caws__wake_run(&loop->wake);
    caws__timer_run(loop);
    caws__link_run_deadlines(loop);
    loop_flush(loop);
    loop_reap(loop);
    loop_trim(loop);
    loop->stepping = false;
    return result;
}

static bool loop_is_idle(const caws_loop *loop)
{
    return loop->live == 0 &&
           caws__heap_due(&loop->timers) == CAWS__HEAP_NEVER &&
           !atomic_load(&loop->wake.tasks);
}

int caws_loop_run(caws_loop *loop)
{
    int result = CAWS_OK;

    if (loop->stepping || loop->closing)
        return CAWS_ERR_STATE;
    while (!atomic_load(&loop->wake.stop) && result == CAWS_OK &&
           !loop_is_idle(loop))
        result = caws_loop_step(loop, -1);
    atomic_store(&loop->wake.stop, false);
    return result;
}

void caws_loop_stop(caws_loop *loop)
{
    caws__wake_stop(&loop->wake);
}

void caws_loop_post(caws_loop *loop, caws_task *task)
{
    caws__wake_post(&loop->wake, task);
}
