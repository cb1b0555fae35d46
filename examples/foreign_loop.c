/* foreign_loop.c - caws inside somebody else's event loop, here poll(2), which also watches stdin:
 * what it reads goes to every client. libuv, GLib or Qt would watch the same descriptor. */
#include "options.h"

#include <caws_net.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)ws;
    if (type == CAWS_TEXT)
        printf("%.*s\n", (int)len, (const char *)data);
}

/* False at the end of stdin. */
static bool say(caws_server *server)
{
    char line[4096];
    ssize_t len = read(STDIN_FILENO, line, sizeof line);
    if (len > 0)
        caws_broadcast(server, NULL, CAWS_BINARY, line, (size_t)len);
    return len > 0;
}

int main(int argc, char **argv)
{
    caws_server_config config = {
        .host = "localhost", .port = options_port(argc, argv), .ws.on_message = on_message
    };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server = loop ? caws_listen(loop, &config) : NULL;
    if (!server || caws_loop_fd(loop) < 0) { /* -1: the poll back end, for want of epoll */
        perror("foreign_loop");
        return 1;
    }
    struct pollfd watched[] = {{.fd = caws_loop_fd(loop), .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    while (watched[1].fd >= 0) {
        /* Asked for anew each time: what was done in between may have brought a moment forward. */
        if (poll(watched, 2, caws_loop_timeout(loop)) < 0)
            break;
        if (watched[1].revents && !say(server))
            watched[1].fd = -1;
        caws_loop_step(loop, 0); /* does what is due, and does not wait */
    }
    caws_server_stop(server, 1000);
    caws_loop_run(loop); /* nothing foreign is left to wait for: our own loop may finish */
    caws_loop_free(loop);
    return 0;
}
