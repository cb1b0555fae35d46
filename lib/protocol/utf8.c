#include "protocol/utf8.h"

#include <string.h>

#include "protocol/simd.h"

/* How many bytes at the front of p are ASCII. */
static size_t utf8_ascii(const uint8_t *p, size_t len)
{
    size_t i = 0;
    for (; len - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, sizeof w);
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < len && p[i] < 0x80)
        i++;
    return i;
}

/* The table of RFC 3629 section 4. That a form is overlong, a surrogate or
 * above U+10FFFF shows in the second byte, so its range depends on the lead. */
static bool utf8_lead(struct caws__utf8 *u, uint8_t c)
{
    if (c < 0xc2 || c > 0xf4)
        return false;
    u->need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
}

static bool utf8_continue(struct caws__utf8 *u, uint8_t c)
{
    if (c < u->low || c > u->high)
        return false;
    u->need--;
    u->low = 0x80;
    u->high = 0xbf;
    return true;
}

bool caws__utf8_bytes(struct caws__utf8 *u, const uint8_t *p, size_t len)
{
    struct caws__utf8 s = *u; /* kept in registers */
    size_t i = 0;
    bool ok = true;
    while (i < len && ok) {
        if (s.need > 0)
            ok = utf8_continue(&s, p[i++]);
        else if (p[i] < 0x80)
            i += utf8_ascii(p + i, len - i);
        else
            ok = utf8_lead(&s, p[i++]);
    }
    *u = s;
    return ok;
}

#ifdef CAWS__WIDE
/* A code point that was cut before, whole blocks, and what is left over. */
static bool utf8_wide(struct caws__utf8 *u, const uint8_t *p, size_t len)
{
    size_t cut = u->need, blocks;
    bool ok;
    if (!caws__utf8_bytes(u, p, cut))
        return false;
    blocks = caws__wide_utf8(p + cut, len - cut, &ok);
    return ok && caws__utf8_bytes(u, p + cut + blocks, len - cut - blocks);
}
#endif

bool caws__utf8_check(struct caws__utf8 *u, const void *data, size_t len)
{
    static bool (*const by[])(struct caws__utf8 *state, const uint8_t *p,
                              size_t n) = {
        caws__utf8_bytes,
#ifdef CAWS__WIDE
        utf8_wide,
#endif
    };
    if (len < CAWS__WIDE_MIN + 3)
        return caws__utf8_bytes(u, data, len);
    return by[caws__simd()](u, data, len);
}

bool caws__utf8_valid(const void *data, size_t len)
{
    struct caws__utf8 u = { 0, 0, 0 };
    return caws__utf8_check(&u, data, len) && caws__utf8_complete(&u);
}
