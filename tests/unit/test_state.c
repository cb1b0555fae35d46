/* lib/protocol/state.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/state.h"

static void test_moments(void **state)
{
    (void)state;
    assert_int_equal(caws__after(5, 0), 5);
    assert_int_equal(caws__after(5, 10), 15);
    assert_true(caws__after(5, CAWS_OFF) == UINT64_MAX);
    assert_true(caws__after(UINT64_MAX - 5, 6) == UINT64_MAX);
    assert_true(caws__after(UINT64_MAX - 5, 5) == UINT64_MAX);
}

static void test_the_clock_never_goes_back(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws__clock(p.ws, 5000);
    caws__clock(p.ws, 4000);
    assert_int_equal(p.ws->time.now, 5000);
    assert_true(p.ws->clocked);
    peer_free(&p);
}

/* Every way through the states, by number, which only grows. */
static void test_ready_states(void **state)
{
    struct peer p = { 0 };
    (void)state;
    /* REQ 4.1-1, 7.1.3-1 */
    peer_server(&p, NULL);
    assert_int_equal(caws_ready_state(p.ws), 0);
    peer_feed_text(&p, PEER_REQUEST);
    assert_int_equal(caws_ready_state(p.ws), 1);
    caws_close(p.ws, 1000, NULL);
    assert_int_equal(caws_ready_state(p.ws), 2);
    peer_take(&p);
    peer_feed_frame_text(&p, 0x88, "\x03\xe8");
    assert_int_equal(caws_ready_state(p.ws), 3);
    peer_free(&p);
    peer_client(&p, "ws://h/", NULL);
    assert_int_equal(caws_ready_state(p.ws), 0);
    assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
    caws_abort(p.ws);
    assert_int_equal(caws_ready_state(p.ws), 2);
    peer_eof(&p);
    assert_int_equal(caws_ready_state(p.ws), 3);
    peer_free(&p);
    peer_open(&p, PEER_CLIENT, NULL);
    assert_int_equal(caws_ready_state(p.ws), 1);
    peer_eof(&p);
    assert_int_equal(caws_ready_state(p.ws), 3);
    peer_free(&p);
    p.hold_output = true; /* received, and not answered yet */
    peer_open(&p, PEER_CLIENT, NULL);
    peer_feed_hex(&p, "8800");
    assert_int_equal(caws_ready_state(p.ws), 2);
    peer_free(&p);
}

/* The first to say so is who ended it. */
static void test_who_ended_it(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws__end_by(p.ws, CAWS_BY_PEER);
    caws__end_by(p.ws, CAWS_BY_US);
    assert_int_equal(p.ws->ended_by, CAWS_BY_PEER);
    peer_free(&p);
}

/* A pause ends where closing begins, so that the peer's Close is heard. */
static void test_closing_ends_a_pause(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    caws_pause(p.ws);
    assert_true(peer_wants(&p, 0));
    caws_close(p.ws, 1000, NULL);
    peer_take(&p);
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    caws_pause(p.ws); /* too late */
    assert_true(peer_wants(&p, CAWS_WANT_READ));
    peer_free(&p);
}

/* The owner is told of every change that the application side makes. */
static void test_the_transport_is_told(void **state)
{
    struct peer p = { .hold_output = true };
    unsigned before;
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
#define TELLS(call) (before = p.changed, (void)(call), (bool)(p.changed > before))
    assert_true(TELLS(caws_send_text(p.ws, "x")));
    assert_true(TELLS(caws_ping(p.ws, NULL, 0)));
    assert_true(TELLS(caws_pong(p.ws, NULL, 0)));
    assert_true(TELLS(caws_pause(p.ws)));
    assert_true(TELLS(caws_resume(p.ws)));
    assert_true(!TELLS(caws_resume(p.ws)));
    assert_true(TELLS(caws_discard(p.ws)));
    assert_true(!TELLS(caws_send_text(p.ws, "x"))); /* it failed */
    assert_true(TELLS(caws_close(p.ws, 1000, NULL)));
    assert_true(TELLS(caws_abort(p.ws)));
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_the_clock_never_goes_back),
        cmocka_unit_test(test_ready_states),
        cmocka_unit_test(test_who_ended_it),
        cmocka_unit_test(test_closing_ends_a_pause),
        cmocka_unit_test(test_the_transport_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
