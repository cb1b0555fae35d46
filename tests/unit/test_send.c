/* lib/protocol/send.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static char large[200];

static void test_frames_of_both_roles(void **state)
{
    struct peer s = { 0 }, c = { 0 };
    (void)state;
    peer_open(&s, PEER_SERVER, NULL);
    peer_open(&c, PEER_CLIENT, NULL);
    for (int i = 0; i < 2; i++) {
        struct peer *p = i ? &c : &s;
        assert_int_equal(caws_send_text(p->ws, "Hello"), CAWS_OK);
        assert_int_equal(caws_send(p->ws, CAWS_BINARY, NULL, 0), CAWS_OK);
        assert_int_equal(caws_send_fragment(p->ws, CAWS_TEXT, "a", 1, false), CAWS_OK);
        assert_int_equal(caws_ping(p->ws, "p", 1), CAWS_OK);
        assert_int_equal(caws_pong(p->ws, NULL, 0), CAWS_OK);
        /* The type of a later fragment is the first one's. */
        assert_int_equal(caws_send_fragment(p->ws, CAWS_BINARY, "b", 1, true), CAWS_OK);
        assert_int_equal(caws_buffered_amount(p->ws), 7);
        peer_take(p);
        assert_int_equal(caws_buffered_amount(p->ws), 0);
    }
    assert_string_equal(peer_out_hex(&s), "890170" "8a00" "810548656c6c6f" "8200"
                                          "010161" "800162");
    assert_string_equal(peer_out_unmasked_hex(&c), peer_out_hex(&s));
    assert_int_equal(c.out_len, s.out_len + 6 * 4); /* a key each */
    peer_free(&s);
    peer_free(&c);
}

static void test_arguments(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    for (int closed = 0; closed < 2; closed++) { /* before the state is looked at */
        assert_int_equal(caws_send(NULL, CAWS_TEXT, "", 0), CAWS_ERR_ARG);
        assert_int_equal(caws_send(p.ws, (caws_type)8, "", 0), CAWS_ERR_ARG);
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, NULL, 1), CAWS_ERR_ARG);
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, "", SIZE_MAX), CAWS_ERR_ARG);
        assert_int_equal(caws_send_text(p.ws, NULL), CAWS_ERR_ARG);
        assert_int_equal(caws_send_text(p.ws, "\xff"), CAWS_ERR_UTF8);
        assert_int_equal(caws_send_fragment(p.ws, (caws_type)0, "", 0, true), CAWS_ERR_ARG);
        assert_int_equal(caws_send_prepared(p.ws, NULL), CAWS_ERR_ARG);
        assert_int_equal(caws_ping(NULL, "", 0), CAWS_ERR_ARG);
        assert_int_equal(caws_pong(NULL, "", 0), CAWS_ERR_ARG);
        assert_int_equal(caws_ping(p.ws, large, 126), CAWS_ERR_ARG);
        assert_int_equal(caws_pong(p.ws, NULL, 1), CAWS_ERR_ARG);
        caws_close(p.ws, 1000, NULL);
    }
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
    assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_ERR_STATE);
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "880203e8");
    peer_free(&p);
}

static void test_text_in_fragments_is_checked_across_them(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "\xe2\x82", 2, false), CAWS_OK);
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false), CAWS_ERR_UTF8);
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "", 0, true), CAWS_ERR_UTF8);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE); /* unfinished */
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "\xac", 1, true), CAWS_OK);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "0102e282" "8001ac" "810178");
    peer_free(&p);
}

/* A transport that takes a byte at a time, and at each other call none. */
static void test_the_slowest_transport(void **state)
{
    struct peer p = { .hold_output = true }, quick = { .hold_output = true };
    struct peer *both[] = { &p, &quick };
    (void)state;
    /* REQ 6.1-7 */
    for (int i = 0; i < 2; i++) {
        peer_open(both[i], PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(both[i]->ws, "one"), CAWS_OK);
        assert_int_equal(caws_send(both[i]->ws, CAWS_BINARY, large, 200), CAWS_OK);
        assert_int_equal(caws_ping(both[i]->ws, "p", 1), CAWS_OK);
        assert_int_equal(caws_send_fragment(both[i]->ws, CAWS_TEXT, "t", 1, false), CAWS_OK);
        assert_int_equal(caws_send_fragment(both[i]->ws, CAWS_TEXT, "wo", 2, true), CAWS_OK);
        assert_int_equal(caws_close(both[i]->ws, 1000, "bye"), CAWS_OK);
    }
    peer_take(&quick);
    while (caws_wants(p.ws) & CAWS_WANT_WRITE) {
        caws_slice v[4];
        assert_true(caws_output(p.ws, v, 4) > 0);
        caws_output_done(p.ws, 0);
        assert_int_equal(peer_take_some(&p, 1), 1);
    }
    assert_int_equal(p.out_len, quick.out_len);
    assert_memory_equal(p.out, quick.out, p.out_len);
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    peer_free(&p);
    peer_free(&quick);
}

/* Pongs nobody asked for are as many as may wait; the peer's Pings go on being
 * answered, and the newest answer replaces the one before (5.5.3). */
static void test_pongs_that_wait(void **state)
{
    caws_config cfg = { .max_control_burst = 3 };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    assert_int_equal(caws_pong(p.ws, "a", 1), CAWS_OK);
    assert_int_equal(caws_pong(p.ws, "b", 1), CAWS_OK);
    assert_int_equal(caws_pong(p.ws, "c", 1), CAWS_OK);
    assert_int_equal(caws_pong(p.ws, "d", 1), CAWS_ERR_FULL);
    assert_int_equal(caws_ping(p.ws, "e", 1), CAWS_OK); /* another allowance */
    peer_take(&p);
    assert_string_equal(peer_out_hex(&p), "8a0161" "8a0162" "8a0163" "890165");
    assert_int_equal(caws_pong(p.ws, "d", 1), CAWS_OK);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_both_roles),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_text_in_fragments_is_checked_across_them),
        cmocka_unit_test(test_the_slowest_transport),
        cmocka_unit_test(test_pongs_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
