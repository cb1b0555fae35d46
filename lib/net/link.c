#include "net/link.h"

#include <errno.h>
#include <string.h>

#include "net/flush.h"
#include "net/group.h"
#include "net/memory.h"
#include "net/sys.h"

struct caws__link_early {
    struct caws__member *groups;
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

/* They are no longer the link's. */
static struct caws__link_early *link_take_early(struct caws__link *link)
{
    struct caws__link_early *early = link->rare.early;

    link->rare.groups = early->groups;
    link->source.flags &= (uint16_t)~CAWS__LINK_EARLY;
    return early;
}

static void link_free_early(struct caws__link *link)
{
    if (link->source.flags & CAWS__LINK_EARLY)
        link_free_bytes(link, link_take_early(link));
}

static int link_keep_early(struct caws__link *link, const void *early,
                           size_t len)
{
    struct caws__link_early *kept;

    if (len == 0)
        return CAWS_OK;
    if (len > SIZE_MAX - sizeof *kept)
        return CAWS_ERR_NOMEM;
    kept = caws__memory(&link->owner->loop->alloc, NULL, 0,
                        sizeof *kept + len);
    if (!kept)
        return CAWS_ERR_NOMEM;
    kept->groups = link->rare.groups;
    kept->len = len;
    memcpy(kept->data, early, len);
    link->rare.early = kept;
    link->source.flags |= CAWS__LINK_EARLY;
    return CAWS_OK;
}

struct caws__member **caws__link_groups(struct caws__link *link)
{
    return link->source.flags & CAWS__LINK_EARLY ? &link->rare.early->groups
                                                 : &link->rare.groups;
}

/* A number, among those of its owner, and a place among the deadlines, so that
 * arming cannot fail. */
static int link_enter(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    if (caws__alarms_join(&loop->deadlines, &loop->alloc) < 0)
        return CAWS_ERR_NOMEM;
    link->id = loop->last_id + 1;
    if (caws__ids_add(&link->owner->links, &loop->alloc, &link->id) < 0) {
        caws__alarms_leave(&loop->deadlines, &link->alarm);
        return CAWS_ERR_NOMEM;
    }
    loop->last_id++;
    loop->live++;
    return CAWS_OK;
}

static void link_leave(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    caws__alarms_leave(&loop->deadlines, &link->alarm);
    caws__ids_remove(&link->owner->links, link->id);
    loop->live--;
}

struct caws__link *caws__link_next(const struct caws__owner *owner,
                                   size_t *at)
{
    const uint64_t *id = caws__ids_next(&owner->links, at);

    return id ? caws__link_by(id) : NULL;
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
    struct caws__link *link = caws__link_of(ws);

    link->source.ready = link_ready;
    link->source.fd = fd;
    link->source.flags = fd < 0 ? CAWS__LINK_WAITS : 0;
    link->owner = owner;
    owner->link_at = (size_t)((uintptr_t)link - (uintptr_t)ws);
    if (link_keep_early(link, early, len) < 0)
        return CAWS_ERR_NOMEM;
    if (link_enter(link) < 0) {
        link_free_early(link);
        return CAWS_ERR_NOMEM;
    }
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
    caws_feed_eof(caws__link_conn(link), error, detail);
}

void caws__link_fail(struct caws__link *link, int error, const char *detail)
{
    link_eof(link, error, detail);
    caws__link_todo(link);
}

void caws__link_cut(struct caws__link *link)
{
    struct caws__owner *owner = link->owner;
    caws_loop *loop = owner->loop;

    link_eof(link, CAWS_OK, NULL);
    link->source.flags |= CAWS__LINK_DEAD;
    link_close(link);
    caws__group_forget(link);
    link_leave(link);
    link->next_todo = loop->dead;
    loop->dead = link;
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
        caws_feed(caws__link_conn(link), data, len, owner->loop->now_ms);
}

void caws__link_feed_early(struct caws__link *link)
{
    struct caws__link_early *early;

    if (!(link->source.flags & CAWS__LINK_EARLY) ||
        !(caws_wants(caws__link_conn(link)) & CAWS_WANT_READ))
        return;
    early = link_take_early(link);
    link_take(link, early->data, early->len);
    link_free_bytes(link, early);
}

/* Once per step, so that each has its turn. */
static void link_receive(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;

    /* A handler may have changed its mind since the system was asked. */
    if (!(caws_wants(caws__link_conn(link)) & CAWS_WANT_READ))
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
