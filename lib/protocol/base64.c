#include "protocol/base64.h"

#include <stdint.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"
                                      "0123456789+/";

/* 1 to 3 bytes to 4 characters. */
static void base64_group(const uint8_t *p, size_t n, char *out)
{
    uint32_t v = (uint32_t)p[0] << 16;
    if (n > 1)
        v |= (uint32_t)p[1] << 8;
    if (n > 2)
        v |= p[2];
    out[0] = base64_alphabet[v >> 18];
    out[1] = base64_alphabet[v >> 12 & 63];
    out[2] = n > 1 ? base64_alphabet[v >> 6 & 63] : '=';
    out[3] = n > 2 ? base64_alphabet[v & 63] : '=';
}

size_t caws__base64_encode(const void *data, size_t len, char *out)
{
    const uint8_t *p = data;
    size_t n = 0;
    for (size_t i = 0; i < len; i += 3, n += 4)
        base64_group(p + i, len - i < 3 ? len - i : 3, out + n);
    out[n] = '\0';
    return n;
}

static bool base64_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool caws__base64_is(const char *text, size_t len, size_t bytes)
{
    size_t pad = (3 - bytes % 3) % 3;
    if (len % 4 != 0 || len / 4 != bytes / 3 + (pad > 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (i < len - pad ? !base64_digit(text[i]) : text[i] != '=')
            return false;
    }
    return true;
}
