/* SIGTERM with 500 busy clients: each gets what was queued before, then 1001;
 * the server ends with status 0 before its deadline, and leaks nothing. */
#include "stress.h"

#define CLIENTS     500
#define LEN         4000
#define DEADLINE_MS 20000

static struct {
    _Atomic uint16_t port;
    _Atomic uint32_t open;
    _Atomic uint64_t waiting; /* bytes that the system did not take */
    _Atomic uint32_t queued[CLIENTS]; /* messages */
} *board;

/* ---- The server -------------------------------------------------------- */

static caws_server *server;

/* The first message says who it is: all numbers but 0. */
static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    uint32_t k;

    (void)type;
    CHECK(len >= 4);
    memcpy(&k, data, 4);
    CHECK(k >= 1 && k <= CLIENTS);
    if (!caws_user(ws)) { /* the system shall not take all: queues are what this is about */
        CHECK(setsockopt((int)caws_fd(ws), SOL_SOCKET, SO_SNDBUF, &(int){ 32768 },
                         sizeof(int)) == 0);
        atomic_fetch_add(&board->open, 1);
    }
    caws_set_user(ws, (void *)(uintptr_t)k);
}

static void say(caws_conn *ws, void *unused)
{
    uintptr_t k = (uintptr_t)caws_user(ws);
    unsigned char message[LEN];
    uint32_t number;

    (void)unused;
    if (k == 0)
        return;
    number = board->queued[k - 1];
    memcpy(message, pattern + number % 1000, LEN);
    memcpy(message, &number, 4);
    if (caws_send(ws, CAWS_BINARY, message, LEN) == CAWS_OK)
        board->queued[k - 1]++;
}

static void beat(caws_timer *t)
{
    caws_stats stats;

    (void)t;
    caws_server_stats(server, &stats, sizeof stats);
    board->waiting = stats.buffered_now;
    if (board->open == CLIENTS)
        for (int i = 0; i < 4; i++)
            caws_server_each(server, say, NULL);
}

static caws_timer timer = { .fn = beat };

/* None closes before we do: now there is nothing more to say. */
static void on_close(caws_conn *ws, const caws_close_event *event)
{
    caws_timer_stop(caws_loop_of(ws), &timer);
    CHECK(event->was_clean && event->code == 1001);
}

static void be_server(void *unused)
{
    caws_server_config cfg = { .host = "127.0.0.1" };
    caws_loop *loop = caws_loop_new(NULL);

    (void)unused;
    cfg.ws.on_message = on_message;
    cfg.ws.on_close = on_close;
    cfg.ws.max_buffered = 256 * 1024;
    cfg.ws.close_timeout_ms = 15000; /* they are many, and slow */
    server = loop ? caws_listen(loop, &cfg) : NULL;
    CHECK(server);
    CHECK(caws_server_stop_on(server, SIGTERM, DEADLINE_MS) == CAWS_OK);
    CHECK(caws_timer_start(loop, &timer, 5, 5) == CAWS_OK);
    board->port = caws_server_port(server);
    CHECK(caws_loop_run(loop) == CAWS_OK);
    caws_loop_free(loop);
}

/* ---- The clients ------------------------------------------------------- */

static struct client {
    struct raw raw;
    int fd;
    uint32_t received, number;
    unsigned char code[2];
    bool closed, ended;
} clients[CLIENTS];

static void part(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    struct client *c = (struct client *)r;

    CHECK(!c->closed);
    if (r->opcode == 8) {
        unsigned char bye[16];

        for (size_t i = 0; i < len && r->at + i < 2; i++)
            c->code[r->at + i] = data[i];
        if (!last)
            return;
        CHECK(r->len >= 2 && c->code[0] == 1001 >> 8 && c->code[1] == (1001 & 255));
        c->closed = true;
        raw_write(c->fd, bye, raw_frame(bye, 0x88, c->code, 2));
        return;
    }
    CHECK(r->opcode == CAWS_BINARY && r->len == LEN);
    for (size_t i = 0; i < len && r->at + i < 4; i++)
        ((unsigned char *)&c->number)[r->at + i] = data[i];
    for (size_t i = r->at < 4 ? (size_t)(4 - r->at) : 0; i < len; i++)
        CHECK(data[i] == pattern[c->number % 1000 + r->at + i]);
    if (last)
        CHECK(c->number == c->received++);
}

/* Reads at its own pace, and says something now and then. */
static void live(struct client *c)
{
    static unsigned char in[16384];
    unsigned char message[304] = { 0 }, frame[320];
    uint32_t k = (uint32_t)(c - clients) + 1;
    ssize_t n = recv(c->fd, in, 1 + draw(sizeof in), MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN)
        FAIL("client %u: the connection broke", k);
    if (n > 0)
        raw_feed(&c->raw, in, (size_t)n);
    c->ended = n == 0;
    if (c->ended)
        close(c->fd);
    if (c->ended || c->closed || draw(8))
        return;
    memcpy(message, &k, 4);
    n = (ssize_t)raw_frame(frame, 0x82, message, sizeof message);
    n = send(c->fd, frame, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    CHECK(n > 300); /* it reads at once */
}

static void open_clients(void)
{
    unsigned char frame[16];

    for (uint32_t k = 1; k <= CLIENTS; k++) {
        struct client *c = &clients[k - 1];

        c->raw.part = part;
        c->fd = raw_open(board->port);
        CHECK(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int)) == 0);
        raw_write(c->fd, frame, raw_frame(frame, 0x82, &k, 4));
    }
}

int main(void)
{
    double begin, signalled = 0;
    uint64_t queued = 0, waiting = 0;
    unsigned ended = 0;
    pid_t child;
    int status;

    patience(90);
    pattern_init();
    board = shared(sizeof *board);
    child = spawn(be_server, NULL);
    while (board->port == 0 && !is_gone(child, &status))
        poll(NULL, 0, 1);
    open_clients();
    for (begin = now_s(); ended < CLIENTS;) {
        ended = 0;
        for (int i = 0; i < CLIENTS; i++) {
            if (!clients[i].ended)
                live(&clients[i]);
            ended += clients[i].ended;
        }
        if (signalled == 0 && now_s() > begin + 1.5) {
            poll(NULL, 0, 500); /* nobody reads, and queues grow */
            waiting = board->waiting;
            kill(child, SIGTERM);
            signalled = now_s();
        }
    }
    status = reap(child);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK(clients[i].closed && raw_is_whole(&clients[i].raw));
        if (clients[i].received != board->queued[i])
            FAIL("client %d got %u messages of %u", i, clients[i].received, board->queued[i]);
        queued += board->queued[i];
        CHECK(board->queued[i] > 0);
    }
    if (status != 0)
        FAIL("exit status %d", status);
    CHECK(now_s() - signalled < DEADLINE_MS / 1000.0 && waiting > 0);
    printf("ok (500 clients, %llu messages of 4,000 bytes; %llu KiB were queued at SIGTERM, "
           "status 0 after %.2f s)\n", (unsigned long long)queued,
           (unsigned long long)waiting / 1024, now_s() - signalled);
    return 0;
}
