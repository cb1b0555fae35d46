#include "model.h"

/* How many bytes a code point takes that starts with c, and its first bits. */
static int lead(uint8_t c, uint32_t *bits)
{
    if (c < 0x80)
        return 1;
    if (c >> 5 == 6)
        return *bits = c & 0x1f, 2;
    if (c >> 4 == 14)
        return *bits = c & 0x0f, 3;
    if (c >> 3 == 30)
        return *bits = c & 0x07, 4;
    return 0;
}

/* n of its bytes have come, and bits is what they say: may others be put behind
 * them, so that a scalar value comes out that needs this many bytes? */
static bool hopeful(uint32_t bits, int n, int size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t low = bits << 6 * (size - n);
    uint32_t high = low + (1u << 6 * (size - n)) - 1;
    low = low < least[size] ? least[size] : low;
    high = high > 0x10ffff ? 0x10ffff : high;
    return low <= high && !(low >= 0xd800 && high <= 0xdfff);
}

enum model_text model_utf8(const uint8_t *data, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint32_t code = 0;
        int size = lead(data[i], &code), n = 1;
        if (size == 1) {
            i++;
            continue;
        }
        if (size == 0 || !hopeful(code, 1, size))
            return MODEL_INVALID;
        for (; n < size && i + (size_t)n < len; n++) {
            if (data[i + (size_t)n] >> 6 != 2)
                return MODEL_INVALID;
            code = code << 6 | (data[i + (size_t)n] & 0x3f);
            if (!hopeful(code, n + 1, size))
                return MODEL_INVALID;
        }
        if (n < size)
            return MODEL_CUT;
        i += (size_t)size;
    }
    return MODEL_VALID;
}

/* Section 7.4.2 and the registry: 1004 to 1006 and 1015 are reserved, and so is
 * what has no entry below 3000; 3000 to 4999 is for all. */
bool model_code(unsigned code)
{
    static const unsigned registered[] = { 1000, 1001, 1002, 1003, 1007, 1008,
                                           1009, 1010, 1011, 1012, 1013, 1014 };
    for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
        if (code == registered[i])
            return true;
    return code / 1000 == 3 || code / 1000 == 4;
}

/* Policy: the code is judged before the reason. */
int model_close(const uint8_t *data, size_t len, unsigned *code)
{
    *code = CAWS_CLOSE_NO_STATUS;
    if (len == 0)
        return CAWS_OK;
    *code = len == 1 ? 0 : data[0] * 256u + data[1];
    if (!model_code(*code))
        return CAWS_ERR_PROTOCOL;
    return model_utf8(data + 2, len - 2) == MODEL_VALID ? CAWS_OK : CAWS_ERR_UTF8;
}
