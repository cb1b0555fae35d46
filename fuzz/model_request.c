/* RFC 6455 sections 4.2.1 and 4.2.2: what a server answers to a whole head.
 * Policy: the checks' order is that of the lines in model_request. */
#include "model.h"

#include <string.h>

static int check_method(const char *method)
{
    static const char *const known[] = { "HEAD",    "POST",    "PUT",   "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH" };
    if (strcmp(method, "GET") == 0)
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0)
            return 405;
    return 501;
}

/* As in a Host field, where a comma would make it two. */
static bool is_host(const char *text)
{
    size_t n;
    unsigned port;
    return model_authority(text, strlen(text), &n, &port) && !memchr(text, ',', n);
}

/* RFC 9112 section 3.2: origin-form, or absolute-form, whose host then counts.
 * Policy: browsers' [ ] | ^ ` pass. */
static int check_target(const struct model_head *h, struct model_request *r)
{
    char line[MODEL_HEAD], *target, *end;
    unsigned hosts;
    const char *host = model_field(h, "Host", &hosts);
    size_t scheme = 0;
    if (hosts != 1 || !is_host(host))
        return 400;
    memcpy(r->host, host, strlen(host) + 1);
    memcpy(line, h->start, strlen(h->start) + 1);
    target = line + strcspn(line, " ") + 1; /* the line has been looked at */
    end = target + strcspn(target, " ");
    *end = '\0';
    for (size_t n = 7; n <= 8 && !scheme; n++) {
        char start[9] = "";
        strncpy(start, target, n);
        if (model_same(start, n == 7 ? "http://" : "https://") && target[n])
            scheme = n;
    }
    if (scheme) {
        size_t n = strcspn(target + scheme, "/?");
        memcpy(r->host, target + scheme, n);
        r->host[n] = '\0';
        target += scheme + n;
    }
    if (scheme && !*target)
        target = memcpy(line, "/", 2);
    memcpy(r->target, target, strlen(target) + 1);
    if (!is_host(r->host) || r->target[0] != '/')
        return 400;
    for (const char *c = r->target; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"#<>\\{}", *c))
            return 400;
    return 0;
}

static int check_body(const struct model_head *h, bool upgrade)
{
    unsigned codings, lengths;
    const char *length = model_field(h, "Content-Length", &lengths);
    model_field(h, "Transfer-Encoding", &codings);
    if (codings > 0 || lengths > 1)
        return 400;
    if (lengths == 0)
        return 0;
    if (!*length || strlen(length) > 18 || length[strspn(length, "0123456789")])
        return 400;
    return !length[strspn(length, "0")] ? 0 : upgrade ? 400 : 413;
}

static bool host_allowed(const char *hosts, const char *given)
{
    char wanted[MODEL_HEAD], bare[MODEL_HEAD];
    size_t n;
    unsigned port;
    if (!hosts || strcmp(hosts, "*") == 0)
        return true;
    model_authority(given, strlen(given), &n, &port);
    memcpy(bare, given, n);
    bare[n] = '\0';
    while (model_element(&hosts, wanted)) /* those of the target have no odd ports */
        if (model_same(wanted, given) || model_same(wanted, bare))
            return true;
    return false;
}

/* RFC 6454: same scheme's host and port, by default 80 or 443. */
static bool same_origin(const char *origin, const char *host)
{
    bool secure = strlen(origin) > 8 && strspn(origin + 4, "sS") == 1;
    char scheme[9] = "";
    size_t page_len, host_len, skip = secure ? 8 : 7;
    unsigned page_port, port, usual = secure ? 443 : 80;
    memcpy(scheme, origin, strlen(origin) < skip ? strlen(origin) : skip);
    if (!model_same(scheme, secure ? "https://" : "http://") || !is_host(origin + skip))
        return false;
    origin += skip;
    model_authority(origin, strlen(origin), &page_len, &page_port);
    model_authority(host, strlen(host), &host_len, &port);
    if (page_len != host_len || (page_port ? page_port : usual) != (port ? port : usual))
        return false;
    for (size_t i = 0; i < host_len; i++) {
        char a[2] = { origin[i], '\0' }, b[2] = { host[i], '\0' };
        if (!model_same(a, b))
            return false;
    }
    return true;
}

static bool origin_allowed(const char *origins, const char *origin, const char *host)
{
    char element[MODEL_HEAD];
    if (!origins)
        return !origin || same_origin(origin, host);
    if (strcmp(origins, "*") == 0)
        return true;
    while (origin && model_element(&origins, element))
        if (model_same(element, origin))
            return true;
    return false;
}

static int check_version(const struct model_head *h)
{
    unsigned count, number = 0;
    const char *v = model_field(h, "Sec-WebSocket-Version", &count);
    if (count != 1 || !*v || strlen(v) > 3 || (v[0] == '0' && v[1]))
        return 400;
    for (; *v; v++) {
        if (*v < '0' || *v > '9')
            return 400;
        number = number * 10 + (unsigned)(*v - '0');
    }
    return number > 255 ? 400 : number == 13 ? 0 : 426;
}

/* 16 bytes are 22 digits and "==". The four bits at the end that are over may
 * be anything (RFC 4648 section 3.5 leaves it open). */
static bool key_good(const struct model_head *h)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned count;
    const char *key = model_field(h, "Sec-WebSocket-Key", &count);
    return count == 1 && strspn(key, digits) == 22 && strcmp(key + 22, "==") == 0;
}

static unsigned offers(const struct model_head *h, const char *name)
{
    char element[MODEL_HEAD];
    unsigned n = 0;
    for (size_t i = 0; i < h->fields; i++) {
        const char *rest = h->value[i];
        while (model_same(h->name[i], "Sec-WebSocket-Protocol") && model_element(&rest, element))
            n += !name || strcmp(element, name) == 0;
    }
    return n;
}

/* Unique tokens, at least one where there is a field. Policy: at most 64. The
 * config's first that is among them is agreed. */
static bool protocols_good(const struct model_head *h, const char *ours, char agreed[MODEL_HEAD])
{
    char element[MODEL_HEAD];
    unsigned fields, all = offers(h, NULL);
    model_field(h, "Sec-WebSocket-Protocol", &fields);
    if (all > 64 || (fields > 0 && all == 0))
        return false;
    for (size_t i = 0; i < h->fields; i++) {
        const char *rest = h->value[i];
        while (model_same(h->name[i], "Sec-WebSocket-Protocol") && model_element(&rest, element))
            if (!model_token(element) || offers(h, element) != 1)
                return false;
    }
    while (!*agreed && ours && model_element(&ours, element))
        if (offers(h, element) > 0)
            memcpy(agreed, element, strlen(element) + 1);
    return true;
}

/* One parameter's value (section 9.1): a token, or one in quotes. */
static bool extension_value_good(char *value)
{
    size_t n = strlen(value), to = 0;
    if (value[0] != '"')
        return model_token(value);
    if (n < 3 || value[n - 1] != '"')
        return false;
    value[n - 1] = '\0';
    for (size_t from = 1; from < n - 1; from++) {
        if (value[from] == '\\' && !value[++from])
            return false;
        value[to++] = value[from];
    }
    value[to] = '\0';
    return model_token(value);
}

/* token *( ";" token [ "=" value ] ); no value may have a comma or semicolon. */
static bool extension_good(char *text)
{
    for (bool first = true;; first = false) {
        size_t n = strcspn(text, ";"), end = n;
        bool last = text[n] == '\0';
        char *equals;
        while (end > 0 && strchr(" \t", text[end - 1]))
            end--;
        text[end] = '\0';
        equals = first ? NULL : strchr(text, '=');
        if (equals)
            *equals = '\0';
        if (!model_token(text) || (equals && !extension_value_good(equals + 1)))
            return false;
        if (last)
            return true;
        text += n + 1;
        text += strspn(text, " \t");
    }
}

static bool extensions_good(const struct model_head *h)
{
    char element[MODEL_HEAD];
    for (size_t i = 0; i < h->fields; i++) {
        const char *rest = h->value[i];
        bool any = false;
        if (!model_same(h->name[i], "Sec-WebSocket-Extensions"))
            continue;
        for (; model_element(&rest, element); any = true)
            if (!extension_good(element))
                return false;
        if (!any)
            return false;
    }
    return true;
}

static int check_upgrade(const struct model_head *h, const caws_config *cfg, const char *origin,
                         struct model_request *r)
{
    int status;
    if (!model_listed(h, "Connection", "upgrade"))
        return 400;
    if ((status = check_version(h)) != 0)
        return status;
    if (!key_good(h) || !protocols_good(h, cfg->subprotocols, r->protocol) || !extensions_good(h))
        return 400;
    return origin_allowed(cfg->origins, origin, r->host) ? 101 : 403;
}

int model_request(const struct model_head *h, const caws_config *cfg, struct model_request *r)
{
    unsigned origins, expects, keys;
    char method[MODEL_HEAD];
    int status;
    const char *origin = model_field(h, "Origin", &origins);
    r->upgrade = model_listed(h, "Upgrade", "websocket");
    r->protocol[0] = '\0';
    memcpy(method, h->start, strlen(h->start) + 1);
    method[strcspn(method, " ")] = '\0';
    if ((status = check_method(method)) != 0 || (status = check_target(h, r)) != 0 ||
        (status = check_body(h, r->upgrade)) != 0)
        return status;
    model_field(h, "Expect", &expects);
    model_field(h, "Sec-WebSocket-Key", &keys);
    if (expects > 0)
        return 417;
    if (cfg->path && (strcspn(r->target, "?") != strlen(cfg->path) ||
                      strncmp(r->target, cfg->path, strlen(cfg->path)) != 0))
        return 404;
    if (!host_allowed(cfg->hosts, r->host))
        return 403;
    if (origins > 1)
        return 400;
    if (r->upgrade)
        return check_upgrade(h, cfg, origin, r);
    return keys > 0 ? 426 : 0;
}
