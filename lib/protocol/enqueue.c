#include "protocol/enqueue.h"

#include <string.h>

#include "protocol/mask.h"
#include "protocol/state.h"

#define ENQUEUE_LARGE  16384u /* bytes of payload worth a write of their own */
#define ENQUEUE_SLICES 64u

/* ---- Frames ------------------------------------------------------------ */

/* A fresh masking key for each frame of a client (5.3); none for a server. */
static int enqueue_draw_key(struct caws_conn *ws, uint8_t key[4])
{
    if (ws->client && ws->cfg->random(ws->cfg->random_ctx, key, 4) != 0)
        return CAWS_ERR_RANDOM;
    return CAWS_OK;
}

static size_t enqueue_header(const struct caws_conn *ws, uint8_t *to, bool fin,
                          uint8_t opcode, size_t len, const uint8_t key[4])
{
    return caws__frame_write(to, fin, opcode, len, ws->client ? key : NULL);
}

static void enqueue_payload(const struct caws_conn *ws, uint8_t *to,
                         const void *data, size_t len, const uint8_t key[4])
{
    if (len == 0)
        return;
    if (ws->client)
        caws__mask_copy(to, data, len, key, 0);
    else
        memcpy(to, data, len);
}

static uint8_t enqueue_opcode_of(enum caws__kind kind)
{
    return kind == CAWS__NODE_PING   ? CAWS__PING
           : kind == CAWS__NODE_PONG ? CAWS__PONG
                                     : CAWS__CLOSE;
}

int caws__enqueue_control(struct caws_conn *ws, enum caws__kind kind,
                       const void *data, size_t len)
{
    uint8_t frame[CAWS__HEADER_MAX + CAWS__CONTROL_MAX], key[4] = { 0 };
    size_t header;
    int result = enqueue_draw_key(ws, key);
    if (result != CAWS_OK)
        return result;
    header = enqueue_header(ws, frame, true, enqueue_opcode_of(kind), len,
                            key);
    enqueue_payload(ws, frame + header, data, len, key);
    return caws__outbox_control(&ws->out, caws__alloc(ws), kind, frame,
                                header + len,
                                caws__max_control_burst(ws->cfg));
}

int caws__enqueue_ping(struct caws_conn *ws, const void *data, size_t len)
{
    int result = CAWS_OK;
    if (!ws->out->pinging) /* one that has not left yet will do */
        result = caws__enqueue_control(ws, CAWS__NODE_PING, data, len);
    if (result == CAWS_OK)
        ws->pinging = ws->rearm = true;
    return result;
}

/* ---- The queue's measure ----------------------------------------------- */

void caws__taken(struct caws_conn *ws, size_t len)
{
    unsigned left = caws__outbox_done(&ws->out, caws__alloc(ws), len);
    if (ws->transport->counters)
        ws->transport->counters->bytes_out += len;
    if (left & CAWS__LEFT_PING) {
        ws->time.pinged = (uint32_t)ws->time.now;
        ws->ping_left = ws->measuring = true;
    }
    if (left & CAWS__LEFT_CLOSE)
        ws->close_left = true;
    /* Whoever takes bytes is alive, only slow. */
    if (len > 0 && (ws->pinging || ws->state >= CAWS_CLOSING))
        ws->rearm = true;
    if (ws->above && ws->out->queued <= caws__max_buffered(ws->cfg) / 2)
        ws->drain_due = true;
}

static bool enqueue_fits(const struct caws_conn *ws, size_t size)
{
    size_t max = caws__max_buffered(ws->cfg);
    return ws->out->queued == 0 ||
           (ws->out->queued <= max && size <= max - ws->out->queued);
}

/* The transport has taken len bytes of what it was shown by write_now, and
 * keeps none: only the node that is cut freezes. */
static void enqueue_taken_now(struct caws_conn *ws, size_t len)
{
    caws_slice v;
    while (len > 0 && caws__outbox_offer(ws->out, &v, 1, 1) > 0) {
        size_t n = len < v.len ? len : v.len;
        caws__taken(ws, n);
        len -= n;
    }
}

/* Where the queue is in the way, the transport may take it now. */
int caws__enqueue_make_room(struct caws_conn *ws, size_t size)
{
    caws_slice v[ENQUEUE_SLICES];
    size_t n;
    if (enqueue_fits(ws, size))
        return CAWS_OK;
    if (ws->transport->write_now &&
        (n = caws__outbox_peek(ws->out, v, ENQUEUE_SLICES)) > 0) {
        enqueue_taken_now(ws, ws->transport->write_now(ws, v, n));
        caws__changed(ws);
    }
    if (enqueue_fits(ws, size))
        return CAWS_OK;
    ws->above = true;
    return CAWS_ERR_FULL;
}

void caws__enqueued(struct caws_conn *ws, bool fin)
{
    caws__enqueue_count(ws, fin);
    if (ws->out->queued > caws__max_buffered(ws->cfg) / 2)
        ws->above = true;
    caws__changed(ws);
}

/* ---- Data frames ------------------------------------------------------- */

struct enqueue_frame {
    const void *data;
    size_t len;
    uint8_t opcode;
    bool fin;
};

static size_t enqueue_bytes(const caws_slice *v, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += v[i].len;
    return sum;
}

/* A large frame goes straight to the transport; what it does not take is
 * queued, in memory that was had before, so nothing can fail halfway. */
static int enqueue_large(struct caws_conn *ws, const struct enqueue_frame *f,
                      size_t size, const uint8_t key[4])
{
    caws_slice v[ENQUEUE_SLICES + 2];
    size_t n = caws__outbox_peek(ws->out, v, ENQUEUE_SLICES);
    size_t header, taken, before = enqueue_bytes(v, n);
    struct caws__node *node;
    if (n == 0 && !caws__outbox_empty(ws->out))
        return 1;
    node = caws__outbox_node(&ws->out, caws__alloc(ws), CAWS__NODE_DATA, size);
    if (!node)
        return CAWS_ERR_NOMEM;
    header = enqueue_header(ws, node->bytes, f->fin, f->opcode, f->len, key);
    if (ws->client) /* masked bytes exist nowhere else */
        enqueue_payload(ws, node->bytes + header, f->data, f->len, key);
    v[n++] = (caws_slice){ (const char *)node->bytes, header };
    v[n++] = (caws_slice){ ws->client ? (const char *)node->bytes + header
                                      : f->data, f->len };
    taken = ws->transport->write_now(ws, v, n);
    if (!ws->client && taken < before + header + f->len) {
        size_t gone = taken > before + header ? taken - before - header : 0;
        memcpy(node->bytes + header + gone, (const char *)f->data + gone,
               f->len - gone);
    }
    caws__outbox_append(ws->out, node, size, f->len);
    enqueue_taken_now(ws, taken);
    return CAWS_OK;
}

static int enqueue_copied(struct caws_conn *ws, const struct enqueue_frame *f,
                       size_t size, const uint8_t key[4])
{
    uint8_t *to = caws__outbox_room(&ws->out, caws__alloc(ws), size);
    size_t header;
    if (!to)
        return CAWS_ERR_NOMEM;
    header = enqueue_header(ws, to, f->fin, f->opcode, f->len, key);
    enqueue_payload(ws, to + header, f->data, f->len, key);
    caws__outbox_commit(ws->out, size, f->len);
    return CAWS_OK;
}

/* A small one where nothing is queued: it begins the queue. 1: it is not so. */
static int enqueue_first(struct caws_conn *ws, uint8_t opcode, bool fin,
                         const void *data, size_t len)
{
    if (ws->out != caws__outbox_none() || !caws__enqueue_is_small(ws, len))
        return 1;
    if (!caws__outbox_room(&ws->out, caws__alloc(ws), 2 + len))
        return CAWS_ERR_NOMEM;
    caws__enqueue_small(ws, opcode, fin, data, len);
    caws__changed(ws);
    return CAWS_OK;
}

static int enqueue_any(struct caws_conn *ws, const struct enqueue_frame *f)
{
    size_t size = caws__frame_header_size(f->len, ws->client) + f->len;
    uint8_t key[4] = { 0 };
    int result = caws__enqueue_make_room(ws, size);
    if (result != CAWS_OK)
        return result;
    result = enqueue_draw_key(ws, key);
    if (result != CAWS_OK)
        return result;
    result = 1;
    if (f->len >= ENQUEUE_LARGE && ws->transport->write_now)
        result = enqueue_large(ws, f, size, key);
    if (result == 1)
        result = enqueue_copied(ws, f, size, key);
    if (result == CAWS_OK)
        caws__enqueued(ws, f->fin);
    return result;
}

int caws__enqueue(struct caws_conn *ws, uint8_t opcode, bool fin,
                  const void *data, size_t len)
{
    struct enqueue_frame frame = { data, len, opcode, fin };
    int result;
    if (caws__enqueue_behind(ws, opcode, fin, data, len))
        return CAWS_OK;
    result = enqueue_first(ws, opcode, fin, data, len);
    return result == 1 ? enqueue_any(ws, &frame) : result;
}
