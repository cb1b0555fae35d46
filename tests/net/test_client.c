/* lib/net/client.c: clients over real sockets. */
#include "client.h"

#include <sys/stat.h>

static void test_echo_and_close(void **state)
{
    caws_server_config cfg = { .host = "127.0.0.1" };
    cfg.ws.on_message = echo_message;
    struct net n = net_new(state, &cfg);
    uint16_t port = caws_server_port(n.server);
    caws_client_config client = client_config(url_of("127.0.0.1", port, "/chat"));
    client.ws.on_message = NULL;
    caws_conn *ws = caws_connect_with(n.loop, &client);
    char name[64], want[64];
    assert_non_null(ws);
    assert_int_equal(caws_ready_state(ws), CAWS_CONNECTING);
    assert_int_equal(caws_send_text(ws, "x"), CAWS_ERR_STATE);
    assert_int_equal(caws_fd(ws), -1);
    assert_true(caws_peer_name(ws, name, sizeof name) < 0);
    assert_true(caws_id(ws) > 0);
    assert_ptr_equal(caws_find(n.loop, caws_id(ws)), ws);
    assert_ptr_equal(caws_loop_of(ws), n.loop);
    assert_null(caws_server_of(ws));
    assert_true(caws_is_client(ws));
    PUMP_UNTIL(&n, seen.opens == 1);
    assert_ptr_equal(seen.ws, ws);
    assert_true(caws_fd(ws) >= 0);
    snprintf(want, sizeof want, "127.0.0.1:%u", (unsigned)port);
    assert_int_equal(caws_peer_name(ws, name, sizeof name), CAWS_OK);
    assert_string_equal(name, want);
    assert_int_equal(caws_send_text(ws, "hello"), CAWS_OK);
    PUMP_UNTIL(&n, seen.messages == 1);
    assert_string_equal(seen.text, "hello");
    assert_int_equal(caws_close(ws, 1000, "bye"), CAWS_OK);
    PUMP_UNTIL(&n, seen.closes == 1);
    assert_int_equal(seen.code, 1000);
    assert_true(seen.clean);
    assert_int_equal(seen.errors, 0);
    PUMP_UNTIL(&n, n.loop->live == 1);
    assert_rests(&n);
    net_free(&n);
}

static void test_request_goes_to_the_port_of_the_url(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    caws_config cfg = { .on_open = note_open, .on_message = note_message };
    char host[64];
    assert_non_null(caws_connect(n.loop, url_of("localhost", port, "/a?b"), &cfg));
    /* REQ 4.1-8 */
    struct peer p = accept_by_hand(&n, listener);
    const char *head = read_head(&n, &p);
    snprintf(host, sizeof host, "\r\nHost: localhost:%u\r\n", (unsigned)port);
    assert_memory_equal(head, "GET /a?b HTTP/1.1\r\n", 19);
    assert_non_null(strstr(head, host));
    assert_int_equal(p.len, 0);
    char out[512];
    size_t len = write_101(out, sizeof out, head);
    memcpy(out + len, "\x81\x05hello", 7); /* in the same segment */
    peer_say(&p, out, len + 7);
    PUMP_UNTIL(&n, seen.messages == 1);
    assert_string_equal(seen.text, "hello");
    /* Small messages leave at once: TCP_NODELAY. */
    int nodelay = 0;
    socklen_t size = sizeof nodelay;
    getsockopt((int)caws_fd(seen.ws), IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
    assert_true(nodelay);
    assert_true(fcntl((int)caws_fd(seen.ws), F_GETFD) & FD_CLOEXEC);
    peer_free(&p);
    net_free(&n);
    close(listener);
}

static void test_nobody_listens(void **state)
{
    struct net n = loop_only(state);
    int before = count_descriptors();
    const char *const hosts[] = { "127.0.0.1", "localhost" };
    for (int i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof seen);
        caws_client_config cfg = client_config(url_of(hosts[i], closed_port(), "/"));
        assert_non_null(caws_connect_with(n.loop, &cfg));
        assert_int_equal(seen.errors, 0); /* handlers run in a step only */
        /* REQ 4.1-10 */
        want_failure(&n, CAWS_ERR_CONNECT);
        assert_int_equal(count_descriptors(), before);
    }
    assert_rests(&n);
    net_free(&n);
}

static void test_refused(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
    assert_non_null(caws_connect_with(n.loop, &cfg));
    struct peer p = accept_by_hand(&n, listener);
    read_head(&n, &p);
    say_text(&p, "HTTP/1.1 302 Found\r\nLocation: /other\r\nX-Why: moved\r\n\r\n");
    want_failure(&n, CAWS_ERR_REFUSED);
    assert_int_equal(told.status, 302);
    assert_string_equal(told.header, "moved");
    peer_free(&p);
    assert_int_equal(try_accept(listener), -1); /* nothing is followed */
    net_free(&n);
    close(listener);
}

static void test_answers_that_are_none(void **state)
{
    static const struct {
        const char *answer;
        int error;
    } rows[] = {
        { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", CAWS_ERR_HANDSHAKE },
        { "220 mail ESMTP\r\n", CAWS_ERR_HANDSHAKE },
        { "", CAWS_ERR_EOF },
        { "HTTP/1.1 101 Swit", CAWS_ERR_EOF },
    };
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(&seen, 0, sizeof seen);
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        assert_non_null(caws_connect_with(n.loop, &cfg));
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        say_text(&p, rows[i].answer);
        peer_free(&p);
        want_failure(&n, rows[i].error);
    }
    net_free(&n);
    close(listener);
}

static void test_timeouts(void **state)
{
    struct net n = loop_only(state);
    struct hole hole = hole_new();
    uint16_t port;
    int listener = listen_by_hand(&port);
    caws_client_config cfg = client_config(url_of("127.0.0.1", hole.port, "/"));
    cfg.connect_timeout_ms = 40;
    uint64_t begin = caws__sys_now_ms();
    assert_non_null(caws_connect_with(n.loop, &cfg));
    want_failure(&n, CAWS_ERR_TIMEOUT);
    assert_in_range(caws__sys_now_ms() - begin, 40, 1000);
    assert_non_null(strstr(told.detail, "connect_timeout_ms"));
    hole_free(&hole);

    memset(&seen, 0, sizeof seen);
    cfg.url = url_of("127.0.0.1", port, "/");
    cfg.connect_timeout_ms = CAWS_OFF;
    cfg.ws.handshake_timeout_ms = 40;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    want_failure(&n, CAWS_ERR_TIMEOUT);
    assert_non_null(strstr(told.detail, "handshake_timeout_ms"));
    net_free(&n);
    close(listener);
}

static void test_unix_socket(void **state)
{
    char dir[] = "/tmp/caws-client-XXXXXX", host[64], url[128];
    assert_non_null(mkdtemp(dir));
    snprintf(host, sizeof host, "unix:%s/s", dir);
    snprintf(url, sizeof url, "ws+unix:%s/s:/chat?x", dir);
    caws_server_config cfg = { .host = host };
    cfg.ws.path = "/chat";
    cfg.ws.hosts = "localhost";
    cfg.ws.on_message = echo_message;
    struct net n = net_new(state, &cfg);
    caws_client_config client = client_config(url);
    assert_non_null(caws_connect_with(n.loop, &client));
    PUMP_UNTIL(&n, seen.opens == 1);
    caws_send_text(seen.ws, "local");
    PUMP_UNTIL(&n, seen.messages == 2); /* the server's, and the client's */
    assert_string_equal(seen.text, "local");
    caws_server_stop(n.server, 0);
    PUMP_UNTIL(&n, seen.closes == 1);
    memset(&seen, 0, sizeof seen);
    assert_non_null(caws_connect_with(n.loop, &client));
    want_failure(&n, CAWS_ERR_CONNECT);
    net_free(&n);
    assert_int_equal(rmdir(dir), 0);
}

static int no_random(void *ctx, void *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return -1;
}

static void want_einval(struct net *n, caws_client_config cfg, int error)
{
    errno = 0;
    assert_null(caws_connect_with(n->loop, &cfg));
    assert_int_equal(errno, error);
    assert_int_equal(n->loop->live, 0);
}

static void test_bad_arguments(void **state)
{
    /* REQ HS-9 */
    static const char *const urls[] = { NULL,         "",           "http://h/",  "ws://h/#f",
                                        "wss://h/",   "ws+unix:",   "ws://u@h/",  "ws+unix::/x",
                                        "ws://h:0/",  "ws+unix:/s:chat" };
    struct net n = loop_only(state);
    caws_client_config good = client_config("ws://127.0.0.1:1/"), cfg;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        cfg = good;
        cfg.url = urls[i];
        want_einval(&n, cfg, EINVAL);
    }
    cfg = good, cfg.tls = (const struct caws_tls *)&n;
    want_einval(&n, cfg, EINVAL);
    cfg = good, cfg.reserved_[7] = &n;
    want_einval(&n, cfg, EINVAL);
    cfg = good, cfg.proxy = "https://h/";
    want_einval(&n, cfg, EINVAL);
    cfg = good, cfg.proxy = "http://h/", cfg.url = "ws+unix:/s";
    want_einval(&n, cfg, EINVAL);
    cfg = good, cfg.ws.headers = "no line end";
    want_einval(&n, cfg, EINVAL);
    cfg = good, cfg.ws.random = no_random;
    want_einval(&n, cfg, EIO);
    assert_null(caws_connect(n.loop, good.url, NULL));
    assert_null(caws_connect(NULL, good.url, &good.ws));
    assert_null(caws_connect_with(n.loop, NULL));
    net_free(&n);
}

static void connect_again(caws_conn *ws, const caws_close_event *event)
{
    caws_config cfg = { 0 };
    note_close(ws, event);
    errno = 0;
    assert_null(caws_connect(caws_loop_of(ws), "ws://127.0.0.1:1/", &cfg));
    assert_int_equal(errno, ECANCELED);
}

/* At each stage of its way. */
static void test_loop_is_freed(void **state)
{
    int before = count_descriptors();
    for (int steps = 0; steps < 6; steps++) {
        struct net n = loop_only(state);
        uint16_t port;
        int listener = listen_by_hand(&port);
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        cfg.ws.on_close = connect_again;
        for (int i = 0; i < 3; i++)
            assert_non_null(caws_connect_with(n.loop, &cfg));
        for (int i = 0; i < steps; i++)
            caws_loop_step(n.loop, 0);
        net_free(&n);
        assert_int_equal(seen.closes, 3);
        assert_int_equal(seen.errors, 0);
        close(listener);
        assert_int_equal(count_descriptors(), before);
    }
}

static void test_closed_by_the_application(void **state)
{
    int before = count_descriptors();
    for (int steps = 0; steps < 12; steps++) {
        struct net n = loop_only(state);
        uint16_t port;
        int listener = listen_by_hand(&port);
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        caws_conn *ws = caws_connect_with(n.loop, &cfg);
        caws_conn *other = caws_connect_with(n.loop, &cfg); /* waits */
        for (int i = 0; i < steps / 2; i++)
            caws_loop_step(n.loop, 0);
        if (steps % 2)
            caws_abort(other);
        else
            assert_int_equal(caws_close(other, 1000, NULL), CAWS_OK);
        PUMP_UNTIL(&n, seen.closes == 1);
        assert_int_equal(seen.errors, !(steps % 2));
        assert_int_equal(caws_close(ws, 0, NULL), CAWS_OK);
        PUMP_UNTIL(&n, n.loop->live == 0);
        assert_int_equal(seen.closes, 2);
        assert_int_equal(seen.error, CAWS_ERR_EOF);
        net_free(&n);
        close(listener);
        assert_int_equal(count_descriptors(), before);
    }
}

/* Nothing of the config is needed any more. */
static void test_config_is_copied(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char url[512], headers[] = "X-One: 1\r\n", names[] = "chat, mail", origin[] = "http://o";
    snprintf(url, sizeof url, "%s", url_of("127.0.0.1", port, "/copied"));
    caws_client_config *cfg = malloc(sizeof *cfg);
    *cfg = client_config(url);
    cfg->ws.headers = headers;
    cfg->ws.subprotocols = names;
    cfg->ws.origin = origin;
    assert_non_null(caws_connect_with(n.loop, cfg));
    memset(url, 'x', sizeof url - 1);
    memset(headers, 'x', sizeof headers - 1);
    memset(names, 'x', sizeof names - 1);
    memset(origin, 'x', sizeof origin - 1);
    free(cfg);
    struct peer p = accept_by_hand(&n, listener);
    const char *head = read_head(&n, &p);
    assert_memory_equal(head, "GET /copied ", 12);
    assert_non_null(strstr(head, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(head, ": chat, mail\r\n"));
    assert_non_null(strstr(head, "\r\nOrigin: http://o\r\n"));
    peer_free(&p);
    net_free(&n);
    close(listener);
}

static void test_run_ends_with_the_last_client(void **state)
{
    struct net n = loop_only(state);
    caws_client_config cfg = client_config(url_of("127.0.0.1", closed_port(), "/"));
    assert_non_null(caws_connect_with(n.loop, &cfg));
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_int_equal(seen.closes, 1);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_echo_and_close), ON_BOTH(test_request_goes_to_the_port_of_the_url),
        ON_BOTH(test_nobody_listens), ON_BOTH(test_refused),
        ON_BOTH(test_answers_that_are_none), ON_BOTH(test_timeouts),
        ON_BOTH(test_unix_socket), ON_BOTH(test_bad_arguments),
        ON_BOTH(test_loop_is_freed), ON_BOTH(test_closed_by_the_application),
        ON_BOTH(test_config_is_copied), ON_BOTH(test_run_ends_with_the_last_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
