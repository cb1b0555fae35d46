/* An observer of one direction's bytes: it reads frames as RFC 6455 section 5.2
 * has them, with nothing of the library, and holds their sender to the rules. */
#include <string.h>

#include "sim.h"

void wire_init(struct wire *w, struct end *sender, bool head)
{
    memset(w, 0, sizeof *w);
    w->sender = sender;
    w->stage = head ? WIRE_HEAD : WIRE_FRAMES;
    w->since = SIM_NEVER;
}

bool wire_is_clean(const struct wire *w)
{
    return w->have == 0 && !w->in_frame && !w->continuing;
}

/* Up to the empty line; of a response the status is read on the way. Only a
 * request and a 101 have frames behind it. */
static size_t read_head(struct wire *w, const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && w->newlines < 2) {
        uint8_t c = p[i++];
        if (w->head_at >= 9 && w->head_at < 12)
            w->status = w->status * 10 + (c - '0');
        w->head_at++;
        if (c == '\n')
            w->newlines++;
        else if (c != '\r')
            w->newlines = 0;
    }
    if (w->newlines == 2)
        w->stage = w->sender->client || w->status == 101 ? WIRE_FRAMES : WIRE_BODY;
    return i;
}

/* The size that the header will have, as far as its bytes tell. */
static size_t header_size(const struct wire *w)
{
    size_t size = 2;
    if (w->have < 2)
        return 2;
    if ((w->header[1] & 0x7f) == 126)
        size += 2;
    if ((w->header[1] & 0x7f) == 127)
        size += 8;
    return size + (w->header[1] & 0x80 ? 4 : 0);
}

static uint64_t header_length(const struct wire *w)
{
    uint64_t len = w->header[1] & 0x7f;
    size_t bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (bytes > 0)
        len = 0;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | w->header[2 + i];
    return len;
}

static void check_header(const struct wire *w)
{
    const struct end *e = w->sender;
    unsigned op = w->opcode;
    if (w->header[0] & 0x70)
        broken(e, "frame with a reserved bit");
    if (w->masked != e->client)
        broken(e, "frame masked the wrong way");
    if (w->have != 2 + (w->len > 65535 ? 8u : w->len > 125 ? 2u : 0) + (w->masked ? 4u : 0))
        broken(e, "frame length not in its shortest form");
    if (w->closes > 0)
        broken(e, "frame after a Close");
    if (op >= 8 && (!w->fin || w->len > 125 || op > 10))
        broken(e, "control frame %u that breaks the rules", op);
    if (op < 8 && (op > 2 || (op == 0) != w->continuing))
        broken(e, "data frame %u out of order", op);
}

static void begin_frame(struct wire *w)
{
    w->opcode = w->header[0] & 15;
    w->fin = w->header[0] >> 7;
    w->masked = w->header[1] >> 7;
    w->len = header_length(w);
    w->at = 0;
    w->in_frame = true;
    if (w->masked)
        memcpy(w->key, w->header + w->have - 4, 4);
    check_header(w);
    if (w->opcode < 8) {
        w->frames++;
        w->data_bytes += w->have;
        if (w->frame)
            w->frame(w);
    }
    w->have = 0;
}

static void end_control(struct wire *w)
{
    size_t n = (size_t)w->len;
    for (size_t i = 0; w->masked && i < n; i++)
        w->small[i] ^= w->key[i & 3];
    w->pings += w->opcode == 9;
    w->pongs += w->opcode == 10;
    if (w->opcode == 8) {
        w->closes++;
        w->close_len = n;
        memcpy(w->close, w->small, n);
        w->close_code = (uint16_t)(n < 2 ? 1005 : w->small[0] << 8 | w->small[1]);
    }
    if (w->control)
        w->control(w, w->opcode, w->small, n);
}

static void end_frame(struct wire *w)
{
    w->in_frame = false;
    if (w->opcode >= 8) {
        end_control(w);
    } else {
        w->continuing = !w->fin;
        w->messages += w->fin;
    }
    if (wire_is_clean(w))
        w->since = SIM_NEVER;
}

static size_t read_payload(struct wire *w, const uint8_t *p, size_t n)
{
    uint64_t left = w->len - w->at;
    if (n > left)
        n = (size_t)left;
    if (w->opcode >= 8) {
        if (n > 0)
            memcpy(w->small + w->at, p, n);
    } else {
        if (w->data && n > 0)
            w->data(w, p, n, w->at);
        w->payload += n;
        w->data_bytes += n;
    }
    w->at += n;
    if (w->at == w->len)
        end_frame(w);
    return n;
}

void wire_read(struct wire *w, const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t used = n;
        if (w->stage == WIRE_HEAD) {
            used = read_head(w, p, n);
        } else if (w->stage == WIRE_FRAMES && w->in_frame) {
            used = read_payload(w, p, n);
        } else if (w->stage == WIRE_FRAMES) {
            if (wire_is_clean(w)) {
                w->since = sim.now;
                w->since_paused = paused_for(w->sender->peer);
            }
            used = 1;
            w->header[w->have++] = *p;
            if (w->have == header_size(w))
                begin_frame(w);
            if (w->in_frame && w->len == 0)
                read_payload(w, p, 0);
        }
        p += used;
        n -= used;
    }
}
