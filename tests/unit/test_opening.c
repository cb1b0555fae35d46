/* lib/protocol/opening.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void test_a_server_accepts(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_feed_text(&p, PEER_REQUEST_LINES);
    assert_string_equal(p.log, ""); /* not before the whole head is there */
    peer_feed(&p, "\r\n\x81\x80\0\0\0\0", 8);
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\ntext 0\n");
    assert_int_equal(peer_out_status(&p), 101);
    assert_true(peer_out_has(&p, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_null(caws_header(p.ws, "Host").data); /* gone with on_open */
    peer_free(&p);
}

static void test_a_server_refuses(void **state)
{
    static const int answers[][2] = { { 403, 403 }, { 200, 200 }, { 599, 599 }, { 199, 500 },
                                      { 600, 500 }, { 101, 500 }, { -7, 500 } };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct peer p = { .answer = answers[i][0] };
        peer_server(&p, NULL);
        peer_feed_text(&p, PEER_REQUEST);
        peer_feed_text(&p, PEER_REQUEST); /* ignored */
        assert_int_equal(peer_out_status(&p), answers[i][1]);
        assert_true(peer_wants(&p, CAWS_WANT_SHUTDOWN | CAWS_WANT_READ));
        peer_eof(&p);
        assert_string_equal(p.log, "request GET /chat upgrade\n"); /* it was ours to refuse */
        assert_int_equal(p.counters.refused, 1);
        peer_free(&p);
    }
}

static void test_a_decision_that_comes_later(void **state)
{
    struct peer p = { .answer = CAWS_LATER };
    (void)state;
    peer_server(&p, NULL);
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE); /* nobody has asked */
    peer_feed_text(&p, PEER_REQUEST);
    peer_feed_frame_text(&p, 0x81, "held");
    assert_int_equal(caws_header(p.ws, "host").len, 18); /* still there */
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    assert_int_equal(caws_accept(p.ws), CAWS_ERR_STATE);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_ERR_STATE);
    assert_string_equal(p.log, "request GET /chat upgrade\n");
    assert_int_equal(caws_deadline(p.ws), 0);
    peer_tick(&p, 0);
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\ntext 4 held\n");
    peer_free(&p);
}

static void test_a_refusal_that_comes_later(void **state)
{
    struct peer p = { .answer = CAWS_LATER };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST);
    assert_int_equal(caws_refuse(NULL, 403), CAWS_ERR_ARG);
    assert_int_equal(caws_refuse(p.ws, 199), CAWS_ERR_ARG);
    assert_int_equal(caws_refuse(p.ws, 600), CAWS_ERR_ARG);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_OK);
    peer_take(&p);
    assert_int_equal(peer_out_status(&p), 403);
    peer_eof(&p);
    assert_true(peer_log_has(&p, "close 1006 unclean us 0"));
    peer_free(&p);
}

/* What follows an undecided head may take it to max_head, no further. */
static void test_what_is_held_is_bounded(void **state)
{
    caws_config cfg = { .max_head = 1000 };
    static char bytes[1000];
    size_t room = 1000 - strlen(PEER_REQUEST);
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct peer p = { .answer = CAWS_LATER };
        peer_server(&p, &cfg);
        peer_feed_text(&p, PEER_REQUEST);
        peer_feed(&p, bytes, 10);
        assert_true(peer_wants(&p, CAWS_WANT_READ));
        peer_feed(&p, bytes, room - 10 + (size_t)over);
        assert_int_equal(peer_out_status(&p), over ? 413 : 0);
        if (!over)
            assert_true(peer_wants(&p, 0));
        peer_free(&p);
    }
}

static void test_a_client_opens(void **state)
{
    caws_config cfg = { .subprotocols = "chat" };
    char response[400];
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://example.com/x", &cfg);
    assert_true(peer_out_starts(&p, "GET /x HTTP/1.1\r\nHost: example.com\r\n"));
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
    peer_response_lines(&p, response, sizeof response);
    peer_feed_text(&p, response);
    peer_feed_text(&p, "Sec-WebSocket-Protocol: chat\r\n\r\n");
    assert_string_equal(p.log, "open\n");
    assert_string_equal(caws_subprotocol(p.ws), "chat");
    peer_free(&p);
}

static int status_seen;
static char field_seen[32];

static void look(caws_conn *ws, int error, const char *detail)
{
    caws_slice v = caws_header(ws, "LOCATION");
    (void)error, (void)detail;
    status_seen = caws_http_status(ws);
    memcpy(field_seen, v.data, v.len);
}

static void test_a_client_is_refused(void **state)
{
    caws_config cfg = { .on_error = look };
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    peer_feed_text(&p, "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nbody");
    assert_int_equal(status_seen, 302);
    assert_string_equal(field_seen, "/x");
    assert_true(peer_log_has(&p, "error -8 "));
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_true(peer_log_has(&p, "close 1006 unclean us -8"));
    peer_free(&p);
}

/* Interim responses are let pass, within max_head for all of them. */
static void test_interim_responses(void **state)
{
    caws_config cfg = { .max_head = 300 };
    char response[400];
    (void)state;
    for (size_t n = 0; n < 9; n++) {
        struct peer p = { 0 };
        peer_client(&p, "ws://h/", &cfg);
        for (size_t i = 0; i < n; i++)
            peer_feed_text(&p, "HTTP/1.1 100 Continue\r\n\r\n");
        peer_response_lines(&p, response, sizeof response);
        peer_feed_text(&p, response);
        peer_feed_text(&p, "\r\n");
        assert_int_equal(peer_log_has(&p, "open\n"), n * 25 + strlen(response) + 2 <= 300);
        peer_free(&p);
    }
}

static void test_a_handshake_that_is_late(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct peer p = { .answer = CAWS_LATER };
        peer_server(&p, NULL);
        peer_feed_text(&p, later ? PEER_REQUEST : PEER_REQUEST_LINES);
        peer_tick(&p, 9999);
        assert_int_equal(peer_out_status(&p), 0);
        peer_tick(&p, 1);
        assert_int_equal(peer_out_status(&p), later ? 503 : 408);
        assert_true(peer_log_has(&p, "error -14 "));
        peer_free(&p);
    }
}

/* Closed between caws_accept and the tick that brings on_open: it never opens
 * for the application, which hears of the end alone. */
static void test_accepted_and_closed_at_once(void **state)
{
    struct peer p = { .answer = CAWS_LATER };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST);
    peer_feed_frame_text(&p, 0x81, "held");
    assert_int_equal(caws_accept(p.ws), CAWS_OK);
    assert_int_equal(caws_close(p.ws, 1001, NULL), CAWS_OK);
    peer_tick(&p, 0);
    peer_take(&p);
    assert_int_equal(peer_out_status(&p), 101);
    assert_true(p.out_len > 4 && memcmp(p.out + p.out_len - 4, "\x88\x02\x03\xe9", 4) == 0);
    peer_feed_frame_text(&p, 0x88, "\x03\xe9");
    assert_string_equal(p.log, "request GET /chat upgrade\nclose 1001 clean us 0\n");
    peer_free(&p);
}

/* The first and the last status that refuse. */
static void test_refusing_later_at_the_edges(void **state)
{
    static const int edges[] = { 200, 599 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct peer p = { .answer = CAWS_LATER };
        peer_server(&p, NULL);
        peer_feed_text(&p, PEER_REQUEST);
        assert_int_equal(caws_refuse(p.ws, edges[i]), CAWS_OK);
        peer_take(&p);
        assert_int_equal(peer_out_status(&p), edges[i]);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_accepts),
        cmocka_unit_test(test_a_server_refuses),
        cmocka_unit_test(test_a_decision_that_comes_later),
        cmocka_unit_test(test_a_refusal_that_comes_later),
        cmocka_unit_test(test_what_is_held_is_bounded),
        cmocka_unit_test(test_a_client_opens),
        cmocka_unit_test(test_a_client_is_refused),
        cmocka_unit_test(test_interim_responses),
        cmocka_unit_test(test_a_handshake_that_is_late),
        cmocka_unit_test(test_accepted_and_closed_at_once),
        cmocka_unit_test(test_refusing_later_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
