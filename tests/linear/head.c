/* Feeds a request of so many bytes in pieces of so many: head SIZE PIECE.
 * tests/linear.sh counts the instructions. */
#include <caws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t make_request(char *to, size_t size)
{
    static const char end[] = "\r\n\r\n";
    size_t n = (size_t)sprintf(to, "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"
                                   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                   "Sec-WebSocket-Version: 13");
    while (n < size - 100) {
        n += (size_t)sprintf(to + n, "\r\nX-Padding: ");
        memset(to + n, 'a', 80);
        n += 80;
    }
    memcpy(to + n, end, sizeof end);
    return n + sizeof end - 1;
}

int main(int argc, char **argv)
{
    static char request[100000];
    static const caws_config config = { .max_head = sizeof request, .max_headers = 2000 };
    size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    size_t piece = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    caws_conn *ws = caws_new_server(&config, NULL);
    if (!ws || size < 1000 || size > sizeof request - 200 || piece == 0)
        return 2;
    size = make_request(request, size);
    for (size_t at = 0; at < size; at += piece)
        caws_feed(ws, request + at, size - at < piece ? size - at : piece, 1);
    if (caws_ready_state(ws) != CAWS_OPEN)
        return 1;
    caws_free(ws);
    return 0;
}
