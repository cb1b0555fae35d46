/* RFC 6455 section 10.4: limits, and memory that grows with what has come. */
#include "frames.h"

static void lengths_past_the_limit_fail_at_the_header(void **state)
{
    /* REQ 10.4-1, LEN-1, LEN-11, LEN-16 */
    static const char *const headers[] = {
        "82[1048577]:", "82[4294967295]:", "82[4294967296]:",
        "82[1099511627776]:", "82[1152921504606846976]:",
        "82[9223372036854775807]:", "01:a 80[9223372036854775807]:",
        "01:a 00:b 00[9223372036854775806]:", "01:a*126 80[1048451]:",
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof headers / sizeof *headers; i++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { .hold_output = true };
        size_t before;
        peer_open(&p, i % 2, &cfg);
        before = a.bytes;
        assert_int_equal(frames_feed(&p, headers[i / 2]), CAWS_ERR_TOO_BIG);
        assert_true(a.peak < before + 4096);
        peer_take(&p);
        assert_int_equal(peer_out_close(&p), 1009);
        peer_free(&p);
    }
}

/* The most that "unlimited" means: half of what a size_t can count. */
#if SIZE_MAX > UINT32_MAX
#define MOST "9223372036854775807"
#define MOST_LESS_2 "9223372036854775805"
#define MOST_LESS_3 "9223372036854775804"
#define PAST_32_BITS 0
#else
#define MOST "2147483647"
#define MOST_LESS_2 "2147483645"
#define MOST_LESS_3 "2147483644"
#define PAST_32_BITS CAWS_ERR_TOO_BIG
#endif

/* The budget that is left is compared, so no sum can wrap. */
static void a_running_total_does_not_wrap(void **state)
{
    /* REQ LEN-1, LEN-7, LEN-15 */
    static const caws_config unlimited = { .max_message = SIZE_MAX,
                                           .max_fragments = UINT32_MAX };
    static const struct frames_row rows[] = {
        { "the most", "82[" MOST "]:abc", "", "", 0 },
        { "also in parts", "01:abc 80[" MOST_LESS_3 "]:d", "", "", 0 },
        { "the most and one", "01:a 80[" MOST "]:", "", "", CAWS_ERR_TOO_BIG },
        { "one too many", "01:abc 80[" MOST_LESS_2 "]:", "", "",
          CAWS_ERR_TOO_BIG },
        { "2^32+5, which 32 bits would take for 5", "82[4294967301]:abcde", "",
          "", PAST_32_BITS },
        { "2^32+5 in parts", "02:abc 80[4294967298]:de", "", "", PAST_32_BITS },
        { "2^63-1", "02:abc 80[9223372036854775807]:de", "", "",
          CAWS_ERR_TOO_BIG },
        { "MSB", "82[9223372036854775808]:", "", "", CAWS_ERR_PROTOCOL },
        { "checks stay", "81:%ff", "", "", CAWS_ERR_UTF8 },
        { "and bits", "c1:a", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, &unlimited);
}

static void the_limit_is_exact(void **state)
{
    /* REQ 10.4-2, 10.4-1 */
    static const size_t limits[] = { 1, 125, 126, 65535, 65536 };
    static const char text[65537] = "";
    (void)state;
    for (size_t i = 0; i < 6 * sizeof limits / sizeof *limits; i++) {
        size_t max = limits[i / 6], len = max - 1 + i / 2 % 3, half = len / 2;
        caws_config cfg = { .max_message = max };
        for (int fragments = 0; fragments < 2; fragments++) {
            struct peer p = { .stream = true };
            peer_open(&p, i % 2, &cfg);
            if (fragments) {
                peer_feed_frame(&p, 2, text, half);
                peer_feed_frame(&p, 0x80, text, len - half);
            } else {
                peer_feed_frame(&p, 0x82, text, len);
            }
            assert_int_equal(peer_out_close(&p), len > max ? 1009 : 0);
            assert_int_equal(caws_ready_state(p.ws),
                             len > max ? CAWS_CLOSING : CAWS_OPEN);
            peer_free(&p);
        }
    }
}

static void one_byte_fragments_without_end(void **state)
{
    /* REQ 10.4-2, ALLOC-1, ALLOC-2, ALLOC-4 */
    static const struct {
        size_t max_message;
        uint32_t max_fragments;
        const char *piece;
        unsigned frames;
        int code;
    } rows[] = {
        { 100, 1000, "00:a", 100, 1009 },
        { 1000, 100, "00:a", 100, 1008 },
        { 0, 0, "00:a", 4096, 1008 },
        { 0, 0, "00:", 4096, 1008 },
        { 0, 0, "00:a*65536", 17, 1009 },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a),
                            .max_message = rows[i / 2].max_message,
                            .max_fragments = rows[i / 2].max_fragments };
        struct peer p = { 0 };
        unsigned n = 1;
        size_t before;
        peer_open(&p, i % 2, &cfg);
        before = a.bytes;
        frames_feed(&p, rows[i / 2].max_message ? "02:a" : "02:");
        while (frames_feed(&p, rows[i / 2].piece) == CAWS_OK)
            n++;
        assert_int_equal(n, rows[i / 2].frames);
        assert_int_equal(peer_out_close(&p), rows[i / 2].code);
        if (strcmp(rows[i / 2].piece, "00:a") == 0)
            assert_true(a.peak < before + 3 * n + 2048);
        peer_free(&p);
        assert_int_equal(a.bytes, 0);
    }
}

/* 1 MiB is announced; what is had follows what has come. */
static void memory_grows_with_bytes_received(void **state)
{
    /* REQ LEN-16, LEN-3, 10.4-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { 0 };
        static const char part[1000];
        size_t before;
        peer_open(&p, end == PEER_CLIENT, &cfg);
        before = a.bytes;
        frames_feed(&p, "82[1048576]:");
        assert_true(a.bytes - before <= 256); /* that a frame is under way */
        for (size_t got = 1000; got <= 1000000; got += 1000) {
            peer_feed(&p, part, sizeof part);
            assert_true(a.bytes - before <= 2 * got + 4096);
            assert_true(a.bytes - before >= got);
        }
        assert_true(a.peak <= before + 3 * 1000000);
        peer_free(&p);
        assert_int_equal(a.bytes, 0);
    }
}

static void a_message_in_one_feed_needs_no_memory(void **state)
{
    /* REQ 10.4-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { 0 };
        unsigned long calls;
        peer_open(&p, end == PEER_CLIENT, &cfg);
        calls = a.calls;
        frames_feed(&p, "81:a*1000000 82:b*70000 8a:c");
        assert_int_equal(peer_log_count(&p, "pong 1"), 1);
        assert_int_equal(a.calls, calls);
        peer_free(&p);
    }
}

/* The buffer moves with each growth (the counting allocator sees to that). */
static void a_buffer_that_moves_between_fragments(void **state)
{
    /* REQ LEN-8, LEN-10 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { 0 };
        char start[40], part[9000];
        size_t sum = 0;
        memset(part, 'a', sizeof part);
        peer_open(&p, end == PEER_CLIENT, &cfg);
        peer_forget(&p);
        for (size_t n = 1; n < 9000; n = n * 2 + 1) {
            peer_feed_frame(&p, sum ? 0 : 1, part, n);
            frames_feed(&p, "8a:between");
            sum += n;
        }
        peer_forget(&p);
        frames_feed(&p, "80:z");
        snprintf(start, sizeof start, "text %zu aaa", sum + 1);
        assert_memory_equal(p.log, start, strlen(start));
        assert_int_equal(p.log[p.log_len - 2], 'z');
        assert_int_equal(strspn(p.log + strlen(start) - 3, "a"), sum);
        peer_free(&p);
        assert_int_equal(a.bytes, 0);
    }
}

static void a_peer_that_sends_while_the_application_is_slow(void **state)
{
    /* REQ ALLOC-8, stream-1 */
    struct peer_alloc a = { 0 };
    caws_config cfg = { .alloc = peer_counting(&a) };
    struct peer p = { 0 };
    size_t before;
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    before = a.bytes;
    caws_pause(p.ws);
    assert_int_equal(caws_wants(p.ws) & CAWS_WANT_READ, 0);
    frames_feed(&p, "81:one 81:two 8a:three");
    assert_string_equal(p.log, "open\n");
    assert_true(a.bytes < before + 1024);
    caws_resume(p.ws);
    assert_int_equal(caws_deadline(p.ws), 0); /* what is held comes first */
    peer_tick(&p, 0);
    assert_true(caws_wants(p.ws) & CAWS_WANT_READ);
    assert_string_equal(p.log, "open\ntext 3 one\ntext 3 two\n"
                               "pong 5 7468726565\n");
    assert_int_equal(a.bytes, before);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_past_the_limit_fail_at_the_header),
        cmocka_unit_test(a_running_total_does_not_wrap),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(one_byte_fragments_without_end),
        cmocka_unit_test(memory_grows_with_bytes_received),
        cmocka_unit_test(a_message_in_one_feed_needs_no_memory),
        cmocka_unit_test(a_buffer_that_moves_between_fragments),
        cmocka_unit_test(a_peer_that_sends_while_the_application_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
