/* XOR with the masking key (RFC 6455 section 5.3). */
#ifndef CAWS__MASK_H
#define CAWS__MASK_H

#include <stddef.h>
#include <stdint.h>

/* Octet i of data is XORed with octet (phase + i) mod 4 of key: phase is the
 * octet's place in its frame's payload, so a payload may come in pieces. */
void caws__mask(uint8_t *data, size_t len, const uint8_t key[4], size_t phase);

/* The same while copying; dst and src do not overlap. */
void caws__mask_copy(uint8_t *dst, const uint8_t *src, size_t len,
                     const uint8_t key[4], size_t phase);

#endif
