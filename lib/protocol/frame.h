/* Frame headers (RFC 6455 section 5.2). */
#ifndef CAWS__FRAME_H
#define CAWS__FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum caws__opcode {
    CAWS__CONTINUATION = 0x0,
    CAWS__TEXT = 0x1,
    CAWS__BINARY = 0x2,
    CAWS__CLOSE = 0x8,
    CAWS__PING = 0x9,
    CAWS__PONG = 0xA
};

#define CAWS__FIN         0x80u /* in the first byte  */
#define CAWS__MASKED      0x80u /* in the second byte */
#define CAWS__HEADER_MAX  14u
#define CAWS__CONTROL_MAX 125u /* bytes of a control frame's payload (5.5) */

struct caws__frame {
    uint64_t len;
    uint8_t key[4];
    uint8_t opcode;
    bool fin;
};

static inline bool caws__is_control_frame(uint8_t opcode)
{
    return opcode >= CAWS__CLOSE;
}

/* Reads the header at the start of the n bytes at p. masked: whether this end
 * receives masked frames (a server). continuing: whether a fragmented message
 * is unfinished. Returns the header's size; 0 if more bytes must come;
 * CAWS_ERR_PROTOCOL as soon as a rule is seen to be broken, with *detail. */
int caws__frame_read(const uint8_t *p, size_t n, bool masked, bool continuing,
                     struct caws__frame *frame, const char **detail);

/* A data frame that is a whole message, and lies whole in the input. */
struct caws__whole {
    size_t len;
    uint8_t *payload; /* behind the key, if it is masked */
    unsigned type;
};

/* Is that what stands at the front of the n bytes at p? Returns its whole
 * size; 0 if not, or if caws__frame_read has to say what is wrong with it. A
 * length of 64 bits is left to that, too: there its cost does not show. */
static inline size_t caws__frame_read_whole(uint8_t *p, size_t n,
                                            bool masked,
                                            struct caws__whole *whole)
{
    /* Without branches: they would be asked for each frame. */
    size_t size = 2 + (size_t)masked * 4, len;
    size_t mask_bit = masked * (size_t)CAWS__MASKED;
    if (n < 2 || p[0] - (CAWS__FIN | CAWS__TEXT) > 1u)
        return 0;
    len = p[1] ^ mask_bit;
    if (len > 125) {
        if (len > 126 || n < 4)
            return 0;
        len = (size_t)p[2] << 8 | p[3];
        if (len < 126)
            return 0;
        size += 2;
    }
    if (n < size + len)
        return 0;
    whole->len = len;
    whole->type = p[0] - CAWS__FIN;
    whole->payload = p + size;
    return size + len;
}

/* Writes a header, masked with key unless that is NULL. Returns its size. */
size_t caws__frame_write(uint8_t *out, bool fin, uint8_t opcode, uint64_t len,
                         const uint8_t *key);
size_t caws__frame_header_size(uint64_t len, bool masked);

/* Of a whole frame of our own making at p: the sizes of its two parts. */
void caws__frame_measure(const uint8_t *p, size_t *header, uint64_t *payload);

#endif
