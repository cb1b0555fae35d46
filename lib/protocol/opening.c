#include "protocol/opening.h"

#include <string.h>

#include "protocol/base64.h"
#include "protocol/closing.h"
#include "protocol/state.h"

static const char opening_no_memory[] =
    "no memory for the opening handshake, RFC 6455 section 7.1.7";

/* The server's head, and a client's request, take memory only now. */
static bool opening_prepare(struct caws_conn *ws)
{
    if (ws->opening)
        return true;
    ws->opening = caws__resize(caws__alloc(ws), NULL, 0, sizeof *ws->opening);
    if (!ws->opening)
        return false;
    memset(ws->opening, 0, sizeof *ws->opening);
    ws->opening->limits = (struct caws__head_limits){
        caws__max_head(ws->cfg), caws__max_headers(ws->cfg), ws->client
    };
    return true;
}

static void opening_free(struct caws_conn *ws)
{
    caws__opening_free(ws->opening, caws__alloc(ws));
    ws->opening = NULL;
}

void caws__opening_done(struct caws_conn *ws)
{
    ws->open_due = false;
    if (ws->state == CAWS_OPEN) {
        ws->rearm = true;
        if (ws->cfg->on_open)
            ws->cfg->on_open(ws);
    }
    opening_free(ws);
}

bool caws__opening_agree(struct caws_conn *ws, caws_slice name)
{
    char *copy;
    if (name.len == 0)
        return true;
    copy = caws__resize(caws__alloc(ws), NULL, 0, name.len + 1);
    if (!copy)
        return false;
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    ws->subprotocol = copy;
    return true;
}

static void opening_drop_subprotocol(struct caws_conn *ws)
{
    if (ws->subprotocol)
        caws__resize(caws__alloc(ws), ws->subprotocol,
                     strlen(ws->subprotocol) + 1, 0);
    ws->subprotocol = NULL;
}

/* ---- The server's answer ----------------------------------------------- */

/* Build an answer, 101 or a refusal, and queue it. */
static int opening_answer(struct caws_conn *ws, int status,
                          const char *detail)
{
    struct caws__buffer text = { NULL, 0, 0 };
    int result;
    if (status == 101)
        result = caws__response_accept(ws->opening, ws->cfg, &text);
    else
        result = caws__response_refuse(ws->opening, ws->cfg, status, detail,
                                       &text);
    if (result == CAWS_OK)
        result = caws__outbox_http(&ws->out, caws__alloc(ws), text.data,
                                   text.len);
    caws__buffer_free(&text, caws__alloc(ws));
    return result;
}

static int opening_accept(struct caws_conn *ws)
{
    if (!caws__opening_agree(ws, ws->opening->subprotocol))
        return CAWS_ERR_NOMEM;
    if (opening_answer(ws, 101, NULL) != CAWS_OK) {
        opening_drop_subprotocol(ws);
        return CAWS_ERR_NOMEM;
    }
    ws->undecided = false;
    caws__enter(ws, CAWS_OPEN);
    return CAWS_OK;
}

/* After a refusal nothing more is parsed on this connection (RFC 9112 section
 * 9.6). Where there is no memory to answer, it is just closed. */
static int opening_turn_away(struct caws_conn *ws, int status,
                             const char *detail)
{
    int result = opening_answer(ws, status, detail);
    if (result != CAWS_OK)
        return result;
    if (ws->transport->counters)
        ws->transport->counters->refused++;
    caws__end_by(ws, CAWS_BY_US);
    ws->undecided = false;
    ws->deaf = true;
    caws__enter(ws, CAWS_CLOSING);
    return CAWS_OK;
}

void caws__opening_refuse(struct caws_conn *ws, int status, int error,
                          const char *detail)
{
    if (opening_turn_away(ws, status, detail) != CAWS_OK)
        caws__fail(ws, CAWS_ERR_NOMEM, opening_no_memory);
    else
        caws__report(ws, error, detail);
    opening_free(ws);
}

static const char opening_no_upgrade[] =
    "Upgrade does not include websocket, RFC 6455 section 4.2.1";

static void opening_decide(struct caws_conn *ws, int answer)
{
    if (answer == CAWS_LATER) {
        ws->undecided = ws->owed = true;
        return;
    }
    if (answer == CAWS_ACCEPT && !ws->opening->request.upgrade) {
        ws->owed = ws->cfg->on_request != NULL; /* it was accepted there */
        caws__opening_refuse(ws, 426, CAWS_ERR_HANDSHAKE, opening_no_upgrade);
    } else if (answer == CAWS_ACCEPT) {
        ws->owed = true; /* even if there is no memory for the 101 */
        if (opening_accept(ws) == CAWS_OK)
            caws__opening_done(ws);
        else
            caws__fail(ws, CAWS_ERR_NOMEM, opening_no_memory);
    } else {
        if (answer < 200 || answer > 599)
            answer = 500;
        if (opening_turn_away(ws, answer, NULL) != CAWS_OK)
            caws__fail(ws, CAWS_ERR_NOMEM, opening_no_memory);
        opening_free(ws);
    }
}

static void opening_request(struct caws_conn *ws)
{
    const char *detail;
    int answer = CAWS_ACCEPT;
    int status = caws__request_check(ws->opening, ws->cfg, &detail);
    if (status != 0) {
        caws__opening_refuse(ws, status, CAWS_ERR_HANDSHAKE, detail);
        return;
    }
    if (ws->cfg->on_request) {
        ws->asking = true;
        answer = ws->cfg->on_request(ws, &ws->opening->request);
        ws->asking = false;
    }
    if (!ws->over)
        opening_decide(ws, answer);
}

/* ---- The client's side ------------------------------------------------- */

int caws__opening_begin(struct caws_conn *ws, const caws_url *url)
{
    struct caws__buffer text = { NULL, 0, 0 };
    uint8_t nonce[16];
    int result;
    if (!opening_prepare(ws))
        return CAWS_ERR_NOMEM;
    if (ws->cfg->random(ws->cfg->random_ctx, nonce, sizeof nonce) != 0)
        return CAWS_ERR_RANDOM;
    caws__base64_encode(nonce, sizeof nonce, ws->opening->key);
    result = caws__request_write(ws->opening, url, ws->cfg, &text);
    if (result == CAWS_OK)
        result = caws__outbox_http(&ws->out, caws__alloc(ws), text.data,
                                   text.len);
    caws__buffer_free(&text, caws__alloc(ws));
    return result;
}

/* All or nothing: the old request goes when the new one is there. */
int caws_retarget(caws_conn *ws, const char *url)
{
    struct caws__outbox *out;
    struct caws__opening *opening;
    caws_url parsed;
    int result = ws && url ? caws_config_check(ws->cfg, url) : CAWS_ERR_ARG;
    if (result != CAWS_OK)
        return result;
    if (!ws->client || ws->state != CAWS_CONNECTING)
        return CAWS_ERR_STATE;
    caws_url_parse(url, &parsed); /* which the check has done, too */
    out = ws->out;
    opening = ws->opening;
    ws->out = caws__outbox_none();
    ws->opening = NULL;
    result = caws__opening_begin(ws, &parsed);
    if (result != CAWS_OK) {
        opening_free(ws);
        ws->out = out;
        ws->opening = opening;
        return result;
    }
    caws__outbox_free(&out, caws__alloc(ws));
    caws__opening_free(opening, caws__alloc(ws));
    caws__input_free(ws->input, caws__alloc(ws));
    ws->input = NULL;
    ws->eof_due = false; /* it was the old target's, too */
    ws->rearm = true;
    caws__changed(ws);
    return CAWS_OK;
}

/* The next head; what the last one took counts against max_head too. */
static void opening_skip_interim(struct caws_conn *ws)
{
    struct caws__opening *o = ws->opening;
    o->limits.max_bytes -= o->head.text.len;
    caws__head_free(&o->head, caws__alloc(ws));
    o->head = (struct caws__head){ 0 };
}

static void opening_response(struct caws_conn *ws)
{
    const char *detail;
    int result = caws__response_check(ws->opening, ws->cfg, &detail);
    if (result == 1) {
        opening_skip_interim(ws);
        return;
    }
    if (result != CAWS_OK) {
        caws__fail(ws, result, detail);
        return;
    }
    if (!caws__opening_agree(ws, ws->opening->subprotocol)) {
        caws__fail(ws, CAWS_ERR_NOMEM, opening_no_memory);
        return;
    }
    caws__enter(ws, CAWS_OPEN);
    caws__opening_done(ws);
}

/* ---- Both -------------------------------------------------------------- */

/* Of caws__head_feed, but for 0. */
static void opening_verdict(struct caws_conn *ws, int result,
                            const char *detail)
{
    if (result == CAWS_ERR_NOMEM)
        caws__fail(ws, CAWS_ERR_NOMEM, opening_no_memory);
    else if (result > 1 && ws->client)
        caws__fail(ws, CAWS_ERR_HANDSHAKE, detail);
    else if (result > 1)
        caws__opening_refuse(ws, result, CAWS_ERR_HANDSHAKE, detail);
    else if (ws->client)
        opening_response(ws);
    else
        opening_request(ws);
}

size_t caws__opening_feed(struct caws_conn *ws, const uint8_t *data,
                          size_t len)
{
    const char *detail = opening_no_memory;
    size_t used = len;
    int result = CAWS_ERR_NOMEM;
    if (opening_prepare(ws))
        result = caws__head_feed(&ws->opening->head, caws__alloc(ws),
                                 &ws->opening->limits, data, len, &used,
                                 &detail);
    if (result != 0)
        opening_verdict(ws, result, detail);
    return used;
}

void caws__opening_late(struct caws_conn *ws)
{
    static const char detail[] =
        "the opening handshake took longer than handshake_timeout_ms, "
        "RFC 6455 section 7.1.7";
    if (ws->client)
        caws__fail_silently(ws, CAWS_ERR_TIMEOUT, detail);
    else
        caws__opening_refuse(ws, ws->undecided ? 503 : 408, CAWS_ERR_TIMEOUT,
                             detail);
}

/* ---- The application's side -------------------------------------------- */

int caws_accept(caws_conn *ws)
{
    int result;
    if (!ws)
        return CAWS_ERR_ARG;
    if (!ws->undecided || ws->state != CAWS_CONNECTING)
        return CAWS_ERR_STATE;
    if (!ws->opening->request.upgrade)
        result = opening_turn_away(ws, 426, opening_no_upgrade);
    else
        result = opening_accept(ws);
    if (result != CAWS_OK)
        return result;
    ws->open_due = ws->state == CAWS_OPEN;
    caws__changed(ws);
    return CAWS_OK;
}

int caws_refuse(caws_conn *ws, int http_status)
{
    int result;
    if (!ws || http_status < 200 || http_status > 599)
        return CAWS_ERR_ARG;
    if (ws->client || ws->asking || ws->state != CAWS_CONNECTING)
        return CAWS_ERR_STATE;
    result = opening_turn_away(ws, http_status, NULL);
    if (result == CAWS_OK)
        caws__changed(ws);
    return result;
}
