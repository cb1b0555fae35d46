/* RFC 6455 section 4.2.2: refusals, and pages for plain requests. */
#include "upgrade.h"

#define PLAIN "GET /page?x=1 HTTP/1.1\r\nHost: server.example.com\r\n\r\n"

static int answer; /* what on_request returns */

static int refuse_so(caws_conn *ws, const caws_request *req)
{
    (void)ws, (void)req;
    return answer;
}

static void any_status_can_refuse(void **state)
{
    static const caws_config cfg = { .on_request = refuse_so };
    static const int others[] = { -2, 1, 100, 101, 199, 600, 99999 };
    struct peer p = { 0 };
    (void)state;
    for (answer = 200; answer <= 599; answer++)
        assert_int_equal(upgrade_request(&cfg, PEER_REQUEST, strlen(PEER_REQUEST)), answer);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        answer = others[i];
        assert_int_equal(upgrade_request(&cfg, PEER_REQUEST, strlen(PEER_REQUEST)), 500);
    }
    answer = 410;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    /* It was the application, so there is no on_error, nor an on_close. */
    upgrade_assert_refused(&p, 410);
    assert_string_equal(p.log, "request GET /chat upgrade\n");
    assert_true(peer_out_has(&p, "\r\n\r\n410 Gone\n"));
    peer_free(&p);
}

static int shape_401(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_add_header(ws, "WWW-Authenticate", "Basic realm=\"x\""), CAWS_OK);
    assert_int_equal(caws_add_header(ws, "Set-Cookie", "a=1"), CAWS_OK);
    assert_int_equal(caws_add_header(ws, "Set-Cookie", "b=2"), CAWS_OK);
    assert_int_equal(caws_add_header(ws, "X-Empty", ""), CAWS_OK);
    assert_int_equal(caws_set_body(ws, "text/plain", "old", 3), CAWS_OK);
    assert_int_equal(caws_set_body(ws, "application/json", "{\0}", 3), CAWS_OK);
    return 401;
}

static void refusal_has_the_applications_fields_and_body(void **state)
{
    static const caws_config cfg = { .on_request = shape_401 };
    static const char expected[] =
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: 3\r\n"
        "WWW-Authenticate: Basic realm=\"x\"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        "X-Empty: \r\n\r\n{\0}";
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    /* REQ 4.2.2-2 */
    assert_int_equal(p.out_len, sizeof expected - 1);
    assert_memory_equal(p.out, expected, p.out_len);
    upgrade_assert_refused(&p, 401);
    peer_free(&p);
}

static int redirect(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_add_header(ws, "Location", "ws://other/"), CAWS_OK);
    return 302;
}

static int shape_304(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_set_body(ws, "text/plain", "never sent", 10), CAWS_OK);
    return 304;
}

static void status_without_a_body_has_none(void **state)
{
    static const caws_config cfg = { .on_request = shape_304 };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    assert_string_equal((char *)p.out,
                        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    peer_free(&p);
}

static void refusal_can_redirect(void **state)
{
    static const caws_config cfg = { .on_request = redirect };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    /* REQ 4.2.2-3 */
    assert_true(peer_out_starts(&p, "HTTP/1.1 302 Found\r\n"));
    assert_int_equal(upgrade_lines(&p, "Location: ws://other/\r\n"), 1);
    upgrade_assert_refused(&p, 302);
    peer_free(&p);
}

static int misuse(caws_conn *ws, const caws_request *req)
{
    static const char *const names[] = {
        "", "a b", "a:", "a\r\nb", "\x80", "Connection", "upgrade", "CONTENT-LENGTH",
        "Content-Type", "Transfer-Encoding", "Host", "Sec-WebSocket-Accept",
        "sec-websocket-protocol", "Sec-WebSocket-Anything",
    };
    static const char *const values[] = { "a\r\nX: y", "a\n", "a\r", "a\x01", "a\x7f" };
    (void)req;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(caws_add_header(ws, names[i], "x"), CAWS_ERR_ARG);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        /* REQ 9112-11.1-1, HS-8 */
        assert_int_equal(caws_add_header(ws, "Location", values[i]), CAWS_ERR_ARG);
        assert_int_equal(caws_set_body(ws, values[i], "x", 1), CAWS_ERR_ARG);
    }
    assert_int_equal(caws_add_header(ws, NULL, "x"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "X", NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, NULL, "x", 1), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, "", "x", 1), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, "text/plain", NULL, 1), CAWS_ERR_ARG);
    assert_int_equal(caws_accept(ws), CAWS_ERR_STATE);
    assert_int_equal(caws_refuse(ws, 403), CAWS_ERR_STATE);
    assert_int_equal(caws_refuse(ws, 199), CAWS_ERR_ARG);
    assert_int_equal(caws_refuse(ws, 600), CAWS_ERR_ARG);
    assert_int_equal(caws_send_text(ws, "x"), CAWS_ERR_STATE);
    return CAWS_ACCEPT;
}

static void expect_state_errors(caws_conn *ws)
{
    assert_int_equal(caws_add_header(ws, "X", "y"), CAWS_ERR_STATE);
    assert_int_equal(caws_add_header(ws, "X", "\n"), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, "text/plain", "x", 1), CAWS_ERR_STATE);
    assert_int_equal(caws_set_body(ws, "\n", "x", 1), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "a"), CAWS_ERR_STATE);
    assert_int_equal(caws_choose_subprotocol(ws, ""), CAWS_ERR_ARG);
    assert_int_equal(caws_accept(ws), CAWS_ERR_STATE);
}

static void misuse_changes_nothing(void **state)
{
    static const caws_config cfg = { .on_request = misuse };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    expect_state_errors(p.ws);
    peer_feed_text(&p, PEER_REQUEST);
    assert_string_equal((char *)p.out, UPGRADE_RESPONSE);
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\n");
    expect_state_errors(p.ws);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_ERR_STATE);
    assert_int_equal(p.out_len, strlen(UPGRADE_RESPONSE));
    peer_free(&p);
    peer_client(&p, "ws://h/", NULL);
    expect_state_errors(p.ws);
    assert_int_equal(caws_refuse(p.ws, 403), CAWS_ERR_STATE);
    peer_free(&p);
    assert_int_equal(caws_accept(NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_refuse(NULL, 403), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(NULL, "X", "y"), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(NULL, "a/b", "y", 1), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(NULL, "y"), CAWS_ERR_ARG);
}

static int shape_101(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_add_header(ws, "Set-Cookie", "a=1"), CAWS_OK);
    assert_int_equal(caws_set_body(ws, "text/plain", "never sent", 10), CAWS_OK);
    return CAWS_ACCEPT;
}

static void the_101_has_the_applications_fields_and_no_body(void **state)
{
    static const caws_config cfg = { .on_request = shape_101, .headers = "Server: caws\r\n" };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    assert_string_equal((char *)p.out, UPGRADE_RESPONSE_LINES
                        "Set-Cookie: a=1\r\nServer: caws\r\n\r\n");
    peer_free(&p);
}

/* ---- Plain requests ---------------------------------------------------- */

static int give_page(caws_conn *ws, const caws_request *req)
{
    assert_true(upgrade_is(req->method, "GET"));
    assert_true(upgrade_is(req->target, "/page?x=1"));
    assert_true(upgrade_is(req->host, "server.example.com"));
    assert_null(req->origin.data);
    assert_false(req->upgrade);
    assert_int_equal(caws_set_body(ws, "text/html", "<p>hi", 5), CAWS_OK);
    return 200;
}

static void plain_request_can_get_a_page(void **state)
{
    static const caws_config cfg = { .on_request = give_page };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PLAIN);
    assert_string_equal((char *)p.out,
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n"
                        "Content-Length: 5\r\n\r\n<p>hi");
    upgrade_assert_refused(&p, 200);
    assert_string_equal(p.log, "request GET /page?x=1 plain\n");
    peer_free(&p);
}

static void plain_request_is_told_to_upgrade(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PLAIN);
    upgrade_assert_refused(&p, 426);
    assert_int_equal(upgrade_lines(&p, "Upgrade: websocket\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Version: 13\r\n"), 1);
    assert_string_equal(p.log, "request GET /page?x=1 plain\n"
                               "error -7 Upgrade does not include websocket, "
                               "RFC 6455 section 4.2.1\n"
                               "close 1006 unclean us -7\n"); /* on_request had accepted it */
    peer_free(&p);
}

/* ---- Without the request ----------------------------------------------- */

static void refusal_may_come_before_the_request(void **state)
{
    static const char *const before[] = { "", "\r\n", "GET / HTTP/1.1\r\nHo" };
    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct peer p = { 0 };
        unsigned changed;
        peer_server(&p, NULL);
        peer_feed_text(&p, before[i]);
        changed = p.changed;
        assert_int_equal(caws_refuse(p.ws, 503), CAWS_OK);
        assert_int_equal(p.changed, changed + 1);
        assert_int_equal(caws_deadline(p.ws), 0);
        assert_int_equal(caws_refuse(p.ws, 503), CAWS_ERR_STATE);
        assert_true(peer_wants(&p, CAWS_WANT_WRITE | CAWS_WANT_READ));
        peer_take(&p);
        assert_true(peer_out_has(&p, "\r\n\r\n503 Service Unavailable\n"));
        upgrade_assert_refused(&p, 503);
        assert_string_equal(p.log, "");
        peer_free(&p);
    }
}

static int abort_it(caws_conn *ws, const caws_request *req)
{
    (void)req;
    caws_abort(ws);
    return CAWS_ACCEPT;
}

static int close_it(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_int_equal(caws_close(ws, 1000, NULL), CAWS_OK);
    return CAWS_LATER;
}

static void abort_or_close_in_on_request_wins(void **state)
{
    static const caws_config aborts = { .on_request = abort_it };
    static const caws_config closes = { .on_request = close_it };
    struct peer p = { 0 };
    (void)state;
    /* REQ CRASH-7 */
    peer_server(&p, &aborts);
    peer_feed_text(&p, PEER_REQUEST);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_string_equal(p.log, "request GET /chat upgrade\n");
    assert_int_equal(p.out_len, 0);
    peer_free(&p);
    peer_server(&p, &closes);
    peer_feed_text(&p, PEER_REQUEST);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_eof(&p);
    assert_string_equal(p.log, "request GET /chat upgrade\nerror -15 closed before the opening "
                               "handshake was done, RFC 6455 section 7.1.7\n");
    assert_int_equal(p.out_len, 0);
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_status_can_refuse),
        cmocka_unit_test(refusal_has_the_applications_fields_and_body),
        cmocka_unit_test(status_without_a_body_has_none),
        cmocka_unit_test(refusal_can_redirect),
        cmocka_unit_test(misuse_changes_nothing),
        cmocka_unit_test(the_101_has_the_applications_fields_and_no_body),
        cmocka_unit_test(plain_request_can_get_a_page),
        cmocka_unit_test(plain_request_is_told_to_upgrade),
        cmocka_unit_test(refusal_may_come_before_the_request),
        cmocka_unit_test(abort_or_close_in_on_request_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
