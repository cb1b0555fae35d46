/* Each system call, and each allocation, of a client's session fails in turn,
 * once or from then on: nothing leaks, and on_close comes once. */
#include <stdbool.h>
#include <stddef.h>

#define caws__sys_getrandom   real_getrandom
#define caws__sys_socket      real_socket
#define caws__sys_connect     real_connect
#define caws__sys_setsockopt  real_setsockopt
#define caws__sys_getsockopt  real_getsockopt
#define caws__sys_shutdown    real_shutdown
#define caws__sys_getaddrinfo real_getaddrinfo
#define caws__sys_recv        real_recv
#define caws__sys_sendmsg     real_sendmsg
#define caws__sys_read        real_read
#define caws__sys_write       real_write
#define caws__sys_epoll_ctl   real_epoll_ctl
#define caws__sys_epoll_wait  real_epoll_wait
#define caws__sys_poll        real_poll
#define caws__sys_thread      real_thread
#define caws__sys_wiped_page  real_wiped_page
#include "net/sys.c"
#undef caws__sys_getrandom
#undef caws__sys_socket
#undef caws__sys_connect
#undef caws__sys_setsockopt
#undef caws__sys_getsockopt
#undef caws__sys_shutdown
#undef caws__sys_getaddrinfo
#undef caws__sys_recv
#undef caws__sys_sendmsg
#undef caws__sys_read
#undef caws__sys_write
#undef caws__sys_epoll_ctl
#undef caws__sys_epoll_wait
#undef caws__sys_poll
#undef caws__sys_thread
#undef caws__sys_wiped_page

#include "client.h"

static struct {
    bool calls; /* the system's calls fail; else allocations do */
    int countdown, times, failed, error;
    size_t in_use;
} lever;

static bool fails(bool call)
{
    if (call != lever.calls || lever.countdown-- > 0 || lever.failed >= lever.times)
        return false;
    lever.failed++;
    errno = lever.error;
    return true;
}

static void *failing_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    assert_int_equal(ptr == NULL, old_size == 0);
    if (new_size > 0 && fails(false))
        return NULL;
    lever.in_use = lever.in_use - old_size + new_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

ssize_t caws__sys_getrandom(void *out, size_t len)
{
    return fails(true) ? -1 : real_getrandom(out, len);
}

int caws__sys_socket(int family, int type)
{
    return fails(true) ? -1 : real_socket(family, type);
}

/* The name has two addresses, and nobody listens at the first. */
int caws__sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return fails(true) ? -1 : real_connect(fd, addr, len);
}

int caws__sys_setsockopt(int fd, int level, int name, int value)
{
    return fails(true) ? -1 : real_setsockopt(fd, level, name, value);
}

int caws__sys_getsockopt(int fd, int level, int name, int *value)
{
    return fails(true) ? -1 : real_getsockopt(fd, level, name, value);
}

int caws__sys_shutdown(int fd, int how)
{
    return fails(true) ? -1 : real_shutdown(fd, how);
}

int caws__sys_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **out)
{
    assert_string_equal(host, "h.example");
    if (fails(true))
        return EAI_SYSTEM;
    assert_int_equal(real_getaddrinfo("127.0.0.2", port, hints, out), 0);
    return real_getaddrinfo("127.0.0.1", port, hints, &(*out)->ai_next);
}

ssize_t caws__sys_recv(int fd, void *data, size_t len)
{
    return fails(true) ? -1 : real_recv(fd, data, len);
}

ssize_t caws__sys_sendmsg(int fd, struct iovec *v, size_t count)
{
    return fails(true) ? -1 : real_sendmsg(fd, v, count);
}

ssize_t caws__sys_read(int fd, void *data, size_t len)
{
    return fails(true) ? -1 : real_read(fd, data, len);
}

ssize_t caws__sys_write(int fd, const void *data, size_t len)
{
    return fails(true) ? -1 : real_write(fd, data, len);
}

int caws__sys_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    return op != EPOLL_CTL_DEL && fails(true) ? -1 : real_epoll_ctl(epoll, op, fd, event);
}

int caws__sys_epoll_wait(int epoll, struct epoll_event *out, int max, int timeout_ms)
{
    return fails(true) ? -1 : real_epoll_wait(epoll, out, max, timeout_ms);
}

int caws__sys_poll(struct pollfd *v, size_t count, int timeout_ms)
{
    return fails(true) ? -1 : real_poll(v, count, timeout_ms);
}

/* At once, so that the order of calls is always the same. */
int caws__sys_thread(void *(*run)(void *arg), void *arg)
{
    if (fails(true))
        return EAGAIN;
    run(arg);
    return 0;
}

void *caws__sys_wiped_page(size_t size)
{
    return fails(true) ? NULL : real_wiped_page(size);
}

/* ---- A session --------------------------------------------------------- */

struct script {
    int listener;
    uint16_t port;
    struct peer p;
    bool redirected, admitted, closed;
};

static void say_if_there(struct peer *p, const char *text, size_t len)
{
    if (send(p->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        peer_free(p);
}

static void hang_up(struct script *s)
{
    peer_free(&s->p);
}

/* The server's part: a proxy, then a redirect, then an open door. */
static void play_answer(struct script *s, const char *head)
{
    char out[512];
    if (strncmp(head, "CONNECT", 7) == 0) {
        say_if_there(&s->p, "HTTP/1.1 200 OK\r\n\r\n", 19);
    } else if (!s->redirected) {
        s->redirected = true;
        say_if_there(&s->p, "HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n", 40);
    } else {
        size_t len = write_101(out, sizeof out, head);
        s->admitted = true;
        memcpy(out + len, "\x81\x05hello", 7);
        say_if_there(&s->p, out, len + 7);
    }
}

static void play(struct script *s)
{
    static char head[2048];
    int fd = s->p.fd < 0 ? try_accept(s->listener) : -1;
    if (fd >= 0)
        s->p = peer_on(fd);
    if (s->p.fd < 0)
        return;
    peer_take(&s->p);
    char *end = memmem(s->p.in, s->p.len, "\r\n\r\n", 4);
    if (!s->admitted && end) {
        size_t len = (size_t)(end + 4 - (char *)s->p.in);
        snprintf(head, sizeof head, "%.*s", (int)len, (char *)s->p.in);
        peer_drop(&s->p, len);
        play_answer(s, head);
    } else if (s->admitted && s->p.len > 0 && !s->closed) {
        s->closed = true; /* the echo has come */
        say_if_there(&s->p, "\x88\x02\x03\xe8", 4);
    } else if (s->p.ended || (s->closed && seen.closes)) {
        hang_up(s);
    }
}

static bool session(const struct caws__poller *kind, bool proxied)
{
    const caws_alloc alloc = { failing_resize, NULL };
    struct script s = { .p.fd = -1 };
    char proxy[64];
    bool made = false;
    s.listener = listen_by_hand(&s.port);
    caws_loop *loop = caws__loop_new_with(&alloc, kind);
    if (loop) {
        caws_client_config cfg = client_config(url_of("h.example", s.port, "/"));
        snprintf(proxy, sizeof proxy, "http://h.example:%u", (unsigned)s.port);
        cfg.proxy = proxied ? proxy : NULL;
        cfg.max_redirects = 1;
        cfg.connect_timeout_ms = 100;
        cfg.ws.handshake_timeout_ms = 100;
        cfg.ws.close_timeout_ms = 100;
        cfg.ws.ping_interval_ms = 100; /* where the echo is lost */
        cfg.ws.pong_timeout_ms = 100;
        cfg.ws.on_message = echo_message;
        caws_conn *ws = caws_connect_with(loop, &cfg);
        caws_group *group = caws_group_new(loop);
        made = ws != NULL;
        if (ws && group)
            caws_group_add(group, ws);
        uint64_t end = caws__sys_now_ms() + PATIENCE_MS;
        while (made && loop->live > 0 && caws__sys_now_ms() < end) {
            caws_loop_step(loop, 1);
            play(&s);
        }
        assert_int_equal(loop->live, 0);
        caws_loop_free(loop);
        caws_group_free(group);
    }
    peer_free(&s.p);
    close(s.listener);
    return made;
}

static void check_all(void **state, bool calls, int times, int error, bool proxied)
{
    int before = count_descriptors(), n = 0;
    do {
        memset(&seen, 0, sizeof seen);
        memset(&lever, 0, sizeof lever);
        lever.calls = calls;
        lever.countdown = n++;
        lever.times = times;
        lever.error = error;
        bool made = session(*state, proxied);
        assert_int_equal(seen.closes, made);
        assert_true(seen.opens <= seen.closes && seen.errors <= seen.closes);
        /* No error only where the answer to the peer's Close was lost. */
        assert_true(seen.clean || seen.errors == made || seen.code == 1000);
        assert_int_equal(lever.in_use, 0);
        assert_int_equal(count_descriptors(), before);
    } while (lever.failed > 0 && n < 2000);
    assert_int_equal(lever.failed, 0);
    assert_string_equal(seen.text, "hello");
    assert_true(seen.clean);
    assert_true(n > 15);
}

static void test_each_call_fails_once(void **state)
{
    check_all(state, true, 1, EIO, false);
}

static void test_each_call_fails_once_by_proxy(void **state)
{
    check_all(state, true, 1, ECONNRESET, true);
}

static void test_each_call_has_no_memory(void **state)
{
    check_all(state, true, 1, ENOMEM, false);
}

static void test_each_allocation_fails_once(void **state)
{
    check_all(state, false, 1, ENOMEM, false);
}

static void test_each_allocation_fails_once_by_proxy(void **state)
{
    check_all(state, false, 1, ENOMEM, true);
}

static void test_each_allocation_fails_from_then_on(void **state)
{
    check_all(state, false, 1000000, ENOMEM, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_each_call_fails_once),
        ON_BOTH(test_each_call_fails_once_by_proxy),
        ON_BOTH(test_each_call_has_no_memory),
        ON_BOTH(test_each_allocation_fails_once),
        ON_BOTH(test_each_allocation_fails_once_by_proxy),
        ON_BOTH(test_each_allocation_fails_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
