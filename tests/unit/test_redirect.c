/* lib/net/redirect.c: how the head that says so may come */
#include "../net/client.h"

#include "net/client.h"

struct moved {
    struct net n;
    caws_conn *ws;
    struct caws__client *client;
    struct peer peer;
    int listener;
};

static struct moved moved_new(void **state, uint32_t max_redirects)
{
    struct moved m = { .n = loop_only(state) };
    uint16_t port;
    m.listener = listen_by_hand(&port);
    caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/from"));
    cfg.max_redirects = max_redirects;
    m.ws = caws_connect_with(m.n.loop, &cfg);
    assert_non_null(m.ws);
    m.client = caws__client_of(caws__link_of(m.ws));
    m.peer = accept_by_hand(&m.n, m.listener);
    assert_memory_equal(read_head(&m.n, &m.peer), "GET /from HTTP/1.1\r\n", 20);
    return m;
}

static void moved_free(struct moved *m)
{
    peer_free(&m->peer);
    net_free(&m->n);
    close(m->listener);
}

/* It is followed, to this path. */
static void want_moved(struct moved *m, const char *path)
{
    struct peer old = m->peer;
    char want[64];
    int len = snprintf(want, sizeof want, "GET %s HTTP/1.1\r\n", path);
    m->peer = accept_by_hand(&m->n, m->listener);
    const char *head = read_head(&m->n, &m->peer);
    assert_memory_equal(head, want, (size_t)len);
    peer_want_end(&m->n, &old);
    peer_free(&old);
    say_101(&m->peer, head);
    PUMP_UNTIL(&m->n, seen.opens == 1);
    assert_int_equal(seen.errors, 0);
    assert_ptr_equal(seen.ws, m->ws);
    assert_null(m->client->way);
}

static void test_byte_by_byte(void **state)
{
    static const char head[] = "HTTP/1.1 103 Early\r\nLocation: /wrong\r\n\r\n"
                               "HTTP/1.1 307 Elsewhere\r\nlOCATION:\t /to?x=y \r\n\r\n";
    struct moved m = moved_new(state, 1);
    for (size_t i = 0; i < sizeof head - 1; i++) {
        assert_int_equal(m.client->way->redirects, 1);
        peer_say(&m.peer, head + i, 1);
        pump(&m.n, 0);
    }
    want_moved(&m, "/to?x=y");
    moved_free(&m);
}

/* What comes behind that head, a body for example, is nothing to the next. */
static void test_a_body(void **state)
{
    struct moved m = moved_new(state, 5);
    say_text(&m.peer, "HTTP/1.1 301 Moved\r\nLocation: /to\r\nContent-Length: 40\r\n\r\n"
                      "HTTP/1.1 302 Moved\r\nLocation: /no\r\n\r\n");
    want_moved(&m, "/to");
    caws_send_text(m.ws, "x");
    peer_want(&m.n, &m.peer, 7);
    moved_free(&m);
}

static void test_none_is_wanted(void **state)
{
    struct moved m = moved_new(state, 0);
    say_text(&m.peer, "HTTP/1.1 302 Found\r\nX-Why: moved\r\nLocation: /to\r\n\r\n");
    want_failure(&m.n, CAWS_ERR_REFUSED);
    assert_int_equal(told.status, 302);
    assert_string_equal(told.header, "moved");
    moved_free(&m);
}

/* A 101 that is screened in pieces, with a message behind it in the last. */
static void test_what_is_no_redirect_is_let_through(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
    cfg.max_redirects = 3;
    assert_non_null(caws_connect_with(n.loop, &cfg));
    struct peer p = accept_by_hand(&n, listener);
    char out[300];
    size_t len = write_101(out, sizeof out, read_head(&n, &p));
    memcpy(out + len, "\x81\x02hi", 4);
    peer_say(&p, out, len - 2);
    pump(&n, 2);
    assert_int_equal(seen.opens, 0);
    peer_say(&p, out + len - 2, 6);
    PUMP_UNTIL(&n, seen.messages == 1);
    assert_int_equal(seen.opens, 1);
    assert_string_equal(seen.text, "hi");
    peer_free(&p);
    net_free(&n);
    close(listener);
}

/* Longer than what is kept: the rest is not lost, and the rules judge it. */
static void test_a_head_that_is_too_long(void **state)
{
    static char head[CAWS__ANSWER_MAX + 100];
    struct moved m = moved_new(state, 1);
    memset(head, 'x', sizeof head);
    memcpy(head, "HTTP/1.1 302 Found\r\nLocation: /to\r\nX: ", 38);
    memcpy(head + sizeof head - 4, "\r\n\r\n", 4);
    peer_push(&m.n, &m.peer, head, sizeof head, false);
    PUMP_UNTIL(&m.n, seen.closes == 1);
    assert_int_equal(seen.opens, 0);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(try_accept(m.listener), -1);
    moved_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_byte_by_byte),
        ON_BOTH(test_a_body),
        ON_BOTH(test_none_is_wanted),
        ON_BOTH(test_what_is_no_redirect_is_let_through),
        ON_BOTH(test_a_head_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
