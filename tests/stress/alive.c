/* Liveness: a silent peer is closed in time, on both ends; a slow one in the
 * middle of a message is not, nor one that reads slowly. */
#include "stress.h"

#define INTERVAL_MS 200
#define PONG_MS     300
#define TICK_MS     100 /* of a machine that does other things, too */
#define SLOW_S      3.0

struct watched {
    const char *name;
    double heard; /* when the peer was last heard */
    double closed;
    caws_close_event event;
    int error, messages;
};
static struct watched silent = { .name = "a silent client" };
static struct watched server = { .name = "a silent server" };
static struct watched talker = { .name = "a slow talker" };
static struct watched reader = { .name = "a slow reader" };

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct watched *w = caws_user(ws);

    (void)detail;
    w->error = error;
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct watched *w = caws_user(ws);

    w->event = *event;
    w->closed = now_s();
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct watched *w = caws_user(ws);

    (void)type;
    CHECK(len == 64 && memcmp(data, pattern, len) == 0);
    w->messages++;
}

static caws_config config(void)
{
    return (caws_config){ .ping_interval_ms = INTERVAL_MS, .pong_timeout_ms = PONG_MS,
                          .max_buffered = 8 << 20, .random = caws_entropy,
                          .on_error = on_error, .on_close = on_close, .on_message = on_message };
}

static int adopt(caws_server *s, struct watched *w)
{
    int pair[2];
    caws_conn *ws;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    /* The system tells of room when three quarters are free: with these timeouts that has to be
     * some of what is read at a time. */
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){ 8192 }, sizeof(int)) == 0);
    ws = caws_adopt_open(s, pair[0], NULL, NULL, NULL, 0);
    CHECK(ws);
    caws_set_user(ws, w);
    raw_unblock(pair[1]);
    w->heard = now_s();
    if (w == &reader)
        CHECK(caws_send(ws, CAWS_BINARY, shared(6 << 20), 6 << 20) == CAWS_OK);
    return pair[1];
}

/* A server that answers the opening handshake with a 101 and then no more. */
static int listen_raw(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *at;

    *at = (struct sockaddr_in){ .sin_family = AF_INET };
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)at, len) == 0 && listen(fd, 1) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)at, &len) == 0);
    return fd;
}

static void be_silent_server(void *listener)
{
    char head[4096], key[64] = "", accept[29], answer[256], *at;
    int fd = accept4(*(int *)listener, NULL, NULL, 0);
    ssize_t n = recv(fd, head, sizeof head - 1, 0);

    CHECK(n > 0);
    head[n] = '\0';
    at = strstr(head, "Sec-WebSocket-Key: ");
    CHECK(at && sscanf(at + 19, "%63s", key) == 1);
    CHECK(caws_accept_key(key, strlen(key), accept) == CAWS_OK);
    n = snprintf(answer, sizeof answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    raw_write(fd, answer, (size_t)n);
    while (recv(fd, head, sizeof head, 0) > 0) /* and never a word */
        continue;
}

static void on_open(caws_conn *ws)
{
    ((struct watched *)caws_user(ws))->heard = now_s();
}

static void check_silent(const struct watched *w)
{
    double took = w->closed - w->heard, least = (INTERVAL_MS + PONG_MS) / 1000.0;

    if (w->closed == 0 || w->error != CAWS_ERR_TIMEOUT || w->event.code != 1006)
        FAIL("%s was not timed out", w->name);
    if (took < least - 0.01 || took > least + TICK_MS / 1000.0)
        FAIL("%s was closed after %.3f s, not %.3f", w->name, took, least);
}

/* A byte each 100 ms out, 16 KiB each 100 ms in. */
static void go_slowly(caws_loop *loop, int talk, int read_fd)
{
    static unsigned char in[16384];
    unsigned char frame[128];
    size_t len = raw_frame(frame, 0x82, pattern, 64), at = 0;
    double begin = now_s(), next = begin;

    while (now_s() < begin + SLOW_S) {
        CHECK(caws_loop_step(loop, 10) == CAWS_OK);
        if (now_s() < next)
            continue;
        next += 0.1;
        if (talker.messages == 0) { /* one message takes 32 * 0.1 s */
            size_t n = len - at < 2 ? len - at : 2;

            raw_write(talk, frame + at, n);
            at += n;
        }
        CHECK(recv(read_fd, in, sizeof in, 0) > 0);
        while (recv(talk, in, sizeof in, 0) > 0) /* Pings, which it does not answer */
            continue;
    }
    raw_write(talk, frame + at, len - at);
    while (talker.messages == 0)
        CHECK(caws_loop_step(loop, 10) == CAWS_OK && now_s() < begin + SLOW_S + 1);
}

int main(void)
{
    struct sockaddr_in to;
    caws_server_config cfg = { .host = "127.0.0.1", .ws = config() };
    caws_config client = config();
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *s = loop ? caws_listen(loop, &cfg) : NULL;
    int listener = listen_raw(&to), fd[3];
    caws_conn *ws;
    char url[64];
    pid_t child;

    patience(60);
    pattern_init();
    CHECK(s);
    child = spawn(be_silent_server, &listener);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/", ntohs(to.sin_port));
    client.on_open = on_open;
    ws = caws_connect(loop, url, &client);
    CHECK(ws);
    caws_set_user(ws, &server);
    fd[0] = adopt(s, &silent);
    fd[1] = adopt(s, &talker);
    fd[2] = adopt(s, &reader);
    go_slowly(loop, fd[1], fd[2]);
    check_silent(&silent);
    check_silent(&server);
    if (talker.closed > 0 || reader.closed > 0)
        FAIL("%s was closed", talker.closed > 0 ? talker.name : reader.name);
    caws_loop_free(loop);
    kill(child, SIGKILL);
    reap(child);
    printf("ok (of %d ms: a silent client was closed after %.0f, a silent server after %.0f; "
           "slow ones live on after %.0f)\n", INTERVAL_MS + PONG_MS,
           (silent.closed - silent.heard) * 1000, (server.closed - server.heard) * 1000,
           SLOW_S * 1000);
    return 0;
}
