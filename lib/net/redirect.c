#include "net/client.h"
#include "net/memory.h"

static bool redirect_is_one(int status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

/* The conn begins anew. What the application wants to tell one server, another
 * one does not hear. */
static bool redirect_follow(struct caws__link *link)
{
    struct caws__client *client = caws__client_of(link);
    struct caws__way *way = client->way;
    const caws_alloc *alloc = &link->owner->loop->alloc;
    const char *headers = client->ws.headers;
    struct caws__target to;

    if (caws__target_follow(&to, alloc, &way->target,
                            caws__answer_field(way->answer, "Location")) < 0)
        return false;
    if (!caws__target_is_same(&to.place, &way->target.place))
        client->ws.headers = NULL;
    if (caws_retarget(caws__link_conn(link), to.url) < 0) {
        client->ws.headers = headers;
        caws__target_free(&to, alloc);
        return false;
    }
    caws__target_free(&way->target, alloc);
    way->target = to;
    way->redirects--;
    caws__way_again(way);
    caws__link_detach(link);
    return true;
}

/* What was kept, and what there was no room for. The way may end in here. */
static void redirect_let_through(struct caws__link *link, uint8_t *data,
                                 size_t len)
{
    struct caws__way *way = caws__client_of(link)->way;
    caws_loop *loop = link->owner->loop;
    struct caws__answer *answer = way->answer;

    way->redirects = 0;
    way->answer = NULL;
    caws_feed(caws__link_conn(link), answer->text, answer->len, loop->now_ms);
    if (len > 0)
        caws_feed(caws__link_conn(link), data, len, loop->now_ms);
    caws__answer_free(answer, &loop->alloc);
}

bool caws__redirect_screen(struct caws__link *link, void *data, size_t len)
{
    struct caws__way *way = caws__client_of(link)->way;

    if (!way || way->redirects == 0 || (len == 0 && !way->answer))
        return false;
    if (!way->answer)
        way->answer = caws__answer_new(&link->owner->loop->alloc);
    if (!way->answer) {
        way->redirects = 0;
        return false;
    }
    size_t used = caws__answer_add(way->answer, data, len);
    int status = caws__answer_status(way->answer);
    if (status == 0 && len > 0)
        return true;
    if (!redirect_is_one(status) || !redirect_follow(link))
        redirect_let_through(link, (uint8_t *)data + used, len - used);
    return true;
}
