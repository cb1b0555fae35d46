/* Slices of text as HTTP has them: tokens, lists, comparisons. */
#ifndef CAWS__TEXT_H
#define CAWS__TEXT_H

#include <caws.h>

/* ASCII letters only, never the locale's (section 2.1). */
bool caws__same_text(caws_slice a, caws_slice b);
bool caws__same(caws_slice a, const char *b);
bool caws__equal(caws_slice a, caws_slice b); /* to the byte */
caws_slice caws__slice(const char *text);     /* NULL gives data NULL */
caws_slice caws__trim(caws_slice text);       /* spaces and tabs */
bool caws__is_token(caws_slice text);         /* RFC 9110 section 5.6.2 */
size_t caws__token_len(caws_slice text);      /* of the token it starts with */
bool caws__is_space(char c);                  /* space or tab */
bool caws__is_visible(caws_slice text);       /* "!" to "~" alone */
static inline bool caws__is_control(char c)   /* all but the tab */
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}
/* No control character but the tab: fit for a field's value. */
bool caws__is_field_value(caws_slice text);

/* Walk a comma-separated list, empty elements left out. */
bool caws__list_next(caws_slice *rest, caws_slice *element);

/* Is a Sec-WebSocket-Extensions value well formed (section 9.1)? An empty one
 * is not. */
bool caws__extensions_valid(caws_slice value);

#endif
