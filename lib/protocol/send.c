#include "protocol/send.h"

#include <string.h>

#include "protocol/mask.h"
#include "protocol/state.h"
#include "protocol/utf8.h"

#define SEND_LARGE    16384u /* bytes of payload worth a write of their own */
#define SEND_SLICES   64u
#define SEND_COPIED   256u   /* a shared frame this small is cheaper copied */

/* ---- Frames ------------------------------------------------------------ */

/* A fresh masking key for each frame of a client (5.3); none for a server. */
static int send_draw_key(struct caws_conn *ws, uint8_t key[4])
{
    if (ws->client && ws->cfg->random(ws->cfg->random_ctx, key, 4) != 0)
        return CAWS_ERR_RANDOM;
    return CAWS_OK;
}

static size_t send_header(const struct caws_conn *ws, uint8_t *to, bool fin,
                          uint8_t opcode, size_t len, const uint8_t key[4])
{
    return caws__frame_write(to, fin, opcode, len, ws->client ? key : NULL);
}

static void send_payload(const struct caws_conn *ws, uint8_t *to,
                         const void *data, size_t len, const uint8_t key[4])
{
    if (len == 0)
        return;
    if (ws->client)
        caws__mask_copy(to, data, len, key, 0);
    else
        memcpy(to, data, len);
}

static enum caws__opcode send_opcode_of(enum caws__kind kind)
{
    return kind == CAWS__NODE_PING   ? CAWS__PING
           : kind == CAWS__NODE_PONG ? CAWS__PONG
                                     : CAWS__CLOSE;
}

int caws__send_control(struct caws_conn *ws, enum caws__kind kind,
                       const void *data, size_t len)
{
    uint8_t frame[CAWS__HEADER_MAX + CAWS__CONTROL_MAX], key[4] = { 0 };
    size_t header;
    int result = send_draw_key(ws, key);
    if (result != CAWS_OK)
        return result;
    header = send_header(ws, frame, true, (uint8_t)send_opcode_of(kind), len,
                         key);
    send_payload(ws, frame + header, data, len, key);
    return caws__outbox_control(&ws->out, caws__alloc(ws), kind, frame,
                                header + len,
                                caws__max_control_burst(ws->cfg));
}

int caws__send_ping(struct caws_conn *ws, const void *data, size_t len)
{
    int result = caws__send_control(ws, CAWS__NODE_PING, data, len);
    if (result == CAWS_OK)
        ws->pinging = ws->rearm = true;
    return result;
}

/* ---- The queue's measure ----------------------------------------------- */

void caws__send_taken(struct caws_conn *ws, size_t len)
{
    unsigned left = caws__outbox_done(&ws->out, caws__alloc(ws), len);
    if (ws->transport->counters)
        ws->transport->counters->bytes_out += len;
    if (left & CAWS__LEFT_PING)
        ws->time.pinged = ws->time.now ? ws->time.now : 1;
    if (left & CAWS__LEFT_CLOSE)
        ws->close_left = true;
    /* Whoever takes bytes is alive, only slow. */
    if (len > 0 && (ws->pinging || ws->state >= CAWS_CLOSING))
        ws->rearm = true;
    if (ws->above && ws->out.queued <= caws__max_buffered(ws->cfg) / 2)
        ws->drain_due = true;
}

static bool send_fits(const struct caws_conn *ws, size_t size)
{
    size_t max = caws__max_buffered(ws->cfg);
    return ws->out.queued == 0 ||
           (ws->out.queued <= max && size <= max - ws->out.queued);
}

/* All queued output as slices; 0 if there are too many, or none. */
static size_t send_slices(struct caws_conn *ws, caws_slice *v, size_t max,
                          size_t *bytes)
{
    size_t n = caws__outbox_offer(&ws->out, v, max, 1);
    *bytes = 0;
    for (size_t i = 0; i < n; i++)
        *bytes += v[i].len;
    return n < max && !ws->out.late ? n : 0;
}

/* Where the queue is in the way, the transport may take it now. */
static int send_make_room(struct caws_conn *ws, size_t size)
{
    caws_slice v[SEND_SLICES];
    size_t bytes, n;
    if (send_fits(ws, size))
        return CAWS_OK;
    if (ws->transport->write_now &&
        (n = send_slices(ws, v, SEND_SLICES, &bytes)) > 0)
        caws__send_taken(ws, ws->transport->write_now(ws, v, n));
    if (send_fits(ws, size))
        return CAWS_OK;
    ws->above = true;
    return CAWS_ERR_FULL;
}

static void send_note_queued(struct caws_conn *ws, bool fin)
{
    if (fin && ws->transport->counters)
        ws->transport->counters->messages_out++;
    if (ws->out.queued > caws__max_buffered(ws->cfg) / 2)
        ws->above = true;
    caws__changed(ws);
}

/* ---- Data frames ------------------------------------------------------- */

struct send_frame {
    const void *data;
    size_t len;
    uint8_t opcode;
    bool fin;
};

/* A large frame goes straight to the transport; what it does not take is
 * queued, in memory that was had before, so nothing can fail halfway. */
static int send_large(struct caws_conn *ws, const struct send_frame *f,
                      size_t size, const uint8_t key[4])
{
    caws_slice v[SEND_SLICES + 2];
    size_t before, taken, n = send_slices(ws, v, SEND_SLICES, &before);
    struct caws__node *node;
    size_t header;
    if (n == 0 && !caws__outbox_empty(&ws->out))
        return 1;
    node = caws__node_new(caws__alloc(ws), CAWS__NODE_DATA, size);
    if (!node)
        return CAWS_ERR_NOMEM;
    header = send_header(ws, node->room, f->fin, f->opcode, f->len, key);
    if (ws->client) /* masked bytes exist nowhere else */
        send_payload(ws, node->room + header, f->data, f->len, key);
    v[n++] = (caws_slice){ (const char *)node->room, header };
    v[n++] = (caws_slice){ ws->client ? (const char *)node->room + header
                                      : f->data, f->len };
    taken = ws->transport->write_now(ws, v, n);
    caws__send_taken(ws, taken < before ? taken : before);
    taken = taken < before ? 0 : taken - before;
    if (!ws->client && taken < header + f->len) {
        size_t gone = taken > header ? taken - header : 0;
        memcpy(node->room + header + gone, (const char *)f->data + gone,
               f->len - gone);
    }
    caws__outbox_append(&ws->out, node, size, f->len);
    if (taken > 0) {
        caws__outbox_offer(&ws->out, v, 1, 1);
        caws__send_taken(ws, taken);
    }
    return CAWS_OK;
}

static int send_copied(struct caws_conn *ws, const struct send_frame *f,
                       size_t size, const uint8_t key[4])
{
    uint8_t *to = caws__outbox_room(&ws->out, caws__alloc(ws), size);
    size_t header;
    if (!to)
        return CAWS_ERR_NOMEM;
    header = send_header(ws, to, f->fin, f->opcode, f->len, key);
    send_payload(ws, to + header, f->data, f->len, key);
    caws__outbox_commit(&ws->out, size, f->len);
    return CAWS_OK;
}

static int send_frame(struct caws_conn *ws, const struct send_frame *f)
{
    size_t size = caws__frame_header_size(f->len, ws->client) + f->len;
    uint8_t key[4] = { 0 };
    int result = send_make_room(ws, size);
    if (result != CAWS_OK)
        return result;
    result = send_draw_key(ws, key);
    if (result != CAWS_OK)
        return result;
    result = 1;
    if (f->len >= SEND_LARGE && ws->transport->write_now)
        result = send_large(ws, f, size, key);
    if (result == 1)
        result = send_copied(ws, f, size, key);
    if (result == CAWS_OK)
        send_note_queued(ws, f->fin);
    return result;
}

/* ---- Messages ---------------------------------------------------------- */

static int send_check(const caws_conn *ws, caws_type type, const void *data,
                      size_t len)
{
    if (!ws || (type != CAWS_TEXT && type != CAWS_BINARY) ||
        (!data && len > 0) || len > SIZE_MAX / 2)
        return CAWS_ERR_ARG;
    return CAWS_OK;
}

static bool send_possible(const struct caws_conn *ws)
{
    return ws->state == CAWS_OPEN && !ws->discarded;
}

int caws_send(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct send_frame frame = { data, len, (uint8_t)type, true };
    int result = send_check(ws, type, data, len);
    if (result != CAWS_OK)
        return result;
    if (type == CAWS_TEXT && !ws->cfg->trust_utf8 &&
        !caws__utf8_valid(data, len))
        return CAWS_ERR_UTF8;
    if (!send_possible(ws) || ws->sending)
        return CAWS_ERR_STATE;
    return send_frame(ws, &frame);
}

int caws_send_text(caws_conn *ws, const char *text)
{
    return text ? caws_send(ws, CAWS_TEXT, text, strlen(text)) : CAWS_ERR_ARG;
}

int caws_send_fragment(caws_conn *ws, caws_type type, const void *data,
                       size_t len, bool fin)
{
    struct send_frame frame = { data, len, (uint8_t)type, fin };
    struct caws__utf8 utf8;
    int result = send_check(ws, type, data, len);
    if (result != CAWS_OK)
        return result;
    if (!send_possible(ws))
        return CAWS_ERR_STATE;
    if (ws->sending) {
        frame.opcode = CAWS__CONTINUATION;
        type = ws->sending_text ? CAWS_TEXT : CAWS_BINARY;
    }
    utf8 = ws->sending_utf8;
    if (type == CAWS_TEXT && !ws->cfg->trust_utf8 &&
        (!caws__utf8_check(&utf8, data, len) ||
         (fin && !caws__utf8_complete(&utf8))))
        return CAWS_ERR_UTF8;
    result = send_frame(ws, &frame);
    if (result != CAWS_OK)
        return result;
    ws->sending = !fin;
    ws->sending_text = type == CAWS_TEXT;
    ws->sending_utf8 = utf8;
    return CAWS_OK;
}

int caws_send_prepared(caws_conn *ws, caws_prepared *msg)
{
    struct send_frame frame;
    int result;
    if (!ws || !msg)
        return CAWS_ERR_ARG;
    frame = (struct send_frame){ msg->frame + msg->header,
                                 msg->len - msg->header, (uint8_t)msg->type,
                                 true };
    if (!send_possible(ws) || ws->sending)
        return CAWS_ERR_STATE;
    if (ws->client || msg->len <= SEND_COPIED)
        return send_frame(ws, &frame);
    result = send_make_room(ws, msg->len);
    if (result == CAWS_OK)
        result = caws__outbox_share(&ws->out, caws__alloc(ws), msg);
    if (result == CAWS_OK)
        send_note_queued(ws, true);
    return result;
}

/* ---- Control frames and the queue -------------------------------------- */

static int send_check_control(const caws_conn *ws, const void *data,
                              size_t len)
{
    if (!ws || (!data && len > 0) || len > CAWS__CONTROL_MAX)
        return CAWS_ERR_ARG;
    return send_possible(ws) ? CAWS_OK : CAWS_ERR_STATE;
}

int caws_ping(caws_conn *ws, const void *data, size_t len)
{
    int result = send_check_control(ws, data, len);
    if (result == CAWS_OK && ws->out.pinging)
        result = CAWS_ERR_FULL;
    if (result == CAWS_OK)
        result = caws__send_ping(ws, data, len);
    if (result == CAWS_OK)
        caws__changed(ws);
    return result;
}

int caws_pong(caws_conn *ws, const void *data, size_t len)
{
    int result = send_check_control(ws, data, len);
    if (result == CAWS_OK && ws->out.pongs + (ws->out.late != NULL) >=
                                 caws__max_control_burst(ws->cfg))
        result = CAWS_ERR_FULL;
    if (result == CAWS_OK)
        result = caws__send_control(ws, CAWS__NODE_PONG, data, len);
    if (result == CAWS_OK)
        caws__changed(ws);
    return result;
}

void caws_discard(caws_conn *ws)
{
    ws->discarded = true;
    caws__outbox_discard(&ws->out, caws__alloc(ws));
    caws__changed(ws);
}

size_t caws_output(caws_conn *ws, caws_slice *v, size_t max)
{
    return caws__outbox_offer(&ws->out, v, max,
                              caws__max_control_burst(ws->cfg));
}
