/* Payloads of 0 to 80 bytes, at any phase, by any key.
 * files: mask */
#include "prove.h"

#include "protocol/mask.h"

#define MAX_LEN 80

int main(void)
{
    const uint8_t *key = unknown(4);
    size_t phase = Frama_C_unsigned_long_interval(0, SIZE_MAX);
    for (size_t len = 0; len <= MAX_LEN; len++) {
        uint8_t *src = unknown(len), *dst = malloc(len);
        caws__mask_copy(dst, src, len, key, phase);
        caws__mask(src, len, key, phase);
        caws__mask_ascii(src, len, key, phase);
        //@ assert \initialized(dst + (0 .. len - 1));
        free(dst);
        free(src);
    }
    return 0;
}
