/* attacks.tsv: the framing of a hostile peer. */
#include "frames.h"

enum { IDLE, IN_TEXT, IN_BINARY, STATES };

/* The table that a frame's first two bytes are judged by: does the header
 * break a rule already? */
static bool model_refuses(unsigned b0, unsigned b1, int state, bool client)
{
    unsigned opcode = b0 & 15, len = b1 & 127;
    bool fin = b0 & 0x80, masked = b1 & 0x80;
    if (b0 & 0x70 || masked == client)
        return true;
    if (opcode >= 8)
        return opcode > 10 || !fin || len > 125;
    if (opcode > 2)
        return true;
    return (opcode == 0) != (state != IDLE);
}

/* What a whole, empty frame leaves behind: its effect as a log. */
static void check_pair(unsigned b0, unsigned b1, int state, bool client)
{
    static const char *const before[] = { "", "01:a", "02:a" };
    struct peer p = { 0 };
    unsigned char pair[2] = { (unsigned char)b0, (unsigned char)b1 };
    bool refuses = model_refuses(b0, b1, state, client);
    peer_open(&p, client, NULL);
    frames_feed(&p, before[state]);
    peer_forget(&p);
    if (peer_feed(&p, pair, 2) != (refuses ? CAWS_ERR_PROTOCOL : CAWS_OK))
        fail_msg("%02x%02x in state %d: %s", b0, b1, state, p.log);
    if (refuses)
        assert_int_equal(peer_out_close(&p), 1002);
    else if (client && (b1 & 127) == 0)
        assert_int_equal(caws_ready_state(p.ws), (b0 & 15) == 8
                                                     ? CAWS_CLOSED
                                                     : CAWS_OPEN);
    else
        assert_int_equal(p.log_len + p.out_len, 0);
    peer_free(&p);
}

static void all_pairs_of_header_bytes_from_each_state(void **state)
{
    /* REQ FRAME-1, 5.2-1 */
    (void)state;
    for (int from = IDLE; from < STATES; from++)
        for (int client = 0; client < 2; client++)
            for (unsigned pair = 0; pair < 65536; pair++)
                check_pair(pair >> 8, pair & 255, from, client);
}

static void lengths_that_were_exploits(void **state)
{
    /* REQ LEN-1, LEN-2, LEN-3, LEN-4 */
    /* REQ LEN-5, LEN-6, LEN-7, LEN-12 */
    /* REQ LEN-13 */
    static const struct {
        const char *to_client, *to_server;
        int code;
    } rows[] = {
        { "82 7f 7fffffffffffffff", "82 ff 7fffffffffffffff 11223344", 1009 },
        { "81 7f fffffffffffffffc", "81 ff fffffffffffffffc 11223344", 1002 },
        { "82 7f ffffffffffffffff", "82 ff ffffffffffffffff 11223344", 1002 },
        { "81 7f ffffffffffffffff 41", "81 ff ffffffffffffffff 41", 1002 },
        { "82 7f fffffffffffffff0", "82 ff fffffffffffffff0 11223344", 1002 },
        { "82 7f 00000000ffffffff", "82 ff 00000000ffffffff 11223344", 1009 },
        { "82 7f 0000000100000000", "82 ff 0000000100000000 11223344", 1009 },
        { "82 7f 00000000fffffff2", "82 ff 00000000fffffff2 11223344", 1009 },
        { "81 7f 8000000000000000", "81 ff 8000000000000000 11223344", 1002 },
        { "82 7f 4000000000000000", "82 ff 4000000000000000 11223344", 1009 },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { .hold_output = true };
        size_t before;
        peer_open(&p, i % 2, &cfg);
        before = a.bytes;
        peer_feed_hex(&p, i % 2 ? rows[i / 2].to_client : rows[i / 2].to_server);
        peer_feed_text(&p, "and then some more bytes");
        assert_true(a.peak < before + 512); /* the Close alone */
        peer_take(&p);
        assert_int_equal(peer_out_close(&p), rows[i / 2].code);
        peer_eof(&p);
        assert_int_equal(peer_log_count(&p, "\nclose 1006"), 1);
        peer_free(&p);
    }
}

static void several_frames_then_an_overflowing_one(void **state)
{
    /* REQ LEN-1 */
    static const caws_config cfg = { .max_message = 1000 };
    static const struct frames_row rows[] = {
        { "after whole ones", "81:a 82:b 82[9223372036854775807]:",
          "text 1 a\nbinary 1 62\n", "", CAWS_ERR_TOO_BIG },
        { "limit-1 and 2^63-1", "02:a*999 80[9223372036854775807]:", "", "",
          CAWS_ERR_TOO_BIG },
        { "limit-1 and 2^63-1000", "02:a*999 00[9223372036854774808]:", "", "",
          CAWS_ERR_TOO_BIG },
        { "limit and 1", "02:a*1000 80[1]:", "", "", CAWS_ERR_TOO_BIG },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

/* An oversized frame whose payload looks like frames. */
static void a_refused_frame_is_never_resynchronised(void **state)
{
    /* REQ LEN-18, LEN-10 */
    static const caws_config cfg = { .max_message = 1024 };
    static const struct frames_row rows[] = {
        { "forged tail", "82[5000]:a*1020 81:forged 89:forged 88:#1000", "",
          "", CAWS_ERR_TOO_BIG },
        { "forged at once", "82[1025]: 81:forged", "", "", CAWS_ERR_TOO_BIG },
        { "16 bits", "82[65535]: 81:forged", "", "", CAWS_ERR_TOO_BIG },
        { "64 bits", "82[65536]: 81:forged", "", "", CAWS_ERR_TOO_BIG },
        { "exactly consumed", "82:%81%85*1022 81:real",
          "binary 1023 ~\ntext 4 real\n", "", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

/* 1000 conns, each with an announced 4 GiB and silence. */
static void announced_lengths_take_no_memory(void **state)
{
    /* REQ LEN-16, LEN-15 */
    static const caws_config base = { .max_message = SIZE_MAX };
    struct peer_alloc a = { 0 };
    caws_config cfg = base;
    static struct peer p[1000];
    size_t before;
    (void)state;
    cfg.alloc = peer_counting(&a);
    for (int i = 0; i < 1000; i++)
        peer_open(&p[i], i & 1, &cfg);
    before = a.bytes;
    for (int i = 0; i < 1000; i++)
        frames_feed(&p[i], "82[4294967296]:abc");
    assert_true(a.bytes - before < 1000 * 256);
    for (int i = 0; i < 1000; i++)
        peer_free(&p[i]);
    assert_int_equal(a.bytes, 0);
}

/* Whatever comes while the output is blocked, every call returns. */
static void frames_while_the_output_is_blocked(void **state)
{
    /* REQ CPU-8 */
    static const caws_config echo = { .on_message = frames_echo };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_CLIENT, &echo);
    for (int i = 0; i < 1000; i++) {
        p.now += 1000;
        frames_feed(&p, "89:ping 81:text 01:a 00:b 80:c");
        assert_int_equal(peer_take_some(&p, (size_t)i % 3), i % 3);
    }
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    caws_close(p.ws, 1000, NULL);
    peer_take(&p);
    assert_int_equal(peer_out_close(&p), 1000);
    peer_free(&p);
}

static void the_bits_after_the_upgrade(void **state)
{
    /* REQ CRASH-2 */
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST "\xa1\x81\x01\x02\x03\x04" "a");
    peer_eof(&p);
    assert_int_equal(peer_out_status(&p), 101);
    assert_int_equal(peer_out_close(&p), 1002);
    assert_int_equal(peer_log_count(&p, "error -9 "), 1);
    assert_int_equal(peer_log_count(&p, "\nclose 1006"), 1);
    peer_free(&p);
}

/* Exactly the code and the reason, and not a byte of what lies behind it. */
static void a_close_frame_ends_with_its_reason(void **state)
{
    /* REQ LEAK-2 */
    char text[256];
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len <= 123; len++) {
        struct peer p = { 0 };
        caws_slice v[2];
        peer_open(&p, PEER_SERVER, NULL);
        text[len] = '\0';
        assert_int_equal(caws_close(p.ws, 1000, text), CAWS_OK);
        assert_int_equal(caws_output(p.ws, v, 2), 1);
        assert_int_equal(v[0].len, 4 + len);
        assert_memory_equal(v[0].data, ((uint8_t[]){ 0x88, (uint8_t)(2 + len), 0x03, 0xe8 }), 4);
        assert_memory_equal(v[0].data + 4, text, len);
        peer_free(&p);
        text[len] = 'x';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_of_header_bytes_from_each_state),
        cmocka_unit_test(lengths_that_were_exploits),
        cmocka_unit_test(several_frames_then_an_overflowing_one),
        cmocka_unit_test(a_refused_frame_is_never_resynchronised),
        cmocka_unit_test(announced_lengths_take_no_memory),
        cmocka_unit_test(frames_while_the_output_is_blocked),
        cmocka_unit_test(the_bits_after_the_upgrade),
        cmocka_unit_test(a_close_frame_ends_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
