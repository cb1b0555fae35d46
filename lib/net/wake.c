#include "net/wake.h"

#include <errno.h>

#include "net/sys.h"

static void wake_ready(struct caws__source *source, unsigned what)
{
    uint64_t count;

    (void)what;
    caws__sys_read(source->fd, &count, sizeof count);
}

int caws__wake_init(struct caws__wake *wake)
{
    wake->source =
        (struct caws__source){ .ready = wake_ready, .fd = caws__sys_eventfd() };
    atomic_init(&wake->tasks, NULL);
    atomic_init(&wake->stop, false);
    return wake->source.fd < 0 ? -1 : 0;
}

void caws__wake_free(struct caws__wake *wake)
{
    if (wake->source.fd >= 0)
        caws__sys_close(wake->source.fd);
}

void caws__wake_signal(struct caws__wake *wake)
{
    static const uint64_t one = 1;
    int saved = errno;

    /* It fails only where the counter is full, and then it is readable. */
    caws__sys_write(wake->source.fd, &one, sizeof one);
    errno = saved;
}

void caws__wake_post(struct caws__wake *wake, caws_task *task)
{
    caws_task *head = atomic_load(&wake->tasks);

    do
        task->next_ = head;
    while (!atomic_compare_exchange_weak(&wake->tasks, &head, task));
    /* Whoever found it empty wakes the loop, which empties it after that. */
    if (!head)
        caws__wake_signal(wake);
}

void caws__wake_stop(struct caws__wake *wake)
{
    atomic_store(&wake->stop, true);
    caws__wake_signal(wake);
}

void caws__wake_run(struct caws__wake *wake)
{
    caws_task *stack = atomic_load(&wake->tasks);
    caws_task *queue = NULL;

    if (stack)
        stack = atomic_exchange(&wake->tasks, NULL);
    while (stack) {
        caws_task *next = stack->next_;

        stack->next_ = queue;
        queue = stack;
        stack = next;
    }
    while (queue) {
        caws_task *task = queue;

        queue = task->next_; /* fn may post it again, or free it */
        task->fn(task);
    }
}
