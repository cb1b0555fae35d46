/* RFC 6455 sections 5.5, 5.5.2 and 5.5.3: control frames, Ping and Pong. */
#include "frames.h"

static void control_frames_are_short(void **state)
{
    /* REQ 5.5-1 */
    static const struct frames_row rows[] = {
        { "125", "89:a*125", "ping 125 ~\n", "8a:a*125", 0 },
        { "close 126", "88[126]:", "", "", CAWS_ERR_PROTOCOL },
        { "ping 126", "89[126]:", "", "", CAWS_ERR_PROTOCOL },
        { "pong 126", "8a[126]:", "", "", CAWS_ERR_PROTOCOL },
        { "close 65536", "88[65536]:", "", "", CAWS_ERR_PROTOCOL },
        { "ping 127 in 64 bits", "89q[127]:", "", "", CAWS_ERR_PROTOCOL },
        { "pong 65536", "8a[65536]:", "", "", CAWS_ERR_PROTOCOL },
        { "ping 126, all there", "89:a*126", "", "", CAWS_ERR_PROTOCOL },
        { "in a message", "01:a 89[126]:", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void a_sender_cannot_make_long_ones(void **state)
{
    /* REQ 5.5-3, 5.5.2-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        char text[127], wanted[40];
        memset(text, 'a', sizeof text);
        peer_open(&p, end == PEER_CLIENT, NULL);
        for (size_t len = 0; len <= 125; len++) {
            peer_forget(&p);
            assert_int_equal(caws_ping(p.ws, text, len), CAWS_OK);
            peer_take(&p);
            snprintf(wanted, sizeof wanted, "89:%.*s", (int)(len < 8 ? len : 0),
                     text);
            if (len >= 8)
                snprintf(wanted, sizeof wanted, "89:a*%zu", len);
            frames_expect_out(&p, "ping", wanted);
        }
        peer_forget(&p);
        assert_int_equal(caws_ping(p.ws, text, 126), CAWS_ERR_ARG);
        assert_int_equal(caws_pong(p.ws, text, 126), CAWS_ERR_ARG);
        text[124] = '\0';
        assert_int_equal(caws_close(p.ws, 1000, text), CAWS_ERR_ARG);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        peer_take(&p);
        assert_int_equal(p.out_len, 0);
        peer_free(&p);
    }
}

static void pings_are_answered_until_a_close_comes(void **state)
{
    /* REQ 5.5.2-2, 5.5.3-3 */
    static const struct frames_row rows[] = {
        { "Hello", "89:Hello", "ping 5 48656c6c6f\n", "8a:Hello", 0 },
        { "after a Close", "88:#1000 89:Hello", "close 1000 clean peer 0\n",
          "88:#1000", 0 },
        { "before a Close", "89:a 88:#1000",
          "ping 1 61\nclose 1000 clean peer 0\n", "8a:a 88:#1000", 0 },
        { "unasked Pong", "8a:x", "pong 1 78\n", "", 0 },
        { "unasked Pongs", "8a: 8a:y 89:z", "pong 0\npong 1 79\nping 1 7a\n",
          "8a:z", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void a_pong_goes_before_data_that_has_not_begun(void **state)
{
    /* REQ 5.5.2-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(p.ws, "first"), CAWS_OK);
        peer_take_some(&p, 3);
        assert_int_equal(caws_send_text(p.ws, "second"), CAWS_OK);
        frames_feed(&p, "89:p");
        peer_take(&p);
        frames_expect_out(&p, "data", "81:first 8a:p 81:second");
        peer_forget(&p);
        caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false);
        peer_take_some(&p, 1);
        caws_send_fragment(p.ws, CAWS_TEXT, "b", 1, false);
        frames_feed(&p, "89:p 89:q");
        caws_send_fragment(p.ws, CAWS_TEXT, "c", 1, true);
        peer_take(&p);
        frames_expect_out(&p, "fragments", "01:a 8a:p 8a:q 00:b 80:c");
        peer_free(&p);
    }
}

static void a_ping_may_be_sent_between_open_and_close(void **state)
{
    /* REQ 5.5.2-4 */
    struct peer p = { .hold_output = true }, connecting = { 0 };
    (void)state;
    peer_client(&connecting, "ws://h/", NULL);
    assert_int_equal(caws_ping(connecting.ws, "p", 1), CAWS_ERR_STATE);
    assert_int_equal(caws_pong(connecting.ws, "p", 1), CAWS_ERR_STATE);
    peer_free(&connecting);
    peer_open(&p, PEER_SERVER, NULL);
    caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false);
    peer_take(&p);
    assert_int_equal(caws_ping(p.ws, "p", 1), CAWS_OK);
    assert_int_equal(caws_ping(p.ws, "q", 1), CAWS_ERR_FULL);
    caws_send_fragment(p.ws, CAWS_TEXT, "b", 1, true);
    peer_take(&p);
    frames_expect_out(&p, "in a message", "01:a 89:p 80:b");
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
    assert_int_equal(caws_ping(p.ws, "p", 1), CAWS_ERR_STATE);
    peer_take(&p);
    frames_feed(&p, "88:#1000");
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    assert_int_equal(caws_ping(p.ws, "p", 1), CAWS_ERR_STATE);
    assert_int_equal(caws_pong(p.ws, "p", 1), CAWS_ERR_STATE);
    peer_free(&p);
}

static void a_pong_has_the_bytes_of_its_ping(void **state)
{
    /* REQ 5.5.3-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        unsigned char data[125];
        uint32_t seed = 7;
        char wanted[300] = "8a7d";
        for (size_t i = 0; i < sizeof data; i++) {
            seed = seed * 1664525u + 1013904223u;
            data[i] = (unsigned char)(seed >> 24);
            sprintf(wanted + 4 + 2 * i, "%02x", data[i]);
        }
        peer_open(&p, end == PEER_CLIENT, NULL);
        peer_feed_frame(&p, 0x89, data, sizeof data);
        assert_string_equal(peer_out_unmasked_hex(&p), wanted);
        assert_int_equal(frames_out(&p)[0], '8'); /* masked the right way */
        peer_free(&p);
    }
}

/* 16 of the 64 that are allowed come back each second. */
static void a_peer_that_does_not_read_its_pongs(void **state)
{
    /* REQ 5.5.3-2, ALLOC-9 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { .hold_output = true, .quiet_pings = true };
        char in[200], wanted[2000] = "";
        size_t bytes = 0;
        peer_open(&p, end == PEER_CLIENT, &cfg);
        for (unsigned i = 0; i < 1000; i++) {
            snprintf(in, sizeof in, "89:%03u%s", i, "%ff*122");
            p.now += 63;
            assert_int_equal(frames_feed(&p, in), CAWS_OK);
            if (i == 100)
                bytes = a.bytes;
        }
        assert_int_equal(a.bytes, bytes);
        peer_take(&p);
        for (unsigned i = 0; i < 64; i++)
            sprintf(wanted + strlen(wanted), "%s8a:%03u%%ff*122", i ? " " : "",
                    i < 63 ? i : 999);
        frames_expect_out(&p, "pongs", wanted);
        peer_free(&p);
    }
}

static void a_burst_of_control_frames_has_an_end(void **state)
{
    /* REQ 7.4.1-10, ALLOC-9 */
    static const caws_config cfg = { .max_control_burst = 4 };
    static const struct frames_row rows[] = {
        { "four", "89:1 8a:2 89:3 8a:4",
          "ping 1 31\npong 1 32\nping 1 33\npong 1 34\n", "8a:1 8a:3", 0 },
        { "the fifth", "8a: 8a: 8a: 8a: 89:",
          "pong 0\npong 0\npong 0\npong 0\n", "", CAWS_ERR_LIMIT },
        { "the fifth, a Pong", "8a: 8a: 8a: 8a: 8a:",
          "pong 0\npong 0\npong 0\npong 0\n", "", CAWS_ERR_LIMIT },
        { "a Close is free", "8a: 8a: 8a: 8a: 88:#1000",
          "pong 0\npong 0\npong 0\npong 0\nclose 1000 clean peer 0\n",
          "88:#1000", 0 },
        { "data are free", "8a: 81:a 8a: 81:b 8a: 81:c 8a: 81:d",
          "pong 0\ntext 1 a\npong 0\ntext 1 b\npong 0\ntext 1 c\npong 0\n"
          "text 1 d\n", "", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

/* How many of 20 Pongs are let in, so many milliseconds after a full burst. */
static unsigned refilled(bool client, unsigned ms, unsigned steps)
{
    static const caws_config cfg = { .max_control_burst = 8 };
    struct peer p = { 0 };
    unsigned n;
    peer_open(&p, client, &cfg);
    frames_feed(&p, "8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a:");
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    peer_forget(&p);
    for (unsigned i = 0; i < steps; i++)
        peer_tick(&p, ms / steps);
    frames_feed(&p, "8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a: 8a:");
    n = peer_log_count(&p, "pong");
    assert_int_equal(peer_out_close(&p), 1008);
    peer_free(&p);
    return n;
}

static void a_quarter_of_the_burst_comes_back_each_second(void **state)
{
    /* REQ 7.4.1-10, 10.4-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        bool client = end == PEER_CLIENT;
        assert_int_equal(refilled(client, 0, 1), 0);
        assert_int_equal(refilled(client, 499, 1), 0);
        assert_int_equal(refilled(client, 500, 1), 1);
        assert_int_equal(refilled(client, 1000, 1), 2);
        assert_int_equal(refilled(client, 1000, 10), 2);
        assert_int_equal(refilled(client, 3999, 1), 7);
        assert_int_equal(refilled(client, 4000, 4), 8);
        assert_int_equal(refilled(client, 25000, 1), 8);
    }
}

static void a_million_unasked_pongs_cost_no_memory(void **state)
{
    /* REQ ALLOC-6 */
    struct peer_alloc a = { 0 };
    caws_config cfg = { .alloc = peer_counting(&a) };
    struct peer p = { 0 };
    unsigned char frames[64 * 9], *at = frames;
    unsigned long calls;
    (void)state;
    for (unsigned i = 0; i < 64; i++)
        at += peer_frame(at, 0x8a, "abc", 3, true);
    peer_open(&p, PEER_SERVER, &cfg);
    calls = a.calls;
    for (unsigned i = 0; i < 1000000; i += 64) {
        p.now += 4000;
        assert_int_equal(peer_feed(&p, frames, sizeof frames), CAWS_OK);
        peer_forget(&p);
    }
    assert_int_equal(a.calls, calls);
    peer_free(&p);
    assert_int_equal(a.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_frames_are_short),
        cmocka_unit_test(a_sender_cannot_make_long_ones),
        cmocka_unit_test(pings_are_answered_until_a_close_comes),
        cmocka_unit_test(a_pong_goes_before_data_that_has_not_begun),
        cmocka_unit_test(a_ping_may_be_sent_between_open_and_close),
        cmocka_unit_test(a_pong_has_the_bytes_of_its_ping),
        cmocka_unit_test(a_peer_that_does_not_read_its_pongs),
        cmocka_unit_test(a_burst_of_control_frames_has_an_end),
        cmocka_unit_test(a_quarter_of_the_burst_comes_back_each_second),
        cmocka_unit_test(a_million_unasked_pongs_cost_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
