/* lib/protocol/handshake_server.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/handshake.h"

static const caws_alloc libc = { NULL, NULL };

static struct caws__opening *read_request(const char *text)
{
    struct caws__head_limits limits = { 20000, 100, false };
    struct caws__opening *o = calloc(1, sizeof *o);
    const char *detail;
    size_t used;
    assert_int_equal(caws__head_feed(&o->head, &libc, &limits, (const uint8_t *)text, strlen(text),
                                     &used, &detail), 1);
    return o;
}

/* The verdict on a request whose parts are these; NULL is what is usual. */
struct parts {
    const char *line, *host, *upgrade, *connection, *key, *version, *more;
    int status;
};

static const char *part(const char *text, const char *usual)
{
    return text ? text : usual;
}

static int verdict(const struct parts *p, const caws_config *cfg)
{
    struct caws__opening *o;
    const char *detail = NULL;
    char text[16000];
    int status;
    snprintf(text, sizeof text, "%s\r\n%s%s%s%s%s%s\r\n", part(p->line, "GET /chat?a=b HTTP/1.1"),
             part(p->host, "Host: example.com\r\n"), part(p->upgrade, "Upgrade: websocket\r\n"),
             part(p->connection, "Connection: Upgrade\r\n"),
             part(p->key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
             part(p->version, "Sec-WebSocket-Version: 13\r\n"), part(p->more, ""));
    o = read_request(text);
    status = caws__request_check(o, cfg, &detail);
    assert_true(status == 0 || strstr(detail, ", RFC "));
    caws__opening_free(o, &libc);
    return status;
}

static void check(const struct parts *cases, size_t n, const caws_config *cfg)
{
    for (size_t i = 0; i < n; i++) {
        int status = verdict(&cases[i], cfg);
        if (status != cases[i].status)
            print_error("case %zu\n", i);
        assert_int_equal(status, cases[i].status);
    }
}

#define CHECK(cases, cfg) check(cases, sizeof cases / sizeof *cases, cfg)

static void test_the_request_as_http(void **state)
{
    static const struct parts cases[] = {
        { .status = 0 },
        { .line = "POST / HTTP/1.1", .status = 405 }, { .line = "HEAD / HTTP/1.1", .status = 405 },
        { .line = "FOO / HTTP/1.1", .status = 501 }, { .line = "get / HTTP/1.1", .status = 501 },
        { .line = "GET * HTTP/1.1", .status = 400 }, { .line = "GET chat HTTP/1.1", .status = 400 },
        { .line = "GET h:80 HTTP/1.1", .status = 400 },
        { .line = "GET /# HTTP/1.1", .status = 400 },
        { .line = "GET /\x80 HTTP/1.1", .status = 400 }, { .line = "GET /?a[]=1 HTTP/1.1" },
        { .line = "GET http://a/x HTTP/1.1" }, { .line = "GET https://a HTTP/1.1" },
        { .line = "GET http://u@a/ HTTP/1.1", .status = 400 },
        { .host = "", .status = 400 }, { .host = "Host:\r\n", .status = 400 },
        { .host = "Host: a\r\nHost: a\r\n", .status = 400 },
        { .host = "Host: a b\r\n", .status = 400 },
        { .host = "Host: u@h\r\n", .status = 400 }, { .host = "Host: h:x\r\n", .status = 400 },
        { .host = "Host: [::1]:80\r\n" }, { .more = "Content-Length: 0\r\n" },
        { .more = "Content-Length: 5\r\n", .status = 400 },
        { .more = "Content-Length: +5\r\n", .status = 400 },
        { .more = "Content-Length: 0\r\nContent-Length: 0\r\n", .status = 400 },
        { .more = "Content-Length: 99999999999999999999\r\n", .status = 400 },
        { .more = "Transfer-Encoding: chunked\r\n", .status = 400 },
        { .upgrade = "", .key = "", .more = "Content-Length: 5\r\n", .status = 413 },
        { .more = "Expect: 100-continue\r\n", .status = 417 },
        { .upgrade = "", .key = "", .status = 0 }, { .upgrade = "", .status = 426 },
    };
    caws_config cfg = { 0 };
    (void)state;
    CHECK(cases, &cfg);
}

static void test_the_request_as_websocket(void **state)
{
    static const struct parts cases[] = {
        { .upgrade = "Upgrade: h2c, WebSocket\r\n" }, { .upgrade = "Upgrade: websocket2\r\n",
                                                        .status = 426 },
        { .connection = "", .status = 400 }, { .connection = "Connection: close\r\n",
                                               .status = 400 },
        { .connection = "Connection: keep-alive\r\nConnection: ,UPGRADE\r\n" },
        { .version = "", .status = 400 }, { .version = "Sec-WebSocket-Version: 8\r\n",
                                            .status = 426 },
        { .version = "Sec-WebSocket-Version: 013\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 13, 8\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 256\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 255\r\n", .status = 426 },
        { .more = "Sec-WebSocket-Version: 13\r\n", .status = 400 },
        { .key = "", .status = 400 }, { .key = "Sec-WebSocket-Key: AQ==\r\n", .status = 400 },
        { .more = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", .status = 400 },
        { .more = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n" },
        { .more = "Sec-WebSocket-Protocol: a b\r\n", .status = 400 },
        { .more = "Sec-WebSocket-Protocol: a, a\r\n", .status = 400 },
        { .more = "Sec-WebSocket-Protocol: ,\r\n", .status = 400 },
        { .more = "Sec-WebSocket-Extensions: a; b, c\r\n" },
        { .more = "Sec-WebSocket-Extensions: a;\r\n", .status = 400 },
        { .more = "Origin: http://example.com\r\n" },
        { .more = "Origin: http://EXAMPLE.com:80\r\n" },
        { .more = "Origin: http://example.com:8080\r\n", .status = 403 },
        { .more = "Origin: http://example.com.evil\r\n", .status = 403 },
        { .more = "Origin: null\r\n", .status = 403 },
        { .more = "Origin: http://example.com\r\nOrigin: http://example.com\r\n", .status = 400 },
    };
    caws_config cfg = { 0 };
    (void)state;
    CHECK(cases, &cfg);
}

/* One step on each side of what a number, a scheme or a port may be. */
static void test_edges_of_a_request(void **state)
{
    static const struct parts cases[] = {
        { .upgrade = "", .key = "", .more = "Content-Length: 000000000000000001\r\n",
          .status = 413 },
        { .upgrade = "", .key = "", .more = "Content-Length: 000000000000000000\r\n" },
        { .upgrade = "", .key = "", .more = "Content-Length: 0000000000000000001\r\n",
          .status = 400 },
        { .upgrade = "", .key = "", .more = "Content-Length: 9\r\n", .status = 413 },
        { .upgrade = "", .key = "", .more = "Content-Length: /\r\n", .status = 400 },
        { .upgrade = "", .key = "", .more = "Content-Length: :\r\n", .status = 400 },
        { .upgrade = "", .key = "", .more = "Content-Length:\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version:\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 0\r\n", .status = 426 },
        { .version = "Sec-WebSocket-Version: 9\r\n", .status = 426 },
        { .version = "Sec-WebSocket-Version: 00\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 1:\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 1/\r\n", .status = 400 },
        { .version = "Sec-WebSocket-Version: 1000\r\n", .status = 400 },
        { .host = "Host: e\r\n", .more = "Origin: http://e\r\n" },
        { .host = "Host: e\r\n", .more = "Origin: https://e\r\n" },
        { .host = "Host: e:443\r\n", .more = "Origin: https://e\r\n" },
        { .host = "Host: e:443\r\n", .more = "Origin: http://e\r\n", .status = 403 },
        { .host = "Host: e:80\r\n", .more = "Origin: https://e\r\n", .status = 403 },
        { .host = "Host: e:81\r\n", .more = "Origin: http://e:81\r\n" },
        { .host = "Host: e:81\r\n", .more = "Origin: http://e\r\n", .status = 403 },
        { .host = "Host: e\r\n", .more = "Origin: http://\r\n", .status = 403 },
        { .host = "Host: e\r\n", .more = "Origin: https://\r\n", .status = 403 },
        { .host = "Host: e\r\n", .more = "Origin: ftps://e\r\n", .status = 403 },
        { .line = "GET http://a HTTP/1.1" }, { .line = "GET https://a/ HTTP/1.1" },
        { .line = "GET http:// HTTP/1.1", .status = 400 },
        { .line = "GET https:// HTTP/1.1", .status = 400 },
        { .line = "GET http://a?b HTTP/1.1", .status = 400 },
        { .line = "GET /\" HTTP/1.1", .status = 400 },
        { .line = "GET /~ HTTP/1.1" },
    };
    caws_config cfg = { 0 };
    (void)state;
    CHECK(cases, &cfg);
}

static void test_what_a_config_lets_in(void **state)
{
    static const struct parts cases[] = {
        { .more = "Origin: https://A.example\r\n" },
        { .status = 403 }, /* no Origin, but a list */
        { .more = "Origin: https://a.example:443\r\n", .status = 403 },
        { .line = "GET /chat HTTP/1.1", .more = "Origin: http://b\r\n" },
        { .line = "GET /chat/ HTTP/1.1", .more = "Origin: http://b\r\n", .status = 404 },
        { .host = "Host: LOCALHOST:99\r\n", .more = "Origin: http://b\r\n" },
        { .host = "Host: [::1]:8080\r\n", .more = "Origin: http://b\r\n" },
        { .host = "Host: [::1]:80\r\n", .more = "Origin: http://b\r\n", .status = 403 },
        { .host = "Host: evil.example\r\n", .more = "Origin: http://b\r\n", .status = 403 },
    };
    caws_config cfg = { .path = "/chat", .origins = "https://a.example, http://b",
                        .hosts = "example.com, localhost, [::1]:8080" };
    (void)state;
    CHECK(cases, &cfg);
}

/* What is asked for is told, and the absolute form's host wins. */
static void test_the_request_is_read(void **state)
{
    struct caws__opening *o = read_request(
        "GET http://a:81/x?q HTTP/1.1\r\nHost: b\r\nOrigin: null\r\n"
        "Sec-WebSocket-Protocol: soap\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: chat, x\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    caws_config cfg = { .subprotocols = "none, chat, soap", .origins = "*" };
    const char *detail;
    (void)state;
    assert_int_equal(caws__request_check(o, &cfg, &detail), 0);
    assert_true(caws__same(o->request.method, "GET") && caws__same(o->request.target, "/x?q"));
    assert_true(caws__same(o->subprotocol, "chat")); /* we prefer it */
    assert_true(caws__same(o->request.host, "a:81"));
    assert_true(caws__same(o->request.origin, "null") && o->request.upgrade);
    assert_true(caws__same(caws__request_offer(o, caws__slice("x")), "x"));
    assert_null(caws__request_offer(o, caws__slice("X")).data);
    caws__opening_free(o, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_request_as_http),
        cmocka_unit_test(test_the_request_as_websocket),
        cmocka_unit_test(test_edges_of_a_request),
        cmocka_unit_test(test_what_a_config_lets_in),
        cmocka_unit_test(test_the_request_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
