/* lib/protocol/prepared.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/prepared.h"

static void test_the_frame_is_what_a_server_sends(void **state)
{
    static char large[70000];
    caws_prepared *msg = caws_prepare(NULL, CAWS_TEXT, "Hello", 5);
    (void)state;
    assert_int_equal(msg->header, 2);
    assert_int_equal(msg->len, 7);
    assert_memory_equal(msg->frame, "\x81\x05Hello", 7);
    caws_prepared_free(msg);
    msg = caws_prepare(NULL, CAWS_BINARY, large, sizeof large);
    assert_int_equal(msg->header, 10);
    assert_memory_equal(msg->frame, "\x82\x7f\0\0\0\0\0\x01\x11\x70\0", 11);
    assert_int_equal(msg->type, CAWS_BINARY);
    caws_prepared_free(msg);
    msg = caws_prepare(NULL, CAWS_TEXT, NULL, 0);
    assert_memory_equal(msg->frame, "\x81\0", 2);
    caws_prepared_free(msg);
}

static void test_what_cannot_be_prepared(void **state)
{
    caws_config cfg = { .trust_utf8 = true };
    caws_prepared *msg;
    (void)state;
    assert_null(caws_prepare(NULL, (caws_type)0, "", 0));
    assert_null(caws_prepare(NULL, (caws_type)8, "", 0));
    assert_null(caws_prepare(NULL, CAWS_BINARY, NULL, 1));
    assert_null(caws_prepare(NULL, CAWS_BINARY, "", SIZE_MAX));
    assert_null(caws_prepare(NULL, CAWS_TEXT, "\xff", 1));
    msg = caws_prepare(&cfg, CAWS_TEXT, "\xff", 1); /* as the config asks */
    assert_non_null(msg);
    caws_prepared_free(msg);
    caws_prepared_free(NULL);
}

static void test_memory_is_the_configs(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_config cfg = { .alloc = peer_counting(&counting) };
    caws_prepared *msg = caws_prepare(&cfg, CAWS_BINARY, "x", 1);
    (void)state;
    assert_int_equal(counting.blocks, 1);
    caws__prepared_share(msg);
    caws_prepared_free(msg);
    assert_int_equal(counting.blocks, 1); /* another user is left */
    caws_prepared_free(msg);
    assert_int_equal(counting.blocks, 0);
    counting.fail_at = counting.calls + 1;
    assert_null(caws_prepare(&cfg, CAWS_BINARY, "x", 1));
}

/* One copy for all receivers; each lets go when it has sent it, or dies. */
static void test_conns_share_one_copy(void **state)
{
    static char data[5000];
    struct peer_alloc counting = { 0 };
    caws_config cfg = { .alloc = peer_counting(&counting) };
    struct peer p[10] = { { 0 } };
    caws_prepared *msg = caws_prepare(&cfg, CAWS_BINARY, data, sizeof data);
    (void)state;
    for (int i = 0; i < 10; i++) {
        p[i].hold_output = true;
        peer_open(&p[i], PEER_SERVER, NULL);
        assert_int_equal(caws_send_prepared(p[i].ws, msg), CAWS_OK);
    }
    caws_prepared_free(msg);
    assert_int_equal(counting.blocks, 1);
    for (int i = 0; i < 9; i++) {
        if (i % 2)
            peer_take(&p[i]);
        else
            caws_discard(p[i].ws);
        assert_int_equal(counting.blocks, 1);
    }
    assert_int_equal(p[1].out_len, 5004);
    peer_free(&p[9]); /* with the message still queued */
    assert_int_equal(counting.blocks, 0);
    for (int i = 0; i < 9; i++)
        peer_free(&p[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_frame_is_what_a_server_sends),
        cmocka_unit_test(test_what_cannot_be_prepared),
        cmocka_unit_test(test_memory_is_the_configs),
        cmocka_unit_test(test_conns_share_one_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
