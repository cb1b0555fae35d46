/* What crosses threads, and what is meanwhile taken away; for ThreadSanitizer
 * above all ("make tsan"). A check that fails in another thread than cmocka's
 * ends the program. */
#include "fake_sys.h"

#include <pthread.h>

#define CHECK(condition) \
    ((condition) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort()))

enum { THREADS = 4 };

static void start(pthread_t *threads, size_t count, void *(*run)(void *arg), void *args,
                  size_t size)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, (char *)args + i * size), 0);
}

static void join(const pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* ---- Prepared messages ------------------------------------------------- */

enum { SENDERS_CONNS = 8, PREPARED_LEN = 3000 };
static atomic_int prepared_blocks;
static pthread_barrier_t barrier;

static void *count_blocks(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    if (old_size == 0)
        atomic_fetch_add(&prepared_blocks, 1);
    if (new_size > 0)
        return realloc(ptr, new_size);
    atomic_fetch_sub(&prepared_blocks, 1);
    memset(ptr, 0xdd, old_size); /* a write, to race with any late read */
    free(ptr);
    return NULL;
}

struct sender {
    caws_prepared *msg;
    bool discards;
};

/* Queues it on conns of its own, and lets it out, or drops it, while the others
 * do and whoever prepared it lets go of it. */
static void *send_all(void *arg)
{
    const struct sender *s = arg;
    const caws_config cfg = { .context = NULL };
    caws_conn *ws[SENDERS_CONNS];
    caws_slice v[8];
    for (int i = 0; i < SENDERS_CONNS; i++) {
        ws[i] = caws_new_open(false, NULL, NULL, &cfg, NULL);
        CHECK(ws[i] && caws_send_prepared(ws[i], s->msg) == CAWS_OK);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < SENDERS_CONNS; i++) {
        size_t n = caws_output(ws[i], v, 8), total = 0;
        for (size_t k = 0; k < n; k++)
            total += v[k].len;
        CHECK(total == PREPARED_LEN + 4 && v[0].data[4] == 'p');
        if (!s->discards)
            caws_output_done(ws[i], total);
        caws_free(ws[i]);
    }
    return NULL;
}

static void test_prepared_by_many_threads(void **state)
{
    static char data[PREPARED_LEN];
    const caws_config cfg = { .alloc = { count_blocks, NULL } };
    (void)state;
    memset(data, 'p', sizeof data);
    for (int round = 0; round < 50; round++) {
        caws_prepared *msg = caws_prepare(&cfg, CAWS_TEXT, data, sizeof data);
        struct sender senders[THREADS];
        pthread_t threads[THREADS];
        assert_non_null(msg);
        assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
        for (int i = 0; i < THREADS; i++)
            senders[i] = (struct sender){ msg, i % 2 };
        start(threads, THREADS, send_all, senders, sizeof *senders);
        pthread_barrier_wait(&barrier);
        caws_prepared_free(msg);
        join(threads, THREADS);
        pthread_barrier_destroy(&barrier);
        assert_int_equal(atomic_load(&prepared_blocks), 0);
    }
}

/* ---- Look-ups whose loop goes ------------------------------------------ */

enum { LOOKUPS = 6 };

static void *open_gate(void *arg)
{
    (void)arg;
    for (int i = 0; i < LOOKUPS; i++)
        sem_post(&fake.gate);
    return NULL;
}

/* Some are answered before the loop is freed, some meanwhile, some after; each
 * conn hears of its end once. */
static void test_loop_freed_under_look_ups(void **state)
{
    static const struct name names[] = { { "some.example", "192.0.2.1" }, { NULL, NULL } };
    const caws_config cfg = { .on_close = note_close };
    for (int round = 0; round < 60; round++) {
        struct net n;
        pthread_t opener;
        fake_reset();
        fake.names = names;
        fake.gated = true;
        n = loop_only(state);
        for (int i = 0; i < LOOKUPS; i++)
            assert_non_null(caws_connect(n.loop, "ws://some.example:1/", &cfg));
        assert_int_equal(caws_loop_step(n.loop, 0), CAWS_OK);
        while (atomic_load(&fake.threads) == 0)
            assert_int_equal(caws_loop_step(n.loop, 1), CAWS_OK);
        start(&opener, 1, open_gate, NULL, 0);
        for (int step = 0; step < round % 3; step++)
            assert_int_equal(caws_loop_step(n.loop, 0), CAWS_OK);
        net_free(&n);
        join(&opener, 1);
        assert_int_equal(seen.closes, LOOKUPS);
        while (atomic_load(&fake.answered) < atomic_load(&fake.threads))
            sched_yield();
    }
}

/* ---- Posting to a loop that goes --------------------------------------- */

struct door { /* how a thread may know that the loop is still there */
    pthread_mutex_t mutex;
    caws_loop *loop;
    atomic_int ran;
};
struct errand {
    caws_task task;
    struct door *door;
};
enum { ERRANDS = 3000 };

static void run_errand(caws_task *task)
{
    struct errand *e = task->user;
    atomic_fetch_add(&e->door->ran, 1);
}

static void *post_errands(void *arg)
{
    struct door *door = arg;
    struct errand *errands = calloc(ERRANDS, sizeof *errands);
    CHECK(errands);
    for (int i = 0; i < ERRANDS; i++) {
        errands[i] = (struct errand){ { .fn = run_errand, .user = &errands[i] }, door };
        pthread_mutex_lock(&door->mutex);
        if (door->loop)
            caws_loop_post(door->loop, &errands[i].task);
        pthread_mutex_unlock(&door->mutex);
    }
    return errands; /* which tasks of the loop may be */
}

static void test_loop_freed_under_posts(void **state)
{
    for (int round = 0; round < 10; round++) {
        struct net n = loop_only(state);
        struct door door = { .loop = n.loop };
        pthread_t threads[THREADS];
        assert_int_equal(pthread_mutex_init(&door.mutex, NULL), 0);
        start(threads, THREADS, post_errands, &door, 0);
        while (atomic_load(&door.ran) < 100 * (round + 1))
            assert_int_equal(caws_loop_step(n.loop, 5), CAWS_OK);
        pthread_mutex_lock(&door.mutex);
        door.loop = NULL;
        pthread_mutex_unlock(&door.mutex);
        net_free(&n); /* with tasks that did not run, and never do */
        int ran = atomic_load(&door.ran);
        for (int i = 0; i < THREADS; i++) {
            void *errands;
            assert_int_equal(pthread_join(threads[i], &errands), 0);
            free(errands);
        }
        assert_int_equal(atomic_load(&door.ran), ran);
        pthread_mutex_destroy(&door.mutex);
    }
}

static struct door *closing_door;
static struct errand last_errand;

static void *post_last(void *arg)
{
    (void)arg;
    caws_loop_post(closing_door->loop, &last_errand.task);
    caws_loop_stop(closing_door->loop);
    return NULL;
}

static void post_and_wait(caws_conn *ws, const caws_close_event *event)
{
    pthread_t thread;
    note_close(ws, event);
    start(&thread, 1, post_last, NULL, 0);
    join(&thread, 1);
}

/* Until caws_loop_free has returned from the last handler, the loop is there. */
static void test_post_from_a_thread_while_the_loop_is_freed(void **state)
{
    caws_server_config cfg = echo_config();
    fake_reset();
    cfg.ws.on_close = post_and_wait;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    struct door door = { .loop = n.loop };
    closing_door = &door;
    last_errand = (struct errand){ { .fn = run_errand, .user = &last_errand }, &door };
    net_free(&n);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(atomic_load(&door.ran), 0);
    peer_free(&p);
}

/* ---- Stopping ---------------------------------------------------------- */

static void *stop(void *loop)
{
    caws_loop_stop(loop);
    return NULL;
}

/* However early or late the stops come, each run ends. */
static void test_stopped_from_other_threads(void **state)
{
    caws_server_config cfg = echo_config();
    fake_reset();
    struct net n = net_new(state, &cfg);
    for (int round = 0; round < 50; round++) {
        pthread_t threads[THREADS];
        start(threads, THREADS, stop, n.loop, 0);
        if (round % 2)
            sched_yield();
        assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
        join(threads, THREADS);
    }
    net_free(&n);
}

/* ---- A server in one loop, clients in others --------------------------- */

enum { CLIENTS = 3, ROUNDS = 40 };

struct client {
    const char *url;
    int opens, answers, closes;
};

static void ask(caws_conn *ws)
{
    struct client *c = caws_context(ws);
    c->opens += c->answers == 0;
    CHECK(caws_send(ws, CAWS_TEXT, "question", 8) == CAWS_OK);
}

static void hear(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct client *c = caws_context(ws);
    CHECK(type == CAWS_TEXT && len == 8 && memcmp(data, "question", 8) == 0);
    if (++c->answers < ROUNDS)
        ask(ws);
    else
        CHECK(caws_close(ws, 1000, "bye") == CAWS_OK);
}

static void end(caws_conn *ws, const caws_close_event *event)
{
    struct client *c = caws_context(ws);
    CHECK(event->was_clean && event->code == 1000);
    c->closes++;
}

static void *be_client(void *arg)
{
    struct client *c = arg;
    const caws_config cfg = { .context = c, .on_open = ask, .on_message = hear, .on_close = end };
    caws_loop *loop = caws_loop_new(NULL);
    CHECK(loop && caws_connect(loop, c->url, &cfg));
    CHECK(caws_loop_run(loop) == CAWS_OK); /* until nothing is left */
    caws_loop_free(loop);
    return NULL;
}

static void *serve(void *loop)
{
    CHECK(caws_loop_run(loop) == CAWS_OK);
    return NULL;
}

static void stop_server(caws_task *task)
{
    caws_server_stop(task->user, 1000);
}

/* A name is looked up by each: the helper threads are under way at once. */
static void test_a_server_and_clients_in_loops_of_their_own(void **state)
{
    static const struct name names[] = { { "server.example", "127.0.0.1" }, { NULL, NULL } };
    caws_server_config cfg = echo_config();
    struct client clients[CLIENTS];
    pthread_t server, threads[CLIENTS];
    char url[64];
    fake_reset();
    fake.names = names;
    cfg.ws.hosts = "server.example";
    struct net n = net_new(state, &cfg);
    caws_task task = { .fn = stop_server, .user = n.server };
    snprintf(url, sizeof url, "ws://server.example:%u/", caws_server_port(n.server));
    start(&server, 1, serve, n.loop, 0);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (struct client){ .url = url };
    start(threads, CLIENTS, be_client, clients, sizeof *clients);
    join(threads, CLIENTS);
    caws_loop_post(n.loop, &task);
    join(&server, 1); /* with its server, all that it had is gone */
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].opens, 1);
        assert_int_equal(clients[i].answers, ROUNDS);
        assert_int_equal(clients[i].closes, 1);
    }
    assert_int_equal(seen.messages, CLIENTS * ROUNDS);
    assert_int_equal(seen.closes, CLIENTS);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepared_by_many_threads),
        ON_BOTH(test_loop_freed_under_look_ups),
        ON_BOTH(test_loop_freed_under_posts),
        ON_BOTH(test_post_from_a_thread_while_the_loop_is_freed),
        ON_BOTH(test_stopped_from_other_threads),
        ON_BOTH(test_a_server_and_clients_in_loops_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
