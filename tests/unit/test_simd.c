/* lib/protocol/simd.c against the portable twins in mask.c and utf8.c, and these, where
 * nothing else calls them with that, against what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/mask.h"
#include "protocol/utf8.h"

/* ---- Masking ------------------------------------------------------------ */

enum { LONGEST = 700, EDGE = 64 };
static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* Which bytes are not ASCII when they come out: none, or the one at high. */
static void fill(uint8_t *masked, uint8_t *plain, size_t len, size_t phase, size_t high)
{
    for (size_t i = 0; i < len; i++) {
        plain[i] = (uint8_t)((i * 131 + 7) & 0x7f) | (i == high ? 0x80 : 0);
        masked[i] = plain[i] ^ key[(phase + i) & 3];
    }
}

typedef bool mask_fn(uint8_t *dst, const uint8_t *src, size_t len, uint64_t word);

/* The bytes around dst stay as they are. */
static void check_mask(mask_fn *mask, mask_fn *ascii, size_t len, size_t phase, size_t align,
                       size_t high)
{
    static uint8_t masked[LONGEST + EDGE], plain[LONGEST];
    static uint8_t area[LONGEST + 3 * EDGE], expected[LONGEST + 3 * EDGE];
    uint64_t word = caws__mask_word(key, phase);
    uint8_t *source = masked + (align * 7 + 3) % EDGE;

    fill(source, plain, len, phase, high);
    memset(area, 0xa5, sizeof area);
    memset(expected, 0xa5, sizeof expected);
    memcpy(expected + EDGE + align, plain, len);
    assert_false(mask(area + EDGE + align, source, len, word));
    assert_memory_equal(area, expected, sizeof area);

    memcpy(area + EDGE + align, source, len);
    mask(area + EDGE + align, area + EDGE + align, len, word);
    assert_memory_equal(area, expected, sizeof area);

    memcpy(area + EDGE + align, source, len);
    assert_int_equal(ascii(area + EDGE + align, area + EDGE + align, len, word), high >= len);
    assert_memory_equal(area, expected, sizeof area);
}

static void check_masks(mask_fn *mask, mask_fn *ascii, size_t shortest)
{
    for (size_t len = shortest; len <= LONGEST; len++)
        for (size_t align = 0; align < 32; align += len < 300 ? 1 : 5)
            check_mask(mask, ascii, len, (len + align) & 3, align, SIZE_MAX);
    for (size_t len = shortest; len <= LONGEST; len += 1 + len / 6)
        for (size_t high = 0; high < len; high++)
            check_mask(mask, ascii, len, high & 3, high & 31, high);
}

static void masks_of_words(void **state)
{
    /* REQ 5.3-5 */
    (void)state;
    check_masks(caws__mask_blocks, caws__mask_blocks_ascii, 8);
}

static void masks_of_vectors(void **state)
{
    /* REQ 5.3-5 */
    (void)state;
#ifdef CAWS__WIDE
    if (caws__simd() == 1)
        check_masks(caws__wide_mask, caws__wide_mask_ascii, CAWS__WIDE_MIN);
#endif
}

/* What is chosen, at all lengths. */
static bool any(uint8_t *dst, const uint8_t *src, size_t len, uint64_t word)
{
    uint8_t first[4];

    memcpy(first, &word, 4);
    caws__mask_copy(dst, src, len, first, 0);
    return false;
}

static bool any_ascii(uint8_t *dst, const uint8_t *src, size_t len, uint64_t word)
{
    uint8_t first[4];

    memcpy(first, &word, 4);
    assert_ptr_equal(dst, src);
    return caws__mask_ascii(dst, len, first, 0);
}

static void masks_of_any_length(void **state)
{
    /* REQ 5.3-5 */
    (void)state;
    check_masks(any, any_ascii, 0);
}

/* ---- UTF-8 --------------------------------------------------------------- */

static unsigned differing, valid;

/* Asserts are slow, so they come after. */
static void compare(const uint8_t *p, size_t len, struct caws__utf8 before)
{
    struct caws__utf8 a = before, b = before;
    bool ok = caws__utf8_bytes(&a, p, len);

    if (caws__utf8_check(&b, p, len) != ok ||
        (ok && (a.need != b.need || (a.need > 0 && (a.low != b.low || a.high != b.high)))))
        differing++;
    valid += ok;
}

static const struct caws__utf8 fresh = { 0, 0, 0 };

/* All strings of three bytes, across the edge of two blocks. */
static void all_threes(void **state)
{
    /* REQ 3629-1, 3629-7 */
    uint8_t p[100];

    (void)state;
    differing = valid = 0;
    memset(p, 'a', sizeof p);
    for (uint32_t v = 0; v < 1u << 24; v++) {
        size_t at = 31 - v % 3;

        memset(p + 28, 'a', 8);
        p[at] = (uint8_t)(v >> 16);
        p[at + 1] = (uint8_t)(v >> 8);
        p[at + 2] = (uint8_t)v;
        compare(p, 80, fresh);
    }
    assert_int_equal(differing, 0);
    assert_int_equal(valid, 128 * 128 * 128 + 2 * 128 * 1920 + 61440);
}

/* Each pair of bytes, with as many continuations behind it as a lead could ask for: then
 * the tables for pairs say alone what is wrong. */
static void pairs_before_continuations(void **state)
{
    /* REQ 3629-4, 3629-7 */
    (void)state;
    differing = valid = 0;
    for (uint32_t v = 0; v < 1u << 16; v++)
        for (size_t n = 0; n <= 2; n++) {
            uint8_t p[80];

            memset(p, 'a', sizeof p);
            p[40] = (uint8_t)(v >> 8);
            p[41] = (uint8_t)v;
            memset(p + 42, 0x80, n);
            compare(p, sizeof p, fresh);
        }
    assert_int_equal(differing, 0);
    assert_int_equal(valid, 128 * 128 + 1920 +         /* none behind them */
                                128 * 30 + 61440 / 64 + /* one              */
                                128 * 15 + 256);        /* two              */
}

static const uint8_t firsts[] = { 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                  0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
                                  0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
static const uint8_t seconds[] = { 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe1 };
static const uint8_t others[] = { 0x7f, 0x80, 0xbf, 0xc2, 0xf1 };
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The n-th of all four bytes that can be made of those. */
static void make_four(uint8_t *p, size_t n)
{
    p[0] = firsts[n % COUNT(firsts)];
    n /= COUNT(firsts);
    p[1] = seconds[n % COUNT(seconds)];
    n /= COUNT(seconds);
    p[2] = others[n % COUNT(others)];
    p[3] = others[n / COUNT(others)];
}
#define FOURS (COUNT(firsts) * COUNT(seconds) * COUNT(others) * COUNT(others))

static const char *const fillers[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

/* Text of len bytes at most, of whole code points. */
static size_t make_text(uint8_t *p, size_t len, const char *filler)
{
    size_t n = strlen(filler), i = 0;

    for (; i + n <= len; i += n)
        memcpy(p + i, filler, n);
    return i;
}

/* Four bytes of every kind, at every place, in text of every kind; whole, and where
 * they are the end. */
static void fours_at_any_place(void **state)
{
    /* REQ 3629-7 */
    (void)state;
    differing = valid = 0;
    for (size_t f = 0; f < COUNT(fillers); f++)
        for (size_t place = 0; place < 135; place += place == 70 ? 50 : 1) {
            uint8_t p[300];
            size_t at = make_text(p, place, fillers[f]);
            size_t end = at + 4 + make_text(p + at + 4, 140 - place, fillers[f]);

            for (size_t n = 0; n < FOURS; n++) {
                make_four(p + at, n);
                compare(p, end, fresh);
                for (size_t cut = 1; cut <= 4; cut++)
                    compare(p, at + cut, fresh);
            }
        }
    assert_int_equal(differing, 0);
    assert_true(valid > 100000);
}

/* A text that is cut at every place goes on in the state in which it stopped. */
static void cut_anywhere(void **state)
{
    (void)state;
    differing = 0;
    for (size_t f = 0; f < COUNT(fillers); f++)
        for (size_t wrong = 0; wrong < 300; wrong += 7) {
            uint8_t p[300];
            size_t len = make_text(p, sizeof p, fillers[f]);

            if (wrong > 0 && wrong < len)
                p[wrong] ^= 0x80;
            for (size_t cut = 0; cut <= len; cut++) {
                struct caws__utf8 u = fresh;

                compare(p, cut, fresh);
                if (caws__utf8_bytes(&u, p, cut))
                    compare(p + cut, len - cut, u);
            }
        }
    assert_int_equal(differing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_of_words),      cmocka_unit_test(masks_of_vectors),
        cmocka_unit_test(masks_of_any_length), cmocka_unit_test(all_threes),
        cmocka_unit_test(pairs_before_continuations),
        cmocka_unit_test(fours_at_any_place),  cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
