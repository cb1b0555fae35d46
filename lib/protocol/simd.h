/* Vectors wider than those that a compiler makes of plain words by itself:
 * AVX2 where the processor has it, and NEON. Each function here does what its
 * portable twin does, in mask.c and utf8.c, for CAWS__WIDE_MIN bytes or more.
 * -DCAWS_NO_SIMD leaves them out. */
#ifndef CAWS__SIMD_H
#define CAWS__SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(CAWS_NO_SIMD) && !defined(__FRAMAC__)
#if defined(__x86_64__) && !defined(_WIN32) /* where stacks are not aligned */
#define CAWS__AVX2 1
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CAWS__NEON 1
#endif
#endif

#define CAWS__WIDE_MIN 64u /* below it, words are faster */

/* The index of what to use: 0 the portable function, 1 the wide one. */
static inline unsigned caws__simd(void)
{
#if defined(CAWS__AVX2)
    return __builtin_cpu_supports("avx2") != 0;
#elif defined(CAWS__NEON)
    return 1;
#else
    return 0;
#endif
}

#if defined(CAWS__AVX2) || defined(CAWS__NEON)
#define CAWS__WIDE 1

/* caws__mask_blocks, as fast as memcpy instead of a third of that; the first
 * does not look at what comes out, and returns false. */
bool caws__wide_mask(uint8_t *dst, const uint8_t *src, size_t len,
                     uint64_t word);
bool caws__wide_mask_ascii(uint8_t *dst, const uint8_t *src, size_t len,
                           uint64_t word);

/* Checks whole blocks at the front of p, where a code point begins. Returns
 * how many bytes of p that was, up to the end of a code point; *ok becomes
 * false where they are not UTF-8. */
size_t caws__wide_utf8(const uint8_t *p, size_t len, bool *ok);
#endif

#endif
