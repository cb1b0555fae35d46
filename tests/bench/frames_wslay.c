/* The same frames through wslay's frame layer, which unmasks and checks no text. */
#include <sys/types.h>
#include <wslay/wslay.h>

#include "frames.h"

static wslay_frame_context_ptr context;
static unsigned char *input;
static size_t input_len;

static ssize_t receive(uint8_t *out, size_t len, int flags, void *unused)
{
    size_t n = len < input_len ? len : input_len;

    (void)flags, (void)unused;
    memcpy(out, input, n);
    input += n;
    input_len -= n;
    return n > 0 ? (ssize_t)n : -1;
}

static void feed(unsigned char *data, size_t len)
{
    struct wslay_frame_iocb frame;

    input = data;
    input_len = len;
    while (wslay_frame_recv(context, &frame) >= 0)
        continue;
}

int main(void)
{
    static const struct wslay_frame_callbacks callbacks = { .recv_callback = receive };

    if (wslay_frame_context_init(&context, &callbacks, NULL) != 0)
        return 1;
    frames_run(feed);
    wslay_frame_context_free(context);
    return 0;
}
