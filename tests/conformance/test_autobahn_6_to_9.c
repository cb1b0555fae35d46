/* The cases 6, 7 and 9 of Autobahn's fuzzing client, on both ends, against an
 * echo: UTF-8, closing, and large messages. */
#include "frames.h"

static const caws_config echo = { .on_message = frames_echo };

static void case_6_text(void **state)
{
    /* REQ 5.6-1, 5.6-2, FRAME-2 */
    static const struct frames_row rows[] = {
        { "6.1.1", "81:", "text 0\n", "81:", 0 },
        { "6.1.2", "01: 00: 80:", "text 0\n", "81:", 0 },
        { "6.1.3", "01: 00:middle 80:", "text 6 middle\n", "81:middle", 0 },
        { "6.2.1", "81:%c2%b5@%c3%9f", "text 5 ~\n", "81:%c2%b5@%c3%9f", 0 },
        { "6.2.2", "01:%c2%b5@ 80:%c3%9f", "text 5 ~\n", "81:%c2%b5@%c3%9f",
          0 },
        { "6.2.3", "01:%c2 00:%b5 00:@ 00:%c3 80:%9f", "text 5 ~\n",
          "81:%c2%b5@%c3%9f", 0 },
        { "6.2.4", "01:%ce 00:%ba 00:%e1 00:%bd 80:%b9", "text 5 ~\n",
          "81:%ce%ba%e1%bd%b9", 0 },
        { "6.3.1", "81:%ce%ba%ed%a0%80edited", "", "", CAWS_ERR_UTF8 },
        { "6.3.2", "01:%ce 00:%ba 00:%ed 00:%a0 00:%80 80:e", "", "",
          CAWS_ERR_UTF8 },
        { "6.6.1", "81:%ce", "", "", CAWS_ERR_UTF8 },
        { "6.6.3", "81:%ce%ba%e1", "", "", CAWS_ERR_UTF8 },
        { "6.12.1", "81:%fe", "", "", CAWS_ERR_UTF8 },
        { "6.13.1", "81:%c0%af", "", "", CAWS_ERR_UTF8 },
        { "6.13.3", "81:%f0%80%80%af", "", "", CAWS_ERR_UTF8 },
        { "6.14", "81:%e0%9f%bf", "", "", CAWS_ERR_UTF8 },
        { "6.15", "81:%f4%90%80%80", "", "", CAWS_ERR_UTF8 },
        { "6.18", "81:%80", "", "", CAWS_ERR_UTF8 },
        { "6.20", "81:%ed%af%bf%ed%bf%bf", "", "", CAWS_ERR_UTF8 },
        { "6.22", "81:%ef%bf%be", "text 3 ~\n", "81:%ef%bf%be", 0 },
        { "6.23", "81:%ef%bf%bd", "text 3 ~\n", "81:%ef%bf%bd", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

/* 6.4: the bad byte comes in its own frame (1, 2), or as one octet of a frame
 * that is not finished (3, 4). Nothing that follows it is needed. */
static void case_6_4_fail_fast(void **state)
{
    /* REQ 8.1-2, FRAME-2 */
    static const char *const parts[][2] = {
        { "01:%ce%ba%e1%bd%b9", "00:%f4%90" },     /* 6.4.1 */
        { "01:%ce%ba%e1%bd%b9%f4", "00:%90" },     /* 6.4.2 */
        { "81[20]:%ce%ba%e1%bd%b9%f4", NULL },     /* 6.4.3 and 6.4.4 */
    };
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct peer p = { 0 };
        bool client = i % 2;
        /* 0x90, masked with the fixed key at its place in 6.4.3 */
        unsigned char bad = client ? 0x90 : 0x90 ^ 0x21;
        peer_open(&p, client, &echo);
        frames_feed(&p, parts[i / 2][0]);
        assert_string_equal(p.log, "open\n");
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        if (parts[i / 2][1])
            frames_feed(&p, parts[i / 2][1]);
        else
            peer_feed(&p, &bad, 1);
        frames_expect_log(&p, "6.4", "open\nerror -10 ~\n");
        assert_int_equal(peer_out_close(&p), 1007);
        peer_free(&p);
    }
}

static void case_7_closing(void **state)
{
    /* REQ CLOSE-2, CLOSE-3, 5.5.1-7, 5.5.1-8 */
    static const struct frames_row rows[] = {
        { "7.1.1", "81:Hello 88:#1000",
          "text 5 Hello\nclose 1000 clean peer 0\n", "81:Hello 88:#1000", 0 },
        { "7.1.2", "88:#1000 88:#1000", "close 1000 clean peer 0\n",
          "88:#1000", 0 },
        { "7.1.3", "88:#1000 89:", "close 1000 clean peer 0\n", "88:#1000", 0 },
        { "7.1.4", "88:#1000 81:late", "close 1000 clean peer 0\n",
          "88:#1000", 0 },
        { "7.1.5", "01:a 88:#1000 80:b", "close 1000 clean peer 0\n",
          "88:#1000", 0 },
        { "7.3.1", "88:", "close 1005 clean peer 0\n", "88:", 0 },
        { "7.3.2", "88:a", "", "", CAWS_ERR_PROTOCOL },
        { "7.3.3", "88:#1000", "close 1000 clean peer 0\n", "88:#1000", 0 },
        { "7.3.4", "88:#1000Hello", "close 1000 clean peer 0 Hello\n",
          "88:#1000", 0 },
        { "7.3.5", "88:#1000a*123", "close 1000 clean peer 0 a~\n", "88:#1000",
          0 },
        { "7.3.6", "88:#1000a*124", "", "", CAWS_ERR_PROTOCOL },
        { "7.5.1", "88:#1000%ce%ba%ed%a0%80", "", "", CAWS_ERR_UTF8 },
        { "7.13.1", "88:#5000", "", "", CAWS_ERR_PROTOCOL },
        { "7.13.2", "88:%ff%ff", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

/* 7.1.6: a message of 256 KiB, a Close, a Ping, in one piece. */
static void case_7_1_6_a_large_message_before_the_close(void **state)
{
    /* REQ 5.5.1-9, CLOSE-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &echo);
        frames_feed(&p, "81:a*262144 88:#1000 89:");
        frames_expect_out(&p, "7.1.6", "81:a*262144 88:#1000");
        assert_int_equal(peer_log_count(&p, "\nclose 1000 clean peer 0\n"), 1);
        peer_free(&p);
    }
}

static void case_7_7_and_7_9_codes(void **state)
{
    /* REQ 7.4.1-1, 7.4.2-1, 7.4.2-2, 7.4.2-4 */
    static const unsigned valid[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                      1010, 1011, 3000, 3999, 4000, 4999 };
    static const unsigned invalid[] = { 0, 999, 1004, 1005, 1006, 1016, 1100,
                                        2000, 2999 };
    char in[20], log[60];
    struct frames_row row = { in, in, log, in, 0 };
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        snprintf(in, sizeof in, "88:#%u", valid[i]);
        snprintf(log, sizeof log, "close %u clean peer 0\n", valid[i]);
        frames_check(&row, 1, &echo);
    }
    row = (struct frames_row){ in, in, "", "", CAWS_ERR_PROTOCOL };
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        snprintf(in, sizeof in, "88:#%04u", invalid[i]);
        frames_check(&row, 1, &echo);
    }
}

#define LARGEST 16777216u

static size_t seen, messages;

static void count_echo(caws_conn *ws, caws_type type, const void *data,
                       size_t len)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < len; i += 4093)
        assert_int_equal(at[i], i % 251 & 127);
    seen = len;
    messages++;
    assert_int_equal(caws_send(ws, type, data, len), CAWS_OK);
}

static int fixed_key(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x5a, len);
    return 0;
}

/* Feed one message of len bytes in frames of so many, and look at its echo. No
 * log of 16 MiB is wanted, so the conn is driven directly. */
static void large(bool client, unsigned opcode, size_t len, size_t frame,
                  size_t feed)
{
    caws_config cfg = { .max_message = LARGEST, .max_fragments = 1000000,
                        .on_message = count_echo, .random = fixed_key };
    caws_conn *ws;
    unsigned char *payload = malloc(len), *wire, *at;
    caws_slice v;
    size_t out = 0;
    assert_non_null(payload);
    for (size_t i = 0; i < len; i++)
        payload[i] = i % 251 & 127;
    at = wire = malloc(len + (len / frame + 1) * 14);
    assert_non_null(wire);
    for (size_t i = 0; i < len; i += frame)
        at += peer_frame(at, (i ? 0 : opcode) | (i + frame >= len ? 0x80 : 0),
                         payload + i, frame < len - i ? frame : len - i,
                         !client);
    ws = caws_new_open(client, NULL, NULL, &cfg, NULL);
    assert_non_null(ws);
    seen = messages = 0;
    for (unsigned char *from = wire; from < at; from += feed)
        assert_int_equal(caws_feed(ws, from, feed < (size_t)(at - from)
                                                 ? feed : (size_t)(at - from),
                                   1000), CAWS_OK);
    assert_int_equal(messages, 1);
    assert_int_equal(seen, len);
    while (caws_output(ws, &v, 1) == 1) {
        if (!client && out == 0)
            assert_memory_equal(v.data + 10, payload, 1000);
        out += v.len;
        caws_output_done(ws, v.len);
    }
    assert_int_equal(out, len + (len < 65536 ? 4 : 10) + (client ? 4 : 0));
    caws_free(ws);
    free(wire);
    free(payload);
}

static void case_9_large_messages(void **state)
{
    /* REQ 6.1-2, 5.4-9 */
    static const size_t sizes[] = { 65536, 262144, 1048576, 4194304, 8388608,
                                    LARGEST };
    static const size_t frames[] = { 64, 256, 1024, 4096, 16384, 65536,
                                     262144, 1048576, 4194304 };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++)
        large(i % 2, i & 2 ? 1 : 2, sizes[i / 2], sizes[i / 2], 65536);
    for (size_t i = 0; i < 2 * sizeof frames / sizeof *frames; i++)
        large(i % 2, i & 2 ? 1 : 2, 4194304, frames[i / 2], 65536);
    for (int client = 0; client < 2; client++) {
        large(client, 1, LARGEST, 64, 65536);
        large(client, 2, LARGEST, 64, 2 * LARGEST); /* in one piece */
        large(client, 1, 1048576, 1048576, 64); /* 9.5: chopped */
        large(client, 2, 1048576, 1048576, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_6_text),
        cmocka_unit_test(case_6_4_fail_fast),
        cmocka_unit_test(case_7_closing),
        cmocka_unit_test(case_7_1_6_a_large_message_before_the_close),
        cmocka_unit_test(case_7_7_and_7_9_codes),
        cmocka_unit_test(case_9_large_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
