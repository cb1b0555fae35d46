/* lib/protocol/mask.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/mask.h"

#define LONGEST 257
#define EDGE 0xa5

static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* Section 5.3 word for word: transformed-octet-i = original-octet-i XOR
 * masking-key-octet-j, where j = i MOD 4. */
static void reference(uint8_t *p, size_t len, const uint8_t k[4], size_t phase)
{
    for (size_t i = 0; i < len; i++) {
        size_t j = (phase + i) % 4;
        p[i] = (uint8_t)(p[i] ^ k[j]);
    }
}

static void fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 131 + 7);
}

/* A block that ends with the data, so that ASan sees one byte too many; what
 * is in front of them shows one byte too few. */
static uint8_t *make_block(size_t align, size_t len)
{
    uint8_t *block = malloc(align + len + (align + len == 0));
    assert_non_null(block);
    memset(block, EDGE, align);
    return block;
}

static void check_edge(const uint8_t *block, size_t align)
{
    for (size_t i = 0; i < align; i++)
        assert_int_equal(block[i], EDGE);
}

static void check_one(size_t len, size_t phase, size_t align)
{
    size_t other = (align * 7 + 3) % 16;
    uint8_t expected[LONGEST], source[LONGEST];
    uint8_t *a = make_block(align, len), *b = make_block(other, len);
    fill(expected, len);
    fill(source, len);
    reference(expected, len, key, phase);

    memcpy(a + align, source, len);
    caws__mask_copy(b + other, a + align, len, key, phase);
    assert_memory_equal(a + align, source, len);
    assert_memory_equal(b + other, expected, len);

    caws__mask(a + align, len, key, phase);
    assert_memory_equal(a + align, expected, len);
    caws__mask(a + align, len, key, phase);
    assert_memory_equal(a + align, source, len);
    check_edge(a, align);
    check_edge(b, other);
    free(a);
    free(b);
}

static void test_every_length_phase_and_alignment(void **state)
{
    /* REQ 5.3-5 */
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++)
        for (size_t phase = 0; phase < 16; phase++)
            for (size_t align = 0; align < 16; align++)
                check_one(len, phase, align);
}

static void test_example_of_the_rfc(void **state)
{
    /* REQ 5.3-5 */
    static const uint8_t masked[5] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    uint8_t text[5] = { 'H', 'e', 'l', 'l', 'o' }, copy[5];
    (void)state;
    caws__mask_copy(copy, text, 5, key, 0);
    assert_memory_equal(copy, masked, 5);
    caws__mask(text, 5, key, 0);
    assert_memory_equal(text, masked, 5);
    caws__mask(text, 5, key, 0);
    assert_memory_equal(text, "Hello", 5);
}

/* A payload of every length in two pieces, cut at every offset: the phase of
 * the second is the length of the first. */
static void test_split_at_every_offset(void **state)
{
    /* REQ 5.3-6 */
    (void)state;
    for (size_t len = 0; len <= 80; len++) {
        uint8_t whole[80], pieces[80], copied[80], source[80];
        fill(source, len);
        memcpy(whole, source, len);
        reference(whole, len, key, 0);
        for (size_t cut = 0; cut <= len; cut++) {
            memcpy(pieces, source, len);
            caws__mask(pieces, cut, key, 0);
            caws__mask(pieces + cut, len - cut, key, cut);
            assert_memory_equal(pieces, whole, len);
            caws__mask_copy(copied, source, cut, key, 0);
            caws__mask_copy(copied + cut, source + cut, len - cut, key, cut);
            assert_memory_equal(copied, whole, len);
        }
    }
}

static void test_phase_is_taken_modulo_four(void **state)
{
    uint8_t a[40], b[40];
    (void)state;
    for (size_t phase = SIZE_MAX - 7; phase != 0; phase++) {
        fill(a, sizeof a);
        fill(b, sizeof b);
        caws__mask(a, sizeof a, key, phase);
        caws__mask(b, sizeof b, key, phase % 4);
        assert_memory_equal(a, b, sizeof a);
    }
}

static void test_nothing_at_all(void **state)
{
    uint8_t guard = EDGE;
    (void)state;
    caws__mask(NULL, 0, key, 3);
    caws__mask_copy(NULL, NULL, 0, key, 3);
    caws__mask(&guard, 0, key, 0);
    caws__mask_copy(&guard, NULL, 0, key, 0);
    assert_int_equal(guard, EDGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length_phase_and_alignment),
        cmocka_unit_test(test_example_of_the_rfc),
        cmocka_unit_test(test_split_at_every_offset),
        cmocka_unit_test(test_phase_is_taken_modulo_four),
        cmocka_unit_test(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
