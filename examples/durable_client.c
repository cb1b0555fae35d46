/* durable_client.c - a client that comes back: each delay is random ("full jitter"), the first one
 * too, from a range that doubles with each failure: so a flock does not return all at once. */
#include <caws_net.h>
#include <stdio.h>

enum { FIRST_MS = 1000, MOST_MS = 60000, GOOD_MS = 10000 };
static uint32_t range_ms = FIRST_MS; /* the next delay is anything from 0 to this */
static caws_loop *loop;
/* Only what lasts is a success: a server that lets in and drops at once is no better than none. */
static void on_good(caws_timer *timer)
{
    *(uint32_t *)timer->user = FIRST_MS;
}

static caws_timer again, good = {.fn = on_good, .user = &range_ms};

static void come_back(void)
{
    uint32_t random = 0;
    caws_entropy(NULL, &random, sizeof random);
    random %= range_ms;
    range_ms = range_ms < MOST_MS / 2 ? 2 * range_ms : MOST_MS;
    printf("connecting in %u ms\n", (unsigned)random);
    caws_timer_start(loop, &again, random, 0);
}

static void on_open(caws_conn *ws)
{
    printf("open\n");
    caws_timer_start(caws_loop_of(ws), &good, GOOD_MS, 0);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    printf("closed with %u: %s\n", (unsigned)event->code, caws_strerror(event->error));
    caws_timer_stop(caws_loop_of(ws), &good); /* ws is dead after this: a new one comes */
    come_back();
}

static const caws_config config = {
    .on_open = on_open, .on_close = on_close, .random = caws_entropy};

static void on_again(caws_timer *timer)
{
    if (!caws_connect(loop, timer->user, &config))
        come_back();
}

int main(int argc, char **argv)
{
    if (argc != 2 || caws_config_check(&config, argv[1]) != CAWS_OK) {
        fprintf(stderr, "durable_client: it wants a URL, such as ws://localhost:1025/\n");
        return 2;
    }
    loop = caws_loop_new(NULL);
    again = (caws_timer){.fn = on_again, .user = argv[1]};
    if (loop)
        come_back(); /* the first delay is random, too: all may start at the same moment */
    return loop && caws_loop_run(loop) == CAWS_OK ? 0 : 1;
}
