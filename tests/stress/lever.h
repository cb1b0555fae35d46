/* lib/net/sys.c, with a lever: the n-th system call that comes from one place
 * in the library fails, or is cut short. The fault strikes below sys.c, at the
 * calls that it makes, so what it hides from its callers (EINTR) is tried too. */
#ifndef LEVER_H
#define LEVER_H

#include "stress.h"

#include "net/sys.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>

#define SHORT     (-1) /* not an error: it does less than it was asked for */
#define EAI(code) (1000 - (code))

enum call {
    GETRANDOM, SOCKET, ACCEPT, EVENTFD, SIGNALFD, EPOLL_CREATE, FCNTL, BIND, CONNECT, LISTEN,
    SHUTDOWN, SETSOCKOPT, GETSOCKOPT, GETSOCKNAME, GETPEERNAME, UNLINK, LSTAT, GETADDRINFO, RECV,
    SENDMSG, READ, WRITE, EPOLL_CTL, EPOLL_WAIT, POLL, THREAD, MMAP, CALLS
};
static const struct {
    const char *name;
    int errors[8];
} lever_calls[CALLS] = {
    [GETRANDOM] = { "getrandom", { EINTR, SHORT, ENOSYS } },
    [SOCKET] = { "socket", { EMFILE, ENFILE, ENOBUFS, ENOMEM } },
    [ACCEPT] = { "accept4", { EINTR, EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM } },
    [EVENTFD] = { "eventfd", { EMFILE, ENFILE, ENOMEM } },
    [SIGNALFD] = { "signalfd", { EMFILE, ENFILE, ENOMEM } },
    [EPOLL_CREATE] = { "epoll_create1", { EMFILE, ENFILE, ENOMEM } },
    [FCNTL] = { "fcntl", { ENOMEM } },
    [BIND] = { "bind", { EADDRINUSE, ENOMEM, ENOBUFS } },
    [CONNECT] = { "connect", { EINTR, EAGAIN, ECONNREFUSED, ETIMEDOUT, ENOBUFS, ENOMEM } },
    [LISTEN] = { "listen", { EADDRINUSE, ENOBUFS } },
    [SHUTDOWN] = { "shutdown", { ENOTCONN, ENOBUFS } },
    [SETSOCKOPT] = { "setsockopt", { ENOBUFS, ENOMEM } },
    [GETSOCKOPT] = { "getsockopt", { ENOBUFS, ENOMEM } },
    [GETSOCKNAME] = { "getsockname", { ENOBUFS } },
    [GETPEERNAME] = { "getpeername", { ENOBUFS, ENOTCONN } },
    [UNLINK] = { "unlink", { EACCES, ENOMEM } },
    [LSTAT] = { "lstat", { EACCES, ENOMEM } },
    [GETADDRINFO] = { "getaddrinfo", { EAI(EAI_AGAIN), EAI(EAI_MEMORY), EAI(EAI_NONAME) } },
    [RECV] = { "recv", { EINTR, EAGAIN, SHORT, ECONNRESET, ETIMEDOUT, ENOBUFS, ENOMEM } },
    [SENDMSG] = { "sendmsg", { EINTR, EAGAIN, SHORT, EPIPE, ECONNRESET, ENOBUFS, ENOMEM } },
    [READ] = { "read", { EINTR, EAGAIN } },
    [WRITE] = { "write", { EINTR } }, /* EAGAIN is where it is readable already */
    [EPOLL_CTL] = { "epoll_ctl", { ENOMEM, ENOSPC } },
    [EPOLL_WAIT] = { "epoll_wait", { EINTR, ENOMEM } },
    [POLL] = { "poll", { EINTR, ENOMEM } },
    [THREAD] = { "pthread_create", { EAGAIN, ENOMEM } },
    [MMAP] = { "mmap", { ENOMEM } },
};

/* ---- The lever --------------------------------------------------------- */

#define PLACES 256

struct place {
    enum call call;
    uintptr_t site;     /* where the library asked for it */
    unsigned now, most; /* times: in this session, in any */
};
static struct {
    pthread_mutex_t lock; /* the look-up has a thread of its own */
    struct place places[PLACES];
    unsigned count;
    const struct place *armed; /* NULL: nothing fails */
    unsigned nth;
    int error;
    bool onwards;              /* those that follow fail, too */
    bool always_short;
    bool fired;
    int fd; /* that it was about */
} lever = { .lock = PTHREAD_MUTEX_INITIALIZER };
static _Thread_local uintptr_t lever_site;

static struct place *lever_place(enum call call)
{
    unsigned i = 0;

    while (i < lever.count &&
           (lever.places[i].call != call || lever.places[i].site != lever_site))
        i++;
    CHECK(i < PLACES);
    if (i == lever.count)
        lever.places[lever.count++] = (struct place){ .call = call, .site = lever_site };
    return &lever.places[i];
}

/* 0: go ahead; else an errno, or SHORT. */
static int lever_pulled(enum call call, int fd)
{
    struct place *place;
    int error = 0;

    pthread_mutex_lock(&lever.lock);
    place = lever_place(call);
    if (++place->now > place->most)
        place->most = place->now;
    if (place == lever.armed &&
        (place->now == lever.nth || (lever.onwards && place->now > lever.nth))) {
        if (!lever.fired)
            lever.fd = fd;
        lever.fired = true;
        error = lever.error;
    }
    pthread_mutex_unlock(&lever.lock);
    return error;
}

static bool lever_fails(enum call call, int fd)
{
    int error = lever_pulled(call, fd);

    if (error > 0)
        errno = error;
    return error > 0;
}

static void lever_arm(const struct place *place, unsigned nth, int error)
{
    for (unsigned i = 0; i < lever.count; i++)
        lever.places[i].now = 0;
    lever.armed = place;
    lever.nth = nth;
    lever.error = error;
    lever.onwards = false;
    lever.fired = false;
    lever.fd = -1;
}

/* ---- What sys.c calls instead of the system ---------------------------- */

static ssize_t lever_getrandom(void *out, size_t len, unsigned flags)
{
    int error = lever_pulled(GETRANDOM, -1);

    errno = error;
    return error > 0 ? -1 : getrandom(out, error == SHORT ? 1 : len, flags);
}

static ssize_t lever_recv(int fd, void *data, size_t len, int flags)
{
    int error = lever_pulled(RECV, fd);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return recv(fd, data, error == SHORT ? 1 : lever.always_short && len > 7 ? 7 : len, flags);
}

static ssize_t lever_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    int error = lever_pulled(SENDMSG, fd);
    size_t i = 0;

    if (error > 0) {
        errno = error;
        return -1;
    }
    if (error == 0 && !lever.always_short)
        return sendmsg(fd, msg, flags);
    while (i + 1 < msg->msg_iovlen && msg->msg_iov[i].iov_len == 0)
        i++;
    return send(fd, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len > 0, flags);
}

/* For one piece it is the same call. */
static ssize_t lever_send(int fd, const void *data, size_t len, int flags)
{
    struct iovec v = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
    struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1 };

    return lever_sendmsg(fd, &msg, flags);
}

static int lever_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                             struct addrinfo **out)
{
    int error = lever_pulled(GETADDRINFO, -1);

    return error ? EAI(error) : getaddrinfo(host, port, hints, out);
}

static int lever_thread(pthread_t *out, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
    int error = lever_pulled(THREAD, -1);

    return error ? error : pthread_create(out, how, run, arg);
}

/* Taking one out cannot fail, but for a caller's mistake. */
static int lever_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    return op != EPOLL_CTL_DEL && lever_fails(EPOLL_CTL, fd) ? -1
                                                             : epoll_ctl(epoll, op, fd, event);
}

/* A macro is not expanded in its own expansion. */
#define socket(...) (lever_fails(SOCKET, -1) ? -1 : socket(__VA_ARGS__))
#define accept4(fd, ...) (lever_fails(ACCEPT, fd) ? -1 : accept4(fd, __VA_ARGS__))
#define eventfd(...) (lever_fails(EVENTFD, -1) ? -1 : eventfd(__VA_ARGS__))
#define signalfd(...) (lever_fails(SIGNALFD, -1) ? -1 : signalfd(__VA_ARGS__))
#define epoll_create1(...) (lever_fails(EPOLL_CREATE, -1) ? -1 : epoll_create1(__VA_ARGS__))
#define fcntl(fd, ...) (lever_fails(FCNTL, fd) ? -1 : fcntl(fd, __VA_ARGS__))
#define bind(fd, ...) (lever_fails(BIND, fd) ? -1 : bind(fd, __VA_ARGS__))
#define connect(fd, ...) (lever_fails(CONNECT, fd) ? -1 : connect(fd, __VA_ARGS__))
#define listen(fd, ...) (lever_fails(LISTEN, fd) ? -1 : listen(fd, __VA_ARGS__))
#define shutdown(fd, ...) (lever_fails(SHUTDOWN, fd) ? -1 : shutdown(fd, __VA_ARGS__))
#define setsockopt(fd, ...) (lever_fails(SETSOCKOPT, fd) ? -1 : setsockopt(fd, __VA_ARGS__))
#define getsockopt(fd, ...) (lever_fails(GETSOCKOPT, fd) ? -1 : getsockopt(fd, __VA_ARGS__))
#define getsockname(fd, ...) (lever_fails(GETSOCKNAME, fd) ? -1 : getsockname(fd, __VA_ARGS__))
#define getpeername(fd, ...) (lever_fails(GETPEERNAME, fd) ? -1 : getpeername(fd, __VA_ARGS__))
#define unlink(...) (lever_fails(UNLINK, -1) ? -1 : unlink(__VA_ARGS__))
#define lstat(...) (lever_fails(LSTAT, -1) ? -1 : lstat(__VA_ARGS__))
#define read(fd, ...) (lever_fails(READ, fd) ? -1 : read(fd, __VA_ARGS__))
#define write(fd, ...) (lever_fails(WRITE, fd) ? -1 : write(fd, __VA_ARGS__))
#define epoll_wait(...) (lever_fails(EPOLL_WAIT, -1) ? -1 : epoll_wait(__VA_ARGS__))
#define poll(...) (lever_fails(POLL, -1) ? -1 : poll(__VA_ARGS__))
#define mmap(...) (lever_fails(MMAP, -1) ? MAP_FAILED : mmap(__VA_ARGS__))
#define getrandom lever_getrandom
#define recv lever_recv
#define send lever_send
#define sendmsg lever_sendmsg
#define getaddrinfo lever_getaddrinfo
#define epoll_ctl lever_epoll_ctl
#define pthread_create lever_thread
#define caws__sys_getrandom lever_real_getrandom
#define caws__sys_socket lever_real_socket
#define caws__sys_accept4 lever_real_accept4
#define caws__sys_eventfd lever_real_eventfd
#define caws__sys_signalfd lever_real_signalfd
#define caws__sys_epoll_create1 lever_real_epoll_create1
#define caws__sys_unblock lever_real_unblock
#define caws__sys_bind lever_real_bind
#define caws__sys_connect lever_real_connect
#define caws__sys_listen lever_real_listen
#define caws__sys_shutdown lever_real_shutdown
#define caws__sys_setsockopt lever_real_setsockopt
#define caws__sys_getsockopt lever_real_getsockopt
#define caws__sys_getsockname lever_real_getsockname
#define caws__sys_getpeername lever_real_getpeername
#define caws__sys_unlink lever_real_unlink
#define caws__sys_lstat lever_real_lstat
#define caws__sys_getaddrinfo lever_real_getaddrinfo
#define caws__sys_recv lever_real_recv
#define caws__sys_sendmsg lever_real_sendmsg
#define caws__sys_read lever_real_read
#define caws__sys_write lever_real_write
#define caws__sys_epoll_ctl lever_real_epoll_ctl
#define caws__sys_epoll_wait lever_real_epoll_wait
#define caws__sys_poll lever_real_poll
#define caws__sys_thread lever_real_thread
#define caws__sys_wiped_page lever_real_wiped_page
#include "net/sys.c"
#undef socket
#undef accept4
#undef eventfd
#undef signalfd
#undef epoll_create1
#undef fcntl
#undef bind
#undef connect
#undef listen
#undef shutdown
#undef setsockopt
#undef getsockopt
#undef getsockname
#undef getpeername
#undef unlink
#undef lstat
#undef read
#undef write
#undef epoll_wait
#undef poll
#undef mmap
#undef getrandom
#undef recv
#undef send
#undef sendmsg
#undef getaddrinfo
#undef epoll_ctl
#undef pthread_create
#undef caws__sys_getrandom
#undef caws__sys_socket
#undef caws__sys_accept4
#undef caws__sys_eventfd
#undef caws__sys_signalfd
#undef caws__sys_epoll_create1
#undef caws__sys_unblock
#undef caws__sys_bind
#undef caws__sys_connect
#undef caws__sys_listen
#undef caws__sys_shutdown
#undef caws__sys_setsockopt
#undef caws__sys_getsockopt
#undef caws__sys_getsockname
#undef caws__sys_getpeername
#undef caws__sys_unlink
#undef caws__sys_lstat
#undef caws__sys_getaddrinfo
#undef caws__sys_recv
#undef caws__sys_sendmsg
#undef caws__sys_read
#undef caws__sys_write
#undef caws__sys_epoll_ctl
#undef caws__sys_epoll_wait
#undef caws__sys_poll
#undef caws__sys_thread
#undef caws__sys_wiped_page

/* ---- What the library calls: notes from where -------------------------- */

#define NOTED(type, name, params, args)                     \
    __attribute__((noinline)) type caws__sys_##name params  \
    {                                                       \
        lever_site = (uintptr_t)__builtin_return_address(0); \
        return lever_real_##name args;                      \
    }
NOTED(ssize_t, getrandom, (void *out, size_t len), (out, len))
NOTED(int, socket, (int family, int type), (family, type))
NOTED(int, accept4, (int fd), (fd))
NOTED(int, eventfd, (void), ())
NOTED(int, signalfd, (int fd, const sigset_t *signals), (fd, signals))
NOTED(int, epoll_create1, (void), ())
NOTED(int, unblock, (int fd), (fd))
NOTED(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
NOTED(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
NOTED(int, listen, (int fd, int backlog), (fd, backlog))
NOTED(int, shutdown, (int fd, int how), (fd, how))
NOTED(int, setsockopt, (int fd, int level, int name, int value), (fd, level, name, value))
NOTED(int, getsockopt, (int fd, int level, int name, int *value), (fd, level, name, value))
NOTED(int, getsockname, (int fd, struct sockaddr_storage *out), (fd, out))
NOTED(int, getpeername, (int fd, struct sockaddr_storage *out), (fd, out))
NOTED(int, unlink, (const char *path), (path))
NOTED(int, lstat, (const char *path, struct stat *out), (path, out))
NOTED(int, getaddrinfo, (const char *host, const char *port, const struct addrinfo *hints,
      struct addrinfo **out), (host, port, hints, out))
NOTED(ssize_t, recv, (int fd, void *data, size_t len), (fd, data, len))
NOTED(ssize_t, sendmsg, (int fd, struct iovec *v, size_t count), (fd, v, count))
NOTED(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len))
NOTED(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
NOTED(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd,
      event))
NOTED(int, epoll_wait, (int epoll, struct epoll_event *out, int max, int timeout_ms), (epoll,
      out, max, timeout_ms))
NOTED(int, poll, (struct pollfd *v, size_t count, int timeout_ms), (v, count, timeout_ms))
NOTED(int, thread, (void *(*run)(void *arg), void *arg), (run, arg))
NOTED(void *, wiped_page, (size_t size), (size))

#endif
