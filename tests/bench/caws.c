/* caws under measurement, as an application would use it.
 *
 *   caws echo        whole messages, by on_message
 *   caws stream      piece by piece, by on_chunk, in constant memory
 *   caws broadcast   every message to everybody
 *   caws hold        whole messages, and no Pings to those that are silent */
#include <caws_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void echo(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    caws_send(ws, type, data, len);
}

static void broadcast(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    caws_broadcast(caws_server_of(ws), NULL, type, data, len);
}

static void stream(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    caws_send_fragment(ws, type, data, len, flags & CAWS_CHUNK_LAST);
    if (caws_needs_drain(ws))
        caws_pause(ws);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "echo";
    caws_server_config config = { .host = "127.0.0.1", .max_conns = 20000 };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (strcmp(mode, "stream") == 0) {
        config.ws.on_chunk = stream;
        config.ws.on_drain = caws_resume;
    } else {
        config.ws.on_message = strcmp(mode, "broadcast") == 0 ? broadcast : echo;
    }
    if (strcmp(mode, "hold") == 0)
        config.ws.ping_interval_ms = CAWS_OFF;
    server = loop ? caws_listen(loop, &config) : NULL;
    if (!server) {
        perror("caws");
        return 1;
    }
    printf("%u\n", caws_server_port(server));
    fflush(stdout);
    return caws_loop_run(loop);
}
