#include "protocol/status.h"

#include "protocol/utf8.h"

#include <string.h>

bool caws__status_legal(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int caws__status_read(const uint8_t *payload, size_t len, uint16_t *code,
                      caws_slice *reason, const char **detail)
{
    uint16_t received;
    if (len == 0) {
        *code = CAWS_CLOSE_NO_STATUS;
        *reason = (caws_slice){ NULL, 0 };
        return CAWS_OK;
    }
    if (len == 1) {
        *detail = "Close frame with a payload of one byte, "
                  "RFC 6455 section 5.5.1";
        return CAWS_ERR_PROTOCOL;
    }
    received = (uint16_t)(payload[0] << 8 | payload[1]);
    if (!caws__status_legal(received)) {
        *detail = "Close frame with a status code that may not be sent, "
                  "RFC 6455 section 7.4";
        return CAWS_ERR_PROTOCOL;
    }
    if (!caws__utf8_valid(payload + 2, len - 2)) {
        *detail = "Close frame with a reason that is not UTF-8, "
                  "RFC 6455 section 5.5.1";
        return CAWS_ERR_UTF8;
    }
    *code = received;
    *reason = (caws_slice){ (const char *)payload + 2, len - 2 };
    return CAWS_OK;
}

int caws__status_write(uint16_t code, const char *reason,
                       uint8_t out[CAWS__CLOSE_MAX])
{
    size_t len = reason != NULL ? strlen(reason) : 0;
    if (code == 0 && len == 0)
        return 0;
    if (code == 0)
        code = CAWS_CLOSE_NORMAL;
    if (!caws__status_legal(code) || len > CAWS__CLOSE_MAX - 2)
        return CAWS_ERR_ARG;
    if (!caws__utf8_valid(reason, len))
        return CAWS_ERR_UTF8;
    out[0] = (uint8_t)(code >> 8);
    out[1] = (uint8_t)code;
    if (len > 0)
        memcpy(out + 2, reason, len);
    return (int)len + 2;
}

uint16_t caws__status_of(int error)
{
    switch (error) {
    case CAWS_ERR_PROTOCOL:
    case CAWS_ERR_HANDSHAKE:
    case CAWS_ERR_EOF:
        return CAWS_CLOSE_PROTOCOL;
    case CAWS_ERR_UTF8:
    case CAWS_ERR_COMPRESSION:
        return CAWS_CLOSE_INVALID_DATA;
    case CAWS_ERR_TOO_BIG:
        return CAWS_CLOSE_TOO_BIG;
    case CAWS_ERR_LIMIT:
    case CAWS_ERR_TIMEOUT:
        return CAWS_CLOSE_POLICY;
    case CAWS_ERR_FULL:
        return CAWS_CLOSE_TRY_AGAIN_LATER;
    default:
        return CAWS_CLOSE_INTERNAL;
    }
}
