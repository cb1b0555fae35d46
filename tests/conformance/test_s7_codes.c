/* RFC 6455 section 7.4 and the registry of status codes. */
#include "frames.h"

static bool legal(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* All codes up to 5100, and a few of the rest. */
static unsigned next_code(unsigned code)
{
    return code < 5100 ? code + 1 : code < 65000 ? code + 997 : code + 67;
}

static void codes_that_may_be_received(void **state)
{
    /* REQ 7.4.1-1, 7.4.1-2, 7.4.1-3, 7.4.1-4 */
    /* REQ 7.4.1-5, 7.4.2-1, 7.4.2-2, 7.4.2-3 */
    /* REQ 7.4.2-4 */
    (void)state;
    for (unsigned code = 0; code < 65536; code = next_code(code)) {
        for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
            struct peer p = { 0 };
            unsigned char payload[2] = { (unsigned char)(code >> 8),
                                         (unsigned char)code };
            char wanted[60];
            peer_open(&p, end == PEER_CLIENT, NULL);
            peer_forget(&p);
            peer_feed_frame(&p, 0x88, payload, 2);
            snprintf(wanted, sizeof wanted,
                     legal(code) ? "close %u clean peer 0\n" : "error -9 ~\n",
                     code);
            frames_expect_log(&p, "code", wanted);
            assert_int_equal(peer_out_close(&p), legal(code) ? code : 1002);
            peer_free(&p);
        }
    }
}

static void codes_that_may_be_sent(void **state)
{
    /* REQ 7.4.1-1, 7.4.1-2, 7.4.1-3, 7.4.1-4 */
    /* REQ 7.4.1-5, 7.4.2-1, 7.4.2-2, 7.4.2-3 */
    /* REQ 7.4.2-4, 7.4.1-6, close-1 */
    (void)state;
    for (unsigned code = 1; code < 65536; code = next_code(code)) {
        for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
            struct peer p = { 0 };
            peer_open(&p, end == PEER_CLIENT, NULL);
            assert_int_equal(caws_close(p.ws, (uint16_t)code, NULL),
                             legal(code) ? CAWS_OK : CAWS_ERR_ARG);
            assert_int_equal(caws_ready_state(p.ws),
                             legal(code) ? CAWS_CLOSING : CAWS_OPEN);
            peer_take(&p);
            assert_int_equal(peer_out_close(&p), legal(code) ? code : 0);
            peer_free(&p);
        }
    }
}

static void a_client_lacks_an_extension(void **state)
{
    /* REQ 7.4.1-6 */
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_close(p.ws, CAWS_CLOSE_EXTENSION,
                                "permessage-deflate"), CAWS_OK);
    peer_take(&p);
    frames_expect_out(&p, "1010", "88:#1010permessage-deflate");
    peer_free(&p);
}

static void text_only(caws_conn *ws, caws_type type, const void *data,
                      size_t len)
{
    (void)data;
    (void)len;
    if (type != CAWS_TEXT)
        assert_int_equal(caws_close(ws, CAWS_CLOSE_UNSUPPORTED, "text only"),
                         CAWS_OK);
}

static void an_application_that_takes_text_alone(void **state)
{
    /* REQ 7.4.1-7 */
    static const caws_config cfg = { .on_message = text_only };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        frames_feed(&p, "81:a 82:b 81:c 88:#1003");
        assert_string_equal(p.log, "open\ntext 1 a\nbinary 1 62\n"
                                   "close 1003 clean us 0\n");
        frames_expect_out(&p, "1003", "88:#1003text%20only");
        peer_free(&p);
    }
}

static void messages_too_big(void **state)
{
    /* REQ 7.4.1-8, 10.4-1 */
    static const caws_config cfg = { .max_message = 10 };
    static const struct frames_row rows[] = {
        { "ten", "81:a*10", "text 10 aaaaaaaaaa\n", "", 0 },
        { "eleven", "81[11]:", "", "", CAWS_ERR_TOO_BIG },
        { "five and six", "01:aaaaa 80[6]:", "", "", CAWS_ERR_TOO_BIG },
        { "five and five", "01:aaaaa 80:bbbbb", "text 10 aaaaabbbbb\n", "", 0 },
        { "ten and one", "02:a*10 80[1]:", "", "", CAWS_ERR_TOO_BIG },
        { "ten and none", "01:a*10 80:", "text 10 aaaaaaaaaa\n", "", 0 },
        { "2^40", "82[1099511627776]:", "", "", CAWS_ERR_TOO_BIG },
        { "2^63-1", "82[9223372036854775807]:", "", "", CAWS_ERR_TOO_BIG },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

static void messages_of_too_many_frames(void **state)
{
    /* REQ 7.4.1-10, ALLOC-2, 10.4-2 */
    static const caws_config cfg = { .max_fragments = 3 };
    static const struct frames_row rows[] = {
        { "three", "01:a 00:b 80:c", "text 3 abc\n", "", 0 },
        { "four", "01:a 00:b 00:c 80[1]:", "", "", CAWS_ERR_LIMIT },
        { "empty ones count", "01: 00: 00: 00:", "", "", CAWS_ERR_LIMIT },
        { "controls do not", "01:a 8a: 00:b 8a: 80:c",
          "pong 0\npong 0\ntext 3 abc\n", "", 0 },
        { "afresh", "01:a 80:b 01:c 00:d 80:e", "text 2 ab\ntext 3 cde\n", "",
          0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &cfg);
}

static void no_memory_in_the_middle_of_a_message(void **state)
{
    /* REQ 7.4.1-11 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        peer_forget(&p);
        a.fail_at = a.calls + 1; /* once: the Close can be built */
        assert_int_equal(frames_feed(&p, "01:abc"), CAWS_ERR_NOMEM);
        frames_expect_log(&p, "nomem", "error -1 ~\n");
        assert_int_equal(peer_out_close(&p), 1011);
        frames_feed(&p, "80:def 88:#1000");
        peer_eof(&p);
        frames_expect_log(&p, "nomem",
                          "error -1 ~\nclose 1006 unclean us -1\n");
        peer_free(&p);
        assert_int_equal(a.bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_that_may_be_received),
        cmocka_unit_test(codes_that_may_be_sent),
        cmocka_unit_test(a_client_lacks_an_extension),
        cmocka_unit_test(an_application_that_takes_text_alone),
        cmocka_unit_test(messages_too_big),
        cmocka_unit_test(messages_of_too_many_frames),
        cmocka_unit_test(no_memory_in_the_middle_of_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
