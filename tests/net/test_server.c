/* lib/net/server.c, accept.c, signals.c: servers over real sockets */
#include "net.h"

#include <sys/resource.h>
#include <sys/un.h>

#include "net/server.h"

/* ---- Config ------------------------------------------------------------ */

static void test_bad_configs(void **state)
{
    caws_loop *loop = caws__loop_new_with(NULL, *state);
    caws_server_config bad[6];
    for (int i = 0; i < 6; i++)
        bad[i] = echo_config();
    bad[0].ws.headers = "no colon\r\n";
    bad[1].ws.subprotocols = "a, , b b";
    bad[2].tls = (const struct caws_tls *)(uintptr_t)&bad;
    bad[3].slow = (caws_slow)7;
    bad[4].listen_fd = -5;
    bad[5].host = "unix:";
    for (int i = 0; i < 6; i++) {
        errno = 0;
        assert_null(caws_listen(loop, &bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    assert_null(caws_listen(loop, NULL));
    bad[0] = echo_config();
    bad[0].host = "192.0.2.1";
    assert_null(caws_listen(loop, &bad[0]));
    assert_int_equal(errno, EADDRNOTAVAIL);
    /* Nothing listens: there is nothing to run for. */
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    caws_loop_free(loop);
}

static int get(struct net *n, const char *head)
{
    struct peer p = peer_new(n);
    peer_say(&p, head, strlen(head));
    int status = peer_status(n, &p);
    peer_free(&p);
    return status;
}

#define UPGRADE                                                                                    \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"                                                \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

/* The config's strings may go once it listens. */
static void test_config_is_copied(void **state)
{
    char path[] = "/chat", subprotocols[] = "one, two", headers[] = "X-Y: z\r\n";
    char origins[] = "https://example.com", hosts[] = "example.com", host[] = "127.0.0.1";
    caws_server_config cfg = echo_config();
    cfg.host = host;
    cfg.ws.path = path;
    cfg.ws.subprotocols = subprotocols;
    cfg.ws.headers = headers;
    cfg.ws.origins = origins;
    cfg.ws.hosts = hosts;
    struct net n = net_new(state, &cfg);
    memset(path, 'x', sizeof path);
    memset(subprotocols, 'x', sizeof subprotocols);
    memset(headers, 'x', sizeof headers);
    memset(origins, 'x', sizeof origins);
    memset(hosts, 'x', sizeof hosts);
    memset(host, 'x', sizeof host);
    memset(&cfg, 'x', sizeof cfg);
    static const char good[] = "GET /chat HTTP/1.1\r\nHost: example.com\r\n"
                               "Origin: https://example.com\r\n"
                               "Sec-WebSocket-Protocol: two\r\n" UPGRADE "\r\n";
    struct peer p = peer_new(&n);
    peer_say(&p, good, sizeof good - 1);
    peer_want(&n, &p, 20);
    assert_memory_equal(p.in, "HTTP/1.1 101 ", 13);
    assert_non_null(memmem(p.in, p.len, "\r\nX-Y: z\r\n", 10));
    assert_non_null(memmem(p.in, p.len, "Sec-WebSocket-Protocol: two\r\n", 29));
    peer_free(&p);
    assert_int_equal(get(&n, "GET /no HTTP/1.1\r\nHost: example.com\r\n" UPGRADE "\r\n"), 404);
    net_free(&n);
}

/* On a loopback address a name that leads there by DNS is not answered. */
static void test_hosts_on_loopback(void **state)
{
    static const char *const good[] = { "localhost", "127.0.0.1:1025", "[::1]", "localhost:80" };
    caws_server_config cfg = echo_config();
    char head[512];
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 4; i++) {
        snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: %s\r\n" UPGRADE "\r\n", good[i]);
        assert_int_equal(get(&n, head), 101);
    }
    assert_int_equal(get(&n, "GET / HTTP/1.1\r\nHost: evil.test\r\n" UPGRADE "\r\n"), 403);
    net_free(&n);
    cfg.ws.hosts = "*";
    n = net_new(state, &cfg);
    assert_int_equal(get(&n, "GET / HTTP/1.1\r\nHost: any.test\r\n" UPGRADE "\r\n"), 101);
    net_free(&n);
    cfg.ws.hosts = NULL;
    cfg.host = NULL;
    n = net_new(state, &cfg);
    assert_int_equal(get(&n, "GET / HTTP/1.1\r\nHost: any.test\r\n" UPGRADE "\r\n"), 101);
    net_free(&n);
}

/* ---- Limits ------------------------------------------------------------ */

static void test_one_past_max_conns_is_told_503(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.max_conns = 2;
    struct net n = net_new(state, &cfg);
    struct peer a = peer_open(&n), b = peer_open(&n), c = peer_new(&n);
    peer_say(&c, request, sizeof request - 1);
    assert_int_equal(peer_status(&n, &c), 503);
    peer_want_end(&n, &c);
    assert_false(c.reset);
    assert_int_equal(seen.server_errors, 1);
    assert_int_equal(seen.server_error, CAWS_ERR_LIMIT);
    assert_int_equal(seen.opens, 2);
    assert_int_equal(net_stats(&n).conns.refused, 1);
    assert_int_equal(net_stats(&n).accepted, 3);
    /* The others are served on, and a place that is free is given again. */
    peer_text(&a, "still here");
    peer_want_text(&n, &a, "still here");
    peer_free(&b);
    PUMP_UNTIL(&n, seen.closes == 1);
    struct peer d = peer_open(&n);
    assert_int_equal(seen.opens, 3);
    peer_free(&a);
    peer_free(&c);
    peer_free(&d);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_int_equal(seen.closes, 3);
    net_free(&n);
}

/* Those that are told so take room as well: 64 of them, the rest is closed. */
static void test_those_told_503_are_bounded(void **state)
{
    caws_server_config cfg = echo_config();
    struct peer peers[80];
    cfg.max_conns = 1;
    struct net n = net_new(state, &cfg);
    struct peer first = peer_open(&n);
    for (int round = 1; round <= 2; round++) {
        int told = 0;
        for (int i = 0; i < 80; i++) {
            peers[i] = peer_new(&n);
            pump(&n, 0);
        }
        pump(&n, 5);
        assert_int_equal(n.loop->live, 2 + 64);
        for (int i = 0; i < 80; i++) {
            peer_take(&peers[i]);
            told += peers[i].len > 12 && !memcmp(peers[i].in, "HTTP/1.1 503", 12);
            peer_free(&peers[i]);
        }
        assert_int_equal(told, 64);
        assert_int_equal(seen.server_errors, 80 * round);
        PUMP_UNTIL(&n, n.loop->live == 2);
    }
    peer_free(&first);
    net_free(&n);
}

/* Out of descriptors: told once, no spinning, and accepting goes on. */
static void test_out_of_descriptors(void **state)
{
    caws_server_config cfg = echo_config();
    struct rlimit before, low;
    struct peer peers[4];
    int filler[64], count = 0;
    struct net n = net_new(state, &cfg);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 4; i++)
        peers[i] = peer_new(&n);
    low = before;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (count < 64 && (filler[count] = dup(0)) >= 0)
        count++;
    close(filler[--count]); /* room for one */
    int steps = 0;
    uint64_t end = caws__sys_now_ms() + 250;
    while (caws__sys_now_ms() < end) {
        caws_loop_step(n.loop, 50);
        steps++;
    }
    assert_true(steps < 30);
    assert_int_equal(seen.server_errors, 1);
    assert_int_equal(seen.server_error, CAWS_ERR_SYS);
    assert_int_equal(net_stats(&n).accepted, 1);
    while (count > 0)
        close(filler[--count]);
    setrlimit(RLIMIT_NOFILE, &before);
    for (int i = 0; i < 4; i++) {
        peer_say(&peers[i], request, sizeof request - 1);
        assert_int_equal(peer_status(&n, &peers[i]), 101);
        peer_free(&peers[i]);
    }
    assert_int_equal(seen.server_errors, 1);
    net_free(&n);
}

/* ---- Stop -------------------------------------------------------------- */

static void send_and_stop(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_send_text(ws, "one for the road");
    caws_server_stop(caws_server_of(ws), 2000);
}

static void test_stop(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_message = send_and_stop;
    struct net n = net_new(state, &cfg);
    uint16_t port = caws_server_port(n.server);
    struct peer a = peer_open(&n), b = peer_open(&n), c = peer_new(&n);
    peer_say(&c, request, 20);
    pump(&n, 2);
    peer_text(&a, "stop");
    peer_want_text(&n, &a, "one for the road");
    peer_want_close(&n, &a, 1001);
    peer_want_close(&n, &b, 1001);
    assert_int_equal(peer_status(&n, &c), 503);
    /* The port is free; a peer that is waiting to be accepted is let go. */
    int again = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(again, (struct sockaddr *)&to, sizeof to), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(again);
    peer_close(&a, 1001);
    peer_close(&b, 1001);
    peer_want_end(&n, &a);
    peer_want_end(&n, &b);
    peer_want_end(&n, &c);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    /* Then there is nothing left to run for, long before the deadline. */
    uint64_t begin = caws__sys_now_ms();
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_true(caws__sys_now_ms() - begin < 1000);
    assert_int_equal(seen.closes, 2);
    assert_true(seen.clean);
    net_free(&n);
}

static void test_stop_cuts_at_the_deadline(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    uint64_t begin = caws__sys_now_ms();
    caws_server_stop(n.server, 60000);
    caws_server_stop(n.server, 50);
    caws_server_stop(n.server, 60000); /* the earlier deadline stands */
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_true(caws__sys_now_ms() - begin >= 49);
    assert_true(caws__sys_now_ms() - begin < 2000);
    assert_int_equal(seen.closes, 1);
    assert_false(seen.clean);
    peer_want_close(&n, &p, 1001);
    peer_free(&p);
    net_free(&n);
}

/* Inside on_error of the server, which may be in the middle of accepting. */
static void stop_on_error(caws_server *server, int error, const char *detail)
{
    note_server_error(server, error, detail);
    caws_server_stop(server, 100);
}

static void test_stop_inside_on_error(void **state)
{
    caws_server_config cfg = echo_config();
    struct peer peers[4];
    cfg.max_conns = 2;
    cfg.on_error = stop_on_error;
    struct net n = net_new(state, &cfg);
    for (int i = 0; i < 4; i++)
        peers[i] = peer_new(&n);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(seen.server_errors, 1);
    assert_int_equal(net_stats(&n).accepted, 3);
    for (int i = 0; i < 3; i++) {
        peer_take(&peers[i]);
        assert_memory_equal(peers[i].in, "HTTP/1.1 503", 12);
    }
    for (int i = 0; i < 4; i++)
        peer_free(&peers[i]);
    net_free(&n);
}

static void test_stop_of_a_server_without_conns(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    caws_server_stop(n.server, 60000);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    net_free(&n);
}

/* Let in by the handler inside which the server stops. */
static int stop_and_accept(caws_conn *ws, const caws_request *req)
{
    (void)req;
    caws_server_stop(caws_server_of(ws), 1000);
    return CAWS_ACCEPT;
}

static void test_stop_inside_on_request(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_request = stop_and_accept;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    peer_say(&p, request, sizeof request - 1);
    int status = peer_status(&n, &p);
    if (status == 101) {
        peer_want_close(&n, &p, 1001);
        peer_close(&p, 1001);
    } else {
        assert_int_equal(status, 503);
    }
    peer_want_end(&n, &p);
    peer_free(&p);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(seen.opens, seen.closes);
    net_free(&n);
}

static void test_stop_on_a_signal(void **state)
{
    caws_server_config cfg = echo_config();
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_false(sigismember(&before, SIGTERM));
    struct net n = net_new(state, &cfg);
    caws_server *other = caws_listen(n.loop, &cfg);
    assert_int_equal(caws_server_stop_on(n.server, SIGTERM, 2000), CAWS_OK);
    assert_int_equal(caws_server_stop_on(n.server, SIGINT, 2000), CAWS_OK);
    assert_int_equal(caws_server_stop_on(other, SIGTERM, 2000), CAWS_OK);
    assert_int_equal(caws_server_stop_on(n.server, SIGKILL, 1), CAWS_ERR_ARG);
    assert_int_equal(caws_server_stop_on(n.server, 12345, 1), CAWS_ERR_ARG);
    struct peer p = peer_open(&n);
    raise(SIGTERM);
    peer_want_close(&n, &p, 1001);
    peer_close(&p, 1001);
    peer_want_end(&n, &p);
    peer_free(&p);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(seen.closes, 1);
    /* Once more, when nobody reads it: it must not kill after the end. */
    raise(SIGTERM);
    net_free(&n);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_false(sigismember(&after, SIGTERM));
    assert_false(sigismember(&after, SIGINT));
}

/* What was blocked before stays so. */
static void test_stop_on_a_signal_that_was_blocked(void **state)
{
    caws_server_config cfg = echo_config();
    sigset_t usr1, after;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    struct net n = net_new(state, &cfg);
    assert_int_equal(caws_server_stop_on(n.server, SIGUSR1, 100), CAWS_OK);
    raise(SIGUSR1);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    net_free(&n);
    pthread_sigmask(SIG_UNBLOCK, &usr1, &after);
    assert_true(sigismember(&after, SIGUSR1));
}

/* ---- Other ways in ----------------------------------------------------- */

static void test_unix_socket(void **state)
{
    char dir[] = "/tmp/caws-XXXXXX", host[128], name[64];
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    caws_server_config cfg = echo_config();
    assert_non_null(mkdtemp(dir));
    snprintf(to.sun_path, sizeof to.sun_path, "%s/socket", dir);
    snprintf(host, sizeof host, "unix:%s", to.sun_path);
    cfg.host = host;
    struct net n = net_new(state, &cfg);
    assert_int_equal(caws_server_port(n.server), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    struct peer p = peer_on(fd);
    peer_say(&p, request, sizeof request - 1);
    assert_int_equal(peer_status(&n, &p), 101);
    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    assert_int_equal(caws_peer_name(caws_find(n.loop, seen.id), name, sizeof name), CAWS_OK);
    assert_string_equal(name, "unix");
    peer_free(&p);
    assert_int_equal(access(to.sun_path, F_OK), 0);
    net_free(&n);
    assert_int_equal(access(to.sun_path, F_OK), -1);
    assert_int_equal(rmdir(dir), 0);
}

static void test_inherited_listener(void **state)
{
    caws_server_config cfg = echo_config();
    struct sockaddr_in any = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0), mistaken = socket(AF_INET, SOCK_STREAM, 0);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(fd, 5), 0);
    cfg.host = NULL;
    cfg.listen_fd = fd;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    /* On loopback, so the Host is checked here, too. */
    assert_int_equal(get(&n, "GET / HTTP/1.1\r\nHost: evil.test\r\n" UPGRADE "\r\n"), 403);
    peer_free(&p);
    /* One that does not listen is not taken. */
    cfg.listen_fd = mistaken;
    assert_null(caws_listen(n.loop, &cfg));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(close(mistaken), 0);
    net_free(&n);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void socket_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

/* The request and a message were read by someone else already. */
static void test_adopt(void **state)
{
    caws_server_config cfg = echo_config();
    uint8_t early[512];
    size_t len = sizeof request - 1;
    int fds[2];
    struct net n = net_new(state, &cfg);
    memcpy(early, request, len);
    len += frame_write(early + len, 0x81, "early", 5);
    for (size_t cut = 0; cut <= len; cut += 50) {
        socket_pair(fds);
        struct peer p = peer_on(fds[1]);
        peer_say(&p, early + cut, len - cut);
        caws_conn *ws = caws_adopt(n.server, fds[0], early, cut);
        assert_non_null(ws);
        assert_int_equal(caws_ready_state(ws), CAWS_CONNECTING);
        assert_int_equal(peer_status(&n, &p), 101);
        peer_want_text(&n, &p, "early");
        peer_free(&p);
    }
    net_free(&n);
}

static void test_adopt_open(void **state)
{
    /* REQ 4.2-1 */
    caws_server_config cfg = echo_config();
    uint8_t early[64];
    int fds[2];
    struct net n = net_new(state, &cfg);
    socket_pair(fds);
    struct peer p = peer_on(fds[1]);
    size_t len = frame_write(early, 0x81, "early", 5);
    caws_conn *ws = caws_adopt_open(n.server, fds[0], "chat", NULL, early, len - 2);
    assert_non_null(ws);
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(ws), "chat");
    assert_int_equal(seen.opens, 0); /* no handler inside the call */
    peer_say(&p, early + len - 2, 2);
    peer_text(&p, "late");
    peer_want_text(&n, &p, "early");
    peer_want_text(&n, &p, "late");
    assert_int_equal(seen.opens, 1);
    assert_int_equal(net_stats(&n).open_now, 1);
    peer_free(&p);
    net_free(&n);
}

/* A handler that pauses in on_open holds back what came early. */
static void open_and_pause(caws_conn *ws)
{
    note_open(ws);
    caws_pause(ws);
}

static void test_adopt_and_pause(void **state)
{
    caws_server_config cfg = echo_config();
    uint8_t early[64];
    int fds[2];
    cfg.ws.on_open = open_and_pause;
    struct net n = net_new(state, &cfg);
    socket_pair(fds);
    struct peer p = peer_on(fds[1]);
    size_t len = frame_write(early, 0x81, "early", 5);
    assert_non_null(caws_adopt_open(n.server, fds[0], NULL, NULL, early, len));
    peer_text(&p, "late");
    pump(&n, 3);
    assert_int_equal(seen.opens, 1);
    assert_int_equal(seen.messages, 0);
    caws_resume(caws_find(n.loop, seen.id));
    peer_want_text(&n, &p, "early");
    peer_want_text(&n, &p, "late");
    peer_free(&p);
    net_free(&n);
}

/* The descriptor is the server's, also where this fails. */
static void test_adopt_fails(void **state)
{
    caws_server_config cfg = echo_config();
    int fds[2];
    cfg.max_conns = 1;
    struct net n = net_new(state, &cfg);
    assert_null(caws_adopt(n.server, -1, NULL, 0));
    assert_int_equal(errno, EBADF);
    assert_null(caws_adopt(n.server, 1000000, NULL, 0));
    assert_int_equal(errno, EBADF);
    socket_pair(fds);
    assert_null(caws_adopt_open(n.server, fds[0], NULL, "permessage-deflate", NULL, 0));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
    socket_pair(fds);
    assert_null(caws_adopt_open(n.server, fds[0], "not a token", NULL, NULL, 0));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
    struct peer p = peer_open(&n);
    socket_pair(fds);
    assert_null(caws_adopt_open(n.server, fds[0], NULL, NULL, NULL, 0));
    assert_int_equal(errno, EUSERS);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
    socket_pair(fds);
    struct peer told = peer_on(fds[1]);
    assert_null(caws_adopt(n.server, fds[0], request, sizeof request - 1));
    assert_int_equal(errno, EUSERS);
    assert_int_equal(peer_status(&n, &told), 503);
    peer_free(&told);
    caws_server_stop(n.server, 1000);
    socket_pair(fds);
    assert_null(caws_adopt(n.server, fds[0], NULL, 0));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
    peer_free(&p);
    net_free(&n);
}

/* ---- Counting ---------------------------------------------------------- */

static void test_stats(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer a = peer_open(&n), b = peer_open(&n);
    assert_int_equal(get(&n, "GET / HTTP/1.1\r\nHost: evil.test\r\n" UPGRADE "\r\n"), 403);
    peer_text(&a, "hello");
    peer_want_text(&n, &a, "hello");
    peer_close(&b, 1000);
    peer_want_close(&n, &b, 1000);
    PUMP_UNTIL(&n, seen.closes == 1);
    caws_stats s = net_stats(&n);
    assert_int_equal(s.accepted, 3);
    assert_int_equal(s.opened, 2);
    assert_int_equal(s.closed, 1);
    assert_int_equal(s.open_now, 1); /* b only lingers */
    assert_int_equal(s.conns.messages_in, 1);
    assert_int_equal(s.conns.messages_out, 1);
    assert_int_equal(s.conns.refused, 1);
    assert_int_equal(s.buffered_now, 0);
    assert_true(s.conns.bytes_in > 2 * (sizeof request - 1));
    /* A program built against a smaller or a larger struct. */
    uint8_t raw[sizeof s + 16];
    memset(raw, 0xee, sizeof raw);
    caws_server_stats(n.server, (caws_stats *)(void *)raw, 16);
    assert_memory_equal(raw, &s, 16);
    assert_int_equal(raw[16], 0xee);
    caws_server_stats(n.server, (caws_stats *)(void *)raw, sizeof raw);
    assert_memory_equal(raw, &s, sizeof s);
    assert_int_equal(raw[sizeof s], 0);
    peer_free(&a);
    peer_free(&b);
    net_free(&n);
}

static void close_each(caws_conn *ws, void *arg)
{
    ++*(int *)arg;
    caws_close(ws, 1000, NULL);
}

static void test_each(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer a = peer_open(&n), b = peer_open(&n), c = peer_new(&n);
    int visited = 0;
    pump(&n, 2);
    caws_server_each(n.server, close_each, &visited);
    assert_int_equal(visited, 2);
    caws_server_each(n.server, close_each, &visited);
    assert_int_equal(visited, 2);
    peer_want_close(&n, &a, 1000);
    peer_want_close(&n, &b, 1000);
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_bad_configs),
        ON_BOTH(test_config_is_copied),
        ON_BOTH(test_hosts_on_loopback),
        ON_BOTH(test_one_past_max_conns_is_told_503),
        ON_BOTH(test_those_told_503_are_bounded),
        ON_BOTH(test_out_of_descriptors),
        ON_BOTH(test_stop),
        ON_BOTH(test_stop_cuts_at_the_deadline),
        ON_BOTH(test_stop_inside_on_error),
        ON_BOTH(test_stop_of_a_server_without_conns),
        ON_BOTH(test_stop_inside_on_request),
        ON_BOTH(test_stop_on_a_signal),
        ON_BOTH(test_stop_on_a_signal_that_was_blocked),
        ON_BOTH(test_unix_socket),
        ON_BOTH(test_inherited_listener),
        ON_BOTH(test_adopt),
        ON_BOTH(test_adopt_open),
        ON_BOTH(test_adopt_and_pause),
        ON_BOTH(test_adopt_fails),
        ON_BOTH(test_stats),
        ON_BOTH(test_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
