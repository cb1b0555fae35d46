#include "net/group.h"

#include <errno.h>

#include "net/broadcast.h"
#include "net/memory.h"
#include "net/ring.h"

struct caws_group {
    caws_loop *loop;
    caws_alloc alloc;
    struct caws__ring members;
    size_t count;
};

/* One conn in one group. */
struct caws__member {
    struct caws__ring ring; /* of the group */
    struct caws__member *next; /* of the conn */
    caws_group *group;
    struct caws__link *link;
};

/* Where the pointer at the conn's membership is, or would be. */
static struct caws__member **group_find(const caws_group *group,
                                        struct caws__link *link)
{
    struct caws__member **at = caws__link_groups(link);

    while (*at && (*at)->group != group)
        at = &(*at)->next;
    return at;
}

static void group_leave(struct caws__member **at)
{
    struct caws__member *member = *at;
    caws_group *group = member->group;

    *at = member->next;
    caws__ring_remove(&member->ring);
    group->count--;
    caws__memory(&group->alloc, member, sizeof *member, 0);
}

void caws__group_forget(struct caws__link *link)
{
    struct caws__member **first = caws__link_groups(link);

    while (*first)
        group_leave(first);
}

caws_group *caws_group_new(caws_loop *loop)
{
    caws_group *group;

    if (!loop) {
        errno = EINVAL;
        return NULL;
    }
    group = caws__memory(&loop->alloc, NULL, 0, sizeof *group);
    if (!group) {
        errno = ENOMEM;
        return NULL;
    }
    *group = (caws_group){ .loop = loop, .alloc = loop->alloc };
    caws__ring_init(&group->members);
    return group;
}

void caws_group_free(caws_group *group)
{
    if (!group)
        return;
    while (group->count > 0) {
        struct caws__member *m = (struct caws__member *)group->members.next;

        group_leave(group_find(group, m->link));
    }
    caws__memory(&group->alloc, group, sizeof *group, 0);
}

int caws_group_add(caws_group *group, caws_conn *ws)
{
    struct caws__link *link = ws ? caws__link_of(ws) : NULL;
    struct caws__member *member, **first;

    if (!group || !link || link->owner->loop != group->loop)
        return CAWS_ERR_ARG;
    if (caws_ready_state(ws) > CAWS_OPEN)
        return CAWS_ERR_STATE;
    if (*group_find(group, link))
        return CAWS_OK;
    member = caws__memory(&group->alloc, NULL, 0, sizeof *member);
    if (!member)
        return CAWS_ERR_NOMEM;
    first = caws__link_groups(link);
    *member = (struct caws__member){ .next = *first,
                                     .group = group,
                                     .link = link };
    *first = member;
    caws__ring_add(&group->members, &member->ring);
    group->count++;
    return CAWS_OK;
}

void caws_group_remove(caws_group *group, caws_conn *ws)
{
    struct caws__member **at;

    if (!group || !ws)
        return;
    at = group_find(group, caws__link_of(ws));
    if (*at)
        group_leave(at);
}

size_t caws_group_count(const caws_group *group)
{
    return group->count;
}

int64_t caws_group_send(caws_group *group, const caws_conn *except,
                        caws_type type, const void *data, size_t len)
{
    const caws_config cfg = { .alloc = group->loop->for_conns };
    caws_prepared *msg;
    int64_t count = caws__broadcast_prepare(&cfg, type, data, len, &msg);

    if (count < 0)
        return count;
    for (struct caws__ring *r = group->members.next; r != &group->members;
         r = r->next) {
        struct caws__link *link = ((struct caws__member *)r)->link;

        if (caws__link_conn(link) != except)
            count += caws__broadcast_to(link, msg);
    }
    caws_prepared_free(msg);
    return count;
}
