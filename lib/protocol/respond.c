/* What the application adds to the response before it is given. */
#include <string.h>

#include "protocol/conn.h"

static bool respond_is_asked(const struct caws_conn *ws)
{
    return (ws->asking || ws->undecided) && ws->state == CAWS_CONNECTING;
}

int caws_choose_subprotocol(caws_conn *ws, const char *name)
{
    caws_slice offered;
    if (!ws || !name)
        return CAWS_ERR_ARG;
    if (!respond_is_asked(ws))
        return *name ? CAWS_ERR_STATE : CAWS_ERR_ARG;
    offered = caws__request_offer(ws->opening, caws__slice(name));
    if (!offered.data)
        return CAWS_ERR_ARG;
    ws->opening->subprotocol = offered;
    return CAWS_OK;
}

int caws_add_header(caws_conn *ws, const char *name, const char *value)
{
    struct caws__buffer *b;
    struct caws__writer w;
    size_t before;
    if (!ws || !name || !value ||
        caws__header_check(caws__slice(name), caws__slice(value)) != CAWS_OK)
        return CAWS_ERR_ARG;
    if (!respond_is_asked(ws))
        return CAWS_ERR_STATE;
    b = &ws->opening->headers;
    w = (struct caws__writer){ b, caws__alloc(ws), CAWS_OK };
    before = b->len;
    caws__put_field(&w, name, caws__slice(value));
    if (w.result != CAWS_OK)
        b->len = before;
    return w.result;
}

/* Replace what b has by a copy of text. */
static int respond_copy(struct caws_conn *ws, struct caws__buffer *b,
                        const void *text, size_t len)
{
    struct caws__buffer copy = { NULL, 0, 0 };
    if (caws__buffer_add(&copy, caws__alloc(ws), text, len) != CAWS_OK)
        return CAWS_ERR_NOMEM;
    *b = copy;
    return CAWS_OK;
}

int caws_set_body(caws_conn *ws, const char *content_type, const void *data,
                  size_t len)
{
    struct caws__buffer type, body;
    if (!ws || !content_type || !*content_type || (!data && len > 0) ||
        !caws__is_field_value(caws__slice(content_type)))
        return CAWS_ERR_ARG;
    if (!respond_is_asked(ws))
        return CAWS_ERR_STATE;
    if (respond_copy(ws, &type, content_type, strlen(content_type)) !=
        CAWS_OK)
        return CAWS_ERR_NOMEM;
    if (respond_copy(ws, &body, data, len) != CAWS_OK) {
        caws__buffer_free(&type, caws__alloc(ws));
        return CAWS_ERR_NOMEM;
    }
    caws__buffer_free(&ws->opening->type, caws__alloc(ws));
    caws__buffer_free(&ws->opening->body, caws__alloc(ws));
    ws->opening->type = type;
    ws->opening->body = body;
    return CAWS_OK;
}
