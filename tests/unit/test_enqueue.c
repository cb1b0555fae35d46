/* lib/protocol/enqueue.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static char large[40000];

static void test_a_full_queue(void **state)
{
    caws_config cfg = { .max_buffered = 1000 };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 5000), CAWS_OK); /* any one message */
    assert_int_equal(caws_send_text(p.ws, ""), CAWS_ERR_FULL);
    assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_OK); /* does not count */
    assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_ERR_FULL); /* one at a time */
    peer_take(&p);
    assert_string_equal(p.log, "open\ndrain\n");
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 496), CAWS_OK); /* exactly half */
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 497), CAWS_ERR_FULL);
    peer_take_some(&p, 1); /* it was never above half, but it has refused */
    assert_int_equal(peer_log_count(&p, "drain"), 2);
    peer_take(&p);
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 496), CAWS_OK);
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 496), CAWS_OK); /* exactly full */
    assert_int_equal(caws_buffered_amount(p.ws), 992);
    peer_take_some(&p, 499);
    assert_int_equal(peer_log_count(&p, "drain"), 2);
    peer_take_some(&p, 1);
    assert_int_equal(peer_log_count(&p, "drain"), 3);
    peer_free(&p);
}

static int no_random(void *ctx, void *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return -1;
}

static void test_without_randomness_nothing_is_sent(void **state)
{
    caws_config cfg = { .random = no_random };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_RANDOM);
    assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_ERR_RANDOM);
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_free(&p);
}

static size_t can_write, written, calls;

static size_t write_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    size_t n = 0;
    (void)ws;
    for (size_t i = 0; i < count; i++)
        n += v[i].len;
    calls++;
    written = can_write < n ? can_write : n;
    return written;
}

/* The transport takes any number of bytes of the queue and a large frame; what
 * is left is what follows them. */
static void test_writing_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i % 251);
    for (int client = 0; client < 2; client++)
        for (can_write = 0; can_write < 20100; can_write += can_write < 30 ? 1 : 977) {
            struct peer p = { .hold_output = true }, whole = { .hold_output = true };
            struct peer *both[] = { &p, &whole };
            for (int i = 0; i < 2; i++) {
                peer_open(both[i], client, NULL);
                both[i]->transport.write_now = i == 0 ? write_now : NULL;
                assert_int_equal(caws_send_text(both[i]->ws, "first"), CAWS_OK);
                assert_int_equal(caws_send(both[i]->ws, CAWS_BINARY, large, 20000), CAWS_OK);
            }
            peer_take(&p);
            peer_take(&whole);
            assert_int_equal(written + p.out_len, whole.out_len);
            assert_true(p.out_len == 0 ||
                        memcmp(p.out, whole.out + written, p.out_len) == 0);
            assert_int_equal(caws_buffered_amount(p.ws), 0);
            peer_free(&p);
            peer_free(&whole);
        }
    assert_true(calls > 0);
}

static size_t claim(caws_conn *ws, const caws_slice *v, size_t count)
{
    (void)ws, (void)v, (void)count;
    return 50000;
}

/* A transport that says it took more than there is has taken what there is. */
static void test_a_transport_that_claims_too_much(void **state)
{
    caws_config cfg = { .max_buffered = 1000 };
    struct peer p = { .hold_output = true };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    p.transport.write_now = claim;
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 900), CAWS_OK);
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 600), CAWS_OK);
    assert_int_equal(p.counters.bytes_out, 904);
    assert_int_equal(caws_buffered_amount(p.ws), 600);
    peer_take(&p);
    assert_int_equal(p.out_len, 604);
    assert_int_equal(p.counters.bytes_out, 904 + 604);
    peer_free(&p);
    peer_open(&p, PEER_SERVER, NULL);
    p.transport.write_now = claim;
    assert_int_equal(caws_send(p.ws, CAWS_BINARY, large, 20000), CAWS_OK); /* not queued at all */
    assert_int_equal(p.counters.bytes_out, 20004);
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_queue),
        cmocka_unit_test(test_without_randomness_nothing_is_sent),
        cmocka_unit_test(test_writing_at_once),
        cmocka_unit_test(test_a_transport_that_claims_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
