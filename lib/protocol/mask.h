/* XOR with the masking key (RFC 6455 section 5.3): octet i of data goes with
 * octet (phase + i) mod 4 of the key. phase is the octet's place in its frame's
 * payload, so a payload may come in pieces. */
#ifndef CAWS__MASK_H
#define CAWS__MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/simd.h"

/* ---- A key as a word ---------------------------------------------------- */

/* The key, or a word like it, turned to begin so many octets later. */
static inline uint64_t caws__mask_turn(uint64_t word, size_t octets)
{
    unsigned bits = (unsigned)octets * 8; /* the word repeats after 32 */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return word << (bits & 63) | word >> (-bits & 63);
#else
    return word >> (bits & 63) | word << (-bits & 63);
#endif
}

/* The key twice over, as it lies in memory. */
static inline uint64_t caws__mask_word(const uint8_t key[4], size_t phase)
{
    uint32_t half;
    memcpy(&half, key, sizeof half);
    return caws__mask_turn((uint64_t)half << 32 | half, phase);
}

/* ---- Payloads: dst is src, or they do not overlap ------------------------ */

#define CAWS__MASK_HIGH UINT64_C(0x8080808080808080) /* 0 in ASCII */

/* A word at a time, for 8 bytes or more. The last word may overlap the one
 * before it, so it is loaded before that is written: a loop over up to 7 bytes
 * would cost more than all the rest. Returns whether all that came out is
 * ASCII, which saves the UTF-8 check a pass over it. */
static inline bool caws__mask_words(uint8_t *dst, const uint8_t *src,
                                    size_t len, uint64_t word)
{
    uint8_t *end = dst + len - 8;
    uint64_t last, high, w;
    memcpy(&last, src + len - 8, sizeof last);
    high = last ^= caws__mask_turn(word, len);
    do { /* even where the first word is the last: 2 instructions less */
        memcpy(&w, src, sizeof w);
        w ^= word;
        memcpy(dst, &w, sizeof w);
        high |= w;
        dst += 8;
        src += 8;
    } while (dst < end);
    memcpy(end, &last, sizeof last);
    return !(high & CAWS__MASK_HIGH);
}

/* The portable way for more of them. The first does not look at what comes
 * out, and returns false. */
bool caws__mask_blocks(uint8_t *dst, const uint8_t *src, size_t len,
                       uint64_t word);
bool caws__mask_blocks_ascii(uint8_t *dst, const uint8_t *src, size_t len,
                             uint64_t word);

/* Any length, the best way. */
void caws__mask_any(uint8_t *dst, const uint8_t *src, size_t len,
                    uint64_t word);
bool caws__mask_any_ascii(uint8_t *data, size_t len, uint64_t word);

/* Where words are the best way, and so quick that asking would show. */
static inline bool caws__mask_is_short(size_t len)
{
    return len - 8 < CAWS__WIDE_MIN - 8;
}

static inline void caws__mask_copy(uint8_t *dst, const uint8_t *src, size_t len,
                                   const uint8_t key[4], size_t phase)
{
    if (caws__mask_is_short(len))
        caws__mask_words(dst, src, len, caws__mask_word(key, phase));
    else
        caws__mask_any(dst, src, len, caws__mask_word(key, phase));
}

static inline void caws__mask(uint8_t *data, size_t len, const uint8_t key[4],
                              size_t phase)
{
    caws__mask_copy(data, data, len, key, phase);
}

/* caws__mask, and is all of it ASCII now? */
static inline bool caws__mask_ascii(uint8_t *data, size_t len,
                                    const uint8_t key[4], size_t phase)
{
    if (caws__mask_is_short(len))
        return caws__mask_words(data, data, len, caws__mask_word(key, phase));
    return caws__mask_any_ascii(data, len, caws__mask_word(key, phase));
}

#endif
