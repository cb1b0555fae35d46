/* Prepared messages and write_now: the same bytes, by other ways. */
#include "frames.h"

static void one_message_for_several_receivers(void **state)
{
    /* REQ 6.1-2, 5.3-2, 5.1-1 */
    static const size_t sizes[] = { 0, 5, 125, 254, 256, 257, 5000, 70000 };
    char text[70001];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct peer_alloc a = { 0 };
        caws_config cfg = { .alloc = peer_counting(&a) };
        caws_prepared *msg = caws_prepare(&cfg, CAWS_TEXT, text, sizes[i]);
        struct peer p[5] = { { 0 } };
        char wanted[60];
        if (sizes[i] < 8)
            snprintf(wanted, sizeof wanted, "81:%.*s 81:end", (int)sizes[i],
                     text);
        else
            snprintf(wanted, sizeof wanted, "81:a*%zu 81:end", sizes[i]);
        for (int n = 0; n < 5; n++) {
            p[n].hold_output = true;
            p[n].one_output = (size_t)n * 1009;
            peer_open(&p[n], n % 2, &cfg);
            assert_int_equal(caws_send_prepared(p[n].ws, msg), CAWS_OK);
            assert_int_equal(caws_send_text(p[n].ws, "end"), CAWS_OK);
        }
        caws_prepared_free(msg); /* it lives on in the queues */
        for (int n = 0; n < 4; n++) {
            peer_take(&p[n]);
            frames_expect_out(&p[n], "prepared", wanted);
            peer_free(&p[n]);
        }
        peer_take_some(&p[4], 3); /* this one gives up */
        peer_free(&p[4]);
        assert_int_equal(a.bytes, 0);
    }
}

static void a_prepared_message_twice_in_one_queue(void **state)
{
    /* REQ 6.1-2 */
    static const char text[1000] = "";
    caws_prepared *msg = caws_prepare(NULL, CAWS_BINARY, text, sizeof text);
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_OK);
        peer_take_some(&p, 500);
        assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_OK);
        frames_feed(&p, "89:p");
        peer_take(&p);
        frames_expect_out(&p, "twice", "82:%00*1000 8a:p 82:%00*1000");
        caws_send_fragment(p.ws, CAWS_TEXT, "a", 1, false);
        assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_ERR_STATE);
        peer_free(&p);
    }
    caws_prepared_free(msg);
    caws_prepared_free(NULL);
}

static void what_cannot_be_prepared(void **state)
{
    /* REQ 6.1-8, send-4 */
    (void)state;
    assert_null(caws_prepare(NULL, CAWS_TEXT, "\xed\xa0\x80", 3));
    assert_null(caws_prepare(NULL, (caws_type)9, "a", 1));
    assert_null(caws_prepare(NULL, CAWS_TEXT, NULL, 1));
    assert_int_equal(caws_send_prepared(NULL, NULL), CAWS_ERR_ARG);
}

/* ---- write_now --------------------------------------------------------- */

static size_t write_limit;
static unsigned writes;

/* Takes so many bytes at once, as a socket would. */
static size_t write_some(caws_conn *ws, const caws_slice *v, size_t count)
{
    struct peer *p = caws_context(ws);
    size_t taken = 0;
    writes++;
    for (size_t i = 0; i < count && taken < write_limit; i++) {
        size_t n = v[i].len < write_limit - taken ? v[i].len
                                                  : write_limit - taken;
        if (p->out_len + n + 1 > p->out_cap) {
            p->out_cap = 2 * (p->out_len + n) + 100;
            p->out = realloc(p->out, p->out_cap);
            assert_non_null(p->out);
        }
        memcpy(p->out + p->out_len, v[i].data, n);
        p->out_len += n;
        taken += n;
    }
    return taken;
}

#define LARGE 20000u

static void try_write_now(bool client, size_t limit, bool backlog)
{
    char text[LARGE];
    struct peer p = { .hold_output = true };
    size_t header = client ? 8 : 4, before = backlog ? header - 2 + 5 : 0;
    size_t all = before + header + LARGE, gone = limit < all ? limit : all;
    size_t payload = gone <= before + header ? 0 : gone - before - header;
    memset(text, 'a', sizeof text);
    peer_open(&p, client, NULL);
    p.transport.write_now = write_some;
    write_limit = limit;
    if (backlog)
        assert_int_equal(caws_send_text(p.ws, "first"), CAWS_OK);
    writes = 0;
    assert_int_equal(caws_send(p.ws, CAWS_TEXT, text, LARGE), CAWS_OK);
    memset(text, 'X', sizeof text);
    assert_int_equal(writes, 1);
    assert_int_equal(p.out_len, gone);
    assert_int_equal(caws_buffered_amount(p.ws), LARGE - payload);
    assert_int_equal(!!(caws_wants(p.ws) & CAWS_WANT_WRITE), gone < all);
    assert_int_equal(caws_send_text(p.ws, "last"), CAWS_OK);
    frames_feed(&p, "89:p");
    peer_take(&p);
    frames_expect_out(&p, "write_now",
                      backlog ? "81:first 81:a*20000 8a:p 81:last"
                              : "81:a*20000 8a:p 81:last");
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    peer_free(&p);
}

static void a_transport_that_takes_some_at_once(void **state)
{
    /* REQ buf-1, 6.1-2, 10.3-2 */
    static const size_t limits[] = { 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 19,
                                     20, 100, LARGE, LARGE + 3, LARGE + 4,
                                     LARGE + 7, LARGE + 8, LARGE + 11,
                                     LARGE + 19, SIZE_MAX };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof limits / sizeof *limits; i++)
        try_write_now(i % 2, limits[i / 2], false);
}

/* As above, but "first" is in the queue and leaves ahead. */
static void a_queue_that_leaves_ahead_of_a_large_message(void **state)
{
    /* REQ buf-1, 6.1-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        for (size_t limit = 12; limit < 40; limit++)
            try_write_now(end == PEER_CLIENT, limit, true);
        try_write_now(end == PEER_CLIENT, LARGE, true);
        try_write_now(end == PEER_CLIENT, SIZE_MAX, true);
    }
}

static void a_transport_that_takes_nothing_at_once(void **state)
{
    /* REQ buf-1, 6.1-2 */
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct peer p = { .hold_output = true };
        char text[LARGE];
        memset(text, 'a', sizeof text);
        peer_open(&p, i % 2, NULL);
        p.transport.write_now = write_some;
        write_limit = 0;
        if (i / 2)
            caws_send_text(p.ws, "first");
        assert_int_equal(caws_send(p.ws, CAWS_TEXT, text, LARGE), CAWS_OK);
        memset(text, 'X', sizeof text);
        assert_int_equal(caws_buffered_amount(p.ws), LARGE + (i / 2 ? 5u : 0u));
        peer_take(&p);
        frames_expect_out(&p, "nothing", i / 2 ? "81:first 81:a*20000"
                                               : "81:a*20000");
        peer_free(&p);
    }
}

/* Where the queue is in the way, the transport is asked; what it takes makes
 * room. */
static void a_full_queue_is_written_first(void **state)
{
    /* REQ send-5, buf-1 */
    static const caws_config cfg = { .max_buffered = 100 };
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, end == PEER_CLIENT, &cfg);
        p.transport.write_now = write_some;
        writes = 0;
        write_limit = 0;
        assert_int_equal(caws_send(p.ws, CAWS_TEXT, "0123456789", 10), CAWS_OK);
        assert_int_equal(writes, 0); /* small, and it fits */
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, &cfg, 90), CAWS_ERR_FULL);
        assert_int_equal(writes, 1);
        assert_int_equal(caws_buffered_amount(p.ws), 10);
        write_limit = SIZE_MAX;
        assert_int_equal(caws_send(p.ws, CAWS_BINARY, &cfg, 90), CAWS_OK);
        assert_int_equal(caws_buffered_amount(p.ws), 90);
        frames_expect_out(&p, "made room", "81:0123456789");
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_for_several_receivers),
        cmocka_unit_test(a_prepared_message_twice_in_one_queue),
        cmocka_unit_test(what_cannot_be_prepared),
        cmocka_unit_test(a_transport_that_takes_some_at_once),
        cmocka_unit_test(a_queue_that_leaves_ahead_of_a_large_message),
        cmocka_unit_test(a_transport_that_takes_nothing_at_once),
        cmocka_unit_test(a_full_queue_is_written_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
