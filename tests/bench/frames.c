/* Frames through caws_feed, for callgrind. */
#include <caws.h>

#include "frames.h"

static caws_conn *ws;
static size_t messages;

static void on_message(caws_conn *conn, caws_type type, const void *data, size_t len)
{
    (void)conn, (void)type, (void)data, (void)len;
    messages++;
}

static void feed(unsigned char *data, size_t len)
{
    if (caws_feed(ws, data, len, 1000) != CAWS_OK)
        abort();
}

int main(void)
{
    static const caws_config config = { .on_message = on_message };
    size_t expected = 0;

    ws = caws_new_open(false, NULL, NULL, &config, NULL);
    if (!ws)
        return 1;
    caws_tick(ws, 1000);
    frames_run(feed);
    for (size_t c = 0; c < FRAMES_CASES; c++)
        expected += frames_cases[c].few + frames_cases[c].many;
    caws_free(ws);
    return messages != expected;
}
