/* RFC 6455 section 8.1: text that is not UTF-8, seen at its first bad byte. */
#include "frames.h"

/* good bytes that must pass, then one that must not. */
static const struct {
    const char *good;
    unsigned char bad;
} sequences[] = {
    { "", 0x80 },                    { "", 0xbf },
    { "", 0xc0 },                    { "", 0xc1 },
    { "", 0xf5 },                    { "", 0xf8 },
    { "", 0xfe },                    { "", 0xff },
    { "a", 0x80 },                   { "\xce\xba", 0xba },
    { "\xc2", 0x41 },                { "\xc2", 0xc2 },
    { "\xe0", 0x9f },                { "\xe0\xa0", 0x41 },
    { "\xed", 0xa0 },                { "\xed", 0xbf },
    { "\xed\x9f", 0xc0 },            { "\xf0", 0x8f },
    { "\xf0\x90", 0x7f },            { "\xf0\x90\x80", 0xc0 },
    { "\xf4", 0x90 },                { "\xf4\x8f\xbf", 0x41 },
    { "\xce\xba\xf4", 0x90 },        { "\xef\xbf\xbf\xef\xbf", 0x00 },
};
#define SEQUENCES (sizeof sequences / sizeof *sequences)

enum { WHOLE_FEEDS, IN_UNFINISHED_MESSAGE, BYTE_FRAMES, WAYS };

/* Feed one byte of text in the given way. */
static void feed_byte(struct peer *p, int way, unsigned char byte, bool first)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    static unsigned phase;
    unsigned char masked;
    if (way == BYTE_FRAMES) {
        peer_feed_frame(p, first ? 1 : 0, &byte, 1);
        return;
    }
    if (first) {
        frames_feed(p, way == WHOLE_FEEDS ? "81[99]:" : "01[99]:");
        phase = 0;
    }
    masked = byte ^ (caws_is_client(p->ws) ? (unsigned char)0 : key[phase++ % 4]);
    peer_feed(p, &masked, 1);
}

static void bad_text_fails_at_its_first_bad_byte(void **state)
{
    /* REQ 8.1-1, 8.1-2, FRAME-2 */
    (void)state;
    for (size_t i = 0; i < 4 * WAYS * SEQUENCES; i++) {
        const char *good = sequences[i / 4 / WAYS].good;
        int way = (int)(i / 4 % WAYS);
        struct peer p = { .stream = i & 2 };
        size_t len = strlen(good);
        peer_open(&p, i & 1, NULL);
        for (size_t at = 0; at < len; at++) {
            feed_byte(&p, way, (unsigned char)good[at], at == 0);
            assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
        }
        assert_int_equal(p.out_len, 0);
        feed_byte(&p, way, sequences[i / 4 / WAYS].bad, len == 0);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
        assert_true(peer_log_has(&p, "error -10 "));
        assert_int_equal(peer_out_close(&p), 1007);
        peer_free(&p);
    }
}

/* The same sequences at every place of a text that is looked at in blocks. */
static void bad_text_at_every_offset(void **state)
{
    /* REQ 8.1-1, 5.6-2 */
    (void)state;
    for (size_t i = 0; i < SEQUENCES; i++) {
        for (size_t offset = 0; offset < 70; offset++) {
            struct peer p = { 0 };
            char text[200];
            size_t n;
            memset(text, 'a', sizeof text);
            n = strlen(sequences[i].good);
            memcpy(text + offset, sequences[i].good, n);
            text[offset + n] = (char)sequences[i].bad;
            peer_open(&p, offset & 1, NULL);
            assert_int_equal(peer_feed_frame(&p, 0x81, text, sizeof text),
                             CAWS_ERR_UTF8);
            peer_free(&p);
        }
    }
}

static void text_at_the_edges_of_unicode(void **state)
{
    /* REQ 8.1-1 */
    static const struct frames_row rows[] = {
        { "NUL", "81:%00", "text 1 \\x00\n", "", 0 },
        { "7f", "81:%7f", "text 1 \\x7f\n", "", 0 },
        { "80", "81:%c2%80", "text 2 \\xc2\\x80\n", "", 0 },
        { "7ff", "81:%df%bf", "text 2 \\xdf\\xbf\n", "", 0 },
        { "800", "81:%e0%a0%80", "text 3 \\xe0\\xa0\\x80\n", "", 0 },
        { "d7ff", "81:%ed%9f%bf", "text 3 \\xed\\x9f\\xbf\n", "", 0 },
        { "e000", "81:%ee%80%80", "text 3 \\xee\\x80\\x80\n", "", 0 },
        { "BOM", "81:%ef%bb%bfa", "text 4 \\xef\\xbb\\xbfa\n", "", 0 },
        { "ffff", "81:%ef%bf%bf", "text 3 \\xef\\xbf\\xbf\n", "", 0 },
        { "10000", "81:%f0%90%80%80", "text 4 \\xf0\\x90\\x80\\x80\n", "", 0 },
        { "10ffff", "81:%f4%8f%bf%bf", "text 4 \\xf4\\x8f\\xbf\\xbf\n", "",
          0 },
        { "cut", "81:a%f4%8f%bf", "", "", CAWS_ERR_UTF8 },
        { "cut, then a new message", "01:%ce 80: 81:a", "", "",
          CAWS_ERR_UTF8 },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static int see_header(caws_conn *ws, const caws_request *req)
{
    caws_slice v = caws_header(ws, "X-Octets");
    (void)req;
    assert_int_equal(v.len, 4);
    assert_memory_equal(v.data, "\xff\xfe\xc0\x80", 4);
    return CAWS_ACCEPT;
}

/* Header fields are octets: nothing in them is decoded. */
static void a_header_field_need_not_be_utf8(void **state)
{
    /* REQ 8.1-1 */
    static const caws_config cfg = { .on_request = see_header };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST_LINES "X-Octets: \xff\xfe\xc0\x80\r\n\r\n");
    assert_int_equal(peer_out_status(&p), 101);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_text_fails_at_its_first_bad_byte),
        cmocka_unit_test(bad_text_at_every_offset),
        cmocka_unit_test(text_at_the_edges_of_unicode),
        cmocka_unit_test(a_header_field_need_not_be_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
