/* The exact costs, as "NAME FIGURE" lines: bytes and allocations, by the allocator; and
 * system calls inside caws_loop_step, by a parent that traces us, so that it is no
 * matter how they are made. The C library's own, for memory, are left out. Both ends
 * are in one process, and what the peer sent has arrived before a step is taken: every
 * run has the same figures. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* After sys/ptrace.h, whose names it would otherwise take. */
#include <linux/ptrace.h>

#include <caws_net.h>

#include "net/link.h"
#include "protocol/conn.h"

#define CONNS    1000
#define ECHOES   100
#define PER_SEND 16
#define SHAKES   50

#define CHECK(condition) ((condition) ? (void)0 : give_up(__LINE__, #condition))

static void give_up(int line, const char *what)
{
    printf("line %d: %s (errno %d)\n", line, what, errno);
    fflush(stdout);
    _exit(1);
}

/* ---- Counting ---------------------------------------------------------- */

enum part { NOTHING, ECHO_1, ECHO_16, BROADCAST, HANDSHAKE, PARTS };

static const char *const part_names[PARTS] = {
    NULL, "100_echoes", "1600_echoes_of_16", "broadcast_to_1000", "50_handshakes"
};
static enum part part_now;
static unsigned long allocations[PARTS];
static size_t bytes; /* allocated */

#define MARK 0x63617773 /* a prctl that there is not: from here on it counts for a part */

static void count_for(enum part part)
{
    part_now = part;
    prctl(MARK, part, 0, 0, 0);
}

static bool is_for_memory(unsigned long long call)
{
#ifdef SYS_mmap2
    if (call == SYS_mmap2)
        return true;
#endif
#ifdef SYS_mmap
    if (call == SYS_mmap)
        return true;
#endif
    return call == SYS_brk || call == SYS_munmap || call == SYS_mremap || call == SYS_madvise;
}

static void trace(pid_t child)
{
    unsigned long counts[PARTS] = { 0 }, part = NOTHING;
    struct ptrace_syscall_info info;
    int status;

    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
    for (int give = 0;; give = WSTOPSIG(status) & 0x80 ? 0 : WSTOPSIG(status)) {
        CHECK(ptrace(PTRACE_SYSCALL, child, 0, (uintptr_t)give) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFSTOPPED(status))
            break;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            continue;
        CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0);
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        if (info.entry.nr == SYS_prctl && info.entry.args[0] == MARK)
            part = info.entry.args[1] % PARTS;
        else if (!is_for_memory(info.entry.nr))
            counts[part]++;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = NOTHING + 1; i < PARTS; i++)
        printf("calls_%s %lu\n", part_names[i], counts[i]);
}

static void *counting(void *unused, void *ptr, size_t old_size, size_t new_size)
{
    void *p = new_size > 0 ? realloc(ptr, new_size) : NULL;

    if (new_size == 0)
        free(ptr);
    (void)unused;
    CHECK(new_size == 0 || p);
    bytes += new_size - old_size;
    allocations[part_now] += new_size > 0;
    return p;
}

/* ---- The server -------------------------------------------------------- */

static caws_loop *loop;
static caws_server *server;
static size_t opened, closed, messages;
static bool broadcasts;

static void on_open(caws_conn *ws)
{
    (void)ws;
    opened++;
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)ws, (void)event;
    closed++;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    messages++;
    if (broadcasts)
        CHECK(caws_broadcast(server, NULL, type, data, len) == CONNS);
    else
        CHECK(caws_send(ws, type, data, len) == CAWS_OK);
}

static void step_until(const size_t *count, size_t wanted, enum part part)
{
    for (int steps = 0; *count < wanted; steps++) {
        CHECK(steps < 1000);
        count_for(part);
        CHECK(caws_loop_step(loop, 0) == CAWS_OK);
        count_for(NOTHING);
    }
}

/* ---- Its peers --------------------------------------------------------- */

static int fds[CONNS + SHAKES];

/* What was sent is in the server's socket: else it would be luck which step reads it. */
static void wait_arrived(int fd)
{
    int left = 1;

    for (int tries = 0; tries < 10000 && left > 0; tries++) {
        CHECK(ioctl(fd, SIOCOUTQ, &left) == 0);
        if (left > 0)
            usleep(1000);
    }
    CHECK(left == 0);
}

static void dial(int i)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(caws_server_port(server)) };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fds[i] >= 0 && connect(fds[i], (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) == 0);
    CHECK(send(fds[i], text, sizeof text - 1, MSG_NOSIGNAL) == sizeof text - 1);
}

/* From the first to the last: frames of 20 bytes, masked with a key of zeros. */
static void send_frames(int fd, unsigned frames)
{
    static const unsigned char frame[26] = { 0x82, 0x80 | 20 };
    unsigned char all[PER_SEND * sizeof frame];

    for (unsigned i = 0; i < frames; i++)
        memcpy(all + i * sizeof frame, frame, sizeof frame);
    CHECK(send(fd, all, frames * sizeof frame, MSG_NOSIGNAL) == (ssize_t)(frames * sizeof frame));
}

static void receive(int fd, size_t len)
{
    char data[1024];

    for (ssize_t n; len > 0; len -= (size_t)n) {
        n = recv(fd, data, len < sizeof data ? len : sizeof data, 0);
        CHECK(n > 0);
    }
}

static void receive_101(int fd)
{
    char head[512];
    ssize_t n = recv(fd, head, sizeof head, 0);

    CHECK(n > 12 && memcmp(head, "HTTP/1.1 101", 12) == 0);
}

static void wait_half_closed(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    for (int tries = 0;; tries++) {
        CHECK(tries < 10000 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
        if (info.tcpi_state != TCP_ESTABLISHED && info.tcpi_state != TCP_FIN_WAIT1)
            return;
        usleep(1000);
    }
}

/* ---- What is measured -------------------------------------------------- */

static void handshakes(int first, int count, enum part part)
{
    for (int i = first; i < first + count; i++)
        dial(i);
    for (int i = first; i < first + count; i++)
        wait_arrived(fds[i]);
    step_until(&opened, opened + (size_t)count, part);
    for (int i = first; i < first + count; i++)
        receive_101(fds[i]);
}

static void echoes(unsigned frames, enum part part)
{
    for (int i = 0; i < ECHOES; i++)
        send_frames(fds[i], frames);
    for (int i = 0; i < ECHOES; i++)
        wait_arrived(fds[i]);
    step_until(&messages, messages + ECHOES * frames, part);
    for (int i = 0; i < ECHOES; i++)
        receive(fds[i], (size_t)frames * 22);
}

static void broadcast(void)
{
    broadcasts = true;
    send_frames(fds[0], 1);
    wait_arrived(fds[0]);
    step_until(&messages, messages + 1, BROADCAST);
    for (int i = 0; i < CONNS; i++)
        receive(fds[i], 22);
}

static void leave(int first, int count)
{
    for (int i = first; i < first + count; i++)
        CHECK(shutdown(fds[i], SHUT_WR) == 0);
    for (int i = first; i < first + count; i++)
        wait_half_closed(fds[i]);
    step_until(&closed, closed + (size_t)count, HANDSHAKE);
}

static void measure(void)
{
    static const caws_alloc alloc = { counting, NULL };
    size_t before;
    caws_server_config config = { .host = "127.0.0.1", .max_conns = CONNS + SHAKES,
                                  .ws.on_open = on_open, .ws.on_close = on_close,
                                  .ws.on_message = on_message };

    loop = caws_loop_new(&alloc);
    CHECK(loop);
    server = caws_listen(loop, &config);
    CHECK(server);
    caws_loop_step(loop, 0);
    before = bytes;
    for (int i = 0; i < CONNS; i += SHAKES)
        handshakes(i, SHAKES, NOTHING);
    echoes(1, NOTHING);
    printf("sizeof_conn %zu\n", sizeof(struct caws_conn));
    printf("sizeof_link %zu\n", sizeof(struct caws__link));
    /* What the loop keeps for the next messages is no connection's. */
    printf("idle_bytes %zu\n", (bytes - before - loop->pool.kept + CONNS - 1) / CONNS);
    echoes(1, ECHO_1);
    echoes(PER_SEND, ECHO_16);
    broadcast();
    handshakes(CONNS, SHAKES, HANDSHAKE);
    leave(CONNS, SHAKES);
    caws_loop_free(loop);
    CHECK(bytes == 0);
    for (int i = NOTHING + 1; i < PARTS; i++)
        printf("allocations_%s %lu\n", part_names[i], allocations[i]);
}

int main(void)
{
    struct rlimit limit;
    pid_t child;

    alarm(60);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        raise(SIGSTOP);
        measure();
        return 0;
    }
    trace(child);
    return 0;
}
