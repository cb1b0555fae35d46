/* lib/protocol/message.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/message.h"

static int add_frame(struct caws__message *m, uint8_t opcode, uint64_t len)
{
    struct caws__message_limits limits = { 1000, 3 };
    struct caws__frame frame = { .len = len, .opcode = opcode };
    const char *detail = NULL;
    int result = caws__message_frame(m, &limits, &frame, &detail);
    assert_int_equal(result != CAWS_OK, detail != NULL);
    return result;
}

static void test_the_first_frame_gives_the_type(void **state)
{
    struct caws__message m = { 0 };
    (void)state;
    assert_int_equal(add_frame(&m, CAWS__BINARY, 10), CAWS_OK);
    assert_int_equal(add_frame(&m, CAWS__CONTINUATION, 0), CAWS_OK);
    assert_int_equal(m.type, CAWS_BINARY);
    assert_int_equal(m.received, 10);
    assert_int_equal(m.fragments, 2);
    caws__message_reset(&m);
    assert_int_equal(m.fragments, 0);
    assert_int_equal(add_frame(&m, CAWS__TEXT, 1), CAWS_OK);
    assert_int_equal(m.type, CAWS_TEXT);
}

static void test_limits_are_exact(void **state)
{
    struct caws__message m = { 0 };
    (void)state;
    assert_int_equal(add_frame(&m, CAWS__TEXT, 1001), CAWS_ERR_TOO_BIG);
    assert_int_equal(add_frame(&m, CAWS__TEXT, 999), CAWS_OK);
    assert_int_equal(add_frame(&m, CAWS__CONTINUATION, 2), CAWS_ERR_TOO_BIG);
    assert_int_equal(add_frame(&m, CAWS__CONTINUATION, 1), CAWS_OK);
    assert_int_equal(add_frame(&m, CAWS__CONTINUATION, 0), CAWS_OK);
    assert_int_equal(add_frame(&m, CAWS__CONTINUATION, 0), CAWS_ERR_LIMIT);
    caws__message_reset(&m);
    assert_int_equal(add_frame(&m, CAWS__TEXT, 1000), CAWS_OK);
}

/* A sum of lengths would overflow. */
static void test_a_length_near_the_end_of_64_bits(void **state)
{
    (void)state;
    /* REQ LEN-1 */
    for (uint64_t have = 0; have <= 1000; have += 333) {
        struct caws__message m = { 0 };
        assert_int_equal(add_frame(&m, CAWS__BINARY, have), CAWS_OK);
        assert_int_equal(add_frame(&m, CAWS__CONTINUATION, INT64_MAX), CAWS_ERR_TOO_BIG);
        assert_int_equal(add_frame(&m, CAWS__CONTINUATION, UINT64_MAX), CAWS_ERR_TOO_BIG);
        assert_int_equal(m.received, have);
    }
}

static bool check(struct caws__message *m, const char *text, bool last)
{
    return caws__message_check(m, (const uint8_t *)text, strlen(text), last);
}

static void test_text_is_checked_and_binary_is_not(void **state)
{
    struct caws__message m = { .type = CAWS_TEXT }, bin = { .type = CAWS_BINARY };
    (void)state;
    assert_true(check(&m, "\xe2\x82", false)); /* may go on */
    assert_true(check(&m, "\xac", true));
    assert_true(check(&m, "", true));
    assert_false(check(&m, "\xe2\x82", true)); /* may not end */
    caws__message_reset(&m);
    m.type = CAWS_TEXT;
    assert_false(check(&m, "a\xff", false));
    assert_true(check(&bin, "\xff\xfe", true));
}

static void test_bytes_are_unmasked_as_they_are_added(void **state)
{
    static const uint8_t masked[] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    (void)state;
    for (size_t cut = 0; cut <= 5; cut++) {
        struct caws__message m = { 0 };
        assert_int_equal(caws__message_add(&m, &alloc, masked, cut, key, 0, 100), CAWS_OK);
        assert_int_equal(caws__message_add(&m, &alloc, masked + cut, 5 - cut, key, cut & 3, 100),
                         CAWS_OK);
        assert_int_equal(caws__message_add(&m, &alloc, (const uint8_t *)"!", 1, NULL, 0, 100),
                         CAWS_OK);
        assert_int_equal(m.data.len, 6);
        assert_memory_equal(m.data.data, "Hello!", 6);
        caws__buffer_free(&m.data, &alloc);
    }
    assert_int_equal(counting.blocks, 0);
}

/* Memory follows what has come, and stops where the message must end. */
static void test_memory_grows_with_bytes_received(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__message m = { 0 };
    static const uint8_t bytes[100];
    (void)state;
    for (size_t n = 0; n < 500; n += 100) {
        assert_int_equal(caws__message_add(&m, &alloc, bytes, 100, NULL, 0, 550), CAWS_OK);
        assert_true(counting.bytes <= 2 * (n + 100) && counting.bytes <= 550);
    }
    counting.fail_at = counting.calls + 1;
    while (caws__message_add(&m, &alloc, bytes, 10, NULL, 0, SIZE_MAX / 2) == CAWS_OK)
        ;
    assert_int_equal(counting.failed, 1);
    assert_memory_equal(m.data.data, bytes, 100); /* what was there still is */
    caws__buffer_free(&m.data, &alloc);
    assert_int_equal(counting.blocks, 0);
}

/* Room for as much again, but never for more than the message can become. */
static void test_the_room_of_the_first_part(void **state)
{
    static const size_t rooms[][2] = { { 1, 2 }, { 50, 100 }, { 51, 100 }, { 99, 100 } };
    const caws_alloc alloc = { NULL, NULL };
    uint8_t bytes[100] = { 0 };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct caws__message m = { 0 };
        assert_int_equal(caws__message_add(&m, &alloc, bytes, rooms[i][0], NULL, 0, 100), CAWS_OK);
        assert_int_equal(m.data.cap, rooms[i][1]);
        caws__buffer_free(&m.data, &alloc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_frame_gives_the_type),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_a_length_near_the_end_of_64_bits),
        cmocka_unit_test(test_text_is_checked_and_binary_is_not),
        cmocka_unit_test(test_bytes_are_unmasked_as_they_are_added),
        cmocka_unit_test(test_memory_grows_with_bytes_received),
        cmocka_unit_test(test_the_room_of_the_first_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
