#include "net/link.h"

#include <errno.h>
#include <string.h>

#include "net/flush.h"
#include "net/group.h"
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

static void link_free_bytes(struct caws__link *link,
                            struct caws__link_early *early)
{
    caws__memory(&link->owner->loop->alloc, early, sizeof *early + early->len,
                 0);
}

static void link_free_early(struct caws__link *link)
{
    if (link->early)
        link_free_bytes(link, link->early);
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
    link->source.flags = fd < 0 ? CAWS__LINK_WAITS : 0;
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

int caws__link_attach(struct caws__link *link, int fd, const void *early,
                      size_t len)
{
    if (link_keep_early(link, early, len) < 0)
        return CAWS_ERR_NOMEM;
    link->source.fd = fd;
    link->source.flags &= (uint16_t)~CAWS__LINK_WAITS;
    caws__link_todo(link);
    return CAWS_OK;
}

static void link_close(struct caws__link *link)
{
    caws__loop_watch(link->owner->loop, &link->source, 0);
    if (link->source.fd >= 0)
        caws__sys_close(link->source.fd);
    link->source.fd = -1;
    link_free_early(link);
}

void caws__link_detach(struct caws__link *link)
{
    link_close(link);
    link->source.flags &= CAWS__LINK_TODO;
    link->source.flags |= CAWS__LINK_WAITS;
    caws__link_todo(link);
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

void caws__link_fail(struct caws__link *link, int error, const char *detail)
{
    link_eof(link, error, detail);
    caws__link_todo(link);
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
    link_close(link);
    caws__heap_remove(&loop->deadlines, &link->slot);
    caws__ids_remove(&loop->ids, link->id);
    caws__group_forget(link);
    link_remove(link);
    link->next_todo = loop->dead;
    loop->dead = link;
    loop->live--;
    owner->gone(link);
}

/* ---- Input ------------------------------------------------------------- */

void caws__link_lost(struct caws__link *link, int error)
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

/* An owner may keep what comes, to look at it first; len 0: no more comes. */
static void link_take(struct caws__link *link, void *data, size_t len)
{
    struct caws__owner *owner = link->owner;

    if (owner->screen && owner->screen(link, data, len))
        return;
    if (len > 0)
        caws_feed(link->ws, data, len, owner->loop->now_ms);
}

void caws__link_feed_early(struct caws__link *link)
{
    struct caws__link_early *early = link->early;

    if (!early || !(caws_wants(link->ws) & CAWS_WANT_READ))
        return;
    link->early = NULL;
    link_take(link, early->data, early->len);
    link_free_bytes(link, early);
}

/* Once per step, so that each has its turn. */
static void link_receive(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    /* A handler may have changed its mind since the system was asked. */
    if (!(caws_wants(link->ws) & CAWS_WANT_READ))
        return;
    ssize_t n = caws__sys_recv(link->source.fd, loop->input, CAWS__LOOP_INPUT);
    int error = errno;
    if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK))
        return;
    link_take(link, loop->input, n > 0 ? (size_t)n : 0);
    if (n == 0 && link->source.flags & CAWS__LINK_BROKEN)
        caws__link_lost(link, ECONNRESET);
    else if (n == 0)
        link_eof(link, CAWS_OK, NULL);
    else if (n < 0)
        caws__link_lost(link, error);
}
