/* lib/net/sys.c: what it adds to the system's calls */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sys.h"

static bool is_cloexec(int fd)
{
    return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static bool is_nonblocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static void test_descriptors_do_not_block_nor_leak(void **state)
{
    int pipes[2], count = 0, fds[6];
    sigset_t none;
    (void)state;
    sigemptyset(&none);
    assert_int_equal(pipe(pipes), 0);
    assert_false(is_cloexec(pipes[0]) || is_nonblocking(pipes[0]));
    assert_int_equal(caws__sys_unblock(pipes[0]), 0);
    fds[count++] = pipes[0];
    fds[count++] = caws__sys_eventfd();
    fds[count++] = caws__sys_signalfd(-1, &none);
    fds[count++] = caws__sys_socket(AF_UNIX, SOCK_STREAM);
    struct sockaddr_un_any {
        sa_family_t family; /* alone: the system picks a name */
    } any = { AF_UNIX };
    struct sockaddr_storage name = { 0 };
    socklen_t len = sizeof name;
    assert_int_equal(caws__sys_bind(fds[3], (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(caws__sys_listen(fds[3], 1), 0);
    assert_int_equal(caws__sys_accept4(fds[3]), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(getsockname(fds[3], (struct sockaddr *)&name, &len), 0);
    fds[count++] = caws__sys_socket(AF_UNIX, SOCK_STREAM);
    assert_int_equal(caws__sys_connect(fds[4], (struct sockaddr *)&name, len), 0);
    fds[count++] = caws__sys_accept4(fds[3]);
    for (int i = 0; i < count; i++) {
        assert_true(fds[i] >= 0);
        assert_true(is_cloexec(fds[i]) && is_nonblocking(fds[i]));
        caws__sys_close(fds[i]);
        assert_int_equal(fcntl(fds[i], F_GETFD), -1);
    }
    close(pipes[1]);
    assert_int_equal(caws__sys_unblock(pipes[0]), -1);
    assert_int_equal(errno, EBADF);
}

static int alarm_fd;

static void on_alarm(int number)
{
    (void)number;
    if (write(alarm_fd, "x", 1) != 1)
        abort();
}

/* SIGALRM in 5 ms, which interrupts what waits and then writes to fd. */
static void alarm_soon(int fd)
{
    struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
    struct itimerval soon = { .it_value = { .tv_usec = 5000 } };
    alarm_fd = fd;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

static void test_interrupted_calls(void **state)
{
    char got[4];
    int fds[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    alarm_soon(fds[1]);
    assert_int_equal(caws__sys_read(fds[0], got, sizeof got), 1);
    alarm_soon(fds[1]);
    assert_int_equal(caws__sys_recv(fds[0], got, sizeof got), 1);
    /* Whoever waits for many things may have another reason to stop. */
    alarm_soon(fds[1]);
    assert_int_equal(caws__sys_poll(NULL, 0, 5000), -1);
    assert_int_equal(errno, EINTR);
    close(fds[0]);
    close(fds[1]);
}

static void test_no_sigpipe(void **state)
{
    struct iovec v[2] = { { (void *)(uintptr_t) "x", 1 }, { (void *)(uintptr_t) "yz", 2 } };
    char got[8];
    int fds[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(caws__sys_sendmsg(fds[0], v, 1), 1);
    assert_int_equal(caws__sys_sendmsg(fds[0], v, 2), 3);
    assert_int_equal(read(fds[1], got, sizeof got), 4);
    assert_memory_equal(got, "xxyz", 4);
    close(fds[1]);
    for (size_t count = 1; count <= 2; count++) {
        errno = 0;
        assert_int_equal(caws__sys_sendmsg(fds[0], v, count), -1);
        assert_int_equal(errno, EPIPE);
    }
    close(fds[0]);
}

struct ran {
    sem_t done;
    sigset_t blocked;
    int detached;
};

static void *run(void *arg)
{
    struct ran *ran = arg;
    pthread_attr_t attr;
    pthread_sigmask(SIG_BLOCK, NULL, &ran->blocked);
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getdetachstate(&attr, &ran->detached);
    pthread_attr_destroy(&attr);
    sem_post(&ran->done);
    return NULL;
}

static void test_threads_take_no_signals(void **state)
{
    sigset_t before, after;
    struct ran ran = { .detached = -1 };
    (void)state;
    sem_init(&ran.done, 0, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(caws__sys_thread(run, &ran), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    while (sem_wait(&ran.done) < 0)
        continue;
    assert_true(sigismember(&ran.blocked, SIGTERM) && sigismember(&ran.blocked, SIGUSR2));
    assert_int_equal(ran.detached, PTHREAD_CREATE_DETACHED);
    for (int i = 1; i < 32; i++)
        assert_int_equal(sigismember(&after, i), sigismember(&before, i));
}

static void test_a_child_gets_the_page_empty(void **state)
{
    unsigned char *page = caws__sys_wiped_page(4096);
    int status;
    (void)state;
    assert_non_null(page);
    assert_int_equal(page[0] | page[4095], 0);
    memset(page, 0xee, 4096);
    pid_t child = fork();
    if (child == 0)
        _exit(page[0] | page[4095] ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(page[4095], 0xee);
    caws__sys_unmap(page, 4096);
    assert_null(caws__sys_wiped_page(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_do_not_block_nor_leak),
        cmocka_unit_test(test_interrupted_calls),
        cmocka_unit_test(test_no_sigpipe),
        cmocka_unit_test(test_threads_take_no_signals),
        cmocka_unit_test(test_a_child_gets_the_page_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
