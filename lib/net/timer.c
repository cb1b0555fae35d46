#include "net/timer.h"

#include "net/sys.h"

int caws_timer_start(caws_loop *loop, caws_timer *timer, uint32_t after_ms,
                     uint32_t repeat_ms)
{
    if (!loop || !timer || !timer->fn)
        return CAWS_ERR_ARG;
    if (loop->closing)
        return CAWS_ERR_STATE;
    timer->repeat_ = repeat_ms;
    /* Not from loop->now_ms: a handler may have taken its time. */
    timer->due_ = caws__sys_now_ms() + after_ms;
    return caws__heap_set(&loop->timers, &loop->alloc, &timer->slot_,
                          timer->due_);
}

void caws_timer_stop(caws_loop *loop, caws_timer *timer)
{
    if (loop && timer)
        caws__heap_remove(&loop->timers, &timer->slot_);
}

static caws_timer *timer_of(size_t *slot)
{
    return (caws_timer *)(void *)((char *)slot - offsetof(caws_timer, slot_));
}

/* Beats that were missed, because the loop was busy, are not made up for. */
static uint64_t timer_next(const caws_timer *timer, uint64_t now_ms)
{
    uint64_t next = timer->due_ + timer->repeat_;

    return next > now_ms ? next : now_ms + timer->repeat_;
}

void caws__timer_run(caws_loop *loop)
{
    struct caws__heap *heap = &loop->timers;
    uint64_t turns = heap->turns;

    while (caws__heap_due(heap) <= loop->now_ms &&
           heap->entries[0].turn < turns) {
        caws_timer *timer = timer_of(heap->entries[0].slot);

        if (timer->repeat_) {
            timer->due_ = timer_next(timer, loop->now_ms);
            caws__heap_set(heap, &loop->alloc, &timer->slot_, timer->due_);
        } else {
            caws__heap_remove(heap, &timer->slot_);
        }
        timer->fn(timer);
    }
}

void caws__timer_drop(caws_loop *loop)
{
    struct caws__heap *heap = &loop->timers;

    while (heap->len > 0)
        caws__heap_remove(heap, heap->entries[heap->len - 1].slot);
}
