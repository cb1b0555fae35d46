#include "net/turn.h"

#include <string.h>

void caws__turn_init(struct caws__turn *turn, struct caws__link *link,
                     const void *key, size_t len)
{
    *turn = (struct caws__turn){ .link = link, .key = key, .len = len };
    caws__ring_init(&turn->place);
    caws__ring_init(&turn->behind);
}

/* Who has the turn at the same address. */
static struct caws__turn *turn_find(const struct caws__ring *held,
                                    const struct caws__turn *turn)
{
    for (struct caws__ring *r = held->next; r != held; r = r->next) {
        struct caws__turn *other = (struct caws__turn *)r;

        if (other->len == turn->len &&
            memcmp(other->key, turn->key, turn->len) == 0)
            return other;
    }
    return NULL;
}

bool caws__turn_take(struct caws__ring *held, struct caws__turn *turn)
{
    struct caws__turn *holder;

    if (turn->state != CAWS__TURN_NONE)
        return turn->state == CAWS__TURN_HELD;
    holder = turn_find(held, turn);
    caws__ring_add(holder ? &holder->behind : held, &turn->place);
    turn->state = holder ? CAWS__TURN_WAITS : CAWS__TURN_HELD;
    return !holder;
}

void caws__turn_give(struct caws__ring *held, struct caws__turn *turn)
{
    struct caws__turn *next = (struct caws__turn *)turn->behind.next;

    caws__ring_remove(&turn->place);
    turn->state = CAWS__TURN_NONE;
    if (caws__ring_is_empty(&turn->behind))
        return;
    caws__ring_remove(&next->place);
    caws__ring_move(&turn->behind, &next->behind);
    caws__ring_add(held, &next->place);
    next->state = CAWS__TURN_HELD;
    caws__link_todo(next->link);
}
