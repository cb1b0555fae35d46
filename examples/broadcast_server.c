/* broadcast_server.c - what one says all hear: the sender too, and all in the same order. */
#include "options.h"
#include "page.h" /* page.html, made by make */

#include <caws_net.h>
#include <signal.h>

static int on_request(caws_conn *ws, const caws_request *req)
{
    if (req->upgrade)
        return CAWS_ACCEPT;
    if (req->target.len > 1 && req->target.data[1] != '?')
        return 404;
    caws_set_body(ws, "text/html; charset=utf-8", page_html, page_html_len);
    return 200;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    print_received(caws_context(ws), type == CAWS_TEXT, data, len);
    if (caws_broadcast(caws_server_of(ws), NULL, type, data, len) < 0)
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the message could not be queued");
    if (caws_needs_drain(ws))
        caws_pause(ws); /* until it has read what it said itself; see echo_server.c */
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, "sends every WebSocket message to all");
    /* Many may speak at once, and queues share what was said. Who reads too slowly even for this
     * is closed with 1013, so that the others need not wait. */
    options.max_buffered = 16 * (options.max_message + (1u << 20));
    caws_server_config config = {
        .host = options.host,
        .port = options.port,
        .max_conns = options.max_conns,
        .ws.context = &options,
        .ws.on_request = on_request,
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
        print_page(&options, caws_server_port(server));
        status = caws_loop_run(loop) == CAWS_OK ? 0 : 1;
    } else {
        print_no_server(&options);
    }
    caws_loop_free(loop);
    return status;
}
