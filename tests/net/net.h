/* For the tests over real sockets: a loop and a server on loopback, and peers
 * made of plain sockets that speak raw bytes. One thread: whoever waits for
 * bytes lets the loop take steps meanwhile, 5 s at most. */
#ifndef NET_H
#define NET_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <caws_net.h>

#include "net/loop.h"
#include "net/sys.h"

#define PATIENCE_MS 5000

/* ---- What the handlers saw --------------------------------------------- */

struct seen {
    int opens, messages, closes, errors, server_errors;
    int error, server_error;
    uint16_t code;
    bool clean;
    caws_ended_by ended_by;
    char reason[128], text[256];
    size_t bytes;
    uint64_t id; /* of the last that opened */
    caws_conn *ws;
};
static struct seen seen;

static inline void note_open(caws_conn *ws)
{
    seen.opens++;
    seen.id = caws_id(ws);
    seen.ws = ws;
}

static inline void note_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)ws;
    (void)type;
    seen.messages++;
    seen.bytes += len;
    snprintf(seen.text, sizeof seen.text, "%.*s", (int)(len < 200 ? len : 200),
             len ? (const char *)data : "");
}

static inline void echo_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_send(ws, type, data, len);
}

static inline void note_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws;
    assert_non_null(detail);
    seen.errors++;
    seen.error = error;
}

static inline void note_close(caws_conn *ws, const caws_close_event *event)
{
    assert_int_equal(caws_ready_state(ws), CAWS_CLOSED);
    seen.closes++;
    seen.code = event->code;
    seen.clean = event->was_clean;
    seen.ended_by = event->ended_by;
    snprintf(seen.reason, sizeof seen.reason, "%s", event->reason);
}

static inline void note_server_error(caws_server *server, int error, const char *detail)
{
    (void)server;
    assert_non_null(detail);
    seen.server_errors++;
    seen.server_error = error;
}

/* ---- Server ------------------------------------------------------------ */

struct net {
    caws_loop *loop;
    caws_server *server;
};

static inline caws_server_config echo_config(void)
{
    caws_server_config cfg = { .host = "127.0.0.1", .on_error = note_server_error };
    cfg.ws.on_open = note_open;
    cfg.ws.on_message = echo_message;
    cfg.ws.on_error = note_error;
    cfg.ws.on_close = note_close;
    return cfg;
}

static inline struct net net_new(void **state, const caws_server_config *cfg)
{
    struct net n;
    memset(&seen, 0, sizeof seen);
    n.loop = caws__loop_new_with(NULL, *state);
    assert_non_null(n.loop);
    n.server = caws_listen(n.loop, cfg);
    assert_non_null(n.server);
    return n;
}

static inline void net_free(struct net *n)
{
    caws_loop_free(n->loop);
}

static inline void pump(struct net *n, int ms)
{
    uint64_t end = caws__sys_now_ms() + (uint64_t)ms;
    do
        assert_int_equal(caws_loop_step(n->loop, 1), CAWS_OK);
    while (caws__sys_now_ms() < end);
}

/* Steps until it is so. */
#define PUMP_UNTIL(net, condition)                                                                 \
    do {                                                                                           \
        uint64_t pump_end = caws__sys_now_ms() + PATIENCE_MS;                                      \
        while (!(condition) && caws__sys_now_ms() < pump_end)                                      \
            assert_int_equal(caws_loop_step((net)->loop, 1), CAWS_OK);                             \
        assert_true(condition);                                                                    \
    } while (0)

/* With nothing to do, a step waits for as long as it may: nothing spins. */
static inline void assert_rests(struct net *n)
{
    bool rests = false;
    /* What is under way may still come on a busy machine: one full wait in many shows that the loop
     * does not spin, for then there would be none. */
    for (int i = 0; i < 50 && !rests; i++) {
        uint64_t begin = caws__sys_now_ms();
        assert_int_equal(caws_loop_step(n->loop, 15), CAWS_OK);
        rests = caws__sys_now_ms() - begin >= 14;
    }
    assert_true(rests);
}

static inline caws_stats net_stats(const struct net *n)
{
    caws_stats stats;
    caws_server_stats(n->server, &stats, sizeof stats);
    return stats;
}

/* ---- Peers ------------------------------------------------------------- */

struct peer {
    int fd;
    bool ended; /* the server has closed its sending direction */
    bool reset;
    uint8_t *in;
    size_t len, cap;
};

static inline struct peer peer_on(int fd)
{
    struct peer p = { .fd = fd, .cap = 1 << 20 };
    assert_true(fd >= 0);
    p.in = malloc(p.cap);
    assert_non_null(p.in);
    return p;
}

static inline int dial_port(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
    return fd;
}

static inline struct peer peer_new(const struct net *n)
{
    return peer_on(dial_port(caws_server_port(n->server)));
}

static inline void peer_free(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->in);
    *p = (struct peer){ .fd = -1 };
}

/* Take what is there. */
static inline void peer_take(struct peer *p)
{
    while (!p->ended) {
        if (p->len == p->cap) {
            p->in = realloc(p->in, p->cap *= 2);
            assert_non_null(p->in);
        }
        ssize_t n = recv(p->fd, p->in + p->len, p->cap - p->len, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        p->reset = n < 0;
        p->ended = n <= 0;
        p->len += n > 0 ? (size_t)n : 0;
    }
}

static inline void peer_drop(struct peer *p, size_t len)
{
    assert_true(len <= p->len);
    memmove(p->in, p->in + len, p->len - len);
    p->len -= len;
}

static inline void peer_want(struct net *n, struct peer *p, size_t len)
{
    uint64_t end = caws__sys_now_ms() + PATIENCE_MS;
    while (p->len < len && !p->ended && caws__sys_now_ms() < end) {
        assert_int_equal(caws_loop_step(n->loop, 1), CAWS_OK);
        peer_take(p);
    }
    assert_true(p->len >= len);
}

static inline void peer_want_end(struct net *n, struct peer *p)
{
    uint64_t end = caws__sys_now_ms() + PATIENCE_MS;
    while (!p->ended && caws__sys_now_ms() < end) {
        assert_int_equal(caws_loop_step(n->loop, 1), CAWS_OK);
        peer_take(p);
    }
    assert_true(p->ended);
}

/* All of it, while the loop takes what it will; what comes back is taken, too,
 * unless deaf. False: the server has closed. */
static inline bool peer_push(struct net *n, struct peer *p, const void *data, size_t len, bool deaf)
{
    uint64_t end = caws__sys_now_ms() + 4 * PATIENCE_MS;
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(p->fd, (const char *)data + at, len - at,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        at += sent > 0 ? (size_t)sent : 0;
        assert_int_equal(caws_loop_step(n->loop, sent < 0 ? 1 : 0), CAWS_OK);
        if (!deaf)
            peer_take(p);
        assert_true(caws__sys_now_ms() < end);
    }
    return true;
}

static inline void peer_say(struct peer *p, const void *data, size_t len)
{
    assert_int_equal(send(p->fd, data, len, MSG_NOSIGNAL), len);
}

/* ---- Bytes ------------------------------------------------------------- */

static const char request[] = "GET /chat HTTP/1.1\r\n"
                              "Host: 127.0.0.1\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";

/* The first of a head; the head itself is dropped. */
static inline int peer_status(struct net *n, struct peer *p)
{
    for (;;) {
        char *end = memmem(p->in, p->len, "\r\n\r\n", 4);
        if (end) {
            int status = atoi((char *)p->in + 9);
            assert_memory_equal(p->in, "HTTP/1.1 ", 9);
            peer_drop(p, (size_t)(end - (char *)p->in) + 4);
            return status;
        }
        peer_want(n, p, p->len + 1);
    }
}

static inline struct peer peer_open(struct net *n)
{
    struct peer p = peer_new(n);
    peer_say(&p, request, sizeof request - 1);
    assert_int_equal(peer_status(n, &p), 101);
    return p;
}

/* A masked frame of a client; first is FIN, RSV and opcode. */
static inline size_t frame_write(uint8_t *out, uint8_t first, const void *data, size_t len)
{
    static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t at = 0;
    out[at++] = first;
    if (len < 126) {
        out[at++] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    } else {
        out[at++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            out[at++] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    memcpy(out + at, key, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        out[at++] = ((const uint8_t *)data)[i] ^ key[i % 4];
    return at;
}

static inline void peer_send(struct peer *p, uint8_t first, const void *data, size_t len)
{
    uint8_t frame[1024];
    assert_true(len <= 1000);
    peer_say(p, frame, frame_write(frame, first, data, len));
}

static inline void peer_text(struct peer *p, const char *text)
{
    peer_send(p, 0x81, text, strlen(text));
}

static inline void peer_close(struct peer *p, uint16_t code)
{
    uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    peer_send(p, 0x88, payload, 2);
}

/* The next frame of the server, which must begin with first; its payload is
 * copied to out, and must fit there. */
static inline size_t peer_frame(struct net *n, struct peer *p, uint8_t first, void *out,
                                size_t size)
{
    size_t head = 2, len;
    peer_want(n, p, 2);
    assert_int_equal(p->in[0], first);
    assert_true(p->in[1] < 128);
    len = p->in[1];
    if (len == 126) {
        head = 4;
        peer_want(n, p, head);
        len = (size_t)(p->in[2] << 8 | p->in[3]);
    } else if (len == 127) {
        head = 10;
        peer_want(n, p, head);
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | p->in[i];
    }
    assert_true(len <= size);
    peer_want(n, p, head + len);
    if (len > 0)
        memcpy(out, p->in + head, len);
    peer_drop(p, head + len);
    return len;
}

static inline void peer_want_text(struct net *n, struct peer *p, const char *text)
{
    char got[1024];
    size_t len = peer_frame(n, p, 0x81, got, sizeof got - 1);
    got[len] = '\0';
    assert_string_equal(got, text);
}

/* Nothing comes behind a Close. */
static inline void peer_want_close(struct net *n, struct peer *p, uint16_t code)
{
    uint8_t payload[125];
    assert_true(peer_frame(n, p, 0x88, payload, sizeof payload) >= 2);
    assert_int_equal(payload[0] << 8 | payload[1], code);
    assert_int_equal(p->len, 0);
}

static inline int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

#define ON_BOTH(test)                                                                              \
    { #test " (epoll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_epoll },                \
        { #test " (poll)", test, NULL, NULL, (void *)(uintptr_t)&caws__poller_poll }

#endif
