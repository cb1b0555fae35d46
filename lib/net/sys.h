/* Every system call of lib/net that can fail, in one place: a test that links
 * its own sys.c in front of the library can make any of them fail.
 * Results and errno are the system's, but EINTR comes out of waiting only. */
#ifndef CAWS__SYS_H
#define CAWS__SYS_H

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Milliseconds of a clock that never goes back. */
uint64_t caws__sys_now_ms(void);
ssize_t caws__sys_getrandom(void *out, size_t len);

/* Descriptors: made close-on-exec and non-blocking. */
int caws__sys_socket(int family, int type);
int caws__sys_accept4(int fd);
int caws__sys_eventfd(void);
int caws__sys_signalfd(int fd, const sigset_t *signals);
int caws__sys_epoll_create1(void);
int caws__sys_unblock(int fd); /* makes one of others' that, too */
void caws__sys_close(int fd);

int caws__sys_bind(int fd, const struct sockaddr *addr, socklen_t len);
int caws__sys_connect(int fd, const struct sockaddr *addr, socklen_t len);
int caws__sys_listen(int fd, int backlog);
int caws__sys_shutdown(int fd, int how);
int caws__sys_setsockopt(int fd, int level, int name, int value);
int caws__sys_getsockopt(int fd, int level, int name, int *value);
int caws__sys_getsockname(int fd, struct sockaddr_storage *out);
int caws__sys_getpeername(int fd, struct sockaddr_storage *out);
int caws__sys_unlink(const char *path);
int caws__sys_lstat(const char *path, struct stat *out);
/* 0 or an EAI number; the list is freed with freeaddrinfo. */
int caws__sys_getaddrinfo(const char *host, const char *port,
                          const struct addrinfo *hints, struct addrinfo **out);

ssize_t caws__sys_recv(int fd, void *data, size_t len);
ssize_t caws__sys_sendmsg(int fd, struct iovec *v, size_t count);
ssize_t caws__sys_read(int fd, void *data, size_t len);
ssize_t caws__sys_write(int fd, const void *data, size_t len);

int caws__sys_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int caws__sys_epoll_wait(int epoll, struct epoll_event *out, int max,
                         int timeout_ms);
int caws__sys_poll(struct pollfd *v, size_t count, int timeout_ms);

/* A detached thread in which all signals are blocked, whosever they are: 0 or
 * an errno. */
int caws__sys_thread(void *(*run)(void *arg), void *arg);

/* Zeroed memory that is zeroed again in a forked child; NULL where there is
 * none. */
void *caws__sys_wiped_page(size_t size);
void caws__sys_unmap(void *page, size_t size);

/* Of the calling thread. */
int caws__sys_sigmask(int how, const sigset_t *set, sigset_t *old);

#endif
