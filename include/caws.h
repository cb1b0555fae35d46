/* caws.h - one end of one WebSocket connection (RFC 6455), without any I/O.
 *
 *   bytes in  --> caws_feed()   --> on_open, on_message, on_close
 *   bytes out <-- caws_output() <-- caws_send, caws_ping, caws_close
 *
 * A caws_conn never touches a socket, a clock or a global variable. Whoever
 * owns the bytes (caws_net.h, your own event loop, a TLS layer, a test) feeds
 * what arrived and writes out what caws_output() offers.
 *
 * Conventions, stated once and true everywhere:
 *  - Every int result is CAWS_OK (0) or a negative caws_error. A function of
 *    the application side that fails has changed nothing. Arguments are
 *    checked before the state.
 *  - Bytes given to a handler are valid until that handler returns. Bytes
 *    given to caws are copied before the call returns.
 *  - A zero field in a config means "the default" named beside it.
 *  - Handlers run only inside caws_feed, caws_feed_eof, caws_output_done and
 *    caws_tick. caws_send, caws_close and the rest never call one.
 *  - From inside a handler everything may be called, on any conn, except
 *    those four and caws_free on a conn that is inside one of them.
 *  - A conn is used by one thread at a time. There is no global state.
 */
#ifndef CAWS_H
#define CAWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAWS_VERSION "0.1.0"
const char *caws_version(void); /* of the library that is linked */

/* ---- Names the protocol uses ------------------------------------------- */

typedef struct caws_conn caws_conn;

/* The readyState of the browser API, with its numbers. */
typedef enum caws_state {
    CAWS_CONNECTING = 0, /* opening handshake under way (section 4)        */
    CAWS_OPEN       = 1, /* messages flow both ways (sections 5 and 6)     */
    CAWS_CLOSING    = 2, /* a Close was queued or received, or the conn was
                            failed, refused or aborted (section 7)         */
    CAWS_CLOSED     = 3  /* nothing more will be read, sent or reported    */
} caws_state;

/* Message types; the values are the opcodes on the wire (section 5.2). */
typedef enum caws_type { CAWS_TEXT = 0x1, CAWS_BINARY = 0x2 } caws_type;

/* Status codes of the closing handshake (section 7.4.1 and its registry). */
enum {
    CAWS_CLOSE_NORMAL          = 1000,
    CAWS_CLOSE_GOING_AWAY      = 1001,
    CAWS_CLOSE_PROTOCOL        = 1002,
    CAWS_CLOSE_UNSUPPORTED     = 1003,
    CAWS_CLOSE_NO_STATUS       = 1005, /* reported, never sent */
    CAWS_CLOSE_ABNORMAL        = 1006, /* reported, never sent */
    CAWS_CLOSE_INVALID_DATA    = 1007,
    CAWS_CLOSE_POLICY          = 1008,
    CAWS_CLOSE_TOO_BIG         = 1009,
    CAWS_CLOSE_EXTENSION       = 1010,
    CAWS_CLOSE_INTERNAL        = 1011,
    CAWS_CLOSE_RESTART         = 1012,
    CAWS_CLOSE_TRY_AGAIN_LATER = 1013
};

typedef enum caws_error {
    CAWS_OK              =  0,
    CAWS_ERR_NOMEM       = -1, /* the allocator returned NULL               */
    CAWS_ERR_ARG         = -2, /* the caller's argument is invalid          */
    CAWS_ERR_STATE       = -3, /* not possible in this ready state          */
    CAWS_ERR_FULL        = -4, /* the queue is full: not now; see on_drain  */
    CAWS_ERR_RANDOM      = -5, /* the random source failed                  */
    CAWS_ERR_URL         = -6, /* not a ws: or wss: URL                     */
    CAWS_ERR_HANDSHAKE   = -7, /* the peer's opening handshake is invalid   */
    CAWS_ERR_REFUSED     = -8, /* the server answered, but not with 101     */
    CAWS_ERR_PROTOCOL    = -9, /* the peer broke a framing rule     -> 1002 */
    CAWS_ERR_UTF8        = -10,/* text or reason is not UTF-8       -> 1007 */
    CAWS_ERR_TOO_BIG     = -11,/* message larger than max_message   -> 1009 */
    CAWS_ERR_LIMIT       = -12,/* too many fragments, control frames -> 1008 */
    CAWS_ERR_COMPRESSION = -13,/* corrupt compressed data           -> 1007 */
    CAWS_ERR_TIMEOUT     = -14,/* handshake, message, pong or closing late  */
    CAWS_ERR_EOF         = -15,/* transport ended, no closing handshake     */
    CAWS_ERR_RESOLVE     = -16,/* the host's name was not found             */
    CAWS_ERR_CONNECT     = -17,/* no address of the host could be reached   */
    CAWS_ERR_TLS         = -18,/* certificate or TLS handshake failed       */
    CAWS_ERR_SYS         = -19 /* another operating-system call failed      */
} caws_error;

const char *caws_strerror(int error);

/* A run of bytes that somebody else owns. Not NUL-terminated; data is NULL
 * where there is nothing at all, as for a header that was not sent. */
typedef struct caws_slice { const char *data; size_t len; } caws_slice;

/* ws:// and wss:// URLs (section 3): slices of url, host without brackets. */
typedef struct caws_url {
    caws_slice host;
    caws_slice target; /* path and query, "/" at least. Where the URL has a
                          query without a path it starts with "?", and the
                          request has "/" before it */
    uint16_t   port;   /* 80 or 443 where the URL names none */
    bool       secure;
} caws_url;
int caws_url_parse(const char *url, caws_url *out);

/* ---- What the application supplies ------------------------------------- */

/* One function does malloc, realloc and free: new_size 0 frees, ptr NULL
 * allocates, old_size is always exact. NULL resize means the C library. */
typedef struct caws_alloc {
    void *(*resize)(void *ctx, void *ptr, size_t old_size, size_t new_size);
    void *ctx;
} caws_alloc;

/* The client's opening request, as the server sees it (section 4.2.1). Other
 * fields: caws_header. */
typedef struct caws_request {
    caws_slice method;  /* "GET" */
    caws_slice target;  /* path and query: "/chat?room=1", as it was sent:
                           escapes are not decoded */
    caws_slice host;
    caws_slice origin;  /* data is NULL when the client sent none */
    bool       upgrade; /* false: a plain HTTP request, to be answered with a
                           page or a refusal; accepting it answers 426 */
} caws_request;

/* What on_request may return besides an HTTP status from 200 to 599, which
 * refuses (any other number is 500). caws_abort inside it wins. */
#define CAWS_ACCEPT 0
#define CAWS_LATER (-1) /* decide later: caws_accept() or caws_refuse() */

/* How a conn ended: the browser's CloseEvent, and why. */
typedef enum caws_ended_by {
    CAWS_BY_PEER, CAWS_BY_US, CAWS_BY_TRANSPORT
} caws_ended_by;
typedef struct caws_close_event {
    uint16_t      code;       /* the peer's status code; 1005 if its Close had
                                 none, 1006 if no Close came (7.1.5) */
    const char   *reason;     /* UTF-8, NUL-terminated, "" for none */
    size_t        reason_len;
    bool          was_clean;  /* both Close frames were exchanged */
    caws_ended_by ended_by;
    int           error;      /* CAWS_OK, or the error that failed the conn */
} caws_close_event;

#define CAWS_CHUNK_FIRST 1u /* on_chunk: first bytes of a message */
#define CAWS_CHUNK_LAST  2u /* on_chunk: last bytes of a message  */

#define CAWS_OFF UINT32_MAX /* switches a timeout off */

/* Zero-initialise, set what you need. The caws_new functions keep the pointer:
 * the struct must outlive the conns made from it ("static const" is right).
 * caws_listen and caws_connect of caws_net.h copy it and its strings. */
typedef struct caws_config {
    void *context; /* yours, for all conns; see caws_context, caws_user */

    /* Handlers; any may be NULL. Order of calls on one conn:
     *   on_request? on_open? (on_message | on_chunk | on_ping | on_pong |
     *   on_drain)* on_error? on_close
     * on_close is called exactly once, and last, on every client conn and on
     * every server conn that on_request (or its absence) accepted or put off
     * (even if caws_refuse came later); never on one that was refused at once.
     * Nothing but on_error and on_close follows CLOSING.
     * caws_user() is NULL until you set it. */

    /* Server: inspect the request: CAWS_ACCEPT, CAWS_LATER or an HTTP status.
     * caws_choose_subprotocol, caws_add_header and caws_set_body may shape
     * the response before it is given (a 401 needs a WWW-Authenticate).
     * Called for what path, hosts and, for an upgrade, origins have let
     * through; other methods than GET are refused before.
     * After CAWS_LATER the request's slices and caws_header stay valid until
     * on_open returns; bytes that follow the head are held (max_head in all);
     * handshake_timeout_ms runs on, and answers 503. */
    int  (*on_request)(caws_conn *ws, const caws_request *req);
    void (*on_open)(caws_conn *ws);
    /* A whole message, reassembled and, if text, checked to be UTF-8. */
    void (*on_message)(caws_conn *ws, caws_type type,
                       const void *data, size_t len);
    /* Instead of on_message, to stream: each piece as it arrives, nothing
     * buffered. Pieces may be empty and may split a code point; text is
     * checked all the same. flags: CAWS_CHUNK_FIRST, CAWS_CHUNK_LAST. */
    void (*on_chunk)(caws_conn *ws, caws_type type,
                     const void *data, size_t len, unsigned flags);
    /* Pings are answered without asking; these only tell. */
    void (*on_ping)(caws_conn *ws, const void *data, size_t len);
    void (*on_pong)(caws_conn *ws, const void *data, size_t len);
    /* The queue fell to half of max_buffered or less, after it had been above
     * that or had refused a message. Once per crossing. */
    void (*on_drain)(caws_conn *ws);
    /* Why the conn is being failed or refused, at most once; not where it was
     * the application that refused or aborted. detail is a constant sentence
     * naming the rule and its section. May come without on_close, on a conn
     * that was never let in. */
    void (*on_error)(caws_conn *ws, int error, const char *detail);
    void (*on_close)(caws_conn *ws, const caws_close_event *event);

    /* Limits. */
    size_t   max_message;          /* bytes of one message      (1 MiB)  */
    uint32_t max_fragments;        /* frames of one message     (4096)   */
    size_t   max_buffered;         /* bytes of queued output    (1 MiB)  */
    size_t   max_head;             /* bytes of the HTTP head    (16 KiB) */
    uint32_t max_headers;          /* fields in the HTTP head   (64)     */
    uint32_t max_control_burst;    /* Pings and Pongs at once   (64), a
                                      quarter of it again each second    */
    uint32_t handshake_timeout_ms; /* from the first moment     (10 s)   */
    uint32_t message_timeout_ms;   /* first byte to last        (60 s)   */
    uint32_t ping_interval_ms;     /* silence before a Ping     (30 s)   */
    uint32_t pong_timeout_ms;      /* Ping to any byte, again with each
                                      byte the peer takes       (20 s)   */
    uint32_t close_timeout_ms;     /* wait for the peer's Close, again with
                                      each byte it takes, four times at
                                      most                      (5 s)    */
    bool     trust_utf8;           /* do not check text that you send    */

    /* Opening handshake. */
    const char *path;              /* server: only this path; else 404   */
    const char *hosts;             /* server: Host values it answers to;
                                      without a port: any port.
                                      NULL or "*": any; caws_net.h makes
                                      NULL on a loopback address mean
                                      localhost, 127.0.0.1, [::1] and the
                                      name that it was told to bind      */
    const char *origins;           /* server: who may connect from a page.
                                      NULL: pages of the same host and port,
                                      and clients that send no Origin; "*":
                                      all; else a list of whole origins,
                                      "https://example.com, ...": then
                                      clients without one get 403, too   */
    const char *subprotocols;      /* "chat, superchat", preferred first */
    const char *origin;            /* client: Origin to send             */
    const char *headers;           /* extra lines, each ending in CRLF, for
                                      the client's request and for every
                                      response of the server             */

    /* Compression: room for a companion library's codec. None exists yet: it
     * must be NULL. */
    const struct caws_deflate *deflate;

    /* Environment. */
    caws_alloc alloc;
    int (*random)(void *ctx, void *out, size_t len); /* 0: ok. Clients need
              it, for masking keys (section 10.3), and are not made without
              it; caws_entropy of caws_net.h is one */
    void *random_ctx;
    void *reserved_[8]; /* zero */
} caws_config;

/* What the owner of a conn's bytes (an event loop, say) may hand to it. */
typedef struct caws_counters {
    uint64_t messages_in, messages_out, bytes_in, bytes_out, failed, refused;
} caws_counters;
typedef struct caws_transport {
    size_t owner_size; /* zeroed room inside the conn's own block, for the
                          owner: caws_transport_owner() points at it */
    /* caws_wants() or caws_deadline() changed, either way, in a call of the
     * application side. */
    void (*changed)(caws_conn *ws);
    /* May be NULL. Called inside a send with all queued output, if that is at
     * most 64 slices: with the new frame behind it when its payload is large
     * (16 KiB or more), without it to make room where the frame does not fit
     * the queue. Returns the bytes it took; 0 also on a write error, which is
     * reported later through caws_feed_eof. Calls nothing on ws. Memory for
     * the rest is secured before the call, so the send stays all or nothing. */
    size_t (*write_now)(caws_conn *ws, const caws_slice *v, size_t count);
    caws_counters *counters; /* may be NULL; shared by conns of one thread */
    void *reserved_[4];
} caws_transport;

/* ---- Life of a connection ---------------------------------------------- */

/* Memory a conn takes, all from config.alloc and all bounded:
 *   at birth      one fixed block, with the transport owner's room in it
 *   CONNECTING    the HTTP head, at most max_head, freed when OPEN
 *   receiving     at most max_message, and 300 bytes, only for a message or
 *                 frame that spans two caws_feed calls, or a message of two
 *                 frames; grows with bytes received, never with a length the
 *                 peer merely announced. And what may not be used yet, after
 *                 CAWS_LATER or caws_pause: max_head, or the rest of a feed
 *   sending       at most max_buffered or one message, whichever is more,
 *                 and what max_control_burst + 1 Pongs, a Ping and a Close
 *                 take. Small frames share blocks of up to 4 KiB; one that
 *                 a control frame cut short may stay nearly empty
 * An OPEN conn with nothing unfinished or buffered holds only the fixed block,
 * and the name of the agreed subprotocol if there is one.
 * transport may be NULL, else it must outlive the conn. NULL is returned for
 * want of memory, where the random source fails (a client's key), or where the
 * config or URL is invalid, which caws_config_check tells: CAWS_ERR_URL, or
 * CAWS_ERR_ARG (a list or header line that is malformed or that caws writes
 * itself, a client without config.random). */
int        caws_config_check(const caws_config *cfg, const char *client_url);
caws_conn *caws_new_server(const caws_config *cfg,
                           const caws_transport *transport);
caws_conn *caws_new_client(const char *url, const caws_config *cfg,
                           const caws_transport *transport);
/* For a redirect that was seen before it was fed: a client conn that is still
 * CONNECTING begins anew on another transport, with a request, and a key, for
 * this URL. What was queued and received is dropped, and handshake_timeout_ms
 * starts again. The config's texts are read again, and may have changed. */
int        caws_retarget(caws_conn *ws, const char *url);
/* For whoever has done the opening handshake elsewhere: starts OPEN, and
 * on_open comes in the first feed or tick. What it agreed: NULL or "" for
 * none; extensions must be that, as there is none yet. */
caws_conn *caws_new_open(bool client, const char *subprotocol,
                         const char *extensions, const caws_config *cfg,
                         const caws_transport *transport);
/* Calls no handler and sends nothing (a Close 1001 is yours to send before);
 * NULL is allowed. */
void       caws_free(caws_conn *ws);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2): 28 chars
 * and a NUL. */
int caws_accept_key(const char *key, size_t len, char out[29]);

/* ---- Transport side: bytes in, bytes out, time ------------------------- */

/* Give the conn bytes that arrived, and the time: milliseconds of any clock
 * that never goes back. All of them are used, in order, and the handlers they
 * cause run before this returns (but see caws_pause). data is scratch:
 * payloads are unmasked in place and handed to on_message without a copy when
 * a whole message lies in it.
 *
 * A peer's mistake is not a failed call: the conn reports on_error, queues
 * the Close frame it owes the peer and ignores further input. So whatever
 * this returns, go on with caws_wants(). The result is CAWS_OK or the error
 * that failed the conn, now or earlier. */
int caws_feed(caws_conn *ws, void *data, size_t len, uint64_t now_ms);

/* The peer will send no more: CAWS_OK for an orderly end, else why the
 * transport failed, with a sentence for on_error. Output already queued may
 * still leave after an orderly end. Without a finished closing handshake,
 * on_close reports 1006. */
int caws_feed_eof(caws_conn *ws, int error, const char *detail);

/* Fill v with up to max slices of pending output, oldest first; returns how
 * many. What was offered is frozen: its bytes stay where they are, and what
 * is queued later, control frames too, goes behind it, until
 * caws_output_done has passed it or caws_free. Then say how many bytes the
 * transport took, in any split:
 *
 *   caws_slice s;
 *   while (caws_output(ws, &s, 1) && (n = write(fd, s.data, s.len)) > 0)
 *       caws_output_done(ws, (size_t)n);
 */
size_t caws_output(caws_conn *ws, caws_slice *v, size_t max);
void   caws_output_done(caws_conn *ws, size_t len);

/* What the conn needs from its transport now: a set of these. A server, after
 * the closing handshake, a failure or a refusal, wants SHUTDOWN and READ until
 * the peer's end or close_timeout_ms, so that its last words are not lost to a
 * reset; then CLOSE. A client leaves the TCP close to the server (7.1.1). */
#define CAWS_WANT_READ     1u /* feed it what arrives                        */
#define CAWS_WANT_WRITE    2u /* caws_output has something                   */
#define CAWS_WANT_SHUTDOWN 4u /* no more output: close the sending direction;
                                 stays set, and once is enough               */
#define CAWS_WANT_CLOSE    8u /* close the transport, caws_feed_eof, free    */
unsigned caws_wants(const caws_conn *ws);

/* Call caws_tick once after creation and again when caws_deadline has come;
 * pings and timeouts happen inside it. In each step feed first, then tick.
 * A timeout begun by the application side counts from the next feed or tick,
 * and until then the deadline is 0 (now). UINT64_MAX: never. */
uint64_t caws_deadline(const caws_conn *ws);
void     caws_tick(caws_conn *ws, uint64_t now_ms);

/* ---- Application side -------------------------------------------------- */

/* Queue one whole message. All or nothing: CAWS_OK means the copy is queued,
 * any error means no byte of it will be sent.
 *   CAWS_ERR_STATE  not OPEN, or a fragmented message is unfinished
 *   CAWS_ERR_FULL   something is queued, and this would take it past
 *                   max_buffered; an empty queue takes any one message
 *   CAWS_ERR_UTF8   text that is not UTF-8 */
int caws_send(caws_conn *ws, caws_type type, const void *data, size_t len);
int caws_send_text(caws_conn *ws, const char *text);
/* The queue is above half of max_buffered, or has refused a message: on_drain
 * will come. Whoever stops reading then (caws_pause), and goes on in on_drain,
 * finds room for one more message of max_buffered / 2, headers included. */
bool caws_needs_drain(const caws_conn *ws);

/* Send one message in pieces, each a frame (section 5.4). The first call
 * decides the type; fin ends the message. Control frames may go between. */
int caws_send_fragment(caws_conn *ws, caws_type type,
                       const void *data, size_t len, bool fin);

/* At most 125 bytes. One Ping of yours at a time: CAWS_ERR_FULL while the
 * last has not left. Pongs to the peer's Pings go out by themselves, in
 * order, at most max_control_burst of them waiting. caws_pong sends an
 * unasked one (5.5.3). */
int caws_ping(caws_conn *ws, const void *data, size_t len);
int caws_pong(caws_conn *ws, const void *data, size_t len);

/* Answer a request for which on_request returned CAWS_LATER; on_open, and
 * bytes that were held, follow in the next tick, which is due at once.
 * Accepting a plain request answers 426, without on_error.
 * caws_refuse (200 to 599) may also come before the request has: it turns the
 * client away without reading it. */
int caws_accept(caws_conn *ws);
int caws_refuse(caws_conn *ws, int http_status);
/* Shape the response, before it is given. A subprotocol that was not offered,
 * CR or LF, and headers that caws itself writes are CAWS_ERR_ARG. */
int caws_choose_subprotocol(caws_conn *ws, const char *name);
int caws_add_header(caws_conn *ws, const char *name, const char *value);
int caws_set_body(caws_conn *ws, const char *content_type,
                  const void *data, size_t len);

/* Start the closing handshake (section 7.1.2): messages already queued go
 * out first, none may follow, none more are delivered, and on_close comes
 * when the peer has answered or close_timeout_ms has passed. code 0 without a
 * reason sends no status, with one 1000; otherwise 1000 to 1003, 1007 to 1014
 * or 3000 to 4999. reason: UTF-8, at most 123 bytes, NULL for none. While
 * CONNECTING it fails the connection: no Close frame is sent, and on_error
 * (CAWS_ERR_EOF) comes before on_close. Closing twice is CAWS_ERR_STATE and
 * harmless. If the Close cannot be built, this is caws_abort.
 * Where the peer closes first, the answer overtakes messages of ours that
 * have not begun; those are dropped, and still count as buffered. But where
 * nothing was waiting when the feed began, what the handlers sent in reply to
 * frames ahead of the Close leaves ahead of the answer. The answer has the
 * peer's code, and no reason. */
int  caws_close(caws_conn *ws, uint16_t code, const char *reason);
/* Give up without a handshake: caws_wants() becomes CAWS_WANT_CLOSE, and
 * caws_feed_eof then reports on_close with 1006. */
void caws_abort(caws_conn *ws);

/* Drop the messages of ours of which no byte has been offered to the transport
 * yet; they still count as buffered. A message that has begun is finished, as
 * far as its fragments were queued; then only a Close may follow it, and
 * anything else is CAWS_ERR_STATE. For a slow receiver that is to be closed. */
void caws_discard(caws_conn *ws);

/* Take CAWS_WANT_READ away and give it back: flow control towards the peer.
 * Takes effect before the next handler; the rest of the current feed is held
 * and used by the tick that is due after caws_resume, before more is wanted.
 * Ping, pong and message timeouts stand still meanwhile. */
void caws_pause(caws_conn *ws);
void caws_resume(caws_conn *ws);

/* One encoding for many receivers. A prepared message is immutable and counts
 * its users atomically: free it as soon as it is handed out, and hand it to
 * conns of any thread (its allocator must then be thread-safe). Clients must
 * mask every frame with a fresh key (section 5.3), so there it is copied. */
typedef struct caws_prepared caws_prepared;
caws_prepared *caws_prepare(const caws_config *cfg, caws_type type,
                            const void *data, size_t len);
int  caws_send_prepared(caws_conn *ws, caws_prepared *msg);
void caws_prepared_free(caws_prepared *msg);

/* ---- Queries ----------------------------------------------------------- */

caws_state  caws_ready_state(const caws_conn *ws);
/* Payload bytes of data messages that the transport has not taken yet:
 * headers and control frames do not count; does not fall to 0 on close. */
size_t      caws_buffered_amount(const caws_conn *ws);
const char *caws_subprotocol(const caws_conn *ws);  /* "" if none agreed */
const char *caws_extensions(const caws_conn *ws);   /* "" if none agreed */
bool        caws_is_client(const caws_conn *ws);
uint32_t    caws_round_trip_ms(const caws_conn *ws); /* last Ping; 0: none */
void       *caws_context(const caws_conn *ws); /* from the config */
void       *caws_user(const caws_conn *ws);    /* NULL until set  */
void        caws_set_user(caws_conn *ws, void *user);
void       *caws_transport_owner(const caws_conn *ws);
/* The peer's handshake, inside on_request, on_open and on_error: its fields
 * by name (any case; the first of that name) or by number, and, on a client,
 * the response's HTTP status (401, 302, ...). */
caws_slice  caws_header(const caws_conn *ws, const char *name);
bool        caws_header_at(const caws_conn *ws, size_t i,
                           caws_slice *name, caws_slice *value);
int         caws_http_status(const caws_conn *ws);

#ifdef __cplusplus
}
#endif
#endif
