/* A conn under test, with everything it does written down: the handlers' calls
 * as lines of text, the output as bytes.
 *
 *   struct peer p;
 *   peer_open(&p, PEER_SERVER, NULL);       OPEN at once, by caws_new_open
 *   peer_feed_hex(&p, "81 85 37fa213d 7f9f4d5158");
 *   assert_string_equal(p.log, "open\ntext 5 Hello\n");
 *   peer_free(&p);
 *
 * Lines of the log:
 *   request GET /chat upgrade          on_request (or "plain")
 *   open                               on_open
 *   text 5 Hello / binary 2 6869       on_message: length, content (hex if
 *                                      binary; text is escaped as \xNN)
 *   chunk text FL 5 Hello              on_chunk; F and L for its flags, or -
 *   ping 2 6869 / pong 0               hex
 *   drain
 *   error -9 sentence                  on_error
 *   close 1000 clean peer 0 bye        on_close: code, clean or unclean, who
 *                                      ended it, error, reason */
#ifndef PEER_H
#define PEER_H

#include <caws.h>
#include <stdarg.h>
#include <stdio.h>

#define PEER_SERVER false
#define PEER_CLIENT true

struct peer {
    caws_conn *ws;
    caws_config cfg;     /* a copy, with the handlers below put in */
    caws_config user;    /* what the test gave: its handlers are called too */
    caws_transport transport;
    caws_counters counters;
    char *log;           /* never NULL; grows */
    size_t log_len, log_cap;
    unsigned char *out;  /* all output so far, in order */
    size_t out_len, out_cap;
    uint64_t now;        /* fed and ticked with; starts at 1000 */
    uint32_t random;     /* state of the deterministic source */
    unsigned changed;    /* calls of transport.changed */
    int answer;          /* of on_request, if the test has none: CAWS_ACCEPT */
    bool quiet_pings;    /* leave ping and pong lines out */
    bool stream;         /* use on_chunk */
    size_t one_output;   /* >0: take output in pieces of so many bytes */
    bool hold_output;    /* do not take output after a feed */
};

/* All zero in *p first where a field above is to be set before birth; the
 * peer_* constructors keep answer, quiet_pings, stream, one_output,
 * hold_output, now and random if they are set. cfg may be NULL. Each constructor
 * ticks the conn once. peer_new_* leave p->ws NULL if caws does. */
void peer_init(struct peer *p);
void peer_open(struct peer *p, bool client, const caws_config *cfg);
void peer_server(struct peer *p, const caws_config *cfg);
void peer_client(struct peer *p, const char *url, const caws_config *cfg);
void peer_free(struct peer *p);

/* Feed a copy (in a block of exactly that size), then take all output. */
int peer_feed(struct peer *p, const void *data, size_t len);
int peer_feed_text(struct peer *p, const char *text);
int peer_feed_hex(struct peer *p, const char *hex); /* blanks allowed */
int peer_feed_bytewise(struct peer *p, const void *data, size_t len);
void peer_eof(struct peer *p);
void peer_tick(struct peer *p, uint64_t ms_later);
/* Take what is offered, all of it, into p->out. */
void peer_take(struct peer *p);
/* Take at most n bytes. Returns how many there were. */
size_t peer_take_some(struct peer *p, size_t n);
void peer_forget(struct peer *p); /* empties log and out */
bool peer_wants(const struct peer *p, unsigned wants); /* exactly these */

/* p->out as a string of hex digits, in a static buffer of its own. */
const char *peer_out_hex(const struct peer *p);
/* The same with the masking undone (frames of a client). */
const char *peer_out_unmasked_hex(const struct peer *p);
bool peer_out_starts(const struct peer *p, const char *text);
bool peer_out_has(const struct peer *p, const char *text);
/* The HTTP status at the start of the output, 0 if there is none. */
int peer_out_status(const struct peer *p);
/* The status code of the one Close frame in the output (unmasked server or
 * client frames): 0 if there is none, 1005 if it is empty, -1 if there are two
 * or something follows it. */
int peer_out_close(const struct peer *p);
bool peer_log_has(const struct peer *p, const char *line_part);
unsigned peer_log_count(const struct peer *p, const char *line_part);

/* Build a frame at out: first byte (FIN, RSV, opcode), payload, masked with a
 * fixed key for a server end. Returns its size (len + 14 at most). */
size_t peer_frame(unsigned char *out, unsigned first, const void *payload,
                  size_t len, bool masked);
/* peer_frame and peer_feed in one: masked as this peer must receive it. */
int peer_feed_frame(struct peer *p, unsigned first, const void *payload,
                    size_t len);
int peer_feed_frame_text(struct peer *p, unsigned first, const char *payload);

/* The request of RFC 6455 section 1.2, less its last, empty line, so that
 * fields may follow; and whole. The key is dGhlIHNhbXBsZSBub25jZQ==. */
#define PEER_REQUEST_LINES \
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n" \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
    "Sec-WebSocket-Version: 13\r\n"
#define PEER_REQUEST PEER_REQUEST_LINES "\r\n"

/* The 101 that answers what a client peer has written to p->out, less its
 * last, empty line; extra lines may be appended by the caller. */
void peer_response_lines(const struct peer *p, char *to, size_t size);

/* An allocator that counts: bytes and blocks in use, exact old sizes checked,
 * and the n-th call that needs memory fails (once, or from then on). */
struct peer_alloc {
    size_t blocks, bytes, peak;
    unsigned long calls;   /* that needed memory */
    unsigned long fail_at; /* 1 is the first; 0: never */
    bool fail_on;          /* and all after it */
    unsigned long failed;
};
caws_alloc peer_counting(struct peer_alloc *a);

/* One that has no memory, and leaves alone what others gave. */
void *peer_no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size);

#endif
