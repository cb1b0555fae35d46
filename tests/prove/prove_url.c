/* URLs of any 0 to 7 bytes, also after a scheme and in brackets; and authorities
 * and targets of as many.
 * files: url
 * apart: url_host_end url_port url_split caws__url_authority url_scheme
 *   url_escape url_host_valid url_name_valid caws_url_parse simple_memchr
 *   simple_strlen simple_strcspn simple_strncmp */
#include "prove.h"

#include "protocol/url.h"

#define MAX_LEN 7

static char *unknown_string(const char *first, size_t len)
{
    size_t n = strlen(first);
    char *text = malloc(n + len + 1);
    memcpy(text, first, n);
    if (len > 0)
        Frama_C_make_unknown(text + n, len);
    text[n + len] = '\0';
    return text;
}

static void parse(const char *first, size_t len)
{
    caws_url url;
    const char *text = unknown_string(first, len);
    if (caws_url_parse(text, &url) == CAWS_OK) {
        //@ assert url.port > 0;
        //@ assert \valid_read(url.host.data + (0 .. url.host.len - 1));
        //@ assert \valid_read(url.target.data + (0 .. url.target.len - 1));
    }
}

static void look_at(caws_slice text)
{
    caws_slice host, port;
    caws__url_target_valid(text);
    if (caws__url_authority(text, &host, &port)) {
        //@ assert \valid_read(host.data + (0 .. host.len - 1));
    }
}

int main(void)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        caws_slice text = { unknown(len), len };
        parse("", len);
        parse("ws://", len);
        parse("wss://[", len);
        look_at(text);
    }
    return 0;
}
