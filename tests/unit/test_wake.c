/* lib/net/wake.c */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/wake.h"

static bool is_readable(const struct caws__wake *wake)
{
    struct pollfd p = { .fd = wake->source.fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static int order[16];
static size_t ran;

static void note(caws_task *task)
{
    order[ran++] = *(int *)task->user;
}

static void test_tasks_run_in_the_order_posted(void **state)
{
    struct caws__wake wake;
    int number[3] = { 0, 1, 2 };
    caws_task tasks[3];
    (void)state;
    ran = 0;
    assert_int_equal(caws__wake_init(&wake), 0);
    assert_false(is_readable(&wake));
    for (int i = 0; i < 3; i++) {
        tasks[i] = (caws_task){ .fn = note, .user = &number[i] };
        caws__wake_post(&wake, &tasks[i]);
    }
    assert_true(is_readable(&wake));
    wake.source.ready(&wake.source, CAWS__READ);
    assert_false(is_readable(&wake));
    assert_int_equal(ran, 0);
    caws__wake_run(&wake);
    assert_int_equal(ran, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(order[i], i);
    caws__wake_run(&wake);
    assert_int_equal(ran, 3);
    caws__wake_free(&wake);
}

static struct caws__wake *again_wake;

static void post_again(caws_task *task)
{
    if (++*(int *)task->user < 3)
        caws__wake_post(again_wake, task);
}

/* It runs in the next round, which is due at once; so a task that posts itself
 * for ever stops nobody else. */
static void test_a_task_may_post_itself(void **state)
{
    struct caws__wake wake;
    int count = 0;
    caws_task task = { .fn = post_again, .user = &count };
    (void)state;
    assert_int_equal(caws__wake_init(&wake), 0);
    again_wake = &wake;
    caws__wake_post(&wake, &task);
    for (int round = 1; round <= 3; round++) {
        assert_true(is_readable(&wake));
        wake.source.ready(&wake.source, CAWS__READ);
        caws__wake_run(&wake);
        assert_int_equal(count, round);
    }
    assert_false(is_readable(&wake));
    caws__wake_free(&wake);
}

static void free_task(caws_task *task)
{
    free(task);
    ran++;
}

static void test_a_task_may_free_itself(void **state)
{
    struct caws__wake wake;
    (void)state;
    ran = 0;
    assert_int_equal(caws__wake_init(&wake), 0);
    for (int i = 0; i < 3; i++) {
        caws_task *task = calloc(1, sizeof *task);
        task->fn = free_task;
        caws__wake_post(&wake, task);
    }
    caws__wake_run(&wake);
    assert_int_equal(ran, 3);
    caws__wake_free(&wake);
}

static struct caws__wake *signal_wake;
static caws_task signal_task;

static void on_signal(int number)
{
    (void)number;
    errno = 4711;
    caws__wake_post(signal_wake, &signal_task);
    caws__wake_stop(signal_wake);
    /* assert_ does not belong in a signal handler. */
    if (errno != 4711)
        abort();
}

static void test_from_a_signal_handler(void **state)
{
    struct caws__wake wake;
    struct sigaction action = { .sa_handler = on_signal }, old;
    int number = 7;
    (void)state;
    ran = 0;
    assert_int_equal(caws__wake_init(&wake), 0);
    signal_wake = &wake;
    signal_task = (caws_task){ .fn = note, .user = &number };
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &old, NULL);
    assert_true(is_readable(&wake));
    assert_true(atomic_load(&wake.stop));
    caws__wake_run(&wake);
    assert_int_equal(ran, 1);
    assert_int_equal(order[0], 7);
    caws__wake_free(&wake);
}

enum { THREADS = 4, EACH = 2000 };

struct job {
    caws_task task;
    int thread, number;
};

static struct caws__wake *shared_wake;
static int last_of[THREADS];
static int done;

static void check_order(caws_task *task)
{
    struct job *job = task->user;
    assert_int_equal(job->number, last_of[job->thread] + 1);
    last_of[job->thread] = job->number;
    done++;
}

static void *post_many(void *arg)
{
    struct job *jobs = arg;
    for (int i = 0; i < EACH; i++)
        caws__wake_post(shared_wake, &jobs[i].task);
    return NULL;
}

/* Nothing is lost, and each thread's come in its order: with waiting on the
 * descriptor alone, so a wake-up that is lost would hang. */
static void test_from_many_threads(void **state)
{
    static struct job jobs[THREADS][EACH];
    struct caws__wake wake;
    pthread_t threads[THREADS];
    (void)state;
    assert_int_equal(caws__wake_init(&wake), 0);
    shared_wake = &wake;
    done = 0;
    for (int t = 0; t < THREADS; t++) {
        last_of[t] = -1;
        for (int i = 0; i < EACH; i++)
            jobs[t][i] = (struct job){ { check_order, &jobs[t][i], NULL }, t, i };
        assert_int_equal(pthread_create(&threads[t], NULL, post_many, jobs[t]), 0);
    }
    while (done < THREADS * EACH) {
        struct pollfd p = { .fd = wake.source.fd, .events = POLLIN };
        assert_int_equal(poll(&p, 1, 5000), 1);
        wake.source.ready(&wake.source, CAWS__READ);
        caws__wake_run(&wake);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(done, THREADS * EACH);
    caws__wake_free(&wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks_run_in_the_order_posted),
        cmocka_unit_test(test_a_task_may_post_itself),
        cmocka_unit_test(test_a_task_may_free_itself),
        cmocka_unit_test(test_from_a_signal_handler),
        cmocka_unit_test(test_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
