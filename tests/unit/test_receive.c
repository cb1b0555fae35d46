/* lib/protocol/receive.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void pause_it(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)type, (void)data, (void)len;
    caws_pause(ws);
}

/* Takes effect before the next handler; the rest of the feed is held. */
static void test_a_pause(void **state)
{
    caws_config cfg = { .on_message = pause_it };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_feed_hex(&p, "810161 810162 8900 8101");
    assert_string_equal(p.log, "open\ntext 1 a\n");
    assert_true(peer_wants(&p, 0));
    peer_feed_hex(&p, "63"); /* it may still come */
    peer_tick(&p, 1000000);
    assert_string_equal(p.log, "open\ntext 1 a\n");
    caws_resume(p.ws);
    assert_int_equal(caws_deadline(p.ws), 0);
    assert_string_equal(p.log, "open\ntext 1 a\n"); /* no handler runs in it */
    peer_tick(&p, 0);
    assert_string_equal(p.log, "open\ntext 1 a\ntext 1 b\n");
    caws_resume(p.ws);
    peer_feed_hex(&p, "810164"); /* behind what is held */
    assert_string_equal(p.log, "open\ntext 1 a\ntext 1 b\nping 0\ntext 1 c\n");
    caws_resume(p.ws);
    peer_tick(&p, 0);
    assert_true(peer_log_has(&p, "text 1 d\n"));
    peer_free(&p);
}

static void test_an_end_behind_held_bytes(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    caws_pause(p.ws);
    peer_feed_hex(&p, "810161");
    peer_eof(&p);
    assert_string_equal(p.log, "open\n");
    caws_resume(p.ws);
    peer_tick(&p, 0);
    assert_true(strncmp(p.log, "open\ntext 1 a\nerror -15 ", 24) == 0);
    assert_true(peer_log_has(&p, "close 1006 unclean transport -15\n"));
    peer_free(&p);
    peer_open(&p, PEER_CLIENT, NULL); /* a transport that failed takes them along */
    caws_pause(p.ws);
    peer_feed_hex(&p, "810161");
    caws_feed_eof(p.ws, CAWS_ERR_SYS, "reset");
    assert_string_equal(p.log, "open\nerror -19 reset\nclose 1006 unclean transport -19\n");
    peer_free(&p);
}

static void test_headers_cut_anywhere(void **state)
{
    static char payload[66000];
    static unsigned char frame[66014];
    static const size_t sizes[] = { 0, 125, 126, 65536 };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t n = peer_frame(frame, 0x82, payload, sizes[i], true);
        for (size_t cut = 0; cut < 16 && cut <= n; cut++) {
            struct peer p = { 0 };
            peer_open(&p, PEER_SERVER, NULL);
            peer_feed_bytewise(&p, frame, cut);
            peer_feed(&p, frame + cut, n - cut);
            assert_int_equal(peer_log_count(&p, "binary "), 1);
            assert_int_equal(p.counters.bytes_in, n);
            peer_free(&p);
        }
    }
}

static void echo(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    caws_send(ws, type, data, len);
}

/* A Close that is heard only after a pause finds what was sent meanwhile
 * waiting, and is answered ahead of it. */
static void test_a_close_heard_after_a_pause(void **state)
{
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_pause(p.ws);
    peer_feed_frame_text(&p, 0x88, "\x03\xe8");
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
    caws_resume(p.ws);
    peer_tick(&p, 0);
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "880203e8");
    peer_free(&p);
}

/* What came before a bad frame in the same feed is delivered and answered. */
static void test_order_within_a_feed(void **state)
{
    caws_config cfg = { .on_message = echo };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    assert_int_equal(peer_feed_hex(&p, "810161 8300 810162"), CAWS_ERR_PROTOCOL);
    assert_true(strncmp(peer_out_unmasked_hex(&p), "81016188", 8) == 0);
    assert_int_equal(peer_out_close(&p), 1002);
    assert_false(peer_log_has(&p, "text 1 b"));
    assert_int_equal(peer_feed_hex(&p, "8100"), CAWS_ERR_PROTOCOL); /* and later too */
    peer_free(&p);
}

static void close_it(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)type, (void)data, (void)len;
    caws_abort(ws);
}

static void test_an_abort_in_a_handler_ends_the_feed(void **state)
{
    caws_config cfg = { .on_message = close_it };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_feed_hex(&p, "810161 810162 8900");
    assert_string_equal(p.log, "open\ntext 1 a\n");
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

static void test_nothing_is_a_feed_too(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(caws_feed(p.ws, NULL, 0, p.now), CAWS_OK);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_free(&p);
}

/* A whole request that was held while paused, with more behind it, is asked
 * about in the tick; what is behind it stays held, within max_head in all. */
static void test_an_undecided_request_that_was_held(void **state)
{
    caws_config cfg = { .max_head = 1000 };
    static char bytes[2000];
    size_t head = strlen(PEER_REQUEST);
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct peer p = { .answer = CAWS_LATER };
        peer_server(&p, &cfg);
        caws_pause(p.ws);
        memcpy(bytes, PEER_REQUEST, head);
        memcpy(bytes + head, "\x81\x81\0\0\0\0x", 7);
        peer_feed(&p, bytes, 1000 + over);
        assert_string_equal(p.log, "");
        caws_resume(p.ws);
        peer_tick(&p, 0);
        assert_int_equal(peer_out_status(&p), over ? 413 : 0);
        assert_int_equal(peer_log_count(&p, "error -12 more bytes than max_head"), over);
        if (!over) {
            assert_string_equal(p.log, "request GET /chat upgrade\n");
            assert_int_equal(caws_accept(p.ws), CAWS_OK);
            peer_tick(&p, 0);
            assert_true(peer_log_has(&p, "upgrade\nopen\ntext 1 x\n"));
        }
        peer_free(&p);
    }
}

/* The peer's end waits behind held bytes of an undecided request: a refusal
 * drops the bytes, leaves, and then the end counts. */
static void test_an_end_behind_an_undecided_request(void **state)
{
    for (int accepted = 0; accepted < 2; accepted++) {
        struct peer p = { .answer = CAWS_LATER };
        (void)state;
        peer_server(&p, NULL);
        caws_pause(p.ws);
        peer_feed_text(&p, PEER_REQUEST "\x81\x80....");
        peer_eof(&p);
        assert_true(peer_wants(&p, 0));
        caws_resume(p.ws);
        assert_true(peer_wants(&p, 0)); /* there is nothing more to read */
        peer_tick(&p, 0);
        assert_string_equal(p.log, "request GET /chat upgrade\n");
        assert_true(caws_deadline(p.ws) > p.now); /* it waits for us */
        peer_tick(&p, 0);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CONNECTING);
        assert_int_equal(accepted ? caws_accept(p.ws) : caws_refuse(p.ws, 403), CAWS_OK);
        assert_int_equal(caws_deadline(p.ws), 0);
        peer_tick(&p, 0);
        peer_take(&p);
        assert_int_equal(peer_out_status(&p), accepted ? 101 : 403);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        assert_true(peer_log_has(&p, accepted
                                         ? "upgrade\nopen\ntext 0\nerror -15 "
                                         : "upgrade\nclose 1006 unclean us 0\n"));
        assert_int_equal(peer_log_count(&p, "close "), 1);
        peer_free(&p);
    }
}

static void test_an_end_behind_bytes_that_wait_again(void **state)
{
    caws_config cfg = { .on_message = pause_it };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    peer_feed_hex(&p, "810161 810162 810163");
    peer_eof(&p);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(peer_log_count(&p, "close "), 0);
        assert_true(caws_deadline(p.ws) == UINT64_MAX); /* paused */
        caws_resume(p.ws);
        assert_int_equal(caws_deadline(p.ws), 0);
        peer_tick(&p, 0);
    }
    assert_true(peer_log_has(&p, "text 1 b\ntext 1 c\n"));
    assert_int_equal(peer_log_count(&p, "close "), 0); /* the last has paused, too */
    caws_resume(p.ws);
    peer_tick(&p, 0);
    assert_int_equal(peer_log_count(&p, "close 1006 unclean transport -15"), 1);
    peer_free(&p);
}

/* After the peer's Close, with nothing over yet: it is not looked at. */
static void what_is_ignored_is_not_counted(void **state)
{
    struct peer p = { 0 };
    uint64_t before;
    (void)state;
    p.hold_output = true;
    peer_open(&p, PEER_SERVER, NULL);
    peer_feed_frame(&p, 0x88, NULL, 0);
    assert_true(peer_wants(&p, CAWS_WANT_READ | CAWS_WANT_WRITE));
    before = p.counters.bytes_in;
    peer_feed_frame_text(&p, 0x81, "more");
    assert_int_equal(p.counters.bytes_in, before);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pause),
        cmocka_unit_test(test_an_end_behind_held_bytes),
        cmocka_unit_test(test_headers_cut_anywhere),
        cmocka_unit_test(test_a_close_heard_after_a_pause),
        cmocka_unit_test(test_order_within_a_feed),
        cmocka_unit_test(test_an_abort_in_a_handler_ends_the_feed),
        cmocka_unit_test(test_nothing_is_a_feed_too),
        cmocka_unit_test(test_an_undecided_request_that_was_held),
        cmocka_unit_test(test_an_end_behind_an_undecided_request),
        cmocka_unit_test(test_an_end_behind_bytes_that_wait_again),
        cmocka_unit_test(what_is_ignored_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
