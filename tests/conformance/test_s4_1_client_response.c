/* RFC 6455 section 4.1, second half: what a client makes of the response. */
#include "upgrade.h"

#define FAIL CAWS_ERR_HANDSHAKE
#define REFUSED CAWS_ERR_REFUSED

static void client(struct peer *p, caws_config cfg)
{
    cfg.random = upgrade_nonce;
    peer_client(p, "ws://server.example.com/chat", &cfg);
    assert_non_null(p->ws);
    peer_forget(p);
}

static void good_response_opens(void **state)
{
    struct peer p = { 0 };
    (void)state;
    client(&p, (caws_config){ .subprotocols = "a, b" });
    peer_feed_text(&p, upgrade_edit(UPGRADE_RESPONSE_LINES, NULL,
                                    "Sec-WebSocket-Protocol: b\r\n"));
    /* REQ 4.1-41 */
    assert_string_equal(p.log, "open\n");
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(p.ws), "b");
    assert_string_equal(caws_extensions(p.ws), "");
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    assert_int_equal(p.counters.failed, 0);
    peer_free(&p);
}

static void upgrade_must_be_websocket(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Upgrade", "", FAIL },
        { "Upgrade", "Upgrade: websocket2\r\n", FAIL },
        { "Upgrade", "Upgrade: h2c\r\n", FAIL },
        { "Upgrade", "Upgrade: websocket, foo\r\n", FAIL },
        { "Upgrade", "Upgrade:\r\n", FAIL },
        { "Upgrade", "Upgrade: websocket\r\nUpgrade: websocket\r\n", FAIL },
        { "Upgrade", "Upgrade: WebSocket\r\n", CAWS_OK },
        { "Upgrade", "upgrade:WEBSOCKET \t\r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 4.1-33 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

static void connection_must_include_upgrade(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Connection", "", FAIL },
        { "Connection", "Connection: close\r\n", FAIL },
        { "Connection", "Connection: xupgrade\r\n", FAIL },
        { "Connection", "Connection: upgrade;q=1\r\n", FAIL },
        { "Connection", "Connection: keep-alive UPGRADE\r\n", FAIL },
        { "Connection", "Connection: keep-alive, UPGRADE\r\n", CAWS_OK },
        { "Connection", "Connection: a\r\nConnection: ,,b ,Upgrade\r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 4.1-34 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

static void accept_must_match_the_key(void **state)
{
    static const char name[] = "Sec-WebSocket-Accept";
    static const struct upgrade_row rows[] = {
        { name, "", FAIL },
        { name, "Sec-WebSocket-Accept:\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xO\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo==\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: \"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9k YGzzhZRbK+xOo=\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n", FAIL },
        /* the hash of the 16 bytes instead of their text, without the GUID, without the key */
        { name, "Sec-WebSocket-Accept: BXhwxM0SZasKmCD9S4BfpPmCnEw=\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: hHLtf2V1k8aDQZfNjw3Ia1hCwt0=\r\n", FAIL },
        { name, "Sec-WebSocket-Accept: Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=\r\n", FAIL },
        { name, UPGRADE_ACCEPT, CAWS_OK },
    };
    static const struct upgrade_row spaces[] = {
        { name, "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t\r\n", CAWS_OK },
        { name, "Sec-WebSocket-Accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", CAWS_OK },
        { name, "Sec-WebSocket-Accept: \x0bs3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", FAIL },
    };
    (void)state;
    /* REQ 4.1-35 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
    /* REQ 4.1-36 */
    UPGRADE_CHECK_RESPONSES(NULL, spaces);
}

static void extension_that_was_not_offered_fails(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Extensions: permessage-deflate\r\n", FAIL },
        { NULL, "Sec-WebSocket-Extensions: foo\r\n", FAIL },
        { NULL, "Sec-WebSocket-Extensions:\r\n", FAIL },
    };
    (void)state;
    /* REQ 4.1-37 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

static void subprotocol_must_be_one_that_was_offered(void **state)
{
    static const caws_config offer = { .subprotocols = "a" };
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Protocol: b\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol: A\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol: a, b\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol: a, a\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol: a,\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol:\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol: a\r\n", CAWS_OK },
        { NULL, "", CAWS_OK }, /* it picked none */
    };
    static const struct upgrade_row unasked[] = {
        { NULL, "Sec-WebSocket-Protocol: a\r\n", FAIL },
        { NULL, "Sec-WebSocket-Protocol:\r\n", FAIL },
    };
    (void)state;
    /* REQ 4.1-38 */
    UPGRADE_CHECK_RESPONSES(&offer, rows);
    UPGRADE_CHECK_RESPONSES(NULL, unasked);
}

static void other_violations_fail(void **state)
{
    static const struct upgrade_row rows[] = {
        { "HTTP/", "HTTP/1.0 101 Switching Protocols\r\n", FAIL },
        { "HTTP/", "HTTP/2.0 101 Switching Protocols\r\n", FAIL },
        { "HTTP/", "HTTP/1.1  101 Switching Protocols\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 101 Switching Protocols\n", FAIL },
        { "HTTP/", "ICY 101 OK\r\n", FAIL },
        { "HTTP/", "\r\nHTTP/1.1 101 Switching Protocols\r\n", FAIL },
        { NULL, UPGRADE_ACCEPT, FAIL },
        { "Upgrade", "Upgrade: websocket\n", FAIL },
        { NULL, "X: a\rb\r\n", FAIL },
        { NULL, "X : a\r\n", FAIL },
        { NULL, "garbage\r\n", FAIL },
        { NULL, "X: a\1b\r\n", FAIL },
        { NULL, "Content-Length: 5\r\n", FAIL },
        { NULL, "Transfer-Encoding: chunked\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 101 \r\n", CAWS_OK },
        { "HTTP/", "HTTP/1.1 101 Web Socket Protocol Handshake\r\n", CAWS_OK },
    };
    static const caws_config narrow = { .max_head = sizeof UPGRADE_RESPONSE - 2 };
    static const caws_config exact = { .max_head = sizeof UPGRADE_RESPONSE - 1 };
    static const struct upgrade_row too_big[] = { { NULL, "", FAIL } };
    static const struct upgrade_row fits[] = { { NULL, "", CAWS_OK } };
    (void)state;
    /* REQ 4.1-39 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
    UPGRADE_CHECK_RESPONSES(&narrow, too_big);
    UPGRADE_CHECK_RESPONSES(&exact, fits);
}

/* No byte can be another one, but those of the reason phrase. */
static void every_byte_counts(void **state)
{
    static const char good[] = UPGRADE_RESPONSE;
    size_t len = sizeof good - 1, phrase = strlen("HTTP/1.1 101 ");
    size_t end = phrase + strlen("Switching Protocols");
    (void)state;
    for (size_t i = 0; i < len; i++) {
        char bad[sizeof good];
        int expected = i >= phrase && i < end ? CAWS_OK : FAIL;
        memcpy(bad, good, sizeof good);
        bad[i] = '~';
        /* REQ 4.1-31 */
        if (upgrade_response(NULL, bad, len) != expected)
            fail_msg("with a ~ at byte %zu", i);
    }
}

static void field_names_have_no_case(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Sec-WebSocket-A", "sEC-wEBSOCKET-aCCEPT: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", CAWS_OK },
        { "Upgrade", "UPGRADE: websocket\r\n", CAWS_OK },
        { "Connection", "connection: Upgrade\r\n", CAWS_OK },
    };
    static const struct upgrade_row requests[] = {
        { "Sec-WebSocket-K", "sEC-wEBSOCKET-kEY: dGhlIHNhbXBsZSBub25jZQ==\r\n", 101 },
        { "Sec-WebSocket-V", "SEC-WEBSOCKET-VERSION: 13\r\n", 101 },
        { "Host", "hOST: server.example.com\r\n", 101 },
    };
    (void)state;
    /* REQ 4.1-40 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
    UPGRADE_CHECK_REQUESTS(NULL, requests);
}

/* ---- Other answers ----------------------------------------------------- */

static struct {
    int status;
    char location[64], versions[64];
    bool late;
} seen;

static void copy(char *to, size_t size, caws_slice s)
{
    if (!s.data)
        s = (caws_slice){ "(none)", 6 };
    snprintf(to, size, "%.*s", (int)s.len, s.data);
}

static void look_at_refusal(caws_conn *ws, int error, const char *detail)
{
    caws_slice name, value;
    (void)error, (void)detail;
    seen.status = caws_http_status(ws);
    copy(seen.location, sizeof seen.location, caws_header(ws, "location"));
    seen.versions[0] = '\0';
    for (size_t i = 0; caws_header_at(ws, i, &name, &value); i++) {
        size_t n = strlen(seen.versions);
        if (upgrade_is(name, "Sec-WebSocket-Version"))
            snprintf(seen.versions + n, sizeof seen.versions - n, "[%.*s]", (int)value.len,
                     value.data);
    }
}

static void refusals_tell_status_and_fields(void **state)
{
    static const struct {
        const char *head;
        int status;
        const char *location;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "(none)" },
        { "HTTP/1.1 301 Moved\r\nLocation: ws://other/\r\n\r\n", 301, "ws://other/" },
        { "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n", 401, "(none)" },
        { "HTTP/1.1 403 Forbidden\r\n\r\n", 403, "(none)" },
        { "HTTP/1.1 426 Upgrade Required\r\n\r\n", 426, "(none)" },
        { "HTTP/1.1 503 \r\n\r\n", 503, "(none)" },
    };
    static const caws_config cfg = { .on_error = look_at_refusal };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(&seen, 0, sizeof seen);
        /* REQ 4.1-32, HS-10 */
        assert_int_equal(upgrade_response(&cfg, rows[i].head, strlen(rows[i].head)), REFUSED);
        assert_int_equal(seen.status, rows[i].status);
        assert_string_equal(seen.location, rows[i].location);
    }
}

static void versions_of_a_426_can_be_read(void **state)
{
    static const char one[] =
        "HTTP/1.1 426 x\r\nSec-WebSocket-Version: 13, 8\r\n\r\n";
    static const char two[] =
        "HTTP/1.1 426 x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7\r\n\r\n";
    static const caws_config cfg = { .on_error = look_at_refusal };
    (void)state;
    /* REQ 4.4-3, 11.3.5-2 */
    assert_int_equal(upgrade_response(&cfg, one, strlen(one)), REFUSED);
    assert_string_equal(seen.versions, "[13, 8]");
    assert_int_equal(upgrade_response(&cfg, two, strlen(two)), REFUSED);
    assert_string_equal(seen.versions, "[13][8, 7]");
}

static void look_at_cookies(caws_conn *ws)
{
    caws_slice name, value;
    /* REQ 4.1-42 */
    assert_true(upgrade_is(caws_header(ws, "set-cookie"), "a=1"));
    assert_true(caws_header_at(ws, 4, &name, &value));
    assert_true(upgrade_is(name, "Set-Cookie"));
    assert_true(upgrade_is(value, "b=2; Path=/"));
    assert_false(caws_header_at(ws, 5, &name, &value));
    assert_null(caws_header(ws, "X-None").data);
    assert_int_equal(caws_http_status(ws), 101);
    seen.status = 1;
}

static void fields_of_the_101_can_be_read(void **state)
{
    struct peer p = { 0 };
    caws_slice name, value;
    (void)state;
    memset(&seen, 0, sizeof seen);
    client(&p, (caws_config){ .on_open = look_at_cookies });
    assert_null(caws_header(p.ws, "Upgrade").data);
    assert_false(caws_header_at(p.ws, 0, &name, &value));
    assert_int_equal(caws_http_status(p.ws), 0);
    peer_feed_text(&p, upgrade_edit(UPGRADE_RESPONSE_LINES, NULL,
                                    "Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n"));
    assert_int_equal(seen.status, 1);
    assert_null(caws_header(p.ws, "Upgrade").data);
    assert_false(caws_header_at(p.ws, 0, &name, &value));
    assert_int_equal(caws_http_status(p.ws), 0);
    peer_free(&p);
}

static void frames_follow_the_head(void **state)
{
    static const char text[] = UPGRADE_RESPONSE "\x81\x02hi";
    size_t len = sizeof text - 1;
    (void)state;
    for (size_t split = 0; split <= len; split++) {
        struct peer p = { 0 };
        client(&p, (caws_config){ 0 });
        peer_feed(&p, text, split);
        peer_feed(&p, text + split, len - split);
        /* REQ 4.1-43 */
        assert_string_equal(p.log, "open\ntext 2 hi\n");
        peer_free(&p);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_response_opens),
        cmocka_unit_test(upgrade_must_be_websocket),
        cmocka_unit_test(connection_must_include_upgrade),
        cmocka_unit_test(accept_must_match_the_key),
        cmocka_unit_test(extension_that_was_not_offered_fails),
        cmocka_unit_test(subprotocol_must_be_one_that_was_offered),
        cmocka_unit_test(other_violations_fail),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(field_names_have_no_case),
        cmocka_unit_test(refusals_tell_status_and_fields),
        cmocka_unit_test(versions_of_a_426_can_be_read),
        cmocka_unit_test(fields_of_the_101_can_be_read),
        cmocka_unit_test(frames_follow_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
