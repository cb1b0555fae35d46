#include "protocol/frame.h"

#include <caws.h>
#include <string.h>

#define FRAME_RSV 0x70u

/* The framing rules: which first byte may come now. NULL, or the rule that
 * forbids it. */
static const char *frame_check_first(uint8_t byte, bool continuing)
{
    if (byte & FRAME_RSV)
        return "a reserved bit is set that no extension defines, "
               "RFC 6455 section 5.2";
    switch (byte) {
    case CAWS__CONTINUATION:
    case CAWS__FIN | CAWS__CONTINUATION:
        return continuing ? NULL
                          : "continuation frame without a message to continue, "
                            "RFC 6455 section 5.4";
    case CAWS__TEXT:
    case CAWS__BINARY:
    case CAWS__FIN | CAWS__TEXT:
    case CAWS__FIN | CAWS__BINARY:
        return continuing ? "new message before the last fragment of another, "
                            "RFC 6455 section 5.4"
                          : NULL;
    case CAWS__CLOSE:
    case CAWS__PING:
    case CAWS__PONG:
        return "fragmented control frame, RFC 6455 section 5.5";
    case CAWS__FIN | CAWS__CLOSE:
    case CAWS__FIN | CAWS__PING:
    case CAWS__FIN | CAWS__PONG:
        return NULL;
    default: /* 0x3 to 0x7 and 0xB to 0xF */
        return "reserved opcode, RFC 6455 section 5.2";
    }
}

/* The second byte: the mask bit, and a control frame's length. */
static const char *frame_check_second(uint8_t opcode, uint8_t byte,
                                      bool masked)
{
    if (!!(byte & CAWS__MASKED) != masked)
        return masked ? "frame from a client is not masked, "
                        "RFC 6455 section 5.1"
                      : "frame from a server is masked, RFC 6455 section 5.1";
    if (caws__is_control_frame(opcode) && (byte & 0x7f) > CAWS__CONTROL_MAX)
        return "control frame longer than 125 bytes, RFC 6455 section 5.5";
    return NULL;
}

static uint64_t frame_read_number(const uint8_t *p, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | p[i];
    return n;
}

static const char *frame_check_length(uint64_t len, size_t bytes)
{
    if (len > INT64_MAX)
        return "most significant bit of a 64-bit length is set, "
               "RFC 6455 section 5.2";
    if (len <= (bytes == 2 ? 125u : 65535u))
        return "length is not encoded in the fewest bytes, "
               "RFC 6455 section 5.2";
    return NULL;
}

int caws__frame_read(const uint8_t *p, size_t n, bool masked, bool continuing,
                     struct caws__frame *frame, const char **detail)
{
    size_t extended, size;
    if (n > 0 && (*detail = frame_check_first(p[0], continuing)))
        return CAWS_ERR_PROTOCOL;
    if (n < 2)
        return 0;
    frame->opcode = p[0] & 0x0f;
    frame->fin = p[0] & CAWS__FIN;
    frame->len = p[1] & 0x7f;
    if ((*detail = frame_check_second(frame->opcode, p[1], masked)))
        return CAWS_ERR_PROTOCOL;
    extended = frame->len < 126 ? 0 : frame->len == 126 ? 2 : 8;
    if (n < 2 + extended)
        return 0;
    if (extended > 0) {
        frame->len = frame_read_number(p + 2, extended);
        if ((*detail = frame_check_length(frame->len, extended)))
            return CAWS_ERR_PROTOCOL;
    }
    size = 2 + extended + (masked ? 4 : 0);
    if (n < size)
        return 0;
    if (masked)
        memcpy(frame->key, p + 2 + extended, 4);
    return (int)size;
}

size_t caws__frame_header_size(uint64_t len, bool masked)
{
    return (len < 126 ? 2u : len < 65536 ? 4u : 10u) + (masked ? 4u : 0u);
}

size_t caws__frame_write(uint8_t *out, bool fin, uint8_t opcode, uint64_t len,
                         const uint8_t *key)
{
    size_t extended = len < 126 ? 0 : len < 65536 ? 2 : 8;
    uint8_t short_len = len < 126 ? (uint8_t)len : len < 65536 ? 126 : 127;
    out[0] = (uint8_t)((fin ? CAWS__FIN : 0u) | opcode);
    out[1] = (uint8_t)((key ? CAWS__MASKED : 0u) | short_len);
    for (size_t i = 0; i < extended; i++)
        out[2 + i] = (uint8_t)(len >> 8 * (extended - 1 - i));
    if (key)
        memcpy(out + 2 + extended, key, 4);
    return 2 + extended + (key ? 4 : 0);
}

void caws__frame_measure(const uint8_t *p, size_t *header, uint64_t *payload)
{
    uint8_t len = p[1] & 0x7f;
    size_t extended = len < 126 ? 0 : len == 126 ? 2 : 8;
    *header = 2 + extended + (p[1] & CAWS__MASKED ? 4 : 0);
    *payload = extended ? frame_read_number(p + 2, extended) : len;
}
