/* lib/protocol/deadline.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

/* Times are relative to the first tick, at 1000. */
static uint64_t due(const struct peer *p)
{
    uint64_t deadline = caws_deadline(p->ws);
    return deadline < 1000 || deadline == UINT64_MAX ? deadline : deadline - 1000;
}

static void test_before_the_first_tick(void **state)
{
    caws_config cfg = { 0 };
    caws_conn *ws = caws_new_server(&cfg, NULL);
    (void)state;
    assert_int_equal(caws_deadline(ws), 0);
    caws_tick(ws, 5000);
    assert_int_equal(caws_deadline(ws), 15000);
    caws_tick(ws, 4000); /* a clock that goes back does no harm */
    assert_int_equal(caws_deadline(ws), 15000);
    caws_free(ws);
}

static void test_silence_a_ping_and_the_end(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(due(&p), 30000);
    peer_tick(&p, 29999);
    assert_int_equal(p.out_len, 0);
    peer_feed_hex(&p, "81"); /* any byte will do */
    assert_int_equal(due(&p), 29999 + 30000);
    peer_tick(&p, 30000);
    assert_string_equal(peer_out_hex(&p), "8900");
    assert_int_equal(due(&p), 0); /* it has left: from the next moment on */
    peer_tick(&p, 10);
    assert_int_equal(due(&p), 59999 + 10 + 20000);
    peer_tick(&p, 19999);
    assert_false(peer_log_has(&p, "error"));
    peer_tick(&p, 1);
    assert_true(peer_log_has(&p, "error -14 nothing came"));
    assert_true(peer_log_has(&p, "close 1006 unclean us -14"));
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    peer_free(&p);
}

static int no_random(void *ctx, void *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return -1;
}

static void test_a_ping_that_cannot_be_built(void **state)
{
    caws_config cfg = { .random = no_random };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_tick(&p, 30000);
    assert_true(peer_log_has(&p, "error -5 a Ping could not be built"));
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE)); /* nor can a Close */
    peer_free(&p);
}

static void test_a_ping_is_answered_by_any_byte(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    peer_tick(&p, 30000);
    peer_tick(&p, 19000);
    peer_feed_hex(&p, "8101");
    peer_tick(&p, 19000);
    assert_false(peer_log_has(&p, "error"));
    assert_int_equal(due(&p), 49000 + 30000);
    peer_free(&p);
}

static void test_a_message_that_takes_too_long(void **state)
{
    caws_config cfg = { .message_timeout_ms = 1000 };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_feed_hex(&p, "0101 61");
    assert_int_equal(due(&p), 1000);
    peer_tick(&p, 600);
    peer_feed_hex(&p, "800162 8102"); /* a new one has begun */
    peer_tick(&p, 0);
    assert_int_equal(due(&p), 1600);
    peer_tick(&p, 999);
    assert_false(peer_log_has(&p, "error"));
    peer_tick(&p, 1);
    assert_true(peer_log_has(&p, "error -14 a message took longer"));
    assert_int_equal(peer_out_close(&p), 1008);
    peer_free(&p);
}

static void test_no_timeout_at_all(void **state)
{
    caws_config cfg = { .ping_interval_ms = CAWS_OFF, .message_timeout_ms = CAWS_OFF,
                        .handshake_timeout_ms = CAWS_OFF };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_feed_hex(&p, "8102");
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    peer_tick(&p, 1u << 31);
    assert_string_equal(p.log, "open\n");
    peer_free(&p);
    peer_server(&p, &cfg);
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    peer_free(&p);
}

/* Ping, pong and message timeouts stand still; then they go on. */
static void test_a_pause_stops_the_clocks(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_tick(&p, 10000);
    caws_pause(p.ws);
    peer_tick(&p, 0);
    assert_int_equal(caws_deadline(p.ws), UINT64_MAX);
    peer_tick(&p, 1000000);
    assert_int_equal(p.out_len, 0);
    caws_resume(p.ws);
    peer_tick(&p, 0);
    assert_int_equal(due(&p), 1000000 + 30000);
    peer_free(&p);
}

static void test_a_close_that_is_not_answered(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_close(p.ws, 1000, NULL);
    assert_int_equal(due(&p), 0); /* from the next moment */
    peer_take(&p);
    peer_tick(&p, 100);
    assert_int_equal(due(&p), 5100);
    peer_tick(&p, 5000);
    assert_true(peer_log_has(&p, "error -14 no Close came"));
    assert_true(peer_log_has(&p, "close 1006 unclean us -14"));
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

/* A client that has heard the server's Close waits for the end of TCP. */
static void test_a_server_that_does_not_hang_up(void **state)
{
    struct peer p = { 0 };
    (void)state;
    /* REQ 5.5.1-13, 5.5.1-14 */
    peer_open(&p, PEER_CLIENT, NULL);
    peer_feed_hex(&p, "880203e8");
    assert_string_equal(p.log, "open\nclose 1000 clean peer 0\n");
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_tick(&p, 0);
    peer_tick(&p, 5000);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(peer_log_count(&p, "close"), 1);
    peer_free(&p);
}

/* One that takes nothing puts nothing off. */
static void test_a_reader_that_does_not_read(void **state)
{
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_close(p.ws, 1000, NULL);
    peer_tick(&p, 0);
    peer_tick(&p, 4999);
    caws_output_done(p.ws, 0);
    assert_false(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_tick(&p, 1);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

/* Each byte that the peer takes puts the end off: four times at most. */
static void test_a_slow_reader_of_the_last_words(void **state)
{
    static char data[100];
    struct peer p = { .hold_output = true };
    uint64_t waited = 0;
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_send(p.ws, CAWS_BINARY, data, sizeof data);
    caws_close(p.ws, 1000, NULL);
    peer_tick(&p, 0);
    while (!peer_wants(&p, CAWS_WANT_CLOSE) && waited < 100000) {
        peer_take_some(&p, 1);
        peer_tick(&p, 1000);
        waited += 1000;
    }
    assert_int_equal(waited, 20000);
    peer_free(&p);
}

/* A feed tells the time, even one that brings nothing or is not listened to. */
static void test_an_empty_feed_begins_a_timeout(void **state)
{
    struct peer p = { 0 };
    uint8_t byte = 0;
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_tick(&p, 0);
    caws_close(p.ws, 1000, NULL);
    assert_int_equal(caws_deadline(p.ws), 0);
    caws_feed(p.ws, &byte, 0, 1000000);
    assert_int_equal(caws_deadline(p.ws), 1005000);
    peer_free(&p);
}

static void test_an_empty_feed_is_not_heard(void **state)
{
    struct peer p = { 0 };
    uint8_t byte = 0;
    uint64_t due;
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_tick(&p, 0);
    due = caws_deadline(p.ws);
    caws_feed(p.ws, &byte, 0, due - 1);
    assert_int_equal(caws_deadline(p.ws), due);
    peer_free(&p);
}

/* A moment past the end of time never comes. */
static void test_the_end_of_time(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    p.now = UINT64_MAX - 10;
    peer_feed_frame_text(&p, 0x81, "x");
    assert_true(peer_log_has(&p, "text 1"));
    assert_true(caws_deadline(p.ws) == UINT64_MAX);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_first_tick),
        cmocka_unit_test(test_silence_a_ping_and_the_end),
        cmocka_unit_test(test_a_ping_that_cannot_be_built),
        cmocka_unit_test(test_a_ping_is_answered_by_any_byte),
        cmocka_unit_test(test_a_message_that_takes_too_long),
        cmocka_unit_test(test_no_timeout_at_all),
        cmocka_unit_test(test_a_pause_stops_the_clocks),
        cmocka_unit_test(test_a_close_that_is_not_answered),
        cmocka_unit_test(test_a_server_that_does_not_hang_up),
        cmocka_unit_test(test_an_empty_feed_begins_a_timeout),
        cmocka_unit_test(test_an_empty_feed_is_not_heard),
        cmocka_unit_test(test_a_reader_that_does_not_read),
        cmocka_unit_test(test_a_slow_reader_of_the_last_words),
        cmocka_unit_test(test_the_end_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
