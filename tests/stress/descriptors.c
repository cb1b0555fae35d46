/* A server with few descriptors, and more clients than those: it serves those
 * it has, does not spin, loses nobody, and accepts again as soon as it can. A
 * client without a descriptor is told so. */
#include "stress.h"

#define FILES   64
#define CLIENTS 120

static struct {
    _Atomic uint16_t port;
    _Atomic uint32_t opened, errors, closed_badly;
    _Atomic int client_error;
} *board;

/* ---- The server -------------------------------------------------------- */

static void on_open(caws_conn *ws)
{
    (void)ws;
    atomic_fetch_add(&board->opened, 1);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    CHECK(caws_send(ws, type, data, len) == CAWS_OK);
}

static void on_server_error(caws_server *server, int error, const char *detail)
{
    (void)server;
    CHECK(error == CAWS_ERR_SYS && strstr(detail, "descriptors"));
    atomic_fetch_add(&board->errors, 1);
}

static void on_client_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws;
    (void)detail;
    board->client_error = error;
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)ws;
    if (event->code != 1000)
        atomic_fetch_add(&board->closed_badly, 1);
}

/* While there are no descriptors, a client of the same loop can get none. */
static void connect_too(caws_timer *timer)
{
    static const caws_config cfg = { .random = caws_entropy, .on_error = on_client_error };

    CHECK(caws_connect(timer->user, "ws://127.0.0.1:9/", &cfg));
}

static void be_server(void *unused)
{
    /* REQ HS-14 */
    struct rlimit files = { FILES, FILES };
    caws_server_config cfg = { .host = "127.0.0.1", .on_error = on_server_error };
    caws_loop *loop = caws_loop_new(NULL);
    caws_timer timer = { .fn = connect_too, .user = loop };
    caws_server *server;

    (void)unused;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    cfg.ws.on_open = on_open;
    cfg.ws.on_message = on_message;
    cfg.ws.on_close = on_close;
    server = loop ? caws_listen(loop, &cfg) : NULL;
    CHECK(server && caws_server_stop_on(server, SIGTERM, 1000) == CAWS_OK);
    CHECK(caws_timer_start(loop, &timer, 1500, 0) == CAWS_OK);
    board->port = caws_server_port(server);
    CHECK(caws_loop_run(loop) == CAWS_OK);
    caws_loop_free(loop);
}

/* ---- The clients ------------------------------------------------------- */

static double cpu_of(pid_t pid)
{
    struct timespec t;
    clockid_t clock;

    CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void echo(int fd)
{
    unsigned char frame[32], got[7];

    raw_write(fd, frame, raw_frame(frame, 0x82, "hello", 5));
    CHECK(recv(fd, got, 7, MSG_WAITALL) == 7 && memcmp(got, "\x82\x05hello", 7) == 0);
}

static void hang_up(int fd)
{
    unsigned char frame[32];

    raw_write(fd, frame, raw_frame(frame, 0x88, "\x03\xe8", 2));
    while (recv(fd, frame, sizeof frame, 0) > 0)
        continue;
    close(fd);
}

int main(void)
{
    int fd[CLIENTS], status;
    unsigned first = 0, done = 0;
    double cpu, since, slowest = 0;
    pid_t child;

    patience(60);
    board = shared(sizeof *board);
    child = spawn(be_server, NULL);
    while (board->port == 0 && !is_gone(child, &status))
        poll(NULL, 0, 1);
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = raw_connect(board->port);
        raw_write(fd[i], raw_request, sizeof raw_request - 1);
    }
    for (since = now_s(); board->errors == 0;)
        CHECK(poll(NULL, 0, 1) == 0 && now_s() < since + 5);
    poll(NULL, 0, 300);
    first = board->opened;
    CHECK(first > 0 && first < FILES);
    for (unsigned i = 0; i < first; i++) {
        raw_answer(fd[i]);
        echo(fd[i]);
    }
    cpu = cpu_of(child);
    poll(NULL, 0, 2000);
    cpu = (cpu_of(child) - cpu) / 2;
    if (cpu > 0.02)
        FAIL("%.1f %% of a core while waiting for descriptors", cpu * 100);
    CHECK(board->opened == first && board->errors == 1);
    CHECK(board->client_error == CAWS_ERR_SYS);
    /* One goes, the next one comes; those that are there are served. */
    for (; done < CLIENTS; done++) {
        echo(fd[done]);
        since = now_s();
        hang_up(fd[done]);
        if (first < CLIENTS) {
            raw_answer(fd[first]);
            echo(fd[first++]);
            slowest = now_s() - since > slowest ? now_s() - since : slowest;
        }
    }
    CHECK(board->opened == CLIENTS && board->closed_badly == 0);
    kill(child, SIGTERM);
    CHECK(reap(child) == 0);
    CHECK(slowest < 0.5);
    printf("ok (%d clients, %d descriptors: %.2f %% of a core meanwhile, %u on_error, the next "
           "accepted within %.0f ms)\n", CLIENTS, FILES, cpu * 100, board->errors, slowest * 1000);
    return 0;
}
