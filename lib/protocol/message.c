#include "protocol/message.h"

#include <string.h>

#include "protocol/mask.h"

int caws__message_frame(struct caws__message *m,
                        const struct caws__message_limits *limits,
                        const struct caws__frame *frame, const char **detail)
{
    if (frame->opcode != CAWS__CONTINUATION)
        m->type = frame->opcode;
    if (m->fragments == limits->max_fragments) {
        *detail = "message of more frames than max_fragments, "
                  "RFC 6455 section 10.4";
        return CAWS_ERR_LIMIT;
    }
    /* A subtraction, since the sum may overflow: the length is the peer's. */
    if (frame->len > limits->max_message - m->received) {
        *detail = "message larger than max_message, RFC 6455 section 10.4";
        return CAWS_ERR_TOO_BIG;
    }
    m->fragments++;
    m->received += frame->len;
    return CAWS_OK;
}

bool caws__message_check(struct caws__message *m, const uint8_t *data,
                         size_t len, bool last)
{
    if (m->type != CAWS_TEXT)
        return true;
    return caws__utf8_check(&m->utf8, data, len) &&
           (!last || caws__utf8_complete(&m->utf8));
}

/* The first part gets room for as much again, as any growth does: a message
 * that comes in two is then copied once. */
static size_t message_room(const struct caws__message *m, size_t len,
                           size_t end)
{
    return m->data.cap > 0 ? len : len > end / 2 ? end : len * 2;
}

int caws__message_add(struct caws__message *m, const caws_alloc *alloc,
                      const uint8_t *data, size_t len, const uint8_t key[4],
                      size_t phase, size_t end)
{
    uint8_t *to;
    if (len == 0)
        return CAWS_OK;
    if (caws__buffer_reserve(&m->data, alloc, message_room(m, len, end), end) !=
        CAWS_OK)
        return CAWS_ERR_NOMEM;
    to = m->data.data + m->data.len;
    if (key)
        caws__mask_copy(to, data, len, key, phase);
    else
        memcpy(to, data, len);
    m->data.len += len;
    return CAWS_OK;
}

void caws__message_reset(struct caws__message *m)
{
    *m = (struct caws__message){ 0 };
}
