/* RFC 6455 sections 5.2 and 5.3: the bits of a frame. */
#include "frames.h"

#define ALL_KINDS "00", "01", "02", "80", "81", "82", "89", "8a"

static void payload_lengths_and_their_headers(void **state)
{
    /* REQ 5.2-1, 5.2-6, 5.1-4, 6.1-2 */
    static const struct {
        size_t len;
        const char *server, *client;
    } rows[] = {
        { 0, "8200", "8280" },
        { 1, "8201", "8281" },
        { 5, "8205", "8285" },
        { 125, "827d", "82fd" },
        { 126, "827e007e", "82fe007e" },
        { 127, "827e007f", "82fe007f" },
        { 65535, "827effff", "82feffff" },
        { 65536, "827f0000000000010000", "82ff0000000000010000" },
    };
    static char payload[65536];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
            const char *header = end ? rows[i].client : rows[i].server;
            struct peer p = { 0 };
            peer_open(&p, end == PEER_CLIENT, NULL);
            assert_int_equal(
                caws_send(p.ws, CAWS_BINARY, payload, rows[i].len), CAWS_OK);
            peer_take(&p);
            assert_memory_equal(peer_out_hex(&p), header, strlen(header));
            assert_int_equal(p.out_len, strlen(header) / 2 +
                                            (end ? 4 : 0) + rows[i].len);
            peer_free(&p);
        }
    }
}

/* What is sent is read back, and its header is of the fewest bytes. */
static void check_round_trip(struct peer *from, struct peer *to,
                             const char *data, size_t len)
{
    size_t header = (len < 126 ? 2u : len < 65536 ? 4u : 10u) +
                    (caws_is_client(from->ws) ? 4u : 0u);
    char start[40];
    peer_forget(from);
    peer_forget(to);
    assert_int_equal(caws_send(from->ws, CAWS_BINARY, data, len), CAWS_OK);
    peer_take(from);
    assert_int_equal(from->out_len, header + len);
    to->cfg.on_message(to->ws, CAWS_BINARY, "", 0);
    peer_forget(to);
    peer_feed(to, from->out, from->out_len);
    snprintf(start, sizeof start, "binary %zu", len);
    assert_memory_equal(to->log, start, strlen(start));
    assert_int_equal(caws_ready_state(to->ws), CAWS_OPEN);
}

static void headers_are_minimal_at_every_length(void **state)
{
    /* REQ 5.2-8, 6.1-2 */
    struct peer a = { 0 }, b = { 0 };
    char *data = calloc(1, (1 << 20) + 2);
    (void)state;
    assert_non_null(data);
    peer_open(&a, PEER_CLIENT, NULL);
    peer_open(&b, PEER_SERVER, NULL);
    for (size_t len = 0; len <= 300; len++) {
        check_round_trip(&a, &b, data, len);
        check_round_trip(&b, &a, data, len);
    }
    for (size_t len = 301; len <= 70000; len += len > 65500 && len < 65560
                                                    ? 1 : 977) {
        check_round_trip(&a, &b, data, len);
        check_round_trip(&b, &a, data, len);
    }
    for (size_t n = 1; n <= (1 << 20); n *= 2) {
        check_round_trip(&a, &b, data, n - 1);
        check_round_trip(&b, &a, data, n);
    }
    check_round_trip(&a, &b, data, (1 << 20) - 1);
    free(data);
    peer_free(&a);
    peer_free(&b);
}

static void reserved_bits_fail_the_connection(void **state)
{
    /* REQ 5.2-3 */
    static const char *const kinds[] = { ALL_KINDS, "88" };
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (unsigned rsv = 1; rsv < 8; rsv++) {
            unsigned first = (unsigned)strtoul(kinds[i], NULL, 16) | rsv << 4;
            char in[32];
            struct frames_row row = { kinds[i], in, "", "",
                                      CAWS_ERR_PROTOCOL };
            snprintf(in, sizeof in, "%s%02x:hi", (first & 15) ? "" : "01:a ",
                     first);
            frames_check(&row, 1, NULL);
        }
    }
}

static void unknown_opcodes_fail_the_connection(void **state)
{
    /* REQ 5.2-4 */
    static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
    (void)state;
    for (size_t i = 0; i < 8 * sizeof opcodes / sizeof *opcodes; i++) {
        char in[32];
        struct frames_row row = { in, in, "", "", CAWS_ERR_PROTOCOL };
        snprintf(in, sizeof in, "%s%02x:%s", i & 1 ? "01:a " : "",
                 opcodes[i / 8] | (i & 2 ? 0x80 : 0), i & 4 ? "Hello" : "");
        frames_check(&row, 1, NULL);
    }
}

static void each_opcode_has_its_meaning(void **state)
{
    /* REQ 5.2-5, 5.2-11, 5.2-13, 5.4-1 */
    static const struct frames_row rows[] = {
        { "text", "81:hi", "text 2 hi\n", "", 0 },
        { "binary", "82:hi", "binary 2 6869\n", "", 0 },
        { "continuation", "01:h 80:i", "text 2 hi\n", "", 0 },
        { "ping", "89:hi", "ping 2 6869\n", "8a:hi", 0 },
        { "pong", "8a:hi", "pong 2 6869\n", "", 0 },
        { "close", "88:#1000hi", "close 1000 clean peer 0 hi\n", "88:#1000", 0 },
        { "empty text", "81:", "text 0\n", "", 0 },
        { "empty binary", "82:", "binary 0\n", "", 0 },
        { "empty ping", "89:", "ping 0\n", "8a:", 0 },
        { "empty pong", "8a:", "pong 0\n", "", 0 },
        { "empty fragments", "01: 00: 80:", "text 0\n", "", 0 },
        { "empty first", "02: 80:a", "binary 1 61\n", "", 0 },
        { "empty middle", "01:a 00: 80:b", "text 2 ab\n", "", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void lengths_that_break_a_rule(void **state)
{
    /* REQ 5.2-7, 5.2-9, LEN-2, LEN-12 */
    static const struct frames_row rows[] = {
        { "MSB", "82[9223372036854775808]:", "", "", CAWS_ERR_PROTOCOL },
        { "2^64-4", "81[18446744073709551612]:", "", "", CAWS_ERR_PROTOCOL },
        { "2^64-1", "82[18446744073709551615]:", "", "", CAWS_ERR_PROTOCOL },
        { "2^64-16", "82[18446744073709551600]:", "", "", CAWS_ERR_PROTOCOL },
        { "MSB, continued", "01:a 80[9223372036854775809]:", "", "",
          CAWS_ERR_PROTOCOL },
        { "0 in 16 bits", "82w:", "", "", CAWS_ERR_PROTOCOL },
        { "125 in 16 bits", "82w:a*125", "", "", CAWS_ERR_PROTOCOL },
        { "125 in 64 bits", "82q:a*125", "", "", CAWS_ERR_PROTOCOL },
        { "65535 in 64 bits", "82q[65535]:", "", "", CAWS_ERR_PROTOCOL },
        { "0 in 64 bits", "81q:", "", "", CAWS_ERR_PROTOCOL },
        { "continuation", "01:a 80w:b", "", "", CAWS_ERR_PROTOCOL },
        { "ping", "89w:b", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

/* A header is refused with its last byte that matters, not later; the masking
 * key need not come. */
static void a_bad_length_is_seen_at_its_last_byte(void **state)
{
    /* REQ 5.2-7, LEN-12 */
    struct peer_alloc a = { 0 };
    caws_config cfg = { .alloc = peer_counting(&a) };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        size_t before;
        peer_open(&p, end == PEER_CLIENT, &cfg);
        before = a.bytes;
        peer_feed_hex(&p, end ? "82 7f 80000000000000" : "82 ff 80000000000000");
        assert_false(peer_log_has(&p, "error"));
        assert_int_equal(peer_feed_hex(&p, "00"), CAWS_ERR_PROTOCOL);
        assert_true(peer_log_has(&p, "error -9 most significant bit"));
        assert_int_equal(a.bytes, before);
        peer_free(&p);
    }
}

static void the_key_comes_last_in_a_header(void **state)
{
    /* REQ 5.2-10, 5.3-5, 5.3-7, 6.2-5 */
    static const size_t lengths[] = { 3, 126, 65536 }, headers[] = { 2, 4, 10 };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct peer p = { 0 };
        unsigned char *frame = malloc(lengths[i] + 15), payload[70000];
        size_t n;
        char start[40];
        assert_non_null(frame);
        memset(payload, 'k', sizeof payload);
        n = peer_frame(frame, 0x81, payload, lengths[i], true);
        assert_int_equal(n, headers[i] + 4 + lengths[i]);
        frame[n] = 0x89; /* the next frame begins here */
        peer_open(&p, PEER_SERVER, NULL);
        peer_forget(&p);
        for (size_t at = 0; at + 1 < n; at++)
            peer_feed(&p, frame + at, 1);
        assert_string_equal(p.log, "");
        peer_feed(&p, frame + n - 1, 2);
        snprintf(start, sizeof start, "text %zu kkk", lengths[i]);
        assert_memory_equal(p.log, start, strlen(start));
        peer_feed_hex(&p, "80 01020304");
        assert_int_equal(peer_log_count(&p, "\nping 0\n"), 1);
        free(frame);
        peer_free(&p);
    }
}

static void hello_masked_and_unmasked(void **state)
{
    /* REQ 5.3-5, 5.3-7 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_feed_hex(&p, "81 85 37fa213d 7f9f4d5158 81 80 00000000");
    assert_string_equal(p.log, "open\ntext 5 Hello\ntext 0\n");
    peer_free(&p);
}

/* Every length, and every place where the payload may be cut: the mask's phase
 * goes on, and starts again with the next frame's own key. */
static void the_masks_phase_goes_on_in_a_frame(void **state)
{
    /* REQ 5.3-6, 5.3-5, 5.2-12, FRAME-3 */
    unsigned char payload[40], frames[120];
    char wanted[400] = "";
    size_t n, second;
    (void)state;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(i * 7 + 1);
    n = peer_frame(frames, 0x82, payload, sizeof payload, true);
    second = n;
    n += peer_frame(frames + n, 0x82, payload, sizeof payload, true);
    for (size_t i = 0; i < sizeof payload + 4; i++) /* another key */
        frames[second + 2 + i] ^= (unsigned char)(0x5a + i % 4);
    for (int twice = 0; twice < 2; twice++) {
        strcat(wanted, "binary 40 ");
        for (size_t i = 0; i < sizeof payload; i++)
            sprintf(wanted + strlen(wanted), "%02x", payload[i]);
        strcat(wanted, "\n");
    }
    for (size_t a = 0; a <= n; a++) {
        for (size_t b = a; b <= n; b++) {
            struct peer p = { 0 };
            peer_open(&p, PEER_SERVER, NULL);
            peer_forget(&p);
            peer_feed(&p, frames, a);
            peer_feed(&p, frames + a, b - a);
            peer_feed(&p, frames + b, n - b);
            assert_string_equal(p.log, wanted);
            peer_free(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_lengths_and_their_headers),
        cmocka_unit_test(headers_are_minimal_at_every_length),
        cmocka_unit_test(reserved_bits_fail_the_connection),
        cmocka_unit_test(unknown_opcodes_fail_the_connection),
        cmocka_unit_test(each_opcode_has_its_meaning),
        cmocka_unit_test(lengths_that_break_a_rule),
        cmocka_unit_test(a_bad_length_is_seen_at_its_last_byte),
        cmocka_unit_test(the_key_comes_last_in_a_header),
        cmocka_unit_test(hello_masked_and_unmasked),
        cmocka_unit_test(the_masks_phase_goes_on_in_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
