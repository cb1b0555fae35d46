/* For the tests of clients: a listener that answers by hand, and what a
 * client's handlers saw. */
#ifndef CLIENT_H
#define CLIENT_H

#include "net.h"

static struct told {
    int status;          /* in on_error */
    char header[64];     /* X-Why, likewise */
    char detail[128];
} told;

static inline void tell_error(caws_conn *ws, int error, const char *detail)
{
    caws_slice why = caws_header(ws, "X-Why");
    note_error(ws, error, detail);
    told.status = caws_http_status(ws);
    snprintf(told.header, sizeof told.header, "%.*s", (int)why.len, why.data ? why.data : "");
    snprintf(told.detail, sizeof told.detail, "%s", detail);
}

static inline caws_client_config client_config(const char *url)
{
    caws_client_config cfg = { .url = url };
    cfg.ws.on_open = note_open;
    cfg.ws.on_message = note_message;
    cfg.ws.on_error = tell_error;
    cfg.ws.on_close = note_close;
    return cfg;
}

/* A loop without a server. */
static inline struct net loop_only(void **state)
{
    struct net n = { caws__loop_new_with(NULL, *state), NULL };
    memset(&seen, 0, sizeof seen);
    memset(&told, 0, sizeof told);
    assert_non_null(n.loop);
    return n;
}

static inline const char *url_of(const char *host, uint16_t port, const char *target)
{
    static char url[512];
    snprintf(url, sizeof url, "ws://%s:%u%s", host, (unsigned)port, target);
    return url;
}

static inline void want_failure(struct net *n, int error)
{
    PUMP_UNTIL(n, seen.closes == 1);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error, error);
    assert_int_equal(seen.code, 1006);
    assert_false(seen.clean);
    assert_int_equal(seen.opens, 0);
    assert_non_null(strstr(told.detail, "RFC "));
    PUMP_UNTIL(n, n->loop->live == 0);
    assert_int_equal(n->loop->deadlines.users, 0);
}

/* ---- By hand ----------------------------------------------------------- */

static inline int listen_at(uint32_t address, int backlog, uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    at.sin_port = htons(*port);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline int listen_by_hand(uint16_t *port)
{
    *port = 0;
    return listen_at(INADDR_LOOPBACK, 512, port);
}

/* A port at which nobody listens. */
static inline uint16_t closed_port(void)
{
    uint16_t port;
    close(listen_by_hand(&port));
    return port;
}

/* A port that takes no connection and refuses none: its backlog is full. */
struct hole {
    int listener, full[3];
    uint16_t port;
};

static inline struct hole hole_new(void)
{
    struct hole h = { .port = 0 };
    struct sockaddr_in at = { .sin_family = AF_INET };
    h.listener = listen_at(INADDR_LOOPBACK, 0, &h.port);
    at.sin_port = htons(h.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; i++) {
        h.full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(h.full[i], (struct sockaddr *)&at, sizeof at);
    }
    return h;
}

static inline void hole_free(struct hole *h)
{
    for (int i = 0; i < 3; i++)
        close(h->full[i]);
    close(h->listener);
}

static inline int try_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static inline struct peer accept_by_hand(struct net *n, int listener)
{
    int fd = -1;
    PUMP_UNTIL(n, fd >= 0 || (fd = try_accept(listener)) >= 0);
    return peer_on(fd);
}

/* The head that the client sent, without what follows it. */
static inline const char *read_head(struct net *n, struct peer *p)
{
    static char head[8192];
    char *end;
    while (!(end = memmem(p->in, p->len, "\r\n\r\n", 4)))
        peer_want(n, p, p->len + 1);
    size_t len = (size_t)(end + 4 - (char *)p->in);
    assert_true(len < sizeof head);
    memcpy(head, p->in, len);
    head[len] = '\0';
    peer_drop(p, len);
    return head;
}

static inline size_t write_101(char *out, size_t size, const char *head)
{
    char accept[29];
    const char *key = strstr(head, "Sec-WebSocket-Key: ");
    assert_non_null(key);
    assert_int_equal(caws_accept_key(key + 19, 24, accept), CAWS_OK);
    return (size_t)snprintf(out, size,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                            accept);
}

static inline void say_101(struct peer *p, const char *head)
{
    char out[256];
    peer_say(p, out, write_101(out, sizeof out, head));
}

static inline void say_text(struct peer *p, const char *text)
{
    peer_say(p, text, strlen(text));
}

/* Let the next in, and hear it open. */
static inline struct peer admit(struct net *n, int listener)
{
    int opens = seen.opens;
    struct peer p = accept_by_hand(n, listener);
    say_101(&p, read_head(n, &p));
    PUMP_UNTIL(n, seen.opens == opens + 1);
    return p;
}

#endif
