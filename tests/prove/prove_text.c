/* Slices of 0 to 8 bytes: tokens, trimming, comparisons, lists, extensions.
 * files: text
 * apart: caws__token_len caws__trim text_skip_spaces text_skip simple_memchr
 *   caws__list_next text_quoted_token_len text_read_extension */
#include "prove.h"

#include "protocol/text.h"

#define MAX_LEN 8

static void look_at(caws_slice text)
{
    caws_slice trimmed = caws__trim(text);
    size_t n = caws__token_len(text);
    //@ assert n <= text.len;
    bool is_token = caws__is_token(text);
    //@ assert is_token ==> text.len > 0;
    caws__is_visible(text);
    caws__is_field_value(text);
    //@ assert \valid_read(trimmed.data + (0 .. trimmed.len - 1));
    caws__same(text, "chat");
    caws__equal(text, caws__slice("chat"));
    caws__equal(text, trimmed);
}

static void walk(caws_slice text)
{
    caws_slice element;
    while (caws__list_next(&text, &element)) {
        //@ assert element.len > 0;
        //@ assert \valid_read(element.data + (0 .. element.len - 1));
    }
}

int main(void)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        caws_slice text = { unknown(len), len };
        look_at(text);
        walk(text);
        caws__extensions_valid(text);
    }
    caws__slice(NULL);
    return 0;
}
