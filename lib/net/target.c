#include "net/target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/memory.h"

static const char target_unix[] = "ws+unix:";
static const char target_localhost[] = "ws://localhost";

/* A host and port from a ws: URL. */
static int target_place(struct caws__place *place, const char *url)
{
    caws_url parsed;

    if (caws_url_parse(url, &parsed) != CAWS_OK || parsed.secure ||
        parsed.host.len >= sizeof place->host)
        return CAWS_ERR_URL;
    memcpy(place->host, parsed.host.data, parsed.host.len);
    place->host[parsed.host.len] = '\0';
    place->path[0] = '\0';
    place->port = parsed.port;
    return CAWS_OK;
}

/* The URL of target is a and then b. */
static int target_join(struct caws__target *target, const caws_alloc *alloc,
                       caws_slice a, caws_slice b)
{
    size_t size = a.len + b.len + 1;

    target->url = caws__memory(alloc, NULL, 0, size);
    if (!target->url)
        return CAWS_ERR_NOMEM;
    target->size = size;
    memcpy(target->url, a.data, a.len);
    memcpy(target->url + a.len, b.data, b.len);
    target->url[size - 1] = '\0';
    int result = target_place(&target->place, target->url);
    if (result < 0)
        caws__target_free(target, alloc);
    return result;
}

static caws_slice target_slice(const char *text)
{
    return (caws_slice){ text, strlen(text) };
}

/* The path of the socket ends at a colon; what follows is the target of a
 * request, which goes to "localhost". */
static int target_parse_unix(struct caws__target *target,
                             const caws_alloc *alloc, const char *text)
{
    size_t len = strcspn(text, ":");
    const char *rest = text + len + (text[len] == ':');

    if (len == 0 || len >= sizeof target->place.path ||
        (*rest && *rest != '/' && *rest != '?'))
        return CAWS_ERR_URL;
    int result = target_join(target, alloc, target_slice(target_localhost),
                             target_slice(rest));
    if (result < 0)
        return result;
    memcpy(target->place.path, text, len);
    target->place.path[len] = '\0';
    return CAWS_OK;
}

int caws__target_parse(struct caws__target *target, const caws_alloc *alloc,
                       const char *text)
{
    size_t scheme = sizeof target_unix - 1;

    if (!text)
        return CAWS_ERR_URL;
    if (strncasecmp(text, target_unix, scheme) == 0)
        return target_parse_unix(target, alloc, text + scheme);
    return target_join(target, alloc, target_slice(text), target_slice(""));
}

void caws__target_free(struct caws__target *target, const caws_alloc *alloc)
{
    if (target->url)
        caws__memory(alloc, target->url, target->size, 0);
    target->url = NULL;
}

int caws__target_proxy(struct caws__place *place, const char *text)
{
    char url[sizeof place->host + 32];
    caws_url parsed;
    int n;

    if (strncasecmp(text, "http://", 7) != 0)
        return CAWS_ERR_URL;
    n = snprintf(url, sizeof url, "ws%s", text + 4);
    if (n < 0 || (size_t)n >= sizeof url ||
        caws_url_parse(url, &parsed) != CAWS_OK || parsed.target.len != 1 ||
        parsed.target.data[0] != '/')
        return CAWS_ERR_URL;
    return target_place(place, url);
}

/* How much of it is the scheme: that of "http://" or "ws://", or of none, as
 * in "//host/path". -1: it is not an absolute URL that can be followed. */
static int target_scheme(caws_slice location)
{
    static const char *const schemes[] = { "http:", "ws:", "" };

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i]);

        if (location.len > len + 2 &&
            strncasecmp(location.data, schemes[i], len) == 0 &&
            memcmp(location.data + len, "//", 2) == 0)
            return (int)len;
    }
    return -1;
}

int caws__target_follow(struct caws__target *to, const caws_alloc *alloc,
                        const struct caws__target *from, caws_slice location)
{
    const char *fragment;
    bool local = from->place.path[0] != '\0';
    int scheme;
    int result;

    if (!location.data || memchr(location.data, '\0', location.len))
        return CAWS_ERR_URL;
    fragment = memchr(location.data, '#', location.len);
    if (fragment)
        location.len = (size_t)(fragment - location.data);
    scheme = target_scheme(location);
    if (scheme >= 0) {
        /* From a Unix-domain socket out into the network? No. */
        if (local)
            return CAWS_ERR_URL;
        location.data += scheme;
        location.len -= (size_t)scheme;
        return target_join(to, alloc, target_slice("ws:"), location);
    }
    if (location.len == 0 || *location.data != '/')
        return CAWS_ERR_URL;
    result = target_join(
        to, alloc,
        (caws_slice){ from->url, 5 + strcspn(from->url + 5, "/?") }, location);
    if (result == CAWS_OK)
        to->place = from->place;
    return result;
}

bool caws__target_is_same(const struct caws__place *a,
                          const struct caws__place *b)
{
    return strcasecmp(a->host, b->host) == 0 && a->port == b->port &&
           strcmp(a->path, b->path) == 0;
}
