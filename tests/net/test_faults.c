/* lib/net/sys.c is in here, with a lever: the n-th of all system calls that
 * can fail does, once or from then on. Whatever fails, nothing leaks, no
 * on_close is lost or comes twice, and a later conn is served as ever. */
#include <stdbool.h>
#include <stddef.h>

/* The real functions get other names, ... */
#define caws__sys_getrandom  real_getrandom
#define caws__sys_socket     real_socket
#define caws__sys_accept4    real_accept4
#define caws__sys_eventfd    real_eventfd
#define caws__sys_signalfd   real_signalfd
#define caws__sys_epoll_create1 real_epoll_create1
#define caws__sys_unblock    real_unblock
#define caws__sys_bind       real_bind
#define caws__sys_listen     real_listen
#define caws__sys_shutdown   real_shutdown
#define caws__sys_setsockopt real_setsockopt
#define caws__sys_getsockname real_getsockname
#define caws__sys_getpeername real_getpeername
#define caws__sys_getaddrinfo real_getaddrinfo
#define caws__sys_recv       real_recv
#define caws__sys_sendmsg    real_sendmsg
#define caws__sys_read       real_read
#define caws__sys_write      real_write
#define caws__sys_epoll_ctl  real_epoll_ctl
#define caws__sys_epoll_wait real_epoll_wait
#define caws__sys_poll       real_poll
#define caws__sys_sigmask    real_sigmask
#include "net/sys.c"
#undef caws__sys_getrandom
#undef caws__sys_socket
#undef caws__sys_accept4
#undef caws__sys_eventfd
#undef caws__sys_signalfd
#undef caws__sys_epoll_create1
#undef caws__sys_unblock
#undef caws__sys_bind
#undef caws__sys_listen
#undef caws__sys_shutdown
#undef caws__sys_setsockopt
#undef caws__sys_getsockname
#undef caws__sys_getpeername
#undef caws__sys_getaddrinfo
#undef caws__sys_recv
#undef caws__sys_sendmsg
#undef caws__sys_read
#undef caws__sys_write
#undef caws__sys_epoll_ctl
#undef caws__sys_epoll_wait
#undef caws__sys_poll
#undef caws__sys_sigmask

#include "net.h"

/* ---- The lever --------------------------------------------------------- */

enum call {
    ANY, SEND, RECV, SEND_AND_RECV, ACCEPT, CTL_ADD, RANDOM
};
static struct {
    bool on;
    enum call only; /* ANY: every call counts */
    int countdown;  /* fails when it reaches 0 */
    int times;      /* so often */
    int error;
    int failed;
} lever;

static bool fails(enum call call)
{
    bool meant = lever.only == ANY || lever.only == call ||
                 (lever.only == SEND_AND_RECV && (call == SEND || call == RECV));
    if (!lever.on || !meant)
        return false;
    if (lever.countdown-- > 0 || lever.failed >= lever.times)
        return false;
    lever.failed++;
    /* Both: nothing is there to be read yet, when sending fails. */
    errno = lever.only == SEND_AND_RECV && call == RECV ? EAGAIN : lever.error;
    return true;
}

/* ... and these take their places. */
ssize_t caws__sys_getrandom(void *out, size_t len)
{
    return fails(RANDOM) ? -1 : real_getrandom(out, len);
}

int caws__sys_socket(int family, int type)
{
    return fails(ANY) ? -1 : real_socket(family, type);
}

int caws__sys_accept4(int fd)
{
    return fails(ACCEPT) ? -1 : real_accept4(fd);
}

int caws__sys_eventfd(void)
{
    return fails(ANY) ? -1 : real_eventfd();
}

int caws__sys_signalfd(int fd, const sigset_t *signals)
{
    return fails(ANY) ? -1 : real_signalfd(fd, signals);
}

int caws__sys_epoll_create1(void)
{
    return fails(ANY) ? -1 : real_epoll_create1();
}

int caws__sys_unblock(int fd)
{
    return fails(ANY) ? -1 : real_unblock(fd);
}

int caws__sys_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return fails(ANY) ? -1 : real_bind(fd, addr, len);
}

int caws__sys_listen(int fd, int backlog)
{
    return fails(ANY) ? -1 : real_listen(fd, backlog);
}

int caws__sys_shutdown(int fd, int how)
{
    return fails(ANY) ? -1 : real_shutdown(fd, how);
}

int caws__sys_setsockopt(int fd, int level, int name, int value)
{
    return fails(ANY) ? -1 : real_setsockopt(fd, level, name, value);
}

int caws__sys_getsockname(int fd, struct sockaddr_storage *out)
{
    return fails(ANY) ? -1 : real_getsockname(fd, out);
}

int caws__sys_getpeername(int fd, struct sockaddr_storage *out)
{
    return fails(ANY) ? -1 : real_getpeername(fd, out);
}

int caws__sys_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **out)
{
    return fails(ANY) ? EAI_SYSTEM : real_getaddrinfo(host, port, hints, out);
}

ssize_t caws__sys_recv(int fd, void *data, size_t len)
{
    return fails(RECV) ? -1 : real_recv(fd, data, len);
}

/* The system takes a byte at a time, and between any two of them none. */
static struct {
    bool on, blocked;
    unsigned calls;
} drip;

static ssize_t send_a_drop(int fd, struct iovec *v)
{
    struct iovec first = { v->iov_base, 1 };
    drip.calls++;
    drip.blocked = !drip.blocked;
    errno = EAGAIN;
    return drip.blocked ? -1 : real_sendmsg(fd, &first, 1);
}

ssize_t caws__sys_sendmsg(int fd, struct iovec *v, size_t count)
{
    if (drip.on)
        return send_a_drop(fd, v);
    return fails(SEND) ? -1 : real_sendmsg(fd, v, count);
}

ssize_t caws__sys_read(int fd, void *data, size_t len)
{
    return fails(ANY) ? -1 : real_read(fd, data, len);
}

ssize_t caws__sys_write(int fd, const void *data, size_t len)
{
    return fails(ANY) ? -1 : real_write(fd, data, len);
}

int caws__sys_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    /* Taking one out cannot fail, but for a caller's mistake. */
    if (op != EPOLL_CTL_DEL && fails(CTL_ADD))
        return -1;
    return real_epoll_ctl(epoll, op, fd, event);
}

int caws__sys_epoll_wait(int epoll, struct epoll_event *out, int max, int timeout_ms)
{
    return fails(ANY) ? -1 : real_epoll_wait(epoll, out, max, timeout_ms);
}

int caws__sys_poll(struct pollfd *v, size_t count, int timeout_ms)
{
    return fails(ANY) ? -1 : real_poll(v, count, timeout_ms);
}

int caws__sys_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    return how == SIG_BLOCK && fails(ANY) ? errno : real_sigmask(how, set, old);
}

/* ---- Everything, once through ------------------------------------------ */

static int opened_first;

static void open_and_name(caws_conn *ws)
{
    char name[64];
    note_open(ws);
    opened_first += caws_peer_name(ws, name, sizeof name) == CAWS_OK;
}

/* Take steps for as long as there is something to do; errors of waiting are
 * the lever's. */
static void settle(caws_loop *loop, struct peer *p)
{
    for (int i = 0; i < 40; i++) {
        if (loop)
            caws_loop_step(loop, 0);
        if (p->fd >= 0)
            peer_take(p);
    }
}

static void say(struct peer *p, const void *data, size_t len)
{
    if (p->fd >= 0 && send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}

/* One session from caws_loop_new to caws_loop_free, with the lever on for all
 * of it. Nothing is asserted of what it achieves. */
static void session(const struct caws__poller *kind)
{
    struct peer p = { .fd = -1 };
    uint8_t frame[64];
    int pair[2] = { -1, -1 };
    caws_server_config cfg = echo_config();
    cfg.ws.on_open = open_and_name;
    caws_loop *loop = caws__loop_new_with(NULL, kind);
    caws_server *server = loop ? caws_listen(loop, &cfg) : NULL;
    if (server) {
        caws_server_stop_on(server, SIGUSR2, 10);
        p = peer_on(dial_port(caws_server_port(server)));
        say(&p, request, sizeof request - 1);
        settle(loop, &p);
        say(&p, frame, frame_write(frame, 0x81, "hello", 5));
        settle(loop, &p);
        say(&p, frame, frame_write(frame, 0x88, "\x03\xe8", 2));
        settle(loop, &p);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        caws_adopt_open(server, pair[0], NULL, NULL, NULL, 0);
        settle(loop, &p);
        caws_server_stop(server, 0);
        settle(loop, &p);
        close(pair[1]);
    }
    caws_loop_free(loop);
    peer_free(&p);
}

static void check_all(void **state, int times, int error)
{
    int before = count_descriptors(), n = 0;
    do {
        memset(&seen, 0, sizeof seen);
        lever.on = true;
        lever.only = ANY;
        lever.countdown = n++;
        lever.times = times;
        lever.error = error;
        lever.failed = 0;
        session(*state);
        lever.on = false;
        assert_int_equal(seen.opens, seen.closes);
        assert_int_equal(count_descriptors(), before);
    } while (lever.failed > 0 && n < 2000);
    /* The last time through nothing failed, and all was well. */
    assert_int_equal(lever.failed, 0);
    assert_int_equal(seen.opens, 2);
    assert_string_equal(seen.text, "hello");
    assert_true(n > 30);
}

static void test_each_call_fails_once(void **state)
{
    check_all(state, 1, EIO);
}

static void test_each_call_fails_for_want_of_memory(void **state)
{
    check_all(state, 1, ENOMEM);
}

static void test_each_call_fails_from_then_on(void **state)
{
    check_all(state, 1000000, ENOMEM);
}

/* ---- Some of them, closely --------------------------------------------- */

static void pull(enum call only, int countdown, int error)
{
    lever.on = true;
    lever.only = only;
    lever.countdown = countdown;
    lever.times = 1;
    lever.error = error;
    lever.failed = 0;
}

static void test_recv_fails(void **state)
{
    static const int errors[][2] = {
        { ECONNRESET, CAWS_ERR_EOF }, { ECONNABORTED, CAWS_ERR_EOF }, { EPIPE, CAWS_ERR_EOF },
        { ETIMEDOUT, CAWS_ERR_EOF },  { EIO, CAWS_ERR_SYS },
    };
    for (int i = 0; i < 5; i++) {
        caws_server_config cfg = echo_config();
        struct net n = net_new(state, &cfg);
        struct peer p = peer_open(&n), other = peer_open(&n);
        pull(RECV, 0, errors[i][0]);
        peer_text(&p, "hello");
        peer_want_end(&n, &p);
        lever.on = false;
        assert_int_equal(lever.failed, 1);
        assert_int_equal(seen.error, errors[i][1]);
        assert_int_equal(seen.errors, 1);
        assert_int_equal(seen.closes, 1);
        assert_int_equal(seen.code, 1006);
        peer_text(&other, "me not");
        peer_want_text(&n, &other, "me not");
        peer_free(&p);
        peer_free(&other);
        net_free(&n);
    }
}

static void test_recv_has_nothing(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    pull(RECV, 0, EAGAIN);
    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    assert_int_equal(lever.failed, 1);
    lever.on = false;
    peer_free(&p);
    net_free(&n);
}

static void test_send_would_block(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    pull(SEND, 0, EAGAIN);
    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    assert_int_equal(lever.failed, 1);
    lever.on = false;
    peer_free(&p);
    net_free(&n);
}

static void test_sending_drop_by_drop(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    /* REQ 6.1-7 */
    drip.on = true;
    drip.calls = 0;
    peer_text(&p, "a message that leaves drop by drop");
    peer_text(&p, "and another behind it");
    peer_want_text(&n, &p, "a message that leaves drop by drop");
    peer_want_text(&n, &p, "and another behind it");
    drip.on = false;
    assert_in_range(drip.calls, 2 * (36 + 23) - 1, 2 * (36 + 23) + 1);
    assert_int_equal(caws_buffered_amount(seen.ws), 0);
    peer_free(&p);
    net_free(&n);
}

/* A send fails; what the peer had sent is read to its end, and delivered. */
static void test_send_fails(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    pull(SEND_AND_RECV, 0, EPIPE);
    lever.times = 2;
    caws_send_text(seen.ws, "lost");
    peer_text(&p, "one");
    peer_text(&p, "two");
    PUMP_UNTIL(&n, lever.failed == 2);
    lever.on = false;
    assert_int_equal(seen.messages, 0);
    peer_want_end(&n, &p);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_int_equal(p.len, 0);
    assert_int_equal(seen.messages, 2);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    assert_int_equal(seen.closes, 1);
    peer_free(&p);
    net_free(&n);
}

/* The same where nothing is being read: it ends at once. */
static void test_send_fails_while_paused(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    caws_pause(seen.ws);
    pump(&n, 1);
    pull(SEND, 0, EPIPE);
    caws_send_text(seen.ws, "lost");
    PUMP_UNTIL(&n, n.loop->live == 1);
    lever.on = false;
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    assert_int_equal(seen.closes, 1);
    peer_free(&p);
    net_free(&n);
}

/* Inside caws_send, where a large message is sent at once: the handlers hear
 * of it only later. */
static void test_send_fails_inside_caws_send(void **state)
{
    static char large[100000];
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    pull(SEND, 0, ECONNRESET);
    assert_int_equal(caws_send(seen.ws, CAWS_BINARY, large, sizeof large), CAWS_OK);
    assert_int_equal(lever.failed, 1);
    assert_int_equal(seen.errors, 0);
    PUMP_UNTIL(&n, n.loop->live == 1);
    lever.on = false;
    assert_int_equal(seen.closes, 1);
    peer_free(&p);
    net_free(&n);
}

/* Errors of a single connection do not hold up the next. */
static void test_accept_goes_on(void **state)
{
    static const int errors[] = { ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH };
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 5; i++) {
        uint64_t begin = caws__sys_now_ms();
        pull(ACCEPT, 0, errors[i]);
        struct peer p = peer_open(&n);
        assert_int_equal(lever.failed, 1);
        lever.on = false;
        assert_true(caws__sys_now_ms() - begin < 80);
        peer_free(&p);
    }
    assert_int_equal(seen.server_errors, 0);
    net_free(&n);
}

static void test_accept_backs_off(void **state)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL };
    for (int i = 0; i < 5; i++) {
        caws_server_config cfg = echo_config();
        struct net n = net_new(state, &cfg);
        uint64_t begin = caws__sys_now_ms();
        pull(ACCEPT, 0, errors[i]);
        struct peer p = peer_open(&n);
        lever.on = false;
        assert_true(caws__sys_now_ms() - begin >= 99);
        assert_int_equal(seen.server_errors, 1);
        assert_int_equal(seen.server_error, CAWS_ERR_SYS);
        peer_free(&p);
        net_free(&n);
    }
}

static void test_waiting_fails(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    pull(ANY, 0, EIO);
    assert_int_equal(caws_loop_run(n.loop), CAWS_ERR_SYS);
    pull(ANY, 0, EINTR);
    assert_int_equal(caws_loop_step(n.loop, 1000), CAWS_OK);
    lever.on = false;
    net_free(&n);
}

static void test_poll_where_there_is_no_epoll(void **state)
{
    (void)state;
    pull(ANY, 0, ENOSYS);
    caws_loop *loop = caws_loop_new(NULL);
    lever.on = false;
    assert_int_equal(lever.failed, 1);
    assert_non_null(loop);
    assert_int_equal(caws_loop_fd(loop), -1);
    caws_loop_free(loop);
}

static void test_no_entropy(void **state)
{
    uint8_t out[16];
    (void)state;
    pull(RANDOM, 0, ENOSYS);
    assert_int_equal(caws_entropy(NULL, out, sizeof out), CAWS_ERR_RANDOM);
    lever.on = false;
}

/* Whatever fails, caws_listen leaves no file of a Unix socket behind. */
static void test_no_file_is_left(void **state)
{
    char dir[] = "/tmp/caws-XXXXXX", host[64];
    caws_server_config cfg = echo_config();
    caws_server *server = NULL;
    int before = count_descriptors(), n = 0;
    assert_non_null(mkdtemp(dir));
    snprintf(host, sizeof host, "unix:%s/s", dir);
    cfg.host = host;
    while (!server) {
        caws_loop *loop = caws__loop_new_with(NULL, *state);
        assert_non_null(loop);
        pull(ANY, n++, ENOBUFS);
        server = caws_listen(loop, &cfg);
        lever.on = false;
        assert_int_equal(access(host + 5, F_OK), server ? 0 : -1);
        if (!server)
            assert_int_equal(errno, ENOENT); /* of access */
        caws_loop_free(loop);
        assert_int_equal(access(host + 5, F_OK), -1);
        assert_int_equal(count_descriptors(), before);
        assert_true(n < 20);
    }
    assert_true(n > 3); /* socket, bind, listen at least */
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_each_call_fails_once),
        ON_BOTH(test_each_call_fails_for_want_of_memory),
        ON_BOTH(test_each_call_fails_from_then_on),
        ON_BOTH(test_recv_fails),
        ON_BOTH(test_recv_has_nothing),
        ON_BOTH(test_send_would_block),
        ON_BOTH(test_sending_drop_by_drop),
        ON_BOTH(test_send_fails),
        ON_BOTH(test_send_fails_while_paused),
        ON_BOTH(test_send_fails_inside_caws_send),
        ON_BOTH(test_accept_goes_on),
        ON_BOTH(test_accept_backs_off),
        ON_BOTH(test_waiting_fails),
        cmocka_unit_test(test_poll_where_there_is_no_epoll),
        cmocka_unit_test(test_no_entropy),
        ON_BOTH(test_no_file_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
