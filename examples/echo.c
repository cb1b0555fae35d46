#include <caws_net.h>
#include <stdio.h>

static void echo(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    caws_send(ws, type, data, len);
}

static const caws_server_config config = {
    .host = "127.0.0.1", .port = 1025, .ws.on_message = echo
};

int main(void)
{
    caws_loop *loop = caws_loop_new(NULL);
    if (loop && caws_listen(loop, &config))
        return caws_loop_run(loop);
    perror("echo");
    return 1;
}
