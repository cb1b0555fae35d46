/* 4 threads post 100,000 tasks each to two loops, each of which has its own
 * thread and connections that come and go. A task knows its connection by id:
 * one that is gone is not found, ever, and one that is found is the right one.
 * Built with ThreadSanitizer. */
#include "stress.h"

#include <pthread.h>

#define POSTERS 4
#define TASKS   100000
#define SLOTS   32
#define PAST    256 /* ids that a poster remembers */

struct worker {
    caws_loop *loop;
    pthread_t thread;
    _Atomic uint64_t shown[SLOTS]; /* ids, for the posters; 0: none */
    uint64_t live[SLOTS];          /* the same, for this thread alone */
    caws_conn *ws[SLOTS];
    int peer[SLOTS];
    caws_server *server;
    caws_timer timer;
    unsigned came, went, found, stale, early, beats;
};

struct errand {
    caws_task task;
    struct worker *worker;
    uint64_t id;
};

static struct worker workers[2];
static struct errand *errands[POSTERS];
static caws_prepared *news; /* one for both loops */
static _Atomic unsigned done;

/* ---- In the loops' threads --------------------------------------------- */

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct worker *w = caws_context(ws);
    uintptr_t slot = (uintptr_t)caws_user(ws) - 1;

    (void)event;
    CHECK(w->live[slot] == caws_id(ws));
    CHECK(caws_find(w->loop, caws_id(ws)) == NULL || caws_ready_state(ws) == CAWS_CLOSED);
    w->live[slot] = 0;
    w->shown[slot] = 0;
    w->ws[slot] = NULL;
    w->went++;
}

static void come(struct worker *w, uintptr_t slot)
{
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    w->ws[slot] = caws_adopt_open(w->server, pair[0], NULL, NULL, NULL, 0);
    CHECK(w->ws[slot]);
    w->peer[slot] = pair[1];
    w->live[slot] = caws_id(w->ws[slot]);
    w->shown[slot] = w->live[slot];
    caws_set_user(w->ws[slot], (void *)(slot + 1));
    w->came++;
}

/* Some come, some go: we hang up, the peer does, or we give up. */
static void turn(caws_timer *timer)
{
    static const unsigned char close_frame[] = { 0x88, 0x82, 0, 0, 0, 0, 3, 0xe8 };
    struct worker *w = timer->user;
    char in[4096];

    w->beats++;
    for (uintptr_t i = 0; i < SLOTS; i++) {
        while (w->peer[i] >= 0 && recv(w->peer[i], in, sizeof in, 0) > 0)
            continue;
        if (!w->ws[i]) {
            if (w->peer[i] >= 0)
                close(w->peer[i]);
            w->peer[i] = -1;
            come(w, i);
        } else if ((w->beats + i) % 4 == 0) {
            uintptr_t way = (w->beats + i) / 4 % 3;

            if (way == 0)
                caws_abort(w->ws[i]);
            if (way == 1)
                caws_close(w->ws[i], 1000, "bye");
            if (way > 0)
                CHECK(send(w->peer[i], close_frame, sizeof close_frame, MSG_NOSIGNAL) != 0);
        }
    }
}

static void run_errand(caws_task *task)
{
    struct errand *e = (struct errand *)task;
    struct worker *w = e->worker;
    caws_conn *ws = caws_find(w->loop, e->id);
    bool is_live = false;

    CHECK(pthread_equal(pthread_self(), w->thread));
    for (int i = 0; i < SLOTS; i++)
        is_live |= e->id != 0 && w->live[i] == e->id;
    if (ws) {
        CHECK(is_live && caws_id(ws) == e->id && caws_context(ws) == w);
        caws_send_prepared(ws, news); /* it may be closing */
        w->found++;
    } else {
        CHECK(!is_live);
        w->stale += e->id != 0;
        w->early += e->id == 0;
    }
    if (atomic_fetch_add(&done, 1) + 1 == POSTERS * TASKS) {
        caws_loop_stop(workers[0].loop); /* from a thread that may not be its own */
        caws_loop_stop(workers[1].loop);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;

    CHECK(caws_timer_start(w->loop, &w->timer, 1, 1) == CAWS_OK);
    while (done < POSTERS * TASKS)
        CHECK(caws_loop_run(w->loop) == CAWS_OK);
    caws_timer_stop(w->loop, &w->timer);
    return NULL;
}

/* ---- In the posters' --------------------------------------------------- */

static void *post(void *arg)
{
    struct errand *mine = arg;
    uint64_t past[2][PAST] = { { 0 } };
    uint64_t seed = (uintptr_t)arg;

    for (unsigned i = 0; i < TASKS; i++) {
        unsigned which = i & 1, slot = (unsigned)(seed >> 33) % SLOTS;
        struct worker *w = &workers[which];
        uint64_t id = w->shown[slot];

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (id != 0)
            past[which][(seed >> 40) % PAST] = id;
        if (id == 0 || (seed >> 50) % 2)
            id = past[which][(seed >> 20) % PAST];
        mine[i] = (struct errand){ .task.fn = run_errand, .worker = w, .id = id };
        caws_loop_post(w->loop, &mine[i].task);
        if (i % 128 == 0) /* time for connections to come and go */
            poll(NULL, 0, 3);
    }
    return NULL;
}

static void worker_init(struct worker *w)
{
    caws_server_config cfg = { .host = "127.0.0.1" };

    cfg.ws.context = w;
    cfg.ws.on_close = on_close;
    w->loop = caws_loop_new(NULL);
    CHECK(w->loop);
    w->server = caws_listen(w->loop, &cfg);
    CHECK(w->server);
    w->timer = (caws_timer){ .fn = turn, .user = w };
    for (int i = 0; i < SLOTS; i++)
        w->peer[i] = -1;
}

int main(void)
{
    static const caws_config plain;
    pthread_t posters[POSTERS];
    double began = now_s();
    unsigned ran = 0;

    patience(200);
    pattern_init();
    news = caws_prepare(&plain, CAWS_BINARY, pattern, 400);
    CHECK(news);
    for (int i = 0; i < 2; i++)
        worker_init(&workers[i]);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    for (int i = 0; i < POSTERS; i++) {
        errands[i] = calloc(TASKS, sizeof **errands);
        CHECK(errands[i]);
        CHECK(pthread_create(&posters[i], NULL, post, errands[i]) == 0);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i].thread, NULL);
    caws_prepared_free(news);
    for (int i = 0; i < 2; i++) {
        struct worker *w = &workers[i];

        ran += w->found + w->stale + w->early;
        caws_loop_free(w->loop);
        CHECK(w->came == w->went && w->came > SLOTS && w->found > 0 && w->stale > 0);
        for (int k = 0; k < SLOTS; k++)
            if (w->peer[k] >= 0)
                close(w->peer[k]);
    }
    CHECK(ran == POSTERS * TASKS);
    for (int i = 0; i < POSTERS; i++)
        free(errands[i]);
    printf("ok (%d tasks, %u of connections that were gone, %u connections came and went; %.1f s)\n",
           POSTERS * TASKS, workers[0].stale + workers[1].stale, workers[0].came + workers[1].came,
           now_s() - began);
    return 0;
}
