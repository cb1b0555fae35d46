#include "protocol/handshake.h"

/* The server's answer to a request: the 101, or a refusal. */

static const char *answer_phrase(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default:  return "Status";
    }
}

/* Room for most answers, which would else be had in six steps. */
#define ANSWER_ROOM 256

static void answer_begin(struct caws__writer *w, int status,
                         const char *phrase)
{
    w->result = caws__buffer_reserve(w->out, w->alloc, ANSWER_ROOM, SIZE_MAX);
    caws__put(w, "HTTP/1.1 ");
    caws__put_number(w, (size_t)status);
    caws__put(w, " ");
    caws__put(w, phrase);
    caws__put(w, "\r\n");
}

/* The application's own fields, and the empty line. */
static void answer_end(struct caws__writer *w, const struct caws__opening *o,
                       const caws_config *cfg)
{
    if (o)
        caws__put_slice(w, (caws_slice){ (const char *)o->headers.data,
                                         o->headers.len });
    caws__put_slice(w, caws__slice(cfg->headers));
    caws__put(w, "\r\n");
}

int caws__response_accept(const struct caws__opening *o,
                          const caws_config *cfg, struct caws__buffer *out)
{
    struct caws__writer w = { out, &cfg->alloc, CAWS_OK };
    caws_slice key = caws__head_get(&o->head, "Sec-WebSocket-Key", NULL);
    char accept[CAWS__ACCEPT_LEN + 1];
    caws_accept_key(key.data, key.len, accept);
    answer_begin(&w, 101, "Switching Protocols");
    caws__put(&w, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    caws__put_field(&w, "Sec-WebSocket-Accept", caws__slice(accept));
    if (o->subprotocol.len > 0)
        caws__put_field(&w, "Sec-WebSocket-Protocol", o->subprotocol);
    answer_end(&w, o, cfg);
    return w.result;
}

/* What a status says must be there (RFC 9110 sections 15.5.6 and 15.5.22). */
static void answer_put_required(struct caws__writer *w, int status,
                                bool by_caws)
{
    if (status == 426)
        caws__put(w, "Connection: close, Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n");
    else
        caws__put(w, "Connection: close\r\n");
    if (status == 405 && by_caws)
        caws__put(w, "Allow: GET\r\n");
}

static size_t answer_text_len(int status, const char *detail)
{
    size_t phrase = caws__slice(answer_phrase(status)).len;
    return 4 + phrase + 1 + (detail ? caws__slice(detail).len + 1 : 0);
}

/* A sentence for people, where the application has said nothing. */
static void answer_put_text(struct caws__writer *w, int status,
                            const char *detail)
{
    caws__put_number(w, (size_t)status);
    caws__put(w, " ");
    caws__put(w, answer_phrase(status));
    caws__put(w, "\n");
    if (detail) {
        caws__put(w, detail);
        caws__put(w, "\n");
    }
}

int caws__response_refuse(const struct caws__opening *o,
                          const caws_config *cfg, int status,
                          const char *detail, struct caws__buffer *out)
{
    struct caws__writer w = { out, &cfg->alloc, CAWS_OK };
    bool bare = status == 204 || status == 304; /* these have no body */
    caws_slice body = { NULL, 0 }, type = { "text/plain", 10 };
    bool own = o && o->type.len > 0;
    bool head = o && caws__equal(o->request.method, caws__slice("HEAD"));
    if (own) {
        body = (caws_slice){ (const char *)o->body.data, o->body.len };
        type = (caws_slice){ (const char *)o->type.data, o->type.len };
    } else {
        body.len = answer_text_len(status, detail);
    }
    answer_begin(&w, status, answer_phrase(status));
    answer_put_required(&w, status, detail != NULL);
    if (!bare) {
        caws__put_field(&w, "Content-Type", type);
        caws__put(&w, "Content-Length: ");
        caws__put_number(&w, body.len);
        caws__put(&w, "\r\n");
    }
    answer_end(&w, o, cfg);
    if (bare || head) /* a HEAD is told the length alone (RFC 9110 9.3.2) */
        return w.result;
    if (own)
        caws__put_slice(&w, body);
    else
        answer_put_text(&w, status, detail);
    return w.result;
}
