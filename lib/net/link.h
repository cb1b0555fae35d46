/* One descriptor and one caws_conn. The link lives in the conn's own block,
 * in the room that caws_transport.owner_size asks for. */
#ifndef CAWS__LINK_H
#define CAWS__LINK_H

#include "net/loop.h"

/* source.flags */
#define CAWS__LINK_TODO    1u   /* on the loop's list, or being looked at */
#define CAWS__LINK_BLOCKED 2u   /* the system takes no more for now       */
#define CAWS__LINK_BROKEN  4u   /* nothing can be sent any more           */
#define CAWS__LINK_EOF     8u   /* caws_feed_eof was called               */
#define CAWS__LINK_SHUT    16u  /* the sending direction is closed        */
#define CAWS__LINK_BORN    32u  /* caws_tick was called once              */
#define CAWS__LINK_DEAD    64u  /* its descriptor is closed               */
#define CAWS__LINK_WAITS   128u /* it has no descriptor yet               */
#define CAWS__LINK_EARLY   256u /* bytes came before it did              */
#define CAWS__LINK_OWNER   512u /* this and higher ones: its owner's      */

/* Any of these: do not try to send. */
#define CAWS__LINK_MUTE                                           \
    (CAWS__LINK_BLOCKED | CAWS__LINK_BROKEN | CAWS__LINK_SHUT |   \
     CAWS__LINK_DEAD | CAWS__LINK_WAITS)

struct caws__link_early; /* bytes that came before the link */
struct caws__member;

/* Each byte here is paid for every idle connection. */
struct caws__link {
    struct caws__source source;
    struct caws__owner *owner;
    struct caws__link *next_todo;
    union {
        struct caws__member *groups;    /* that it is in            */
        struct caws__link_early *early; /* has them, while there is */
    } rare;
    uint64_t id;
    struct caws__alarm alarm; /* its place in the loop's deadlines */
};

/* What a caws_transport needs to carry links. */
void caws__link_transport(caws_transport *transport);

struct caws__link *caws__link_of(const caws_conn *ws);

/* It lies in the conn's block, as far from its start as in all others. */
static inline caws_conn *caws__link_conn(const struct caws__link *link)
{
    return (caws_conn *)((uintptr_t)link - link->owner->link_at);
}

/* The next of an owner's links, in the order in which they came; NULL: that
 * were all. *at is 0 at first. */
struct caws__link *caws__link_next(const struct caws__owner *owner,
                                   size_t *at);

/* Whose id this is. */
static inline struct caws__link *caws__link_by(const uint64_t *id)
{
    return (struct caws__link *)((uintptr_t)id -
                                 offsetof(struct caws__link, id));
}

/* Where the list of the groups that it is in begins. */
struct caws__member **caws__link_groups(struct caws__link *link);

/* Join ws, new and made with such a transport, and fd, connected and
 * non-blocking; or -1, and the link waits for one. early: bytes already read
 * from it. Nothing is done before the loop's next flush. CAWS_OK, or
 * CAWS_ERR_NOMEM, and nothing has changed. */
int caws__link_start(struct caws__owner *owner, caws_conn *ws, int fd,
                     const void *early, size_t len);

/* What it waited for has come. CAWS_OK, or CAWS_ERR_NOMEM, and nothing has
 * changed. */
int caws__link_attach(struct caws__link *link, int fd, const void *early,
                      size_t len);
/* Close its descriptor and wait for another one. */
void caws__link_detach(struct caws__link *link);
/* caws_feed_eof, which ends it: handlers run. */
void caws__link_fail(struct caws__link *link, int error, const char *detail);

/* The same for what the system said of its descriptor. */
void caws__link_lost(struct caws__link *link, int error);

/* What came before the link did, if it may be read now. */
void caws__link_feed_early(struct caws__link *link);

/* Look at it in the next flush. */
void caws__link_todo(struct caws__link *link);

/* What is due for it: time, output, what caws_wants says. */
void caws__link_serve(struct caws__link *link);

/* Those whose deadline has come are looked at. */
void caws__link_run_deadlines(caws_loop *loop);

/* At once: on_close, if it is still to come, and the end. */
void caws__link_cut(struct caws__link *link);

#endif
