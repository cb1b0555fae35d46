#include "protocol/closing.h"

#include <assert.h>
#include <string.h>

#include "protocol/enqueue.h"
#include "protocol/state.h"
#include "protocol/status.h"

/* ---- Close frames ------------------------------------------------------ */

/* A Close behind all that is queued; where it cannot be built, the transport
 * is closed without it. */
static void closing_queue(struct caws_conn *ws, const uint8_t *payload,
                          size_t len)
{
    int result = caws__enqueue_control(ws, CAWS__NODE_CLOSE, payload, len);
    if (result == CAWS_OK) {
        ws->close_sent = true;
        return;
    }
    ws->over = ws->deaf = true;
    if (ws->error == CAWS_OK) {
        ws->error = (int8_t)result;
        ws->untold = true;
    }
}

int caws_close(caws_conn *ws, uint16_t code, const char *reason)
{
    uint8_t payload[CAWS__CLOSE_MAX];
    int len = ws ? caws__status_write(code, reason, payload) : CAWS_ERR_ARG;
    if (len < 0)
        return len;
    if (ws->state >= CAWS_CLOSING)
        return CAWS_ERR_STATE;
    caws__end_by(ws, CAWS_BY_US);
    if (ws->state == CAWS_OPEN) {
        closing_queue(ws, payload, (size_t)len);
    } else {
        ws->over = ws->deaf = true;
        if (ws->error == CAWS_OK) { /* else this is inside its on_error */
            ws->error = CAWS_ERR_EOF;
            ws->untold = true;
        }
    }
    caws__enter(ws, CAWS_CLOSING);
    caws__changed(ws);
    return CAWS_OK;
}

void caws_abort(caws_conn *ws)
{
    if (!ws || ws->over)
        return;
    caws__end_by(ws, CAWS_BY_US);
    ws->over = ws->deaf = true;
    if (ws->state < CAWS_CLOSING)
        caws__enter(ws, CAWS_CLOSING);
    caws__changed(ws);
}

/* ---- Failing ----------------------------------------------------------- */

void caws__report(struct caws_conn *ws, int error, const char *detail)
{
    ws->error = (int8_t)error;
    if (ws->cfg->on_error)
        ws->cfg->on_error(ws, error, detail);
}

static void closing_report_failure(struct caws_conn *ws, int error,
                                   const char *detail)
{
    if (ws->transport->counters)
        ws->transport->counters->failed++;
    caws__report(ws, error, detail);
}

/* An error that arose where no handler may run (caws_close). */
static void closing_tell(struct caws_conn *ws)
{
    const char *detail =
        ws->error == CAWS_ERR_EOF
            ? "closed before the opening handshake was done, "
              "RFC 6455 section 7.1.7"
            : "the Close frame could not be built, RFC 6455 section 7.1.7";
    if (ws->untold)
        closing_report_failure(ws, ws->error, detail);
    ws->untold = false;
}

static void closing_fail(struct caws_conn *ws, int error, const char *detail)
{
    ws->deaf = true;
    ws->error = (int8_t)error; /* in case the Close meets another */
    caws__end_by(ws, CAWS_BY_US);
    if (ws->state < CAWS_CLOSING)
        caws__enter(ws, CAWS_CLOSING);
    closing_report_failure(ws, error, detail);
}

void caws__fail(struct caws_conn *ws, int error, const char *detail)
{
    uint8_t payload[CAWS__CLOSE_MAX];
    int len;
    assert(ws->error == CAWS_OK && !ws->over); /* else it hears nothing */
    ws->error = (int8_t)error;
    if (ws->state == CAWS_CONNECTING) {
        ws->over = true;
    } else if (!ws->close_sent) {
        len = caws__status_write(caws__status_of(error), detail, payload);
        assert(len > 0); /* each detail is ours, and fits */
        closing_queue(ws, payload, (size_t)len);
    }
    closing_fail(ws, error, detail);
}

void caws__fail_no_memory(struct caws_conn *ws)
{
    caws__fail(ws, CAWS_ERR_NOMEM,
               "no memory for what was received, RFC 6455 section 7.4.1");
}

void caws__fail_silently(struct caws_conn *ws, int error, const char *detail)
{
    assert(ws->error == CAWS_OK && !ws->over);
    ws->over = true;
    closing_fail(ws, error, detail);
    caws__finish(ws);
}

/* ---- The peer's Close -------------------------------------------------- */

static bool closing_keep_reason(struct caws_conn *ws, caws_slice reason)
{
    if (reason.len == 0)
        return true;
    assert(!ws->opening);
    ws->reason = caws__resize(caws__alloc(ws), NULL, 0, reason.len + 1);
    if (!ws->reason)
        return false;
    memcpy(ws->reason, reason.data, reason.len);
    ws->reason[reason.len] = '\0';
    ws->reason_len = (uint8_t)reason.len;
    return true;
}

/* The answer has the same code (5.5.1). It goes ahead of messages that were
 * waiting already, which are dropped; replies to frames of this very feed
 * leave first. */
static void closing_answer(struct caws_conn *ws)
{
    uint8_t payload[CAWS__CLOSE_MAX];
    uint16_t code = ws->close_code == CAWS_CLOSE_NO_STATUS ? 0
                                                           : ws->close_code;
    int len = caws__status_write(code, NULL, payload);
    if (ws->waited)
        caws__outbox_discard(&ws->out, caws__alloc(ws));
    closing_queue(ws, payload, (size_t)len);
    caws__enter(ws, CAWS_CLOSING);
}

void caws__close_received(struct caws_conn *ws, const uint8_t *payload,
                          size_t len)
{
    caws_slice reason;
    const char *detail;
    uint16_t code;
    int result = caws__status_read(payload, len, &code, &reason, &detail);
    if (result == CAWS_OK && !closing_keep_reason(ws, reason)) {
        result = CAWS_ERR_NOMEM;
        detail = "no memory for the reason of a Close frame, "
                 "RFC 6455 section 7.1.6";
    }
    if (result != CAWS_OK) {
        caws__fail(ws, result, detail);
        return;
    }
    ws->close_received = ws->deaf = true;
    ws->close_code = code;
    caws__end_by(ws, CAWS_BY_PEER);
    if (ws->state == CAWS_OPEN)
        closing_answer(ws);
    else
        caws__finish_if_closed(ws);
}

/* ---- The end ----------------------------------------------------------- */

void caws__finish(struct caws_conn *ws)
{
    caws_close_event event = { CAWS_CLOSE_ABNORMAL, "", 0, false,
                               CAWS_BY_TRANSPORT, CAWS_OK };
    if (ws->reported)
        return;
    ws->reported = true;
    caws__end_by(ws, CAWS_BY_TRANSPORT);
    caws__enter(ws, CAWS_CLOSED);
    if (ws->close_received)
        event.code = ws->close_code;
    if (ws->reason_len > 0) {
        event.reason = ws->reason;
        event.reason_len = ws->reason_len;
    }
    event.was_clean = ws->close_received && ws->close_left;
    event.ended_by = (caws_ended_by)ws->ended_by;
    event.error = ws->error;
    if (ws->owed && ws->cfg->on_close)
        ws->cfg->on_close(ws, &event);
}

void caws__finish_if_closed(struct caws_conn *ws)
{
    if (ws->close_received && ws->close_left)
        caws__finish(ws);
}

/* A transport that ended without the closing handshake failed the conn
 * (7.2.1); one on which nothing was ever asked did not. */
static void closing_report_end(struct caws_conn *ws, int error,
                               const char *detail)
{
    bool unused = !ws->client && ws->state == CAWS_CONNECTING && !ws->opening;
    closing_tell(ws);
    if (ws->error != CAWS_OK || ws->over || ws->deaf)
        return;
    if (unused && error == CAWS_OK)
        return;
    if (!detail)
        detail = "the transport ended without a closing handshake, "
                 "RFC 6455 section 7.1.5";
    caws__end_by(ws, CAWS_BY_TRANSPORT);
    closing_report_failure(ws, error == CAWS_OK ? CAWS_ERR_EOF : error, detail);
}

void caws__end(struct caws_conn *ws, int error, const char *detail)
{
    ws->eof_due = false;
    if (!ws->eof)
        closing_report_end(ws, error, detail);
    ws->eof = ws->deaf = true;
    if (error != CAWS_OK || (ws->client && ws->state == CAWS_CONNECTING) ||
        caws__outbox_empty(ws->out))
        ws->over = true;
    caws__finish(ws);
}

int caws_feed_eof(caws_conn *ws, int error, const char *detail)
{
    if (error == CAWS_OK && caws__held(ws) > 0 && !ws->deaf && !ws->undecided)
        ws->eof_due = true; /* what came before it is delivered first */
    else
        caws__end(ws, error, detail);
    return ws->error;
}
