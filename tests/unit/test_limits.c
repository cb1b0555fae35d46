/* What zero means: each default of caws_config, from both sides; and numbers
 * that the headers promise. */
#include "upgrade.h"

static const char byte[1] = { 'x' };

/* The header of a masked frame of a client, without its payload. */
static void feed_header(struct peer *p, unsigned first, uint64_t len)
{
    unsigned char header[14] = { (unsigned char)first, 0x80 | 127 };

    for (int i = 0; i < 8; i++)
        header[2 + i] = (unsigned char)(len >> (56 - 8 * i));
    peer_feed(p, header, sizeof header);
}

static void test_max_message(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct peer p = { 0 };

        peer_open(&p, PEER_SERVER, NULL);
        feed_header(&p, 0x82, (1u << 20) + over); /* DEFAULT max_message */
        assert_int_equal(peer_log_count(&p, "error -11"), over);
        peer_free(&p);
    }
}

static void test_max_fragments(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    for (int i = 0; i < 4096; i++) /* DEFAULT max_fragments */
        peer_feed_frame(&p, i == 0 ? 0x02 : 0x00, byte, 1);
    assert_false(peer_log_has(&p, "error"));
    peer_feed_frame(&p, 0x80, byte, 1);
    assert_true(peer_log_has(&p, "error -12"));
    peer_free(&p);
}

static void test_max_buffered(void **state)
{
    static char large[1 << 20];

    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct peer p = { 0 };
        size_t rest = (1u << 20) - (2 + 1) - 10 + over; /* DEFAULT max_buffered */

        peer_open(&p, PEER_SERVER, NULL);
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, byte, 1), CAWS_OK);
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, rest),
                         over ? CAWS_ERR_FULL : CAWS_OK);
        peer_free(&p);
    }
}

/* A request of so many bytes, in so many fields. */
static int status_of_head(size_t bytes, unsigned fields)
{
    static char head[40000];
    size_t at = sizeof PEER_REQUEST_LINES - 1;

    memcpy(head, PEER_REQUEST_LINES, at);
    for (unsigned i = 5; i < fields; i++)
        at += (size_t)sprintf(head + at, "X-%u: y\r\n", i);
    if (bytes > 0) {
        size_t fill = bytes - at - strlen("X: \r\n\r\n");

        at += (size_t)sprintf(head + at, "X: ");
        memset(head + at, 'y', fill);
        at += fill;
        at += (size_t)sprintf(head + at, "\r\n");
    }
    at += (size_t)sprintf(head + at, "\r\n");
    return upgrade_request(NULL, head, at);
}

static void test_max_head(void **state)
{
    (void)state;
    assert_int_equal(status_of_head(16384, 0), 101); /* DEFAULT max_head */
    assert_int_equal(status_of_head(16385, 0), 431);
}

static void test_max_headers(void **state)
{
    (void)state;
    assert_int_equal(status_of_head(0, 64), 101); /* DEFAULT max_headers */
    assert_int_equal(status_of_head(0, 65), 431);
}

static void test_max_control_burst(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    for (int i = 0; i < 64; i++) /* DEFAULT max_control_burst */
        peer_feed_frame(&p, 0x89, byte, 1);
    assert_false(peer_log_has(&p, "error"));
    peer_feed_frame(&p, 0x89, byte, 1);
    assert_true(peer_log_has(&p, "error -12"));
    peer_free(&p);
}

/* Nothing happens a millisecond before; at the moment, the log says so. */
static void expect_after(struct peer *p, uint64_t ms, const char *line)
{
    peer_tick(p, ms - 1);
    assert_false(peer_log_has(p, line));
    peer_tick(p, 1);
    assert_true(peer_log_has(p, line));
    peer_free(p);
}

static void test_handshake_timeout(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_client(&p, "ws://server.example.com/chat", NULL);
    expect_after(&p, 10000, "error -14"); /* DEFAULT handshake_timeout_ms */
}

static void test_message_timeout(void **state)
{
    caws_config cfg = { .ping_interval_ms = CAWS_OFF };
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    feed_header(&p, 0x82, 100000);
    expect_after(&p, 60000, "error -14"); /* DEFAULT message_timeout_ms */
}

static void test_ping_and_pong(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_tick(&p, 29999); /* DEFAULT ping_interval_ms */
    assert_int_equal(p.out_len, 0);
    peer_tick(&p, 1);
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "8900");
    peer_tick(&p, 0); /* it has left */
    expect_after(&p, 20000, "error -14"); /* DEFAULT pong_timeout_ms */
}

static void test_close_timeout(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(caws_close(p.ws, CAWS_CLOSE_NORMAL, NULL), CAWS_OK);
    peer_take(&p);
    peer_tick(&p, 0);
    expect_after(&p, 5000, "close 1006"); /* DEFAULT close_timeout_ms */
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(CAWS_CLOSE_NORMAL, 1000);
    assert_int_equal(CAWS_CLOSE_GOING_AWAY, 1001);
    assert_int_equal(CAWS_CLOSE_PROTOCOL, 1002);
    assert_int_equal(CAWS_CLOSE_UNSUPPORTED, 1003);
    assert_int_equal(CAWS_CLOSE_NO_STATUS, 1005);
    assert_int_equal(CAWS_CLOSE_ABNORMAL, 1006);
    assert_int_equal(CAWS_CLOSE_INVALID_DATA, 1007);
    assert_int_equal(CAWS_CLOSE_POLICY, 1008);
    assert_int_equal(CAWS_CLOSE_TOO_BIG, 1009);
    assert_int_equal(CAWS_CLOSE_EXTENSION, 1010);
    assert_int_equal(CAWS_CLOSE_INTERNAL, 1011);
    assert_int_equal(CAWS_CLOSE_RESTART, 1012);
    assert_int_equal(CAWS_CLOSE_TRY_AGAIN_LATER, 1013);
}

static caws_ended_by ended_by;

static void note_end(caws_conn *ws, const caws_close_event *event)
{
    (void)ws;
    ended_by = event->ended_by;
}

static void test_ended_by_the_transport(void **state)
{
    caws_config cfg = { .on_close = note_end };
    struct peer p = { 0 };

    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    peer_eof(&p);
    assert_int_equal(ended_by, CAWS_BY_TRANSPORT);
    peer_free(&p);
}

static void test_retarget(void **state)
{
    struct peer p = { 0 };

    (void)state;
    peer_client(&p, "ws://one.example/a", NULL);
    peer_take(&p);
    assert_true(peer_out_starts(&p, "GET /a HTTP/1.1\r\nHost: one.example\r\n"));
    peer_forget(&p);
    assert_int_equal(caws_retarget(p.ws, "http://no"), CAWS_ERR_URL);
    assert_int_equal(caws_retarget(p.ws, "ws://two.example:81/b"), CAWS_OK);
    peer_take(&p);
    assert_true(peer_out_starts(&p, "GET /b HTTP/1.1\r\nHost: two.example:81\r\n"));
    peer_free(&p);
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_retarget(p.ws, "ws://two.example/"), CAWS_ERR_STATE);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_message),
        cmocka_unit_test(test_max_fragments),
        cmocka_unit_test(test_max_buffered),
        cmocka_unit_test(test_max_head),
        cmocka_unit_test(test_max_headers),
        cmocka_unit_test(test_max_control_burst),
        cmocka_unit_test(test_handshake_timeout),
        cmocka_unit_test(test_message_timeout),
        cmocka_unit_test(test_ping_and_pong),
        cmocka_unit_test(test_close_timeout),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ended_by_the_transport),
        cmocka_unit_test(test_retarget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
