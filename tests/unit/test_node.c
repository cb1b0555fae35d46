/* lib/protocol/node.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/frame.h"
#include "protocol/node.h"

/* Append a frame of zeroes to a node. */
static void add(struct caws__node *node, bool fin, uint8_t opcode, size_t len, bool masked)
{
    static const uint8_t key[4] = { 1, 2, 3, 4 };
    uint8_t *to = node->bytes + node->len;
    size_t header = caws__frame_write(to, fin, opcode, len, masked ? key : NULL);
    memset(to + header, 0, len);
    node->len += header + len;
    node->payload += len;
    assert_true(node->len <= node->cap);
}

static void test_a_new_node_is_empty(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__node *node = caws__node_new(&alloc, CAWS__NODE_PONG, 10);
    (void)state;
    assert_ptr_equal(node->bytes, node + 1);
    assert_int_equal(node->cap, 10);
    assert_int_equal(node->kind, CAWS__NODE_PONG);
    assert_int_equal(node->len + node->offered + node->taken + node->mark + node->payload, 0);
    assert_null(node->next);
    assert_null(node->shared);
    memset(node->bytes, 1, 10); /* ASan: it is there */
    caws__node_free(node, &alloc);
    assert_int_equal(counting.blocks, 0);
}

static void test_no_memory_for_a_node(void **state)
{
    struct peer_alloc counting = { .fail_at = 1 };
    caws_alloc alloc = peer_counting(&counting);
    (void)state;
    assert_null(caws__node_new(&alloc, CAWS__NODE_DATA, 1));
    assert_int_equal(counting.failed, 1);
    assert_null(caws__node_new(&alloc, CAWS__NODE_DATA, SIZE_MAX)); /* would overflow */
    assert_int_equal(counting.calls, 1);
    assert_int_equal(counting.blocks, 0);
}

static void test_the_last_user_frees_a_shared_frame(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_config cfg = { .alloc = peer_counting(&counting) };
    caws_prepared *msg = caws_prepare(&cfg, CAWS_TEXT, "x", 1);
    struct caws__node *node = caws__node_new(&cfg.alloc, CAWS__NODE_DATA, 0);
    (void)state;
    node->shared = msg;
    caws__node_free(node, &cfg.alloc);
    assert_int_equal(counting.blocks, 0);
}

/* The payload among the bytes taken, byte by byte, against the frames as they
 * were added, and so in pieces of every size. */
static void test_payload_is_counted_to_the_byte(void **state)
{
    static const size_t sizes[] = { 0, 1, 125, 126, 65535, 65536, 0, 7 };
    static char is_payload[150000];
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    (void)state;
    for (size_t step = 1; step < 140000; step = step < 20 ? step + 1 : step * 3 + 1) {
        for (int masked = 0; masked < 2; masked++) {
            struct caws__node *node = caws__node_new(&alloc, CAWS__NODE_DATA, 140000);
            for (size_t i = 0; i < 8; i++) {
                size_t header = caws__frame_header_size(sizes[i], masked);
                memset(is_payload + node->len, 0, header);
                memset(is_payload + node->len + header, 1, sizes[i]);
                add(node, true, CAWS__BINARY, sizes[i], masked);
            }
            node->offered = node->len;
            for (size_t at = 0, n; at < node->len; at += n) {
                size_t expected = 0;
                n = step < node->len - at ? step : node->len - at;
                for (size_t i = at; i < at + n; i++)
                    expected += is_payload[i] != 0;
                assert_int_equal(caws__node_take(node, n), expected);
                assert_int_equal(node->taken, at + n);
                assert_true(node->mark <= node->taken);
            }
            assert_int_equal(node->payload, 0);
            caws__node_free(node, &alloc);
        }
    }
    assert_int_equal(counting.blocks, 0);
}

static void test_control_frames_and_heads_have_no_payload_of_messages(void **state)
{
    static const enum caws__kind kinds[] = { CAWS__NODE_HTTP, CAWS__NODE_PING,
                                             CAWS__NODE_PONG, CAWS__NODE_CLOSE };
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct caws__node *node = caws__node_new(&alloc, kinds[i], 7);
        memcpy(node->bytes, "\x89\x05Hello", 7);
        node->len = node->offered = 7;
        assert_int_equal(caws__node_take(node, 3), 0);
        assert_int_equal(caws__node_take(node, 4), 0);
        assert_int_equal(node->taken, 7);
        caws__node_free(node, &alloc);
    }
}

static void test_payload_from_a_frame_on(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__node *node = caws__node_new(&alloc, CAWS__NODE_DATA, 1000);
    (void)state;
    add(node, true, CAWS__TEXT, 3, false);    /* at 0 */
    add(node, true, CAWS__TEXT, 300, true);   /* at 5 */
    add(node, true, CAWS__BINARY, 0, false);  /* at 313 */
    assert_int_equal(caws__node_payload(node, 0), 303);
    assert_int_equal(caws__node_payload(node, 5), 300);
    assert_int_equal(caws__node_payload(node, 313), 0);
    assert_int_equal(caws__node_payload(node, 315), 0);
    caws__node_free(node, &alloc);
}

static void test_the_rest_of_a_message(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__node *node = caws__node_new(&alloc, CAWS__NODE_DATA, 100);
    bool begun = true;
    (void)state;
    add(node, false, CAWS__CONTINUATION, 3, false); /* at 0 */
    add(node, true, CAWS__CONTINUATION, 3, true);   /* at 5 */
    add(node, false, CAWS__TEXT, 1, false);         /* at 14: another message */
    add(node, false, CAWS__CONTINUATION, 1, false); /* at 17 */
    assert_int_equal(caws__node_rest_of_message(node, 0, &begun), 14);
    assert_false(begun);
    assert_int_equal(caws__node_rest_of_message(node, 0, &begun), 0); /* none begun */
    begun = true;
    assert_int_equal(caws__node_rest_of_message(node, 14, &begun), 14);
    assert_false(begun);
    begun = true;
    assert_int_equal(caws__node_rest_of_message(node, 17, &begun), 20);
    assert_true(begun); /* more may follow, in the next node */
    caws__node_free(node, &alloc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_node_is_empty),
        cmocka_unit_test(test_no_memory_for_a_node),
        cmocka_unit_test(test_the_last_user_frees_a_shared_frame),
        cmocka_unit_test(test_payload_is_counted_to_the_byte),
        cmocka_unit_test(test_control_frames_and_heads_have_no_payload_of_messages),
        cmocka_unit_test(test_payload_from_a_frame_on),
        cmocka_unit_test(test_the_rest_of_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
