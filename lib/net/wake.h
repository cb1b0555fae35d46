/* The way into a loop from other threads and from signal handlers. */
#ifndef CAWS__WAKE_H
#define CAWS__WAKE_H

#include <caws_net.h>
#include <stdatomic.h>

#include "net/poller.h"

struct caws__wake {
    struct caws__source source; /* an eventfd */
    _Atomic(caws_task *) tasks; /* the newest first */
    atomic_bool stop;
};

/* 0, or -1 with errno set. */
int caws__wake_init(struct caws__wake *wake);
void caws__wake_free(struct caws__wake *wake);

/* [any thread] These three preserve errno. */
void caws__wake_signal(struct caws__wake *wake);
void caws__wake_post(struct caws__wake *wake, caws_task *task);
void caws__wake_stop(struct caws__wake *wake);

/* Run what has been posted by now, in the order in which it was. */
void caws__wake_run(struct caws__wake *wake);

#endif
