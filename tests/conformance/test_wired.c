/* A client and a server of ours, wired to each other in memory under seeded
 * random schedules: pieces of any size in both directions, and applications
 * that send, pause and close when they like. Every message arrives once, whole
 * and in order; both ends hear of one end, and agree on it; nothing is stuck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"

#define SEEDS 400
#define STEPS 300000 /* before it counts as stuck; a few thousand are usual */

static unsigned seed; /* under way; 0 once all are done */
static unsigned crossed, dropped, messages;

/* ---- The schedule ------------------------------------------------------ */

static void act(struct end *e)
{
    size_t what = draw(20);
    if (e->undecided && one_in(10)) {
        assert_int_equal(caws_accept(e->ws), CAWS_OK);
        e->undecided = false;
    }
    if (caws_ready_state(e->ws) != CAWS_OPEN)
        return;
    if (e->parted && one_in(2))
        pair_send_part(e);
    else if (what < 8)
        pair_send(e);
    else if (what < 10)
        pair_accepted(caws_ping(e->ws, "ping", draw(5)));
    else if (what == 10)
        caws_pause(e->ws);
    else if (what < 14)
        caws_resume(e->ws);
}

static void start_closing(struct end *e)
{
    static const uint16_t codes[] = { 1000, 1001, 3000, 4999 };
    uint16_t code = codes[draw(4)];
    if (caws_ready_state(e->ws) == CAWS_OPEN &&
        caws_close(e->ws, code, one_in(2) ? "bye" : NULL) == CAWS_OK)
        e->code = code;
}

static void step(struct end *ends, bool busy)
{
    struct end *e = &ends[draw(2)];
    size_t what = draw(busy ? 7 : 6);
    pair_now += draw(3);
    if (what == 6)
        act(e);
    else if (what > 2 && !e->ended)
        pair_take_output(e);
    else if (what <= 2)
        pair_deliver(e);
    if (!busy && !e->ended) {
        if (e->undecided)
            act(e);
        caws_resume(e->ws);
        if (e->parted && caws_ready_state(e->ws) == CAWS_OPEN)
            pair_send_part(e);
    }
    pair_serve(&ends[0]);
    pair_serve(&ends[1]);
}

static bool is_quiet(const struct end *e)
{
    return e->received == e->other->count && !e->parted && e->opened;
}

/* ---- The end ----------------------------------------------------------- */

static void check_end(const struct end *e)
{
    const struct end *o = e->other;
    assert_int_equal(e->opened, 1);
    assert_int_equal(e->closed, 1);
    assert_int_equal(e->errors, 0);
    assert_int_equal(caws_ready_state(e->ws), CAWS_CLOSED);
    assert_true(e->event.was_clean);
    assert_int_equal(e->event.error, CAWS_OK);
    assert_int_equal(e->event.code, o->code ? o->code : e->code);
    assert_int_equal(e->event.ended_by, e->code ? CAWS_BY_US : CAWS_BY_PEER);
    if (e->code && !o->code) /* who closes first has sent everything */
        assert_int_equal(o->received, e->count);
    crossed += e->code && o->code;
    dropped += o->received < e->count;
    messages += (unsigned)o->received;
}

static void run(struct end *ends)
{
    size_t busy = draw(4000), steps = 0;
    bool calm = one_in(2); /* all that was sent arrives before somebody closes */
    for (size_t i = 0; i < busy; i++)
        step(ends, true);
    while (!(ends[0].opened && ends[1].opened) ||
           (calm && !(is_quiet(&ends[0]) && is_quiet(&ends[1])))) {
        step(ends, false);
        assert_true(++steps < STEPS);
    }
    start_closing(&ends[draw(2)]);
    if (one_in(2))
        start_closing(&ends[draw(2)]);
    while (!(ends[0].ended && ends[1].ended)) {
        step(ends, false);
        assert_true(++steps < STEPS);
    }
    if (calm)
        assert_true(is_quiet(&ends[0]) && is_quiet(&ends[1]));
    check_end(&ends[0]);
    check_end(&ends[1]);
}

static int teardown(void **state)
{
    (void)state;
    if (seed != 0)
        print_error("seed %u\n", seed);
    return 0;
}

static void test_random_schedules(void **state)
{
    static struct end ends[2];
    (void)state;
    for (seed = 1; seed <= SEEDS; seed++) {
        pair_random = seed * 0x9e3779b97f4a7c15u;
        pair_now = draw(1000000);
        pair_new(ends);
        run(ends);
        pair_free(ends);
    }
    seed = 0;
    print_message("%u messages; %u closings crossed, %u ends lost messages to a Close\n", messages,
                  crossed / 2, dropped);
    assert_true(crossed > 0 && dropped > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_random_schedules, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
