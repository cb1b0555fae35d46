/* echo_blocking.c - caws.h alone, over read(2) and write(2): an echo server for one at a time.
 *
 * This is everything that whoever owns a conn's bytes has to do: feed what arrives, write out what
 * is offered, tick when the time has come, and follow caws_wants. caws_net.h does it for many. */
#include <caws.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, MAX_MESSAGE = 1024 * 1024 };

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    if (caws_send(ws, type, data, len) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the echo could not be queued");
}

/* All output is written before more is read. So the echoes of one chunk are all that ever waits: of
 * a message that an earlier chunk began, and of what else a chunk can hold. Nothing is lost. */
static const caws_config config = {
    .on_message = on_message,
    .max_message = MAX_MESSAGE,
    .max_buffered = MAX_MESSAGE + 2 * CHUNK,
    .hosts = "localhost, 127.0.0.1", /* no other name may be made to point here by a web page */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void write_out(caws_conn *ws, int fd)
{
    caws_slice s;

    while (caws_output(ws, &s, 1) > 0) {
        ssize_t n = write(fd, s.data, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            caws_feed_eof(ws, CAWS_ERR_SYS, strerror(errno));
            return;
        }
        caws_output_done(ws, (size_t)n);
    }
}

static void read_in(caws_conn *ws, int fd)
{
    static char chunk[CHUNK];
    ssize_t n = read(fd, chunk, sizeof chunk);

    if (n > 0)
        caws_feed(ws, chunk, (size_t)n, now_ms());
    else if (n == 0)
        caws_feed_eof(ws, CAWS_OK, NULL);
    else if (errno != EINTR)
        caws_feed_eof(ws, CAWS_ERR_SYS, strerror(errno));
}

/* Wait for bytes, if they are wanted, until the conn's next deadline. */
static bool readable(caws_conn *ws, int fd)
{
    struct pollfd p = {.fd = caws_wants(ws) & CAWS_WANT_READ ? fd : -1, .events = POLLIN};
    uint64_t due = caws_deadline(ws);
    uint64_t now = now_ms();
    uint64_t wait = due > now ? due - now : 0;

    return poll(&p, 1, due == UINT64_MAX ? -1 : wait > INT_MAX ? INT_MAX : (int)wait) > 0;
}

static void serve(int fd)
{
    caws_conn *ws = caws_new_server(&config, NULL);
    unsigned wants;

    if (!ws)
        return;
    caws_tick(ws, now_ms());
    while (!((wants = caws_wants(ws)) & CAWS_WANT_CLOSE)) {
        if (wants & CAWS_WANT_WRITE)
            write_out(ws, fd);
        else if (wants & CAWS_WANT_SHUTDOWN)
            shutdown(fd, SHUT_WR);
        if (readable(ws, fd))
            read_in(ws, fd);
        caws_tick(ws, now_ms());
    }
    caws_feed_eof(ws, CAWS_OK, NULL);
    caws_free(ws);
}

static int fail(const char *what)
{
    fprintf(stderr, "echo_blocking: %s: %s\n", what, strerror(errno));
    return 1;
}

static int listen_on(unsigned long port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof name;
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&name, len) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        return -1;
    printf("listening on ws://127.0.0.1:%u/\n", (unsigned)ntohs(name.sin_port));
    fflush(stdout);
    return fd;
}

/* "1025", "--port 1025" or "--port=1025". */
static bool parse_port(int argc, char **argv, unsigned long *port)
{
    const char *value = argc > 1 ? argv[1] : "1025";
    char *end = NULL;

    if (argc > 2 && strcmp(value, "--port") == 0)
        value = argv[2];
    else if (strncmp(value, "--port=", 7) == 0)
        value += 7;
    *port = strtoul(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && *port <= 65535;
}

int main(int argc, char **argv)
{
    struct timeval most = {.tv_sec = 5};
    unsigned long port;

    if (!parse_port(argc, argv, &port)) {
        fprintf(stderr, "echo_blocking: --port must be a number from 0 to 65535\n");
        return 2;
    }
    int listener = listen_on(port);
    if (listener < 0)
        return fail("cannot listen");
    signal(SIGPIPE, SIG_IGN); /* a peer that has gone is an error of write(2) */
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            return fail("cannot accept");
        if (fd < 0)
            continue;
        /* Who does not read keeps the next one waiting for so long, and no longer. */
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
        serve(fd);
        close(fd);
    }
}
