/* lib/protocol/respond.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void (*inside)(caws_conn *ws);
static int answer;

static int on_request(caws_conn *ws, const caws_request *req)
{
    (void)req;
    inside(ws);
    return answer;
}

static void request(struct peer *p, void (*what)(caws_conn *ws), int then)
{
    caws_config cfg = { .on_request = on_request };
    inside = what;
    answer = then;
    peer_server(p, &cfg);
    peer_feed_text(p, PEER_REQUEST_LINES "Sec-WebSocket-Protocol: chat\r\n"
                                         "Sec-WebSocket-Protocol: superchat, x\r\n\r\n");
}

static void choose(caws_conn *ws)
{
    /* REQ 4.2.2-9, 4.2.2-11 */
    assert_int_equal(caws_choose_subprotocol(ws, "soap"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "CHAT"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, ""), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(NULL, "chat"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "x"), CAWS_OK);
    assert_int_equal(caws_choose_subprotocol(ws, "superchat"), CAWS_OK); /* the last word */
}

static void test_choosing_a_subprotocol(void **state)
{
    struct peer p = { 0 };
    (void)state;
    request(&p, choose, CAWS_ACCEPT);
    assert_true(peer_out_has(&p, "\r\nSec-WebSocket-Protocol: superchat\r\n"));
    assert_string_equal(caws_subprotocol(p.ws), "superchat");
    assert_int_equal(caws_choose_subprotocol(p.ws, "x"), CAWS_ERR_STATE); /* too late */
    peer_free(&p);
}

static void add(caws_conn *ws)
{
    assert_int_equal(caws_add_header(ws, "A", "1"), CAWS_OK);
    assert_int_equal(caws_add_header(ws, "A", ""), CAWS_OK);
    assert_int_equal(caws_add_header(ws, "B", "x\r\nC: y"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "B\r\nC", "y"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "Location", "/\n"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "chat\r\nC: y"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "", "y"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "Sec-WebSocket-Accept", "y"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "content-length", "1"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, NULL, "1"), CAWS_ERR_ARG);
    assert_int_equal(caws_add_header(ws, "A", NULL), CAWS_ERR_ARG);
}

static void test_adding_headers(void **state)
{
    (void)state;
    /* REQ 9112-11.1-1 */
    for (int refused = 0; refused < 2; refused++) {
        struct peer p = { 0 };
        request(&p, add, refused ? 401 : CAWS_ACCEPT);
        assert_int_equal(peer_out_status(&p), refused ? 401 : 101);
        assert_true(peer_out_has(&p, "\r\nA: 1\r\nA: \r\n"));
        assert_false(peer_out_has(&p, "C: y"));
        assert_int_equal(caws_add_header(p.ws, "A", "2"), CAWS_ERR_STATE);
        peer_free(&p);
    }
}

static void set(caws_conn *ws)
{
    assert_int_equal(caws_set_body(ws, "a/b", "the first, which is longer", 26), CAWS_OK);
    assert_int_equal(caws_set_body(ws, "text/html", "<p>No", 5), CAWS_OK); /* replaces it */
    assert_int_equal(caws_set_body(ws, "text/html\r\n", "", 0), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, "", "", 0), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, NULL, "", 0), CAWS_ERR_ARG);
    assert_int_equal(caws_set_body(ws, "a/b", NULL, 1), CAWS_ERR_ARG);
}

static void set_none(caws_conn *ws)
{
    assert_int_equal(caws_set_body(ws, "a/b", NULL, 0), CAWS_OK);
}

static void test_setting_a_body(void **state)
{
    struct peer p = { 0 };
    (void)state;
    request(&p, set, 403);
    assert_true(peer_out_has(&p, "Content-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>No"));
    assert_int_equal(caws_set_body(p.ws, "a/b", "x", 1), CAWS_ERR_STATE);
    peer_free(&p);
    request(&p, set_none, 403);
    assert_true(peer_out_has(&p, "Content-Type: a/b\r\nContent-Length: 0\r\n\r\n"));
    peer_free(&p);
    request(&p, set, CAWS_ACCEPT); /* a 101 has none */
    assert_int_equal(peer_out_status(&p), 101);
    assert_false(peer_out_has(&p, "Content"));
    peer_free(&p);
}

static void nothing(caws_conn *ws)
{
    (void)ws;
}

static void test_while_a_decision_is_put_off(void **state)
{
    struct peer p = { 0 };
    (void)state;
    request(&p, nothing, CAWS_LATER);
    choose(p.ws);
    add(p.ws);
    set(p.ws);
    assert_int_equal(caws_refuse(p.ws, 503), CAWS_OK);
    peer_take(&p);
    assert_true(peer_out_has(&p, "\r\nA: 1\r\n") && peer_out_has(&p, "\r\n\r\n<p>No"));
    peer_free(&p);
}

/* There is nothing to shape yet, or ever. */
static void test_without_a_request(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    assert_int_equal(caws_add_header(p.ws, "A", "1"), CAWS_ERR_STATE);
    assert_int_equal(caws_set_body(p.ws, "a/b", "", 0), CAWS_ERR_STATE);
    assert_int_equal(caws_choose_subprotocol(p.ws, "chat"), CAWS_ERR_STATE);
    peer_free(&p);
    peer_client(&p, "ws://h/", NULL);
    assert_int_equal(caws_add_header(p.ws, "A", "1"), CAWS_ERR_STATE);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choosing_a_subprotocol),
        cmocka_unit_test(test_adding_headers),
        cmocka_unit_test(test_setting_a_body),
        cmocka_unit_test(test_while_a_decision_is_put_off),
        cmocka_unit_test(test_without_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
