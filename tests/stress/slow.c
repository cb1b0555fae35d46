/* 1,000 clients in another process, 10 of which never read: 32 MiB in messages
 * of 64 KiB, the publisher at most 8 messages ahead of the slowest healthy
 * client. The 990 get everything, the 10 are closed or skipped and counted,
 * and memory stays bounded. Then two slow receivers closely: one that resumes
 * in time, one that does not. */
#include "stress.h"

#define CLIENTS      1000
#define STUCK        10
#define LEN          ((size_t)64 * 1024)
#define MESSAGES     512u
#define AHEAD        8u
#define MAX_BUFFERED ((size_t)1024 * 1024) /* the default */

/* ---- The other process ------------------------------------------------- */

struct client {
    struct raw raw;
    int fd;
    unsigned received; /* messages */
    uint32_t number;   /* of the message that comes */
    uint32_t next;     /* the least that it may be */
    bool gaps;         /* it may miss some */
    bool closed;
};

static struct board { /* between the two processes */
    _Atomic uint32_t slowest; /* messages that all healthy clients have */
    _Atomic bool wake, ready, skipping;
    _Atomic uint64_t missed;  /* by the stuck */
    uint16_t port;
} *board;

static struct client clients[CLIENTS];

static void arrived(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    struct client *c = (struct client *)r;

    if (r->opcode == 8) {
        c->closed |= last;
        return;
    }
    CHECK(r->opcode == CAWS_BINARY && r->fin && r->len == LEN && !c->closed);
    for (size_t i = 0; i < len && r->at + i < 4; i++)
        ((unsigned char *)&c->number)[r->at + i] = data[i];
    if (r->at < 4) {
        size_t skip = len < 4 - r->at ? len : (size_t)(4 - r->at);

        CHECK(r->at + len < 4 ||
              memcmp(data + skip, pattern + c->number + r->at + skip, len - skip) == 0);
    } else {
        CHECK(memcmp(data, pattern + c->number + r->at, len) == 0);
    }
    if (!last)
        return;
    CHECK(c->number < MESSAGES && (c->gaps ? c->number >= c->next : c->number == c->next));
    c->next = c->number + 1;
    c->received++;
}

static bool take(struct client *c)
{
    static unsigned char in[256 * 1024];
    ssize_t n = recv(c->fd, in, sizeof in, MSG_DONTWAIT);

    if (n > 0)
        raw_feed(&c->raw, in, (size_t)n);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* The healthy ones read until all have all. */
static void read_all(int epoll)
{
    struct epoll_event events[256];
    uint32_t have = 0;

    while (have < MESSAGES) {
        int n = epoll_wait(epoll, events, 256, 1000);

        for (int i = 0; i < n; i++)
            CHECK(take(&clients[events[i].data.u32]));
        have = MESSAGES;
        for (int i = STUCK; i < CLIENTS; i++)
            if (clients[i].received < have)
                have = clients[i].received;
        atomic_store(&board->slowest, have);
    }
}

/* Now the stuck ones read what is there for them, up to the Close. */
static void count_missed(void)
{
    uint64_t missed = 0;

    for (int i = 0; i < STUCK; i++) {
        struct client *c = &clients[i];

        c->gaps = true;
        while (!c->closed) {
            poll(&(struct pollfd){ c->fd, POLLIN, 0 }, 1, 1000);
            CHECK(take(c));
        }
        missed += MESSAGES - c->received;
    }
    atomic_store(&board->missed, missed);
}

static void be_clients(void *unused)
{
    int epoll = epoll_create1(0);

    (void)unused;
    memset(clients, 0, sizeof clients);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

        clients[i].raw.part = arrived;
        clients[i].fd = raw_open(board->port);
        if (i >= STUCK)
            CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) == 0);
    }
    atomic_store(&board->ready, true);
    read_all(epoll);
    if (atomic_load(&board->skipping))
        count_missed();
    else
        for (int i = 0; i < STUCK; i++) /* to be cut off */
            while (take(&clients[i]) && !clients[i].closed)
                poll(&(struct pollfd){ clients[i].fd, POLLIN, 0 }, 1, 1000);
}

/* ---- The publisher ----------------------------------------------------- */

static struct {
    size_t base, most;
    unsigned full_errors, ends;
} seen;

static void on_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws;
    seen.full_errors += error == CAWS_ERR_FULL && strstr(detail, "full");
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)ws;
    seen.ends += event->error == CAWS_ERR_FULL;
}

static void publish(caws_server *server, uint32_t k)
{
    static unsigned char message[LEN];

    memcpy(message, pattern + k, LEN);
    memcpy(message, &k, 4);
    CHECK(caws_broadcast(server, NULL, CAWS_BINARY, message, LEN) >= CLIENTS - STUCK);
}

static void publish_all(caws_loop *loop, caws_server *server)
{
    uint32_t published = 0;

    while (!atomic_load(&board->ready))
        CHECK(caws_loop_step(loop, 10) == CAWS_OK);
    seen.base = seen.most = resident();
    while (atomic_load(&board->slowest) < MESSAGES) {
        size_t now;

        while (published < MESSAGES && published < atomic_load(&board->slowest) + AHEAD)
            publish(server, published++);
        CHECK(caws_loop_step(loop, 1) == CAWS_OK);
        now = resident();
        if (now > seen.most)
            seen.most = now;
    }
}

static caws_stats run(bool skip)
{
    caws_server_config cfg = {
        .host = "127.0.0.1",
        .slow = skip ? CAWS_SLOW_SKIP : CAWS_SLOW_CLOSE,
        .ws = { .on_error = on_error, .on_close = on_close },
    };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server = loop ? caws_listen(loop, &cfg) : NULL;
    caws_stats stats;
    pid_t child;
    int status;

    CHECK(server);
    memset(&seen, 0, sizeof seen);
    *board = (struct board){ .port = caws_server_port(server), .skipping = skip };
    child = spawn(be_clients, NULL);
    publish_all(loop, server);
    caws_server_stats(server, &stats, sizeof stats);
    caws_server_stop(server, 60000);
    while (!is_gone(child, &status))
        CHECK(caws_loop_step(loop, 10) == CAWS_OK);
    CHECK(status == 0);
    CHECK(caws_loop_run(loop) == CAWS_OK);
    if (seen.most > seen.base + STUCK * MAX_BUFFERED * 11 / 10)
        FAIL("%zu KiB resident, %zu at first", seen.most / 1024, seen.base / 1024);
    caws_loop_free(loop);
    return stats;
}

/* ---- Two of them, closely ---------------------------------------------- */

#define CLOSE_MS 400

static struct {
    double closed;  /* when on_close of the one that does not resume came */
    caws_close_event event[2];
    int errors[2];
} pair;

static void note_error(caws_conn *ws, int error, const char *detail)
{
    CHECK(error == CAWS_ERR_FULL && strstr(detail, "queue was full"));
    pair.errors[caws_user(ws) != NULL]++;
}

static void note_close(caws_conn *ws, const caws_close_event *event)
{
    pair.event[caws_user(ws) != NULL] = *event;
    if (caws_user(ws))
        pair.closed = now_s();
}

static void expect_close(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    if (r->opcode == 8)
        CHECK(len >= 2 && data[0] == 1013 >> 8 && data[1] == (1013 & 255));
    arrived(r, data, len, last);
}

static void resume_or_not(void)
{
    caws_server_config cfg = { .host = "127.0.0.1" };
    struct client c = { .raw.part = expect_close };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server;
    caws_conn *ws[2];
    caws_stats stats = { 0 };
    int fd[2][2];
    unsigned char bye[16];
    double began;

    cfg.ws.close_timeout_ms = CLOSE_MS;
    cfg.ws.on_error = note_error;
    cfg.ws.on_close = note_close;
    server = loop ? caws_listen(loop, &cfg) : NULL;
    CHECK(server);
    for (int i = 0; i < 2; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd[i]) == 0);
        ws[i] = caws_adopt_open(server, fd[i][0], NULL, NULL, NULL, 0);
        CHECK(ws[i]);
        caws_set_user(ws[i], i ? &pair : NULL);
    }
    CHECK(caws_loop_step(loop, 0) == CAWS_OK);
    for (uint32_t k = 0; stats.slow_closed < 2; k++) {
        unsigned char message[LEN];

        CHECK(k < 100);
        memcpy(message, pattern + k, LEN);
        memcpy(message, &k, 4);
        CHECK(caws_broadcast(server, NULL, CAWS_BINARY, message, LEN) >= 0);
        CHECK(pair.errors[0] == 0);
        CHECK(caws_loop_step(loop, 0) == CAWS_OK);
        caws_server_stats(server, &stats, sizeof stats);
    }
    began = now_s();
    for (c.fd = fd[0][1]; !c.closed; CHECK(take(&c)))
        CHECK(caws_loop_step(loop, 0) == CAWS_OK && now_s() < began + 10);
    CHECK(c.received > 0 && raw_is_whole(&c.raw));
    raw_write(c.fd, bye, raw_frame(bye, 0x88, "\x03\xf5", 2));
    while (pair.closed == 0)
        CHECK(caws_loop_step(loop, 10) == CAWS_OK && now_s() < began + 10);
    CHECK(pair.errors[0] == 1 && pair.errors[1] == 1);
    CHECK(pair.event[0].was_clean && pair.event[0].code == 1013);
    CHECK(!pair.event[1].was_clean && pair.event[1].code == 1006);
    CHECK(pair.event[0].error == CAWS_ERR_FULL && pair.event[1].error == CAWS_ERR_FULL);
    if (pair.closed - began < CLOSE_MS / 1000.0 - 0.01 ||
        pair.closed - began > CLOSE_MS / 1000.0 + 0.2)
        FAIL("cut after %.3f s, not %d ms", pair.closed - began, CLOSE_MS);
    caws_loop_free(loop);
    close(fd[0][1]);
    close(fd[1][1]);
}

int main(void)
{
    caws_stats stats;
    double began = now_s();
    size_t grown[2];

    patience(200);
    pattern_init();
    board = shared(sizeof *board);
    stats = run(false);
    if (stats.slow_closed != STUCK || stats.slow_skipped != 0)
        FAIL("slow_closed is %llu", (unsigned long long)stats.slow_closed);
    CHECK(seen.full_errors == STUCK && seen.ends == STUCK);
    grown[0] = (seen.most - seen.base) / 1024;
    stats = run(true);
    if (stats.slow_skipped != board->missed || stats.slow_closed != 0 || board->missed == 0)
        FAIL("slow_skipped is %llu, and %llu were missed", (unsigned long long)stats.slow_skipped,
             (unsigned long long)board->missed);
    CHECK(seen.full_errors == 0);
    grown[1] = (seen.most - seen.base) / 1024;
    resume_or_not();
    printf("ok (10 of 1,000 closed, memory grew by %zu KiB; %llu messages skipped, %zu KiB; "
           "2 x 31 GiB in %.0f s)\n", grown[0], (unsigned long long)stats.slow_skipped, grown[1],
           now_s() - began);
    return 0;
}
