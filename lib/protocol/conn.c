/* Birth and death of a conn, what it wants, and what it can be asked. */
#include "protocol/conn.h"

#include <string.h>

#include "protocol/closing.h"
#include "protocol/opening.h"
#include "protocol/state.h"

const char *caws_version(void)
{
    return CAWS_VERSION;
}

const char *caws_strerror(int error)
{
    static const char *const texts[] = {
        "no error",
        "out of memory",
        "invalid argument",
        "not possible in this ready state",
        "the queue is full",
        "the random source failed",
        "not a ws: or wss: URL",
        "the peer's opening handshake is invalid",
        "the server refused the opening handshake",
        "the peer broke a framing rule",
        "text is not UTF-8",
        "message is too big",
        "too many fragments or control frames",
        "corrupt compressed data",
        "a timeout passed",
        "the transport ended without a closing handshake",
        "the host name was not found",
        "the host could not be reached",
        "TLS failed",
        "an operating-system call failed",
    };
    if (error > 0 || error < CAWS_ERR_SYS)
        return "unknown error";
    return texts[-error];
}

/* ---- Birth and death --------------------------------------------------- */

int caws_config_check(const caws_config *cfg, const char *client_url)
{
    caws_url url;
    if (!cfg || cfg->deflate || (client_url && !cfg->random))
        return CAWS_ERR_ARG;
    for (size_t i = 0; i < sizeof cfg->reserved_ / sizeof *cfg->reserved_; i++)
        if (cfg->reserved_[i])
            return CAWS_ERR_ARG;
    if (caws__handshake_check(cfg) != CAWS_OK)
        return CAWS_ERR_ARG;
    return client_url ? caws_url_parse(client_url, &url) : CAWS_OK;
}

/* The owner's room follows the conn, aligned for anything. */
static size_t conn_owner_at(void)
{
    size_t align = _Alignof(max_align_t);
    return (sizeof(caws_conn) + align - 1) / align * align;
}

static size_t conn_size(const caws_transport *transport)
{
    return conn_owner_at() + transport->owner_size;
}

static caws_conn *conn_new(const caws_config *cfg,
                           const caws_transport *transport, bool client)
{
    static const caws_transport none = { 0 };
    caws_conn *ws;
    if (!transport)
        transport = &none;
    ws = caws__resize(&cfg->alloc, NULL, 0, conn_size(transport));
    if (!ws)
        return NULL;
    memset(ws, 0, conn_size(transport));
    ws->cfg = cfg;
    ws->transport = transport;
    ws->out = caws__outbox_none();
    ws->client = client;
    ws->owed = client;
    ws->rearm = true;
    return ws;
}

caws_conn *caws_new_server(const caws_config *cfg,
                           const caws_transport *transport)
{
    if (caws_config_check(cfg, NULL) != CAWS_OK)
        return NULL;
    return conn_new(cfg, transport, false);
}

caws_conn *caws_new_client(const char *url, const caws_config *cfg,
                           const caws_transport *transport)
{
    caws_url parsed;
    caws_conn *ws;
    if (!url || caws_config_check(cfg, url) != CAWS_OK)
        return NULL;
    caws_url_parse(url, &parsed); /* which the check has done, too */
    ws = conn_new(cfg, transport, true);
    if (ws && caws__opening_begin(ws, &parsed) != CAWS_OK) {
        caws_free(ws);
        return NULL;
    }
    return ws;
}

caws_conn *caws_new_open(bool client, const char *subprotocol,
                         const char *extensions, const caws_config *cfg,
                         const caws_transport *transport)
{
    caws_slice name = caws__slice(subprotocol);
    caws_conn *ws;
    if (caws_config_check(cfg, NULL) != CAWS_OK || (client && !cfg->random) ||
        (name.len > 0 && !caws__is_token(name)) ||
        (extensions && *extensions))
        return NULL;
    ws = conn_new(cfg, transport, client);
    if (ws && !caws__opening_agree(ws, name)) {
        caws_free(ws);
        return NULL;
    }
    if (ws) {
        ws->owed = ws->open_due = true;
        caws__enter(ws, CAWS_OPEN);
    }
    return ws;
}

static void conn_free_text(const caws_alloc *alloc, char *text)
{
    if (text)
        caws__resize(alloc, text, strlen(text) + 1, 0);
}

void caws_free(caws_conn *ws)
{
    const caws_alloc *alloc;
    if (!ws)
        return;
    alloc = caws__alloc(ws);
    if (ws->reason_len > 0)
        caws__resize(alloc, ws->reason, (size_t)ws->reason_len + 1, 0);
    else
        caws__opening_free(ws->opening, alloc);
    conn_free_text(alloc, ws->subprotocol);
    caws__outbox_free(&ws->out, alloc);
    caws__input_free(ws->input, alloc);
    caws__resize(alloc, ws, conn_size(ws->transport), 0);
}

/* ---- What it wants ----------------------------------------------------- */

/* An undecided conn holds what comes behind the head, max_head in all. Another
 * uses what it holds, from a pause, before it takes more. */
static bool conn_has_room(const struct caws_conn *ws)
{
    size_t held = caws__held(ws);
    if (ws->undecided)
        return held < caws__max_head(ws->cfg) - ws->opening->head.text.len;
    return held == 0 || ws->deaf;
}

unsigned caws_wants(const caws_conn *ws)
{
    unsigned wants = caws__outbox_empty(ws->out) ? 0 : CAWS_WANT_WRITE;
    if (caws__is_plain(ws))
        return wants | CAWS_WANT_READ;
    if (ws->over)
        return CAWS_WANT_CLOSE;
    if (wants == 0 && ws->deaf && !ws->client)
        wants |= CAWS_WANT_SHUTDOWN;
    if (!ws->paused && !ws->eof && !ws->eof_due && conn_has_room(ws))
        wants |= CAWS_WANT_READ;
    return wants;
}

/* ---- Queries ----------------------------------------------------------- */

caws_state caws_ready_state(const caws_conn *ws)
{
    return (caws_state)ws->state;
}

size_t caws_buffered_amount(const caws_conn *ws)
{
    return ws->out->buffered;
}

bool caws_needs_drain(const caws_conn *ws)
{
    return ws->above && ws->state == CAWS_OPEN;
}

const char *caws_subprotocol(const caws_conn *ws)
{
    return ws->subprotocol ? ws->subprotocol : "";
}

const char *caws_extensions(const caws_conn *ws)
{
    (void)ws; /* none can be agreed yet */
    return "";
}

bool caws_is_client(const caws_conn *ws)
{
    return ws->client;
}

uint32_t caws_round_trip_ms(const caws_conn *ws)
{
    return ws->round_trip;
}

void *caws_context(const caws_conn *ws)
{
    return ws->cfg->context;
}

void *caws_user(const caws_conn *ws)
{
    return ws->user;
}

void caws_set_user(caws_conn *ws, void *user)
{
    ws->user = user;
}

void *caws_transport_owner(const caws_conn *ws)
{
    return (char *)(uintptr_t)ws + conn_owner_at();
}

/* NULL, once it has gone. */
static const struct caws__opening *conn_opening(const struct caws_conn *ws)
{
    return ws->reason_len > 0 ? NULL : ws->opening;
}

caws_slice caws_header(const caws_conn *ws, const char *name)
{
    const struct caws__opening *o = conn_opening(ws);
    if (!o || !o->head.complete || !name ||
        !caws__is_token(caws__slice(name)))
        return (caws_slice){ NULL, 0 };
    return caws__head_get(&o->head, name, NULL);
}

bool caws_header_at(const caws_conn *ws, size_t i, caws_slice *name,
                    caws_slice *value)
{
    const struct caws__opening *o = conn_opening(ws);
    size_t pos;
    if (!o || !o->head.complete)
        return false;
    pos = o->head.fields;
    while (caws__head_next(&o->head, &pos, name, value))
        if (i-- == 0)
            return true;
    return false;
}

int caws_http_status(const caws_conn *ws)
{
    const struct caws__opening *o = conn_opening(ws);
    return o ? o->status : 0;
}
