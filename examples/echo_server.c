/* echo_server.c - sends every message back to its sender, and loses none. */
#include "options.h"

#include <caws_net.h>
#include <signal.h>

/* Who sends without reading is not read from while its queue is above half: then one message more
 * always finds room, and none is lost. */
static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    print_received(caws_context(ws), type == CAWS_TEXT, data, len);
    if (caws_send(ws, type, data, len) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the message could not be queued");
    if (caws_needs_drain(ws))
        caws_pause(ws);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, "sends every WebSocket message back");
    options.max_buffered = 2 * (options.max_message + 16); /* half, then one message more */
    caws_server_config config = {
        .host = options.host,
        .port = options.port,
        .max_conns = options.max_conns,
        .ws.context = &options,
        .ws.on_message = on_message,
        .ws.on_drain = caws_resume,
        .ws.max_message = options.max_message,
        .ws.max_fragments = options.max_fragments,
        .ws.max_buffered = options.max_buffered,
        .ws.origins = options.origins, /* options.h says why "*" is not the library's */
    };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server = loop ? caws_listen(loop, &config) : NULL;
    int status = 1;
    if (server) {
        caws_server_stop_on(server, SIGTERM, 5000); /* 1001 to everyone, and 5 s for goodbyes */
        caws_server_stop_on(server, SIGINT, 5000);
        print_console(&options, caws_server_port(server));
        status = caws_loop_run(loop) == CAWS_OK ? 0 : 1;
    } else {
        print_no_server(&options);
    }
    caws_loop_free(loop);
    return status;
}
