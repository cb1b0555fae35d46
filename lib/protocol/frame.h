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

#define CAWS__FIN         0x80u
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

/* Writes a header, masked with key unless that is NULL. Returns its size. */
size_t caws__frame_write(uint8_t *out, bool fin, uint8_t opcode, uint64_t len,
                         const uint8_t *key);
size_t caws__frame_header_size(uint64_t len, bool masked);

/* Of a whole frame of our own making at p: the sizes of its two parts. */
void caws__frame_measure(const uint8_t *p, size_t *header, uint64_t *payload);

#endif
