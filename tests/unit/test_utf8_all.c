/* lib/protocol/utf8.c against an independent checker, on all short strings */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/utf8.h"

/* ---- The independent checker ---------------------------------------------
 * It knows only how to encode (RFC 3629 section 3), and so what can begin an
 * encoding of something: every code point is encoded once, and each of its
 * prefixes of up to three bytes marked as a part or as the whole. */

enum kind { NONE, PART, WHOLE };
static uint8_t *kinds[4]; /* by length; the index is the bytes, big end first */

static size_t encode(uint32_t c, uint8_t out[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[n] | c);
    return n;
}

/* The next Unicode scalar value: surrogates are none. */
static uint32_t next_scalar(uint32_t c)
{
    return c == 0xd7ff ? 0xe000 : c + 1;
}

static int make_reference(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 3; n++) {
        kinds[n] = calloc((size_t)1 << 8 * n, 1);
        if (kinds[n] == NULL)
            return -1;
    }
    for (uint32_t c = 0; c <= 0x10ffff; c = next_scalar(c)) {
        uint8_t p[4];
        size_t n = encode(c, p);
        uint32_t index = 0;
        for (size_t i = 0; i < n && i < 3; i++) {
            index = index << 8 | p[i];
            kinds[i + 1][index] = i + 1 == n ? WHOLE : PART;
        }
    }
    return 0;
}

static int free_reference(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 3; n++)
        free(kinds[n]);
    return 0;
}

/* The place of the first byte that no text can go on with, or len; *complete
 * says whether the text may end there. */
static size_t reference(const uint8_t *p, size_t len, bool *complete)
{
    uint32_t index = 0;
    size_t have = 0;
    for (size_t i = 0; i < len; i++) {
        enum kind kind;
        index = index << 8 | p[i];
        have++;
        if (have < 4)
            kind = (enum kind)kinds[have][index];
        else
            kind = (p[i] & 0xc0) == 0x80 ? WHOLE : NONE;
        if (kind == NONE)
            return i;
        if (kind == WHOLE) {
            index = 0;
            have = 0;
        }
    }
    *complete = have == 0;
    return len;
}

/* ---- What is tested against it ------------------------------------------ */

/* The place of the byte at which the library fails, fed byte by byte. */
static size_t fails_at(const uint8_t *p, size_t len, bool *complete)
{
    struct caws__utf8 u = { 0, 0, 0 };
    for (size_t i = 0; i < len; i++)
        if (!caws__utf8_check(&u, p + i, 1))
            return i;
    *complete = caws__utf8_complete(&u);
    return len;
}

/* Whole, byte by byte and cut in two at every place: always what the checker
 * says. p is an exact block, so that ASan sees a read past it. */
static void check_block(const uint8_t *p, size_t len)
{
    bool complete = false, got = false;
    size_t bad = reference(p, len, &complete);
    assert_int_equal(fails_at(p, len, &got), bad);
    assert_int_equal(got, complete);
    assert_int_equal(caws__utf8_valid(p, len), bad == len && complete);
    for (size_t cut = 0; cut <= len; cut++) {
        struct caws__utf8 u = { 0, 0, 0 };
        bool first = caws__utf8_check(&u, p, cut);
        assert_int_equal(first, bad >= cut);
        if (!first)
            continue;
        assert_int_equal(caws__utf8_check(&u, p + cut, len - cut), bad == len);
        if (bad == len)
            assert_int_equal(caws__utf8_complete(&u), complete);
    }
}

static void check_bytes(const void *bytes, size_t len)
{
    uint8_t *p = malloc(len + (len == 0));
    assert_non_null(p);
    memcpy(p, bytes, len);
    check_block(p, len);
    free(p);
}

static void test_every_scalar_value(void **state)
{
    /* REQ 3629-1 */
    size_t count = 0;
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c = next_scalar(c)) {
        uint8_t text[4];
        size_t n = encode(c, text);
        bool complete = false;
        assert_true(caws__utf8_valid(text, n));
        assert_int_equal(fails_at(text, n, &complete), n);
        assert_true(complete);
        for (size_t cut = 1; cut < n; cut++)
            assert_false(caws__utf8_valid(text, cut));
        count++;
    }
    assert_int_equal(count, 1112064);
    print_message("%zu scalar values\n", count);
}

/* In blocks of exactly n bytes. Asserts are slow, so they come after. */
static void check_all_strings(size_t n, size_t expected)
{
    uint8_t *p = malloc(n);
    size_t differing = 0, valid = 0;
    assert_non_null(p);
    for (uint32_t v = 0; v < (uint32_t)1 << 8 * n; v++) {
        bool complete = false, got = false;
        size_t bad, at;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
        bad = reference(p, n, &complete);
        at = fails_at(p, n, &got);
        if (at != bad || got != complete ||
            caws__utf8_valid(p, n) != (bad == n && complete))
            differing++;
        valid += bad == n && complete;
    }
    free(p);
    assert_int_equal(differing, 0);
    assert_int_equal(valid, expected);
    print_message("%u strings of %zu bytes, %zu of them valid\n", (unsigned)1 << 8 * n, n, valid);
}

static void test_all_strings_of_one_to_three_bytes(void **state)
{
    /* REQ 3629-1, 3629-7 */
    (void)state;
    /* 128, 1920 and 61440 scalars take 1, 2 and 3 bytes. */
    check_all_strings(1, 128);
    check_all_strings(2, 128 * 128 + 1920);
    check_all_strings(3, 128 * 128 * 128 + 2 * 128 * 1920 + 61440);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Of the strings of four bytes a sample, with lead and continuation bytes more
 * often than chance would have them. */
static void test_a_sample_of_four_bytes(void **state)
{
    enum { COUNT = 2000000 };
    uint32_t seed = 3629;
    unsigned differing = 0, valid = 0, cut = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        uint8_t p[4];
        bool complete = false, got = false;
        size_t bad, at;
        for (size_t j = 0; j < 4; j++) {
            uint32_t r = next_random(&seed);
            p[j] = (uint8_t)(i % 2 == 0 ? r : (j == 0 || r & 0x300) ? r | 0x80 : r);
            if (i % 4 == 1)
                p[j] = (uint8_t)(j == 0 ? 0xf0 | (p[j] & 7) : 0x80 | (p[j] & 0x3f));
        }
        bad = reference(p, 4, &complete);
        at = fails_at(p, 4, &got);
        differing += at != bad || got != complete ||
                     caws__utf8_valid(p, 4) != (bad == 4 && complete);
        valid += bad == 4 && complete;
        cut += bad == 4 && !complete;
    }
    assert_int_equal(differing, 0);
    assert_true(valid > COUNT / 20 && cut > 1000);
    print_message("%d strings of 4 bytes (seed 3629), %u of them valid\n", COUNT, valid);
}

/* Every byte in every place of the boundary sequences of four bytes. */
static void test_four_bytes_around_the_boundaries(void **state)
{
    /* REQ 3629-7 */
    static const char *const boundaries[] = {
        "\xf0\x90\x80\x80", "\xf0\xbf\xbf\xbf", "\xf1\x80\x80\x80",
        "\xf3\xbf\xbf\xbf", "\xf4\x80\x80\x80", "\xf4\x8f\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof boundaries / sizeof *boundaries; i++)
        for (size_t place = 0; place < 4; place++)
            for (unsigned byte = 0; byte < 256; byte++) {
                uint8_t p[4];
                memcpy(p, boundaries[i], 4);
                p[place] = (uint8_t)byte;
                check_bytes(p, 4);
            }
}

/* A bad, a two-byte and a truncated sequence at every place of ASCII text of
 * every length around the 8 bytes that are looked at together. */
static void test_ascii_fast_path(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 40; len++) {
        uint8_t text[40];
        memset(text, '~', sizeof text);
        check_bytes(text, len);
        for (size_t place = 0; place < len; place++) {
            text[place] = 0x80;
            check_bytes(text, len);
            text[place] = 0xc3;
            check_bytes(text, len);
            if (place + 1 < len) {
                text[place + 1] = 0xa9;
                check_bytes(text, len);
                text[place + 1] = '~';
            }
            text[place] = '~';
        }
    }
}

/* Mixed text of every kind of sequence, now and then with a byte changed. */
static void test_random_texts_at_every_split(void **state)
{
    /* REQ 3629-7 */
    uint32_t seed = 6455;
    (void)state;
    for (int round = 0; round < 4000; round++) {
        uint8_t text[64];
        size_t len = 0, pieces = next_random(&seed) % 15;
        while (pieces-- > 0) {
            static const uint32_t tops[4] = { 0x80, 0x800, 0xd800, 0x110000 };
            uint32_t c = next_random(&seed) % tops[next_random(&seed) % 4];
            len += encode(c >= 0xd800 && c < 0xe000 ? 'x' : c, text + len);
        }
        check_bytes(text, len);
        if (len == 0)
            continue;
        text[next_random(&seed) % len] = (uint8_t)next_random(&seed);
        check_bytes(text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scalar_value),
        cmocka_unit_test(test_all_strings_of_one_to_three_bytes),
        cmocka_unit_test(test_a_sample_of_four_bytes),
        cmocka_unit_test(test_four_bytes_around_the_boundaries),
        cmocka_unit_test(test_ascii_fast_path),
        cmocka_unit_test(test_random_texts_at_every_split),
    };
    return cmocka_run_group_tests(tests, make_reference, free_reference);
}
