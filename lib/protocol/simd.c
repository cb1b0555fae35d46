#include "protocol/simd.h"

#ifdef CAWS__WIDE

#include "protocol/mask.h"
#include "protocol/vector.h"

/* ---- Masking ------------------------------------------------------------ */

SIMD static inline simd simd_mask_block(uint8_t *dst, const uint8_t *src,
                                        simd key)
{
    simd v = simd_xor(simd_load(src), key);
    simd_store(dst, v);
    return v;
}

/* A store after each load: with four loads first, 224 become 182 GB/s. Returns
 * all bytes, one over the other, as do those below. */
SIMD static inline simd simd_mask_four(uint8_t *dst, const uint8_t *src,
                                       simd key)
{
    const size_t block = SIMD_BYTES;
    simd a = simd_mask_block(dst, src, key);
    simd b = simd_mask_block(dst + block, src + block, key);
    simd c = simd_mask_block(dst + 2 * block, src + 2 * block, key);
    simd d = simd_mask_block(dst + 3 * block, src + 3 * block, key);
    return simd_or(simd_or(a, b), simd_or(c, d));
}

/* Four blocks that are stored later than they are loaded. */
struct simd_four {
    simd a, b, c, d;
};

SIMD static inline struct simd_four simd_masked(const uint8_t *src, simd key)
{
    const size_t block = SIMD_BYTES;
    return (struct simd_four){ simd_xor(simd_load(src), key),
                               simd_xor(simd_load(src + block), key),
                               simd_xor(simd_load(src + 2 * block), key),
                               simd_xor(simd_load(src + 3 * block), key) };
}

SIMD static inline simd simd_store_four(uint8_t *dst, struct simd_four v)
{
    const size_t block = SIMD_BYTES;
    simd_store(dst, v.a);
    simd_store(dst + block, v.b);
    simd_store(dst + 2 * block, v.c);
    simd_store(dst + 3 * block, v.d);
    return simd_or(simd_or(v.a, v.b), simd_or(v.c, v.d));
}

/* Two blocks from the front and two up to the end, which may overlap them and
 * so are loaded before these are written: for two to four blocks. */
SIMD static inline simd simd_mask_few(uint8_t *dst, const uint8_t *src,
                                      size_t len, uint64_t word)
{
    const size_t block = SIMD_BYTES;
    simd front = simd_words(word);
    simd back = simd_words(caws__mask_turn(word, len));
    simd a = simd_xor(simd_load(src), front);
    simd b = simd_xor(simd_load(src + block), front);
    simd c = simd_xor(simd_load(src + len - 2 * block), back);
    simd d = simd_xor(simd_load(src + len - block), back);
    simd_store(dst, a);
    simd_store(dst + block, b);
    simd_store(dst + len - 2 * block, c);
    simd_store(dst + len - block, d);
    return simd_or(simd_or(a, b), simd_or(c, d));
}

/* Four and four: for four to eight blocks. */
SIMD static inline simd simd_mask_some(uint8_t *dst, const uint8_t *src,
                                       size_t len, uint64_t word)
{
    size_t back = len - 4 * SIMD_BYTES;
    struct simd_four a = simd_masked(src, simd_words(word));
    struct simd_four b = simd_masked(src + back,
                                     simd_words(caws__mask_turn(word, len)));
    return simd_or(simd_store_four(dst, a), simd_store_four(dst + back, b));
}

/* More than that. The last eight blocks may overlap those before them, so that
 * the loop leaves nothing over: 24 instructions less for 1 KiB than with a loop
 * over single blocks. The first one may overlap those behind it, so that these
 * can be aligned: 134 to 218 GB/s. */
SIMD_COPIED simd simd_mask_many(uint8_t *dst, const uint8_t *src, size_t len,
                                uint64_t word)
{
    const size_t block = SIMD_BYTES, half = 4 * block;
    size_t i = block - ((uintptr_t)dst & (block - 1)), end = len - 2 * half;
    simd back = simd_words(caws__mask_turn(word, len));
    struct simd_four y = simd_masked(src + end, back);
    struct simd_four z = simd_masked(src + end + half, back);
    simd seen = simd_xor(simd_load(src), simd_words(word));
    simd key = simd_words(caws__mask_turn(word, i));
    simd first = seen;
    for (; i < end; i += 2 * half) {
        simd a = simd_mask_four(dst + i, src + i, key);
        simd b = simd_mask_four(dst + i + half, src + i + half, key);
        seen = simd_or(seen, simd_or(a, b));
    }
    simd_store(dst, first);
    seen = simd_or(seen, simd_store_four(dst + end, y));
    return simd_or(seen, simd_store_four(dst + end + half, z));
}

SIMD_APART bool simd_many(uint8_t *dst, const uint8_t *src, size_t len,
                          uint64_t word)
{
    simd_mask_many(dst, src, len, word);
    return false;
}

SIMD_APART bool simd_many_ascii(uint8_t *dst, const uint8_t *src, size_t len,
                                uint64_t word)
{
    return simd_is_ascii(simd_mask_many(dst, src, len, word));
}

SIMD bool caws__wide_mask(uint8_t *dst, const uint8_t *src, size_t len,
                          uint64_t word)
{
    if (len > 8 * SIMD_BYTES)
        return simd_many(dst, src, len, word);
    if (len > 4 * SIMD_BYTES)
        simd_mask_some(dst, src, len, word);
    else
        simd_mask_few(dst, src, len, word);
    return false;
}

SIMD bool caws__wide_mask_ascii(uint8_t *dst, const uint8_t *src, size_t len,
                                uint64_t word)
{
    if (len > 8 * SIMD_BYTES)
        return simd_many_ascii(dst, src, len, word);
    if (len > 4 * SIMD_BYTES)
        return simd_is_ascii(simd_mask_some(dst, src, len, word));
    return simd_is_ascii(simd_mask_few(dst, src, len, word));
}

/* ---- UTF-8 --------------------------------------------------------------- */

/* How two neighbouring bytes can be wrong. Each table below says for one half
 * byte which of these it allows for; what all three allow for is the case.
 * (J. Keiser, D. Lemire: Validating UTF-8 in less than one instruction per
 * byte, 2021.) */
#define LONE      0x01u /* a lead, and no continuation after it            */
#define STRAY     0x02u /* ASCII, and a continuation after it              */
#define OVERLONG3 0x04u /* E0 80 to 9F                                     */
#define TOO_LARGE 0x08u /* F4 90 to BF, F5 to FF 90 to BF                  */
#define SURROGATE 0x10u /* ED A0 to BF                                     */
#define OVERLONG2 0x20u /* C0 or C1                                        */
#define BEYOND    0x40u /* F0 80 to 8F, or F5 to FF 80 to 8F               */
#define SECOND    0x80u /* two continuations: right in the third or fourth */
#define ANY       (LONE | STRAY | SECOND)
#define AFTER     (STRAY | OVERLONG2 | SECOND)

static const uint8_t first_high[16] = {
    STRAY, STRAY, STRAY, STRAY, STRAY, STRAY, STRAY, STRAY,
    SECOND, SECOND, SECOND, SECOND,
    LONE | OVERLONG2,
    LONE,
    LONE | OVERLONG3 | SURROGATE,
    LONE | TOO_LARGE | BEYOND,
};
static const uint8_t first_low[16] = {
    ANY | OVERLONG3 | OVERLONG2 | BEYOND,
    ANY | OVERLONG2,
    ANY,
    ANY,
    ANY | TOO_LARGE,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND | SURROGATE,
    ANY | TOO_LARGE | BEYOND,
    ANY | TOO_LARGE | BEYOND,
};
static const uint8_t second_high[16] = {
    LONE, LONE, LONE, LONE, LONE, LONE, LONE, LONE,
    AFTER | OVERLONG3 | BEYOND,
    AFTER | OVERLONG3 | TOO_LARGE,
    AFTER | SURROGATE | TOO_LARGE,
    AFTER | SURROGATE | TOO_LARGE,
    LONE, LONE, LONE, LONE,
};

/* Not 0 where v, behind prev, is not UTF-8. */
SIMD static inline simd simd_wrong(simd v, simd prev)
{
    simd before = simd_before(v, prev, 1);
    simd low = simd_and(before, simd_bytes(0x0f));
    simd pairs = simd_and(simd_look_up(first_high, simd_high_half(before)),
                          simd_and(simd_look_up(first_low, low),
                                   simd_look_up(second_high,
                                                simd_high_half(v))));
    simd third = simd_less(simd_before(v, prev, 2), simd_bytes(0xe0 - 0x80));
    simd fourth = simd_less(simd_before(v, prev, 3), simd_bytes(0xf0 - 0x80));
    simd must = simd_and(simd_or(third, fourth), simd_bytes(SECOND));
    return simd_xor(must, pairs);
}

/* How many of the bytes before p begin a code point that goes on at p. */
static size_t simd_unfinished(const uint8_t *p)
{
    static const uint8_t leads[] = { 0xc0, 0xe0, 0xf0 };
    size_t n = 1;
    while (n < 3 && *(p - n) < 0xc0 && *(p - n) >= 0x80)
        n++;
    return *(p - n) >= leads[n - 1] ? n : 0;
}

/* How many blocks of ASCII, in fours, are at the front: in bytes. */
SIMD static inline size_t simd_ascii_run(const uint8_t *p, size_t len)
{
    const size_t block = SIMD_BYTES;
    size_t i = 0;
    for (; len - i >= 4 * block; i += 4 * block) {
        simd ab = simd_or(simd_load(p + i), simd_load(p + i + block));
        simd cd = simd_or(simd_load(p + i + 2 * block),
                          simd_load(p + i + 3 * block));
        if (!simd_is_ascii(simd_or(ab, cd)))
            break;
    }
    return i;
}

SIMD size_t caws__wide_utf8(const uint8_t *p, size_t len, bool *ok)
{
    const size_t block = SIMD_BYTES;
    simd zero = simd_bytes(0), wrong = zero, prev = zero;
    size_t i = 0;
    while (len - i >= 2 * block) {
        simd a = simd_load(p + i), b = simd_load(p + i + block);
        i += 2 * block;
        /* Behind ASCII nothing is unfinished. */
        if (simd_is_ascii(simd_or(simd_or(a, b), prev)))
            i += simd_ascii_run(p + i, len - i);
        else
            wrong = simd_or(wrong,
                            simd_or(simd_wrong(a, prev), simd_wrong(b, a)));
        prev = b;
    }
    *ok = !simd_any(wrong);
    return i - simd_unfinished(p + i);
}

#endif
