#include "protocol/handshake.h"

#include <string.h>

/* ---- The request (section 4.1) ----------------------------------------- */

static void client_put_host(struct caws__writer *w, const caws_url *url)
{
    bool literal = memchr(url->host.data, ':', url->host.len) != NULL;
    caws__put(w, literal ? "Host: [" : "Host: ");
    caws__put_slice(w, url->host);
    caws__put(w, literal ? "]" : "");
    if (url->port != (url->secure ? 443 : 80)) {
        caws__put(w, ":");
        caws__put_number(w, url->port);
    }
    caws__put(w, "\r\n");
}

/* "chat,superchat" in the config's spelling goes out as "chat, superchat". */
static void client_put_subprotocols(struct caws__writer *w, const char *names)
{
    caws_slice rest = caws__slice(names), e;
    const char *before = "Sec-WebSocket-Protocol: ";
    while (caws__list_next(&rest, &e)) {
        caws__put(w, before);
        caws__put_slice(w, e);
        before = ", ";
    }
    caws__put(w, "\r\n");
}

int caws__request_write(const struct caws__opening *o, const caws_url *url,
                        const caws_config *cfg, struct caws__buffer *out)
{
    struct caws__writer w = { out, &cfg->alloc, CAWS_OK };
    caws__put(&w, url->target.data[0] == '/' ? "GET " : "GET /");
    caws__put_slice(&w, url->target);
    caws__put(&w, " HTTP/1.1\r\n");
    client_put_host(&w, url);
    caws__put(&w, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    caws__put_field(&w, "Sec-WebSocket-Key", caws__slice(o->key));
    caws__put(&w, "Sec-WebSocket-Version: 13\r\n");
    if (cfg->subprotocols)
        client_put_subprotocols(&w, cfg->subprotocols);
    if (cfg->origin)
        caws__put_field(&w, "Origin", caws__slice(cfg->origin));
    caws__put_slice(&w, caws__slice(cfg->headers));
    caws__put(&w, "\r\n");
    return w.result;
}

/* ---- The response (section 4.1, second half) --------------------------- */

static int client_check_accept(const struct caws__opening *o,
                               const char **detail)
{
    char accept[CAWS__ACCEPT_LEN + 1];
    unsigned count;
    caws_slice given = caws__head_get(&o->head, "Sec-WebSocket-Accept",
                                      &count);
    caws_accept_key(o->key, CAWS__KEY_LEN, accept);
    *detail = "Sec-WebSocket-Accept is missing, repeated or wrong, "
              "RFC 6455 section 4.1";
    return count == 1 && caws__equal(given, caws__slice(accept))
               ? CAWS_OK
               : CAWS_ERR_HANDSHAKE;
}

static bool client_offered(const caws_config *cfg, caws_slice name)
{
    caws_slice rest = caws__slice(cfg->subprotocols), e;
    while (caws__list_next(&rest, &e))
        if (caws__equal(e, name))
            return true;
    return false;
}

/* A server that picks none of what was offered is fine (4.2.2). */
static int client_check_subprotocol(struct caws__opening *o,
                                    const caws_config *cfg,
                                    const char **detail)
{
    unsigned count;
    caws_slice name = caws__head_get(&o->head, "Sec-WebSocket-Protocol",
                                     &count);
    *detail = "Sec-WebSocket-Protocol is repeated or was not offered, "
              "RFC 6455 section 4.1";
    if (count > 1 || (count == 1 && !client_offered(cfg, name)))
        return CAWS_ERR_HANDSHAKE;
    o->subprotocol = name;
    return CAWS_OK;
}

/* A 101 has no body: what follows it is frames, whatever it claims (RFC 9112
 * section 6.3), so a claim to the contrary is not believed but refused. */
static int client_check_body(const struct caws__opening *o,
                             const char **detail)
{
    unsigned lengths;
    caws_slice length = caws__head_get(&o->head, "Content-Length", &lengths);
    *detail = "101 response announces a body, RFC 9112 section 6.3";
    if (lengths > 1 || (lengths == 1 && !caws__equal(length, caws__slice("0"))))
        return CAWS_ERR_HANDSHAKE;
    return caws__head_get(&o->head, "Transfer-Encoding", NULL).data
               ? CAWS_ERR_HANDSHAKE
               : CAWS_OK;
}

static int client_check_101(struct caws__opening *o, const caws_config *cfg,
                            const char **detail)
{
    unsigned upgrades;
    caws_slice upgrade = caws__head_get(&o->head, "Upgrade", &upgrades);
    *detail = "Upgrade in the 101 response is not websocket, "
              "RFC 6455 section 4.1";
    if (upgrades != 1 || !caws__same(upgrade, "websocket"))
        return CAWS_ERR_HANDSHAKE;
    *detail = "Connection in the 101 response does not include Upgrade, "
              "RFC 6455 section 4.1";
    if (!caws__head_list_has(&o->head, "Connection", "upgrade"))
        return CAWS_ERR_HANDSHAKE;
    *detail = "an extension in the 101 response was not offered, "
              "RFC 6455 section 4.1";
    if (caws__head_get(&o->head, "Sec-WebSocket-Extensions", NULL).data)
        return CAWS_ERR_HANDSHAKE;
    if (client_check_accept(o, detail) != CAWS_OK ||
        client_check_body(o, detail) != CAWS_OK)
        return CAWS_ERR_HANDSHAKE;
    return client_check_subprotocol(o, cfg, detail);
}

int caws__response_check(struct caws__opening *o, const caws_config *cfg,
                         const char **detail)
{
    o->status = caws__status_line(caws__head_start_line(&o->head));
    if (o->status == 101)
        return client_check_101(o, cfg, detail);
    if (o->status >= 200) {
        *detail = "the server answered, but not with 101, "
                  "RFC 6455 section 4.1";
        return CAWS_ERR_REFUSED;
    }
    *detail = "more interim responses than 8, RFC 9110 section 15.2";
    return ++o->interim > CAWS__MAX_INTERIM ? CAWS_ERR_HANDSHAKE : 1;
}
