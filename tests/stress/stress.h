/* For the heavy tests: plain programs, each of which prints one line and says
 * by its exit status whether it passed. Clients are plain sockets that speak
 * raw bytes, mostly in a process of their own. */
#ifndef STRESS_H
#define STRESS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <caws_net.h>

/* ---- Results ----------------------------------------------------------- */

/* Ends this process; a parent that waits for it fails with it. */
#define FAIL(...) stress_fail(__LINE__, __VA_ARGS__)
#define CHECK(condition) ((condition) ? (void)0 : FAIL("%s", #condition))

static char stress_context[160]; /* said of a failure, if it is set */

__attribute__((format(printf, 2, 3), noreturn))
static inline void stress_fail(int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("line %d: ", line);
    vprintf(format, args);
    va_end(args);
    printf(" (errno %d) %s\n", errno, stress_context);
    fflush(stdout);
    _exit(1);
}

/* ---- Chance, time and memory ------------------------------------------- */

static uint64_t stress_seed = 0x2545f4914f6cdd1d;

static inline size_t draw(size_t below)
{
    stress_seed ^= stress_seed << 13;
    stress_seed ^= stress_seed >> 7;
    stress_seed ^= stress_seed << 17;
    return (size_t)((stress_seed * 0x9e3779b97f4a7c15u >> 32) % below);
}

static inline double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this process. */
static inline double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline size_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    CHECK(f && fscanf(f, "%*s %lu", &pages) == 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Zeroed, and shared with the children. */
static inline void *shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

/* Bytes to tell messages by: message k is some run of these. */
#define PATTERN ((size_t)256 * 1024)
static unsigned char pattern[PATTERN];

static inline void pattern_init(void)
{
    uint64_t seed = stress_seed;

    for (size_t i = 0; i < PATTERN; i++)
        pattern[i] = (unsigned char)draw(256);
    stress_seed = seed;
}

/* ---- Processes --------------------------------------------------------- */

/* A child that dies with us, and is quiet. */
static inline pid_t spawn(void (*run)(void *arg), void *arg)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(arg);
    fflush(stdout);
    exit(0);
}

static inline int reap(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline bool is_gone(pid_t pid, int *status)
{
    int raw = 0;

    if (waitpid(pid, &raw, WNOHANG) != pid)
        return false;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
}

/* Both ends of a process's patience: it ends by itself. */
static inline void patience(unsigned seconds)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(seconds);
}

/* ---- Raw clients ------------------------------------------------------- */

static inline void raw_write(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)data + at, len - at, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        CHECK(n > 0);
        at += (size_t)n;
    }
}

static inline int raw_connect(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) == 0);
    return fd;
}

static const char raw_request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* Not a byte more than the head of the answer, which must be 101. */
static inline void raw_answer(int fd)
{
    char head[1024];
    size_t len = 0;

    while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
        CHECK(len < sizeof head);
        CHECK(recv(fd, head + len, 1, 0) == 1);
        len++;
    }
    CHECK(memcmp(head, "HTTP/1.1 101 ", 13) == 0);
}

/* The server is in another process. */
static inline int raw_open(uint16_t port)
{
    int fd = raw_connect(port);

    raw_write(fd, raw_request, sizeof raw_request - 1);
    raw_answer(fd);
    return fd;
}

static inline void raw_unblock(int fd)
{
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

static const unsigned char raw_key[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* The header of a masked frame; first is FIN and opcode. */
static inline size_t raw_header(unsigned char *out, unsigned first, uint64_t len)
{
    size_t at = 2;

    out[0] = (unsigned char)first;
    out[1] = (unsigned char)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
    if (len >= 126)
        for (int i = len < 65536 ? 1 : 7; i >= 0; i--)
            out[at++] = (unsigned char)(len >> (8 * i));
    memcpy(out + at, raw_key, 4);
    return at + 4;
}

static inline size_t raw_frame(unsigned char *out, unsigned first, const void *data, size_t len)
{
    size_t at = raw_header(out, first, len);

    for (size_t i = 0; i < len; i++)
        out[at++] = ((const unsigned char *)data)[i] ^ raw_key[i % 4];
    return at;
}

/* Frames of a server, taken apart as they come: part is called for each piece
 * of a payload, at the offset at, and with len 0 for an empty one. */
struct raw {
    void (*part)(struct raw *r, const unsigned char *data, size_t len, bool last);
    void *user;
    unsigned char head[10];
    unsigned have;
    unsigned opcode;
    bool fin;
    uint64_t len, at;
};

static inline unsigned raw_head_size(const struct raw *r)
{
    return r->have < 2 ? 2 : r->head[1] == 126 ? 4 : r->head[1] == 127 ? 10 : 2;
}

static inline void raw_begin(struct raw *r)
{
    r->opcode = r->head[0] & 15;
    r->fin = r->head[0] >> 7;
    r->at = 0;
    r->len = r->head[1];
    CHECK(!(r->head[0] & 0x70) && r->head[1] < 128);
    if (r->have > 2)
        r->len = 0;
    for (unsigned i = 2; i < r->have; i++)
        r->len = r->len << 8 | r->head[i];
}

static inline void raw_feed(struct raw *r, const unsigned char *data, size_t len)
{
    while (len > 0) {
        size_t n;

        if (r->have < raw_head_size(r)) {
            r->head[r->have++] = *data++;
            len--;
            if (r->have < raw_head_size(r))
                continue;
            raw_begin(r);
        }
        n = len < r->len - r->at ? len : (size_t)(r->len - r->at);
        if (n == 0 && r->len > 0)
            return;
        r->part(r, data, n, r->at + n == r->len);
        r->at += n;
        data += n;
        len -= n;
        if (r->at == r->len)
            r->have = 0;
    }
}

/* Is it between two frames? */
static inline bool raw_is_whole(const struct raw *r)
{
    return r->have == 0;
}

#endif
