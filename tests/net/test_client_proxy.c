/* lib/net/tunnel.c: through an HTTP proxy. */
#include "fake_sys.h"

static const struct name names[] = { { "proxy.example", "192.0.2.9" }, { NULL, NULL } };
static char proxy_url[64];

static struct net proxy_new(void **state, int *listener)
{
    uint16_t port;
    fake_reset();
    fake.names = names;
    *listener = listen_by_hand(&port);
    snprintf(proxy_url, sizeof proxy_url, "http://proxy.example:%u", (unsigned)port);
    return loop_only(state);
}

static caws_conn *connect_by_proxy(struct net *n, const char *url)
{
    caws_client_config cfg = client_config(url);
    cfg.proxy = proxy_url;
    caws_conn *ws = caws_connect_with(n->loop, &cfg);
    assert_non_null(ws);
    return ws;
}

static void test_proxy_is_asked(void **state)
{
    static const struct {
        const char *url, *request;
    } rows[] = {
        { "ws://example.com/chat",
          "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n" },
        { "ws://[::1]:8080/", "CONNECT [::1]:8080 HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n" },
    };
    for (int i = 0; i < 2; i++) {
        int listener;
        struct net n = proxy_new(state, &listener);
        connect_by_proxy(&n, rows[i].url);
        struct peer p = accept_by_hand(&n, listener);
        /* REQ 4.1-7 */
        assert_string_equal(read_head(&n, &p), rows[i].request);
        pump(&n, 5);
        peer_take(&p);
        assert_int_equal(p.len, 0); /* nothing more before it has answered */
        assert_int_equal(fake.asked, 1); /* not for the host */
        say_text(&p, "HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\r\nX: y\r\n\r\n");
        const char *head = read_head(&n, &p);
        assert_memory_equal(head, "GET /", 5);
        say_101(&p, head);
        PUMP_UNTIL(&n, seen.opens == 1);
        caws_send_text(seen.ws, "x");
        peer_want(&n, &p, 7);
        assert_rests(&n);
        peer_free(&p);
        net_free(&n);
        close(listener);
    }
}

static void test_proxy_refuses(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 407 Authenticate\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200", "",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        int listener, before = count_descriptors();
        struct net n = proxy_new(state, &listener);
        connect_by_proxy(&n, "ws://example.com/");
        struct peer p = accept_by_hand(&n, listener);
        read_head(&n, &p);
        say_text(&p, answers[i]);
        peer_free(&p);
        /* REQ 4.1-7 */
        want_failure(&n, CAWS_ERR_CONNECT);
        assert_non_null(strstr(told.detail, "proxy"));
        assert_rests(&n);
        net_free(&n);
        close(listener);
        assert_int_equal(count_descriptors(), before);
    }
}

/* A head without an end. */
static void test_proxy_says_too_much(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    char *much = malloc(65536);
    memset(much, 'x', 65536);
    memcpy(much, "HTTP/1.1 200 OK\r\nX: ", 20);
    connect_by_proxy(&n, "ws://example.com/");
    struct peer p = accept_by_hand(&n, listener);
    read_head(&n, &p);
    peer_push(&n, &p, much, 65536, false);
    want_failure(&n, CAWS_ERR_CONNECT);
    peer_free(&p);
    net_free(&n);
    close(listener);
    free(much);
}

static void test_proxy_is_not_there(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    close(listener);
    connect_by_proxy(&n, "ws://example.com/");
    want_failure(&n, CAWS_ERR_CONNECT);
    memset(&seen, 0, sizeof seen);
    snprintf(proxy_url, sizeof proxy_url, "http://none.example");
    connect_by_proxy(&n, "ws://example.com/");
    want_failure(&n, CAWS_ERR_RESOLVE);
    net_free(&n);
}

static void test_proxy_is_silent(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    caws_client_config cfg = client_config("ws://example.com/");
    cfg.proxy = proxy_url;
    cfg.connect_timeout_ms = 40;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    want_failure(&n, CAWS_ERR_TIMEOUT);
    assert_rests(&n);
    net_free(&n);
    close(listener);
}

/* What comes behind the proxy's head is the server's: no part of it is lost,
 * even if it is much too early. */
static void test_server_is_early(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    connect_by_proxy(&n, "ws://example.com/");
    struct peer p = accept_by_hand(&n, listener);
    read_head(&n, &p);
    say_text(&p, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 503 Busy\r\nX-Why: late\r\n\r\n");
    want_failure(&n, CAWS_ERR_REFUSED);
    assert_int_equal(told.status, 503);
    assert_string_equal(told.header, "late");
    peer_free(&p);
    net_free(&n);
    close(listener);
}

/* It redirects before it was asked: the next way begins all the same. */
static void test_server_is_early_with_a_redirect(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    caws_client_config cfg = client_config("ws://example.com/");
    cfg.proxy = proxy_url;
    cfg.max_redirects = 1;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    struct peer p = accept_by_hand(&n, listener);
    read_head(&n, &p);
    say_text(&p, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 302 F\r\nLocation: /next\r\n\r\n");
    struct peer again = accept_by_hand(&n, listener);
    read_head(&n, &again);
    say_text(&again, "HTTP/1.1 200 OK\r\n\r\n");
    const char *head = read_head(&n, &again);
    assert_memory_equal(head, "GET /next ", 10);
    say_101(&again, head);
    PUMP_UNTIL(&n, seen.opens == 1);
    peer_free(&p);
    peer_free(&again);
    net_free(&n);
    close(listener);
}

/* The addresses behind a proxy are not known: each host counts as one. */
static void test_turns_of_hosts(void **state)
{
    int listener;
    struct net n = proxy_new(state, &listener);
    connect_by_proxy(&n, "ws://a.example/1");
    connect_by_proxy(&n, "ws://A.example:80/2");
    connect_by_proxy(&n, "ws://b.example/3");
    /* REQ 4.1-5 */
    struct peer a = accept_by_hand(&n, listener), b = accept_by_hand(&n, listener);
    pump(&n, 20);
    assert_int_equal(try_accept(listener), -1);
    bool swapped = strstr(read_head(&n, &a), "CONNECT b.") != NULL;
    struct peer *first = swapped ? &b : &a;
    assert_non_null(strstr(read_head(&n, &b), swapped ? "CONNECT a." : "CONNECT b."));
    say_text(first, "HTTP/1.1 200 OK\r\n\r\n");
    say_101(first, read_head(&n, first));
    PUMP_UNTIL(&n, seen.opens == 1);
    struct peer c = accept_by_hand(&n, listener);
    assert_non_null(strstr(read_head(&n, &c), "CONNECT A.example:80 "));
    peer_free(&a);
    peer_free(&b);
    peer_free(&c);
    net_free(&n);
    close(listener);
}

static bool no_memory;

static void *scarce_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx, (void)old_size;
    if (new_size > 0)
        return no_memory ? NULL : realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* Its bytes have to be kept until the conn has sent its request: without room
 * for them there is no conn. */
static void test_server_is_early_and_there_is_no_memory(void **state)
{
    const caws_alloc alloc = { scarce_resize, NULL };
    int listener, before = count_descriptors();
    struct net n = proxy_new(state, &listener);
    caws_loop_free(n.loop);
    n.loop = caws__loop_new_with(&alloc, *state);
    connect_by_proxy(&n, "ws://example.com/");
    struct peer p = accept_by_hand(&n, listener);
    read_head(&n, &p);
    say_text(&p, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n");
    no_memory = true;
    want_failure(&n, CAWS_ERR_NOMEM);
    no_memory = false;
    peer_want_end(&n, &p);
    assert_int_equal(p.len, 0); /* nothing was said to the server */
    peer_free(&p);
    net_free(&n);
    close(listener);
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_proxy_is_asked),     ON_BOTH(test_proxy_refuses),
        ON_BOTH(test_proxy_says_too_much), ON_BOTH(test_proxy_is_not_there),
        ON_BOTH(test_proxy_is_silent),    ON_BOTH(test_server_is_early),
        ON_BOTH(test_server_is_early_with_a_redirect),
        ON_BOTH(test_turns_of_hosts),
        ON_BOTH(test_server_is_early_and_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
