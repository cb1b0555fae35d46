/* What applications send: messages whole, in pieces, and prepared for many. Each
 * call has one right answer, memory and chance permitting. */
#include "sim.h"

static uint8_t bytes[SIM_LARGEST + 1];

static uint32_t choose_length(const struct end *e)
{
    static const uint32_t edges[] = { 125, 126, 127, 65535, 65536, 16384, 4000, 1000, 999 };
    uint32_t max = limit((uint32_t)e->peer->cfg.max_message, SIM_LARGEST), len;
    uint64_t what = draw(64);
    if (max > SIM_LARGEST)
        max = SIM_LARGEST;
    if (what == 0 && max < SIM_LARGEST && one_in(4))
        return max + 1;
    len = what < 3 ? max
          : what < 8 ? PICK(edges)
          : what < 14 ? 0
          : what < 20 ? (uint32_t)draw(5000)
                      : (uint32_t)draw(250);
    return len <= max ? len : (uint32_t)draw(max + 1);
}

static caws_type choose_type(void)
{
    return one_in(2) ? CAWS_TEXT : CAWS_BINARY;
}

/* What a send of so many bytes must come to, memory and chance permitting. */
static int foresee(const struct end *e, uint64_t size, bool fragment)
{
    if (caws_ready_state(e->ws) != CAWS_OPEN || e->discarded || (e->streaming && !fragment))
        return CAWS_ERR_STATE;
    if (queued(e) > 0 && queued(e) + size > max_buffered(e))
        return CAWS_ERR_FULL;
    return CAWS_OK;
}

/* The frame was pushed, and caws has answered. Did it accept? */
static bool accepted(struct end *e, int result, int foreseen, uint64_t size, uint64_t failures)
{
    bool fell = e->above && e->sent_now;
    bool failed = e->memory.failed + e->random_failed > failures;
    note(e, "send", e->messages[e->message_count - 1].len, (uint64_t)-result);
    if (result != CAWS_OK) {
        frame_pop(e);
        e->presented = e->presented > e->frame_count ? (uint32_t)e->frame_count : e->presented;
    }
    if (result == CAWS_ERR_FULL) {
        e->above = true;
        foreseen = foresee(e, size, true); /* write_now may have made room */
    } else if (foreseen == CAWS_ERR_FULL && e->transport.write_now) {
        foreseen = CAWS_OK;
    }
    if (result == CAWS_OK) {
        const struct message *m = &e->messages[e->message_count - 1];
        e->messages_out += e->frames[e->frame_count - 1].fin;
        e->above = e->above || queued(e) > max_buffered(e) / 2;
        e->longest = m->sent > e->longest ? m->sent : e->longest;
        e->most_pieces = m->pieces > e->most_pieces ? m->pieces : e->most_pieces;
    }
    if (result != foreseen &&
        !(failed && (result == CAWS_ERR_NOMEM || result == CAWS_ERR_RANDOM)))
        broken(e, "a send came to %d, not %d", result, foreseen);
    if (fell && !e->vague && queued(e) <= max_buffered(e) / 2 && caws_deadline(e->ws) != 0)
        broken(e, "write_now has emptied the queue, and no tick is due for on_drain");
    if (e->wire.frames > e->frame_count || e->offer.frames > e->frame_count)
        broken(e, "a send failed, and bytes of it have left");
    called(e);
    if (result == CAWS_ERR_FULL && sim.phase == SIM_BUSY && one_in(4))
        act_pause(e); /* until on_drain */
    return result == CAWS_OK;
}

void act_send(struct end *e)
{
    caws_type type = choose_type();
    uint32_t len = choose_length(e), key = sim.next_key++;
    uint64_t size = frame_size(e, len), failures = e->memory.failed + e->random_failed;
    int foreseen = foresee(e, size, false);
    const struct message *m;
    if (foreseen == CAWS_ERR_STATE) {
        if (caws_send(e->ws, type, "", 0) != CAWS_ERR_STATE)
            broken(e, "a send that may not be was accepted");
        called(e);
        return;
    }
    m = message_new(e, type, key, len);
    message_fill(m, 0, bytes, len);
    frame_push(e, len, true);
    accepted(e, caws_send(e->ws, type, len > 0 ? bytes : NULL, len), foreseen, size, failures);
}

/* One encoding for some ends, any of them; the message is freed at once. */
void act_prepared(struct end *e)
{
    caws_type type = choose_type();
    uint32_t len = choose_length(e);
    struct message plain = { type, sim.next_key++, len, 0, 0 };
    caws_config cfg = { .alloc = account_alloc(&sim.prepared) };
    uint64_t failed = sim.prepared.failed;
    caws_prepared *msg;
    message_fill(&plain, 0, bytes, len);
    msg = caws_prepare(&cfg, type, bytes, len);
    if (!msg && sim.prepared.failed > failed)
        return;
    for (size_t i = 0; i < sim.count; i++) {
        struct end *to = i == 0 ? e : &sim.ends[draw(sim.count)];
        uint64_t size = frame_size(to, len), failures = to->memory.failed + to->random_failed;
        int foreseen;
        if (len > limit((uint32_t)to->peer->cfg.max_message, SIM_LARGEST) && !one_in(50))
            continue;
        if (!to->ws || (foreseen = foresee(to, size, false)) == CAWS_ERR_STATE)
            continue;
        message_new(to, type, plain.key, len);
        frame_push(to, len, true);
        accepted(to, caws_send_prepared(to->ws, msg), foreseen, size, failures);
    }
    caws_prepared_free(msg);
}

/* The next piece of a message, or the first of one. */
void act_stream(struct end *e, bool finish)
{
    uint64_t failures = e->memory.failed + e->random_failed, size;
    const struct message *m;
    uint32_t n, left;
    int foreseen;
    bool fin;
    if (foresee(e, 0, true) == CAWS_ERR_STATE)
        return;
    if (!e->streaming) {
        caws_type type = choose_type();
        uint32_t len = choose_length(e);
        message_new(e, type, sim.next_key++, len);
    }
    m = &e->messages[e->message_count - 1];
    left = m->len - m->sent;
    finish = finish || (m->pieces + 1 >= limit(e->peer->cfg.max_fragments, 4096) && !one_in(20));
    n = finish || one_in(4) ? left : (uint32_t)draw(left + 1);
    fin = n == left && (finish || one_in(2));
    size = frame_size(e, n);
    foreseen = foresee(e, size, true);
    message_fill(m, m->sent, bytes, n);
    frame_push(e, n, fin);
    if (accepted(e, caws_send_fragment(e->ws, m->type, bytes, n, fin), foreseen, size, failures))
        e->streaming = !fin;
}
