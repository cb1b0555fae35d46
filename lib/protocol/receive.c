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
    struct caws__reader *in = &ws->input->frame;
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
    struct caws__reader *in = &ws->input->frame;
    const char *detail;
    int result = CAWS_OK;
    in->left = frame->len;
    in->opcode = frame->opcode;
    in->fin = frame->fin;
    in->phase = 0;
    in->in_payload = true;
    memcpy(in->key, frame->key, 4);
    if (!caws__is_control_frame(frame->opcode))
        result = caws__deliver_frame(ws, frame, &detail);
    if (result != CAWS_OK)
        caws__fail(ws, result, detail);
}

/* Returns how many bytes of data the header took. */
static size_t receive_header(struct caws_conn *ws, const uint8_t *data,
                             size_t len)
{
    struct caws__reader *in = &ws->input->frame;
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
                            ws->input->message.fragments > 0, &frame,
                            &detail);
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
    return (!ws->input || !caws__input_is_within(ws->input)) &&
           caws__delivers_whole(ws->cfg);
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
    while (ws->state == CAWS_OPEN && !ws->paused &&
           (n = caws__frame_read_whole(data + used, len - used, masked,
                                       &whole)) > 0 && whole.len <= max) {
        used += n;
        if (!receive_is_valid(&whole, masked)) {
            caws__deliver_bad_text(ws);
            break;
        }
        caws__deliver_count(ws);
        ws->cfg->on_message(ws, (caws_type)whole.type, whole.payload,
                            whole.len);
    }
    return used;
}

static size_t receive_frames(struct caws_conn *ws, uint8_t *data, size_t len)
{
    struct caws__reader *in = &ws->input->frame;
    size_t used = 0;
    if (!in->in_payload)
        used = receive_header(ws, data, len);
    if (in->in_payload && !ws->deaf && (used < len || in->left == 0)) {
        size_t n = len - used;
        if (n > in->left)
            n = (size_t)in->left;
        receive_payload(ws, data + used, n);
        used += n;
    }
    return used;
}

/* ---- What is unfinished ------------------------------------------------ */

static void receive_watch_message(struct caws_conn *ws)
{
    struct caws__input *input = ws->input;
    if (ws->state != CAWS_OPEN)
        return;
    if (!caws__input_is_within(input))
        input->due = CAWS__NEVER;
    else if (input->due == CAWS__NEVER)
        input->due = caws__after(ws->time.now,
                                 caws__message_timeout(ws->cfg));
}

/* While bytes are used it lies on the stack; where something is unfinished
 * after that, it moves to where it stays. */
static void receive_keep(struct caws_conn *ws, struct caws__input *local)
{
    ws->input = NULL;
    if (!ws->deaf) {
        if (!caws__input_is_within(local))
            return; /* then it has no buffers */
        ws->input = caws__input_new(local, caws__alloc(ws));
        if (ws->input)
            return;
        caws__fail_no_memory(ws);
    }
    caws__input_clear(local, caws__alloc(ws));
}

/* What is finished does not stay. */
static void receive_drop(struct caws_conn *ws)
{
    if (!ws->input)
        return;
    if (!ws->deaf && (caws__held(ws) > 0 || caws__input_is_within(ws->input)))
        return;
    caws__input_free(ws->input, caws__alloc(ws));
    ws->input = NULL;
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

static bool receive_add_held(struct caws_conn *ws, const uint8_t *data,
                             size_t len)
{
    struct caws__input none;
    if (!ws->input) {
        caws__input_init(&none);
        ws->input = caws__input_new(&none, caws__alloc(ws));
    }
    return ws->input && caws__buffer_add(&ws->input->held, caws__alloc(ws),
                                         data, len) == CAWS_OK;
}

/* Keep what may not be used yet. An undecided client may send max_head in
 * all; a paused one has been told to stop by its full window. */
static void receive_hold(struct caws_conn *ws, const uint8_t *data, size_t len)
{
    if (ws->undecided && len > receive_room(ws) - caws__held(ws))
        receive_refuse_held(ws);
    else if (!receive_add_held(ws, data, len))
        caws__fail_no_memory(ws);
}

/* Messages, or a part of anything else, for which local serves meanwhile. */
static size_t receive_next(struct caws_conn *ws, uint8_t *data, size_t len,
                           struct caws__input *local)
{
    size_t used = receive_is_between(ws) ? receive_messages(ws, data, len) : 0;
    if (used > 0)
        return used;
    if (!ws->input)
        caws__input_init(ws->input = local);
    return receive_frames(ws, data, len);
}

/* Returns how many bytes are left over, to be held. */
static size_t receive_bytes(struct caws_conn *ws, uint8_t *data, size_t len)
{
    struct caws__input local;
    while (len > 0 && !ws->deaf && !ws->paused && !ws->undecided) {
        size_t used;
        if (ws->state == CAWS_CONNECTING)
            used = caws__opening_feed(ws, data, len);
        else
            used = receive_next(ws, data, len, &local);
        data += used;
        len -= used;
    }
    if (ws->input)
        receive_watch_message(ws);
    if (ws->input == &local)
        receive_keep(ws, &local);
    return ws->deaf ? 0 : len;
}

/* What was held is used where it lies: a handler that pauses after each
 * message must not make us copy the rest each time. */
static void receive_use_held(struct caws_conn *ws)
{
    struct caws__input *in = ws->input;
    size_t from = in->held_used, left;
    in->held_used = in->held.len;
    left = receive_bytes(ws, in->held.data + from, in->held.len - from);
    in->held_used = in->held.len - left;
    if (left == 0) {
        caws__buffer_free(&in->held, caws__alloc(ws));
        in->held_used = 0;
        return;
    }
    if (ws->undecided && left > receive_room(ws))
        receive_refuse_held(ws);
}

static void receive_drain(struct caws_conn *ws)
{
    ws->drain_due = false;
    if (ws->state != CAWS_OPEN ||
        ws->out->queued > caws__max_buffered(ws->cfg) / 2)
        return;
    ws->above = false;
    if (ws->cfg->on_drain)
        ws->cfg->on_drain(ws);
}

void caws__receive_held(struct caws_conn *ws)
{
    ws->waited = caws__outbox_waits(ws->out);
    if (ws->open_due)
        caws__opening_done(ws);
    if (ws->drain_due)
        receive_drain(ws);
    if (caws__held(ws) > 0 && !ws->paused)
        receive_use_held(ws);
    receive_drop(ws);
    if (ws->eof_due && !ws->paused && caws__held(ws) == 0)
        caws__end(ws, CAWS_OK, NULL);
}

/* The messages at the front, where nothing else is to be thought of before
 * them. Returns how many bytes they were. */
static size_t receive_plainly(struct caws_conn *ws, uint8_t *data, size_t len)
{
    if (!caws__is_plain(ws) || !caws__delivers_whole(ws->cfg))
        return 0;
    return receive_messages(ws, data, len);
}

int caws_feed(caws_conn *ws, void *data, size_t len, uint64_t now_ms)
{
    size_t left, used;
    caws__clock(ws, now_ms);
    ws->ping_left = false;
    if (ws->eof || ws->eof_due || ws->over || ws->deaf || len == 0)
        return ws->error;
    if (ws->transport->counters)
        ws->transport->counters->bytes_in += len;
    if (ws->state == CAWS_OPEN)
        ws->time.phase = ws->time.now;
    ws->pinging = false;
    if (caws__receive_pending(ws))
        caws__receive_held(ws); /* what is queued there did not wait */
    else
        ws->waited = caws__outbox_waits(ws->out);
    used = receive_plainly(ws, data, len);
    if (used == len && caws__is_plain(ws))
        return ws->error;
    left = receive_bytes(ws, (uint8_t *)data + used, len - used);
    if (left > 0)
        receive_hold(ws, (const uint8_t *)data + (len - left), left);
    receive_drop(ws);
    caws__settle(ws);
    return ws->error;
}

void caws_output_done(caws_conn *ws, size_t len)
{
    caws__taken(ws, len);
    if (ws->drain_due)
        receive_drain(ws);
    caws__finish_if_closed(ws);
    if (ws->eof && caws__outbox_empty(ws->out))
        ws->over = true;
}
