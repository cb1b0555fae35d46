#include "protocol/text.h"

#include <string.h>

static char text_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

caws_slice caws__slice(const char *text)
{
    return (caws_slice){ text, text ? strlen(text) : 0 };
}

bool caws__equal(caws_slice a, caws_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool caws__same_text(caws_slice a, caws_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (a.data[i] != b.data[i] &&
            text_lower(a.data[i]) != text_lower(b.data[i]))
            return false;
    return true;
}

bool caws__same(caws_slice a, const char *b)
{
    return caws__same_text(a, caws__slice(b));
}

bool caws__is_space(char c)
{
    return c == ' ' || c == '\t';
}

caws_slice caws__trim(caws_slice text)
{
    while (text.len > 0 && caws__is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && caws__is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

static bool text_is_tchar(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

size_t caws__token_len(caws_slice text)
{
    size_t n = 0;
    while (n < text.len && text_is_tchar(text.data[n]))
        n++;
    return n;
}

bool caws__is_token(caws_slice text)
{
    return text.len > 0 && caws__token_len(text) == text.len;
}

bool caws__is_visible(caws_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

bool caws__is_field_value(caws_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (caws__is_control(text.data[i]))
            return false;
    return true;
}

static caws_slice text_skip(caws_slice text, size_t n)
{
    return (caws_slice){ text.data + n, text.len - n };
}

/* ---- Lists (RFC 9110 section 5.6.1) ------------------------------------ */

bool caws__list_next(caws_slice *rest, caws_slice *element)
{
    while (rest->len > 0) {
        const char *comma = memchr(rest->data, ',', rest->len);
        size_t n = comma ? (size_t)(comma - rest->data) : rest->len;
        *element = caws__trim((caws_slice){ rest->data, n });
        *rest = text_skip(*rest, comma ? n + 1 : n);
        if (element->len > 0)
            return true;
    }
    return false;
}

/* The length of a quoted-string at the start of text whose content is a token
 * once its backslashes are gone (RFC 6455 section 9.1), 0 if there is none. */
static size_t text_quoted_token_len(caws_slice text)
{
    size_t i = 1, content = 0;
    for (; i < text.len && text.data[i] != '"'; i++, content++) {
        if (text.data[i] == '\\')
            i++;
        if (i >= text.len || !text_is_tchar(text.data[i]))
            return 0;
    }
    return i < text.len && content > 0 ? i + 1 : 0;
}

static caws_slice text_skip_spaces(caws_slice text)
{
    while (text.len > 0 && caws__is_space(text.data[0]))
        text = text_skip(text, 1);
    return text;
}

/* One extension with its parameters: token *( ";" token [ "=" value ] ).
 * Leaves *rest at what follows it; false if it is malformed. */
static bool text_read_extension(caws_slice *rest)
{
    size_t n = caws__token_len(*rest);
    while (n > 0) {
        *rest = text_skip_spaces(text_skip(*rest, n));
        if (rest->len == 0 || rest->data[0] != ';')
            return true;
        *rest = text_skip_spaces(text_skip(*rest, 1));
        n = caws__token_len(*rest);
        if (n > 0 && n + 1 < rest->len && rest->data[n] == '=') {
            *rest = text_skip(*rest, n + 1);
            n = rest->data[0] == '"' ? text_quoted_token_len(*rest)
                                     : caws__token_len(*rest);
        }
    }
    return false;
}

bool caws__extensions_valid(caws_slice value)
{
    caws_slice rest = value;
    bool any = false;
    while ((rest = text_skip_spaces(rest)).len > 0) {
        if (rest.data[0] != ',') {
            if (!text_read_extension(&rest))
                return false;
            any = true;
            if (rest.len > 0 && rest.data[0] != ',')
                return false;
        }
        if (rest.len > 0)
            rest = text_skip(rest, 1);
    }
    return any;
}
