/* What the vectors of AVX2 and NEON have in common, by the same names. */
#ifndef CAWS__VECTOR_H
#define CAWS__VECTOR_H

#include "protocol/simd.h"

#ifdef CAWS__AVX2
#include <immintrin.h>

#define SIMD __attribute__((target("avx2")))
#define SIMD_BYTES ((size_t)32)
typedef __m256i simd;

SIMD static inline simd simd_load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

SIMD static inline void simd_store(uint8_t *p, simd v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

SIMD static inline simd simd_words(uint64_t word)
{
    return _mm256_set1_epi64x((long long)word);
}

SIMD static inline simd simd_bytes(uint8_t byte)
{
    return _mm256_set1_epi8((char)byte);
}

SIMD static inline simd simd_xor(simd a, simd b)
{
    return _mm256_xor_si256(a, b);
}

SIMD static inline simd simd_or(simd a, simd b)
{
    return _mm256_or_si256(a, b);
}

SIMD static inline simd simd_and(simd a, simd b)
{
    return _mm256_and_si256(a, b);
}

/* Bytes less as much, but not below 0. */
SIMD static inline simd simd_less(simd a, simd b)
{
    return _mm256_subs_epu8(a, b);
}

SIMD static inline simd simd_high_half(simd v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), simd_bytes(0x0f));
}

/* A table of 16 bytes, asked for each byte of v, which is below 16. */
SIMD static inline simd simd_look_up(const uint8_t table[16], simd v)
{
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), v);
}

/* The bytes that stand n before those of v; prev is what stands before v. */
#define simd_before(v, prev, n)                                               \
    _mm256_alignr_epi8(v, _mm256_permute2x128_si256(prev, v, 0x21), 16 - (n))

SIMD static inline bool simd_any(simd v)
{
    return !_mm256_testz_si256(v, v);
}

SIMD static inline bool simd_is_ascii(simd v)
{
    return _mm256_movemask_epi8(v) == 0;
}
#endif

#ifdef CAWS__NEON
#include <arm_neon.h>

#define SIMD
#define SIMD_BYTES ((size_t)16)
typedef uint8x16_t simd;

static inline simd simd_load(const uint8_t *p)
{
    return vld1q_u8(p);
}

static inline void simd_store(uint8_t *p, simd v)
{
    vst1q_u8(p, v);
}

static inline simd simd_words(uint64_t word)
{
    return vreinterpretq_u8_u64(vdupq_n_u64(word));
}

static inline simd simd_bytes(uint8_t byte)
{
    return vdupq_n_u8(byte);
}

static inline simd simd_xor(simd a, simd b)
{
    return veorq_u8(a, b);
}

static inline simd simd_or(simd a, simd b)
{
    return vorrq_u8(a, b);
}

static inline simd simd_and(simd a, simd b)
{
    return vandq_u8(a, b);
}

static inline simd simd_less(simd a, simd b)
{
    return vqsubq_u8(a, b);
}

static inline simd simd_high_half(simd v)
{
    return vshrq_n_u8(v, 4);
}

static inline simd simd_look_up(const uint8_t table[16], simd v)
{
    return vqtbl1q_u8(vld1q_u8(table), v);
}

#define simd_before(v, prev, n) vextq_u8(prev, v, 16 - (n))

static inline bool simd_any(simd v)
{
    return vmaxvq_u8(v) > 0;
}

static inline bool simd_is_ascii(simd v)
{
    return vmaxvq_u8(v) < 0x80;
}
#endif

#ifdef CAWS__WIDE
/* Into each caller, where what he does not use costs nothing; and not into any,
 * which would have to save registers for it even if it is not called. */
#define SIMD_COPIED SIMD __attribute__((always_inline)) static inline
#define SIMD_APART  SIMD __attribute__((noinline)) static
#endif

#endif
