/* RFC 6455 section 6: sending and receiving. */
#include "frames.h"

static void check_no_send(caws_conn *ws)
{
    assert_int_equal(caws_send_text(ws, "x"), CAWS_ERR_STATE);
    assert_int_equal(caws_send(ws, CAWS_BINARY, "x", 1), CAWS_ERR_STATE);
    assert_int_equal(caws_send_fragment(ws, CAWS_TEXT, "x", 1, true),
                     CAWS_ERR_STATE);
    assert_int_equal(caws_buffered_amount(ws), 0);
}

static void messages_are_sent_in_the_open_state_only(void **state)
{
    /* REQ 6.1-1, send-1, ready-1 */
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    check_no_send(p.ws);
    peer_feed_text(&p, PEER_REQUEST_LINES);
    check_no_send(p.ws);
    peer_feed_text(&p, "\r\n");
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    peer_forget(&p);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
    peer_take(&p);
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
    check_no_send(p.ws);
    frames_feed(&p, "88:#1000");
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    check_no_send(p.ws);
    frames_expect_out(&p, "x", "81:x 88:#1000");
    peer_free(&p);
    memset(&p, 0, sizeof p);
    peer_client(&p, "ws://h/", NULL);
    check_no_send(p.ws);
    peer_free(&p);
}

/* A Close between two fragments of ours, whoever sends it. */
static void a_close_between_fragments_ends_the_message(void **state)
{
    /* REQ 6.1-1 */
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct peer p = { 0 };
        peer_open(&p, i % 2 == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false),
                         CAWS_OK);
        peer_take(&p);
        if (i / 2)
            frames_feed(&p, "88:#1000");
        else
            assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "b", 1, true),
                         CAWS_ERR_STATE);
        peer_take(&p);
        frames_expect_out(&p, "aborted", "01:a 88:#1000");
        peer_free(&p);
    }
}

static void fragments_of_ours(void **state)
{
    /* REQ 6.1-3, 6.1-4, 6.1-5, send-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false);
        caws_send_fragment(p.ws, CAWS_TEXT, "", 0, false);
        caws_send_fragment(p.ws, CAWS_BINARY, "b", 1, false);
        assert_int_equal(caws_send_text(p.ws, "not now"), CAWS_ERR_STATE);
        caws_send_fragment(p.ws, CAWS_TEXT, "c", 1, true);
        caws_send_fragment(p.ws, CAWS_BINARY, "d", 1, false);
        caws_send_fragment(p.ws, CAWS_BINARY, NULL, 0, true);
        caws_send_fragment(p.ws, CAWS_TEXT, "alone", 5, true);
        caws_send_text(p.ws, "text");
        caws_send(p.ws, CAWS_BINARY, "\xff", 1);
        peer_take(&p);
        frames_expect_out(&p, "fragments",
                          "01:a 00: 00:b 80:c 02:d 80: 81:alone 81:text "
                          "82:%ff");
        peer_free(&p);
    }
}

/* The type is the first fragment's: text is checked as one. */
static void text_that_is_not_utf8_is_not_sent(void **state)
{
    /* REQ 6.1-8, send-4 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(p.ws, "\xff"), CAWS_ERR_UTF8);
        assert_int_equal(caws_send_text(p.ws, "\xed\xa0\x80"), CAWS_ERR_UTF8);
        assert_int_equal(caws_send(p.ws, CAWS_TEXT, "\xce", 1), CAWS_ERR_UTF8);
        assert_null(caws_prepare(NULL, CAWS_TEXT, "\xce", 1));
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "\xff", 1, false),
                         CAWS_ERR_UTF8);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "\xce", 1, false),
                         CAWS_OK);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_BINARY, "a", 1, true),
                         CAWS_ERR_UTF8);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "", 0, true),
                         CAWS_ERR_UTF8);
        assert_int_equal(
            caws_send_fragment(p.ws, CAWS_TEXT, "\xba", 1, true), CAWS_OK);
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, "\xff", 1), CAWS_OK);
        peer_take(&p);
        frames_expect_out(&p, "valid", "01:%ce 80:%ba 82:%ff");
        peer_free(&p);
    }
}

static void whoever_trusts_their_text_sends_it_unchecked(void **state)
{
    /* REQ 6.1-8 */
    static const caws_config cfg = { .trust_utf8 = true };
    struct peer p = { 0 };
    caws_prepared *msg = caws_prepare(&cfg, CAWS_TEXT, "\xff", 1);
    (void)state;
    assert_non_null(msg);
    peer_open(&p, PEER_SERVER, &cfg);
    assert_int_equal(caws_send_text(p.ws, "\xff"), CAWS_OK);
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "\xfe", 1, true),
                     CAWS_OK);
    assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_OK);
    peer_take(&p);
    frames_expect_out(&p, "trusted", "81:%ff 81:%fe 81:%ff");
    assert_int_equal(frames_feed(&p, "81:%ff"), CAWS_ERR_UTF8);
    caws_prepared_free(msg);
    peer_free(&p);
}

/* A random script of frames against a model of what it must cause. */
struct model {
    char in[4000], log[8000];
    char message[2000];
    bool open, text;
};

static void model_step(struct model *m, unsigned r)
{
    char payload[10] = "";
    unsigned len = r >> 8 & 7, fin = r >> 12 & 1;
    bool starts = !m->open;
    for (unsigned i = 0; i < len; i++)
        payload[i] = (char)('a' + (r >> 16) % 23 + i % 3);
    if ((r & 7) == 0) {
        sprintf(m->in + strlen(m->in), "8a:%s ", payload);
        sprintf(m->log + strlen(m->log), "pong %u%s", len, len ? " " : "");
        for (unsigned i = 0; i < len; i++)
            sprintf(m->log + strlen(m->log), "%02x", (unsigned)payload[i]);
        strcat(m->log, "\n");
        return;
    }
    if (starts) {
        m->text = r >> 13 & 1;
        m->message[0] = '\0';
    }
    sprintf(m->in + strlen(m->in), "%x%u:%s ", fin ? 8u : 0u,
            starts ? m->text ? 1u : 2u : 0u, payload);
    strcat(m->message, payload);
    m->open = !fin;
    if (!fin)
        return;
    len = (unsigned)strlen(m->message);
    sprintf(m->log + strlen(m->log), "%s %u%s", m->text ? "text" : "binary",
            len, len ? " " : "");
    for (unsigned i = 0; i < len; i++)
        sprintf(m->log + strlen(m->log), m->text ? "%c" : "%02x",
                (unsigned)m->message[i]);
    strcat(m->log, "\n");
}

static void generated_frames_do_what_the_model_says(void **state)
{
    /* REQ 6.2-1, 6.2-3, 6.2-4, 5.4-2 */
    uint32_t seed = 2026;
    (void)state;
    for (unsigned run = 0; run < 400; run++) {
        static struct model m;
        struct peer p = { 0 };
        memset(&m, 0, sizeof m);
        for (unsigned i = 0; i < 60; i++) {
            seed = seed * 1664525u + 1013904223u;
            model_step(&m, seed >> 3);
        }
        peer_open(&p, run & 1, NULL);
        peer_forget(&p);
        frames_feed_pieces(&p, m.in, 1 + run % 37);
        assert_string_equal(p.log, m.log);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_sent_in_the_open_state_only),
        cmocka_unit_test(a_close_between_fragments_ends_the_message),
        cmocka_unit_test(fragments_of_ours),
        cmocka_unit_test(text_that_is_not_utf8_is_not_sent),
        cmocka_unit_test(whoever_trusts_their_text_sends_it_unchecked),
        cmocka_unit_test(generated_frames_do_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
