/* echo_server.c - sends every message back to its sender, and loses none. */
#include "options.h"

#include <caws_net.h>
#include <signal.h>

/* Who sends without reading is not read from while its queue is above half. Headers count there, so
 * many tiny messages fill it sooner: the one that finds no room waits in caws_user until then. */
static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    const struct options *options = caws_context(ws);
    print_received(options, type == CAWS_TEXT, data, len);
    if (caws_send(ws, type, data, len) != CAWS_OK) {
        caws_set_user(ws, caws_prepare(NULL, type, data, len));
        if (!caws_user(ws))
            caws_close(ws, CAWS_CLOSE_INTERNAL, "out of memory");
    }
    if (caws_user(ws) || caws_buffered_amount(ws) > options->max_buffered / 2)
        caws_pause(ws);
}

static void on_drain(caws_conn *ws)
{
    caws_send_prepared(ws, caws_user(ws)); /* NULL, if none waits, is refused */
    caws_prepared_free(caws_user(ws));
    caws_set_user(ws, NULL);
    caws_resume(ws);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)event;
    caws_prepared_free(caws_user(ws));
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, "sends every WebSocket message back");
    options.max_buffered = 2 * (options.max_message + 16); /* half, then one message more */
    caws_server_config config = {
        .host = options.host, .port = options.port, .max_conns = options.max_conns,
        .ws.on_message = on_message,
        .ws.on_drain = on_drain, .ws.on_close = on_close,
        .ws.context = &options, .ws.max_message = options.max_message,
        .ws.max_buffered = options.max_buffered, .ws.max_fragments = options.max_fragments,
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
