/* The cases 1 to 5 and 10 of Autobahn's fuzzing client, on both ends, against
 * an echo: framing, pings, reserved bits, opcodes, fragmentation. */
#include "frames.h"

static const caws_config echo = { .on_message = frames_echo };

static void check_echo_of(bool client, unsigned first, size_t len,
                          size_t piece)
{
    struct peer p = { 0 };
    char in[64];
    snprintf(in, sizeof in, len == 0 ? "%02x:" : "%02x:a*%zu", first, len);
    peer_open(&p, client, &echo);
    assert_int_equal(frames_feed_pieces(&p, in, piece), CAWS_OK);
    frames_expect_out(&p, in, in);
    peer_free(&p);
}

static void case_1_framing(void **state)
{
    /* REQ 5.2-6, 5.2-12, FRAME-3 */
    static const size_t sizes[] = { 0, 125, 126, 127, 128, 65535, 65536 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int n = 0; n < 4; n++) {
            unsigned first = n / 2 ? 0x81 : 0x82;
            check_echo_of(n % 2, first, sizes[i], SIZE_MAX / 2);
            check_echo_of(n % 2, first, sizes[i], 997); /* 1.1.8, 1.2.8 */
            if (sizes[i] < 1000)
                check_echo_of(n % 2, first, sizes[i], 1);
        }
    }
}

static void case_2_pings_and_pongs(void **state)
{
    /* REQ 5.5.2-1, 5.5.2-2, 5.5.3-1, 5.5.3-3 */
    static const struct frames_row rows[] = {
        { "2.1", "89:", "ping 0\n", "8a:", 0 },
        { "2.2", "89:Hello", "ping 5 ~\n", "8a:Hello", 0 },
        { "2.3", "89:%00%ff%fe%fd%fc%fb%00%ff", "ping 8 00fffefdfcfb00ff\n",
          "8a:%00%ff%fe%fd%fc%fb%00%ff", 0 },
        { "2.4", "89:%fe*125", "ping 125 ~\n", "8a:%fe*125", 0 },
        { "2.5", "89:%fe*126", "", "", CAWS_ERR_PROTOCOL },
        { "2.6", "89:%fe*125", "ping 125 ~\n", "8a:%fe*125", 0 },
        { "2.7", "8a:", "pong 0\n", "", 0 },
        { "2.8", "8a:unsolicited", "pong 11 ~\n", "", 0 },
        { "2.9", "8a:unsolicited 89:payload", "pong 11 ~\nping 7 ~\n",
          "8a:payload", 0 },
        { "2.10", "89:0 89:1 89:2 89:3 89:4 89:5 89:6 89:7 89:8 89:9",
          "ping 1 30\nping 1 31\nping 1 32\nping 1 33\nping 1 34\n"
          "ping 1 35\nping 1 36\nping 1 37\nping 1 38\nping 1 39\n",
          "8a:0 8a:1 8a:2 8a:3 8a:4 8a:5 8a:6 8a:7 8a:8 8a:9", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

static void case_3_reserved_bits(void **state)
{
    /* REQ 5.2-3, 7.1.7-4 */
    static const struct frames_row rows[] = {
        { "3.1", "91:small", "", "", CAWS_ERR_PROTOCOL },
        { "3.2", "81:small a1:small 89:", "text 5 small\n", "81:small",
          CAWS_ERR_PROTOCOL },
        { "3.3", "81:small b1:small 89:", "text 5 small\n", "81:small",
          CAWS_ERR_PROTOCOL },
        { "3.4", "81:small c1:small 89:", "text 5 small\n", "81:small",
          CAWS_ERR_PROTOCOL },
        { "3.5", "d2:%00%ff%fe%fd", "", "", CAWS_ERR_PROTOCOL },
        { "3.6", "e9:ping", "", "", CAWS_ERR_PROTOCOL },
        { "3.7", "f8:#1000", "", "", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

static void case_4_opcodes(void **state)
{
    /* REQ 5.2-4, 7.1.7-4 */
    static const struct frames_row rows[] = {
        { "4.1.1", "83:", "", "", CAWS_ERR_PROTOCOL },
        { "4.1.2", "84:payload", "", "", CAWS_ERR_PROTOCOL },
        { "4.1.3", "81:a 85: 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
        { "4.1.4", "81:a 86:b 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
        { "4.1.5", "81:a 87:b 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
        { "4.2.1", "8b:", "", "", CAWS_ERR_PROTOCOL },
        { "4.2.2", "8c:payload", "", "", CAWS_ERR_PROTOCOL },
        { "4.2.3", "81:a 8d: 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
        { "4.2.4", "81:a 8e:b 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
        { "4.2.5", "81:a 8f:b 89:", "text 1 a\n", "81:a", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

static void case_5_fragments(void **state)
{
    /* REQ 5.4-2, 5.4-3, 5.4-4, 5.4-5 */
    static const struct frames_row rows[] = {
        { "5.1", "09:a 80:b", "", "", CAWS_ERR_PROTOCOL },
        { "5.2", "0a:a 80:b", "", "", CAWS_ERR_PROTOCOL },
        { "5.3", "01:a 80:b", "text 2 ab\n", "81:ab", 0 },
        { "5.6", "01:a 89:p 80:b", "ping 1 70\ntext 2 ab\n", "8a:p 81:ab", 0 },
        { "5.9", "80:a 81:b", "", "", CAWS_ERR_PROTOCOL },
        { "5.12", "00:a 81:b", "", "", CAWS_ERR_PROTOCOL },
        { "5.15", "01:a 80:b 00:c 81:d", "text 2 ab\n", "81:ab",
          CAWS_ERR_PROTOCOL },
        { "5.16", "00:a 01:b 80:c", "", "", CAWS_ERR_PROTOCOL },
        { "5.17", "80:a 01:b 80:c", "", "", CAWS_ERR_PROTOCOL },
        { "5.18", "01:a 81:b", "", "", CAWS_ERR_PROTOCOL },
        { "5.19", "01:1 00:2 89:p 00:3 00:4 89:q 80:5",
          "ping 1 70\nping 1 71\ntext 5 12345\n", "8a:p 8a:q 81:12345", 0 },
    };
    (void)state;
    FRAMES_CHECK(rows, &echo);
}

static void refragment(caws_conn *ws, caws_type type, const void *data,
                       size_t len)
{
    const char *at = data;
    for (size_t i = 0; i < len; i += 1300)
        assert_int_equal(caws_send_fragment(ws, type, at + i,
                                            len - i < 1300 ? len - i : 1300,
                                            len - i <= 1300), CAWS_OK);
}

static void case_10_1_1_fragmented_answers(void **state)
{
    /* REQ 6.1-3, 6.1-5 */
    static const caws_config cfg = { .on_message = refragment };
    char wanted[2000] = "";
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        sprintf(wanted + strlen(wanted), "%s:%%2a*1300 ", i ? "00" : "01");
    strcat(wanted, "80:%2a*536");
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        frames_feed(&p, "81:%2a*65536");
        frames_expect_out(&p, "10.1.1", wanted);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_framing),
        cmocka_unit_test(case_2_pings_and_pongs),
        cmocka_unit_test(case_3_reserved_bits),
        cmocka_unit_test(case_4_opcodes),
        cmocka_unit_test(case_5_fragments),
        cmocka_unit_test(case_10_1_1_fragmented_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
