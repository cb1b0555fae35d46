/* RFC 6455 sections 5.5.2, 7.1.1 and 10.4: what does not wait for ever. */
#include "frames.h"
#include "upgrade.h"

static const caws_config short_times = {
    .message_timeout_ms = 3000, .ping_interval_ms = 1000,
    .pong_timeout_ms = 400, .close_timeout_ms = 500
};

static void a_peer_that_never_answers_a_close(void **state)
{
    /* REQ CLOSE-4, ALLOC-12, 5.5.1-14 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &short_times);
        peer_forget(&p);
        caws_close(p.ws, 1000, NULL);
        assert_int_equal(caws_deadline(p.ws), 0); /* it counts from a tick */
        peer_take(&p);
        peer_tick(&p, 0);
        assert_int_equal(caws_deadline(p.ws), p.now + 500);
        for (int i = 0; i < 49; i++) {
            p.now += 10;
            frames_feed(&p, "89:trickle"); /* no answer to a Close */
        }
        peer_tick(&p, 9);
        assert_string_equal(p.log, "");
        assert_false(caws_wants(p.ws) & CAWS_WANT_CLOSE);
        peer_tick(&p, 1);
        frames_expect_log(&p, "late", "error -14 ~\n"
                                      "close 1006 unclean us -14\n");
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
        peer_free(&p);
    }
}

/* Each byte that the peer takes puts the end off, four times in all. */
static void a_slow_peer_has_four_times_as_long(void **state)
{
    /* REQ ALLOC-12 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        for (uint64_t step = 100; step <= 500; step += 100) {
            struct peer p = { .hold_output = true };
            uint64_t begun;
            peer_open(&p, end == PEER_CLIENT, &short_times);
            peer_forget(&p);
            caws_send_text(p.ws, "some words that leave byte by byte");
            caws_close(p.ws, 1000, NULL);
            peer_tick(&p, 0);
            begun = p.now;
            while (!(caws_wants(p.ws) & CAWS_WANT_CLOSE)) {
                assert_true(p.now < begun + 3000);
                assert_int_equal(peer_log_count(&p, "close"), 0);
                peer_tick(&p, step - 1);
                if (step < 500)
                    peer_take_some(&p, 1);
                peer_tick(&p, 1);
            }
            assert_in_range(p.now - begun, step < 500 ? 2000 : 500,
                            step < 500 ? 1999 + step : 500);
            peer_free(&p);
        }
    }
}

static void last_words_have_a_bounded_time(void **state)
{
    /* REQ ALLOC-12, CLOSE-4 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, &short_times);
    frames_feed(&p, "88:#1000"); /* then it keeps the socket open */
    peer_tick(&p, 0);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    for (int i = 0; i < 49; i++) {
        p.now += 10;
        frames_feed(&p, "81:trickle");
    }
    peer_tick(&p, 9);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_string_equal(p.log, "open\nclose 1000 clean peer 0\n");
    peer_free(&p);
    memset(&p, 0, sizeof p);
    peer_open(&p, PEER_SERVER, &short_times);
    frames_feed(&p, "83:bad");
    peer_tick(&p, 0);
    peer_tick(&p, 499);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_tick(&p, 1);
    frames_expect_log(&p, "bad", "open\nerror -9 ~\n"
                                 "close 1006 unclean us -9\n");
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

static void a_dead_peer_is_found_by_a_ping(void **state)
{
    /* REQ ALLOC-11, 7.1.7-3, ping-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &short_times);
        peer_forget(&p);
        assert_int_equal(caws_deadline(p.ws), p.now + 1000);
        peer_tick(&p, 999);
        assert_int_equal(p.out_len, 0);
        peer_tick(&p, 1);
        frames_expect_out(&p, "ping", "89:");
        peer_tick(&p, 0);
        assert_int_equal(caws_deadline(p.ws), p.now + 400);
        peer_tick(&p, 399);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        peer_tick(&p, 1);
        frames_expect_log(&p, "dead", "error -14 ~\n"
                                      "close 1006 unclean us -14\n");
        frames_expect_out(&p, "no Close", "89:");
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        peer_free(&p);
    }
}

static void any_byte_answers_a_ping(void **state)
{
    /* REQ ALLOC-11 */
    static const char *const answers[] = { "8a:", "81:a", "=82", "01:a" };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof answers / sizeof *answers; i++) {
        struct peer p = { 0 };
        peer_open(&p, i % 2, &short_times);
        peer_tick(&p, 1000);
        peer_tick(&p, 0);
        p.now += 399;
        frames_feed(&p, answers[i / 2]);
        peer_tick(&p, 999);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        frames_expect_out(&p, answers[i / 2], "89:");
        peer_tick(&p, 1); /* silent again */
        frames_expect_out(&p, answers[i / 2], "89: 89:");
        peer_free(&p);
    }
}

/* The wait begins when the Ping has left, and again with each byte. */
static void a_peer_that_takes_bytes_is_alive(void **state)
{
    /* REQ ALLOC-11 */
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &short_times);
    peer_forget(&p);
    caws_send_text(p.ws, "a backlog");
    peer_take_some(&p, 1);
    peer_tick(&p, 1000);
    for (int i = 0; i < 8; i++) {
        peer_tick(&p, 399);
        assert_int_equal(peer_take_some(&p, 1), 1);
        peer_tick(&p, 0);
    }
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    peer_take(&p);
    frames_expect_out(&p, "backlog", "81:a%20backlog 89:");
    peer_tick(&p, 0);
    assert_int_equal(caws_deadline(p.ws), p.now + 400);
    peer_tick(&p, 400);
    assert_true(peer_log_has(&p, "error -14"));
    peer_free(&p);
}

static void the_round_trip_is_measured(void **state)
{
    /* REQ 5.5.2-4, ping-1 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    frames_feed(&p, "8a:unasked");
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    assert_int_equal(caws_ping(p.ws, "p", 1), CAWS_OK);
    peer_take(&p);
    p.now += 70;
    frames_feed(&p, "81:a");
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    p.now += 53;
    frames_feed(&p, "8a:p");
    assert_int_equal(caws_round_trip_ms(p.ws), 123);
    p.now += 1000;
    frames_feed(&p, "8a:p");
    assert_int_equal(caws_round_trip_ms(p.ws), 123);
    peer_free(&p);
}

/* Trickling does not put the end of an unfinished message off. */
/* A Ping that left before there was a time left when that began. */
static void a_round_trip_from_before_the_first_moment(void **state)
{
    static const caws_config none = { 0 };
    caws_conn *ws = caws_new_open(false, NULL, NULL, &none, NULL);
    unsigned char pong[20];
    size_t n = peer_frame(pong, 0x8a, "", 0, true);
    caws_slice v;
    (void)state;
    assert_int_equal(caws_ping(ws, NULL, 0), CAWS_OK);
    assert_int_equal(caws_output(ws, &v, 1), 1);
    caws_output_done(ws, v.len);
    assert_int_equal(caws_feed(ws, pong, n, 1000000), CAWS_OK);
    assert_int_equal(caws_round_trip_ms(ws), 1);
    caws_free(ws);
}

static void a_message_that_takes_too_long(void **state)
{
    /* REQ 10.4-2, LEN-11 */
    static const caws_config cfg = { .message_timeout_ms = 3000 };
    static const char *const starts[] = {
        "01:a", "81[90]:a", "82[90]:", "=8a", "89[9]:a", "81:whole 01:"
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof starts / sizeof *starts; i++) {
        struct peer p = { 0 };
        peer_open(&p, i % 2, &cfg);
        frames_feed(&p, starts[i / 2]);
        peer_forget(&p);
        assert_int_equal(caws_deadline(p.ws), p.now + 3000);
        peer_tick(&p, 1500);
        if (i / 2 == 0)
            frames_feed(&p, "00:b 8a: 00:c");
        peer_tick(&p, 1499);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        assert_int_equal(caws_deadline(p.ws), p.now + 1);
        peer_tick(&p, 1);
        assert_int_equal(peer_log_count(&p, "error -14 "), 1);
        assert_int_equal(peer_out_close(&p), 1008);
        peer_free(&p);
    }
}

static void a_message_in_time_is_forgotten(void **state)
{
    /* REQ 10.4-2 */
    static const caws_config cfg = { .message_timeout_ms = 3000 };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    frames_feed(&p, "01:a");
    p.now += 2999;
    frames_feed(&p, "80:b 01:c"); /* another begins */
    peer_tick(&p, 2999);
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    frames_feed(&p, "80:d");
    peer_tick(&p, 29999);
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_string_equal(p.log, "open\ntext 2 ab\ntext 2 cd\n");
    peer_free(&p);
}

static void a_pause_of_ours_is_not_the_peers_fault(void **state)
{
    /* REQ ALLOC-8, 10.4-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &short_times);
        peer_forget(&p);
        frames_feed(&p, "01:a");
        peer_tick(&p, 1000);
        peer_tick(&p, 300); /* a Ping has been out for 300 of 400 ms */
        caws_pause(p.ws);
        assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
        peer_tick(&p, 1000000);
        assert_string_equal(p.log, "");
        caws_resume(p.ws);
        peer_tick(&p, 0);
        assert_int_equal(caws_deadline(p.ws), p.now + 400);
        p.now += 399;
        frames_feed(&p, "00:b"); /* 1699 of 3000 ms */
        peer_tick(&p, 1300);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        frames_feed(&p, "80:c");
        assert_string_equal(p.log, "text 3 abc\n");
        peer_free(&p);
    }
}

static void a_pause_does_not_stop_the_messages_clock_for_good(void **state)
{
    /* REQ 10.4-2 */
    static const caws_config cfg = { .message_timeout_ms = 3000 };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    frames_feed(&p, "01:a");
    peer_tick(&p, 1000);
    caws_pause(p.ws);
    peer_tick(&p, 5000);
    caws_resume(p.ws);
    peer_tick(&p, 0);
    assert_int_equal(caws_deadline(p.ws), p.now + 2000);
    peer_tick(&p, 2000);
    assert_int_equal(peer_out_close(&p), 1008);
    peer_free(&p);
}

/* Everything off: nothing is ever due. */
/* Pings without a gap, cut so that each piece ends inside one: every frame has
 * its own time. */
static void the_next_frame_has_its_own_time(void **state)
{
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .quiet_pings = true };
        unsigned char pings[40];
        size_t n = peer_frame(pings, 0x89, "p", 1, end == PEER_SERVER);
        peer_frame(pings + n, 0x89, "p", 1, end == PEER_SERVER);
        peer_open(&p, end == PEER_CLIENT, &short_times);
        peer_forget(&p);
        peer_feed(&p, pings, 1);
        for (int i = 0; i < 15; i++) { /* 4.5 s, of 3 for one message */
            peer_tick(&p, 300);
            peer_feed(&p, pings + 1, n);
        }
        assert_string_equal(p.log, "");
        peer_free(&p);
    }
}

/* A pause that began before there was a time, or before it was OPEN. */
static void a_pause_from_before_counts_from_the_opening(void **state)
{
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        caws_config cfg = short_times;
        caws_conn *ws;
        cfg.random = upgrade_nonce;
        ws = caws_new_open(end == PEER_CLIENT, NULL, NULL, &cfg, NULL);
        caws_pause(ws);
        caws_tick(ws, 1000000);
        caws_resume(ws);
        caws_tick(ws, 1000300);
        assert_int_equal(caws_deadline(ws), 1001300);
        caws_free(ws);
    }
}

static int decide_later(caws_conn *ws, const caws_request *req)
{
    (void)ws;
    (void)req;
    return CAWS_LATER;
}

/* A message that begins in what was held has its time from then on. */
static void a_pause_does_not_shift_what_begins_after_it(void **state)
{
    caws_config cfg = short_times;
    struct peer p = { 0 };
    (void)state;
    cfg.ping_interval_ms = CAWS_OFF;
    cfg.on_request = decide_later;
    cfg.on_open = caws_resume;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    peer_feed_frame(&p, 0x01, "begun", 5);
    caws_pause(p.ws);
    peer_tick(&p, 500);
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    peer_tick(&p, 500);
    assert_int_equal(caws_deadline(p.ws), p.now + 3000);
    peer_free(&p);
}

static void timeouts_can_be_switched_off(void **state)
{
    /* REQ ping-1 */
    static const caws_config cfg = {
        .message_timeout_ms = CAWS_OFF, .ping_interval_ms = CAWS_OFF,
        .pong_timeout_ms = CAWS_OFF, .close_timeout_ms = CAWS_OFF
    };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    frames_feed(&p, "01:a");
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_OK);
    peer_take(&p);
    peer_tick(&p, UINT32_MAX);
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    caws_close(p.ws, 1000, NULL);
    peer_take(&p);
    peer_tick(&p, UINT32_MAX);
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    assert_string_equal(p.log, "open\n");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_never_answers_a_close),
        cmocka_unit_test(a_slow_peer_has_four_times_as_long),
        cmocka_unit_test(last_words_have_a_bounded_time),
        cmocka_unit_test(a_dead_peer_is_found_by_a_ping),
        cmocka_unit_test(any_byte_answers_a_ping),
        cmocka_unit_test(a_peer_that_takes_bytes_is_alive),
        cmocka_unit_test(the_round_trip_is_measured),
        cmocka_unit_test(a_round_trip_from_before_the_first_moment),
        cmocka_unit_test(a_message_that_takes_too_long),
        cmocka_unit_test(a_message_in_time_is_forgotten),
        cmocka_unit_test(a_pause_of_ours_is_not_the_peers_fault),
        cmocka_unit_test(a_pause_does_not_stop_the_messages_clock_for_good),
        cmocka_unit_test(the_next_frame_has_its_own_time),
        cmocka_unit_test(a_pause_from_before_counts_from_the_opening),
        cmocka_unit_test(a_pause_does_not_shift_what_begins_after_it),
        cmocka_unit_test(timeouts_can_be_switched_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
