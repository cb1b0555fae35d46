/* 10,000 idle connections from another process, with Pings: what each costs. */
#include "stress.h"

#define CLIENTS     10000
#define INTERVAL_MS 3000  /* a tenth of what it is in life, ... */
#define LIFE_MS     30000 /* ... which is the default */
#define ROUNDS      5

static struct {
    uint16_t port;
    _Atomic uint32_t open, broken;
    _Atomic uint64_t pings;
} *board;

static void part(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    unsigned char pong[140];
    int fd = *(int *)r->user;

    (void)last;
    CHECK(r->opcode == 9); /* nothing but Pings */
    raw_write(fd, pong, raw_frame(pong, 0x8a, data, len));
    atomic_fetch_add(&board->pings, 1);
}

static void be_clients(void *unused)
{
    static struct raw raw[CLIENTS];
    static int fd[CLIENTS];
    struct epoll_event events[256];
    int epoll = epoll_create1(0);

    (void)unused;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

        fd[i] = raw_open(board->port);
        raw[i].part = part;
        raw[i].user = &fd[i];
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &event) == 0);
        atomic_fetch_add(&board->open, 1);
    }
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);

        for (int i = 0; i < n; i++) {
            unsigned char in[256];
            uint32_t k = events[i].data.u32;
            ssize_t len = recv(fd[k], in, sizeof in, MSG_DONTWAIT);

            if (len > 0)
                raw_feed(&raw[k], in, (size_t)len);
            else if (len == 0)
                FAIL("an idle connection was closed");
        }
    }
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)ws;
    (void)event;
    atomic_fetch_add(&board->broken, 1);
}

int main(void)
{
    struct rlimit files = { 20000, 20000 };
    caws_server_config cfg = { .host = "127.0.0.1", .backlog = 4096, .max_conns = CLIENTS };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server;
    double began, cpu, each, percent;
    uint64_t pings;
    size_t memory = resident();
    pid_t child;
    int status;

    patience(120);
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0 || getrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(files.rlim_cur > CLIENTS + 50);
    board = shared(sizeof *board);
    cfg.ws.ping_interval_ms = INTERVAL_MS;
    cfg.ws.on_close = on_close;
    server = loop ? caws_listen(loop, &cfg) : NULL;
    CHECK(server);
    board->port = caws_server_port(server);
    child = spawn(be_clients, NULL);
    while (atomic_load(&board->open) < CLIENTS)
        CHECK(caws_loop_step(loop, 10) == CAWS_OK && !is_gone(child, &status));
    memory = (resident() - memory) / CLIENTS;
    began = now_s();
    cpu = cpu_s();
    pings = board->pings;
    while (now_s() < began + ROUNDS * INTERVAL_MS / 1000.0)
        CHECK(caws_loop_step(loop, 1000) == CAWS_OK);
    cpu = cpu_s() - cpu;
    pings = board->pings - pings;
    CHECK(board->broken == 0 && !is_gone(child, &status));
    if (pings < (ROUNDS - 1) * (uint64_t)CLIENTS || pings > (ROUNDS + 1) * (uint64_t)CLIENTS)
        FAIL("%llu Pings were answered", (unsigned long long)pings);
    each = cpu / (double)pings;
    percent = 100 * each * CLIENTS / (LIFE_MS / 1000.0);
    if (percent >= 1)
        FAIL("%.2f %% of a core", percent);
    kill(child, SIGKILL);
    reap(child);
    caws_loop_free(loop);
    printf("ok (10,000 idle: %.2f us a Ping over %d s of one each %d s, so at one each %d s %.2f %% "
           "of a core; %zu bytes each)\n", each * 1e6, ROUNDS * INTERVAL_MS / 1000,
           INTERVAL_MS / 1000, LIFE_MS / 1000, percent, memory);
    return 0;
}
