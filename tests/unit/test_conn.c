/* lib/protocol/conn.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static int some_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
    return 0;
}

static void test_version_and_errors(void **state)
{
    (void)state;
    assert_string_equal(caws_version(), CAWS_VERSION);
    for (int e = CAWS_OK; e >= CAWS_ERR_SYS; e--) {
        assert_string_not_equal(caws_strerror(e), "unknown error");
        for (int other = e + 1; other <= 0; other++)
            assert_string_not_equal(caws_strerror(e), caws_strerror(other));
    }
    assert_string_equal(caws_strerror(1), "unknown error");
    assert_string_equal(caws_strerror(CAWS_ERR_SYS - 1), "unknown error");
}

static void test_configs(void **state)
{
    caws_config good = { .random = some_random }, c;
    (void)state;
    assert_int_equal(caws_config_check(NULL, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_config_check(&good, NULL), CAWS_OK);
    assert_int_equal(caws_config_check(&good, "ws://h/"), CAWS_OK);
    assert_int_equal(caws_config_check(&good, "h"), CAWS_ERR_URL);
    c = (caws_config){ 0 };
    assert_int_equal(caws_config_check(&c, NULL), CAWS_OK);
    assert_int_equal(caws_config_check(&c, "ws://h/"), CAWS_ERR_ARG); /* no randomness */
    for (size_t i = 0; i < 8; i++) {
        c = good;
        c.reserved_[i] = &c;
        assert_int_equal(caws_config_check(&c, NULL), CAWS_ERR_ARG);
    }
    c = good;
    c.deflate = (const struct caws_deflate *)&c;
    assert_int_equal(caws_config_check(&c, NULL), CAWS_ERR_ARG);
    c = good;
    c.headers = "bad";
    assert_int_equal(caws_config_check(&c, NULL), CAWS_ERR_ARG);
    assert_null(caws_new_server(&c, NULL));
    assert_null(caws_new_client("ws://h/", &c, NULL));
    assert_null(caws_new_open(false, NULL, NULL, &c, NULL));
    assert_null(caws_new_client(NULL, &good, NULL));
    assert_null(caws_new_client("http://h/", &good, NULL));
}

static void test_starting_open(void **state)
{
    caws_config cfg = { .random = some_random }, poor = { 0 };
    caws_conn *ws = caws_new_open(true, "chat", "", &cfg, NULL);
    (void)state;
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_string_equal(caws_subprotocol(ws), "chat");
    assert_string_equal(caws_extensions(ws), "");
    assert_true(caws_is_client(ws));
    assert_int_equal(caws_http_status(ws), 0);
    caws_free(ws);
    ws = caws_new_open(false, NULL, "", &cfg, NULL);
    assert_non_null(ws);
    assert_false(caws_is_client(ws));
    caws_free(ws);
    assert_null(caws_new_open(false, "a b", NULL, &cfg, NULL));
    assert_null(caws_new_open(false, ",", NULL, &cfg, NULL));
    assert_null(caws_new_open(false, NULL, "x", &cfg, NULL));
    assert_null(caws_new_open(true, NULL, NULL, &poor, NULL));
    caws_free(NULL);
}

static void test_what_is_kept_for_others(void **state)
{
    caws_transport transport = { .owner_size = 100 };
    int something;
    caws_config cfg = { .context = &something };
    caws_conn *ws = caws_new_server(&cfg, &transport);
    unsigned char *owner = caws_transport_owner(ws);
    (void)state;
    assert_int_equal((uintptr_t)owner % _Alignof(max_align_t), 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(owner[i], 0);
    memset(owner, 1, 100); /* ASan: it is there */
    assert_ptr_equal(caws_context(ws), &something);
    assert_null(caws_user(ws));
    caws_set_user(ws, owner);
    assert_ptr_equal(caws_user(ws), owner);
    assert_string_equal(caws_subprotocol(ws), "");
    assert_false(caws_is_client(ws));
    caws_free(ws);
}

/* A conn that is OPEN and idle is one block. */
static void test_an_idle_conn_is_one_block(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_config cfg = { .alloc = peer_counting(&counting) };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    peer_feed_frame_text(&p, 0x01, "a");
    peer_feed_frame_text(&p, 0x80, "b");
    caws_send_text(p.ws, "c");
    peer_take(&p);
    assert_int_equal(counting.blocks, 1);
    peer_free(&p);
    assert_int_equal(counting.blocks, 0);
}

static void test_headers_of_the_peer(void **state)
{
    struct peer p = { .answer = CAWS_LATER };
    caws_slice name, value;
    size_t n = 0;
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST_LINES);
    assert_null(caws_header(p.ws, "Host").data); /* not before the head is whole */
    assert_false(caws_header_at(p.ws, 0, &name, &value));
    peer_feed_text(&p, "X: \r\n\r\n");
    assert_memory_equal(caws_header(p.ws, "hOST").data, "server.example.com", 18);
    assert_non_null(caws_header(p.ws, "x").data); /* there, and empty */
    assert_int_equal(caws_header(p.ws, "x").len, 0);
    assert_null(caws_header(p.ws, "y").data);
    assert_null(caws_header(p.ws, NULL).data);
    while (caws_header_at(p.ws, n, &name, &value))
        n++;
    assert_int_equal(n, 6);
    assert_memory_equal(name.data, "X", 1);
    peer_free(&p);
}

/* The handshake is gone by then, and the reason of a Close in its place. */
static void test_no_headers_at_the_end(void **state)
{
    struct peer p = { 0 };
    caws_slice name, value;
    (void)state;
    peer_open(&p, PEER_CLIENT, NULL);
    peer_feed_frame(&p, 0x88, "\3\350bye", 5);
    assert_string_equal(p.log + strlen(p.log) - 1, "\n");
    assert_non_null(strstr(p.log, "bye"));
    assert_null(caws_header(p.ws, "Upgrade").data);
    assert_false(caws_header_at(p.ws, 0, &name, &value));
    assert_int_equal(caws_http_status(p.ws), 0);
    peer_free(&p);
}

/* What it wants, from birth to the end, as a server. */
static void test_wants(void **state)
{
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    caws_send_text(p.ws, "x");
    assert_true(peer_wants(&p, CAWS_WANT_READ | CAWS_WANT_WRITE));
    caws_pause(p.ws);
    assert_true(peer_wants(&p, CAWS_WANT_WRITE));
    caws_resume(p.ws);
    peer_feed_frame_text(&p, 0x88, "");
    assert_true(peer_wants(&p, CAWS_WANT_READ | CAWS_WANT_WRITE));
    peer_take(&p);
    assert_true(peer_wants(&p, CAWS_WANT_READ | CAWS_WANT_SHUTDOWN));
    peer_eof(&p);
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    peer_free(&p);
}

static void test_needs_drain(void **state)
{
    static const char bytes[2000];
    caws_config cfg = { .max_buffered = 1000 };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    assert_false(caws_needs_drain(p.ws));
    caws_send(p.ws, CAWS_BINARY, bytes, 496); /* with its header, half */
    assert_false(caws_needs_drain(p.ws));
    caws_send(p.ws, CAWS_BINARY, bytes, 0);
    assert_true(caws_needs_drain(p.ws));
    peer_take_some(&p, 2);
    assert_false(caws_needs_drain(p.ws));
    assert_string_equal(p.log, "open\ndrain\n");
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, bytes, 2000), CAWS_ERR_FULL);
    assert_true(caws_needs_drain(p.ws)); /* it is below half, but has refused */
    caws_close(p.ws, 1000, NULL);
    assert_false(caws_needs_drain(p.ws)); /* nothing can be sent any more */
    peer_take(&p);
    assert_string_equal(p.log, "open\ndrain\n");
    peer_free(&p);
}

/* Without a handler, a transport or a counter it keeps the protocol. */
static void test_a_conn_that_nobody_listens_to(void **state)
{
    static const caws_config cfg = { 0 };
    unsigned char in[512], out[64] = { 0 };
    caws_conn *ws = caws_new_server(&cfg, NULL);
    caws_slice v;
    size_t n = strlen(PEER_REQUEST);
    (void)state;
    memcpy(in, PEER_REQUEST, n);
    assert_int_equal(caws_feed(ws, in, n, 1), CAWS_OK);
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_int_equal(caws_output(ws, &v, 1), 1);
    assert_memory_equal(v.data, "HTTP/1.1 101 ", 13);
    caws_output_done(ws, v.len);
    n = peer_frame(in, 0x81, "text", 4, true);
    n += peer_frame(in + n, 0x89, "p", 1, true);
    n += peer_frame(in + n, 0x8a, "", 0, true);
    n += peer_frame(in + n, 0x88, "\x03\xe8", 2, true);
    assert_int_equal(caws_feed(ws, in, n, 2), CAWS_OK);
    for (n = 0; caws_output(ws, &v, 1); n += v.len) {
        memcpy(out + n, v.data, v.len);
        caws_output_done(ws, v.len);
    }
    assert_int_equal(n, 7);
    assert_memory_equal(out, "\x8a\x01p\x88\x02\x03\xe8", 7);
    assert_int_equal(caws_ready_state(ws), CAWS_CLOSED);
    assert_int_equal(caws_wants(ws), CAWS_WANT_SHUTDOWN | CAWS_WANT_READ);
    caws_free(ws);
    ws = caws_new_server(&cfg, NULL);
    assert_int_equal(caws_refuse(ws, 503), CAWS_OK);
    assert_int_equal(caws_output(ws, &v, 1), 1);
    assert_memory_equal(v.data, "HTTP/1.1 503 ", 13);
    caws_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_and_errors),
        cmocka_unit_test(test_configs),
        cmocka_unit_test(test_starting_open),
        cmocka_unit_test(test_what_is_kept_for_others),
        cmocka_unit_test(test_an_idle_conn_is_one_block),
        cmocka_unit_test(test_headers_of_the_peer),
        cmocka_unit_test(test_no_headers_at_the_end),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_needs_drain),
        cmocka_unit_test(test_a_conn_that_nobody_listens_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
