#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/memory.h"
#include "net/sys.h"

#define DIAL_DELAY_MS 250 /* Connection Attempt Delay, RFC 8305 section 5 */
#define DIAL_RETRY_MS 10  /* where a Unix-domain server's backlog is full */

static void dial_next(struct caws__dial *dial);

static size_t dial_size(size_t count)
{
    return sizeof(struct caws__dial) + count * sizeof(struct caws__dial_try);
}

static void dial_give_turn(struct caws__dial_try *try)
{
    if (try->dial->turns)
        caws__turn_give(try->dial->turns, &try->turn);
}

/* Take its descriptor away: what becomes of it is for the caller. */
static int dial_detach(struct caws__dial_try *try)
{
    int fd = try->source.fd;

    caws__loop_watch(try->dial->link->owner->loop, &try->source, 0);
    try->source.fd = -1;
    return fd;
}

static void dial_drop(struct caws__dial_try *try)
{
    if (try->source.fd >= 0)
        caws__sys_close(dial_detach(try));
    dial_give_turn(try);
}

static void dial_win(struct caws__dial_try *try)
{
    struct caws__dial *dial = try->dial;
    int fd = dial_detach(try);

    caws_timer_stop(dial->link->owner->loop, &dial->pause);
    dial->next = dial->count;
    for (size_t i = 0; i < dial->count; i++)
        if (&dial->tries[i] != try)
            dial_drop(&dial->tries[i]);
    dial->running = 0;
    dial->done(dial->link, fd);
}

static void dial_ready(struct caws__source *source, unsigned what)
{
    struct caws__dial_try *try = (struct caws__dial_try *)source;
    struct caws__dial *dial = try->dial;
    int error = 0;

    (void)what;
    if (caws__sys_getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error) < 0)
        error = errno;
    if (error == 0) {
        dial_win(try);
        return;
    }
    dial->error = error;
    dial->running--;
    dial_drop(try);
    dial_next(dial);
}

/* 0: it is connected; or an errno, EINPROGRESS where that is to be told. */
static int dial_connect(struct caws__dial_try *try)
{
    const struct sockaddr *addr =
        (const struct sockaddr *)&try->address.data;
    int fd = caws__sys_socket(addr->sa_family, SOCK_STREAM);

    if (fd < 0)
        return errno;
    try->source.fd = fd;
    if (addr->sa_family != AF_UNIX)
        caws__sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (caws__sys_connect(fd, addr, try->address.len) == 0)
        return 0;
    int error = errno;
    if (error == EINPROGRESS &&
        caws__loop_watch(try->dial->link->owner->loop, &try->source,
                         CAWS__WRITE) < 0)
        error = errno;
    if (error != EINPROGRESS)
        caws__sys_close(dial_detach(try));
    return error;
}

/* Where there is no memory for the timer, the next one is tried only when
 * this one has failed. */
static void dial_pause(struct caws__dial *dial, uint32_t ms)
{
    if (dial->next < dial->count)
        caws_timer_start(dial->link->owner->loop, &dial->pause, ms, 0);
}

/* A Unix-domain socket does not wait for room in the backlog. */
static bool dial_is_crowded(const struct caws__dial_try *try, int error)
{
    return error == EAGAIN && try->address.data.ss_family == AF_UNIX;
}

/* Try the next address; those that fail at once are passed over. */
static void dial_next(struct caws__dial *dial)
{
    caws_timer_stop(dial->link->owner->loop, &dial->pause);
    while (dial->next < dial->count) {
        struct caws__dial_try *try = &dial->tries[dial->next];

        if (dial->turns && !caws__turn_take(dial->turns, &try->turn)) {
            caws__link_todo(dial->link); /* it may be held up now */
            return;
        }
        int error = dial_connect(try);
        if (dial_is_crowded(try, error)) {
            dial_pause(dial, DIAL_RETRY_MS);
            if (dial->pause.slot_ != 0)
                return;
            error = ENOMEM; /* without a timer nothing would go on */
        }
        dial->next++;
        if (error == 0) {
            dial_win(try);
            return;
        }
        if (error == EINPROGRESS) {
            dial->running++;
            dial_pause(dial, DIAL_DELAY_MS);
            return;
        }
        dial->error = error;
        dial_give_turn(try);
    }
    if (dial->running == 0)
        dial->done(dial->link, -1);
}

static void dial_timer(caws_timer *timer)
{
    dial_next(timer->user);
}

struct caws__dial *caws__dial_new(struct caws__link *link,
                                  struct caws__ring *turns,
                                  const struct caws__addresses *addresses,
                                  void (*done)(struct caws__link *link,
                                               int fd))
{
    size_t count = addresses->count;
    struct caws__dial *dial = caws__memory(&link->owner->loop->alloc, NULL, 0,
                                           dial_size(count));

    if (!dial)
        return NULL;
    *dial = (struct caws__dial){ .link = link,
                                 .turns = turns,
                                 .done = done,
                                 .pause = { .fn = dial_timer, .user = dial },
                                 .count = count };
    for (size_t i = 0; i < count; i++) {
        struct caws__dial_try *try = &dial->tries[i];

        try->source = (struct caws__source){ .ready = dial_ready, .fd = -1 };
        try->dial = dial;
        try->address = addresses->v[i];
        caws__turn_init(&try->turn, link, &try->address.data,
                        try->address.len);
    }
    return dial;
}

/* What the next one has of a turn. */
static enum caws__turn_state dial_turn(const struct caws__dial *dial)
{
    return dial->next < dial->count ? dial->tries[dial->next].turn.state
                                    : CAWS__TURN_NONE;
}

void caws__dial_start(struct caws__dial *dial)
{
    dial_next(dial);
}

void caws__dial_go(struct caws__dial *dial)
{
    if (dial_turn(dial) == CAWS__TURN_HELD && !dial->pause.slot_)
        dial_next(dial);
}

bool caws__dial_is_held_up(const struct caws__dial *dial)
{
    return dial->running == 0 && dial_turn(dial) == CAWS__TURN_WAITS;
}

void caws__dial_free(struct caws__dial *dial)
{
    caws_loop *loop;

    if (!dial)
        return;
    loop = dial->link->owner->loop;
    caws_timer_stop(loop, &dial->pause);
    for (size_t i = 0; i < dial->count; i++)
        dial_drop(&dial->tries[i]);
    caws__memory(&loop->alloc, dial, dial_size(dial->count), 0);
}
