/* RFC 6455 sections 7.1.1 to 7.1.6 and 7.3: the closing handshake. */
#include "frames.h"

static void a_closing_handshake_of_ours(void **state)
{
    /* REQ 7.1.2-1, 7.1.3-1, 7.3-1, 7.3-3 */
    /* REQ 7.1.4-1, 7.1.2-2, evt-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_close(p.ws, 4001, "x"), CAWS_OK);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        peer_take(&p);
        assert_string_equal(peer_out_unmasked_hex(&p), "88030fa178");
        assert_string_equal(p.log, "open\n");
        frames_feed(&p, "88:#4001");
        assert_string_equal(p.log, "open\nclose 4001 clean us 0\n");
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        peer_eof(&p);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        assert_int_equal(peer_log_count(&p, "close"), 1);
        peer_free(&p);
    }
}

static void a_close_of_the_peer(void **state)
{
    /* REQ 7.1.3-1, 7.1.4-1, 7.1.6-1, evt-4 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        frames_feed(&p, "88:#1000bye");
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        assert_string_equal(p.log, "open\n");
        peer_take_some(&p, 3); /* ours has not left yet */
        assert_string_equal(p.log, "open\n");
        peer_take(&p);
        assert_string_equal(p.log, "open\nclose 1000 clean peer 0 bye\n");
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        peer_free(&p);
    }
}

/* The peer is gone before our answer has left. */
static void an_answer_that_cannot_leave(void **state)
{
    /* REQ 7.1.4-1, evt-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        frames_feed(&p, "88:#1000bye");
        caws_feed_eof(p.ws, CAWS_ERR_SYS, "connection reset");
        assert_true(peer_log_has(&p, "close 1000 unclean peer"));
        assert_int_equal(peer_log_count(&p, "close "), 1);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        peer_free(&p);
    }
}

static void an_end_without_a_close(void **state)
{
    /* REQ 7.1.4-1, 7.1.5-3, 7.1.7-1, evt-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        peer_eof(&p);
        frames_expect_log(&p, "eof",
                          "open\nerror -15 ~\nclose 1006 unclean transport "
                          "-15\n");
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        peer_free(&p);
        memset(&p, 0, sizeof p);
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_close(p.ws, 1000, NULL);
        peer_take(&p);
        peer_eof(&p); /* nobody has answered */
        frames_expect_log(&p, "no answer",
                          "open\nerror -15 ~\nclose 1006 unclean us -15\n");
        peer_free(&p);
    }
}

static void a_connection_that_was_never_established(void **state)
{
    /* REQ 7.1.4-2, 7.2.1-1, conn-2, conn-4 */
    static const struct {
        const char *answer, *log;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
          "error -8 ~\nclose 1006 unclean us -8\n" },
        { "HTTP/1.1 301 Moved\r\nLocation: ws://other/\r\n\r\n",
          "error -8 ~\nclose 1006 unclean us -8\n" },
        { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Accept: "
          "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
          "error -7 ~\nclose 1006 unclean us -7\n" },
        { "junk\r\n\r\n", "error -7 ~\nclose 1006 unclean us -7\n" },
        { "", "error -15 ~\nclose 1006 unclean transport -15\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        peer_client(&p, "ws://h/", NULL);
        peer_forget(&p);
        peer_feed_text(&p, rows[i].answer);
        peer_eof(&p);
        frames_expect_log(&p, rows[i].answer, rows[i].log);
        assert_int_equal(p.out_len, 0); /* no Close frame */
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        peer_free(&p);
    }
}

static void the_first_close_counts(void **state)
{
    /* REQ 7.1.5-1, 7.1.5-2, 7.1.6-1 */
    static const struct frames_row rows[] = {
        { "two", "88:#1001first 88:#1000second",
          "close 1001 clean peer 0 first\n", "88:#1001", 0 },
        { "empty, then not", "88: 88:#1000second", "close 1005 clean peer 0\n",
          "88:", 0 },
        { "no reason", "88:#1000", "close 1000 clean peer 0\n", "88:#1000",
          0 },
        { "a reason", "88:#1000bye", "close 1000 clean peer 0 bye\n",
          "88:#1000", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void our_code_is_not_the_peers(void **state)
{
    /* REQ 7.1.5-1, evt-4 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_close(p.ws, 4444, "ours");
        frames_feed(&p, "88:#3333theirs");
        assert_string_equal(p.log, "open\nclose 3333 clean us 0 theirs\n");
        frames_expect_out(&p, "ours", "88:#4444ours");
        peer_free(&p);
    }
}

static void aborting_needs_no_close(void **state)
{
    /* REQ 7.1.1-2, 7.1.5-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_abort(p.ws);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        frames_feed(&p, "81:x");
        peer_take(&p);
        assert_int_equal(p.out_len, 0);
        assert_string_equal(p.log, "open\n");
        peer_eof(&p);
        assert_string_equal(p.log, "open\nclose 1006 unclean us 0\n");
        peer_free(&p);
    }
}

/* What has been queued goes first, also where it takes long. */
static void queued_data_leave_before_our_close(void **state)
{
    /* REQ close-9, 7.3-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .one_output = 1 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_send_text(p.ws, "first");
        caws_send_fragment(p.ws, CAWS_BINARY, "second", 6, false);
        caws_close(p.ws, 1000, NULL);
        frames_feed(&p, "81:late 89:late");
        frames_expect_out(&p, "queued", "81:first 02:second 88:#1000");
        frames_feed(&p, "88:#1000");
        assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
        peer_free(&p);
    }
}

static void what_comes_after_a_close_is_ignored(void **state)
{
    /* REQ CLOSE-2, 5.5.1-7 */
    static const struct frames_row rows[] = {
        { "all kinds", "88:#1000 81:x 89:y 88:#1001 f0:z =ffffffff",
          "close 1000 clean peer 0\n", "88:#1000", 0 },
        { "in a message", "01:a 88:#1000 80:b", "close 1000 clean peer 0\n",
          "88:#1000", 0 },
    };
    struct peer p = { 0 };
    (void)state;
    FRAMES_CHECK(rows, NULL);
    peer_open(&p, PEER_SERVER, NULL);
    caws_close(p.ws, 1000, NULL); /* ours first: theirs is waited for */
    frames_feed(&p, "81:x 01:y 89:z 80:w 8a: 88:#1001 81:v");
    assert_string_equal(p.log, "open\nclose 1001 clean us 0\n");
    frames_expect_out(&p, "ours first", "88:#1000");
    peer_free(&p);
}

static void a_message_that_our_close_cuts_is_forgotten(void **state)
{
    /* REQ msg-1, CLOSE-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        frames_feed(&p, "01:begun");
        caws_close(p.ws, 1000, NULL);
        frames_feed(&p, "00:more 80:end 81:another 88:#1000");
        assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
        peer_free(&p);
        assert_int_equal(a.bytes, 0);
    }
}

/* Two ends of ours, wired together: one Close each. */
static void nobody_answers_an_answer(void **state)
{
    /* REQ CLOSE-1 */
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct peer a = { 0 }, b = { 0 };
        peer_open(&a, PEER_SERVER, NULL);
        peer_open(&b, PEER_CLIENT, NULL);
        caws_close(first ? a.ws : b.ws, 1000, NULL);
        peer_take(&a);
        peer_take(&b);
        for (int turn = 0; turn < 3; turn++) {
            struct peer before = a;
            peer_feed(&a, b.out, b.out_len);
            peer_feed(&b, before.out, before.out_len);
        }
        frames_expect_out(&a, "server", "88:#1000");
        frames_expect_out(&b, "client", "88:#1000");
        assert_int_equal(peer_log_count(&a, "close "), 1);
        assert_int_equal(peer_log_count(&b, "close "), 1);
        peer_free(&a);
        peer_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closing_handshake_of_ours),
        cmocka_unit_test(a_close_of_the_peer),
        cmocka_unit_test(an_answer_that_cannot_leave),
        cmocka_unit_test(an_end_without_a_close),
        cmocka_unit_test(a_connection_that_was_never_established),
        cmocka_unit_test(the_first_close_counts),
        cmocka_unit_test(our_code_is_not_the_peers),
        cmocka_unit_test(aborting_needs_no_close),
        cmocka_unit_test(queued_data_leave_before_our_close),
        cmocka_unit_test(what_comes_after_a_close_is_ignored),
        cmocka_unit_test(a_message_that_our_close_cuts_is_forgotten),
        cmocka_unit_test(nobody_answers_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
