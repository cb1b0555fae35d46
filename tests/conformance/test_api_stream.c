/* on_chunk: messages in pieces, as they arrive. */
#include "frames.h"

static void feed_parts(struct peer *p, const char *const *parts)
{
    for (; *parts; parts++)
        frames_feed(p, *parts);
}

static void check_parts(const char *const *parts, const char *log)
{
    struct peer p = { .stream = true }; /* a client: parts are not masked */
    peer_open(&p, PEER_CLIENT, NULL);
    peer_forget(&p);
    feed_parts(&p, parts);
    frames_expect_log(&p, parts[0], log);
    peer_free(&p);
}

static void pieces_and_their_flags(void **state)
{
    /* REQ 5.4-14, 5.4-7, 5.4-12 */
    (void)state;
    check_parts((const char *[]){ "81:whole", NULL },
                "chunk text FL 5 whole\n");
    check_parts((const char *[]){ "82:", NULL }, "chunk binary FL 0\n");
    check_parts((const char *[]){ "01:a 00:b 80:c", NULL },
                "chunk text F 1 a\nchunk text - 1 b\nchunk text L 1 c\n");
    check_parts((const char *[]){ "02: 00: 80:", NULL },
                "chunk binary FL 0\n");
    check_parts((const char *[]){ "01:a 00: 80:", NULL },
                "chunk text F 1 a\nchunk text L 0\n");
    check_parts((const char *[]){ "81[6]:ab", "=6364", "=6566", NULL },
                "chunk text F 2 ab\nchunk text - 2 cd\nchunk text L 2 ef\n");
    check_parts((const char *[]){ "81[2]:", "=61", "=62", NULL },
                "chunk text F 1 a\nchunk text L 1 b\n");
    check_parts((const char *[]){ "01:a 89:p 80:b 82:c", NULL },
                "chunk text F 1 a\nping 1 70\nchunk text L 1 b\n"
                "chunk binary FL 1 63\n");
}

static void pieces_may_split_a_character(void **state)
{
    /* REQ 5.6-1, 8.1-2 */
    (void)state;
    check_parts((const char *[]){ "81[4]:%f0%9f", "=90", "=a6", NULL },
                "chunk text F 2 \\xf0\\x9f\nchunk text - 1 \\x90\n"
                "chunk text L 1 \\xa6\n");
    check_parts((const char *[]){ "81[4]:%f0%9f", "=ff", "=a6", NULL },
                "chunk text F 2 \\xf0\\x9f\nerror -10 ~\n");
    check_parts((const char *[]){ "01:%f0%9f 80:", NULL },
                "chunk text F 2 \\xf0\\x9f\nerror -10 ~\n");
    check_parts((const char *[]){ "81[9]:ab%ffcd", NULL }, "error -10 ~\n");
}

static void limits_hold_while_streaming(void **state)
{
    /* REQ 10.4-1, 10.4-2 */
    static const caws_config cfg = { .max_message = 10, .max_fragments = 3 };
    static const char *const inputs[] = { "81[11]:", "01:aaaaa 80[6]:",
                                          "01: 00: 00: 80:" };
    static const int codes[] = { 1009, 1009, 1008 };
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct peer p = { .stream = true };
        peer_open(&p, i % 2, &cfg);
        frames_feed(&p, inputs[i / 2]);
        assert_int_equal(peer_out_close(&p), codes[i / 2]);
        assert_false(peer_log_has(&p, " L "));
        peer_free(&p);
    }
}

static void close_in_chunk(caws_conn *ws, caws_type type, const void *data,
                           size_t len, unsigned flags)
{
    (void)type;
    (void)data;
    (void)len;
    if (!(flags & CAWS_CHUNK_FIRST))
        caws_close(ws, 1000, NULL);
}

static void no_piece_follows_a_close(void **state)
{
    /* REQ msg-1, CLOSE-2 */
    static const caws_config cfg = { .on_chunk = close_in_chunk };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .stream = true };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        peer_forget(&p);
        frames_feed(&p, "01:a 00:b 00:c 80:d 81:e 88:#1000");
        assert_string_equal(p.log, "chunk text F 1 a\nchunk text - 1 b\n"
                                   "close 1000 clean us 0\n");
        peer_free(&p);
    }
}

static int zero_key(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return 0;
}

static void without_a_handler_messages_are_checked_all_the_same(void **state)
{
    /* REQ 10.7-1 */
    static const caws_config cfg = { .max_message = 10 };
    static const struct {
        const char *in;
        int error;
    } rows[] = {
        { "\x81\x02hi\x02\x01x\x80\x01y", CAWS_OK },
        { "\x81\x01\xff", CAWS_ERR_UTF8 },
        { "\x82\x0b", CAWS_ERR_TOO_BIG },
        { "\xc1\x01x", CAWS_ERR_PROTOCOL },
        { "\x88\x01x", CAWS_ERR_PROTOCOL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        caws_config quiet = cfg;
        caws_conn *ws;
        char copy[20];
        quiet.random = zero_key;
        ws = caws_new_open(true, NULL, NULL, &quiet, NULL);
        assert_non_null(ws);
        strcpy(copy, rows[i].in);
        assert_int_equal(caws_feed(ws, copy, strlen(copy), 1), rows[i].error);
        caws_free(ws);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_and_their_flags),
        cmocka_unit_test(pieces_may_split_a_character),
        cmocka_unit_test(limits_hold_while_streaming),
        cmocka_unit_test(no_piece_follows_a_close),
        cmocka_unit_test(without_a_handler_messages_are_checked_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
