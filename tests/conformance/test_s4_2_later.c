/* Requests that the application answers later, and those that come late. */
#include "upgrade.h"

static const char *const request_log = "request GET /chat upgrade\n";

/* A server that has put off its answer to a request with these lines. */
static void put_off(struct peer *p, const caws_config *cfg, const char *add)
{
    p->answer = CAWS_LATER;
    peer_server(p, cfg);
    peer_feed_text(p, upgrade_edit(PEER_REQUEST_LINES, NULL, add));
    assert_string_equal(p->log, request_log);
    assert_int_equal(p->out_len, 0);
    assert_int_equal(caws_ready_state(p->ws), CAWS_CONNECTING);
    assert_true(peer_wants(p, CAWS_WANT_READ));
}

static void read_host(caws_conn *ws)
{
    struct peer *p = caws_context(ws);
    *(bool *)p->user.context = upgrade_is(caws_header(ws, "Host"), "server.example.com");
}

static void held_bytes_come_in_order_after_open(void **state)
{
    bool readable = false;
    caws_config cfg = { .on_open = read_host, .context = &readable };
    struct peer p = { 0 };
    unsigned changed;
    (void)state;
    put_off(&p, &cfg, "");
    peer_feed_frame_text(&p, 0x81, "one");
    peer_feed_frame_text(&p, 0x89, "two");
    peer_feed_hex(&p, "81 85 37fa213d 7f9f");
    assert_string_equal(p.log, request_log);
    assert_int_equal(p.out_len, 0);
    changed = p.changed;
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    assert_int_equal(p.changed, changed + 1);
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_ERR_STATE);
    assert_string_equal(p.log, request_log);
    assert_int_equal(caws_deadline(p.ws), 0);
    peer_take(&p);
    assert_string_equal((char *)p.out, UPGRADE_RESPONSE);
    peer_tick(&p, 0);
    peer_feed_hex(&p, "4d5158");
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\ntext 3 one\n"
                               "ping 3 74776f\ntext 5 Hello\n");
    assert_true(readable);
    assert_null(caws_header(p.ws, "Host").data);
    peer_free(&p);
}

static void a_feed_does_what_the_tick_would(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    peer_feed_frame_text(&p, 0x81, "one");
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    peer_feed_frame_text(&p, 0x81, "two");
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\ntext 3 one\ntext 3 two\n");
    peer_free(&p);
}

static void late_answer_can_be_shaped(void **state)
{
    struct peer p = { 0 };
    caws_slice name, value;
    (void)state;
    put_off(&p, NULL, "Sec-WebSocket-Protocol: a, b\r\n");
    assert_true(upgrade_is(caws_header(p.ws, "host"), "server.example.com"));
    assert_true(caws_header_at(p.ws, 5, &name, &value));
    assert_true(upgrade_is(value, "a, b"));
    assert_int_equal(caws_choose_subprotocol(p.ws, "x"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(p.ws, "b"), CAWS_OK);
    assert_int_equal(caws_add_header(p.ws, "X", "y"), CAWS_OK);
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    assert_int_equal(caws_add_header(p.ws, "X", "z"), CAWS_ERR_STATE);
    peer_tick(&p, 0);
    assert_string_equal((char *)p.out, UPGRADE_RESPONSE_LINES
                        "Sec-WebSocket-Protocol: b\r\nX: y\r\n\r\n");
    assert_string_equal(caws_subprotocol(p.ws), "b");
    peer_free(&p);
}

static void late_refusal_is_told_by_on_close(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    peer_feed_frame_text(&p, 0x81, "held, and dropped");
    assert_int_equal(caws_refuse(p.ws, 199), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(p.ws, "text/plain", "sorry", 5), CAWS_OK);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_OK);
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE);
    peer_take(&p);
    assert_true(peer_out_has(&p, "\r\n\r\nsorry"));
    upgrade_assert_refused(&p, 403);
    assert_string_equal(p.log, "request GET /chat upgrade\nclose 1006 unclean us 0\n");
    peer_free(&p);
}

static void late_refusal_does_not_wait_for_ever(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_OK);
    peer_take(&p);
    peer_tick(&p, 0);
    assert_int_equal(caws_deadline(p.ws), p.now + 5000);
    peer_tick(&p, 4999);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_string_equal(p.log, "request GET /chat upgrade\nclose 1006 unclean us 0\n");
    peer_free(&p);
}

static void undecided_conn_can_be_aborted_or_closed(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    caws_abort(p.ws);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE);
    peer_eof(&p);
    assert_string_equal(p.log, "request GET /chat upgrade\nclose 1006 unclean us 0\n");
    peer_free(&p);
    put_off(&p, NULL, "");
    assert_int_equal(caws_close(p.ws, 1001, "bye"), CAWS_OK);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_true(peer_log_has(&p, "upgrade\nerror -15 closed before"));
    assert_true(peer_log_has(&p, "close 1006 unclean us -15\n"));
    assert_int_equal(p.out_len, 0);
    peer_free(&p);
}

static void client_that_leaves_meanwhile_is_reported(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    peer_feed_frame_text(&p, 0x81, "held, and dropped");
    peer_eof(&p);
    assert_true(peer_log_has(&p, "upgrade\nerror -15 "));
    assert_true(peer_log_has(&p, "close 1006 unclean transport -15\n"));
    assert_int_equal(peer_log_count(&p, "\n"), 3);
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_ERR_STATE);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

static void no_decision_in_time_is_503(void **state)
{
    struct peer p = { 0 };
    (void)state;
    put_off(&p, NULL, "");
    peer_tick(&p, 9999);
    assert_int_equal(p.out_len, 0);
    assert_int_equal(caws_deadline(p.ws), p.now + 1);
    peer_tick(&p, 1);
    upgrade_assert_refused(&p, 503);
    assert_true(peer_log_has(&p, "upgrade\nerror -14 the opening handshake took longer"));
    assert_true(peer_log_has(&p, "\nclose 1006 unclean us -14\n"));
    peer_free(&p);
}

static void plain_request_put_off_and_accepted_is_426(void **state)
{
    struct peer p = { .answer = CAWS_LATER };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    peer_take(&p);
    upgrade_assert_refused(&p, 426);
    assert_int_equal(upgrade_lines(&p, "Upgrade: websocket\r\n"), 1);
    assert_true(peer_log_has(&p, "close 1006 unclean us 0\n"));
    peer_free(&p);
}

static void max_head_limits_what_is_held(void **state)
{
    enum { ROOM = 20 };
    caws_config cfg = { .max_head = sizeof PEER_REQUEST - 1 + ROOM };
    struct peer p = { 0 };
    (void)state;
    put_off(&p, &cfg, "");
    peer_feed(&p, "01234567890123456789", ROOM - 1);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_feed(&p, "x", 1);
    assert_true(peer_wants(&p, 0));
    assert_string_equal(p.log, request_log);
    peer_feed(&p, "x", 1);
    upgrade_assert_refused(&p, 413);
    assert_true(peer_log_has(&p, "upgrade\nerror -12 more bytes than max_head"));
    assert_true(peer_log_has(&p, "\nclose 1006 unclean us -12\n"));
    peer_free(&p);
}

static void no_request_in_time_is_408(void **state)
{
    static const char *const starts[] = { "", "GET /chat HTTP/1.1\r\nHost: h\r\nUpg" };
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct peer p = { 0 };
        peer_server(&p, NULL);
        assert_int_equal(caws_deadline(p.ws), 11000);
        peer_feed_text(&p, starts[i]);
        peer_tick(&p, 9999);
        assert_int_equal(p.out_len, 0);
        peer_tick(&p, 1);
        /* REQ 9110-15.5-1 */
        upgrade_assert_refused(&p, 408);
        assert_true(peer_log_has(&p, "error -14 the opening handshake took longer"));
        assert_false(peer_log_has(&p, "close"));
        peer_free(&p);
    }
}

/* A port scanner, or a browser's spare connection. */
static void conn_that_was_never_used_ends_silently(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_eof(&p);
    assert_string_equal(p.log, "");
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
    peer_server(&p, NULL);
    peer_feed_text(&p, "GET");
    peer_eof(&p);
    assert_int_equal(peer_log_count(&p, "\n"), 1);
    assert_true(peer_log_has(&p, "error -15 "));
    peer_free(&p);
}

static void trickling_does_not_buy_time(void **state)
{
    struct peer p = { 0 };
    size_t i = 0;
    (void)state;
    peer_server(&p, NULL);
    /* REQ HS-7 */
    for (; p.now < 1000 + 9000; p.now += 1000)
        peer_feed(&p, &PEER_REQUEST[i++], 1);
    assert_int_equal(caws_deadline(p.ws), 11000);
    peer_tick(&p, 1000);
    assert_int_equal(p.now, 11000);
    upgrade_assert_refused(&p, 408);
    peer_free(&p);
}

static void client_does_not_wait_for_ever(void **state)
{
    static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", NULL);
    peer_tick(&p, 9999);
    peer_feed_text(&p, interim);
    assert_string_equal(p.log, "");
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_true(peer_log_has(&p, "error -14 the opening handshake took longer"));
    assert_true(peer_log_has(&p, "close 1006 unclean us -14\n"));
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_bytes_come_in_order_after_open),
        cmocka_unit_test(a_feed_does_what_the_tick_would),
        cmocka_unit_test(late_answer_can_be_shaped),
        cmocka_unit_test(late_refusal_is_told_by_on_close),
        cmocka_unit_test(late_refusal_does_not_wait_for_ever),
        cmocka_unit_test(undecided_conn_can_be_aborted_or_closed),
        cmocka_unit_test(client_that_leaves_meanwhile_is_reported),
        cmocka_unit_test(no_decision_in_time_is_503),
        cmocka_unit_test(plain_request_put_off_and_accepted_is_426),
        cmocka_unit_test(max_head_limits_what_is_held),
        cmocka_unit_test(no_request_in_time_is_408),
        cmocka_unit_test(conn_that_was_never_used_ends_silently),
        cmocka_unit_test(trickling_does_not_buy_time),
        cmocka_unit_test(client_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
