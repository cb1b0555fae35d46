#include "protocol/sha1.h"

#include <string.h>

static uint32_t sha1_load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
           (uint32_t)p[2] << 8 | p[3];
}

static void sha1_store(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t sha1_turn(uint32_t v, unsigned bits)
{
    return v << bits | v >> (32 - bits);
}

/* f and K of RFC 3174 section 5, as one summand. */
static uint32_t sha1_mix(int t, uint32_t b, uint32_t c, uint32_t d)
{
    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5a827999u;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1u;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    return (b ^ c ^ d) + 0xca62c1d6u;
}

/* RFC 3174 section 6.1: one block of 64 bytes. */
static void sha1_block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t t = 0; t < 16; t++)
        w[t] = sha1_load(p + 4 * t);
    for (int t = 16; t < 80; t++)
        w[t] = sha1_turn(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t next = sha1_turn(a, 5) + sha1_mix(t, b, c, d) + e + w[t];
        e = d;
        d = c;
        c = sha1_turn(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* RFC 3174 section 4: what is left of the message, a bit 1, zeros, and the
 * message's length in bits fill one block or two. */
static void sha1_finish(uint32_t h[5], const uint8_t *rest, size_t n,
                        uint64_t bits)
{
    uint8_t tail[128] = { 0 };
    size_t size = n < 56 ? 64 : 128;
    if (n > 0)
        memcpy(tail, rest, n);
    tail[n] = 0x80;
    sha1_store(tail + size - 8, (uint32_t)(bits >> 32));
    sha1_store(tail + size - 4, (uint32_t)bits);
    sha1_block(h, tail);
    if (size == 128)
        sha1_block(h, tail + 64);
}

void caws__sha1(const void *data, size_t len, uint8_t out[20])
{
    uint32_t h[5] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u,
                      0xc3d2e1f0u };
    const uint8_t *p = data;
    size_t left = len;
    for (; left >= 64; left -= 64, p += 64)
        sha1_block(h, p);
    sha1_finish(h, p, left, (uint64_t)len * 8);
    for (size_t i = 0; i < 5; i++)
        sha1_store(out + 4 * i, h[i]);
}
