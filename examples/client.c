/* client.c - the smallest useful client: says one thing, prints the answer, closes. Every way in
 * which that can fail is told apart. */
#include <caws_net.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int status = 1;

static void on_open(caws_conn *ws)
{
    if (caws_send_text(ws, caws_context(ws)) != CAWS_OK)
        caws_close(ws, CAWS_CLOSE_INTERNAL, "the text is not UTF-8");
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    if (type == CAWS_TEXT)
        printf("%.*s\n", (int)len, (const char *)data);
    else
        printf("%zu bytes\n", len);
    status = 0;
    caws_close(ws, CAWS_CLOSE_NORMAL, NULL);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    fprintf(stderr, "client: %s: %s", caws_strerror(error), detail);
    if (error == CAWS_ERR_REFUSED) /* 401, 404, 503, ... and why, in caws_header */
        fprintf(stderr, " (HTTP status %d)", caws_http_status(ws));
    fprintf(stderr, "\n");
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    if (status != 0 && event->error == CAWS_OK)
        fprintf(stderr, "client: closed with %u %s\n", (unsigned)event->code, event->reason);
    (void)ws; /* dead from here on: the loop frees it */
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "client: it wants a URL and a text: client ws://localhost:1025/ hi\n");
        return 2;
    }
    caws_config config = {.context = argv[2], .on_open = on_open, .on_message = on_message,
                          .on_error = on_error, .on_close = on_close};
    caws_loop *loop = caws_loop_new(NULL);
    if (!loop || !caws_connect(loop, argv[1], &config)) {
        int usage = loop && errno == EINVAL;
        fprintf(stderr, "client: %s: %s\n", argv[1], usage ? "not a ws: URL" : strerror(errno));
        return usage ? 2 : 1;
    }
    caws_loop_run(loop); /* until nothing is left to do */
    caws_loop_free(loop);
    return status;
}
