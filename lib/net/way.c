#include "net/way.h"

#include <errno.h>
#include <stdio.h>

#include "net/client.h"
#include "net/memory.h"
#include "net/sys.h"

#define WAY_PENDING    64 /* at once: RFC 6455 section 4.1 wants a limit */
#define WAY_TIMEOUT_MS 10000

static struct caws__clients *way_clients(const struct caws__way *way)
{
    return caws__clients_of(way->link);
}

static caws_loop *way_loop(const struct caws__way *way)
{
    return way->link->owner->loop;
}

/* ---- Failing ----------------------------------------------------------- */

static void way_fail(struct caws__way *way, int error, const char *detail)
{
    way->stage = CAWS__WAY_THERE;
    caws__link_fail(way->link, error, detail);
}

/* No address could be reached; error is that of the last. */
static void way_fail_to_connect(struct caws__way *way, int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        way_fail(way, CAWS_ERR_SYS,
                 "out of descriptors or memory for a socket, "
                 "RFC 6455 section 4.1");
        break;
    case ECONNREFUSED:
        way_fail(way, CAWS_ERR_CONNECT,
                 "nobody listens there, RFC 6455 section 4.1");
        break;
    default:
        way_fail(way, CAWS_ERR_CONNECT,
                 "no address of the host could be reached, "
                 "RFC 6455 section 4.1");
    }
}

static void way_fail_for_memory(struct caws__way *way)
{
    way_fail(way, CAWS_ERR_NOMEM,
             "no memory to connect, RFC 6455 section 4.1");
}

static void way_late(caws_timer *timer)
{
    way_fail(timer->user, CAWS_ERR_TIMEOUT,
             "no connection within connect_timeout_ms, RFC 6455 section 4.1");
}

/* ---- In line ----------------------------------------------------------- */

static void way_count(struct caws__way *way, bool on)
{
    struct caws__clients *clients = way_clients(way);

    if (on == way->counted)
        return;
    way->counted = on;
    clients->pending += on ? 1 : (size_t)-1;
    while (clients->pending < WAY_PENDING &&
           !caws__ring_is_empty(&clients->queue)) {
        struct caws__way *next = (struct caws__way *)clients->queue.next;

        caws__ring_remove(&next->queue);
        next->stage = CAWS__WAY_ADMITTED;
        next->counted = true;
        clients->pending++;
        caws__link_todo(next->link);
    }
}

static void way_clock(struct caws__way *way, bool on)
{
    if (!on)
        caws_timer_stop(way_loop(way), &way->late);
    else if (way->timeout_ms != CAWS_OFF && !way->late.slot_ &&
             caws_timer_start(way_loop(way), &way->late, way->timeout_ms, 0) <
                 0)
        way_fail_for_memory(way);
}

/* Whoever waits for others does not count, and neither does the time. */
static void way_settle(struct caws__way *way)
{
    bool held_up = false;

    if (way->stage == CAWS__WAY_TURN)
        held_up = way->turn.state == CAWS__TURN_WAITS;
    else if (way->stage == CAWS__WAY_DIAL)
        held_up = caws__dial_is_held_up(way->dial);
    if (way->stage == CAWS__WAY_NEW || way->stage == CAWS__WAY_QUEUED)
        return;
    way_count(way, !held_up);
    way_clock(way, !held_up && way->stage != CAWS__WAY_THERE);
}

/* ---- On the way -------------------------------------------------------- */

/* Was it given up meanwhile? */
static bool way_is_over(const struct caws__way *way)
{
    return way->stage == CAWS__WAY_THERE ||
           caws_wants(caws__link_conn(way->link)) & CAWS_WANT_CLOSE;
}

static void way_arrive(struct caws__way *way, int fd, const void *early,
                       size_t len)
{
    way->stage = CAWS__WAY_THERE;
    way_clock(way, false);
    if (caws__link_attach(way->link, fd, early, len) == CAWS_OK)
        return;
    caws__sys_close(fd);
    way_fail_for_memory(way);
}

static void way_tunnelled(struct caws__link *link, int status)
{
    struct caws__way *way = caws__client_of(link)->way;
    const struct caws__answer *answer = way->tunnel->answer;

    if (way_is_over(way))
        return;
    if (status >= 200 && status < 300)
        way_arrive(way, caws__tunnel_take(way->tunnel),
                   answer->text + answer->end, answer->len - answer->end);
    else if (status == 407)
        way_fail(way, CAWS_ERR_CONNECT,
                 "the proxy wants credentials, RFC 9110 section 11.7");
    else if (status > 0)
        way_fail(way, CAWS_ERR_CONNECT,
                 "the proxy refused to connect, RFC 9110 section 9.3.6");
    else
        way_fail(way, CAWS_ERR_CONNECT,
                 "the proxy did not answer as one, RFC 9110 section 9.3.6");
}

static void way_dialled(struct caws__link *link, int fd)
{
    struct caws__way *way = caws__client_of(link)->way;

    if (way_is_over(way)) {
        if (fd >= 0)
            caws__sys_close(fd);
    } else if (fd < 0) {
        way_fail_to_connect(way, way->dial->error);
    } else if (!way->proxied) {
        way_arrive(way, fd, NULL, 0);
    } else {
        way->stage = CAWS__WAY_TUNNEL;
        way->tunnel =
            caws__tunnel_new(link, fd, &way->target.place, way_tunnelled);
        if (!way->tunnel) {
            caws__sys_close(fd);
            way_fail_for_memory(way);
        }
    }
}

static void way_dial(struct caws__way *way,
                     const struct caws__addresses *addresses)
{
    /* Behind a proxy it is the host that has turns: 4.1 again. */
    struct caws__ring *turns = way->proxied ? NULL : &way_clients(way)->turns;

    way->stage = CAWS__WAY_DIAL;
    way->dial = caws__dial_new(way->link, turns, addresses, way_dialled);
    if (way->dial)
        caws__dial_start(way->dial);
    else
        way_fail_for_memory(way);
}

static void way_looked_up(void *user, const struct addrinfo *list)
{
    struct caws__way *way = user;
    struct caws__addresses addresses;

    way->lookup = NULL;
    if (way_is_over(way))
        return;
    caws__address_order(list, &addresses);
    if (addresses.count == 0)
        way_fail(way, CAWS_ERR_RESOLVE,
                 "the host's name was not found, RFC 6455 section 4.1");
    else
        way_dial(way, &addresses);
    way_settle(way);
}

static void way_look_up(struct caws__way *way)
{
    const struct caws__place *to =
        way->proxied ? &way->proxy : &way->target.place;
    struct caws__addresses addresses;

    if (caws__address_known(to, &addresses)) {
        way_dial(way, &addresses);
        return;
    }
    way->stage = CAWS__WAY_LOOKUP;
    way->lookup =
        caws__resolve_start(&way_clients(way)->lookups, way_loop(way),
                            to->host, to->port, way_looked_up, way);
    if (!way->lookup)
        way_fail(way, CAWS_ERR_RESOLVE,
                 "no thread or memory to look the host's name up, "
                 "RFC 6455 section 4.1");
}

/* The address behind a proxy is not known: each host counts as one. */
static void way_set_out(struct caws__way *way)
{
    const struct caws__place *to = &way->target.place;
    int len = snprintf(way->key, sizeof way->key, "%s:%u", to->host,
                       (unsigned)to->port);

    way->stage = CAWS__WAY_TURN;
    caws__turn_init(&way->turn, way->link, way->key, (size_t)len);
    for (char *c = way->key; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    if (!way->proxied || caws__turn_take(&way_clients(way)->turns, &way->turn))
        way_look_up(way);
}

/* The first of them waits in line behind those who came before. */
static void way_begin(struct caws__way *way)
{
    if (way_clients(way)->pending < WAY_PENDING) {
        way_count(way, true);
        way_set_out(way);
    } else {
        way->stage = CAWS__WAY_QUEUED;
        caws__ring_add(&way_clients(way)->queue, &way->queue);
    }
}

void caws__way_go(struct caws__link *link)
{
    struct caws__way *way = caws__client_of(link)->way;

    if (way->stage == CAWS__WAY_NEW)
        way_begin(way);
    else if (way->stage == CAWS__WAY_ADMITTED)
        way_set_out(way);
    else if (way->stage == CAWS__WAY_TURN &&
             way->turn.state == CAWS__TURN_HELD)
        way_look_up(way);
    else if (way->stage == CAWS__WAY_DIAL)
        caws__dial_go(way->dial);
    way_settle(way);
}

/* ---- Birth ------------------------------------------------------------- */

int caws__way_new(struct caws__way **out, const caws_alloc *alloc,
                  const caws_client_config *cfg)
{
    struct caws__way *way = caws__memory(alloc, NULL, 0, sizeof *way);
    int result;

    if (!way)
        return CAWS_ERR_NOMEM;
    *way = (struct caws__way){
        .proxied = cfg->proxy != NULL,
        .redirects = cfg->max_redirects,
        .timeout_ms =
            cfg->connect_timeout_ms ? cfg->connect_timeout_ms : WAY_TIMEOUT_MS,
        .late = { .fn = way_late, .user = way },
    };
    caws__ring_init(&way->queue);
    caws__turn_init(&way->turn, NULL, NULL, 0);
    result = caws__target_parse(&way->target, alloc, cfg->url);
    if (result == CAWS_OK && way->proxied)
        result = way->target.place.path[0]
                     ? CAWS_ERR_URL
                     : caws__target_proxy(&way->proxy, cfg->proxy);
    if (result < 0)
        caws__way_free(way, alloc);
    else
        *out = way;
    return result;
}

/* ---- The end ----------------------------------------------------------- */

void caws__way_end(struct caws__way *way)
{
    way->stage = CAWS__WAY_THERE;
    caws__ring_remove(&way->queue);
    way_clock(way, false);
    if (way->lookup)
        caws__resolve_cancel(way->lookup);
    caws__dial_free(way->dial);
    caws__tunnel_free(way->tunnel);
    caws__answer_free(way->answer, &way_loop(way)->alloc);
    way->lookup = NULL;
    way->dial = NULL;
    way->tunnel = NULL;
    way->answer = NULL;
    caws__turn_give(&way_clients(way)->turns, &way->turn);
    way_count(way, false);
}

void caws__way_again(struct caws__way *way)
{
    caws__way_end(way);
    way->stage = CAWS__WAY_NEW;
}

void caws__way_free(struct caws__way *way, const caws_alloc *alloc)
{
    caws__target_free(&way->target, alloc);
    caws__memory(alloc, way, sizeof *way, 0);
}
