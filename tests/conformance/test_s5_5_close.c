/* RFC 6455 section 5.5.1: Close frames. */
#include "frames.h"

static void a_close_may_be_empty(void **state)
{
    /* REQ 5.5.1-1, 7.4-1, close-6, 5.5.1-5 */
    struct peer server = { 0 }, client = { 0 };
    (void)state;
    peer_open(&server, PEER_SERVER, NULL);
    assert_int_equal(caws_close(server.ws, 0, NULL), CAWS_OK);
    peer_take(&server);
    assert_string_equal(peer_out_hex(&server), "8800");
    peer_open(&client, PEER_CLIENT, NULL);
    assert_int_equal(caws_close(client.ws, 0, NULL), CAWS_OK);
    peer_take(&client);
    assert_memory_equal(peer_out_hex(&client), "8880", 4);
    assert_int_equal(client.out_len, 6);
    peer_free(&server);
    peer_free(&client);
}

static void a_close_has_a_code_in_network_order(void **state)
{
    /* REQ 5.5.1-2, 5.5.1-5 */
    struct peer server = { 0 }, client = { 0 };
    (void)state;
    peer_open(&server, PEER_SERVER, NULL);
    assert_int_equal(caws_close(server.ws, 1000, NULL), CAWS_OK);
    peer_take(&server);
    assert_string_equal(peer_out_hex(&server), "880203e8");
    peer_open(&client, PEER_CLIENT, NULL);
    assert_int_equal(caws_close(client.ws, 1000, NULL), CAWS_OK);
    peer_take(&client);
    assert_memory_equal(peer_out_hex(&client), "8882", 4);
    assert_int_equal(client.out_len, 8);
    assert_string_equal(peer_out_unmasked_hex(&client), "880203e8");
    peer_free(&server);
    peer_free(&client);
}

static void received_closes_are_answered(void **state)
{
    /* REQ 5.5.1-2, 5.5.1-3, 5.5.1-7, 5.5.1-8 */
    static const struct frames_row rows[] = {
        { "1000", "88:#1000", "close 1000 clean peer 0\n", "88:#1000", 0 },
        { "1001", "88:#1001", "close 1001 clean peer 0\n", "88:#1001", 0 },
        { "3000", "88:#3000", "close 3000 clean peer 0\n", "88:#3000", 0 },
        { "4999", "88:#4999", "close 4999 clean peer 0\n", "88:#4999", 0 },
        { "empty", "88:", "close 1005 clean peer 0\n", "88:", 0 },
        { "bye", "88:#1000bye", "close 1000 clean peer 0 bye\n", "88:#1000", 0 },
        { "longest", "88:#1000a*123", "close 1000 clean peer 0 aaaaaaaa~\n",
          "88:#1000", 0 },
        { "once", "88:#1000 88:#1001", "close 1000 clean peer 0\n", "88:#1000",
          0 },
        { "one byte", "88:%03", "", "", CAWS_ERR_PROTOCOL },
        { "not UTF-8", "88:#1000%ce", "", "", CAWS_ERR_UTF8 },
        { "not UTF-8 either", "88:#1000a%ed%a0%80", "", "", CAWS_ERR_UTF8 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void no_data_follow_a_close(void **state)
{
    /* REQ 5.5.1-6, 5.1-7 */
    caws_prepared *msg = caws_prepare(NULL, CAWS_TEXT, "x", 1);
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct peer p = { 0 };
        bool by_us = i / 2;
        peer_open(&p, i % 2 == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(p.ws, "open"), CAWS_OK);
        if (by_us)
            assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
        else
            frames_feed(&p, "88:#1000");
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "x", 1, true),
                         CAWS_ERR_STATE);
        assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_ERR_STATE);
        peer_take(&p);
        frames_expect_out(&p, "closed",
                          by_us ? "81:open 88:#1000" : "88:#1000");
        peer_free(&p);
    }
    caws_prepared_free(msg);
}

static void the_answer_overtakes_what_has_not_begun(void **state)
{
    /* REQ 5.5.1-9 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(p.ws, "begun"), CAWS_OK);
        peer_take_some(&p, 4);
        assert_int_equal(caws_send_text(p.ws, "waiting"), CAWS_OK);
        assert_int_equal(caws_send_text(p.ws, "waiting too"), CAWS_OK);
        frames_feed(&p, "88:#1000");
        peer_take(&p);
        frames_expect_out(&p, "begun", "81:begun 88:#1000");
        assert_int_equal(caws_buffered_amount(p.ws), 7 + 11);
        assert_true(peer_log_has(&p, "close 1000 clean peer 0\n"));
        peer_free(&p);
    }
}

static void replies_of_the_same_feed_leave_first(void **state)
{
    /* REQ 5.5.1-9, 5.5.1-10 */
    static const caws_config echo = { .on_message = frames_echo };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, &echo);
        frames_feed(&p, "81:a 89:p 81:b 88:#1001");
        peer_take(&p);
        frames_expect_out(&p, "echoes", "8a:p 81:a 81:b 88:#1001");
        assert_int_equal(caws_buffered_amount(p.ws), 0);
        peer_free(&p);
    }
}

static void echo_and_pause(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    frames_echo(ws, type, data, len);
    if (*(const char *)data == 'a')
        caws_pause(ws);
}

/* What a pause had held is used in the feed after it, and its replies too. */
static void replies_to_what_was_held_leave_first(void **state)
{
    /* REQ 5.5.1-9, 5.5.1-10 */
    static const caws_config echo = { .on_message = echo_and_pause };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &echo);
        frames_feed(&p, "81:a 81:b");
        frames_expect_out(&p, "paused", "81:a");
        caws_resume(p.ws);
        frames_feed(&p, "88:#1001");
        frames_expect_out(&p, "echoes", "81:a 81:b 88:#1001");
        peer_free(&p);
    }
}

/* Queued fragments of a message that has begun still go. */
static void a_fragmented_message_of_ours_that_has_begun(void **state)
{
    /* REQ 5.5.1-10, 6.1-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_send_fragment(p.ws, CAWS_TEXT, "one", 3, false);
        peer_take_some(&p, 2);
        caws_send_fragment(p.ws, CAWS_TEXT, "two", 3, false);
        frames_feed(&p, "88:#1000");
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "three", 5, true),
                         CAWS_ERR_STATE);
        peer_take(&p);
        frames_expect_out(&p, "unfinished", "01:one 00:two 88:#1000");
        peer_free(&p);
        memset(&p, 0, sizeof p);
        p.hold_output = true;
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_send_fragment(p.ws, CAWS_TEXT, "one", 3, false);
        peer_take(&p);
        caws_send_fragment(p.ws, CAWS_TEXT, "two", 3, true);
        caws_send_text(p.ws, "next");
        frames_feed(&p, "88:#1000");
        peer_take(&p);
        frames_expect_out(&p, "finished", "01:one 80:two 88:#1000");
        assert_int_equal(caws_buffered_amount(p.ws), 4);
        peer_free(&p);
    }
}

static void a_server_closes_tcp_at_once(void **state)
{
    /* REQ 5.5.1-11, 5.5.1-12, 7.1.2-2 */
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    frames_feed(&p, "88:#1000");
    assert_true(peer_wants(&p, CAWS_WANT_WRITE | CAWS_WANT_READ));
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
    peer_take(&p);
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_eof(&p);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_string_equal(p.log, "open\nclose 1000 clean peer 0\n");
    peer_free(&p);
}

static void a_client_waits_for_the_server_to_close_tcp(void **state)
{
    /* REQ 5.5.1-13, 5.5.1-14, 7.1.1-4, 5.5.1-11 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
    peer_take(&p);
    frames_feed(&p, "88:#1000");
    assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_tick(&p, 4999);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
    peer_free(&p);
    memset(&p, 0, sizeof p);
    peer_open(&p, PEER_CLIENT, NULL);
    frames_feed(&p, "88:#1000");
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_eof(&p);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

static void crossed_closes_need_no_reply(void **state)
{
    /* REQ 5.5.1-15, CLOSE-1 */
    struct peer a = { .hold_output = true }, b = { .hold_output = true };
    (void)state;
    peer_open(&a, PEER_SERVER, NULL);
    peer_open(&b, PEER_CLIENT, NULL);
    assert_int_equal(caws_close(a.ws, 1000, "a"), CAWS_OK);
    assert_int_equal(caws_close(b.ws, 4000, "b"), CAWS_OK);
    peer_take(&a);
    peer_take(&b);
    peer_feed(&a, b.out, b.out_len);
    peer_feed(&b, a.out, a.out_len);
    peer_take(&a);
    peer_take(&b);
    frames_expect_out(&a, "server", "88:#1000a");
    frames_expect_out(&b, "client", "88:#4000b");
    assert_string_equal(a.log, "open\nclose 4000 clean us 0 b\n");
    assert_string_equal(b.log, "open\nclose 1000 clean us 0 a\n");
    peer_free(&a);
    peer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_close_may_be_empty),
        cmocka_unit_test(a_close_has_a_code_in_network_order),
        cmocka_unit_test(received_closes_are_answered),
        cmocka_unit_test(no_data_follow_a_close),
        cmocka_unit_test(the_answer_overtakes_what_has_not_begun),
        cmocka_unit_test(replies_of_the_same_feed_leave_first),
        cmocka_unit_test(replies_to_what_was_held_leave_first),
        cmocka_unit_test(a_fragmented_message_of_ours_that_has_begun),
        cmocka_unit_test(a_server_closes_tcp_at_once),
        cmocka_unit_test(a_client_waits_for_the_server_to_close_tcp),
        cmocka_unit_test(crossed_closes_need_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
