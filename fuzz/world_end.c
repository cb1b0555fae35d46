/* What a world's transport does, and what must have come of it all. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* The messages that left are those that were sent, in order; some are missing
 * only where the header says so. */
static void check_messages(const struct world *w, const struct bytes *left)
{
    size_t at = 0, from = 0, missing = 0;
    for (size_t i = 0; i < w->count; from = w->ends[i++]) {
        size_t n = w->ends[i] - from;
        if (left->len - at >= n &&
            (n == 0 || (left->data && memcmp(left->data + at, w->sent.data + from, n) == 0)))
            at += n;
        else
            missing++;
    }
    REQUIRE(at == left->len);
    REQUIRE(missing == 0 || w->discarded || w->closed_by_peer || w->aborted);
}

static void check_output(const struct world *w)
{
    static struct model_head head;
    struct model_limits limits = { MODEL_HEAD, MODEL_FIELDS };
    struct model m = { .server = w->client, .echo = true, .max_message = SIZE_MAX / 2,
                       .max_fragments = UINT32_MAX, .max_control = UINT32_MAX };
    size_t from = 0;
    if (w->handshake && w->output.len > 0) {
        REQUIRE(model_head(&head, &limits, w->output.data, w->output.len, !w->client) == 1);
        from = w->client || atoi(head.start + 9) == 101 ? head.used : w->output.len;
    }
    if (from < w->output.len)
        model_receive(&m, w->output.data + from, w->output.len - from);
    REQUIRE(m.error == CAWS_OK && m.left == 0);
    check_messages(w, &m.echoed);
    model_free(&m);
}

void world_take(struct world *w, size_t len)
{
    caws_slice v[3];
    size_t n, left, max = 1 + len % 3;
    bool offers = caws_wants(w->ws) & CAWS_WANT_WRITE;
    n = caws_output(w->ws, v, max);
    REQUIRE(n <= max && (caws_wants(w->ws) == CAWS_WANT_CLOSE || offers == (n > 0)));
    left = len;
    for (size_t i = 0; i < n; i++) {
        size_t part = v[i].len < left ? v[i].len : left;
        REQUIRE(v[i].len > 0);
        bytes_add(&w->output, v[i].data, part);
        left -= part;
    }
    caws_output_done(w->ws, len - left);
}

/* A tick leaves nothing that is due: else an event loop would spin. What was
 * held may need several. */
void world_tick(struct world *w)
{
    for (int i = 0; i < 300 && caws_deadline(w->ws) <= w->now; i++)
        caws_tick(w->ws, w->now);
    REQUIRE(caws_deadline(w->ws) > w->now);
}

void world_resume(struct world *w)
{
    w->paused = false;
    caws_resume(w->ws);
}

static void take_all(struct world *w)
{
    size_t before;
    do {
        before = w->output.len;
        world_take(w, SIZE_MAX);
    } while (w->output.len > before);
}

void world_end(struct world *w)
{
    w->in.left = 0; /* handlers do nothing any more */
    w->allocs_left = w->randoms_left = 0;
    for (int i = 0; i < 300 && caws_deadline(w->ws) == 0; i++) {
        world_resume(w);
        world_tick(w);
    }
    take_all(w);
    world_tick(w);
    REQUIRE(!caws_needs_drain(w->ws)); /* on_drain came */
    caws_feed_eof(w->ws, CAWS_OK, NULL); /* where it came before, CAWS_WANT_CLOSE asks for it */
    world_resume(w);
    world_tick(w);
    take_all(w);
    world_check(w);
    REQUIRE(caws_ready_state(w->ws) == CAWS_CLOSED && caws_wants(w->ws) == CAWS_WANT_CLOSE);
    /* Where nobody is asked, there may have been no memory for the 101. */
    REQUIRE(w->closes == w->owed || (!w->cfg.on_request && w->failures > 0));
    check_output(w);
    caws_free(w->ws);
    REQUIRE(w->blocks == 0 && w->bytes == 0);
    bytes_free(&w->output);
    bytes_free(&w->sent);
    bytes_free(&w->part);
}
