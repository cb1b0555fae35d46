#include "cawscat.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A write of so much to a pipe that poll(2) calls writable does not wait. */
enum { PIECE = 4096, MOST_READ = 64 * 1024 };

static bool bytes_reserve(struct bytes *b, size_t len)
{
    if (b->start > 0) {
        memmove(b->data, b->data + b->start, b->end - b->start);
        b->end -= b->start;
        b->start = 0;
    }
    if (b->size - b->end >= len)
        return true;
    size_t size = 2 * b->end + len;
    char *data = realloc(b->data, size);
    if (!data)
        return false;
    b->data = data;
    b->size = size;
    return true;
}

bool bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (b->size - b->end < len && !bytes_reserve(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->end, data, len);
    b->end += len;
    return true;
}

/* ---- stdin ------------------------------------------------------------- */

int input_read(struct input *in)
{
    struct bytes *b = &in->bytes;

    in->searched -= b->start;
    if (!bytes_reserve(b, MOST_READ))
        return ENOMEM;
    ssize_t n = read(STDIN_FILENO, b->data + b->end, MOST_READ);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    in->ended = n <= 0;
    if (n < 0)
        return errno;
    b->end += (size_t)n;
    return 0;
}

bool input_next(struct input *in, const struct settings *set, caws_slice *message)
{
    const struct bytes *b = &in->bytes;
    const char *newline = NULL;

    *message = (caws_slice){b->data + b->start, b->end - b->start};
    if (set->binary) {
        if (!set->one && message->len > set->client.ws.max_message)
            message->len = set->client.ws.max_message;
        return message->len > 0 && (in->ended || !set->one);
    }
    if (message->len == 0)
        return false;
    newline = memchr(b->data + in->searched, '\n', b->end - in->searched);
    in->searched = newline ? (size_t)(newline - b->data) : b->end;
    if (newline)
        message->len = in->searched - b->start;
    return newline || in->ended;
}

void input_done(struct input *in, const caws_slice *message)
{
    struct bytes *b = &in->bytes;

    b->start += message->len;
    if (b->start < b->end && in->searched == b->start) /* the newline, which is not sent */
        b->start++;
    in->searched = b->start;
}

/* ---- stdout ------------------------------------------------------------ */

int output_flush(struct bytes *out, bool wait)
{
    struct pollfd to = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (out->start < out->end) {
        int ready = poll(&to, 1, wait ? -1 : 0);
        if (ready == 0)
            return 0;
        size_t len = out->end - out->start;
        ssize_t n = write(STDOUT_FILENO, out->data + out->start, len < PIECE ? len : PIECE);
        if (n > 0)
            out->start += (size_t)n;
        else if (n < 0 && errno == EAGAIN && !wait)
            return 0;
        else if (n < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
    }
    out->start = out->end = 0;
    return 0;
}
