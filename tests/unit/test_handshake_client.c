/* lib/protocol/handshake_client.c */
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

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static void assert_request(const char *url, const caws_config *cfg, const char *line,
                           const char *host, const char *more)
{
    struct caws__opening o = { .key = KEY };
    struct caws__buffer out = { NULL, 0, 0 };
    char expected[1000];
    caws_url parsed;
    assert_int_equal(caws_url_parse(url, &parsed), CAWS_OK);
    assert_int_equal(caws__request_write(&o, &parsed, cfg, &out), CAWS_OK);
    caws__buffer_add(&out, &libc, "", 1);
    snprintf(expected, sizeof expected,
             "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s\r\n", line, host, more);
    assert_string_equal((char *)out.data, expected);
    caws__buffer_free(&out, &libc);
}

static void test_requests(void **state)
{
    static const caws_config none = { 0 };
    static const caws_config all = { .subprotocols = "chat,superchat", .origin = "https://a",
                                     .headers = "Cookie: a=b\r\n" };
    (void)state;
    /* REQ 4.1-17, 4.1-18, 4.1-19, 4.1-25 */
    assert_request("ws://example.com/chat?x", &none, "/chat?x", "example.com", "");
    assert_request("ws://h", &none, "/", "h", "");
    assert_request("ws://h?x=1", &none, "/?x=1", "h", "");
    assert_request("ws://h:80/", &none, "/", "h", "");
    assert_request("ws://h:443/", &none, "/", "h:443", "");
    assert_request("wss://h:443/", &none, "/", "h", "");
    assert_request("ws://[::1]:81/", &none, "/", "[::1]:81", "");
    assert_request("ws://h/", &all, "/", "h", "Sec-WebSocket-Protocol: chat, superchat\r\n"
                   "Origin: https://a\r\nCookie: a=b\r\n");
}

static int verdict(struct caws__opening *o, const char *text, const caws_config *cfg)
{
    struct caws__head_limits limits = { 20000, 100, true };
    const char *detail = NULL;
    size_t used;
    int result;
    memset(o, 0, sizeof *o);
    memcpy(o->key, KEY, sizeof KEY);
    assert_int_equal(caws__head_feed(&o->head, &libc, &limits, (const uint8_t *)text, strlen(text),
                                     &used, &detail), 1);
    result = caws__response_check(o, cfg, &detail);
    assert_true(result >= 0 || strstr(detail, ", RFC "));
    caws__head_free(&o->head, &libc);
    return result;
}

#define START "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define NO_ACCEPT START UPGRADE CONNECTION
#define GOOD NO_ACCEPT ACCEPT

static void test_responses(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        { GOOD "\r\n", 0 },
        { START "UPGRADE: WebSocket\r\nconnection: x, upgrade\r\n" ACCEPT "\r\n", 0 },
        { START CONNECTION ACCEPT "\r\n", -7 },
        { START "Upgrade: websocket2\r\n" CONNECTION ACCEPT "\r\n", -7 },
        { START "Upgrade: websocket, x\r\n" CONNECTION ACCEPT "\r\n", -7 },
        { GOOD UPGRADE "\r\n", -7 },
        { START UPGRADE ACCEPT "\r\n", -7 },
        { START UPGRADE "Connection: xupgrade\r\n" ACCEPT "\r\n", -7 },
        { START UPGRADE CONNECTION "\r\n", -7 },
        { GOOD ACCEPT "\r\n", -7 },
        { NO_ACCEPT "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", -7 },
        { NO_ACCEPT "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t\r\n\r\n", 0 },
        { GOOD "Sec-WebSocket-Extensions: x\r\n\r\n", -7 },
        { GOOD "Sec-WebSocket-Protocol: b\r\n\r\n", 0 },
        { GOOD "Sec-WebSocket-Protocol: B\r\n\r\n", -7 },
        { GOOD "Sec-WebSocket-Protocol: a, b\r\n\r\n", -7 },
        { GOOD "Sec-WebSocket-Protocol:\r\n\r\n", -7 },
        { GOOD "Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Protocol: b\r\n\r\n", -7 },
        { GOOD "Content-Length: 2\r\n\r\n", -7 }, { GOOD "Content-Length: 0\r\n\r\n", 0 },
        { GOOD "Transfer-Encoding: chunked\r\n\r\n", -7 },
        { "HTTP/1.1 100 Continue\r\n\r\n", 1 }, { "HTTP/1.1 103 Early\r\n\r\n", 1 },
        { "HTTP/1.1 200 OK\r\n\r\n", -8 }, { "HTTP/1.1 503 No\r\n\r\n", -8 },
    };
    caws_config cfg = { .subprotocols = "a, b" };
    struct caws__opening o;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int result = verdict(&o, cases[i].text, &cfg);
        if (result != cases[i].result)
            print_error("%s", cases[i].text);
        assert_int_equal(result, cases[i].result);
        assert_int_equal(o.status, atoi(cases[i].text + 9));
    }
    cfg.subprotocols = NULL; /* nothing was offered */
    assert_int_equal(verdict(&o, GOOD "Sec-WebSocket-Protocol: b\r\n\r\n", &cfg), -7);
}

static void test_interim_responses_are_counted(void **state)
{
    struct caws__opening o = { .interim = 0 };
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct caws__head_limits limits = { 20000, 100, true };
    caws_config cfg = { 0 };
    const char *detail;
    size_t used;
    (void)state;
    caws__head_feed(&o.head, &libc, &limits, (const uint8_t *)text, sizeof text - 1, &used,
                    &detail);
    for (int i = 0; i < CAWS__MAX_INTERIM; i++)
        assert_int_equal(caws__response_check(&o, &cfg, &detail), 1);
    assert_int_equal(caws__response_check(&o, &cfg, &detail), CAWS_ERR_HANDSHAKE);
    caws__head_free(&o.head, &libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_interim_responses_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
