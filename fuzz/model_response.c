/* RFC 6455 section 4.1, second half: what a client makes of a whole head. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static const char *only(const struct model_head *h, const char *name)
{
    unsigned count;
    const char *value = model_field(h, name, &count);
    return count == 1 ? value : NULL;
}

static unsigned times(const struct model_head *h, const char *name)
{
    unsigned count;
    model_field(h, name, &count);
    return count;
}

static bool protocol_good(const struct model_head *h, const char *offered)
{
    const char *name = only(h, "Sec-WebSocket-Protocol");
    char element[MODEL_HEAD];
    if (times(h, "Sec-WebSocket-Protocol") == 0)
        return true;
    while (name && offered && model_element(&offered, element))
        if (strcmp(element, name) == 0)
            return true;
    return false;
}

static bool upgrade_good(const struct model_head *h, const char *accept, const char *offered)
{
    const char *upgrade = only(h, "Upgrade"), *given = only(h, "Sec-WebSocket-Accept");
    const char *length = only(h, "Content-Length");
    if (!upgrade || !model_same(upgrade, "websocket"))
        return false;
    if (!model_listed(h, "Connection", "upgrade"))
        return false;
    if (!given || strcmp(given, accept) != 0)
        return false;
    if (times(h, "Sec-WebSocket-Extensions") > 0) /* none was offered */
        return false;
    /* RFC 9112 section 6.3: a 101 has no body. Policy: it may say so. */
    if (times(h, "Transfer-Encoding") > 0)
        return false;
    if (times(h, "Content-Length") > 0 && (!length || strcmp(length, "0") != 0))
        return false;
    return protocol_good(h, offered);
}

int model_response(const struct model_head *h, const char *accept, const char *offered)
{
    int status = atoi(h->start + 9);
    if (status == 101)
        return upgrade_good(h, accept, offered) ? CAWS_OK : CAWS_ERR_HANDSHAKE;
    return status < 200 ? 1 : CAWS_ERR_REFUSED;
}
