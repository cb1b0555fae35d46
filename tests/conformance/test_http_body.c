/* RFC 9112 sections 6 and 9: bodies, and the end of a connection. */
#include "upgrade.h"

#define FAIL CAWS_ERR_HANDSHAKE

static void request_with_a_body_is_not_upgraded(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Content-Length: 0\r\n", 101 },
        { NULL, "Content-Length: 000\r\n", 101 },
        { NULL, "Content-Length: 5\r\n", 400 },
    };
    unsigned char text[512];
    size_t len;
    struct peer p = { 0 };
    (void)state;
    /* REQ 9112-6-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    len = (size_t)sprintf((char *)text, PEER_REQUEST_LINES "Content-Length: 5\r\n\r\nhello");
    len += peer_frame(text + len, 0x81, "hi", 2, true);
    peer_server(&p, NULL);
    peer_feed(&p, text, len);
    upgrade_assert_refused(&p, 400);
    assert_string_equal(p.log, "error -7 request has a body, RFC 9112 section 6\n");
    peer_free(&p);
}

static void body_of_a_plain_request_is_too_large(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    (void)state;
    assert_int_equal(upgrade_request(NULL, text, sizeof text - 1), 413);
}

static void transfer_codings_are_refused(void **state)
{
    static const struct upgrade_row alone[] = {
        { NULL, "Transfer-Encoding: chunked\r\n", 400 },
        { NULL, "Transfer-Encoding: chunked, gzip\r\n", 400 },
        { NULL, "Transfer-Encoding: xchunked\r\n", 400 },
        { NULL, "Transfer-Encoding: identity\r\n", 400 },
        { NULL, "Transfer-Encoding:\r\n", 400 },
        { NULL, "tRANSFER-eNCODING: chunked\r\n", 400 },
    };
    static const struct upgrade_row both[] = {
        { NULL, "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400 },
        { NULL, "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400 },
        { NULL, "TRANSFER-ENCODING: Chunked\r\ncontent-LENGTH: 5\r\n", 400 },
        { NULL, "Content-Length: 5\r\nTransfer-Encoding: a\r\nTransfer-Encoding: chunked\r\n",
          400 },
    };
    (void)state;
    /* REQ 9112-6.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, alone);
    /* REQ 9112-6.1-2 */
    UPGRADE_CHECK_REQUESTS(NULL, both);
}

static void content_length_is_one_number(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Content-Length: +5\r\n", 400 },  { NULL, "Content-Length: -1\r\n", 400 },
        { NULL, "Content-Length: +0\r\n", 400 },  { NULL, "Content-Length: -0\r\n", 400 },
        { NULL, "Content-Length: 0x0\r\n", 400 }, { NULL, "Content-Length: 0x5\r\n", 400 },
        { NULL, "Content-Length: 0 0\r\n", 400 }, { NULL, "Content-Length: 5 5\r\n", 400 },
        { NULL, "Content-Length: 0,0\r\n", 400 }, { NULL, "Content-Length: 5,5\r\n", 400 },
        { NULL, "Content-Length: 5, 6\r\n", 400 }, { NULL, "Content-Length: 5, 5\r\n", 400 },
        { NULL, "Content-Length:\r\n", 400 },     { NULL, "Content-Length: 0.0\r\n", 400 },
        { NULL, "Content-Length: 99999999999999999999\r\n", 400 },
        { NULL, "Content-Length: 18446744073709551616\r\n", 400 }, /* 2^64 */
        { NULL, "Content-Length: 0\r\nContent-Length: 0\r\n", 400 },
        { NULL, "Content-Length: 0\r\ncontent-length: 5\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, "Content-Length: -0\r\n", FAIL },
        { NULL, "Content-Length: 0\r\nContent-Length: 5\r\n", FAIL },
        { NULL, "Content-Length: 99999999999999999999\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-6.2-1, HS-5 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void smuggled_lengths_are_refused(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Transfer-Encoding : chunked\r\n", 400 },
        { NULL, "X: y\r\n Transfer-Encoding: chunked\r\n", 400 },
        { NULL, "Transfer-Encoding\r\n: chunked\r\n", 400 },
        { NULL, "X: y\rTransfer-Encoding: chunked\r\n", 400 },
        { NULL, "X: y\nTransfer-Encoding: chunked\r\n", 400 },
        { NULL, "Content-Length\1: 5\r\n", 400 },
    };
    (void)state;
    /* REQ HS-5 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void a_101_has_no_body(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Content-Length: 2\r\n", FAIL },
        { NULL, "Transfer-Encoding: chunked\r\n", FAIL },
        { NULL, "Content-Length: 0\r\n", CAWS_OK },
    };
    struct peer p = { 0 };
    caws_config cfg = { .random = upgrade_nonce };
    (void)state;
    /* REQ 9112-6.3-1 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
    peer_client(&p, "ws://h/", &cfg);
    peer_feed_text(&p, UPGRADE_RESPONSE_LINES "Content-Length: 0\r\n\r\n\x81\x02hi");
    assert_string_equal(p.log, "open\ntext 2 hi\n");
    peer_free(&p);
}

static void body_of_a_refusal_is_not_read(void **state)
{
    struct peer_alloc memory = { 0 };
    caws_config cfg = { .alloc = peer_counting(&memory) };
    struct peer p = { 0 };
    char body[4096];
    size_t bytes;
    (void)state;
    memset(body, 0x81, sizeof body);
    peer_client(&p, "ws://h/", &cfg);
    peer_feed_text(&p, "HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000000\r\n\r\n");
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    bytes = memory.bytes;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(peer_feed(&p, body, sizeof body), CAWS_ERR_REFUSED);
    /* REQ 9112-6.3-2 */
    assert_int_equal(memory.bytes, bytes);
    peer_eof(&p);
    assert_int_equal(peer_log_count(&p, "\n"), 2);
    assert_true(peer_log_has(&p, "error -8 "));
    assert_true(peer_log_has(&p, "close 1006 unclean us -8\n"));
    peer_free(&p);
    assert_int_equal(memory.blocks, 0);
}

/* ---- After a refusal (section 9.6) ------------------------------------- */

static void nothing_behind_a_refused_request_is_parsed(void **state)
{
    static const char *const bad[] = {
        "GET / HTTP/1.0\r\n", "nonsense\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: x\r\n\r\n",
        PEER_REQUEST_LINES "Content-Length: 5\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peer p = { 0 };
        char text[1024];
        snprintf(text, sizeof text, "%s%s", bad[i], PEER_REQUEST);
        peer_server(&p, NULL);
        peer_feed_text(&p, text);
        /* REQ 9112-9.6-1 */
        upgrade_assert_refused(&p, peer_out_status(&p));
        assert_true(peer_out_status(&p) >= 400);
        assert_int_equal(peer_log_count(&p, "error -7 "), 1);
        assert_int_equal(peer_log_count(&p, "\n"), 1);
        peer_free(&p);
    }
}

/* It learns the length of the body alone (RFC 9110 section 9.3.2). */
static void head_gets_no_body(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "GET", "HEAD /chat HTTP/1.1\r\n"));
    assert_int_equal(peer_out_status(&p), 405);
    assert_int_equal(upgrade_lines(&p, "Allow: GET\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Content-Length: "), 1);
    assert_false(peer_out_has(&p, "Content-Length: 0"));
    assert_string_equal(strstr((char *)p.out, "\r\n\r\n"), "\r\n\r\n");
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_free(&p);
}

/* The refusal is whole, and leaves, though the peer goes on sending. */
static void refusal_drains_what_still_comes(void **state)
{
    struct peer p = { .hold_output = true };
    struct peer_alloc memory = { 0 };
    caws_config cfg = { .alloc = peer_counting(&memory) };
    char more[4096];
    size_t bytes;
    (void)state;
    memset(more, 'x', sizeof more);
    peer_server(&p, &cfg);
    peer_feed_text(&p, "nonsense\r\n");
    bytes = memory.bytes;
    for (size_t i = 0; i < 4096; i++)
        peer_feed(&p, more, sizeof more); /* 16 MiB */
    assert_int_equal(memory.bytes, bytes);
    assert_true(peer_wants(&p, CAWS_WANT_WRITE | CAWS_WANT_READ));
    p.hold_output = false;
    peer_take(&p);
    /* REQ 9112-9.6-2 */
    upgrade_assert_refused(&p, 400);
    peer_free(&p);
}

static void refused_peer_that_stays_is_cut_off(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, "nonsense\r\n");
    peer_tick(&p, 0);
    assert_int_equal(caws_deadline(p.ws), p.now + 5000);
    for (int i = 0; i < 4; i++) {
        peer_tick(&p, 1000);
        peer_feed_text(&p, "more nonsense\r\n");
    }
    peer_tick(&p, 999);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    peer_free(&p);
}

/* ---- Expect ------------------------------------------------------------ */

static void expectations_are_not_met(void **state)
{
    static const struct upgrade_row upgrade[] = {
        { NULL, "Expect: 100-continue\r\n", 417 },
    };
    static const struct upgrade_row other[] = {
        { NULL, "Expect: foo\r\n", 417 },
        { NULL, "expect:\r\n", 417 },
    };
    static const char plain[] = "GET / HTTP/1.1\r\nHost: h\r\nExpect: foo\r\n\r\n";
    (void)state;
    /* REQ 9110-7.8-4 */
    UPGRADE_CHECK_REQUESTS(NULL, upgrade);
    /* REQ 9110-10.1.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, other);
    assert_int_equal(upgrade_request(NULL, plain, sizeof plain - 1), 417);
}

static void the_log_tells_which_rule_a_coding_breaks(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST_LINES "Transfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(peer_out_status(&p), 400);
    assert_int_equal(peer_log_count(&p, "Transfer-Encoding in a GET request"), 1);
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_with_a_body_is_not_upgraded),
        cmocka_unit_test(body_of_a_plain_request_is_too_large),
        cmocka_unit_test(transfer_codings_are_refused),
        cmocka_unit_test(the_log_tells_which_rule_a_coding_breaks),
        cmocka_unit_test(content_length_is_one_number),
        cmocka_unit_test(smuggled_lengths_are_refused),
        cmocka_unit_test(a_101_has_no_body),
        cmocka_unit_test(body_of_a_refusal_is_not_read),
        cmocka_unit_test(nothing_behind_a_refused_request_is_parsed),
        cmocka_unit_test(head_gets_no_body),
        cmocka_unit_test(refusal_drains_what_still_comes),
        cmocka_unit_test(refused_peer_that_stays_is_cut_off),
        cmocka_unit_test(expectations_are_not_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
