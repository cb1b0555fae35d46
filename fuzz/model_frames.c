/* RFC 6455 sections 5 to 8, for one end that is OPEN. */
#include "model.h"

#define CUT 1 /* the stream ends within the header */

struct frame {
    unsigned opcode;
    bool fin, control;
    uint64_t len;
    uint8_t key[4];
};

/* 5.5.1 and 7.1.7: a Close with the right code is owed, unless one was sent. */
static void fail(struct model *m, int error)
{
    unsigned code = error == CAWS_ERR_PROTOCOL  ? 1002
                    : error == CAWS_ERR_UTF8    ? 1007
                    : error == CAWS_ERR_TOO_BIG ? 1009
                                                : 1008;
    m->error = error;
    trace(&m->events, "error", error, NULL, 0);
    if (!m->closing)
        trace(&m->control, "close", (long)code, NULL, 0);
    trace(&m->events, "close unclean by us", 1006, NULL, 0);
    trace(&m->events, "why", error, NULL, 0);
    m->done = true;
}

/* 5.2, the first byte and 5.4, 5.5. */
static bool first_byte_legal(const struct model *m, unsigned byte)
{
    unsigned opcode = byte & 0x0f;
    bool fin = byte & 0x80;
    if (byte & 0x70)
        return false;
    if (opcode == 0)
        return m->in_message;
    if (opcode == 1 || opcode == 2)
        return !m->in_message;
    return fin && opcode >= 8 && opcode <= 10;
}

/* The header at m->at. CAWS_OK, CUT or the error. Policy: a length in several
 * bytes is judged when the last of them has come. */
static int read_header(struct model *m, struct frame *f)
{
    const uint8_t *p = m->at;
    size_t n = m->left, extra, size;
    if (n >= 1 && !first_byte_legal(m, p[0]))
        return CAWS_ERR_PROTOCOL;
    if (n < 2)
        return CUT;
    f->opcode = p[0] & 0x0f;
    f->fin = p[0] & 0x80;
    f->control = f->opcode >= 8;
    f->len = p[1] & 0x7f;
    if (m->server != (p[1] >= 0x80)) /* 5.1 */
        return CAWS_ERR_PROTOCOL;
    if (f->control && f->len > 125)
        return CAWS_ERR_PROTOCOL;
    extra = f->len == 127 ? 8 : f->len == 126 ? 2 : 0;
    size = 2 + extra + (m->server ? 4 : 0);
    if (n < 2 + extra)
        return CUT;
    if (extra > 0)
        f->len = 0;
    for (size_t i = 0; i < extra; i++)
        f->len = f->len * 256 + p[2 + i];
    if ((extra == 2 && f->len < 126) || (extra == 8 && f->len < 65536) || f->len >> 63)
        return CAWS_ERR_PROTOCOL;
    if (n < size)
        return CUT;
    for (size_t i = 0; i < 4; i++)
        f->key[i] = m->server ? p[2 + extra + i] : 0;
    m->at += size;
    m->left -= size;
    return CAWS_OK;
}

/* 5.3: as much of the payload as there is, unmasked, to the end of *to. */
static void read_payload(struct model *m, const struct frame *f, struct bytes *to)
{
    size_t n = f->len < m->left ? (size_t)f->len : m->left;
    bytes_add(to, m->at, n);
    for (size_t i = 0; i < n; i++)
        to->data[to->len - n + i] ^= f->key[i % 4];
    m->at += n;
    m->left -= n;
}

/* 5.4 and 5.6: a whole message. */
static void deliver(struct model *m)
{
    trace(&m->events, m->text ? "text" : "binary", 0, m->message.data, m->message.len);
    m->messages++;
    if (m->echo)
        trace(&m->echoed, m->text ? "text" : "binary", 0, m->message.data, m->message.len);
    if (m->messages == m->close_at) {
        trace(&m->control, "close", 3000, NULL, 0);
        m->closing = true;
    }
}

/* Policy: limits are judged when a header is whole, the frames' number first.
 * While we are closing nothing is delivered, and so not judged (7.1.6). */
static void data_frame(struct model *m, const struct frame *f)
{
    size_t before = m->message.len, have;
    enum model_text text = MODEL_VALID;
    bool begins = f->opcode != 0, whole;
    if (begins) {
        m->text = f->opcode == 1;
        m->fragments = 0;
    }
    m->in_message = true;
    if (!m->closing && ++m->fragments > m->max_fragments) {
        fail(m, CAWS_ERR_LIMIT);
        return;
    }
    if (!m->closing && f->len > m->max_message - before) {
        fail(m, CAWS_ERR_TOO_BIG);
        return;
    }
    read_payload(m, f, &m->message);
    have = m->message.len - before;
    whole = have == f->len && f->fin;
    if (m->text)
        text = model_utf8(m->message.data, m->message.len);
    if (!m->closing && (text == MODEL_INVALID || (whole && text == MODEL_CUT))) {
        fail(m, CAWS_ERR_UTF8);
        return;
    }
    if (!whole)
        return;
    m->in_message = false;
    if (!m->closing)
        deliver(m);
    m->message.len = 0;
}

/* 5.5.1 and 7.1.5: the answer has the same code. */
static void close_frame(struct model *m, const struct bytes *payload)
{
    unsigned code;
    int result = model_close(payload->data, payload->len, &code);
    if (result != CAWS_OK) {
        fail(m, result);
        return;
    }
    if (payload->len > 2)
        bytes_add(&m->reason, payload->data + 2, payload->len - 2);
    trace(&m->heard, "close", (long)code, NULL, 0);
    if (!m->closing)
        trace(&m->control, "close", (long)code, NULL, 0);
    trace(&m->events, m->closing ? "close clean by us" : "close clean by peer", (long)code,
          m->reason.data, m->reason.len);
    trace(&m->events, "why", CAWS_OK, NULL, 0);
    m->done = true;
}

/* 5.5.2 and 5.5.3. Policy: max_control Pings and Pongs are let through at once. */
static void control_frame(struct model *m, const struct frame *f)
{
    struct bytes payload = { NULL, 0, 0 };
    read_payload(m, f, &payload);
    if (payload.len < f->len || (m->closing && f->opcode != 8)) {
        /* cut off, and never handled; or after our Close: not told, not answered */
    } else if (f->opcode == 8) {
        close_frame(m, &payload);
    } else if (++m->controls > m->max_control) {
        fail(m, CAWS_ERR_LIMIT);
    } else {
        trace(&m->events, f->opcode == 9 ? "ping" : "pong", 0, payload.data, payload.len);
        if (f->opcode == 9)
            trace(&m->control, "pong", 0, payload.data, payload.len);
        else
            trace(&m->heard, "pong", 0, payload.data, payload.len);
    }
    bytes_free(&payload);
}

void model_receive(struct model *m, const uint8_t *data, size_t len)
{
    m->at = data;
    m->left = len;
    trace(&m->events, "open", 0, NULL, 0);
    while (!m->done && m->left > 0) {
        struct frame f;
        int result = read_header(m, &f);
        if (result == CUT)
            break;
        if (result != CAWS_OK)
            fail(m, result);
        else if (f.control)
            control_frame(m, &f);
        else
            data_frame(m, &f);
    }
    if (m->done)
        return;
    trace(&m->events, "error", CAWS_ERR_EOF, NULL, 0); /* 7.1.5 */
    trace(&m->events, m->closing ? "close unclean by us" : "close unclean by transport", 1006,
          NULL, 0);
    trace(&m->events, "why", CAWS_ERR_EOF, NULL, 0);
}

void model_free(struct model *m)
{
    bytes_free(&m->events);
    bytes_free(&m->control);
    bytes_free(&m->echoed);
    bytes_free(&m->heard);
    bytes_free(&m->reason);
    bytes_free(&m->message);
}
