/* lib/net/loop.c, timer.c: steps, timers, tasks, embedding */
#include "net.h"

#include <pthread.h>

static caws_loop *loop_new(void **state)
{
    caws_loop *loop = caws__loop_new_with(NULL, *state);
    memset(&seen, 0, sizeof seen);
    assert_non_null(loop);
    return loop;
}

/* ---- Running ----------------------------------------------------------- */

static void test_nothing_to_run_for(void **state)
{
    caws_loop *loop = loop_new(state);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_int_equal(caws_loop_timeout(loop), -1);
    caws_loop_free(loop);
    caws_loop_free(NULL);
}

static void test_default_back_end(void **state)
{
    (void)state;
    caws_loop *loop = caws_loop_new(NULL);
    assert_non_null(loop);
    assert_true(caws_loop_fd(loop) >= 0);
    assert_true(fcntl(caws_loop_fd(loop), F_GETFD) & FD_CLOEXEC);
    caws_loop_free(loop);
}

static int nested;

static void run_inside(caws_timer *timer)
{
    nested += caws_loop_run(timer->user) == CAWS_ERR_STATE;
    nested += caws_loop_step(timer->user, 0) == CAWS_ERR_STATE;
}

static void test_no_step_inside_a_step(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer timer = { .fn = run_inside, .user = loop };
    nested = 0;
    caws_timer_start(loop, &timer, 0, 0);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_int_equal(nested, 2);
    caws_loop_free(loop);
}

/* ---- Timers ------------------------------------------------------------ */

static char order[64];

static void note_timer(caws_timer *timer)
{
    size_t len = strlen(order);
    order[len] = *(const char *)timer->user;
    order[len + 1] = '\0';
}

static void test_stop_before_run(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    caws_timer timer = { .fn = note_timer, .user = (void *)(uintptr_t) "x" };
    order[0] = '\0';
    caws_timer_start(n.loop, &timer, 0, 0);
    caws_loop_stop(n.loop);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_string_equal(order, "");
    /* It counted once. */
    caws_server_stop(n.server, 0);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    assert_string_equal(order, "x");
    net_free(&n);
}

static void test_timers_fire_in_order(void **state)
{
    static const struct {
        const char *name;
        uint32_t after_ms;
    } want[] = { { "d", 20 }, { "a", 0 }, { "e", 20 }, { "b", 0 }, { "c", 8 } };
    caws_loop *loop = loop_new(state);
    caws_timer timers[5] = { 0 };
    uint64_t begin = caws__sys_now_ms();
    order[0] = '\0';
    for (int i = 0; i < 5; i++) {
        timers[i].fn = note_timer;
        timers[i].user = (void *)(uintptr_t)want[i].name;
        assert_int_equal(caws_timer_start(loop, &timers[i], want[i].after_ms, 0), CAWS_OK);
    }
    /* Its last timer is all that it runs for. */
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_string_equal(order, "abcde");
    assert_true(caws__sys_now_ms() - begin >= 20);
    assert_true(caws__sys_now_ms() - begin < 1000);
    caws_loop_free(loop);
}

static void beat(caws_timer *timer)
{
    note_timer(timer);
    if (strlen(order) == 4)
        caws_timer_stop(timer->user ? (caws_loop *)(uintptr_t)seen.id : NULL, timer);
}

static void test_repeat_until_stopped_inside_fn(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer timer = { .fn = beat, .user = (void *)(uintptr_t) "x" };
    uint64_t begin = caws__sys_now_ms();
    seen.id = (uint64_t)(uintptr_t)loop;
    order[0] = '\0';
    caws_timer_start(loop, &timer, 3, 5);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_string_equal(order, "xxxx");
    assert_true(caws__sys_now_ms() - begin >= 3 + 3 * 5);
    caws_loop_free(loop);
}

/* Beats that were missed are not made up for. */
static void test_repeat_after_a_long_pause(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer timer = { .fn = note_timer, .user = (void *)(uintptr_t) "x" };
    struct timespec pause = { .tv_nsec = 70000000 };
    order[0] = '\0';
    caws_timer_start(loop, &timer, 1, 20);
    nanosleep(&pause, NULL);
    for (int i = 0; i < 4; i++)
        caws_loop_step(loop, 0);
    assert_string_equal(order, "x");
    caws_timer_stop(loop, &timer);
    caws_timer_stop(loop, &timer);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    caws_loop_free(loop);
}

static void restart_self(caws_timer *timer)
{
    note_timer(timer);
    if (strlen(order) < 3)
        caws_timer_start((caws_loop *)(uintptr_t)seen.id, timer, 0, 0);
}

/* Not twice in one step: one that restarts itself for ever stops nobody. */
static void test_restart_inside_fn(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer timer = { .fn = restart_self, .user = (void *)(uintptr_t) "x" };
    seen.id = (uint64_t)(uintptr_t)loop;
    order[0] = '\0';
    caws_timer_start(loop, &timer, 0, 0);
    for (size_t i = 1; i <= 3; i++) {
        assert_int_equal(caws_loop_step(loop, 0), CAWS_OK);
        assert_int_equal(strlen(order), i);
    }
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_string_equal(order, "xxx");
    caws_loop_free(loop);
}

static void test_restart_moves_it(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer a = { .fn = note_timer, .user = (void *)(uintptr_t) "a" };
    caws_timer b = { .fn = note_timer, .user = (void *)(uintptr_t) "b" };
    order[0] = '\0';
    caws_timer_start(loop, &a, 1, 0);
    caws_timer_start(loop, &b, 5, 0);
    caws_timer_start(loop, &a, 10, 0);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_string_equal(order, "ba");
    caws_loop_free(loop);
}

static void free_self(caws_timer *timer)
{
    caws_timer_stop(timer->user, timer);
    free(timer);
    seen.opens++;
}

static void test_free_inside_fn(void **state)
{
    caws_loop *loop = loop_new(state);
    for (uint32_t i = 0; i < 3; i++) {
        caws_timer *timer = calloc(1, sizeof *timer);
        timer->fn = free_self;
        timer->user = loop;
        caws_timer_start(loop, timer, i, i);
    }
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_int_equal(seen.opens, 3);
    caws_loop_free(loop);
}

static void stop_other(caws_timer *timer)
{
    caws_timer_stop((caws_loop *)(uintptr_t)seen.id, timer->user);
    seen.opens++;
}

/* Both are due in the same step, and the first stops the second. */
static void test_stop_one_that_is_due(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer a = { .fn = stop_other }, b = { .fn = stop_other };
    seen.id = (uint64_t)(uintptr_t)loop;
    a.user = &b;
    b.user = &a;
    caws_timer_start(loop, &a, 0, 0);
    caws_timer_start(loop, &b, 0, 0);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_int_equal(seen.opens, 1);
    caws_loop_free(loop);
}

static void test_loop_is_freed_with_timers_in_it(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_timer timer = { .fn = note_timer };
    assert_int_equal(caws_timer_start(loop, &timer, 1000, 0), CAWS_OK);
    assert_int_equal(caws_timer_start(NULL, &timer, 1, 0), CAWS_ERR_ARG);
    assert_int_equal(caws_timer_start(loop, NULL, 1, 0), CAWS_ERR_ARG);
    caws_loop_free(loop);
}

/* ---- Tasks ------------------------------------------------------------- */

static void stop_server(caws_task *task)
{
    struct net *n = task->user;
    seen.opens++;
    caws_server_stop(n->server, 0);
}

static void *post_from_thread(void *arg)
{
    caws_task *task = arg;
    struct net *n = task->user;
    struct timespec pause = { .tv_nsec = 10000000 };
    nanosleep(&pause, NULL);
    caws_loop_post(n->loop, task);
    return NULL;
}

/* The loop waits without end, and is woken. */
static void test_task_from_another_thread(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    caws_task task = { .fn = stop_server, .user = &n };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_from_thread, &task), 0);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    pthread_join(thread, NULL);
    assert_int_equal(seen.opens, 1);
    net_free(&n);
}

static void *stop_from_thread(void *arg)
{
    struct timespec pause = { .tv_nsec = 10000000 };
    nanosleep(&pause, NULL);
    caws_loop_stop(arg);
    return NULL;
}

static void test_stop_from_another_thread(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, n.loop), 0);
    assert_int_equal(caws_loop_run(n.loop), CAWS_OK);
    pthread_join(thread, NULL);
    net_free(&n);
}

static void note_task(caws_task *task)
{
    size_t len = strlen(order);
    order[len] = *(const char *)task->user;
    order[len + 1] = '\0';
}

/* A posted task is something to run for; those not yet run are dropped. */
static void test_tasks_run_in_order(void **state)
{
    caws_loop *loop = loop_new(state);
    caws_task tasks[4];
    order[0] = '\0';
    for (int i = 0; i < 4; i++)
        tasks[i] = (caws_task){ .fn = note_task, .user = &"abcd"[i] };
    for (int i = 0; i < 3; i++)
        caws_loop_post(loop, &tasks[i]);
    assert_int_equal(caws_loop_timeout(loop), 0);
    assert_int_equal(caws_loop_run(loop), CAWS_OK);
    assert_string_equal(order, "abc");
    caws_loop_post(loop, &tasks[3]);
    caws_loop_free(loop);
    assert_string_equal(order, "abc");
}

/* ---- The end ----------------------------------------------------------- */

static bool freeing;

static void busy_close(caws_conn *ws, const caws_close_event *event)
{
    caws_server *server = caws_server_of(ws);
    caws_server_config cfg = echo_config();
    static caws_timer timer;
    int fds[2];
    note_close(ws, event);
    if (!freeing)
        return;
    /* Nothing new begins, and nothing that exists is hurt. */
    timer.fn = note_timer;
    assert_int_equal(caws_timer_start(caws_loop_of(ws), &timer, 0, 0), CAWS_ERR_STATE);
    assert_null(caws_listen(caws_loop_of(ws), &cfg));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_null(caws_adopt(server, fds[0], NULL, 0));
    close(fds[1]);
    caws_broadcast(server, NULL, CAWS_TEXT, "bye", 3);
    caws_server_stop(server, 10);
    assert_int_equal(caws_send_text(ws, "bye"), CAWS_ERR_STATE);
    assert_int_equal(caws_loop_run(caws_loop_of(ws)), CAWS_ERR_STATE);
    assert_int_equal(caws_loop_step(caws_loop_of(ws), 0), CAWS_ERR_STATE);
}

static void pause_at_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note_message(ws, type, data, len);
    caws_pause(ws);
}

/* Each on_close is called once, whatever state a conn is in. */
static void test_loop_is_freed_with_conns_in_it(void **state)
{
    int before = count_descriptors();
    caws_server_config cfg = echo_config();
    cfg.ws.on_close = busy_close;
    cfg.ws.on_message = pause_at_message;
    freeing = false;
    struct net n = net_new(state, &cfg);
    struct peer open[3], begun = peer_new(&n), silent = peer_new(&n), lingering = peer_open(&n);
    for (int i = 0; i < 3; i++)
        open[i] = peer_open(&n);
    peer_say(&begun, request, 30);
    peer_close(&lingering, 1000);
    peer_want_close(&n, &lingering, 1000);
    assert_int_equal(seen.closes, 1);
    caws_close(seen.ws, 1000, NULL); /* unsent */
    /* One has held back a message. */
    uint8_t frames[64];
    size_t len = frame_write(frames, 0x81, "one", 3);
    len += frame_write(frames + len, 0x81, "two", 3);
    peer_say(&open[0], frames, len);
    PUMP_UNTIL(&n, seen.messages == 1);
    freeing = true;
    net_free(&n);
    assert_int_equal(seen.opens, 4);
    assert_int_equal(seen.closes, 4);
    for (int i = 0; i < 3; i++)
        peer_free(&open[i]);
    peer_free(&begun);
    peer_free(&silent);
    peer_free(&lingering);
    assert_int_equal(count_descriptors(), before);
}

/* ---- Embedding --------------------------------------------------------- */

/* A foreign loop over poll(2), which knows of the descriptor and the timeout
 * alone. */
static void foreign_step(caws_loop *loop, int most_ms)
{
    int timeout = caws_loop_timeout(loop);
    struct pollfd p = { .fd = caws_loop_fd(loop), .events = POLLIN };
    assert_true(p.fd >= 0);
    if (timeout < 0 || timeout > most_ms)
        timeout = most_ms;
    poll(&p, 1, timeout);
    assert_int_equal(caws_loop_step(loop, 0), CAWS_OK);
}

static void test_embedded(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_new(&n);
    caws_timer timer = { .fn = note_timer, .user = (void *)(uintptr_t) "t" };
    char text[] = "\x81\x05hello";
    peer_say(&p, request, sizeof request - 1);
    for (int i = 0; i < 100 && seen.opens == 0; i++)
        foreign_step(n.loop, 1000);
    assert_int_equal(seen.opens, 1);
    peer_status(&n, &p);
    /* Nothing to do: the descriptor is not readable, for long. */
    foreign_step(n.loop, 0);
    struct pollfd ready = { .fd = caws_loop_fd(n.loop), .events = POLLIN };
    assert_int_equal(poll(&ready, 1, 20), 0);
    assert_true(caws_loop_timeout(n.loop) > 1000);
    /* Work from outside a step makes it so. */
    assert_int_equal(caws_send_text(seen.ws, "hello"), CAWS_OK);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(caws_loop_timeout(n.loop), 0);
    foreign_step(n.loop, 1000);
    assert_int_equal(recv(p.fd, text, 7, 0), 7);
    assert_memory_equal(text, "\x81\x05hello", 7);
    /* So do a task and an adopted conn; a timer shows in the timeout. */
    order[0] = '\0';
    caws_timer_start(n.loop, &timer, 5, 0);
    foreign_step(n.loop, 0);
    assert_in_range(caws_loop_timeout(n.loop), 1, 5);
    for (int i = 0; i < 100 && !order[0]; i++)
        foreign_step(n.loop, 1000);
    assert_string_equal(order, "t");
    peer_free(&p);
    net_free(&n);
}

static void test_step_waits_no_longer_than_told(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    uint64_t begin = caws__sys_now_ms();
    assert_int_equal(caws_loop_step(n.loop, 0), CAWS_OK);
    assert_int_equal(caws_loop_step(n.loop, 15), CAWS_OK);
    assert_true(caws__sys_now_ms() - begin >= 15);
    assert_true(caws__sys_now_ms() - begin < 1000);
    net_free(&n);
}

/* Timeouts of conns come true without any traffic. */
static void test_deadlines_of_conns(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.handshake_timeout_ms = 30;
    cfg.ws.ping_interval_ms = 20;
    cfg.ws.pong_timeout_ms = 20;
    struct net n = net_new(state, &cfg);
    struct peer silent = peer_new(&n), open = peer_open(&n);
    char ping[125];
    uint64_t begin = caws__sys_now_ms();
    assert_int_equal(peer_frame(&n, &open, 0x89, ping, sizeof ping), 0);
    peer_send(&open, 0x8a, NULL, 0);
    peer_frame(&n, &open, 0x89, ping, sizeof ping);
    assert_true(caws__sys_now_ms() - begin >= 39);
    peer_want_end(&n, &open);
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.code, 1006);
    peer_want_end(&n, &silent);
    assert_true(caws__sys_now_ms() - begin < 2000);
    peer_free(&silent);
    peer_free(&open);
    PUMP_UNTIL(&n, n.loop->live == 1);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_back_end),
        ON_BOTH(test_nothing_to_run_for),
        ON_BOTH(test_stop_before_run),
        ON_BOTH(test_no_step_inside_a_step),
        ON_BOTH(test_timers_fire_in_order),
        ON_BOTH(test_repeat_until_stopped_inside_fn),
        ON_BOTH(test_repeat_after_a_long_pause),
        ON_BOTH(test_restart_inside_fn),
        ON_BOTH(test_restart_moves_it),
        ON_BOTH(test_free_inside_fn),
        ON_BOTH(test_stop_one_that_is_due),
        ON_BOTH(test_loop_is_freed_with_timers_in_it),
        ON_BOTH(test_task_from_another_thread),
        ON_BOTH(test_stop_from_another_thread),
        ON_BOTH(test_tasks_run_in_order),
        ON_BOTH(test_loop_is_freed_with_conns_in_it),
        { "test_embedded (epoll)", test_embedded, NULL, NULL,
          (void *)(uintptr_t)&caws__poller_epoll }, /* poll has no descriptor */
        ON_BOTH(test_step_waits_no_longer_than_told),
        ON_BOTH(test_deadlines_of_conns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
