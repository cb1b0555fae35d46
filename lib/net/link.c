#include "net/link.h"

#include <errno.h>
#include <string.h>

#include "net/flush.h"
#include "net/memory.h"
#include "net/sys.h"

struct caws__link_early {
    size_t len;
    uint8_t data[];
};

/* ---- Birth ------------------------------------------------------------- */

struct caws__link *caws__link_of(const caws_conn *ws)
{
    return caws_transport_owner(ws);
}

static void link_changed(caws_conn *ws)
{
    struct caws__link *link = caws__link_of(ws);

    if (link->owner)
        caws__link_todo(link);
}

void caws__link_transport(caws_transport *transport)
{
    transport->owner_size = sizeof(struct caws__link);
    transport->changed = link_changed;
    transport->write_now = caws__flush_now;
}

static void link_free_early(struct caws__link *link)
{
    if (link->early)
        caws__memory(&link->owner->loop->alloc, link->early,
                     sizeof *link->early + link->early->len, 0);
    link->early = NULL;
}

static int link_keep_early(struct caws__link *link, const void *early,
                           size_t len)
{
    if (len == 0)
        return CAWS_OK;
    if (len > SIZE_MAX - sizeof *link->early)
        return CAWS_ERR_NOMEM;
    link->early = caws__memory(&link->owner->loop->alloc, NULL, 0,
                               sizeof *link->early + len);
    if (!link->early)
        return CAWS_ERR_NOMEM;
    link->early->len = len;
    memcpy(link->early->data, early, len);
    return CAWS_OK;
}

static void link_append(struct caws__link *link)
{
    struct caws__owner *owner = link->owner;

    link->prev = owner->last;
    if (owner->last)
        owner->last->next = link;
    else
        owner->first = link;
    owner->last = link;
}

static void link_receive(struct caws__link *link);

static void link_ready(struct caws__source *source, unsigned what)
{
    struct caws__link *link = (struct caws__link *)source;

    if (what & CAWS__WRITE)
        source->flags &= (uint16_t)~CAWS__LINK_BLOCKED;
    if (what & CAWS__READ)
        link_receive(link);
    caws__link_todo(link);
}

int caws__link_start(struct caws__owner *owner, caws_conn *ws, int fd,
                     const void *early, size_t len)
{
    caws_loop *loop = owner->loop;
    struct caws__link *link = caws__link_of(ws);

    link->source.ready = link_ready;
    link->source.fd = fd;
    link->ws = ws;
    link->owner = owner;
    if (link_keep_early(link, early, len) < 0)
        return CAWS_ERR_NOMEM;
    /* With a place in the heap from now on, arming cannot fail. */
    if (caws__heap_set(&loop->deadlines, &loop->alloc, &link->slot,
                       CAWS__HEAP_NEVER) == CAWS_OK)
        link->id = caws__ids_add(&loop->ids, &loop->alloc, link);
    if (link->id == 0) {
        caws__heap_remove(&loop->deadlines, &link->slot);
        link_free_early(link);
        return CAWS_ERR_NOMEM;
    }
    link_append(link);
    loop->live++;
    caws__link_todo(link);
    return CAWS_OK;
}

void caws__link_todo(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    if (loop->closing ||
        link->source.flags & (CAWS__LINK_TODO | CAWS__LINK_DEAD))
        return;
    link->source.flags |= CAWS__LINK_TODO;
    link->next_todo = NULL;
    if (loop->todo)
        loop->todo_last->next_todo = link;
    else
        loop->todo = link;
    loop->todo_last = link;
    /* Someone else's loop may be about to wait on the descriptor. */
    if (!loop->stepping && loop->todo == link)
        caws__wake_signal(&loop->wake);
}

/* ---- Death ------------------------------------------------------------- */

static void link_eof(struct caws__link *link, int error, const char *detail)
{
    link->source.flags |= CAWS__LINK_EOF;
    caws_feed_eof(link->ws, error, detail);
}

static void link_remove(struct caws__link *link)
{
    struct caws__owner *owner = link->owner;

    if (link->prev)
        link->prev->next = link->next;
    else
        owner->first = link->next;
    if (link->next)
        link->next->prev = link->prev;
    else
        owner->last = link->prev;
}

void caws__link_cut(struct caws__link *link)
{
    struct caws__owner *owner = link->owner;
    caws_loop *loop = owner->loop;

    link_eof(link, CAWS_OK, NULL);
    link->source.flags |= CAWS__LINK_DEAD;
    caws__loop_watch(loop, &link->source, 0);
    caws__sys_close(link->source.fd);
    caws__heap_remove(&loop->deadlines, &link->slot);
    caws__ids_remove(&loop->ids, link->id);
    link_free_early(link);
    link_remove(link);
    link->next_todo = loop->dead;
    loop->dead = link;
    loop->live--;
    owner->gone(link);
}

/* ---- Input ------------------------------------------------------------- */

static void link_lost(struct caws__link *link, int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
        link_eof(link, CAWS_ERR_EOF,
                 "the connection was reset, "
                 "RFC 6455 section 7.1.5");
        break;
    case ETIMEDOUT:
        link_eof(link, CAWS_ERR_EOF,
                 "the connection timed out, "
                 "RFC 6455 section 7.1.5");
        break;
    default:
        link_eof(link, CAWS_ERR_SYS,
                 "the socket reported an error, "
                 "RFC 6455 section 7.1.5");
    }
}

/* Once per step, so that each has its turn. */
static void link_receive(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    /* A handler may have changed its mind since the system was asked. */
    if (!(caws_wants(link->ws) & CAWS_WANT_READ))
        return;
    ssize_t n = caws__sys_recv(link->source.fd, loop->input, CAWS__LOOP_INPUT);
    if (n > 0)
        caws_feed(link->ws, loop->input, (size_t)n, loop->now_ms);
    else if (n == 0 && link->source.flags & CAWS__LINK_BROKEN)
        link_lost(link, ECONNRESET);
    else if (n == 0)
        link_eof(link, CAWS_OK, NULL);
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        link_lost(link, errno);
}

/* ---- Service ----------------------------------------------------------- */

static void link_tick(struct caws__link *link)
{
    uint64_t now_ms = link->owner->loop->now_ms;
    unsigned born = link->source.flags & CAWS__LINK_BORN;

    link->source.flags |= CAWS__LINK_BORN;
    if (!born || caws_deadline(link->ws) <= now_ms)
        caws_tick(link->ws, now_ms);
}

static void link_feed_early(struct caws__link *link)
{
    if (!link->early || !(caws_wants(link->ws) & CAWS_WANT_READ))
        return;
    caws_feed(link->ws, link->early->data, link->early->len,
              link->owner->loop->now_ms);
    link_free_early(link);
}

/* What the system is to report. */
static void link_watch(struct caws__link *link, unsigned wants)
{
    unsigned flags = link->source.flags;
    unsigned interest = 0;

    if (wants & CAWS_WANT_READ && !link->early && !(flags & CAWS__LINK_EOF))
        interest |= CAWS__READ;
    if (wants & CAWS_WANT_WRITE && flags & CAWS__LINK_BLOCKED)
        interest |= CAWS__WRITE;
    if (caws__loop_watch(link->owner->loop, &link->source, interest) < 0)
        link_lost(link, 0);
}

/* The heap is touched only where the deadline has come nearer: one that moves
 * away, as most do, costs nothing until the old one has come. */
static void link_arm(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;
    uint64_t armed = loop->deadlines.entries[link->slot - 1].due;
    uint64_t deadline = caws_deadline(link->ws);

    if (deadline < armed)
        caws__heap_set(&loop->deadlines, &loop->alloc, &link->slot, deadline);
}

/* Sending failed. What the peer sent before that is still read: after the
 * shutdown its end is reported once all of it is. Where nothing is to be read,
 * this is the end. */
static unsigned link_broken(struct caws__link *link, unsigned wants)
{
    if (!(link->source.flags & CAWS__LINK_SHUT))
        caws__sys_shutdown(link->source.fd, SHUT_RDWR);
    link->source.flags |= CAWS__LINK_SHUT;
    if (wants & CAWS_WANT_READ)
        return wants & ~CAWS_WANT_WRITE;
    link_lost(link, ECONNRESET);
    return CAWS_WANT_CLOSE;
}

/* Do what caws_wants says. False: that was the end of the link. */
static bool link_follow(struct caws__link *link)
{
    unsigned wants = caws_wants(link->ws);

    if (link->source.flags & CAWS__LINK_BROKEN && !(wants & CAWS_WANT_CLOSE))
        wants = link_broken(link, wants);
    if (wants & CAWS_WANT_CLOSE) {
        caws__link_cut(link);
        return false;
    }
    if (wants & CAWS_WANT_SHUTDOWN && !(link->source.flags & CAWS__LINK_SHUT)) {
        link->source.flags |= CAWS__LINK_SHUT;
        caws__sys_shutdown(link->source.fd, SHUT_WR);
    }
    link_watch(link, wants);
    link_arm(link);
    return true;
}

/* Is there more to do than the poller and the clock will tell? */
static bool link_restless(const struct caws__link *link)
{
    unsigned wants = caws_wants(link->ws);

    return wants & CAWS_WANT_CLOSE ||
           (wants & CAWS_WANT_WRITE && !(link->source.flags & CAWS__LINK_MUTE));
}

/* The flag stays on meanwhile: what handlers change here is seen here, or by
 * the question at the end, and left for the next step. */
void caws__link_serve(struct caws__link *link)
{
    link_tick(link);
    link_feed_early(link);
    caws__flush_link(link);
    bool goes_on = link_follow(link);
    link->source.flags &= (uint16_t)~CAWS__LINK_TODO;
    if (goes_on && link_restless(link))
        caws__link_todo(link);
}

void caws__link_run_deadlines(caws_loop *loop)
{
    struct caws__heap *heap = &loop->deadlines;

    while (caws__heap_due(heap) <= loop->now_ms) {
        struct caws__link *link =
            (struct caws__link *)(void *)((char *)heap->entries[0].slot -
                                          offsetof(struct caws__link, slot));

        /* It arms again when it is looked at. */
        caws__heap_set(heap, &loop->alloc, &link->slot, CAWS__HEAP_NEVER);
        caws__link_todo(link);
    }
}
