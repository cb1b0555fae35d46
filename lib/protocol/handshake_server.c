#include "protocol/handshake.h"

#include <string.h>

#include "protocol/base64.h"
#include "protocol/url.h"

/* Each check looks at one thing, in the order in which caws__request_check
 * calls them: 0, or the status that refuses. */

/* ---- The request as HTTP ----------------------------------------------- */

static int server_check_method(caws_slice method, const char **detail)
{
    static const char *const known[] = { "HEAD",    "POST",    "PUT",
                                         "DELETE",  "CONNECT", "OPTIONS",
                                         "TRACE",   "PATCH" };
    *detail = "request method is not GET, RFC 6455 section 4.1";
    if (caws__equal(method, caws__slice("GET")))
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (caws__equal(method, caws__slice(known[i])))
            return 405;
    return 501;
}

/* "http://host/path": its host counts, not the Host field's (RFC 9112 section
 * 3.2.2). */
static bool server_split_absolute(caws_request *req)
{
    caws_slice *t = &req->target;
    size_t scheme = 0, end;
    if (t->len > 7 && caws__same((caws_slice){ t->data, 7 }, "http://"))
        scheme = 7;
    if (t->len > 8 && caws__same((caws_slice){ t->data, 8 }, "https://"))
        scheme = 8;
    if (scheme == 0)
        return false;
    for (end = scheme; end < t->len && !strchr("/?", t->data[end]);)
        end++;
    req->host = (caws_slice){ t->data + scheme, end - scheme };
    *t = end < t->len ? (caws_slice){ t->data + end, t->len - end }
                      : caws__slice("/");
    return true;
}

/* Browsers leave some characters of a query as they are that RFC 3986 would
 * have escaped ("?id[]=1"), so those pass. */
static bool server_is_target(caws_slice target)
{
    for (size_t i = 0; i < target.len; i++)
        if (strchr("\"#<>\\{}", target.data[i]))
            return false;
    return target.data[0] == '/' && caws__is_visible(target);
}

static int server_check_target(struct caws__opening *o, const char **detail)
{
    caws_request *req = &o->request;
    caws_slice host, port;
    unsigned hosts;
    req->host = caws__head_get(&o->head, "Host", &hosts);
    *detail = "Host field is missing, repeated or invalid, "
              "RFC 9112 section 3.2";
    if (hosts != 1 || !caws__url_authority(req->host, &host, &port))
        return 400;
    *detail = "request target is not a path or http URL, "
              "RFC 9112 section 3.2";
    if (server_split_absolute(req) &&
        !caws__url_authority(req->host, &host, &port))
        return 400;
    return server_is_target(req->target) ? 0 : 400;
}

/* A number without overflow; -1 if it is none, else 0 or 1 for "more". */
static int server_read_length(caws_slice text)
{
    int nonzero = 0;
    if (text.len == 0 || text.len > 18)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        nonzero |= text.data[i] != '0';
    }
    return nonzero;
}

/* A body's bytes would be taken for frames, so there must be none. */
static int server_check_body(const struct caws__opening *o,
                             const char **detail)
{
    unsigned lengths, codings;
    caws_slice length = caws__head_get(&o->head, "Content-Length", &lengths);
    int more = lengths == 1 ? server_read_length(length) : 0;
    caws__head_get(&o->head, "Transfer-Encoding", &codings);
    *detail = "Transfer-Encoding in a GET request, RFC 9112 section 6.1";
    if (codings > 0)
        return 400;
    *detail = "Content-Length is invalid or repeated, RFC 9112 section 6.2";
    if (lengths > 1 || more < 0)
        return 400;
    *detail = "request has a body, RFC 9112 section 6";
    if (more == 0)
        return 0;
    return o->request.upgrade ? 400 : 413;
}

static int server_check_expect(const struct caws__opening *o,
                               const char **detail)
{
    *detail = "Expect cannot be met, RFC 9110 section 10.1.1";
    return caws__head_get(&o->head, "Expect", NULL).data ? 417 : 0;
}

/* ---- What the config lets in ------------------------------------------- */

static int server_check_path(const caws_request *req, const caws_config *cfg,
                             const char **detail)
{
    const char *query = memchr(req->target.data, '?', req->target.len);
    caws_slice path = req->target;
    if (query)
        path.len = (size_t)(query - path.data);
    *detail = "nothing is served at this path, RFC 6455 section 4.2.2";
    return !cfg->path || caws__equal(path, caws__slice(cfg->path)) ? 0 : 404;
}

/* Both are valid: the config's were checked, and so was the request's. */
static bool server_is_host(caws_slice wanted, caws_slice host, caws_slice port)
{
    caws_slice wanted_host, wanted_port;
    caws__url_authority(wanted, &wanted_host, &wanted_port);
    return caws__same_text(wanted_host, host) &&
           (!wanted_port.data || caws__equal(wanted_port, port));
}

/* A page whose own host name was made to resolve to us (DNS rebinding) still
 * sends that name. */
static int server_check_host(const caws_request *req, const caws_config *cfg,
                             const char **detail)
{
    caws_slice rest = caws__slice(cfg->hosts), e, host, port;
    if (!cfg->hosts || strcmp(cfg->hosts, "*") == 0)
        return 0;
    caws__url_authority(req->host, &host, &port);
    while (caws__list_next(&rest, &e))
        if (server_is_host(e, host, port))
            return 0;
    *detail = "Host is not one this server answers to (hosts), "
              "RFC 6455 section 10.2";
    return 403;
}

/* The page's origin names the same host and port as its request does, where
 * either may leave out its scheme's default port (RFC 6454). */
static bool server_is_same_origin(caws_slice origin, caws_slice host)
{
    bool secure = origin.len > 8 &&
                  caws__same((caws_slice){ origin.data, 8 }, "https://");
    size_t scheme = secure ? 8 : 7;
    caws_slice fallback = caws__slice(secure ? "443" : "80");
    caws_slice page, page_port, name, port;
    if (origin.len <= scheme ||
        (!secure && !caws__same((caws_slice){ origin.data, 7 }, "http://")))
        return false;
    origin.data += scheme;
    origin.len -= scheme;
    caws__url_authority(host, &name, &port); /* checked before */
    return caws__url_authority(origin, &page, &page_port) &&
           caws__same_text(page, name) &&
           caws__equal(page_port.len ? page_port : fallback,
                       port.len ? port : fallback);
}

static int server_check_origin(const caws_request *req, const caws_config *cfg,
                               const char **detail)
{
    caws_slice rest = caws__slice(cfg->origins), e;
    *detail = "Origin may not connect to this server (origins), "
              "RFC 6455 section 4.2.2";
    if (!cfg->origins)
        return !req->origin.data || server_is_same_origin(req->origin,
                                                          req->host)
                   ? 0
                   : 403;
    if (strcmp(cfg->origins, "*") == 0)
        return 0;
    while (caws__list_next(&rest, &e))
        if (req->origin.data && caws__same_text(e, req->origin))
            return 0;
    return 403;
}

/* ---- The request as WebSocket (section 4.2.1) -------------------------- */

static int server_check_version(const struct caws__opening *o,
                                const char **detail)
{
    unsigned count;
    caws_slice v = caws__head_get(&o->head, "Sec-WebSocket-Version", &count);
    unsigned number = 0;
    *detail = "Sec-WebSocket-Version is missing, repeated or no number from "
              "0 to 255, RFC 6455 section 4.2.1";
    if (count != 1 || v.len == 0 || v.len > 3 ||
        (v.len > 1 && v.data[0] == '0'))
        return 400;
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] < '0' || v.data[i] > '9')
            return 400;
        number = number * 10 + (unsigned)(v.data[i] - '0');
    }
    if (number > 255)
        return 400;
    *detail = "Sec-WebSocket-Version is not 13, RFC 6455 section 4.4";
    return number == 13 ? 0 : 426;
}

static int server_check_key(const struct caws__opening *o,
                            const char **detail)
{
    unsigned count;
    caws_slice key = caws__head_get(&o->head, "Sec-WebSocket-Key", &count);
    *detail = "Sec-WebSocket-Key is missing, repeated or not 16 bytes in "
              "base64, RFC 6455 section 4.2.1";
    return count == 1 && key.len == CAWS__KEY_LEN &&
                   caws__base64_is(key.data, key.len, 16)
               ? 0
               : 400;
}

caws_slice caws__request_offer(const struct caws__opening *o, caws_slice name)
{
    struct caws__list list = { &o->head, "Sec-WebSocket-Protocol",
                               o->head.fields, { NULL, 0 } };
    caws_slice e;
    while (caws__head_list_next(&list, &e))
        if (caws__equal(e, name))
            return e;
    return (caws_slice){ NULL, 0 };
}

static int server_check_subprotocols(const struct caws__opening *o,
                                     const char **detail)
{
    struct caws__list list = { &o->head, "Sec-WebSocket-Protocol",
                               o->head.fields, { NULL, 0 } };
    caws_slice e;
    unsigned fields, n = 0;
    *detail = "Sec-WebSocket-Protocol is not a list of at most 64 unique "
              "tokens, RFC 6455 section 4.1";
    for (; caws__head_list_next(&list, &e); n++)
        if (n == CAWS__MAX_TOKENS || !caws__is_token(e) ||
            caws__request_offer(o, e).data != e.data) /* an earlier one */
            return 400;
    caws__head_get(&o->head, "Sec-WebSocket-Protocol", &fields);
    return fields > 0 && n == 0 ? 400 : 0;
}

static int server_check_extensions(const struct caws__opening *o,
                                   const char **detail)
{
    caws_slice name = caws__slice("Sec-WebSocket-Extensions"), value;
    size_t pos = o->head.fields;
    *detail = "Sec-WebSocket-Extensions is malformed, RFC 6455 section 9.1";
    while (caws__head_find(&o->head, &pos, name, &value))
        if (!caws__extensions_valid(value))
            return 400;
    return 0;
}

/* The config's names are in order of preference; none may fit (4.2.2). */
static void server_choose_subprotocol(struct caws__opening *o,
                                      const caws_config *cfg)
{
    caws_slice rest = caws__slice(cfg->subprotocols), e;
    while (!o->subprotocol.data && caws__list_next(&rest, &e))
        o->subprotocol = caws__request_offer(o, e);
}

static int server_check_upgrade(struct caws__opening *o,
                                const caws_config *cfg, const char **detail)
{
    int status;
    *detail = "Connection does not include Upgrade, RFC 6455 section 4.2.1";
    if (!caws__head_list_has(&o->head, "Connection", "upgrade"))
        return 400;
    if ((status = server_check_version(o, detail)) == 0 &&
        (status = server_check_key(o, detail)) == 0 &&
        (status = server_check_subprotocols(o, detail)) == 0 &&
        (status = server_check_extensions(o, detail)) == 0 &&
        (status = server_check_origin(&o->request, cfg, detail)) == 0)
        server_choose_subprotocol(o, cfg);
    return status;
}

int caws__request_check(struct caws__opening *o, const caws_config *cfg,
                        const char **detail)
{
    caws_request *req = &o->request;
    unsigned origins;
    int status;
    caws__request_line(caws__head_start_line(&o->head), &req->method,
                       &req->target);
    req->upgrade = caws__head_list_has(&o->head, "Upgrade", "websocket");
    req->origin = caws__head_get(&o->head, "Origin", &origins);
    if ((status = server_check_method(req->method, detail)) != 0 ||
        (status = server_check_target(o, detail)) != 0 ||
        (status = server_check_body(o, detail)) != 0 ||
        (status = server_check_expect(o, detail)) != 0 ||
        (status = server_check_path(req, cfg, detail)) != 0 ||
        (status = server_check_host(req, cfg, detail)) != 0)
        return status;
    *detail = "Origin field is repeated, RFC 6454 section 7.3";
    if (origins > 1)
        return 400;
    if (req->upgrade)
        return server_check_upgrade(o, cfg, detail);
    *detail = "Upgrade does not include websocket, RFC 6455 section 4.2.1";
    return caws__head_get(&o->head, "Sec-WebSocket-Key", NULL).data ? 426 : 0;
}
