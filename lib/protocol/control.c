#include "protocol/control.h"

#include <string.h>

#include "protocol/closing.h"
#include "protocol/mask.h"
#include "protocol/enqueue.h"

/* A quarter of the allowance comes back each second; what is not charged after
 * 4 seconds is nothing (caws__clock). */
static bool control_allowed(struct caws_conn *ws)
{
    uint64_t burst = caws__max_control_burst(ws->cfg);
    uint64_t elapsed = (uint32_t)ws->time.now - ws->time.control;
    uint64_t back = elapsed >= 4000 ? burst : elapsed * burst / 4000;
    if (back > 0) {
        ws->controls = back < ws->controls ? ws->controls - (uint32_t)back : 0;
        ws->time.control = (uint32_t)ws->time.now;
    }
    if (ws->controls >= burst)
        return false;
    ws->controls++;
    return true;
}

static void control_ping(struct caws_conn *ws, const uint8_t *data, size_t len)
{
    int result = caws__enqueue_control(ws, CAWS__NODE_PONG, data, len);
    if (result != CAWS_OK)
        caws__fail(ws, result, "a Pong could not be built, "
                               "RFC 6455 section 5.5.2");
    else if (ws->cfg->on_ping)
        ws->cfg->on_ping(ws, data, len);
}

static void control_pong(struct caws_conn *ws, const uint8_t *data, size_t len)
{
    uint32_t took = (uint32_t)ws->time.now - ws->time.pinged;
    if (ws->measuring)
        ws->round_trip = took > 0 ? took : 1;
    ws->measuring = false;
    if (ws->cfg->on_pong)
        ws->cfg->on_pong(ws, data, len);
}

static void control_frame(struct caws_conn *ws, const uint8_t *data,
                          size_t len)
{
    if (ws->input->message.fragments == 0 && ws->state == CAWS_OPEN)
        ws->input->due = CAWS__NEVER; /* of the next frame: its own time */
    if (ws->input->frame.opcode == CAWS__CLOSE)
        caws__close_received(ws, data, len);
    else if (ws->state != CAWS_OPEN)
        return; /* after our Close nothing else is answered (5.5.1) */
    else if (!control_allowed(ws))
        caws__fail(ws, CAWS_ERR_LIMIT,
                   "more Pings and Pongs than max_control_burst, "
                   "RFC 6455 section 10.4");
    else if (ws->input->frame.opcode == CAWS__PING)
        control_ping(ws, data, len);
    else
        control_pong(ws, data, len);
}

/* The pieces are whole now. */
static void control_kept(struct caws_conn *ws)
{
    struct caws__buffer whole = ws->input->frame.control;
    ws->input->frame.control = (struct caws__buffer){ NULL, 0, 0 };
    control_frame(ws, whole.data, whole.len);
    caws__buffer_free(&whole, caws__alloc(ws));
}

/* A control frame is handled whole; where it is cut, its few bytes wait. */
void caws__control_bytes(struct caws_conn *ws, uint8_t *data, size_t len,
                         bool last)
{
    struct caws__buffer *b = &ws->input->frame.control;
    size_t phase = ws->input->frame.phase;
    if (!ws->client)
        caws__mask(data, len, ws->input->frame.key, phase);
    if (last && b->len == 0) {
        control_frame(ws, data, len);
        return;
    }
    if (caws__buffer_reserve(b, caws__alloc(ws), len, CAWS__CONTROL_MAX) !=
        CAWS_OK) {
        caws__fail_no_memory(ws);
        return;
    }
    memcpy(b->data + b->len, data, len); /* some bytes: see receive_frames */
    b->len += len;
    if (last)
        control_kept(ws);
}
