#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define PATIENCE_MS 20000
#define EVENTS      256
#define AT_ONCE     64 /* handshakes, when connections are opened */

static unsigned char input[1 << 20];

struct load_conn {
    int fd;
    bool wants_write;
    size_t to_send;      /* bytes of the batch */
    uint64_t to_receive; /* bytes of payload, or, raw, of the batch */
    uint64_t batches;
    size_t at;           /* where in the payload, or batch, the next byte is */
    uint64_t left;       /* of the frame that is coming in */
    unsigned char head[10];
    unsigned have;
};

/* ---- Frames ------------------------------------------------------------ */

void batch_make(struct batch *b, size_t size, unsigned frames)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
    unsigned char *p;

    *b = (struct batch){ .len = frames * (2 + extra + 4 + size), .size = size, .frames = frames };
    b->bytes = p = malloc(b->len);
    b->payload = malloc(size);
    if (!p || !b->payload)
        die("no memory");
    for (size_t i = 0; i < size; i++)
        b->payload[i] = (unsigned char)(i * 31 + i / 256);
    for (unsigned f = 0; f < frames; f++) {
        *p++ = 0x82;
        *p++ = (unsigned char)(0x80 | (extra == 0 ? size : extra == 2 ? 126 : 127));
        for (size_t i = extra; i > 0; i--)
            *p++ = (unsigned char)(size >> (8 * (i - 1)));
        memcpy(p, key, 4);
        p += 4;
        for (size_t i = 0; i < size; i++)
            *p++ = b->payload[i] ^ key[i % 4];
    }
}

void batch_free(struct batch *b)
{
    free(b->bytes);
    free(b->payload);
}

/* ---- Connections ------------------------------------------------------- */

/* From a source address of its own for each 4096: ports are still taken for a minute
 * after a close, and where half are, the kernel looks long for a free one. */
static int dial(uint16_t port)
{
    static uint32_t dialled;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in from = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + dialled++ / 4096 % 250);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return fd;
}

static void request(int fd, uint16_t port)
{
    char text[256];
    int len = snprintf(text, sizeof text,
                       "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Version: 13\r\n\r\n", port);

    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("cannot send a request");
}

/* The answer comes in one piece, and nothing after it. */
static void answer(int fd)
{
    ssize_t n = recv(fd, input, sizeof input, 0);

    if (n < 16 || memcmp(input, "HTTP/1.1 101", 12) != 0 ||
        memcmp(input + n - 4, "\r\n\r\n", 4) != 0)
        die("no 101, but \"%.*s\"", n > 0 ? (int)n : 0, input);
}

static void open_some(struct load *l, size_t count)
{
    struct load_conn *conns = l->conns + l->count;

    for (size_t i = 0; i < count; i++) {
        conns[i] = (struct load_conn){ .fd = dial(l->port) };
        if (!l->raw)
            request(conns[i].fd, l->port);
    }
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = l->count++ };

        if (!l->raw)
            answer(conns[i].fd);
        if (fcntl(conns[i].fd, F_SETFL, O_NONBLOCK) < 0 ||
            epoll_ctl(l->epoll, EPOLL_CTL_ADD, conns[i].fd, &event) < 0)
            die("epoll_ctl");
    }
}

void load_more(struct load *l, size_t count)
{
    l->conns = realloc(l->conns, (l->count + count) * sizeof *l->conns);
    if (!l->conns)
        die("no memory");
    for (size_t n; count > 0; count -= n) {
        n = count < AT_ONCE ? count : AT_ONCE;
        open_some(l, n);
    }
}

void load_open(struct load *l, uint16_t port, bool raw, size_t count)
{
    *l = (struct load){ .epoll = epoll_create1(EPOLL_CLOEXEC), .port = port, .raw = raw };
    load_more(l, count);
}

void load_close(struct load *l)
{
    for (size_t i = 0; i < l->count; i++)
        close(l->conns[i].fd);
    close(l->epoll);
    free(l->conns);
}

static int wait_events(int epoll, struct epoll_event events[EVENTS])
{
    int n = epoll_wait(epoll, events, EVENTS, PATIENCE_MS);

    if (n == 0)
        die("the server does not answer");
    return n < 0 ? 0 : n;
}

/* ---- Sending and receiving --------------------------------------------- */

static void watch_write(struct load *l, struct load_conn *c, bool on)
{
    struct epoll_event event = { .events = EPOLLIN | (on ? (uint32_t)EPOLLOUT : 0),
                                 .data.u64 = (uint64_t)(c - l->conns) };

    if (on != c->wants_write)
        epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->wants_write = on;
}

static void go_on_sending(struct load *l, struct load_conn *c, const struct batch *b)
{
    ssize_t n = send(c->fd, b->bytes + (b->len - c->to_send), c->to_send, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        die("cannot send");
    if (n > 0)
        c->to_send -= (size_t)n;
    watch_write(l, c, c->to_send > 0);
}

static void expect_batch(struct load *l, struct load_conn *c, const struct batch *b)
{
    c->to_receive = l->raw ? b->len : (uint64_t)b->size * b->frames;
    c->batches++;
    l->busy++;
}

static void send_batch(struct load *l, struct load_conn *c, const struct batch *b)
{
    c->to_send = b->len;
    go_on_sending(l, c, b);
}

/* Bytes that must be what was sent, over and over. */
static void take_content(const struct load *l, struct load_conn *c, const struct batch *b,
                         const unsigned char *data, size_t len, bool check)
{
    const unsigned char *whole = l->raw ? b->bytes : b->payload;
    size_t period = l->raw ? b->len : b->size;

    if (len > c->to_receive)
        die("more came back than was sent");
    c->to_receive -= len;
    for (size_t n; check && len > 0; data += n, len -= n) {
        n = len < period - c->at ? len : period - c->at;
        if (memcmp(data, whole + c->at, n) != 0)
            die("something else came back than was sent");
        c->at = (c->at + n) % period;
    }
}

/* A byte of a header; with its last, c->left is the length of its payload. */
static void take_header(struct load_conn *c, unsigned char byte)
{
    unsigned size;

    c->head[c->have++] = byte;
    size = c->have < 2 ? 2 : c->head[1] == 126 ? 4 : c->head[1] == 127 ? 10 : 2;
    if (c->have < size)
        return;
    if ((c->head[0] & 0x0f) > 2 || c->head[1] > 127)
        die("a frame that is no echo: %02x %02x", c->head[0], c->head[1]);
    c->left = size > 2 ? 0 : c->head[1];
    for (unsigned i = 2; i < size; i++)
        c->left = c->left << 8 | c->head[i];
    c->have = 0;
}

static void take_frames(const struct load *l, struct load_conn *c, const struct batch *b,
                        const unsigned char *data, size_t len, bool check)
{
    while (len > 0) {
        size_t n = len < c->left ? len : (size_t)c->left;

        if (c->left == 0) {
            take_header(c, *data++);
            len--;
            continue;
        }
        take_content(l, c, b, data, n, check);
        c->left -= n;
        data += n;
        len -= n;
    }
}

/* True: all that it waited for has come. */
static bool receive(struct load *l, struct load_conn *c, const struct batch *b, bool check)
{
    ssize_t n = recv(c->fd, input, sizeof input, 0);

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0 || c->to_receive == 0)
        die("the server closed a connection, or said something unasked");
    if (l->raw)
        take_content(l, c, b, input, (size_t)n, check);
    else
        take_frames(l, c, b, input, (size_t)n, check);
    if (c->to_receive > 0)
        return false;
    l->busy--;
    return true;
}

/* ---- Loads ------------------------------------------------------------- */

static bool is_enough(struct amount amount, double until, uint64_t batches)
{
    return amount.batches > 0 ? batches >= amount.batches : now_s() >= until;
}

uint64_t load_echo(struct load *l, const struct batch *b, struct amount amount, bool check)
{
    struct epoll_event events[EVENTS];
    double until = now_s() + amount.seconds;
    uint64_t done = 0;

    for (size_t i = 0; i < l->count; i++) {
        l->conns[i].batches = 0;
        expect_batch(l, &l->conns[i], b);
        send_batch(l, &l->conns[i], b);
    }
    while (l->busy > 0) {
        int n = wait_events(l->epoll, events);
        bool late = amount.batches == 0 && now_s() >= until;

        for (int i = 0; i < n; i++) {
            struct load_conn *c = &l->conns[events[i].data.u64];

            if (events[i].events & EPOLLOUT)
                go_on_sending(l, c, b);
            if (!(events[i].events & ~(uint32_t)EPOLLOUT) || !receive(l, c, b, check))
                continue;
            done++;
            if (late || (amount.batches > 0 && c->batches == amount.batches))
                continue;
            expect_batch(l, c, b);
            send_batch(l, c, b);
        }
    }
    return done * b->frames;
}

uint64_t load_broadcast(struct load *l, const struct batch *b, struct amount amount, bool check)
{
    struct epoll_event events[EVENTS];
    double until = now_s() + amount.seconds;
    uint64_t published = 0;

    do {
        for (size_t i = 0; i < l->count; i++)
            expect_batch(l, &l->conns[i], b);
        send_batch(l, &l->conns[0], b);
        while (l->busy > 0) {
            int n = wait_events(l->epoll, events);

            for (int i = 0; i < n; i++)
                receive(l, &l->conns[events[i].data.u64], b, check);
        }
        published++;
    } while (!is_enough(amount, until, published));
    return published * b->frames * l->count;
}

static void begin_handshake(int epoll, uint16_t port)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = dial(port) };

    request(event.data.fd, port);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
        die("epoll_ctl");
}

uint64_t load_handshakes(uint16_t port, size_t at_a_time, struct amount amount)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    double until = now_s() + amount.seconds;
    uint64_t begun = 0, done = 0;

    for (; begun < at_a_time; begun++)
        begin_handshake(epoll, port);
    while (done < begun) {
        int n = wait_events(epoll, events);

        for (int i = 0; i < n; i++) {
            answer(events[i].data.fd);
            close(events[i].data.fd);
            done++;
            if (is_enough(amount, until, begun))
                continue;
            begin_handshake(epoll, port);
            begun++;
        }
    }
    close(epoll);
    return done;
}
