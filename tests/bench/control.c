/* The floor: what a server costs that does nothing but the system calls.
 *
 *   control echo [KIB]   sends back what comes; the receive buffer's size (64)
 *   control gather BYTES sends back messages of a size when they are whole, each from a
 *                        buffer of its connection's
 *   control broadcast    sends what comes to everybody, one send() each
 *   control accept       answers each first segment with a fixed 101 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS  256
#define MAX_FDS 20000

/* The message that a connection is about to send. */
static struct gathered {
    char *data;
    size_t len;
} gathered[MAX_FDS];

/* What a connection's socket did not take, kept until it does. */
static struct pending {
    char *data;
    size_t at, len;
} pending[MAX_FDS];

static const char reply[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static int epoll, listener;
static int fds[MAX_FDS];
static size_t fd_count;
static char *buffer;
static size_t buffer_size = 64 * 1024;
static enum { ECHO, GATHER, BROADCAST, ACCEPT } mode;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    if (epoll_ctl(epoll, op, fd, &event) < 0)
        fail("epoll_ctl");
}

static void accept_all(void)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MAX_FDS)
            fail("too many");
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        if (mode == BROADCAST)
            fds[fd_count++] = fd;
    }
}

/* Reading stops until the rest has left. */
static void echo(int fd, const char *data, size_t len)
{
    struct pending *p = &pending[fd];
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        return;
    n = n < 0 ? 0 : n;
    if ((size_t)n == len)
        return;
    p->at = 0;
    p->len = len - (size_t)n;
    p->data = malloc(p->len);
    if (!p->data)
        fail("malloc");
    memcpy(p->data, data + n, p->len);
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void go_on(int fd)
{
    struct pending *p = &pending[fd];
    ssize_t n = send(fd, p->data + p->at, p->len - p->at, MSG_NOSIGNAL);

    if (n > 0)
        p->at += (size_t)n;
    if (p->at < p->len)
        return;
    free(p->data);
    *p = (struct pending){ NULL, 0, 0 };
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void gather(int fd)
{
    struct gathered *g = &gathered[fd];
    ssize_t n;

    if (!g->data && !(g->data = malloc(buffer_size)))
        fail("malloc");
    n = recv(fd, g->data + g->len, buffer_size - g->len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close(fd);
        return;
    }
    g->len += (size_t)n;
    if (g->len < buffer_size)
        return;
    echo(fd, g->data, g->len);
    g->len = 0;
}

static void take(int fd)
{
    ssize_t n = recv(fd, buffer, buffer_size, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        close(fd);
    else if (mode == ECHO)
        echo(fd, buffer, (size_t)n);
    else if (mode == ACCEPT)
        send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL);
    else
        for (size_t i = 0; i < fd_count; i++)
            send(fds[i], buffer, (size_t)n, MSG_NOSIGNAL);
}

static void listen_anywhere(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 511) < 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) < 0)
        fail("listen");
    printf("%u\n", ntohs(a.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct rlimit limit;

    if (argc > 1)
        mode = *argv[1] == 'g'   ? GATHER
               : *argv[1] == 'b' ? BROADCAST
               : *argv[1] == 'a' ? ACCEPT
                                 : ECHO;
    if (argc > 2)
        buffer_size = strtoul(argv[2], NULL, 10) * (mode == GATHER ? 1 : 1024);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    buffer = malloc(buffer_size);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!buffer || epoll < 0)
        fail("control");
    listen_anywhere();
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == listener)
                accept_all();
            else if (events[i].events & EPOLLOUT)
                go_on(fd);
            else if (mode == GATHER)
                gather(fd);
            else
                take(fd);
        }
    }
}
