#include "net/signals.h"

#include <errno.h>
#include <sys/signalfd.h>

#include "net/memory.h"
#include "net/server.h"
#include "net/sys.h"

struct signals_stop {
    int signal;
    uint32_t deadline_ms;
    caws_server *server;
    struct signals_stop *next;
};

struct caws__signals {
    struct caws__source source;
    caws_loop *loop;
    sigset_t wanted;
    sigset_t blocked; /* those that were not blocked before */
    struct signals_stop *stops;
};

static bool signals_read(int fd, int *number)
{
    struct signalfd_siginfo info;

    if (caws__sys_read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return false;
    *number = (int)info.ssi_signo;
    return true;
}

static void signals_ready(struct caws__source *source, unsigned what)
{
    struct caws__signals *signals = (struct caws__signals *)source;
    int number;

    (void)what;
    while (signals_read(source->fd, &number))
        for (struct signals_stop *s = signals->stops; s; s = s->next)
            if (s->signal == number) {
                caws_server_stop(s->server, s->deadline_ms);
                s->deadline_ms = 0; /* who asks again will not wait */
            }
}

/* NULL for want of memory. */
static struct caws__signals *signals_of(caws_loop *loop)
{
    struct caws__signals *signals = loop->signals;

    if (signals)
        return signals;
    signals = caws__memory(&loop->alloc, NULL, 0, sizeof *signals);
    if (!signals)
        return NULL;
    *signals =
        (struct caws__signals){ .source = { .ready = signals_ready, .fd = -1 },
                                .loop = loop };
    sigemptyset(&signals->wanted);
    sigemptyset(&signals->blocked);
    loop->signals = signals;
    return signals;
}

/* Read from now on; the signal is blocked after that, so that a failure
 * leaves it as it was. */
static int signals_want(struct caws__signals *signals, int signal)
{
    sigset_t wanted = signals->wanted;
    sigset_t one, old;

    sigemptyset(&one);
    if (sigaddset(&one, signal) < 0 || signal == SIGKILL || signal == SIGSTOP)
        return CAWS_ERR_ARG;
    sigaddset(&wanted, signal);
    int fd = caws__sys_signalfd(signals->source.fd, &wanted);
    if (fd < 0)
        return CAWS_ERR_SYS;
    signals->source.fd = fd;
    if (caws__loop_watch(signals->loop, &signals->source, CAWS__READ) < 0 ||
        caws__sys_sigmask(SIG_BLOCK, &one, &old) != 0)
        return CAWS_ERR_SYS;
    signals->wanted = wanted;
    if (!sigismember(&old, signal))
        sigaddset(&signals->blocked, signal);
    return CAWS_OK;
}

int caws_server_stop_on(caws_server *server, int signal, uint32_t deadline_ms)
{
    caws_loop *loop = server->owner.loop;
    struct caws__signals *signals = signals_of(loop);
    struct signals_stop *stop;

    if (!signals || loop->closing)
        return signals ? CAWS_ERR_STATE : CAWS_ERR_NOMEM;
    stop = caws__memory(&loop->alloc, NULL, 0, sizeof *stop);
    if (!stop)
        return CAWS_ERR_NOMEM;
    int result = signals_want(signals, signal);
    if (result < 0) {
        caws__memory(&loop->alloc, stop, sizeof *stop, 0);
        return result;
    }
    *stop = (struct signals_stop){ .signal = signal,
                                   .deadline_ms = deadline_ms,
                                   .server = server,
                                   .next = signals->stops };
    signals->stops = stop;
    return CAWS_OK;
}

void caws__signals_free(caws_loop *loop)
{
    struct caws__signals *signals = loop->signals;
    int number;

    if (!signals)
        return;
    /* One that came a second time must not kill once it is not blocked. */
    while (signals->source.fd >= 0 && signals_read(signals->source.fd, &number))
        continue;
    caws__sys_sigmask(SIG_UNBLOCK, &signals->blocked, NULL);
    caws__loop_watch(loop, &signals->source, 0);
    if (signals->source.fd >= 0)
        caws__sys_close(signals->source.fd);
    while (signals->stops) {
        struct signals_stop *stop = signals->stops;

        signals->stops = stop->next;
        caws__memory(&loop->alloc, stop, sizeof *stop, 0);
    }
    caws__memory(&loop->alloc, signals, sizeof *signals, 0);
    loop->signals = NULL;
}
