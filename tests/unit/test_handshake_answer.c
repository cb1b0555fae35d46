/* lib/protocol/handshake_answer.c */
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

static void fill(struct caws__buffer *b, const char *text)
{
    assert_int_equal(caws__buffer_add(b, &libc, text, strlen(text)), CAWS_OK);
}

static void assert_text(struct caws__buffer *b, const char *text)
{
    fill(b, ""); /* so that there is a block */
    assert_int_equal(caws__buffer_add(b, &libc, "", 1), CAWS_OK);
    assert_string_equal((char *)b->data, text);
    caws__buffer_free(b, &libc);
}

static void test_the_101(void **state)
{
    struct caws__opening *o = read_request(
        "GET / HTTP/1.1\r\nsec-websocket-key: \tdGhlIHNhbXBsZSBub25jZQ== \r\n\r\n");
    struct caws__buffer out = { NULL, 0, 0 };
    caws_config cfg = { .headers = "Server: x\r\n" };
    (void)state;
    /* REQ 4.2.2-14, 4.2.2-15, 4.2.2-16, 9112-6.1-3 */
    assert_int_equal(caws__response_accept(o, &cfg, &out), CAWS_OK);
    assert_text(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                      "Server: x\r\n\r\n");
    o->subprotocol = caws__slice("chat");
    fill(&o->headers, "X: y\r\n");
    cfg.headers = NULL;
    assert_int_equal(caws__response_accept(o, &cfg, &out), CAWS_OK);
    assert_text(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                      "Sec-WebSocket-Protocol: chat\r\nX: y\r\n\r\n");
    caws__opening_free(o, &libc);
}

static void assert_refusal(const struct caws__opening *o, int status, const char *detail,
                           const char *text)
{
    struct caws__buffer out = { NULL, 0, 0 };
    caws_config cfg = { 0 };
    assert_int_equal(caws__response_refuse(o, &cfg, status, detail, &out), CAWS_OK);
    assert_text(&out, text);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_refusal(NULL, 400, "why", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 20\r\n\r\n400 Bad Request\nwhy\n");
    assert_refusal(NULL, 404, NULL, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 14\r\n\r\n404 Not Found\n");
    assert_refusal(NULL, 405, "x", "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"
                   "Allow: GET\r\nContent-Type: text/plain\r\nContent-Length: 25\r\n\r\n"
                   "405 Method Not Allowed\nx\n");
    assert_refusal(NULL, 426, NULL, "HTTP/1.1 426 Upgrade Required\r\n"
                   "Connection: close, Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Version: 13\r\nContent-Type: text/plain\r\n"
                   "Content-Length: 21\r\n\r\n426 Upgrade Required\n");
    assert_refusal(NULL, 204, NULL, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    assert_refusal(NULL, 299, NULL, "HTTP/1.1 299 Status\r\nConnection: close\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 11\r\n\r\n299 Status\n");
}

static void test_the_applications_own_body(void **state)
{
    struct caws__opening *o = read_request("GET / HTTP/1.1\r\n\r\n");
    (void)state;
    fill(&o->type, "text/html");
    fill(&o->body, "<p>No.");
    fill(&o->headers, "Location: /x\r\n");
    assert_refusal(o, 302, NULL, "HTTP/1.1 302 Found\r\nConnection: close\r\n"
                   "Content-Type: text/html\r\nContent-Length: 6\r\nLocation: /x\r\n\r\n<p>No.");
    assert_refusal(o, 304, NULL, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n"
                   "Location: /x\r\n\r\n");
    o->request.method = caws__slice("HEAD");
    assert_refusal(o, 302, NULL, "HTTP/1.1 302 Found\r\nConnection: close\r\n"
                   "Content-Type: text/html\r\nContent-Length: 6\r\nLocation: /x\r\n\r\n");
    o->type.len = 1; /* "t": any type will do */
    o->request.method = caws__slice("GET");
    assert_refusal(o, 302, NULL, "HTTP/1.1 302 Found\r\nConnection: close\r\n"
                   "Content-Type: t\r\nContent-Length: 6\r\nLocation: /x\r\n\r\n<p>No.");
    caws__opening_free(o, &libc);
}

/* The length is right, and the phrase is there, for every status. */
static void test_every_status_is_well_formed(void **state)
{
    (void)state;
    for (int status = 200; status < 600; status++) {
        struct caws__buffer out = { NULL, 0, 0 };
        caws_config cfg = { 0 };
        char *body, *length, start[24];
        assert_int_equal(caws__response_refuse(NULL, &cfg, status, "why", &out), CAWS_OK);
        caws__buffer_add(&out, &libc, "", 1);
        snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
        assert_memory_equal(out.data, start, strlen(start));
        body = strstr((char *)out.data, "\r\n\r\n") + 4;
        length = strstr((char *)out.data, "Content-Length: ");
        assert_int_equal(length ? strtoul(length + 16, NULL, 10) : 0, strlen(body));
        caws__buffer_free(&out, &libc);
    }
}

/* The phrases of RFC 9110 section 15, RFC 6585 and, for the rest, "Status". */
static void test_phrases(void **state)
{
    static const struct {
        int status;
        const char *phrase;
    } known[] = {
        { 200, "OK" }, { 204, "No Content" }, { 301, "Moved Permanently" }, { 302, "Found" },
        { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
        { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
        { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" }, { 417, "Expectation Failed" },
        { 426, "Upgrade Required" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
        { 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
    };
    size_t i = 0;
    (void)state;
    for (int status = 200; status < 600; status++) {
        struct caws__buffer out = { NULL, 0, 0 };
        caws_config cfg = { 0 };
        bool is_known = i < sizeof known / sizeof *known && known[i].status == status;
        char line[64];
        snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status,
                 is_known ? known[i++].phrase : "Status");
        assert_int_equal(caws__response_refuse(NULL, &cfg, status, NULL, &out), CAWS_OK);
        assert_memory_equal(out.data, line, strlen(line));
        caws__buffer_free(&out, &libc);
    }
    assert_int_equal(i, sizeof known / sizeof *known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_101),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_the_applications_own_body),
        cmocka_unit_test(test_every_status_is_well_formed),
        cmocka_unit_test(test_phrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
