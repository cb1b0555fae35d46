/* libwebsockets under measurement, with the loop it comes with: lws echo|broadcast.
 * It reports pieces of up to rx_buffer_size and wants to be written to when it says
 * so: each connection has a queue of whole messages. */
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
    struct message *next;
    size_t len;
    unsigned char room[LWS_PRE]; /* lws writes the header here */
    unsigned char data[];
};

struct session {
    struct session *next, *prev;
    struct lws *wsi;
    struct message *first, **last;
    unsigned char *part; /* the message that is coming in */
    size_t part_len, part_cap;
};

static struct session all = { .next = &all, .prev = &all };
static bool broadcasts;

static int queue(struct session *s, const unsigned char *data, size_t len)
{
    struct message *m = malloc(sizeof *m + len);

    if (!m)
        return -1;
    m->next = NULL;
    m->len = len;
    memcpy(m->data, data, len);
    *s->last = m;
    s->last = &m->next;
    lws_callback_on_writable(s->wsi);
    return 0;
}

static int send_queued(struct session *s)
{
    while (s->first && !lws_send_pipe_choked(s->wsi)) {
        struct message *m = s->first;

        if (lws_write(s->wsi, m->data, m->len, LWS_WRITE_BINARY) < 0)
            return -1;
        s->first = m->next;
        if (!s->first)
            s->last = &s->first;
        free(m);
    }
    if (s->first)
        lws_callback_on_writable(s->wsi);
    return 0;
}

static int receive(struct session *s, const unsigned char *data, size_t len)
{
    if (s->part_len + len > s->part_cap) {
        s->part_cap = s->part_len + len + lws_remaining_packet_payload(s->wsi);
        s->part = realloc(s->part, s->part_cap);
        if (!s->part)
            return -1;
    }
    memcpy(s->part + s->part_len, data, len);
    s->part_len += len;
    if (!lws_is_final_fragment(s->wsi) || lws_remaining_packet_payload(s->wsi) > 0)
        return 0;
    len = s->part_len;
    s->part_len = 0;
    if (!broadcasts)
        return queue(s, s->part, len);
    for (struct session *to = all.next; to != &all; to = to->next)
        if (queue(to, s->part, len) < 0)
            return -1;
    return 0;
}

static void begin(struct session *s, struct lws *wsi)
{
    *s = (struct session){ .next = &all, .prev = all.prev, .wsi = wsi, .last = &s->first };
    all.prev->next = s;
    all.prev = s;
}

static void end(struct session *s)
{
    s->prev->next = s->next;
    s->next->prev = s->prev;
    for (struct message *m = s->first; m; m = s->first) {
        s->first = m->next;
        free(m);
    }
    free(s->part);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                    size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED: begin(user, wsi); return 0;
    case LWS_CALLBACK_CLOSED: end(user); return 0;
    case LWS_CALLBACK_RECEIVE: return receive(user, data, len);
    case LWS_CALLBACK_SERVER_WRITEABLE: return send_queued(user);
    default: return lws_callback_http_dummy(wsi, reason, user, data, len);
    }
}

/* lws is to be told a port. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    close(fd);
    return ntohs(a.sin_port);
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {
        { .name = "bench", .callback = on_event, .per_session_data_size = sizeof(struct session),
          .rx_buffer_size = 65536 },
        { .name = NULL }
    };
    uint16_t port = free_port();
    struct lws_context_creation_info info = { .port = port, .iface = "127.0.0.1",
                                              .protocols = protocols, .gid = -1, .uid = -1 };
    struct lws_context *context;

    broadcasts = argc > 1 && strcmp(argv[1], "broadcast") == 0;
    lws_set_log_level(LLL_ERR, NULL);
    context = lws_create_context(&info);
    if (!context)
        return 1;
    printf("%u\n", port);
    fflush(stdout);
    while (lws_service(context, 0) >= 0)
        continue;
}
