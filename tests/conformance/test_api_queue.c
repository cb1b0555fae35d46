/* A bounded queue: CAWS_ERR_FULL, on_drain, caws_discard, caws_pause. */
#include "frames.h"

static const caws_config hundred = { .max_buffered = 100 };

static int send_bytes(struct peer *p, size_t len)
{
    static const char data[10000] = "";
    return caws_send(p->ws, CAWS_BINARY, data, len);
}

static void the_queue_is_full_at_max_buffered(void **state)
{
    /* REQ send-5 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        size_t header = end == PEER_CLIENT ? 6 : 2;
        caws_prepared *msg = caws_prepare(NULL, CAWS_BINARY, "eight!!!", 8);
        peer_open(&p, end == PEER_CLIENT, &hundred);
        assert_int_equal(send_bytes(&p, 50), CAWS_OK);
        assert_int_equal(send_bytes(&p, 51 - 2 * header), CAWS_ERR_FULL);
        assert_int_equal(send_bytes(&p, 50 - 2 * header), CAWS_OK);
        assert_int_equal(send_bytes(&p, 0), CAWS_ERR_FULL);
        assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_ERR_FULL);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "", 0, false),
                         CAWS_ERR_FULL);
        assert_int_equal(caws_ping(p.ws, "p", 1), CAWS_OK);
        assert_int_equal(caws_pong(p.ws, "p", 1), CAWS_OK);
        assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
        peer_take(&p);
        assert_int_equal(peer_out_close(&p), 1000);
        caws_prepared_free(msg);
        peer_free(&p);
    }
}

static void an_empty_queue_takes_any_one_message(void **state)
{
    /* REQ send-5 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &hundred);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(send_bytes(&p, 10000), CAWS_OK);
            assert_int_equal(send_bytes(&p, 0), CAWS_ERR_FULL);
            peer_take_some(&p, 5000);
            assert_int_equal(send_bytes(&p, 0), CAWS_ERR_FULL);
            peer_take(&p);
        }
        peer_free(&p);
    }
}

static void it_drains_once_per_crossing(void **state)
{
    /* REQ send-5, evt-6 */
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &hundred);
    peer_forget(&p);
    assert_int_equal(send_bytes(&p, 48), CAWS_OK); /* 50 of 100: not above */
    peer_take(&p);
    assert_string_equal(p.log, "");
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(send_bytes(&p, 49), CAWS_OK); /* 51 */
        assert_int_equal(peer_log_count(&p, "drain"), i - 1);
        peer_take_some(&p, 1); /* 50 */
        assert_int_equal(peer_log_count(&p, "drain"), i);
        peer_take(&p);
        assert_int_equal(peer_log_count(&p, "drain"), i);
    }
    peer_forget(&p);
    assert_int_equal(send_bytes(&p, 40), CAWS_OK);
    assert_int_equal(send_bytes(&p, 70), CAWS_ERR_FULL); /* refused at 42 */
    assert_string_equal(p.log, "");
    peer_take_some(&p, 1);
    assert_string_equal(p.log, "drain\n");
    peer_take(&p);
    assert_string_equal(p.log, "drain\n");
    assert_int_equal(send_bytes(&p, 70), CAWS_OK);
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
    peer_take(&p); /* nothing follows CLOSING */
    assert_string_equal(p.log, "drain\n");
    peer_free(&p);
}

static void send_again(caws_conn *ws)
{
    if (caws_user(ws))
        return;
    caws_set_user(ws, ws);
    assert_int_equal(caws_send_text(ws, "drained"), CAWS_OK);
}

static void a_handler_may_send_when_it_drains(void **state)
{
    /* REQ send-5, CRASH-7 */
    static const caws_config cfg = { .max_buffered = 100,
                                     .on_drain = send_again };
    struct peer p = { .one_output = 1 };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    send_bytes(&p, 90);
    peer_take(&p);
    frames_expect_out(&p, "more", "82:%00*90 81:drained");
    assert_int_equal(peer_log_count(&p, "drain"), 2);
    peer_free(&p);
}

static void discarding_what_has_not_begun(void **state)
{
    /* REQ buf-2, 5.5.1-10 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_send_text(p.ws, "begun");
        peer_take_some(&p, 1);
        caws_send_text(p.ws, "not begun");
        caws_discard(p.ws);
        assert_int_equal(caws_buffered_amount(p.ws), 5 + 9);
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "x", 1, true),
                         CAWS_ERR_STATE);
        assert_int_equal(caws_ping(p.ws, "x", 1), CAWS_ERR_STATE);
        assert_int_equal(caws_close(p.ws, 1008, "too slow"), CAWS_OK);
        peer_take(&p);
        frames_expect_out(&p, "discard", "81:begun 88:#1008too%20slow");
        assert_int_equal(caws_buffered_amount(p.ws), 9);
        peer_free(&p);
    }
}

static void discarding_inside_a_fragmented_message(void **state)
{
    /* REQ 5.5.1-10, 6.1-1 */
    (void)state;
    for (int begun = 0; begun < 2; begun++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, PEER_SERVER, NULL);
        caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false);
        if (begun)
            peer_take(&p);
        caws_send_fragment(p.ws, CAWS_TEXT, "b", 1, false);
        caws_send_fragment(p.ws, CAWS_TEXT, "c", 1, true);
        caws_send_text(p.ws, "next");
        caws_discard(p.ws);
        caws_close(p.ws, 1000, NULL);
        peer_take(&p);
        frames_expect_out(&p, "fragments", begun ? "01:a 00:b 80:c 88:#1000"
                                                 : "88:#1000");
        peer_free(&p);
    }
}

static void pause_now(caws_conn *ws, caws_type type, const void *data,
                      size_t len)
{
    (void)type;
    (void)data;
    if (len == 1)
        caws_pause(ws);
}

static void a_pause_takes_effect_before_the_next_handler(void **state)
{
    /* REQ stream-1, ALLOC-8, CRASH-7 */
    static const caws_config cfg = { .on_message = pause_now };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        peer_forget(&p);
        frames_feed(&p, "81:a 89:p 81:b 81:whole 88:#1000");
        assert_string_equal(p.log, "text 1 a\n");
        assert_false(caws_wants(p.ws) & CAWS_WANT_READ);
        caws_resume(p.ws);
        assert_string_equal(p.log, "text 1 a\n");
        assert_int_equal(caws_deadline(p.ws), 0);
        peer_tick(&p, 0);
        assert_string_equal(p.log, "text 1 a\nping 1 70\ntext 1 b\n");
        caws_resume(p.ws);
        peer_tick(&p, 0);
        peer_take(&p);
        assert_string_equal(p.log, "text 1 a\nping 1 70\ntext 1 b\n"
                                   "text 5 whole\nclose 1000 clean peer 0\n");
        frames_expect_out(&p, "paused", "8a:p 88:#1000");
        peer_free(&p);
    }
}

/* What is held is used before more is read: else whoever pauses at each message
 * would make it grow with all that the peer has sent. */
static void what_is_held_comes_before_more(void **state)
{
    /* REQ stream-1, ALLOC-8 */
    static const caws_config cfg = { .on_message = pause_now };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        frames_feed(&p, "81:a 81:b 81:c");
        for (int i = 0; i < 2; i++) {
            assert_true(peer_wants(&p, 0));
            caws_resume(p.ws);
            assert_true(peer_wants(&p, 0));
            peer_tick(&p, 0);
        }
        assert_string_equal(p.log, "open\ntext 1 a\ntext 1 b\ntext 1 c\n");
        assert_true(peer_wants(&p, 0));
        caws_resume(p.ws);
        assert_true(peer_wants(&p, CAWS_WANT_READ));
        peer_free(&p);
    }
}

static void the_end_comes_behind_what_is_held(void **state)
{
    /* REQ stream-1, CPU-9 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        peer_forget(&p);
        caws_pause(p.ws);
        frames_feed(&p, "81:held 01:begun");
        peer_eof(&p);
        assert_string_equal(p.log, "");
        caws_resume(p.ws);
        peer_tick(&p, 0);
        frames_expect_log(&p, "held", "text 4 held\nerror -15 ~\n"
                                      "close 1006 unclean transport -15\n");
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_full_at_max_buffered),
        cmocka_unit_test(an_empty_queue_takes_any_one_message),
        cmocka_unit_test(it_drains_once_per_crossing),
        cmocka_unit_test(a_handler_may_send_when_it_drains),
        cmocka_unit_test(discarding_what_has_not_begun),
        cmocka_unit_test(discarding_inside_a_fragmented_message),
        cmocka_unit_test(a_pause_takes_effect_before_the_next_handler),
        cmocka_unit_test(what_is_held_comes_before_more),
        cmocka_unit_test(the_end_comes_behind_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
