/* caws_net.h - WebSocket servers and clients on an event loop.
 *
 * Everything here is built on caws.h and adds only sockets, time and waiting.
 * A connection is the same caws_conn, so caws_send, caws_close, caws_user and
 * the handlers are those of caws.h. Differences, all in one place:
 *  - the loop owns each conn: never call caws_free, caws_feed, caws_output or
 *    caws_tick on it. After on_close (or a refusal) the pointer is dead; keep
 *    caws_id() instead of pointers in anything that outlives a handler.
 *  - the loop sets the transport, and config.random where it is NULL.
 *  - output queued by handlers leaves together, once per step of the loop.
 *  - handlers run only inside caws_loop_step, caws_loop_run and
 *    caws_loop_free: what is sent or closed elsewhere shows in the next step.
 *  - functions that make something return it, or NULL with errno set (EINVAL
 *    for a bad config or URL).
 *  - configs and their strings are copied; context, user, alloc and
 *    random contexts must outlive what is made. Where config.alloc is zero,
 *    conns use the loop's.
 *  - everything belongs to the loop's thread, except the functions marked
 *    [any thread], which may also be called from a signal handler.
 *  - no SIGPIPE, no signal handler unasked, every descriptor close-on-exec.
 */
#ifndef CAWS_NET_H
#define CAWS_NET_H

#include <caws.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct caws_loop caws_loop;
typedef struct caws_server caws_server;
typedef struct caws_group caws_group;

/* ---- Loop -------------------------------------------------------------- */

/* NULL: the C library's. What its conns free the loop keeps for later ones, up
 * to 16 MiB, and gives back bit by bit, as it takes steps, what is not needed.
 * So a large block may be up to twice as large as its conn asked for. */
caws_loop *caws_loop_new(const caws_alloc *alloc);
/* Aborts what is open (each on_close is called, and can begin nothing new),
 * drops tasks and timers. Not from a handler. */
void       caws_loop_free(caws_loop *loop);

/* Run until caws_loop_stop, or until no server, conn, timer or posted task is
 * left. A stop before the run ends it at once. CAWS_OK, CAWS_ERR_STATE inside
 * a handler, or CAWS_ERR_SYS where the system cannot wait. */
int  caws_loop_run(caws_loop *loop);
void caws_loop_stop(caws_loop *loop); /* [any thread] */

/* Embedding in a foreign loop: wait until the descriptor is readable or the
 * timeout has passed, then take one step that does not wait. A call from
 * outside a step that leaves work makes the descriptor readable; a timer only
 * shortens the timeout, so ask for that anew before each wait. caws_loop_fd is
 * -1 with the poll back end; then let caws_loop_step do the waiting, at most
 * timeout_ms (-1: until something happens). A step is CAWS_OK, or
 * CAWS_ERR_STATE inside another one, or CAWS_ERR_SYS. */
int caws_loop_fd(const caws_loop *loop);
int caws_loop_timeout(const caws_loop *loop); /* ms; -1: nothing due */
int caws_loop_step(caws_loop *loop, int timeout_ms);

/* Timers and tasks are structs of yours: zero-initialise, set fn and user, the
 * rest is the loop's. It does not touch the struct after calling fn (a repeat
 * is re-armed before), so fn may restart it, or, once stopped, free it. A
 * start while it runs moves it. A repeat keeps its beat, but beats that were
 * missed are left out. CAWS_ERR_ARG without fn, CAWS_ERR_NOMEM, or
 * CAWS_ERR_STATE inside caws_loop_free. */
typedef struct caws_timer caws_timer;
struct caws_timer {
    void (*fn)(caws_timer *timer);
    void *user;
    uint64_t due_, repeat_;
    size_t slot_;
};
int  caws_timer_start(caws_loop *loop, caws_timer *timer,
                      uint32_t after_ms, uint32_t repeat_ms);
void caws_timer_stop(caws_loop *loop, caws_timer *timer);

/* Run task->fn once on the loop's thread, soon: the way into a loop from
 * elsewhere; the task may then call anything. Never fails, preserves errno.
 * Do not post it again, or free it, before fn has started. The loop must live
 * until this returns. */
typedef struct caws_task caws_task;
struct caws_task {
    void (*fn)(caws_task *task);
    void *user;
    caws_task *next_;
};
void caws_loop_post(caws_loop *loop, caws_task *task); /* [any thread] */

/* ---- Server ------------------------------------------------------------ */

/* What a broadcast does to a receiver whose queue is full. Every message that
 * was not queued is counted: see caws_stats. */
typedef enum caws_slow {
    CAWS_SLOW_CLOSE = 0, /* drop what has not begun, close it with 1013, cut
                            it after close_timeout_ms; its on_error, soon
                            after, and its on_close say CAWS_ERR_FULL      */
    CAWS_SLOW_SKIP       /* it misses this message and stays               */
} caws_slow;

typedef struct caws_server_config {
    const char *host;     /* address to bind, or a name, which is looked up;
                             NULL: EVERY interface, IPv4 and IPv6;
                             "unix:/path" for a Unix-domain socket: a stale
                             one is replaced, and it goes with the server  */
    uint16_t port;        /* 0: any free port, see caws_server_port        */
    intptr_t listen_fd;   /* >0: an inherited listening socket, instead:
                             the server's, unless caws_listen fails        */
    int backlog;          /* (511)                                         */
    bool reuse_port;      /* SO_REUSEPORT: one loop per thread, one port   */
    size_t max_conns;     /* past it: 503 and an on_error       (1024);
                             those that linger after their end count, too.
                             64 at a time are told 503, more just closed   */
    caws_slow slow;
    const struct caws_tls *tls; /* room for a TLS companion: must be NULL  */
    void (*on_error)(caws_server *server, int error, const char *detail);
                          /* trouble with accepting: CAWS_ERR_LIMIT for each
                             past max_conns; CAWS_ERR_SYS when out of
                             descriptors, once until it is over;
                             CAWS_ERR_NOMEM                                */
    caws_config ws;       /* for every connection                          */
    void *reserved_[8];   /* zero */
} caws_server_config;

caws_server *caws_listen(caws_loop *loop, const caws_server_config *cfg);
uint16_t     caws_server_port(const caws_server *server);
/* Stop listening, flush what is queued, close every conn with 1001 (503 to
 * those not yet let in) and cut what is left at the deadline. Idempotent: the
 * earliest deadline stands. The server's memory lives until caws_loop_free. */
void         caws_server_stop(caws_server *server, uint32_t deadline_ms);
/* Opt-in: stop it in this way when the process gets this signal, which is
 * blocked in the calling thread until caws_loop_free and read from a signalfd:
 * so call it before you start threads, which inherit that. Any number of
 * signals and of the loop's servers, but one loop for each signal: of two,
 * one would take it from the other. The same signal again cuts at once.
 * CAWS_ERR_ARG for what is no signal, or
 * SIGKILL or SIGSTOP; CAWS_ERR_NOMEM; CAWS_ERR_SYS. */
int          caws_server_stop_on(caws_server *server, int signal,
                                 uint32_t deadline_ms);
/* Visit every OPEN conn, in the order in which they came; fn may close any of
 * them, itself included. */
void         caws_server_each(caws_server *server,
                              void (*fn)(caws_conn *ws, void *arg), void *arg);

/* Counters since the server began; never reset. */
typedef struct caws_stats {
    caws_counters conns; /* messages, bytes, failed, refused */
    uint64_t accepted, opened, closed; /* closed: of those that opened */
    uint64_t slow_closed, slow_skipped, busy_skipped;
    size_t   open_now;     /* opened, and on_close has not come yet */
    size_t   buffered_now; /* bytes: caws_buffered_amount of all    */
} caws_stats;
void caws_server_stats(const caws_server *server,
                       caws_stats *out, size_t sizeof_out);

/* Take over a connected socket that someone else accepted. The server owns fd
 * from now on, also on failure (errno EUSERS: past max_conns; ECANCELED: the
 * server is stopped). data: bytes already read from it, copied.
 *   caws_adopt       the opening request is still to be read, or in data
 *   caws_adopt_open  an HTTP server has already answered 101, for example
 *                    with caws_accept_key; data starts with the first frame */
caws_conn *caws_adopt(caws_server *server, intptr_t fd,
                      const void *data, size_t len);
caws_conn *caws_adopt_open(caws_server *server, intptr_t fd,
                           const char *subprotocol, const char *extensions,
                           const void *data, size_t len);

/* ---- Client ------------------------------------------------------------ */

/* "ws://host:port/path". Returns at once, with a conn that is CONNECTING and
 * belongs to the loop. on_open tells that it is OPEN; every failure comes as
 * on_error, and then on_close with 1006:
 *   CAWS_ERR_RESOLVE    the host's name was not found
 *   CAWS_ERR_CONNECT    no address of it, or not the proxy, let us in
 *   CAWS_ERR_TIMEOUT    no connection within connect_timeout_ms, or no
 *                       response within handshake_timeout_ms after that
 *   CAWS_ERR_REFUSED    the server answered otherwise than with 101: in
 *                       on_error caws_http_status and caws_header say how
 *   CAWS_ERR_HANDSHAKE  its answer breaks the rules
 *   CAWS_ERR_EOF        it closed without an answer, or caws_close was called
 *   CAWS_ERR_SYS        out of descriptors
 * Names are looked up on a helper thread in which all signals are blocked;
 * addresses are tried as RFC 8305 says: IPv6 and IPv4 in turn, the next one
 * after 250 ms or as soon as one has failed; the first to connect is used.
 *
 * Of a loop's connections to the same address one at a time is CONNECTING
 * (RFC 6455 section 4.1), and about 64 are in all: the others wait for their
 * turn, and no timeout runs meanwhile.
 *
 * caws_fd is -1 until there is a connection. A client has no server's slow
 * policy: caws_group_send skips it when its queue is full. */
caws_conn *caws_connect(caws_loop *loop, const char *url,
                        const caws_config *cfg);

/* The same with everything that belongs to the network. */
typedef struct caws_client_config {
    const char *url;        /* also "ws+unix:/socket:/path", for a Unix-domain
                               socket; there the Host is "localhost"       */
    const char *proxy;      /* "http://host:port": the way there is asked for
                               by CONNECT, and the name in url is not looked
                               up; NULL: none. Proxy auto-config scripts are
                               not supported                               */
    uint32_t max_redirects; /* 301, 302, 303, 307 and 308 that are followed,
                               if their Location is an absolute http: or ws:
                               URL or a path; 0, or past it: a redirect is a
                               refusal. Each begins with a new request on the
                               same conn, of which nothing is reported. To
                               another host or port ws.headers, credentials
                               among them, do not go; nor to any after it  */
    uint32_t connect_timeout_ms; /* from the look-up to the connection,
                               the proxy's included; CAWS_OFF     (10 s)   */
    const struct caws_tls *tls;  /* room for a TLS companion: must be NULL,
                               and wss: URLs are EINVAL                    */
    caws_config ws;
    void *reserved_[8];     /* zero */
} caws_client_config;
caws_conn *caws_connect_with(caws_loop *loop, const caws_client_config *cfg);

/* The operating system's random bytes, in the form config.random wants. */
int caws_entropy(void *unused, void *out, size_t len);

/* ---- Broadcast --------------------------------------------------------- */

/* Encode once, queue for every OPEN conn of the server, but except, in the
 * order in which they came. Returns the number of conns it was queued for, or
 * CAWS_ERR_NOMEM (or CAWS_ERR_ARG, CAWS_ERR_UTF8) with none. Handlers are not
 * called from inside. Receivers whose queue is full, or for whose queue there
 * is no memory, are treated as config.slow says; one in the middle of a
 * fragmented message of yours is skipped and counted as busy. */
int64_t     caws_broadcast(caws_server *server, const caws_conn *except,
                           caws_type type, const void *data, size_t len);

/* Any set of conns of one loop, CONNECTING or OPEN when they are added; a conn
 * leaves its groups when it closes, before its on_close. Adding it once more
 * changes nothing. CAWS_ERR_ARG: of another loop; CAWS_ERR_STATE: it closes;
 * CAWS_ERR_NOMEM. A group may be freed before or after its loop, with
 * conns in it or not; but not be used after its loop. */
caws_group *caws_group_new(caws_loop *loop);
void        caws_group_free(caws_group *group);
int         caws_group_add(caws_group *group, caws_conn *ws);
void        caws_group_remove(caws_group *group, caws_conn *ws);
size_t      caws_group_count(const caws_group *group);
/* caws_broadcast for the OPEN conns of a group. Each is treated, and counted,
 * as its own server's config.slow says; clients are skipped. */
int64_t     caws_group_send(caws_group *group, const caws_conn *except,
                            caws_type type, const void *data, size_t len);

/* ---- Queries ----------------------------------------------------------- */

/* An id is never reused by a loop; caws_find gives NULL once it is closed. */
uint64_t     caws_id(const caws_conn *ws);
caws_conn   *caws_find(caws_loop *loop, uint64_t id);
caws_loop   *caws_loop_of(const caws_conn *ws);
caws_server *caws_server_of(const caws_conn *ws); /* NULL for a client */
intptr_t     caws_fd(const caws_conn *ws);        /* to look at, not to use */
/* "192.0.2.1:54321", "[2001:db8::1]:54321" or "unix"; 64 bytes are always
 * enough, fewer may be CAWS_ERR_ARG. Asks the system: after a reset it may be
 * gone (CAWS_ERR_SYS), so note it in on_open. */
int          caws_peer_name(const caws_conn *ws, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
