/* lib/protocol/outbox.c against a model that knows frames, but no nodes: under
 * seeded random operations both hold the same bytes in the same order, offer
 * them, keep them where they are, and count them alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/frame.h"
#include "protocol/outbox.h"

#define MANY 600
#define BIGGEST 9000

struct model_frame {
    enum caws__kind kind;
    uint8_t *bytes;
    size_t len, header;
    bool fin, starts, offered;
};

/* What is queued, in order. Its first frame may have been taken in part. */
struct model {
    struct model_frame frames[MANY], late;
    size_t count, taken;
    size_t offered; /* bytes in the transport's hands, not taken yet */
    size_t queued, buffered;
    bool has_late, message_begun; /* a message has, by what was offered */
};

struct rig {
    struct caws__outbox *out;
    struct model m;
    struct peer_alloc counting;
    caws_alloc alloc;
    uint32_t max_pongs;
    uint64_t random;
    caws_slice held[64]; /* the last offer */
    size_t holds;
    bool sending, dropped;
};

static size_t draw(struct rig *r, size_t below)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(r->random >> 33) % below;
}

/* ---- The model --------------------------------------------------------- */

static void model_insert(struct model *m, size_t at, struct model_frame f)
{
    assert_true(m->count < MANY);
    memmove(m->frames + at + 1, m->frames + at, (m->count - at) * sizeof *m->frames);
    m->frames[at] = f;
    m->count++;
}

static void model_remove(struct model *m, size_t at)
{
    free(m->frames[at].bytes);
    m->count--;
    memmove(m->frames + at, m->frames + at + 1, (m->count - at) * sizeof *m->frames);
}

/* A control frame overtakes the data that has not been offered. */
static size_t model_control_place(const struct model *m)
{
    size_t at = 0;
    while (at < m->count && (m->frames[at].offered || (at == 0 && m->taken > 0) ||
                             m->frames[at].kind != CAWS__NODE_DATA))
        at++;
    return at;
}

static size_t model_pongs(const struct model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++)
        n += m->frames[i].kind == CAWS__NODE_PONG;
    return n;
}

static void model_link_late(struct model *m)
{
    if (m->has_late)
        model_insert(m, model_control_place(m), m->late);
    m->has_late = false;
}

static void model_control(struct model *m, struct model_frame f, uint32_t max_pongs)
{
    if (f.kind != CAWS__NODE_PONG) {
        model_link_late(m);
        model_insert(m, model_control_place(m), f);
        return;
    }
    if (m->has_late && model_pongs(m) + 1 < max_pongs)
        model_link_late(m);
    if (m->has_late)
        free(m->late.bytes);
    m->late = f;
    m->has_late = true;
}

static void model_offer(struct model *m, size_t bytes)
{
    size_t at = 0, end = 0;
    if (bytes > m->offered)
        m->offered = bytes;
    for (; at < m->count && end < m->taken + bytes; at++) {
        struct model_frame *f = m->frames + at;
        end += f->len;
        if (!f->offered && f->kind == CAWS__NODE_DATA)
            m->message_begun = !f->fin;
        f->offered = true;
    }
    assert_true(bytes == 0 || end == m->taken + bytes); /* whole frames */
}

static unsigned model_done(struct model *m, size_t n)
{
    unsigned left = 0;
    for (m->offered -= n; n > 0; n--) {
        struct model_frame *f = m->frames;
        if (f->kind == CAWS__NODE_DATA) {
            m->queued--;
            m->buffered -= m->taken >= f->header;
        }
        if (++m->taken < f->len)
            continue;
        left |= f->kind == CAWS__NODE_PING ? CAWS__LEFT_PING : 0;
        m->taken = 0;
        model_remove(m, 0);
    }
    return left;
}

static void model_discard(struct model *m)
{
    bool begun = m->message_begun;
    for (size_t i = 0; i < m->count;) {
        struct model_frame *f = m->frames + i;
        if (f->offered || f->kind != CAWS__NODE_DATA || (begun && !f->starts)) {
            if (f->kind == CAWS__NODE_DATA && !f->offered)
                begun = !f->fin;
            i++;
            continue;
        }
        begun = false;
        m->queued -= f->len;
        model_remove(m, i);
    }
}

/* ---- Operations on both ------------------------------------------------ */

static struct model_frame make(struct rig *r, enum caws__kind kind, bool fin, uint8_t opcode,
                               size_t len)
{
    struct model_frame f = { kind, malloc(len + 14), 0, 0, fin, opcode != 0, false };
    uint8_t key[4] = { 9, 8, 7, 6 };
    assert_non_null(f.bytes);
    f.header = caws__frame_write(f.bytes, fin, opcode, len, draw(r, 2) ? key : NULL);
    f.len = f.header + len;
    for (size_t i = f.header; i < f.len; i++)
        f.bytes[i] = (uint8_t)draw(r, 256);
    return f;
}

static void op_data(struct rig *r)
{
    size_t len = draw(r, 3) ? draw(r, 40) : draw(r, 30) ? draw(r, 700) : draw(r, BIGGEST);
    bool fin = draw(r, 3) != 0;
    struct model_frame f = make(r, CAWS__NODE_DATA, fin, r->sending ? 0 : 2, len);
    uint8_t *to = caws__outbox_room(&r->out, &r->alloc, f.len);
    memcpy(to, f.bytes, f.len);
    caws__outbox_commit(r->out, f.len, len);
    model_insert(&r->m, r->m.count, f);
    r->m.queued += f.len;
    r->m.buffered += len;
    r->sending = !fin;
}

static void op_shared(struct rig *r)
{
    size_t len = draw(r, 600);
    struct model_frame f = make(r, CAWS__NODE_DATA, true, 2, len);
    caws_config cfg = { .alloc = r->alloc };
    caws_prepared *msg = caws_prepare(&cfg, CAWS_BINARY, f.bytes + f.header, len);
    caws__outbox_share(&r->out, &r->alloc, msg);
    f.header = msg->header;
    f.len = msg->len;
    memcpy(f.bytes, msg->frame, f.len);
    caws_prepared_free(msg);
    model_insert(&r->m, r->m.count, f);
    r->m.queued += f.len;
    r->m.buffered += len;
}

static void op_control(struct rig *r)
{
    bool pong = draw(r, 4) != 0 || r->out->pinging;
    enum caws__kind kind = pong ? CAWS__NODE_PONG : CAWS__NODE_PING;
    struct model_frame f = make(r, kind, true, pong ? CAWS__PONG : CAWS__PING, draw(r, 126));
    caws__outbox_control(&r->out, &r->alloc, kind, f.bytes, f.len, r->max_pongs);
    model_control(&r->m, f, r->max_pongs);
}

/* The slices hold what the model has, from its first byte on. */
static size_t compare(const struct rig *r, const caws_slice *v, size_t n)
{
    size_t at = 0, from = r->m.taken, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += v[i].len;
        for (size_t k = 0; k < v[i].len; k++) {
            const struct model_frame *f = r->m.frames + at;
            assert_true(at < r->m.count);
            assert_int_equal((uint8_t)v[i].data[k], f->bytes[from]);
            if (++from == f->len)
                at++, from = 0;
        }
    }
    return bytes;
}

static void op_offer(struct rig *r)
{
    size_t max = draw(r, 3) ? draw(r, 5) : 64, pongs = model_pongs(&r->m);
    caws_slice v[64];
    size_t n = caws__outbox_offer(r->out, v, max, r->max_pongs);
    if (pongs == 0 || pongs + 1 < r->max_pongs)
        model_link_late(&r->m);
    assert_true(n <= max);
    assert_true(n > 0 || max == 0 || r->m.count == 0);
    model_offer(&r->m, compare(r, v, n));
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i].len > 0);
        if (i < r->holds) /* frozen: it may have grown, but has not moved */
            assert_true(v[i].data == r->held[i].data && v[i].len >= r->held[i].len);
    }
    if (n > r->holds)
        r->holds = n;
    memcpy(r->held, v, n * sizeof *v);
}

static void op_done(struct rig *r)
{
    size_t n = draw(r, 4) ? draw(r, r->m.offered + 1) : r->m.offered, rest = n;
    unsigned left = caws__outbox_done(&r->out, &r->alloc, n);
    assert_int_equal(left, model_done(&r->m, n));
    while (rest > 0 && r->held[0].len <= rest) {
        rest -= r->held[0].len;
        memmove(r->held, r->held + 1, --r->holds * sizeof *r->held);
    }
    r->held[0].data += rest;
    r->held[0].len -= rest;
}

static void op_discard(struct rig *r)
{
    if (draw(r, 15) != 0)
        return;
    caws__outbox_discard(&r->out, &r->alloc);
    model_discard(&r->m);
    r->dropped = true; /* only control frames from now on */
}

static void check(const struct rig *r)
{
    const struct model *m = &r->m;
    bool waits = false;
    for (size_t i = 0; i < m->count; i++)
        waits |= m->frames[i].kind == CAWS__NODE_DATA && !m->frames[i].offered;
    assert_int_equal(r->out->queued, m->queued);
    assert_int_equal(r->out->buffered, m->buffered);
    assert_int_equal(r->out->pongs, model_pongs(m));
    assert_int_equal(caws__outbox_empty(r->out), m->count == 0 && !m->has_late);
    assert_int_equal(caws__outbox_waits(r->out), waits);
    compare(r, r->held, r->holds); /* what was offered is still there */
}

static void run(struct rig *r)
{
    size_t choices = 5 + draw(r, 6); /* how much is queued for what is taken */
    for (size_t step = 0; step < 250; step++) {
        size_t what = draw(r, choices);
        if (what == 0)
            op_offer(r);
        else if (what == 1)
            op_done(r);
        else if (what == 2)
            op_control(r);
        else if (what == 3 && !r->dropped)
            op_discard(r);
        else if (!r->dropped && !r->sending && draw(r, 6) == 0)
            op_shared(r);
        else if (!r->dropped)
            op_data(r);
        check(r);
    }
}

static void finish(struct rig *r)
{
    caws__outbox_free(&r->out, &r->alloc);
    assert_int_equal(r->counting.blocks, 0);
    model_link_late(&r->m);
    while (r->m.count > 0)
        model_remove(&r->m, 0);
}

static unsigned seed; /* under way; 0 once all are done */

static int teardown(void **state)
{
    (void)state;
    if (seed != 0)
        print_error("seed %u\n", seed);
    return 0;
}

static void test_random_operations_agree_with_the_model(void **state)
{
    static const uint32_t pongs[] = { 1, 2, 3, 64 };
    static struct rig r;
    (void)state;
    for (seed = 1; seed <= 400; seed++) {
        memset(&r, 0, sizeof r);
        r.alloc = peer_counting(&r.counting);
        r.random = seed * 0x9e3779b97f4a7c15u;
        r.max_pongs = pongs[seed % 4];
        r.out = caws__outbox_none();
        run(&r);
        finish(&r);
    }
    seed = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_random_operations_agree_with_the_model, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
