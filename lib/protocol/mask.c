#include "protocol/mask.h"

#include <string.h>

/* One 32-byte step: all loads stand before all stores, so that a compiler can
 * make vectors of it even where dst is src. */
static inline void mask_block(uint8_t *dst, const uint8_t *src, uint64_t key)
{
    uint64_t w[4];
    memcpy(w, src, sizeof w);
    w[0] ^= key;
    w[1] ^= key;
    w[2] ^= key;
    w[3] ^= key;
    memcpy(dst, w, sizeof w);
}

static inline void mask_word(uint8_t *dst, const uint8_t *src, uint64_t key)
{
    uint64_t w;
    memcpy(&w, src, sizeof w);
    w ^= key;
    memcpy(dst, &w, sizeof w);
}

/* The key turned so that it begins at the phase. As memory, twice over, it
 * fits any 8 octets that begin at a multiple of 4, whatever the machine's byte
 * order. */
static inline uint64_t mask_turned(const uint8_t key[4], size_t phase)
{
    uint8_t turned[8];
    uint64_t word;
    for (size_t k = 0; k < sizeof turned; k++)
        turned[k] = key[(phase + k) & 3];
    memcpy(&word, turned, sizeof word);
    return word;
}

/* Section 5.3: octet i goes with key octet i mod 4. */
static inline void mask_bytes(uint8_t *dst, const uint8_t *src, size_t len,
                              const uint8_t key[4], size_t phase)
{
    size_t i = 0;
    if (len >= 8) {
        uint64_t word = mask_turned(key, phase);
        for (; len - i >= 32; i += 32)
            mask_block(dst + i, src + i, word);
        for (; len - i >= 8; i += 8)
            mask_word(dst + i, src + i, word);
    }
    for (; i < len; i++)
        dst[i] = src[i] ^ key[(phase + i) & 3];
}

void caws__mask(uint8_t *data, size_t len, const uint8_t key[4], size_t phase)
{
    mask_bytes(data, data, len, key, phase);
}

void caws__mask_copy(uint8_t *dst, const uint8_t *src, size_t len,
                     const uint8_t key[4], size_t phase)
{
    mask_bytes(dst, src, len, key, phase);
}
