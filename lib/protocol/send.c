/* What the application sends: messages, fragments, Pings and Pongs. */
#include <string.h>

#include "protocol/enqueue.h"
#include "protocol/state.h"
#include "protocol/utf8.h"

#define SEND_COPIED 256u /* a shared frame this small is cheaper copied */

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
    int result = send_check(ws, type, data, len);
    if (result != CAWS_OK)
        return result;
    if (type == CAWS_TEXT && !ws->cfg->trust_utf8 &&
        !caws__utf8_valid(data, len))
        return CAWS_ERR_UTF8;
    if (!send_possible(ws) || ws->sending)
        return CAWS_ERR_STATE;
    if (caws__enqueue_behind(ws, (uint8_t)type, true, data, len))
        return CAWS_OK; /* as most do, without a further call */
    return caws__enqueue(ws, (uint8_t)type, true, data, len);
}

int caws_send_text(caws_conn *ws, const char *text)
{
    return text ? caws_send(ws, CAWS_TEXT, text, strlen(text)) : CAWS_ERR_ARG;
}

int caws_send_fragment(caws_conn *ws, caws_type type, const void *data,
                       size_t len, bool fin)
{
    uint8_t opcode = (uint8_t)type;
    struct caws__utf8 utf8;
    int result = send_check(ws, type, data, len);
    if (result != CAWS_OK)
        return result;
    if (!send_possible(ws))
        return CAWS_ERR_STATE;
    if (ws->sending) {
        opcode = CAWS__CONTINUATION;
        type = ws->sending_text ? CAWS_TEXT : CAWS_BINARY;
    }
    utf8 = ws->sending_utf8;
    if (type == CAWS_TEXT && !ws->cfg->trust_utf8 &&
        (!caws__utf8_check(&utf8, data, len) ||
         (fin && !caws__utf8_complete(&utf8))))
        return CAWS_ERR_UTF8;
    result = caws__enqueue(ws, opcode, fin, data, len);
    if (result != CAWS_OK)
        return result;
    ws->sending = !fin;
    ws->sending_text = type == CAWS_TEXT;
    ws->sending_utf8 = utf8;
    return CAWS_OK;
}

int caws_send_prepared(caws_conn *ws, caws_prepared *msg)
{
    int result;
    if (!ws || !msg)
        return CAWS_ERR_ARG;
    if (!send_possible(ws) || ws->sending)
        return CAWS_ERR_STATE;
    if (ws->client || msg->len <= SEND_COPIED)
        return caws__enqueue(ws, (uint8_t)msg->type, true,
                             msg->frame + msg->header, msg->len - msg->header);
    result = caws__enqueue_make_room(ws, msg->len);
    if (result == CAWS_OK)
        result = caws__outbox_share(&ws->out, caws__alloc(ws), msg);
    if (result == CAWS_OK)
        caws__enqueued(ws, true);
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
    if (result == CAWS_OK && ws->out->pinging)
        result = CAWS_ERR_FULL;
    if (result == CAWS_OK)
        result = caws__enqueue_ping(ws, data, len);
    if (result == CAWS_OK)
        caws__changed(ws);
    return result;
}

int caws_pong(caws_conn *ws, const void *data, size_t len)
{
    int result = send_check_control(ws, data, len);
    if (result == CAWS_OK && ws->out->pongs + (ws->out->late != NULL) >=
                                 caws__max_control_burst(ws->cfg))
        result = CAWS_ERR_FULL;
    if (result == CAWS_OK)
        result = caws__enqueue_control(ws, CAWS__NODE_PONG, data, len);
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
    return caws__outbox_offer(ws->out, v, max,
                              caws__max_control_burst(ws->cfg));
}
