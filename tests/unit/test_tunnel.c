/* lib/net/tunnel.c: over a pair of sockets, the test being the proxy */
#include <errno.h>
#include <stdbool.h>

#define caws__sys_recv    real_recv
#define caws__sys_sendmsg real_sendmsg
#include "net/sys.c"
#undef caws__sys_recv
#undef caws__sys_sendmsg

/* Every other call has to wait; sending takes three bytes at most. */
static struct {
    bool slow;
    unsigned waits, sends;
} fake;

static bool fake_waits(void)
{
    if (!fake.slow || ++fake.waits % 2 == 0)
        return false;
    errno = EAGAIN;
    return true;
}

ssize_t caws__sys_recv(int fd, void *data, size_t len)
{
    return fake_waits() ? -1 : real_recv(fd, data, len);
}

ssize_t caws__sys_sendmsg(int fd, struct iovec *v, size_t count)
{
    struct iovec some = *v;
    if (fake.slow && some.iov_len > 3)
        some.iov_len = 3;
    fake.sends++;
    return fake_waits() ? -1 : real_sendmsg(fd, fake.slow ? &some : v, count);
}

#include "../net/net.h"

#include "net/tunnel.h"

/* A link that is never served, and what it is told. */
static struct {
    struct net n;
    struct caws__owner owner;
    struct caws__link link;
    struct caws__tunnel *tunnel;
    struct peer proxy;
    int calls, status;
} t;

static void done(struct caws__link *link, int status)
{
    assert_ptr_equal(link, &t.link);
    t.calls++;
    t.status = status;
}

static void begin(void **state, const char *host, uint16_t port)
{
    struct caws__place to = { .port = port };
    int fds[2];
    memset(&t, 0, sizeof t);
    t.n.loop = caws__loop_new_with(NULL, *state);
    assert_non_null(t.n.loop);
    t.owner.loop = t.n.loop;
    t.link.owner = &t.owner;
    snprintf(to.host, sizeof to.host, "%s", host);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(caws__sys_unblock(fds[0]), 0);
    t.proxy = peer_on(fds[1]);
    t.tunnel = caws__tunnel_new(&t.link, fds[0], &to, done);
    assert_non_null(t.tunnel);
}

static void end(void)
{
    caws__tunnel_free(t.tunnel);
    net_free(&t.n);
    peer_free(&t.proxy);
}

static void answer(const char *text)
{
    PUMP_UNTIL(&t.n, t.tunnel->sent == t.tunnel->len);
    peer_say(&t.proxy, text, strlen(text));
    pump(&t.n, 1);
}

static void want_request(const char *authority)
{
    char want[1024];
    size_t len = (size_t)snprintf(want, sizeof want, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n",
                                  authority, authority);
    peer_want(&t.n, &t.proxy, len);
    pump(&t.n, 1);
    peer_take(&t.proxy);
    assert_int_equal(t.proxy.len, len);
    assert_memory_equal(t.proxy.in, want, len);
    assert_int_equal(t.calls, 0);
}

static void test_request(void **state)
{
    char host[256], authority[300];
    begin(state, "host.example", 1);
    want_request("host.example:1");
    end();
    begin(state, "2001:db8::1", 65535);
    want_request("[2001:db8::1]:65535");
    end();
    memset(host, 'x', 255); /* all that a place can hold */
    host[255] = '\0';
    snprintf(authority, sizeof authority, "%s:65535", host);
    begin(state, host, 65535);
    want_request(authority);
    end();
}

static void test_status_once_the_head_is_there(void **state)
{
    static const char *const parts[] = { "HTTP/1.1 10", "2 Wait\r\n\r\nHTTP/1.1 200 Yes\r\n",
                                         "X: y\r\n\r" };
    begin(state, "x", 80);
    for (size_t i = 0; i < 3; i++) {
        answer(parts[i]);
        assert_int_equal(t.calls, 0);
    }
    answer("\n\x81\x01z"); /* the server is early */
    assert_int_equal(t.calls, 1);
    assert_int_equal(t.status, 200);
    const struct caws__answer *got = t.tunnel->answer;
    assert_int_equal(got->len - got->end, 3);
    assert_memory_equal(got->text + got->end, "\x81\x01z", 3);
    /* What comes now is for whoever takes the descriptor. */
    answer("more");
    assert_int_equal(t.calls, 1);
    int fd = caws__tunnel_take(t.tunnel);
    char more[8];
    assert_int_equal(recv(fd, more, sizeof more, 0), 4);
    caws__tunnel_free(t.tunnel);
    t.tunnel = NULL;
    assert_true(fcntl(fd, F_GETFD) >= 0);
    close(fd);
    end();
}

static void test_answers_that_are_none(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = { { "HTTP/1.1 407 No\r\n\r\n", 407 }, { "SSH-2.0-OpenSSH\r\n\r\n", -1 },
                 { "", 0 }, { "HTTP/1.1 200 Yes\r\n", 0 } };
    for (size_t i = 0; i < 4; i++) {
        int before = count_descriptors();
        begin(state, "x", 80);
        answer(rows[i].text);
        shutdown(t.proxy.fd, SHUT_WR);
        PUMP_UNTIL(&t.n, t.calls == 1);
        assert_int_equal(t.status, rows[i].status);
        pump(&t.n, 1);
        assert_int_equal(t.calls, 1);
        end();
        assert_int_equal(count_descriptors(), before);
    }
}

/* Before it has even been asked. */
static void test_the_proxy_is_gone(void **state)
{
    begin(state, "x", 80);
    peer_free(&t.proxy);
    PUMP_UNTIL(&t.n, t.calls == 1);
    assert_int_equal(t.status, 0);
    pump(&t.n, 1);
    assert_int_equal(t.calls, 1);
    end();
}

static void test_an_answer_without_end(void **state)
{
    static char much[CAWS__ANSWER_MAX + 1];
    begin(state, "x", 80);
    memset(much, 'x', sizeof much - 1);
    memcpy(much, "HTTP/1.1 200 ", 13);
    PUMP_UNTIL(&t.n, t.tunnel->sent == t.tunnel->len);
    peer_push(&t.n, &t.proxy, much, sizeof much - 2, false);
    pump(&t.n, 1);
    assert_int_equal(t.calls, 0);
    answer("x");
    assert_int_equal(t.calls, 1);
    assert_int_equal(t.status, -1);
    end();
}

static void test_a_proxy_that_makes_us_wait(void **state)
{
    begin(state, "host.example", 1);
    fake.slow = true;
    fake.waits = fake.sends = 0;
    want_request("host.example:1");
    assert_true(fake.sends >= 2 * (t.tunnel->len / 3));
    answer("HTTP/1.1 200 Yes\r\n\r\n");
    PUMP_UNTIL(&t.n, t.calls == 1);
    assert_int_equal(t.status, 200);
    fake.slow = false;
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_request),
        ON_BOTH(test_status_once_the_head_is_there),
        ON_BOTH(test_answers_that_are_none),
        ON_BOTH(test_the_proxy_is_gone),
        ON_BOTH(test_an_answer_without_end),
        ON_BOTH(test_a_proxy_that_makes_us_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
