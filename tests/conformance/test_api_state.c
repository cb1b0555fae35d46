/* websocket-api.tsv: readyState, close(), and the order of events. */
#include "frames.h"

static void expect_open(caws_conn *ws)
{
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(ws), "superchat");
    assert_string_equal(caws_extensions(ws), "");
}

static void expect_closed(caws_conn *ws, const caws_close_event *event)
{
    (void)event;
    assert_int_equal(caws_ready_state(ws), CAWS_CLOSED);
}

static void expect_closing(caws_conn *ws, int error, const char *detail)
{
    (void)error;
    (void)detail;
    assert_true(caws_ready_state(ws) >= CAWS_CLOSING);
}

static void states_inside_the_handlers(void **state)
{
    /* REQ ready-2, ready-4, attr-1, ctor-6 */
    static const caws_config cfg = {
        .subprotocols = "superchat", .on_open = expect_open,
        .on_close = expect_closed, .on_error = expect_closing
    };
    struct peer p = { 0 }, q = { 0 };
    char answer[300];
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    assert_int_equal(caws_ready_state(p.ws), CAWS_CONNECTING);
    assert_string_equal(caws_subprotocol(p.ws), "");
    assert_string_equal(caws_extensions(p.ws), "");
    peer_response_lines(&p, answer, sizeof answer - 50);
    strcat(answer, "Sec-WebSocket-Protocol: superchat\r\n\r\n");
    peer_feed_text(&p, answer);
    frames_feed(&p, "83:bad");
    peer_eof(&p);
    frames_expect_log(&p, "client", "open\nerror -9 ~\n"
                                    "close 1006 unclean us -9\n");
    peer_server(&q, &cfg);
    peer_feed_text(&q, PEER_REQUEST_LINES
                   "Sec-WebSocket-Protocol: superchat\r\n\r\n");
    frames_feed(&q, "88:#1000");
    frames_expect_log(&q, "server", "request GET /chat upgrade\nopen\n"
                                    "close 1000 clean peer 0\n");
    peer_free(&p);
    peer_free(&q);
}

static void what_makes_it_closing(void **state)
{
    /* REQ ready-3 */
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, i % 2, NULL);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        if (i / 2)
            frames_feed(&p, "88:#1000");
        else
            assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        peer_free(&p);
    }
}

static const char euros[] =
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";

static int try_close(uint16_t code, const char *reason)
{
    struct peer p = { 0 };
    int result;
    peer_open(&p, PEER_SERVER, NULL);
    result = caws_close(p.ws, code, reason);
    peer_take(&p);
    assert_true(result == CAWS_OK
                    ? p.out_len == 4 + strlen(reason)
                    : p.out_len == 0 && caws_ready_state(p.ws) == CAWS_OPEN);
    peer_free(&p);
    return result;
}

static void reasons_and_codes_of_close(void **state)
{
    /* REQ close-1, close-2 */
    char letters[125];
    (void)state;
    memset(letters, 'r', sizeof letters);
    letters[124] = '\0';
    assert_int_equal(try_close(1000, letters + 1), CAWS_OK);
    assert_int_equal(try_close(1000, letters), CAWS_ERR_ARG);
    assert_int_equal(strlen(euros), 3 * 42);
    assert_int_equal(try_close(1000, euros + 3), CAWS_OK);
    assert_int_equal(try_close(1000, euros), CAWS_ERR_ARG);
    assert_int_equal(try_close(1000, "\xff"), CAWS_ERR_UTF8);
    assert_int_equal(try_close(999, ""), CAWS_ERR_ARG);
    assert_int_equal(try_close(1005, ""), CAWS_ERR_ARG);
    assert_int_equal(try_close(2999, ""), CAWS_ERR_ARG);
    assert_int_equal(try_close(5000, ""), CAWS_ERR_ARG);
    assert_int_equal(try_close(65535, ""), CAWS_ERR_ARG);
    assert_int_equal(try_close(3000, ""), CAWS_OK);
    assert_int_equal(try_close(4999, ""), CAWS_OK);
}

static void closing_twice(void **state)
{
    /* REQ close-3, close-4, send-2 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
    assert_int_equal(caws_close(p.ws, 1001, NULL), CAWS_ERR_STATE);
    assert_int_equal(caws_close(p.ws, 1, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_send(p.ws, (caws_type)9, "", 0), CAWS_ERR_ARG);
    peer_take(&p);
    frames_feed(&p, "88:#1000");
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    assert_int_equal(caws_close(p.ws, 1001, NULL), CAWS_ERR_STATE);
    assert_int_equal(caws_close(p.ws, 1, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    peer_take(&p);
    frames_expect_out(&p, "once", "88:#1000");
    assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
    peer_free(&p);
}

static void closing_before_it_is_established(void **state)
{
    /* REQ close-5, evt-1, evt-4, evt-6 */
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", NULL);
    peer_forget(&p);
    assert_int_equal(caws_close(p.ws, 1000, "bye"), CAWS_OK);
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_string_equal(p.log, "");
    peer_eof(&p);
    frames_expect_log(&p, "events", "error -15 ~\nclose 1006 unclean us -15\n");
    assert_int_equal(p.out_len, 0);
    peer_free(&p);
}

static void what_close_sends(void **state)
{
    /* REQ close-7, close-8, close-6 */
    static const struct {
        uint16_t code;
        const char *reason, *hex;
    } rows[] = {
        { 0, NULL, "8800" },
        { 0, "", "8800" },
        { 1000, "bye", "880503e8627965" },
        { 0, "x", "880303e878" },
        { 1000, NULL, "880203e8" },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        peer_open(&p, i % 2, NULL);
        caws_close(p.ws, rows[i / 2].code, rows[i / 2].reason);
        peer_take(&p);
        assert_string_equal(peer_out_unmasked_hex(&p), rows[i / 2].hex);
        peer_free(&p);
    }
}

static void messages_are_delivered_in_open_only(void **state)
{
    /* REQ msg-1, msg-2, evt-5, evt-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        frames_feed(&p, "81:string 82:bytes");
        caws_close(p.ws, 1000, NULL);
        frames_feed(&p, "81:late 82:late 89:late 8a:late 88:#1000%ef%bb%bfa");
        assert_string_equal(p.log, "open\ntext 6 string\n"
                                   "binary 5 6279746573\n"
                                   "close 1000 clean us 0 \xef\xbb\xbf" "a\n");
        peer_free(&p);
    }
}

/* No handler runs inside a call of the application side. */
static void calls_cause_no_events_of_their_own(void **state)
{
    /* REQ evt-6 */
    static const caws_config small = { .max_buffered = 10 };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, &small);
        peer_forget(&p);
        caws_send_text(p.ws, "more than there is room for");
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_FULL);
        caws_send_fragment(p.ws, CAWS_TEXT, "x", 1, false);
        caws_ping(p.ws, NULL, 0);
        caws_pong(p.ws, NULL, 0);
        caws_pause(p.ws);
        frames_feed(&p, "81:held");
        caws_resume(p.ws);
        caws_discard(p.ws);
        caws_close(p.ws, 1000, NULL);
        caws_abort(p.ws);
        assert_string_equal(p.log, "");
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        peer_eof(&p);
        assert_string_equal(p.log, "close 1006 unclean us 0\n");
        peer_free(&p);
    }
}

static void freeing_says_nothing(void **state)
{
    /* REQ gc-1 */
    struct peer_alloc a = { 0 };
    caws_config cfg = { .alloc = peer_counting(&a) };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    caws_send_text(p.ws, "never leaves");
    frames_feed(&p, "01:unfinished");
    caws_free(p.ws);
    p.ws = NULL;
    assert_int_equal(p.out_len, 0);
    assert_string_equal(p.log, "open\n");
    assert_int_equal(a.bytes, 0);
    peer_free(&p);
    caws_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_inside_the_handlers),
        cmocka_unit_test(what_makes_it_closing),
        cmocka_unit_test(reasons_and_codes_of_close),
        cmocka_unit_test(closing_twice),
        cmocka_unit_test(closing_before_it_is_established),
        cmocka_unit_test(what_close_sends),
        cmocka_unit_test(messages_are_delivered_in_open_only),
        cmocka_unit_test(calls_cause_no_events_of_their_own),
        cmocka_unit_test(freeing_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
