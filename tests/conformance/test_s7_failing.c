/* RFC 6455 sections 7.1.7 and 7.2: failing the connection, and losing it. */
#include "frames.h"

static void each_violation_has_its_code(void **state)
{
    /* REQ 7.1.7-1, 7.1.7-2, 7.4.1-9, 10.7-3 */
    /* REQ 10.7-1, 10.7-2, CLOSE-3 */
    static const caws_config cfg = { .max_message = 100, .max_fragments = 2,
                                     .max_control_burst = 1 };
    static const struct frames_row rows[] = {
        { "unmasked", "81u:a", "", "", CAWS_ERR_PROTOCOL },
        { "RSV1", "c1:a", "", "", CAWS_ERR_PROTOCOL },
        { "RSV2", "a1:a", "", "", CAWS_ERR_PROTOCOL },
        { "RSV3", "91:a", "", "", CAWS_ERR_PROTOCOL },
        { "reserved data", "83:a", "", "", CAWS_ERR_PROTOCOL },
        { "reserved control", "8b:a", "", "", CAWS_ERR_PROTOCOL },
        { "fragmented control", "09:a", "", "", CAWS_ERR_PROTOCOL },
        { "long control", "89[126]:", "", "", CAWS_ERR_PROTOCOL },
        { "stray continuation", "80:a", "", "", CAWS_ERR_PROTOCOL },
        { "nested start", "01:a 01:b", "", "", CAWS_ERR_PROTOCOL },
        { "bad UTF-8", "81:%ff", "", "", CAWS_ERR_UTF8 },
        { "in a message", "01:a%ff", "", "", CAWS_ERR_UTF8 },
        { "in a frame", "81[9]:a%ff", "", "", CAWS_ERR_UTF8 },
        { "surrogate", "81:%ed%a0%80", "", "", CAWS_ERR_UTF8 },
        { "close 1005", "88:#1005", "", "", CAWS_ERR_PROTOCOL },
        { "close 999", "88:#0999", "", "", CAWS_ERR_PROTOCOL },
        { "close 0", "88:#0000", "", "", CAWS_ERR_PROTOCOL },
        { "one byte", "88:%03", "", "", CAWS_ERR_PROTOCOL },
        { "long reason", "88:#1000a*124", "", "", CAWS_ERR_PROTOCOL },
        { "bad reason", "88:#1000%ff", "", "", CAWS_ERR_UTF8 },
        { "MSB", "82[9223372036854775808]:", "", "", CAWS_ERR_PROTOCOL },
        { "2^40", "82[1099511627776]:", "", "", CAWS_ERR_TOO_BIG },
        { "not minimal", "82w:a", "", "", CAWS_ERR_PROTOCOL },
        { "too big", "82[101]:", "", "", CAWS_ERR_TOO_BIG },
        { "too many frames", "01:a 00:b 00:c", "", "", CAWS_ERR_LIMIT },
        { "too many pings", "89:a 89:b", "ping 1 61\n", "8a:a",
          CAWS_ERR_LIMIT },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

static void after_failing_no_input_is_processed(void **state)
{
    /* REQ 7.1.7-4 */
    static const caws_config echo = { .on_message = frames_echo };
    static const struct frames_row rows[] = {
        { "all in one", "81:a 83:bad 88:#1000 81:x 89:y", "text 1 a\n", "81:a",
          CAWS_ERR_PROTOCOL },
        { "another mistake", "81:a 83:bad 81:%ff", "text 1 a\n", "81:a",
          CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

/* After our Close the peer's frames are still frames. */
static void a_violation_after_our_close(void **state)
{
    /* REQ 7.1.7-4 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_close(p.ws, 1000, NULL);
        assert_int_equal(frames_feed(&p, "81:ok 83:bad 88:#1000"),
                         CAWS_ERR_PROTOCOL);
        peer_eof(&p);
        frames_expect_out(&p, "one Close", "88:#1000");
        frames_expect_log(&p, "closing", "open\nerror -9 ~\n"
                                         "close 1006 unclean us -9\n");
        peer_free(&p);
    }
}

static void where_the_peer_cannot_hear_it_there_is_no_close(void **state)
{
    /* REQ 7.1.7-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_feed_eof(p.ws, CAWS_ERR_SYS, "broken pipe");
        peer_take(&p);
        assert_int_equal(p.out_len, 0);
        assert_string_equal(p.log, "open\nerror -19 broken pipe\n"
                                   "close 1006 unclean transport -19\n");
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        peer_free(&p);
    }
}

/* 24 hours, in which the peer answers Pings and nothing else happens. */
static void an_idle_connection_stays_open(void **state)
{
    /* REQ 7.1.7-5, 7.3-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        uint64_t stop;
        unsigned pings = 0;
        peer_open(&p, end == PEER_CLIENT, NULL);
        peer_forget(&p);
        stop = p.now + 24 * 3600 * 1000;
        while (p.now < stop) {
            uint64_t due = caws_deadline(p.ws);
            assert_true(due > p.now && due != UINT64_MAX);
            peer_tick(&p, due - p.now);
            peer_tick(&p, 0);
            frames_expect_out(&p, "idle", "89:");
            p.now += 100;
            frames_feed(&p, "8a:");
            assert_string_equal(p.log, "pong 0\n");
            assert_int_equal(caws_round_trip_ms(p.ws), 100);
            peer_forget(&p);
            pings++;
        }
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        assert_int_equal(pings, 24 * 3600 * 1000 / 30100 + 1);
        peer_free(&p);
    }
}

static void a_lost_transport_at_each_byte_of_a_session(void **state)
{
    /* REQ 7.2.1-2, CPU-9, evt-2 */
    static const char session[] =
        "81:abc 01:d 89:p 80:e 82:f*126 02:%ff 00: 8a: 80:%fe 88:#1000";
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool client = i % 2 == PEER_CLIENT;
        size_t len;
        unsigned char *data = frames_build(session, !client, &len);
        for (size_t n = 0; n < len; n++) {
            struct peer p = { .stream = i / 2 };
            peer_open(&p, client, NULL);
            peer_feed(&p, data, n);
            peer_eof(&p);
            peer_eof(&p);
            peer_tick(&p, 1000000);
            assert_int_equal(peer_log_count(&p, "error -15"), 1);
            assert_int_equal(
                peer_log_count(&p, "close 1006 unclean transport -15\n"), 1);
            assert_int_equal(peer_log_count(&p, "\nclose "), 1);
            assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
            peer_free(&p);
        }
        free(data);
    }
}

static void a_lost_transport_at_each_byte_of_a_handshake(void **state)
{
    /* REQ 7.2.1-2, 7.2.1-1, CPU-9 */
    (void)state;
    for (size_t n = 0;; n++) {
        struct peer p = { 0 };
        char answer[300];
        size_t len;
        peer_client(&p, "ws://h/", NULL);
        peer_response_lines(&p, answer, sizeof answer - 2);
        strcat(answer, "\r\n");
        len = strlen(answer);
        if (n < len) {
            peer_feed(&p, answer, n);
            peer_eof(&p);
            frames_expect_log(&p, "lost", "error -15 ~\n"
                                          "close 1006 unclean transport -15\n");
            assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        } else {
            peer_feed(&p, answer, n);
            assert_string_equal(p.log, "open\n");
        }
        peer_free(&p);
        if (n == len)
            return;
    }
}

static int close_in_request(caws_conn *ws, const caws_request *req)
{
    (void)req;
    caws_close(ws, 1000, "no");
    return CAWS_ACCEPT;
}

static int abort_in_request(caws_conn *ws, const caws_request *req)
{
    (void)req;
    caws_abort(ws);
    return CAWS_ACCEPT;
}

static void close_at_once(caws_conn *ws, int error, const char *detail)
{
    (void)error;
    (void)detail;
    assert_int_equal(caws_close(ws, CAWS_CLOSE_NORMAL, NULL), CAWS_OK);
}

/* Closing inside on_error, before it is OPEN, is not a second error. */
static void the_first_error_is_the_one_that_is_told(void **state)
{
    /* REQ 7.1.7-1 */
    static const caws_config cfg = { .on_error = close_at_once };
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://server.example.com/chat", &cfg);
    caws_feed_eof(p.ws, CAWS_ERR_SYS, "connection reset");
    assert_string_equal(p.log, "error -19 connection reset\n"
                               "close 1006 unclean transport -19\n");
    peer_free(&p);
}

static void there_is_no_close_frame_before_the_101(void **state)
{
    /* REQ 7.2.2-1, 10.7-4 */
    static const struct {
        const char *in;
        int (*on_request)(caws_conn *, const caws_request *);
        int status;
    } rows[] = {
        { "junk\r\n\r\n", NULL, 400 },
        { "GET / HTTP/1.1\r\n", NULL, 0 },
        { "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\r\n\r\n", NULL, 400 },
        { PEER_REQUEST_LINES "Sec-WebSocket-Version: 12\r\n\r\n", NULL, 400 },
        { PEER_REQUEST, close_in_request, 0 },
        { PEER_REQUEST, abort_in_request, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        caws_config cfg = { .on_request = rows[i].on_request };
        struct peer p = { 0 };
        peer_server(&p, &cfg);
        peer_feed_text(&p, rows[i].in);
        if (caws_ready_state(p.ws) == CAWS_CONNECTING)
            caws_close(p.ws, 1001, "going");
        peer_eof(&p);
        assert_int_equal(peer_out_status(&p), rows[i].status);
        assert_true(rows[i].status || p.out_len == 0);
        assert_null(memchr(p.out ? p.out : (void *)"", 0x88, p.out_len));
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_violation_has_its_code),
        cmocka_unit_test(after_failing_no_input_is_processed),
        cmocka_unit_test(a_violation_after_our_close),
        cmocka_unit_test(where_the_peer_cannot_hear_it_there_is_no_close),
        cmocka_unit_test(an_idle_connection_stays_open),
        cmocka_unit_test(a_lost_transport_at_each_byte_of_a_session),
        cmocka_unit_test(a_lost_transport_at_each_byte_of_a_handshake),
        cmocka_unit_test(the_first_error_is_the_one_that_is_told),
        cmocka_unit_test(there_is_no_close_frame_before_the_101),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
