/* lib/protocol/closing.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void test_the_peer_closes(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    peer_feed_frame_text(&p, 0x88, "\x0f\xa1" "bye");
    assert_string_equal(p.log, "open\nclose 4001 clean peer 0 bye\n");
    assert_string_equal(peer_out_hex(&p), "88020fa1");
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_eof(&p);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(peer_log_count(&p, "close"), 1);
    peer_free(&p);
}

static void test_we_close(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    caws_send_text(p.ws, "last");
    assert_int_equal(caws_close(p.ws, 3000, "why"), CAWS_OK);
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_ERR_STATE);
    assert_int_equal(caws_close(p.ws, 999, NULL), CAWS_ERR_ARG); /* looked at first */
    assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSING);
    peer_take(&p);
    assert_string_equal(peer_out_unmasked_hex(&p), "81046c617374" "88050bb8776879");
    peer_feed_frame_text(&p, 0x81, "ignored");
    peer_feed_frame_text(&p, 0x88, "\x03\xe8");
    assert_string_equal(p.log, "open\nclose 1000 clean us 0\n");
    assert_true(peer_wants(&p, CAWS_WANT_READ)); /* until the server ends TCP */
    peer_free(&p);
}

static void test_closing_arguments(void **state)
{
    static const uint16_t bad[] = { 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535 };
    char reason[125];
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(caws_close(p.ws, bad[i], NULL), CAWS_ERR_ARG);
    memset(reason, 'x', 124);
    reason[124] = '\0';
    assert_int_equal(caws_close(p.ws, 1000, reason), CAWS_ERR_ARG);
    assert_int_equal(caws_close(p.ws, 1000, "\xff"), CAWS_ERR_UTF8);
    assert_int_equal(caws_close(NULL, 1000, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_int_equal(caws_close(p.ws, 0, NULL), CAWS_OK);
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "8800");
    peer_free(&p);
}

/* The rule that was broken is told to both sides; nothing after it is heard. */
static void test_failing(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(peer_feed_hex(&p, "8102"), CAWS_ERR_PROTOCOL);
    assert_true(peer_log_has(&p, "error -9 frame from a client is not masked, RFC 6455"));
    assert_true(peer_out_has(&p, "frame from a client is not masked, RFC 6455 section 5.1"));
    assert_int_equal(peer_out_close(&p), 1002);
    assert_int_equal(peer_feed_frame_text(&p, 0x88, "\x03\xe8"), CAWS_ERR_PROTOCOL);
    assert_int_equal(peer_log_count(&p, "close "), 0);
    assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
    peer_eof(&p);
    assert_int_equal(peer_log_count(&p, "close 1006 unclean us -9"), 1);
    assert_int_equal(p.counters.failed, 1);
    peer_free(&p);
}

static void test_aborting(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_abort(p.ws);
    caws_abort(p.ws);
    caws_abort(NULL);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_ERR_STATE);
    assert_string_equal(p.log, "open\n"); /* no handler runs in it */
    peer_eof(&p);
    assert_string_equal(p.log, "open\nclose 1006 unclean us 0\n");
    peer_free(&p);
}

static void test_the_transport_ends(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_feed_eof(p.ws, CAWS_ERR_SYS, "reset by peer"), CAWS_ERR_SYS);
    assert_string_equal(p.log, "open\nerror -19 reset by peer\nclose 1006 unclean transport -19\n");
    peer_eof(&p);
    assert_int_equal(peer_log_count(&p, "close"), 1);
    peer_free(&p);
    peer_open(&p, PEER_SERVER, NULL);
    peer_eof(&p);
    assert_true(peer_log_has(&p, "error -15 "));
    assert_true(peer_log_has(&p, "close 1006 unclean transport -15"));
    peer_free(&p);
}

/* What is queued may still leave, but for a request that nobody will answer. */
static void test_what_is_left_at_the_end(void **state)
{
    struct peer p = { .hold_output = true };
    (void)state;
    for (int client = 0; client < 2; client++) {
        peer_open(&p, client, NULL);
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
        peer_eof(&p);
        assert_true(peer_wants(&p, CAWS_WANT_WRITE));
        peer_take(&p);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        peer_free(&p);
    }
    peer_client(&p, "ws://h/", NULL);
    assert_true(peer_wants(&p, CAWS_WANT_WRITE | CAWS_WANT_READ));
    peer_eof(&p);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

/* Its Close crossed ours: one each, and neither is answered. */
static void test_crossed_closes(void **state)
{
    struct peer p = { .hold_output = true };
    (void)state;
    /* REQ 5.5.1-15 */
    peer_open(&p, PEER_SERVER, NULL);
    caws_close(p.ws, 1000, NULL);
    peer_feed_frame_text(&p, 0x88, "\x03\xe9");
    assert_string_equal(p.log, "open\n"); /* ours has not left yet */
    peer_take(&p);
    assert_string_equal(p.log, "open\nclose 1001 clean us 0\n");
    assert_string_equal(peer_out_hex(&p), "880203e8");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_peer_closes),
        cmocka_unit_test(test_we_close),
        cmocka_unit_test(test_closing_arguments),
        cmocka_unit_test(test_failing),
        cmocka_unit_test(test_aborting),
        cmocka_unit_test(test_the_transport_ends),
        cmocka_unit_test(test_what_is_left_at_the_end),
        cmocka_unit_test(test_crossed_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
