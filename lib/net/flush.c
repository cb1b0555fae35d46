#include "net/flush.h"

#include <errno.h>

#include "net/sys.h"

#define FLUSH_SLICES 64
#define FLUSH_ROUNDS 8 /* then others get their turn */
#define FLUSH_BYTES  ((size_t)64 * 1024)

/* One system call: how much of v it took. Less than all sets a flag. */
static size_t flush_send(struct caws__link *link, const caws_slice *v,
                         size_t count)
{
    struct iovec iov[FLUSH_SLICES];
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        /* sendmsg does not write to it, but iovec is for readers too. */
        iov[i].iov_base = (void *)(uintptr_t)v[i].data;
        iov[i].iov_len = v[i].len;
        total += v[i].len;
    }
    ssize_t n = caws__sys_sendmsg(link->source.fd, iov, count);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        link->source.flags |= CAWS__LINK_BROKEN;
    else if (n < 0 || (size_t)n < total)
        link->source.flags |= CAWS__LINK_BLOCKED;
    return n < 0 ? 0 : (size_t)n;
}

/* What is offered cannot be overtaken by a Pong or a Close any more, nor be
 * dropped: so no more of it than is worth a system call, which all of it is
 * where there is so little payload. *all: is there no more than that? */
static size_t flush_offer(caws_conn *ws, caws_slice v[FLUSH_SLICES], bool *all)
{
    size_t max = caws_buffered_amount(ws) < FLUSH_BYTES ? FLUSH_SLICES : 1;

    for (;; max *= 2) {
        size_t count = caws_output(ws, v, max);
        size_t bytes = 0;

        for (size_t i = 0; i < count; i++)
            bytes += v[i].len;
        *all = count < max;
        if (*all || max == FLUSH_SLICES || bytes >= FLUSH_BYTES)
            return count;
    }
}

/* What a handler queues when the last of it has left is for the next step. */
void caws__flush_link(struct caws__link *link)
{
    caws_slice v[FLUSH_SLICES];
    bool all = false;

    for (int round = 0; round < FLUSH_ROUNDS && !all; round++) {
        if (link->source.flags & CAWS__LINK_MUTE)
            return;
        size_t count = flush_offer(caws__link_conn(link), v, &all);
        if (count == 0)
            return;
        size_t sent = flush_send(link, v, count);
        if (sent > 0)
            caws_output_done(caws__link_conn(link), sent);
    }
}

size_t caws__flush_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    struct caws__link *link = caws__link_of(ws);

    if (link->source.flags & CAWS__LINK_MUTE)
        return 0;
    caws__link_todo(link);
    return flush_send(link, v, count < FLUSH_SLICES ? count : FLUSH_SLICES);
}
