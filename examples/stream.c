/* stream.c - messages of any size in constant memory: echoes what comes while it comes, or, called
 * as "stream PORT FILE", sends each client the file as one message of many fragments. */
#include "options.h"

#include <caws_net.h>
#include <stdio.h>

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    if (caws_send_fragment(ws, type, data, len, flags & CAWS_CHUNK_LAST) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the echo could not be queued");
    if (caws_needs_drain(ws))
        caws_pause(ws); /* it sends faster than it reads: until on_drain */
}

/* As much as the queue takes now; on_drain says when it takes more. */
static void send_more(caws_conn *ws)
{
    char piece[64 * 1024];
    while (caws_ready_state(ws) == CAWS_OPEN && !caws_needs_drain(ws)) {
        size_t len = fread(piece, 1, sizeof piece, caws_user(ws));
        bool last = len < sizeof piece;
        if (caws_send_fragment(ws, CAWS_BINARY, piece, len, last) < 0 || ferror(caws_user(ws)))
            caws_abort(ws); /* half a file must not look like a whole one */
        else if (last)
            caws_close(ws, CAWS_CLOSE_NORMAL, NULL);
    }
}

static void on_open(caws_conn *ws)
{
    caws_set_user(ws, fopen(caws_context(ws), "rb"));
    if (caws_user(ws))
        send_more(ws);
    else
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the file cannot be read");
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    if (caws_user(ws) && event)
        fclose(caws_user(ws));
}

int main(int argc, char **argv)
{
    bool echoes = argc != 3;
    caws_server_config config = {
        .host = "localhost", .port = options_port(echoes ? argc : 2, argv), .ws.on_close = on_close,
        .ws.context = argv[echoes ? 0 : 2], .ws.on_open = echoes ? NULL : on_open,
        .ws.on_chunk = echoes ? on_chunk : NULL, .ws.on_drain = echoes ? caws_resume : send_more,
        .ws.max_message = SIZE_MAX, .ws.max_fragments = UINT32_MAX, .ws.max_buffered = 2 << 20,
        .ws.message_timeout_ms = CAWS_OFF
    };
    caws_loop *loop = caws_loop_new(NULL);
    if (loop && caws_listen(loop, &config))
        return caws_loop_run(loop);
    perror("stream");
    return 1;
}
