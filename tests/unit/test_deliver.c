/* lib/protocol/deliver.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static const unsigned char *seen_at;

static void keep_place(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)ws, (void)type, (void)len;
    seen_at = data;
}

/* A message that lies whole in a feed is delivered from there, unmasked in
 * place, and costs no memory. */
static void test_a_whole_message_is_not_copied(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_config cfg = { .on_message = keep_place, .alloc = peer_counting(&counting) };
    unsigned char bytes[40];
    size_t n = peer_frame(bytes, 0x81, "one", 3, true);
    unsigned long before;
    struct peer p = { 0 };
    (void)state;
    n += peer_frame(bytes + n, 0x82, "two", 3, true);
    peer_open(&p, PEER_SERVER, &cfg);
    before = counting.calls;
    assert_int_equal(caws_feed(p.ws, bytes, n, p.now), CAWS_OK);
    assert_string_equal(p.log, "open\ntext 3 one\nbinary 3 74776f\n");
    assert_ptr_equal(seen_at, bytes + 15);
    assert_int_equal(counting.calls, before);
    peer_free(&p);
}

static void test_messages_in_pieces(void **state)
{
    unsigned char bytes[64];
    size_t n = peer_frame(bytes, 0x01, "\xe2\x82", 2, true);
    (void)state;
    n += peer_frame(bytes + n, 0x00, "", 0, true);
    n += peer_frame(bytes + n, 0x89, "p", 1, true);
    n += peer_frame(bytes + n, 0x80, "\xac!", 2, true);
    for (size_t cut = 0; cut <= n; cut++) {
        struct peer p = { 0 };
        peer_open(&p, PEER_SERVER, NULL);
        peer_feed(&p, bytes, cut);
        peer_feed(&p, bytes + cut, n - cut);
        assert_string_equal(p.log, "open\nping 1 70\ntext 4 \\xe2\\x82\\xac!\n");
        assert_int_equal(p.counters.messages_in, 1);
        peer_free(&p);
    }
}

static void test_streaming(void **state)
{
    struct peer p = { .stream = true };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    peer_feed_hex(&p, "01 00  00 03 6162"); /* an empty piece is nothing to tell */
    assert_string_equal(p.log, "open\nchunk text F 2 ab\n");
    peer_feed_hex(&p, "63 80 01");
    peer_feed_hex(&p, "64 82 00");
    assert_string_equal(p.log, "open\nchunk text F 2 ab\nchunk text - 1 c\nchunk text L 1 d\n"
                               "chunk binary FL 0\n");
    peer_forget(&p);
    peer_feed_hex(&p, "01 01 61 80 00");
    assert_string_equal(p.log, "chunk text F 1 a\nchunk text L 0\n");
    peer_feed_hex(&p, "81 02 61ff");
    assert_int_equal(peer_out_close(&p), 1007);
    peer_free(&p);
}

/* The first bad byte, in a frame that is not finished. */
static void test_bad_text_fails_at_once(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct peer p = { .stream = stream };
        peer_open(&p, PEER_CLIENT, NULL);
        assert_int_equal(peer_feed_hex(&p, "01 05 6162 f4"), CAWS_OK);
        assert_int_equal(peer_feed_hex(&p, "90"), CAWS_ERR_UTF8);
        assert_int_equal(peer_out_close(&p), 1007);
        assert_false(peer_log_has(&p, "text 3"));
        peer_free(&p);
    }
}

static void test_limits_are_told_at_the_header(void **state)
{
    caws_config cfg = { .max_message = 300, .max_fragments = 2 };
    static const char *const at_once[] = { "827e012d", "01020000 807e012b",
                                           "827f0000010000000000" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct peer p = { 0 };
        peer_open(&p, PEER_CLIENT, &cfg);
        assert_int_equal(peer_feed_hex(&p, at_once[i]), CAWS_ERR_TOO_BIG);
        assert_int_equal(peer_out_close(&p), 1009);
        peer_free(&p);
    }
    {
        struct peer p = { 0 };
        peer_open(&p, PEER_CLIENT, &cfg);
        assert_int_equal(peer_feed_hex(&p, "0100 0000 8000"), CAWS_ERR_LIMIT);
        assert_int_equal(peer_out_close(&p), 1008);
        peer_free(&p);
    }
}

/* Behind our Close messages are let pass unseen, whatever their size. */
static void test_nothing_is_delivered_while_closing(void **state)
{
    caws_config cfg = { .max_message = 4, .max_fragments = 1 };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    caws_close(p.ws, 1000, NULL);
    assert_int_equal(peer_feed_hex(&p, "0105 6162636465 0001ff 800161 8101ff"), CAWS_OK);
    assert_int_equal(peer_feed_hex(&p, "880203e8"), CAWS_OK);
    assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_message_is_not_copied),
        cmocka_unit_test(test_messages_in_pieces),
        cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_bad_text_fails_at_once),
        cmocka_unit_test(test_limits_are_told_at_the_header),
        cmocka_unit_test(test_nothing_is_delivered_while_closing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
