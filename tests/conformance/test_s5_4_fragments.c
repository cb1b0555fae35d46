/* RFC 6455 sections 5.4 and 6.2: fragments, and the messages they make. */
#include "frames.h"

static void fragments_make_a_message(void **state)
{
    /* REQ 5.4-2, 5.4-7, 5.4-10, 5.4-11 */
    /* REQ 6.2-3, 6.2-4, 6.2-1, 5.2-12 */
    static const struct frames_row rows[] = {
        { "one frame", "81:Hello", "text 5 Hello\n", "", 0 },
        { "two", "01:Hel 80:lo", "text 5 Hello\n", "", 0 },
        { "five", "01:H 00:e 00:l 00:l 80:o", "text 5 Hello\n", "", 0 },
        { "empty ones", "01: 00:H 00: 00:i 80:", "text 2 Hi\n", "", 0 },
        { "binary", "02:%ff 00:%00 80:%fe", "binary 3 ff00fe\n", "", 0 },
        { "twice", "01:a 80:b 02:c 80:d", "text 2 ab\nbinary 2 6364\n", "", 0 },
        { "then one", "01:a 80:b 82:c", "text 2 ab\nbinary 1 63\n", "", 0 },
        { "two messages", "81:a 82:b", "text 1 a\nbinary 1 62\n", "", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void a_thousand_fragments(void **state)
{
    /* REQ 5.4-2, 5.4-9, 5.4-12 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        for (size_t size = 1; size <= 1000; size = size * 3 + 1) {
            struct peer p = { 0 };
            char text[1001], wanted[1100];
            for (size_t i = 0; i < 1000; i++)
                text[i] = (char)('a' + i % 26);
            text[1000] = '\0';
            peer_open(&p, end == PEER_CLIENT, NULL);
            peer_forget(&p);
            for (size_t at = 0; at < 1000; at += size)
                peer_feed_frame(&p, at ? 0 : 1, text + at,
                                size < 1000 - at ? size : 1000 - at);
            peer_feed_frame(&p, 0x80, "", 0);
            snprintf(wanted, sizeof wanted, "text 1000 %s\n", text);
            assert_string_equal(p.log, wanted);
            peer_free(&p);
        }
    }
}

static void fragments_out_of_place(void **state)
{
    /* REQ 5.4-3, 5.4-4 */
    static const struct frames_row rows[] = {
        { "continuation first", "80:x", "", "", CAWS_ERR_PROTOCOL },
        { "unfinished one first", "00:x", "", "", CAWS_ERR_PROTOCOL },
        { "empty one first", "80:", "", "", CAWS_ERR_PROTOCOL },
        { "after a message", "81:a 80:x", "text 1 a\n", "",
          CAWS_ERR_PROTOCOL },
        { "after the last", "01:a 80:b 80:c", "text 2 ab\n", "",
          CAWS_ERR_PROTOCOL },
        { "after a ping", "89: 80:c", "ping 0\n", "8a:", CAWS_ERR_PROTOCOL },
        { "text in text", "01:a 81:b", "", "", CAWS_ERR_PROTOCOL },
        { "binary in text", "01:a 82:b", "", "", CAWS_ERR_PROTOCOL },
        { "start in text", "01:a 01:b 80:c", "", "", CAWS_ERR_PROTOCOL },
        { "start in empty", "01: 02:b", "", "", CAWS_ERR_PROTOCOL },
        { "later", "02:a 00:b 89: 82:c", "ping 0\n", "8a:",
          CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void control_frames_between_fragments(void **state)
{
    /* REQ 5.4-5, 5.4-8, 6.2-2 */
    static const struct frames_row rows[] = {
        { "ping", "01:a 89:p 80:b", "ping 1 70\ntext 2 ab\n", "8a:p", 0 },
        { "pong", "01:a 8a:p 80:b", "pong 1 70\ntext 2 ab\n", "", 0 },
        { "several", "01:a 89:1 8a:2 00:b 89:3 80:c",
          "ping 1 31\npong 1 32\nping 1 33\ntext 3 abc\n", "8a:1 8a:3", 0 },
        { "in a character", "01:%ce 89:p 80:%ba",
          "ping 1 70\ntext 2 \\xce\\xba\n", "8a:p", 0 },
        { "close", "01:a 88:#1000", "close 1000 clean peer 0\n", "88:#1000",
          0 },
        { "the rest after a close", "01:a 88:#1000 80:b",
          "close 1000 clean peer 0\n", "88:#1000", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void control_frames_are_not_fragmented(void **state)
{
    /* REQ 5.4-6, 5.5-2 */
    static const struct frames_row rows[] = {
        { "close", "08:#1000", "", "", CAWS_ERR_PROTOCOL },
        { "ping", "09:p", "", "", CAWS_ERR_PROTOCOL },
        { "pong", "0a:p", "", "", CAWS_ERR_PROTOCOL },
        { "empty ping", "09:", "", "", CAWS_ERR_PROTOCOL },
        { "and continued", "09:p 80:q", "", "", CAWS_ERR_PROTOCOL },
        { "in a message", "01:a 09:p 80:q", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

/* The same message in every fragmentation of its seven bytes. */
static void boundaries_of_frames_do_not_matter(void **state)
{
    /* REQ 5.4-12, 5.4-9, 5.6-1 */
    static const unsigned char text[] = "a\xce\xba\xf0\x9f\x90\xa6";
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        for (unsigned cuts = 0; cuts < 1u << 6; cuts++) {
            struct peer p = { 0 };
            size_t from = 0;
            peer_open(&p, end == PEER_CLIENT, NULL);
            for (size_t i = 1; i <= 7; i++) {
                if (i < 7 && !(cuts >> (i - 1) & 1))
                    continue;
                peer_feed_frame(&p, (from ? 0u : 1u) | (i == 7 ? 0x80 : 0),
                                text + from, i - from);
                from = i;
            }
            assert_string_equal(p.log, "open\ntext 7 a\\xce\\xba"
                                       "\\xf0\\x9f\\x90\\xa6\n");
            peer_free(&p);
        }
    }
}

static void join_chunks(const struct peer *p, char *to)
{
    const char *line = p->log;
    *to = '\0';
    while ((line = strstr(line, "chunk ")) != NULL) {
        char flags[8], type[8];
        size_t len;
        int at = 0;
        assert_int_equal(
            sscanf(line, "chunk %7s %7s %zu%n", type, flags, &len, &at), 3);
        strncat(to, line + at + (len > 0), len);
        line += at;
    }
}

static void streamed_fragments_come_in_order(void **state)
{
    /* REQ 5.4-7, 5.4-14, 5.4-12 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        for (size_t piece = 1; piece < 30; piece++) {
            struct peer p = { .stream = true };
            char joined[100];
            peer_open(&p, end == PEER_CLIENT, NULL);
            frames_feed_pieces(&p, "01:Who 89:p 00:seeks, 00: 80:finds",
                               piece);
            join_chunks(&p, joined);
            assert_string_equal(joined, "Whoseeks,finds");
            assert_int_equal(peer_log_count(&p, " F "), 1);
            assert_int_equal(peer_log_count(&p, " L "), 1);
            peer_free(&p);
        }
    }
}

/* Pieces arrive before their frame is whole, and no memory is needed but for
 * the fact that one is under way. */
static void streaming_buffers_nothing(void **state)
{
    /* REQ 5.4-14 */
    static const char part[600] = "";
    struct peer_alloc a = { 0 };
    caws_config cfg = { .alloc = peer_counting(&a) };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .stream = true };
        unsigned long before;
        size_t idle;
        peer_open(&p, end == PEER_CLIENT, &cfg);
        peer_forget(&p);
        idle = a.bytes;
        frames_feed(&p, "82[900000]:abc");
        assert_true(a.bytes - idle <= 256);
        before = a.calls;
        assert_string_equal(p.log, "chunk binary F 3 616263\n");
        for (size_t left = 900000 - 3, n; left > 0; left -= n) {
            n = left < sizeof part ? left : sizeof part;
            peer_feed(&p, part, n);
        }
        assert_true(peer_log_has(&p, "chunk binary L"));
        assert_int_equal(a.calls, before);
        assert_int_equal(a.bytes, idle);
        assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        peer_free(&p);
    }
}

static void a_text_message_may_be_cut_in_a_character(void **state)
{
    /* REQ 5.6-1, 5.6-2, 5.6-3 */
    static const struct frames_row rows[] = {
        { "two bytes", "01:%ce 80:%ba", "text 2 \\xce\\xba\n", "", 0 },
        { "four, 1+3", "01:%f0 80:%9f%90%a6",
          "text 4 \\xf0\\x9f\\x90\\xa6\n", "", 0 },
        { "four, 2+2", "01:%f0%9f 80:%90%a6",
          "text 4 \\xf0\\x9f\\x90\\xa6\n", "", 0 },
        { "four, 3+1", "01:%f0%9f%90 00: 80:%a6",
          "text 4 \\xf0\\x9f\\x90\\xa6\n", "", 0 },
        { "surrogate", "81:%ce%ba%ed%a0%80", "", "", CAWS_ERR_UTF8 },
        { "surrogate in parts", "01:%ce%ba%ed 80:%a0%80", "", "",
          CAWS_ERR_UTF8 },
        { "cut at the end", "81:%ce", "", "", CAWS_ERR_UTF8 },
        { "cut at the end of fragments", "01:a 80:%ce", "", "",
          CAWS_ERR_UTF8 },
        { "binary may be anything", "82:%ce%ba%ed%a0%80",
          "binary 5 cebaeda080\n", "", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void binary_is_untouched(void **state)
{
    /* REQ 5.6-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        unsigned char all[256];
        char wanted[600] = "open\nbinary 256 ";
        for (unsigned i = 0; i < 256; i++) {
            all[i] = (unsigned char)i;
            sprintf(wanted + strlen(wanted), "%02x", i);
        }
        strcat(wanted, "\n");
        peer_open(&p, end == PEER_CLIENT, NULL);
        peer_feed_frame(&p, 0x82, all, sizeof all);
        assert_string_equal(p.log, wanted);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_make_a_message),
        cmocka_unit_test(a_thousand_fragments),
        cmocka_unit_test(fragments_out_of_place),
        cmocka_unit_test(control_frames_between_fragments),
        cmocka_unit_test(control_frames_are_not_fragmented),
        cmocka_unit_test(boundaries_of_frames_do_not_matter),
        cmocka_unit_test(streamed_fragments_come_in_order),
        cmocka_unit_test(streaming_buffers_nothing),
        cmocka_unit_test(a_text_message_may_be_cut_in_a_character),
        cmocka_unit_test(binary_is_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
