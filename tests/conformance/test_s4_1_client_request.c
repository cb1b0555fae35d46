/* RFC 6455 section 4.1, first half: the request that a client sends. */
#include "upgrade.h"

#include <sys/random.h>

static int no_random(void *ctx, void *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return -1;
}

static int system_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

/* A client that has sent its request. */
static void ask(struct peer *p, const char *url, caws_config cfg)
{
    cfg.random = upgrade_nonce;
    peer_client(p, url, &cfg);
    assert_non_null(p->ws);
}

static void request_is_exactly_this(void **state)
{
    struct peer p = { 0 };
    (void)state;
    ask(&p, "ws://server.example.com/chat", (caws_config){ 0 });
    /* REQ 4.1-2, 4.1-15, 4.1-17, 4.1-20 */
    /* REQ 4.1-21, 4.1-25, 9112-2.2-4, 4.4-1 */
    assert_int_equal(p.out_len, strlen(PEER_REQUEST));
    assert_memory_equal(p.out, PEER_REQUEST, p.out_len);
    assert_string_equal(p.log, "");
    /* REQ 4.1-28, 9-1 */
    assert_false(peer_out_has(&p, "Sec-WebSocket-Extensions"));
    peer_free(&p);
}

static void client_starts_connecting(void **state)
{
    caws_config cfg = { .random = upgrade_nonce };
    caws_conn *ws = caws_new_client("ws://h/", &cfg, NULL);
    (void)state;
    assert_non_null(ws);
    /* REQ 4.1-1 */
    assert_int_equal(caws_ready_state(ws), CAWS_CONNECTING);
    assert_int_equal(caws_send_text(ws, "x"), CAWS_ERR_STATE);
    assert_int_equal(caws_send(ws, CAWS_BINARY, "x", 1), CAWS_ERR_STATE);
    assert_int_equal(caws_send_fragment(ws, CAWS_TEXT, "x", 1, true), CAWS_ERR_STATE);
    assert_int_equal(caws_ping(ws, NULL, 0), CAWS_ERR_STATE);
    assert_int_equal(caws_pong(ws, NULL, 0), CAWS_ERR_STATE);
    assert_int_equal(caws_buffered_amount(ws), 0);
    assert_string_equal(caws_subprotocol(ws), "");
    assert_true(caws_is_client(ws));
    caws_free(ws);
}

static void nothing_follows_before_the_101(void **state)
{
    struct peer p = { 0 };
    size_t len;
    (void)state;
    ask(&p, "ws://server.example.com/chat", (caws_config){ 0 });
    len = p.out_len;
    for (const char *s = UPGRADE_RESPONSE; *s; s++) {
        /* REQ 4.1-30 */
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CONNECTING);
        peer_feed(&p, s, 1);
        assert_int_equal(p.out_len, len);
    }
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
    peer_free(&p);
}

static void bad_urls_make_no_client(void **state)
{
    static const char *const urls[] = {
        "ws://h:70000/", "ws://", "", "http://h/", "ws://h/#f", "ws://u:p@h/",
        "ws://h/a b", "ws://h/a\r\nX: y", "ws://h/\xc3\xa9", "ws://[::1/",
    };
    caws_config cfg = { .random = upgrade_nonce };
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        /* REQ 4.1-3 */
        assert_int_equal(caws_config_check(&cfg, urls[i]), CAWS_ERR_URL);
        assert_null(caws_new_client(urls[i], &cfg, NULL));
    }
}

static void target_and_host_come_from_the_url(void **state)
{
    static const struct {
        const char *url, *line, *host;
    } rows[] = {
        { "ws://example.com/chat?x", "GET /chat?x HTTP/1.1\r\n", "Host: example.com\r\n" },
        { "ws://example.com", "GET / HTTP/1.1\r\n", "Host: example.com\r\n" },
        { "ws://example.com?q", "GET /?q HTTP/1.1\r\n", "Host: example.com\r\n" },
        { "ws://h:80/", "GET / HTTP/1.1\r\n", "Host: h\r\n" },
        { "ws://h:81/", "GET / HTTP/1.1\r\n", "Host: h:81\r\n" },
        { "ws://h:443/", "GET / HTTP/1.1\r\n", "Host: h:443\r\n" },
        { "ws://[::1]:81/", "GET / HTTP/1.1\r\n", "Host: [::1]:81\r\n" },
        { "ws://[::1]/", "GET / HTTP/1.1\r\n", "Host: [::1]\r\n" },
        { "wss://h:443/", "GET / HTTP/1.1\r\n", "Host: h\r\n" },
        { "wss://h:80/", "GET / HTTP/1.1\r\n", "Host: h:80\r\n" },
        { "ws://h/a/../b?c=%20", "GET /a/../b?c=%20 HTTP/1.1\r\n", "Host: h\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        ask(&p, rows[i].url, (caws_config){ 0 });
        /* REQ 4.1-18, 4.1-19, 9112-3.2-2, 9112-3.2.1-1 */
        assert_true(peer_out_starts(&p, rows[i].line));
        assert_int_equal(upgrade_lines(&p, rows[i].host), 1);
        assert_int_equal(upgrade_lines(&p, "Host"), 1);
        peer_free(&p);
    }
}

static bool is_canonical_key(const char *key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return strspn(key, alphabet) == 22 && strchr("AQgw", key[21]) &&
           strncmp(key + 22, "==\r\n", 4) == 0;
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, 24);
}

static void keys_are_16_fresh_random_bytes(void **state)
{
    enum { COUNT = 100000 };
    caws_config cfg = { .random = system_random };
    char (*keys)[24] = malloc((size_t)COUNT * 24);
    (void)state;
    assert_non_null(keys);
    for (size_t i = 0; i < COUNT; i++) {
        caws_conn *ws = caws_new_client("ws://h/", &cfg, NULL);
        char text[256] = "";
        const char *key;
        caws_slice s;
        assert_int_equal(caws_output(ws, &s, 1), 1);
        memcpy(text, s.data, s.len < 255 ? s.len : 255);
        key = strstr(text, "Sec-WebSocket-Key: ") + 19;
        /* REQ 4.1-22 */
        assert_true(is_canonical_key(key));
        memcpy(keys[i], key, 24);
        caws_free(ws);
    }
    qsort(keys, COUNT, 24, by_text);
    for (size_t i = 1; i < COUNT; i++) {
        /* REQ 4.1-23 */
        assert_memory_not_equal(keys[i - 1], keys[i], 24);
    }
    free(keys);
    cfg.random = no_random;
    assert_null(caws_new_client("ws://h/", &cfg, NULL));
    cfg.random = NULL;
    assert_int_equal(caws_config_check(&cfg, "ws://h/"), CAWS_ERR_ARG);
    assert_null(caws_new_client("ws://h/", &cfg, NULL));
}

static void expect_valid(caws_config cfg, bool valid)
{
    caws_conn *ws;
    cfg.random = upgrade_nonce;
    ws = caws_new_client("ws://h/", &cfg, NULL);
    assert_int_equal(caws_config_check(&cfg, "ws://h/"), valid ? CAWS_OK : CAWS_ERR_ARG);
    assert_int_equal(ws != NULL, valid);
    caws_free(ws);
}

static void origin_is_sent_only_if_set(void **state)
{
    struct peer p = { 0 };
    (void)state;
    /* REQ 4.1-24 */
    ask(&p, "ws://h/", (caws_config){ .origin = "https://a" });
    assert_int_equal(upgrade_lines(&p, "Origin: https://a\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Origin"), 1);
    peer_free(&p);
    ask(&p, "ws://h/", (caws_config){ 0 });
    assert_int_equal(upgrade_lines(&p, "Origin"), 0);
    peer_free(&p);
    expect_valid((caws_config){ .origin = "https://a\r\nX: y" }, false);
    expect_valid((caws_config){ .origin = "https://a\n" }, false);
    expect_valid((caws_config){ .origin = "" }, false);
}

static void subprotocols_are_offered_in_order(void **state)
{
    static const char *const bad[] = { "",    " ",    "a b", "a\x80", "a\"", "a/b",
                                       "a,a", "a;b",  "a@b", "a\tb",  "{a}", "a\r\nX: y",
                                       ",",   "a\x7f", "b, a, b" };
    struct peer p = { 0 };
    (void)state;
    ask(&p, "ws://h/", (caws_config){ .subprotocols = "a,b" });
    /* REQ 4.1-26 */
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Protocol: a, b\r\n"), 1);
    peer_free(&p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* REQ 4.1-27, HS-8 */
        expect_valid((caws_config){ .subprotocols = bad[i] }, false);
    }
    expect_valid((caws_config){ .subprotocols = "a, A" }, true);
    expect_valid((caws_config){ .subprotocols = "!#$%&'*+-.^_`|~09azAZ" }, true);
}

static void extra_fields_go_out_verbatim(void **state)
{
    static const char lines[] = "Cookie: a=1; b=\"2\"\r\nAuthorization: Basic eDp5\r\n";
    static const char *const bad[] = {
        "a b: c\r\n",         ": c\r\n",           "a(b): c\r\n",  "\x80: c\r\n",
        "Cookie: a\nb\r\n",   "Cookie: a\rb\r\n",  "Cookie: a",    "Cookie: a\n",
        "Cookie: a\x01\r\n",  "Cookie\r\n",        "Cookie : a\r\n", " Cookie: a\r\n",
        "Host: x\r\n",        "Upgrade: x\r\n",    "cOnnection: x\r\n", "Origin: x\r\n",
        "Sec-WebSocket-Key: x\r\n", "sec-websocket-extensions: x\r\n", "\r\nGET / HTTP/1.1\r\n",
        "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Expect: x\r\n",
        "X: a\r\n\r\nGET / HTTP/1.1\r\n", "X: a\r\n b\r\n", "X: a\r\nY\r\nZ: b\r\n",
    };
    struct peer p = { 0 };
    (void)state;
    ask(&p, "ws://server.example.com/chat", (caws_config){ .headers = lines });
    /* REQ 4.1-29, 9112-11.1-1 */
    assert_int_equal(p.out_len, strlen(PEER_REQUEST_LINES) + strlen(lines) + 2);
    assert_true(peer_out_starts(&p, PEER_REQUEST_LINES));
    assert_string_equal((char *)p.out + strlen(PEER_REQUEST_LINES),
                        "Cookie: a=1; b=\"2\"\r\nAuthorization: Basic eDp5\r\n\r\n");
    peer_free(&p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_valid((caws_config){ .headers = bad[i] }, false);
}

static void strict_server_takes_every_request(void **state)
{
    static const char *const urls[] = { "ws://server.example.com/chat", "ws://[::1]:81?a=%20",
                                        "wss://a_b:444/x/../y;z=1?!$&'()*+,;=:@/?" };
    static const caws_config cfgs[] = {
        { 0 },
        { .subprotocols = "chat, superchat", .origin = "http://server.example.com",
          .headers = "Cookie: a=1\r\nX-Empty:\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct peer p = { 0 };
        ask(&p, urls[i / 2], cfgs[i % 2]);
        /* REQ 4.1-16 */
        assert_int_equal(
            upgrade_request(&(caws_config){ .origins = i % 2 ? "*" : NULL }, p.out, p.out_len),
            101);
        peer_free(&p);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_exactly_this),
        cmocka_unit_test(client_starts_connecting),
        cmocka_unit_test(nothing_follows_before_the_101),
        cmocka_unit_test(bad_urls_make_no_client),
        cmocka_unit_test(target_and_host_come_from_the_url),
        cmocka_unit_test(keys_are_16_fresh_random_bytes),
        cmocka_unit_test(origin_is_sent_only_if_set),
        cmocka_unit_test(subprotocols_are_offered_in_order),
        cmocka_unit_test(extra_fields_go_out_verbatim),
        cmocka_unit_test(strict_server_takes_every_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
