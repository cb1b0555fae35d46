/* lib/net/redirect.c: redirects that are followed, and those that are not. */
#include "fake_sys.h"

static caws_conn *follow(struct net *n, const char *url, uint32_t max)
{
    caws_client_config cfg = client_config(url);
    cfg.max_redirects = max;
    cfg.ws.headers = "Authorization: Basic c2VjcmV0\r\nX-Extra: 1\r\n";
    cfg.ws.subprotocols = "chat";
    caws_conn *ws = caws_connect_with(n->loop, &cfg);
    assert_non_null(ws);
    return ws;
}

static void redirect(struct peer *p, int status, const char *location)
{
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 %d Elsewhere\r\nX-Why: moved\r\nLocation: %s\r\n\r\n",
             status, location);
    say_text(p, text);
}

static void want_extra(const char *head, bool wanted)
{
    assert_int_equal(strstr(head, "Authorization:") != NULL, wanted);
    assert_int_equal(strstr(head, "X-Extra:") != NULL, wanted);
    assert_non_null(strstr(head, "Sec-WebSocket-Protocol: chat\r\n"));
}

static void key_of(const char *head, char out[25])
{
    snprintf(out, 25, "%s", strstr(head, "Sec-WebSocket-Key: ") + 19);
}

static void test_same_server(void **state)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char keys[6][25];
    caws_conn *ws = follow(&n, url_of("127.0.0.1", port, "/first"), 5);
    uint64_t id = caws_id(ws);
    for (int i = 0; i < 5; i++) {
        struct peer p = accept_by_hand(&n, listener);
        const char *head = read_head(&n, &p);
        assert_memory_equal(head, i ? "GET /next?q HTTP/1.1\r\n" : "GET /first HTTP/1.1\r\n", 20);
        want_extra(head, true);
        key_of(head, keys[i]);
        redirect(&p, statuses[i], "/next?q#fragment");
        peer_want_end(&n, &p);
        peer_free(&p);
    }
    struct peer p = accept_by_hand(&n, listener);
    const char *head = read_head(&n, &p);
    key_of(head, keys[5]);
    for (int i = 0; i < 6; i++) /* a new nonce for each connection (4.1) */
        for (int k = 0; k < i; k++)
            assert_string_not_equal(keys[i], keys[k]);
    say_101(&p, head);
    PUMP_UNTIL(&n, seen.opens == 1);
    assert_ptr_equal(seen.ws, ws);
    assert_true(seen.id == id);
    assert_int_equal(seen.errors, 0);
    caws_send_text(ws, "x");
    peer_want(&n, &p, 7);
    assert_rests(&n);
    peer_free(&p);
    net_free(&n);
    close(listener);
}

static void test_another_server(void **state)
{
    static const char *const forms[] = { "http://localhost:%u/b", "ws://127.0.0.2:%u/b",
                                         "//127.0.0.1:%u/b", "HTTP://other.example:%u/b" };
    static const struct name names[] = { { "other.example", "127.0.0.3" }, { NULL, NULL } };
    for (int i = 0; i < 4; i++) {
        char location[64], host[64];
        fake_reset();
        fake.names = names;
        struct net n = loop_only(state);
        uint16_t port, port2;
        int listener = listen_by_hand(&port), listener2 = listen_by_hand(&port2);
        follow(&n, url_of("127.0.0.1", port, "/a"), 2);
        struct peer p = accept_by_hand(&n, listener);
        want_extra(read_head(&n, &p), true);
        snprintf(location, sizeof location, forms[i], (unsigned)port2);
        redirect(&p, 302, location);
        struct peer q = accept_by_hand(&n, listener2);
        const char *head = read_head(&n, &q);
        want_extra(head, false);
        assert_memory_equal(head, "GET /b HTTP/1.1\r\nHost: ", 23);
        snprintf(host, sizeof host, ":%u\r\n", (unsigned)port2);
        assert_non_null(strstr(head, host));
        /* And back again: what was taken away does not come back. */
        snprintf(location, sizeof location, "http://127.0.0.1:%u/c", (unsigned)port);
        redirect(&q, 307, location);
        struct peer r = accept_by_hand(&n, listener);
        head = read_head(&n, &r);
        want_extra(head, false);
        say_101(&r, head);
        PUMP_UNTIL(&n, seen.opens == 1);
        peer_free(&p);
        peer_free(&q);
        peer_free(&r);
        net_free(&n);
        close(listener);
        close(listener2);
    }
}

/* A refusal as any other. */
static void test_not_followed(void **state)
{
    static const struct {
        int status;
        const char *location;
    } rows[] = {
        { 302, "https://localhost/" }, { 302, "wss://localhost/" }, { 302, "relative" },
        { 302, "" },                   { 302, "http://" },          { 302, "ftp://localhost/" },
        { 302, "http://u:p@localhost/" }, { 302, "/a b" },          { 302, "javascript:alert(1)" },
        { 304, "/x" },                 { 300, "/x" },               { 401, "/x" },
        { 200, "/x" },                 { 302, "/x\r\nLocation: /y" },
    };
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(&seen, 0, sizeof seen);
        memset(&told, 0, sizeof told);
        follow(&n, url_of("127.0.0.1", port, "/"), 3);
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        redirect(&p, rows[i].status, rows[i].location);
        want_failure(&n, CAWS_ERR_REFUSED);
        assert_int_equal(told.status, rows[i].status);
        assert_string_equal(told.header, "moved");
        peer_free(&p);
        assert_int_equal(try_accept(listener), -1);
    }
    net_free(&n);
    close(listener);
}

static void test_too_many(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port), before;
    before = count_descriptors();
    follow(&n, url_of("127.0.0.1", port, "/"), 2);
    for (int i = 0; i < 3; i++) {
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        redirect(&p, 302, "/again");
        if (i < 2)
            peer_want_end(&n, &p);
        else
            want_failure(&n, CAWS_ERR_REFUSED);
        peer_free(&p);
    }
    assert_int_equal(told.status, 302);
    assert_int_equal(count_descriptors(), before);
    net_free(&n);
    close(listener);
}

/* Whatever else is in the answer reaches the conn, in any segmentation. */
static void test_what_is_screened_is_not_lost(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char out[512] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    size_t total = 1;
    for (size_t cut = 0; cut < total; cut += 7) {
        memset(&seen, 0, sizeof seen);
        follow(&n, url_of("127.0.0.1", port, "/"), 1);
        struct peer p = accept_by_hand(&n, listener);
        total = 28 + write_101(out + 28, sizeof out - 28, read_head(&n, &p));
        memcpy(out + total, "\x81\x02hi", 4);
        total += 4;
        peer_say(&p, out, cut);
        pump(&n, 2);
        peer_say(&p, out + cut, total - cut);
        PUMP_UNTIL(&n, seen.messages == 1);
        assert_string_equal(seen.text, "hi");
        caws_abort(seen.ws);
        PUMP_UNTIL(&n, seen.closes == 1);
        peer_free(&p);
    }
    net_free(&n);
    close(listener);
}

/* Too much for a look, and an end in the middle. */
static void test_answers_that_are_none(void **state)
{
    fake_reset();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char *much = malloc(65536);
    memset(much, 'x', 65536);
    memcpy(much, "HTTP/1.1 302 Found\r\nX: ", 23);
    for (int i = 0; i < 3; i++) {
        memset(&seen, 0, sizeof seen);
        follow(&n, url_of("127.0.0.1", port, "/"), 1);
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        if (i < 2)
            peer_push(&n, &p, much, i ? 65536 : 50, true);
        peer_free(&p);
        want_failure(&n, i == 1 ? CAWS_ERR_HANDSHAKE : CAWS_ERR_EOF);
    }
    free(much);
    net_free(&n);
    close(listener);
}

/* On the way to the second server, everything may still go wrong. */
static void test_second_server_fails(void **state)
{
    static const struct fate_of fates[] = { { "127.0.0.2", REFUSE }, { "127.0.0.3", HOLE },
                                            { NULL, PASS } };
    static const struct {
        const char *location;
        int error;
    } rows[] = { { "http://127.0.0.2/", CAWS_ERR_CONNECT },
                 { "http://127.0.0.3/", CAWS_ERR_TIMEOUT },
                 { "http://none.example/", CAWS_ERR_RESOLVE } };
    fake_reset();
    fake.fates = fates;
    fake.hole = hole_new();
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    for (int i = 0; i < 3; i++) {
        memset(&seen, 0, sizeof seen);
        caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
        cfg.max_redirects = 1;
        cfg.connect_timeout_ms = 30;
        assert_non_null(caws_connect_with(n.loop, &cfg));
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        redirect(&p, 302, rows[i].location);
        want_failure(&n, rows[i].error);
        peer_free(&p);
    }
    hole_free(&fake.hole);
    net_free(&n);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_same_server),          ON_BOTH(test_another_server),
        ON_BOTH(test_not_followed),         ON_BOTH(test_too_many),
        ON_BOTH(test_what_is_screened_is_not_lost),
        ON_BOTH(test_answers_that_are_none), ON_BOTH(test_second_server_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
