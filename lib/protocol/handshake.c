#include "protocol/handshake.h"

#include <string.h>

#include "protocol/base64.h"
#include "protocol/sha1.h"
#include "protocol/url.h"

void caws__opening_free(struct caws__opening *o, const caws_alloc *alloc)
{
    if (!o)
        return;
    caws__head_free(&o->head, alloc);
    caws__buffer_free(&o->headers, alloc);
    caws__buffer_free(&o->body, alloc);
    caws__buffer_free(&o->type, alloc);
    caws__resize(alloc, o, sizeof *o, 0);
}

/* The key is hashed as it was sent, and need not be decoded (4.2.2). */
int caws_accept_key(const char *key, size_t len, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[CAWS__KEY_LEN + sizeof guid - 1];
    uint8_t digest[20];
    if (!key || !out || len != CAWS__KEY_LEN || !caws__base64_is(key, len, 16))
        return CAWS_ERR_ARG;
    memcpy(text, key, CAWS__KEY_LEN);
    memcpy(text + CAWS__KEY_LEN, guid, sizeof guid - 1);
    caws__sha1(text, sizeof text, digest);
    caws__base64_encode(digest, sizeof digest, out);
    return CAWS_OK;
}

/* ---- Writing ----------------------------------------------------------- */

void caws__put_slice(struct caws__writer *w, caws_slice text)
{
    if (w->result == CAWS_OK)
        w->result = caws__buffer_add(w->out, w->alloc, text.data, text.len);
}

void caws__put(struct caws__writer *w, const char *text)
{
    caws__put_slice(w, caws__slice(text));
}

void caws__put_number(struct caws__writer *w, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    caws__put_slice(w, (caws_slice){ digits + at, sizeof digits - at });
}

void caws__put_field(struct caws__writer *w, const char *name,
                     caws_slice value)
{
    caws__put(w, name);
    caws__put(w, ": ");
    caws__put_slice(w, value);
    caws__put(w, "\r\n");
}

/* ---- What the application supplies ------------------------------------- */

int caws__header_check(caws_slice name, caws_slice value)
{
    static const char *const ours[] = {
        "Host",           "Origin",       "Connection",        "Upgrade",
        "Content-Length", "Content-Type", "Transfer-Encoding", "Expect"
    };
    static const char prefix[] = "Sec-WebSocket-";
    caws_slice start = { name.data, sizeof prefix - 1 };
    if (!caws__is_token(name) || !caws__is_field_value(value))
        return CAWS_ERR_ARG;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (caws__same(name, ours[i]))
            return CAWS_ERR_ARG;
    return name.len >= start.len && caws__same(start, prefix) ? CAWS_ERR_ARG
                                                              : CAWS_OK;
}

/* config.headers: whole lines, each ending in CRLF. */
static int handshake_check_lines(const char *lines)
{
    int result = CAWS_OK;
    while (lines && *lines && result == CAWS_OK) {
        const char *end = strstr(lines, "\r\n");
        const char *colon = strchr(lines, ':');
        if (!end || !colon || colon > end)
            return CAWS_ERR_ARG;
        result = caws__header_check(
            (caws_slice){ lines, (size_t)(colon - lines) },
            (caws_slice){ colon + 1, (size_t)(end - colon) - 1 });
        lines = end + 2;
    }
    return result;
}

static unsigned handshake_count(caws_slice list, caws_slice name)
{
    caws_slice e;
    unsigned n = 0;
    while (caws__list_next(&list, &e))
        n += caws__equal(e, name);
    return n;
}

/* Unique tokens (4.1). */
static int handshake_check_subprotocols(const char *names)
{
    caws_slice rest = caws__slice(names), e;
    unsigned n = 0;
    for (; caws__list_next(&rest, &e); n++)
        if (n == CAWS__MAX_TOKENS || !caws__is_token(e) ||
            handshake_count(caws__slice(names), e) != 1)
            return CAWS_ERR_ARG;
    return names && n == 0 ? CAWS_ERR_ARG : CAWS_OK;
}

/* A pattern would be taken to the letter, and match nothing. */
static bool handshake_is_host(caws_slice text)
{
    caws_slice host, port;
    return caws__url_authority(text, &host, &port) &&
           !memchr(host.data, '*', host.len);
}

/* "null", or a scheme and what follows its "://", which for web pages is a
 * host (RFC 6454 section 6.2). */
static bool handshake_is_origin(caws_slice text)
{
    caws_slice scheme = { text.data, 0 }, rest;
    if (!caws__is_visible(text))
        return false;
    if (caws__same(text, "null"))
        return true;
    while (scheme.len < text.len && text.data[scheme.len] != ':')
        scheme.len++;
    rest = (caws_slice){ text.data + scheme.len, text.len - scheme.len };
    if (!caws__is_token(scheme) || rest.len < 3 ||
        memcmp(rest.data, "://", 3) != 0)
        return false;
    rest = (caws_slice){ rest.data + 3, rest.len - 3 };
    return handshake_is_host(rest) ||
           (!caws__same(scheme, "http") && !caws__same(scheme, "https"));
}

/* NULL, "*", or a list that is not empty. */
static int handshake_check_list(const char *list, bool (*is)(caws_slice))
{
    caws_slice rest = caws__slice(list), e;
    int n = 0;
    if (!list || strcmp(list, "*") == 0)
        return CAWS_OK;
    for (; caws__list_next(&rest, &e); n = 1)
        if (!is(e))
            return CAWS_ERR_ARG;
    return n ? CAWS_OK : CAWS_ERR_ARG;
}

int caws__handshake_check(const caws_config *cfg)
{
    caws_slice origin = caws__slice(cfg->origin);
    if (cfg->origin && (origin.len == 0 || !caws__is_field_value(origin)))
        return CAWS_ERR_ARG;
    if (cfg->path && cfg->path[0] != '/')
        return CAWS_ERR_ARG;
    if (handshake_check_lines(cfg->headers) != CAWS_OK ||
        handshake_check_list(cfg->hosts, handshake_is_host) != CAWS_OK ||
        handshake_check_list(cfg->origins, handshake_is_origin) != CAWS_OK)
        return CAWS_ERR_ARG;
    return handshake_check_subprotocols(cfg->subprotocols);
}
