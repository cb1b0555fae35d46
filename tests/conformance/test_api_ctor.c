/* websocket-api.tsv: the constructor's arguments, and what it establishes. */
#include "frames.h"

static int no_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 1, len);
    return 0;
}

static int check(const char *url, const char *subprotocols)
{
    caws_config cfg = { .random = no_random, .subprotocols = subprotocols };
    int result = caws_config_check(&cfg, url);
    caws_conn *ws = caws_new_client(url, &cfg, NULL);
    assert_true((ws != NULL) == (result == CAWS_OK));
    if (ws)
        assert_int_equal(caws_ready_state(ws), CAWS_CONNECTING);
    caws_free(ws);
    return result;
}

static void urls(void **state)
{
    /* REQ ctor-1, ctor-3, ctor-6 */
    (void)state;
    assert_int_equal(check("ws://", NULL), CAWS_ERR_URL);
    assert_int_equal(check("", NULL), CAWS_ERR_URL);
    assert_int_equal(check("ftp://h", NULL), CAWS_ERR_URL);
    assert_int_equal(check("ws://h/#", NULL), CAWS_ERR_URL);
    assert_int_equal(check("ws://h/#here", NULL), CAWS_ERR_URL);
    assert_int_equal(check("ws://h/", NULL), CAWS_OK);
    assert_int_equal(check("ws://h", NULL), CAWS_OK);
    assert_int_equal(check("wss://h:8443/a?b", NULL), CAWS_OK);
}

static void subprotocols(void **state)
{
    /* REQ ctor-5 */
    static const char *const bad[] = { "a,a", "a, b, a", "a b", "\x7f", "a/b",
                                       "a\r\nX: y", "a\xc3\xa4" };
    static const char *const good[] = { "a", "a,A", "a, b", "chat.v1" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(check("ws://h/", bad[i]), CAWS_ERR_ARG);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(check("ws://h/", good[i]), CAWS_OK);
}

static void one_subprotocol_is_a_list_of_one(void **state)
{
    /* REQ ctor-4 */
    static const caws_config one = { .subprotocols = "a" },
                             two = { .subprotocols = "a, b" };
    struct peer p = { 0 }, q = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", &one);
    assert_true(peer_out_has(&p, "\r\nSec-WebSocket-Protocol: a\r\n"));
    peer_client(&q, "ws://h/", &two);
    assert_true(peer_out_has(&q, "\r\nSec-WebSocket-Protocol: a, b\r\n"));
    peer_free(&p);
    peer_free(&q);
}

static void a_server_that_picks_no_subprotocol(void **state)
{
    /* REQ conn-1, attr-1 */
    static const caws_config cfg = { .subprotocols = "a" };
    struct peer p = { 0 };
    char answer[300];
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    peer_response_lines(&p, answer, sizeof answer - 2);
    strcat(answer, "\r\n");
    peer_feed_text(&p, answer);
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(p.ws), "");
    assert_string_equal(caws_extensions(p.ws), "");
    peer_free(&p);
}

static void open_from_the_start(void **state)
{
    /* REQ attr-1, ready-2 */
    static const caws_config cfg = { .random = no_random };
    caws_conn *ws = caws_new_open(true, "chat", "", &cfg, NULL);
    (void)state;
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(ws), "chat");
    assert_string_equal(caws_extensions(ws), "");
    assert_true(caws_is_client(ws));
    caws_free(ws);
    assert_null(caws_new_open(true, "a b", "", &cfg, NULL));
    assert_null(caws_new_open(true, "", "permessage-deflate", &cfg, NULL));
    assert_null(caws_new_open(true, "", "", &(caws_config){ 0 }, NULL));
    ws = caws_new_open(false, NULL, NULL, &(caws_config){ 0 }, NULL);
    assert_string_equal(caws_subprotocol(ws), "");
    assert_false(caws_is_client(ws));
    caws_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(subprotocols),
        cmocka_unit_test(one_subprotocol_is_a_list_of_one),
        cmocka_unit_test(a_server_that_picks_no_subprotocol),
        cmocka_unit_test(open_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
