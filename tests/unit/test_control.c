/* lib/protocol/control.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void test_a_ping_is_answered(void **state)
{
    char payload[125];
    (void)state;
    memset(payload, 0xfe, sizeof payload);
    for (int client = 0; client < 2; client++) {
        struct peer p = { .quiet_pings = true };
        peer_open(&p, client, NULL);
        peer_feed_frame(&p, 0x89, payload, 125);
        peer_feed_frame(&p, 0x89, "", 0);
        peer_feed_frame(&p, 0x8a, "x", 1); /* is not */
        assert_int_equal(p.out_len, (client ? 6 + 6 : 2 + 2) + 125);
        assert_memory_equal(peer_out_unmasked_hex(&p), "8a7dfefe", 8);
        assert_string_equal(p.log, "open\n");
        peer_free(&p);
    }
}

/* Whole, cut everywhere, and empty: the payload is told the same. */
static void test_split_control_frames(void **state)
{
    unsigned char frame[32];
    size_t n = peer_frame(frame, 0x89, "Hello", 5, true);
    (void)state;
    for (size_t cut = 0; cut <= n; cut++) {
        struct peer p = { 0 };
        peer_open(&p, PEER_SERVER, NULL);
        peer_feed(&p, frame, cut);
        peer_feed(&p, frame + cut, n - cut);
        assert_string_equal(p.log, "open\nping 5 48656c6c6f\n");
        assert_string_equal(peer_out_hex(&p), "8a0548656c6c6f");
        peer_free(&p);
    }
}

static void test_the_round_trip_is_measured(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    peer_feed_frame(&p, 0x8a, "", 0); /* nobody asked */
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    caws_ping(p.ws, "a", 1);
    peer_tick(&p, 10); /* it leaves now */
    peer_tick(&p, 0);
    peer_tick(&p, 25);
    peer_feed_frame(&p, 0x8a, "a", 1);
    assert_int_equal(caws_round_trip_ms(p.ws), 25);
    peer_tick(&p, 1000);
    peer_feed_frame(&p, 0x8a, "a", 1);
    assert_int_equal(caws_round_trip_ms(p.ws), 25); /* an answer counts once */
    peer_free(&p);
}

/* A Ping had left by the time at which something else came. */
static void test_the_round_trip_begins_before_a_feed(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_ping(p.ws, "a", 1);
    peer_take(&p);
    p.now += 10;
    peer_feed_frame(&p, 0x81, "x", 1);
    peer_tick(&p, 10);
    peer_feed_frame(&p, 0x8a, "a", 1);
    assert_int_equal(caws_round_trip_ms(p.ws), 20);
    peer_free(&p);
}

/* max_control_burst at once, and a quarter of it again each second. */
static void test_the_allowance(void **state)
{
    caws_config cfg = { .max_control_burst = 8 };
    struct peer p = { .quiet_pings = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    for (int i = 0; i < 8; i++)
        assert_int_equal(peer_feed_frame(&p, i % 2 ? 0x89 : 0x8a, "", 0), CAWS_OK);
    peer_tick(&p, 1000);
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_OK);
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_OK);
    peer_tick(&p, 499); /* not a whole one */
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_ERR_LIMIT);
    assert_int_equal(peer_out_close(&p), 1008);
    peer_free(&p);
}

/* Frames that come before a whole one is back do not put it off. */
static void test_the_allowance_comes_back_in_time(void **state)
{
    caws_config cfg = { .max_control_burst = 4 };
    struct peer p = { .quiet_pings = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    for (int i = 0; i < 3; i++)
        peer_feed_frame(&p, 0x89, "", 0);
    peer_tick(&p, 600);
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_OK); /* the fourth */
    peer_tick(&p, 399);
    peer_tick(&p, 1);
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_OK); /* after 1000 ms */
    peer_tick(&p, 999);
    assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_ERR_LIMIT);
    peer_free(&p);
}

/* Nearly all of it, and not a whole one more, 1 ms before all is back. */
static void test_the_whole_allowance(void **state)
{
    (void)state;
    for (uint64_t wait = 3999; wait <= 4001; wait++) {
        caws_config cfg = { .max_control_burst = 8 };
        struct peer p = { .quiet_pings = true };
        peer_open(&p, PEER_SERVER, &cfg);
        for (int i = 0; i < 8; i++)
            peer_feed_frame(&p, 0x89, "", 0);
        peer_tick(&p, wait);
        for (int i = 0; i < (wait < 4000 ? 7 : 8); i++)
            assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_OK);
        assert_int_equal(peer_feed_frame(&p, 0x89, "", 0), CAWS_ERR_LIMIT);
        peer_free(&p);
    }
}

/* After our Close nothing is answered but a Close (5.5.1). */
static void test_a_ping_while_closing(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_close(p.ws, 1000, NULL);
    peer_feed_frame(&p, 0x89, "x", 1);
    peer_feed_frame(&p, 0x8a, "x", 1);
    assert_string_equal(p.log, "open\n");
    assert_string_equal(peer_out_hex(&p), "880203e8");
    peer_free(&p);
}

/* More than 49 days do not fit, and are not told as a few seconds. */
static void test_a_round_trip_without_measure(void **state)
{
    caws_config cfg = { .ping_interval_ms = CAWS_OFF, .pong_timeout_ms = CAWS_OFF };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    for (uint64_t took = UINT32_MAX - 1; took <= (uint64_t)UINT32_MAX + 7; took++) {
        caws_ping(p.ws, NULL, 0);
        peer_take(&p);
        peer_tick(&p, 0);
        peer_tick(&p, took);
        peer_feed_frame(&p, 0x8a, "", 0);
        assert_int_equal(caws_round_trip_ms(p.ws), UINT32_MAX - 1);
    }
    peer_free(&p);
}

/* The same in steps, after which the low half of the time is what it was. */
static void test_a_round_trip_of_many_ticks(void **state)
{
    caws_config cfg = { .ping_interval_ms = CAWS_OFF, .pong_timeout_ms = CAWS_OFF };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    caws_ping(p.ws, NULL, 0);
    peer_take(&p);
    peer_tick(&p, 0);
    for (int i = 0; i < 16; i++)
        peer_tick(&p, (uint64_t)1 << 28);
    peer_feed_frame(&p, 0x8a, "", 0);
    assert_int_equal(caws_round_trip_ms(p.ws), 0);
    peer_free(&p);
}

/* All of the allowance is back, though the low half of the time is what it was
 * when it had been used up. */
static void test_the_allowance_after_years(void **state)
{
    static const uint64_t steps[][3] = {
        { (uint64_t)1 << 32, 0, 0 },
        { 3999, 1, ((uint64_t)1 << 32) - 4000 },
        { 3000, 3000, ((uint64_t)1 << 40) - 6000 },
        { 1, 3999, ((uint64_t)1 << 32) - 4000 },
    };
    caws_config cfg = { .ping_interval_ms = CAWS_OFF, .max_control_burst = 4 };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct peer p = { 0 };
        peer_open(&p, PEER_CLIENT, &cfg);
        for (int round = 0; round < 2; round++) {
            for (int n = 0; n < 4; n++)
                assert_int_equal(peer_feed_frame(&p, 0x8a, "", 0), CAWS_OK);
            for (int k = 0; k < 3; k++)
                peer_tick(&p, steps[i][k]);
        }
        for (int n = 0; n < 4; n++)
            assert_int_equal(peer_feed_frame(&p, 0x8a, "", 0), CAWS_OK);
        assert_int_equal(peer_feed_frame(&p, 0x8a, "", 0), CAWS_ERR_LIMIT);
        peer_free(&p);
    }
}

/* "at most max_message, and 300 bytes": a message and a control frame inside it, both
 * unfinished, in every two cuts of the latter. */
static void what_an_unfinished_frame_takes(void **state)
{
    static const unsigned char payload[125];
    unsigned char ping[140];
    size_t size = peer_frame(ping, 0x89, payload, sizeof payload, true);
    (void)state;
    for (size_t cut = 1; cut < size - 1; cut++) {
        struct peer_alloc counting = { 0 };
        caws_config cfg = { .max_message = 16, .alloc = peer_counting(&counting) };
        struct peer p = { 0 };
        size_t idle;
        peer_open(&p, PEER_SERVER, &cfg);
        idle = counting.bytes;
        peer_feed_frame(&p, 0x02, payload, 1);
        peer_feed(&p, ping, cut);
        assert_true(counting.bytes <= idle + 16 + 300);
        peer_feed(&p, ping + cut, size - 1 - cut);
        assert_true(counting.bytes <= idle + 16 + 300);
        peer_feed(&p, ping + size - 1, 1);
        peer_feed_frame(&p, 0x80, payload, 1);
        assert_int_equal(counting.bytes, idle);
        assert_int_equal(peer_log_count(&p, "ping"), 1);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ping_is_answered),
        cmocka_unit_test(test_split_control_frames),
        cmocka_unit_test(test_the_round_trip_is_measured),
        cmocka_unit_test(test_the_round_trip_begins_before_a_feed),
        cmocka_unit_test(test_the_allowance),
        cmocka_unit_test(test_the_allowance_comes_back_in_time),
        cmocka_unit_test(test_the_whole_allowance),
        cmocka_unit_test(test_a_ping_while_closing),
        cmocka_unit_test(test_a_round_trip_without_measure),
        cmocka_unit_test(test_a_round_trip_of_many_ticks),
        cmocka_unit_test(test_the_allowance_after_years),
        cmocka_unit_test(what_an_unfinished_frame_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
