#include "protocol/deliver.h"

#include "protocol/closing.h"
#include "protocol/mask.h"

int caws__deliver_frame(struct caws_conn *ws, const struct caws__frame *frame,
                        const char **detail)
{
    struct caws__message_limits limits = { caws__max_message(ws->cfg),
                                           caws__max_fragments(ws->cfg) };
    if (ws->state == CAWS_OPEN)
        return caws__message_frame(&ws->input->message, &limits, frame, detail);
    ws->input->message.fragments = 1; /* not delivered, so without a limit */
    return CAWS_OK;
}

void caws__deliver_bad_text(struct caws_conn *ws)
{
    caws__fail(ws, CAWS_ERR_UTF8,
               "text message is not UTF-8, RFC 6455 section 8.1");
}

static void deliver_done(struct caws_conn *ws)
{
    ws->input->due = CAWS__NEVER;
    caws__deliver_count(ws);
}

/* Deliver a message that lies whole at data; the buffer it may lie in is no
 * longer the conn's, so the handler can do what it likes. */
static void deliver_message(struct caws_conn *ws, const uint8_t *data,
                            size_t len)
{
    caws_type type = (caws_type)ws->input->message.type;
    caws__message_reset(&ws->input->message);
    deliver_done(ws);
    ws->cfg->on_message(ws, type, data ? (const void *)data : "", len);
}

static void deliver_chunk(struct caws_conn *ws, uint8_t *data, size_t len,
                          bool last)
{
    struct caws__message *m = &ws->input->message;
    caws_type type = (caws_type)m->type;
    unsigned flags = (m->streamed ? 0 : CAWS_CHUNK_FIRST) |
                     (last ? CAWS_CHUNK_LAST : 0);
    if (!ws->client)
        caws__mask(data, len, ws->input->frame.key, ws->input->frame.phase);
    if (!caws__message_check(m, data, len, last)) {
        caws__deliver_bad_text(ws);
        return;
    }
    m->streamed = m->streamed || len > 0;
    if (last) {
        caws__message_reset(m);
        deliver_done(ws);
    }
    if (ws->cfg->on_chunk && (len > 0 || last))
        ws->cfg->on_chunk(ws, type, data, len, flags);
}

/* The message began before these bytes, or ends after them. */
static void deliver_part(struct caws_conn *ws, const uint8_t *data,
                         size_t len, bool last)
{
    const struct caws__reader *in = &ws->input->frame;
    struct caws__message *m = &ws->input->message;
    struct caws__buffer whole;
    size_t before = m->data.len;
    size_t end = in->fin ? (size_t)m->received : caws__max_message(ws->cfg);
    if (caws__message_add(m, caws__alloc(ws), data, len,
                          ws->client ? NULL : in->key, in->phase,
                          end) != CAWS_OK) {
        caws__fail_no_memory(ws);
        return;
    }
    if (!caws__message_check(m, len > 0 ? m->data.data + before : NULL, len,
                             last)) {
        caws__deliver_bad_text(ws);
        return;
    }
    if (!last)
        return;
    whole = m->data;
    deliver_message(ws, whole.data, whole.len);
    caws__buffer_free(&whole, caws__alloc(ws));
}

static void deliver_whole(struct caws_conn *ws, uint8_t *data, size_t len)
{
    if (!ws->client)
        caws__mask(data, len, ws->input->frame.key, 0);
    if (caws__message_check(&ws->input->message, data, len, true))
        deliver_message(ws, data, len);
    else
        caws__deliver_bad_text(ws);
}

void caws__deliver_bytes(struct caws_conn *ws, uint8_t *data, size_t len,
                         bool frame_ends)
{
    bool last = frame_ends && ws->input->frame.fin;
    if (ws->state != CAWS_OPEN) { /* not delivered any more, only counted */
        caws__buffer_free(&ws->input->message.data, caws__alloc(ws));
        if (last)
            caws__message_reset(&ws->input->message);
    } else if (!caws__delivers_whole(ws->cfg)) {
        deliver_chunk(ws, data, len, last);
    } else if (last && ws->input->message.fragments == 1 &&
               ws->input->message.data.len == 0) {
        deliver_whole(ws, data, len);
    } else {
        deliver_part(ws, data, len, last);
    }
}
