/* Every first 0 to 16 bytes, in every state of the receiver; and headers that
 * are written are read again.
 * files: frame
 * apart: caws__frame_read frame_check_length frame_check_first
 *   frame_check_second caws__frame_read_whole
 * options: -eva-domains equality -eva-equality-through-calls formals */
#include "prove.h"

#include <caws.h>

#include "protocol/frame.h"

#define MAX_LEN 16

static void read_any(size_t n, bool masked, bool continuing)
{
    struct caws__frame frame;
    const char *detail;
    uint8_t *bytes = unknown(n);
    int size = caws__frame_read(bytes, n, masked, continuing, &frame, &detail);
    /*@ assert size == CAWS_ERR_PROTOCOL || size == 0 ||
               (2 <= size <= CAWS__HEADER_MAX && size <= n); */
    if (size == CAWS_ERR_PROTOCOL) {
        //@ assert \valid_read(detail);
    } else if (size > 0) {
        //@ assert frame.len <= 0x7fffffffffffffff;
        //@ assert frame.opcode <= 0xa;
        //@ assert masked ==> \initialized(&frame.key[0 .. 3]);
    }
    free(bytes);
}

/* The short way to a whole message, for one length of it. */
static void read_whole(size_t n, bool masked, uint8_t second, uint8_t fourth)
{
    struct caws__whole whole;
    uint8_t *bytes = unknown(n);
    if (n > 1)
        bytes[1] = second;
    if (n > 3) {
        bytes[2] = 0;
        bytes[3] = fourth;
    }
    size_t size = caws__frame_read_whole(bytes, n, masked, &whole);
    //@ assert size <= n;
    if (size > 0) {
        //@ assert whole.len < size;
        //@ assert whole.type == CAWS__TEXT || whole.type == CAWS__BINARY;
        uint8_t *end = whole.payload + whole.len;
        //@ assert end == bytes + size;
        if (masked)
            memset(whole.payload - 4, 0, 4);
        if (whole.len > 0)
            memset(whole.payload, 0, whole.len);
    }
    free(bytes);
}

static void read_whole_all(size_t n, bool masked)
{
    static const uint8_t seconds[] = { 0, 1, 9, 125, 126, 127 }, fourths[] = { 125, 126, 132 };
    for (size_t i = 0; i < sizeof seconds; i++)
        for (size_t k = 0; k < sizeof fourths; k++) {
            read_whole(n, masked, seconds[i], fourths[k]);
            read_whole(n, masked, 0x80 | seconds[i], fourths[k]);
        }
}

/* The header of a frame that is whole, with this opcode. */
static void write_and_read(uint64_t len, uint8_t opcode, const uint8_t *key)
{
    struct caws__frame frame;
    const char *detail;
    size_t header, size = caws__frame_header_size(len, key != NULL);
    uint64_t payload;
    uint8_t *out = malloc(size);
    size_t written = caws__frame_write(out, true, opcode, len, key);
    //@ assert written == size;
    int read = caws__frame_read(out, size, key != NULL, false, &frame, &detail);
    //@ assert read == size;
    //@ assert frame.fin == 1 && frame.opcode == opcode && frame.len == len;
    caws__frame_measure(out, &header, &payload);
    //@ assert header == size && payload == len;
    free(out);
}

static void write_and_read_all(uint64_t len, const uint8_t *key)
{
    write_and_read(len, CAWS__TEXT, key);
    write_and_read(len, CAWS__BINARY, key);
    if (len <= CAWS__CONTROL_MAX) {
        write_and_read(len, CAWS__CLOSE, key);
        write_and_read(len, CAWS__PING, key);
        write_and_read(len, CAWS__PONG, key);
    }
}

int main(void)
{
    static const uint64_t lengths[] = { 0,   1,     124,   125,        126,         127,      128,
                                        255, 256,   65534, 65535,      65536,       65537,
                                        INT32_MAX,  UINT32_MAX,        INT64_MAX - 1, INT64_MAX };
    for (size_t n = 0; n <= MAX_LEN; n++)
        for (int state = 0; state < 4; state++)
            read_any(n, state & 1, state >> 1);
    for (size_t n = 0; n <= 140; n += n == MAX_LEN ? 112 : 1) /* 126 bytes need more */
        for (int masked = 0; masked < 2; masked++)
            read_whole_all(n, masked);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_and_read_all(lengths[i], NULL);
        write_and_read_all(lengths[i], unknown(4));
    }
    return 0;
}
