/* threads.c - one port, a loop for each thread, tasks with prepared messages between them, ids. */
#include "options.h"

#include <caws_net.h>
#include <err.h>
#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4 };
static caws_loop *loops[THREADS];
static _Thread_local int me;
static _Thread_local uint64_t spoke_last; /* an id, not a pointer: it may have gone */
struct news { /* goes around all loops: on each, who spoke last hears it */
    caws_task task; /* its user is the prepared message */
    int left;
};

static void deliver(caws_task *task)
{
    struct news *news = (struct news *)task;
    caws_conn *ws = caws_find(loops[me], spoke_last);
    if (ws)
        caws_send_prepared(ws, task->user);
    if (--news->left > 0) {
        caws_loop_post(loops[(me + 1) % THREADS], task);
        return;
    }
    caws_prepared_free(task->user); /* the conns keep it as long as they need it */
    free(news);
}

static void hear(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct news *news = malloc(sizeof *news);
    if (!news)
        err(1, "threads");
    spoke_last = caws_id(ws);
    *news = (struct news){{.fn = deliver, .user = caws_prepare(NULL, type, data, len)}, THREADS};
    deliver(&news->task);
}

static caws_server_config cfg = {.host = "localhost", .reuse_port = true, .ws.on_message = hear};
static void *run(void *loop)
{
    me = (int)((caws_loop **)loop - loops);
    if (loops[me] && caws_listen(loops[me], &cfg))
        caws_loop_run(loops[me]);
    err(1, "threads");
}

int main(int argc, char **argv)
{
    pthread_t thread;
    cfg.port = options_port(argc, argv);
    for (int i = 0; i < THREADS; i++)
        loops[i] = caws_loop_new(NULL);
    for (int i = 1; i < THREADS; i++)
        pthread_create(&thread, NULL, run, &loops[i]);
    run(&loops[0]);
}
