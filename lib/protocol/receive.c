#include "protocol/receive.h"

#include <string.h>

#include "protocol/closing.h"
#include "protocol/control.h"
#include "protocol/deliver.h"
#include "protocol/mask.h"
#include "protocol/opening.h"
#include "protocol/enqueue.h"
#include "protocol/state.h"

/* ---- Frames (section 5.2) ---------------------------------------------- */

static void receive_payload(struct caws_conn *ws, uint8_t *data, size_t len)
{
    struct caws__reader *in = &ws->in;
    bool ends = in->left == len;
    in->left -= len;
    in->in_payload = !ends;
    if (caws__is_control_frame(in->opcode))
        caws__control_bytes(ws, data, len, ends);
    else
        caws__deliver_bytes(ws, data, len, ends);
    in->phase = (uint8_t)((in->phase + len) & 3);
}

static void receive_frame(struct caws_conn *ws,
                          const struct caws__frame *frame)
{
    const char *detail;
    int result = CAWS_OK;
    ws->in.left = frame->len;
    ws->in.opcode = frame->opcode;
    ws->in.fin = frame->fin;
    ws->in.phase = 0;
    ws->in.in_payload = true;
    memcpy(ws->in.key, frame->key, 4);
    if (!caws__is_control_frame(frame->opcode))
        result = caws__deliver_frame(ws, frame, &detail);
    if (result != CAWS_OK)
        caws__fail(ws, result, detail);
}

/* Returns how many bytes of data the header took. */
static size_t receive_header(struct caws_conn *ws, const uint8_t *data,
                             size_t len)
{
    struct caws__reader *in = &ws->in;
    const uint8_t *header = data;
    size_t before = in->spilled, have = len, used = len;
    const char *detail;
    struct caws__frame frame = { 0 };
    int size;
    if (before > 0) {
        size_t room = CAWS__HEADER_MAX - before;
        have = before + (len < room ? len : room);
        memcpy(in->spill + before, data, have - before);
        header = in->spill;
    }
    size = caws__frame_read(header, have, !ws->client,
                            ws->message.fragments > 0, &frame, &detail);
    if (size < 0) {
        caws__fail(ws, size, detail);
    } else if (size == 0) { /* then there were fewer than 14 bytes */
        if (before == 0)
            memcpy(in->spill, data, len);
        in->spilled = (uint8_t)have;
    } else {
        in->spilled = 0;
        used = (size_t)size - before;
        receive_frame(ws, &frame);
    }
    return used;
}

/* Is there nothing unfinished, and is on_message to be called? */
static bool receive_is_between(const struct caws_conn *ws)
{
    return !ws->in.in_payload && ws->in.spilled == 0 &&
           ws->message.fragments == 0 && caws__delivers_whole(ws->cfg);
}

/* Unmasks it, and is it UTF-8 if it should be? */
static inline bool receive_is_valid(const struct caws__whole *whole,
                                    bool masked)
{
    uint8_t *data = whole->payload;
    bool ascii = false;
    if (whole->type == CAWS_BINARY) {
        if (masked)
            caws__mask(data, whole->len, data - 4, 0);
        return true;
    }
    if (masked)
        ascii = caws__mask_ascii(data, whole->len, data - 4, 0);
    return ascii || caws__utf8_valid(data, whole->len);
}

/* Most frames are a whole message that lies whole in the input, and then one
 * after the other is read here: 70 instructions each instead of 330. Whatever
 * else comes goes the long way, which also says what may be wrong with it.
 * Returns how many bytes they were. */
static size_t receive_messages(struct caws_conn *ws, uint8_t *data, size_t len)
{
    size_t max = caws__max_message(ws->cfg), used = 0, n;
    bool masked = !ws->client;
    struct caws__whole whole;
    ws->time.message = CAWS__NEVER;
    while (ws->state == CAWS_OPEN && !ws->paused &&
           (n = caws__frame_read_whole(data + used, len - used, masked,
                                       &whole)) > 0 && whole.len <= max) {
        used += n;
        if (!receive_is_valid(&whole, masked)) {
            caws__deliver_bad_text(ws);
            break;
        }
        if (ws->transport->counters)
            ws->transport->counters->messages_in++;
        ws->cfg->on_message(ws, (caws_type)whole.type, whole.payload,
                            whole.len);
    }
    return used;
}

static size_t receive_frames(struct caws_conn *ws, uint8_t *data, size_t len)
{
    size_t used = 0;
    if (receive_is_between(ws) &&
        (used = receive_messages(ws, data, len)) > 0)
        return used;
    if (!ws->in.in_payload)
        used = receive_header(ws, data, len);
    if (ws->in.in_payload && !ws->deaf &&
        (used < len || ws->in.left == 0)) {
        size_t n = len - used;
        if (n > ws->in.left)
            n = (size_t)ws->in.left;
        receive_payload(ws, data + used, n);
        used += n;
    }
    return used;
}

/* ---- Bytes ------------------------------------------------------------- */

/* How much an undecided client may send behind its head. */
static size_t receive_room(const struct caws_conn *ws)
{
    return caws__max_head(ws->cfg) - ws->opening->head.text.len;
}

static void receive_refuse_held(struct caws_conn *ws)
{
    caws__opening_refuse(ws, 413, CAWS_ERR_LIMIT,
                         "more bytes than max_head before the opening "
                         "handshake was answered, RFC 6455 section 10.4");
}

/* Keep what may not be used yet. An undecided client may send max_head in
 * all; a paused one has been told to stop by its full window. */
static void receive_hold(struct caws_conn *ws, const uint8_t *data, size_t len)
{
    if (ws->undecided &&
        len > receive_room(ws) - (ws->held.len - ws->held_used))
        receive_refuse_held(ws);
    else if (caws__buffer_add(&ws->held, caws__alloc(ws), data, len) !=
             CAWS_OK)
        caws__fail_no_memory(ws);
}

/* Returns how many bytes are left over, to be held. */
static size_t receive_bytes(struct caws_conn *ws, uint8_t *data, size_t len)
{
    while (len > 0 && !ws->deaf && !ws->paused && !ws->undecided) {
        size_t used;
        if (ws->state == CAWS_CONNECTING)
            used = caws__opening_feed(ws, data, len);
        else
            used = receive_frames(ws, data, len);
        data += used;
        len -= used;
    }
    return ws->deaf ? 0 : len;
}

/* What was held is used where it lies: a handler that pauses after each
 * message must not make us copy the rest each time. */
static void receive_use_held(struct caws_conn *ws)
{
    struct caws__buffer held = ws->held;
    size_t from = ws->held_used, left;
    ws->held = (struct caws__buffer){ NULL, 0, 0 };
    ws->held_used = 0;
    left = receive_bytes(ws, held.data + from, held.len - from);
    if (left == 0) {
        caws__buffer_free(&held, caws__alloc(ws));
        return;
    }
    ws->held = held;
    ws->held_used = held.len - left;
    if (ws->undecided && left > receive_room(ws))
        receive_refuse_held(ws);
}

/* Between two feeds: is a message, or a frame of any kind, unfinished? */
static void receive_watch_message(struct caws_conn *ws)
{
    if (ws->state != CAWS_OPEN)
        return;
    if (ws->in.spilled == 0 && !ws->in.in_payload &&
        ws->message.fragments == 0)
        ws->time.message = CAWS__NEVER;
    else if (ws->time.message == CAWS__NEVER)
        ws->time.message = caws__after(ws->time.now,
                                       caws__message_timeout(ws->cfg));
}

static void receive_drain(struct caws_conn *ws)
{
    ws->drain_due = false;
    if (ws->state != CAWS_OPEN ||
        ws->out.queued > caws__max_buffered(ws->cfg) / 2)
        return;
    ws->above = false;
    if (ws->cfg->on_drain)
        ws->cfg->on_drain(ws);
}

void caws__receive_held(struct caws_conn *ws)
{
    ws->waited = caws__outbox_waits(&ws->out);
    if (ws->open_due)
        caws__opening_done(ws);
    if (ws->drain_due)
        receive_drain(ws);
    if (ws->held.len > 0 && !ws->paused) {
        receive_use_held(ws);
        receive_watch_message(ws);
    }
    if (ws->eof_due && !ws->paused && ws->held.len == 0)
        caws__end(ws, CAWS_OK, NULL);
}

int caws_feed(caws_conn *ws, void *data, size_t len, uint64_t now_ms)
{
    size_t left;
    caws__clock(ws, now_ms);
    ws->ping_left = false;
    if (ws->eof || ws->eof_due || ws->over || ws->deaf || len == 0)
        return ws->error;
    if (ws->transport->counters)
        ws->transport->counters->bytes_in += len;
    ws->time.heard = ws->time.now;
    ws->pinging = false;
    if (caws__receive_pending(ws))
        caws__receive_held(ws); /* what is queued there did not wait */
    else
        ws->waited = caws__outbox_waits(&ws->out);
    left = receive_bytes(ws, data, len);
    if (left > 0)
        receive_hold(ws, (const uint8_t *)data + (len - left), left);
    receive_watch_message(ws);
    caws__settle(ws);
    return ws->error;
}

void caws_output_done(caws_conn *ws, size_t len)
{
    caws__taken(ws, len);
    if (ws->drain_due)
        receive_drain(ws);
    caws__finish_if_closed(ws);
    if (ws->eof && caws__outbox_empty(&ws->out))
        ws->over = true;
}

void caws_pause(caws_conn *ws)
{
    if (ws->paused || ws->state >= CAWS_CLOSING)
        return;
    ws->paused = true;
    if (!ws->resumed) /* else the pause before has not been counted yet */
        ws->time.paused = ws->time.now;
    ws->resumed = false;
    caws__changed(ws);
}

void caws_resume(caws_conn *ws)
{
    if (!ws->paused)
        return;
    ws->paused = false;
    ws->resumed = true;
    caws__changed(ws);
}
