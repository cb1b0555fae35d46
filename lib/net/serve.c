/* What is due for a link, once per step. */
#include "net/flush.h"
#include "net/link.h"
#include "net/sys.h"

#include <errno.h>

static void serve_tick(struct caws__link *link)
{
    uint64_t now_ms = link->owner->loop->now_ms;
    unsigned born = link->source.flags & CAWS__LINK_BORN;

    link->source.flags |= CAWS__LINK_BORN;
    if (!born || caws_deadline(caws__link_conn(link)) <= now_ms)
        caws_tick(caws__link_conn(link), now_ms);
}

/* What the system is to report. */
static void serve_watch(struct caws__link *link, unsigned wants)
{
    unsigned flags = link->source.flags;
    unsigned interest = 0;

    if (wants & CAWS_WANT_READ &&
        !(flags & (CAWS__LINK_EARLY | CAWS__LINK_EOF)))
        interest |= CAWS__READ;
    if (wants & CAWS_WANT_WRITE && flags & CAWS__LINK_BLOCKED)
        interest |= CAWS__WRITE;
    if (caws__loop_watch(link->owner->loop, &link->source, interest) < 0)
        caws__link_lost(link, 0);
}

/* The heap is touched only where the deadline has come nearer: one that moves
 * away, as most do, costs nothing until the old one has come. */
static void serve_arm(struct caws__link *link)
{
    caws_loop *loop = link->owner->loop;
    uint64_t armed = caws__alarms_due(&loop->deadlines, &link->alarm);
    uint64_t deadline = caws_deadline(caws__link_conn(link));

    if (deadline < armed)
        caws__alarms_set(&loop->deadlines, &link->alarm, deadline);
}

/* Sending failed. What the peer sent before that is still read: after the
 * shutdown its end is reported once all of it is. Where nothing is to be read,
 * this is the end. */
static unsigned serve_broken(struct caws__link *link, unsigned wants)
{
    if (!(link->source.flags & CAWS__LINK_SHUT))
        caws__sys_shutdown(link->source.fd, SHUT_RDWR);
    link->source.flags |= CAWS__LINK_SHUT;
    if (wants & CAWS_WANT_READ)
        return wants & ~CAWS_WANT_WRITE;
    caws__link_lost(link, ECONNRESET);
    return CAWS_WANT_CLOSE;
}

/* Do what caws_wants says. False: that was the end of the link. */
static bool serve_follow(struct caws__link *link)
{
    unsigned wants = caws_wants(caws__link_conn(link));

    if (link->source.flags & CAWS__LINK_WAITS && !(wants & CAWS_WANT_CLOSE))
        return true;
    if (link->source.flags & CAWS__LINK_BROKEN && !(wants & CAWS_WANT_CLOSE))
        wants = serve_broken(link, wants);
    if (wants & CAWS_WANT_CLOSE) {
        caws__link_cut(link);
        return false;
    }
    if (wants & CAWS_WANT_SHUTDOWN && !(link->source.flags & CAWS__LINK_SHUT)) {
        link->source.flags |= CAWS__LINK_SHUT;
        caws__sys_shutdown(link->source.fd, SHUT_WR);
    }
    serve_watch(link, wants);
    serve_arm(link);
    return true;
}

/* Is there more to do than the poller and the clock will tell? */
static bool serve_restless(const struct caws__link *link)
{
    unsigned wants = caws_wants(caws__link_conn(link));

    return wants & CAWS_WANT_CLOSE ||
           (wants & CAWS_WANT_WRITE && !(link->source.flags & CAWS__LINK_MUTE));
}

/* The flag stays on meanwhile: what handlers change here is seen here, or by
 * the question at the end, and left for the next step. */
void caws__link_serve(struct caws__link *link)
{
    bool anew = false;

    if (link->source.flags & CAWS__LINK_WAITS &&
        !(caws_wants(caws__link_conn(link)) & CAWS_WANT_CLOSE))
        link->owner->wait(link);
    if (!(link->source.flags & CAWS__LINK_WAITS)) {
        if (link->owner->look)
            link->owner->look(link);
        serve_tick(link);
        caws__link_feed_early(link);
        caws__flush_link(link);
        anew = link->source.flags & CAWS__LINK_WAITS; /* redirected just now */
    }
    bool goes_on = serve_follow(link);
    link->source.flags &= (uint16_t)~CAWS__LINK_TODO;
    if (goes_on && (anew || serve_restless(link)))
        caws__link_todo(link);
}

void caws__link_run_deadlines(caws_loop *loop)
{
    struct caws__alarm *alarm;

    while ((alarm = caws__alarms_take(&loop->deadlines, loop->now_ms))) {
        struct caws__link *link =
            (struct caws__link *)(void *)((char *)alarm -
                                          offsetof(struct caws__link, alarm));

        /* It arms again when it is looked at.
         * After a long step not all that is readable has had its turn: what
         * came in time must not be late for that. */
        link->source.ready(&link->source,
                           link->source.interest & CAWS__READ);
    }
}
