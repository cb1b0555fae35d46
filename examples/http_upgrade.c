/* http_upgrade.c - beside an HTTP server of its own: /one is answered with 101 here and handed over
 * open (caws_adopt_open), /two is handed over as it was read (caws_adopt), and the rest is 404. */
#include "options.h"

#include <arpa/inet.h>
#include <caws_net.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    if (caws_send(ws, type, data, len) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_TRY_AGAIN_LATER, NULL);
}

/* A real server reads without blocking, and checks more (RFC 6455 section 4.2.1). */
static void serve(caws_server *server, int fd)
{
    static const char key_name[] = "\r\nSec-WebSocket-Key: ";
    char head[4096] = "", accept_key[29];
    ssize_t len = recv(fd, head, sizeof head - 32, 0); /* zeros behind it */
    const char *key = strcasestr(head, key_name);
    const char *end = strstr(head, "\r\n\r\n");
    if (strncmp(head, "GET /two ", 9) == 0) {
        caws_adopt(server, fd, head, (size_t)len);
    } else if (strncmp(head, "GET /one ", 9) == 0 && key && end &&
               caws_accept_key(key + sizeof key_name - 1, 24, accept_key) == CAWS_OK) {
        dprintf(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept_key);
        end += 4; /* what comes behind the head is the first frame */
        caws_adopt_open(server, fd, NULL, NULL, end, (size_t)(head + len - end));
    } else {
        dprintf(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        close(fd);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options_port(argc, argv)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd, http = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bool listens = http >= 0 && bind(http, (struct sockaddr *)&to, sizeof to) == 0 &&
                   listen(http, 64) == 0;
    caws_server_config config = {.host = "127.0.0.1", .ws.on_message = on_message};
    /* A server also listens for itself; on a port that nobody knows, here. */
    caws_loop *loop = listens ? caws_loop_new(NULL) : NULL;
    caws_server *server = loop ? caws_listen(loop, &config) : NULL;
    struct pollfd fds[] = {{.fd = http, .events = POLLIN}, {.events = POLLIN}};
    while (server) {
        fds[1].fd = caws_loop_fd(loop);
        if (poll(fds, 2, caws_loop_timeout(loop)) > 0 && (fd = accept(http, NULL, NULL)) >= 0)
            serve(server, fd);
        caws_loop_step(loop, 0);
    }
    perror("http_upgrade");
    return 1;
}
