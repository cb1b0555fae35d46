/* chat.c - rooms by path and names (ws://localhost:1025/7?name=Ada), groups, a subprotocol. */
#include "options.h"

#include <caws_net.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOMS = 100, MESSAGE = 1000 };
struct guest {
    unsigned room;
    char name[24];
};
static caws_group *rooms[ROOMS];

static void say(const struct guest *guest, const char *verb, const void *text, size_t len)
{
    char line[sizeof guest->name + 16 + MESSAGE];
    int n = snprintf(line, sizeof line, "%s %s%.*s", guest->name, verb, (int)len, (char *)text);
    caws_group_send(rooms[guest->room], NULL, CAWS_TEXT, line, (size_t)n);
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    char target[64];
    struct guest *guest = calloc(1, sizeof *guest);
    snprintf(target, sizeof target, "%.*s", (int)req->target.len, req->target.data);
    caws_set_user(ws, guest);
    if (guest && sscanf(target, "/%4u?name=%23[A-Za-z]", &guest->room, guest->name) == 2 &&
        guest->room < ROOMS && req->upgrade && caws_group_add(rooms[guest->room], ws) == CAWS_OK)
        return CAWS_ACCEPT;
    free(guest);
    return 404; /* and on_close, which frees the others, is not called */
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    say(caws_user(ws), type == CAWS_TEXT ? "says: " : "sings", data, type == CAWS_TEXT ? len : 0);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    say(caws_user(ws), event->was_clean ? "leaves" : "is lost", "", 0); /* ws has left its group */
    free(caws_user(ws));
}

int main(int argc, char **argv)
{
    caws_server_config config = {
        .host = "localhost", .port = options_port(argc, argv), .ws.subprotocols = "chat",
        .ws.on_request = on_request, .ws.on_message = on_message, .ws.on_close = on_close,
        .ws.max_message = MESSAGE /* say() has room for no more */
    };
    caws_loop *loop = caws_loop_new(NULL);
    for (int i = 0; i < ROOMS; i++)
        rooms[i] = caws_group_new(loop);
    if (loop && caws_listen(loop, &config))
        return caws_loop_run(loop);
    perror("chat");
    return 1;
}
