/* websocket-api.tsv: bufferedAmount, exact at every byte that leaves. */
#include "frames.h"

/* Payload bytes of data frames in the output so far, by a walk of our own. */
static size_t payload_taken(const struct peer *p)
{
    size_t at = 0, sum = 0;
    while (at + 2 <= p->out_len) {
        const unsigned char *f = p->out + at;
        size_t len = f[1] & 0x7f, more = len == 126 ? 2 : len == 127 ? 8 : 0;
        size_t header = 2 + more + (f[1] & 0x80 ? 4 : 0);
        if (at + header > p->out_len)
            break;
        for (size_t i = len = more ? 0 : len; i < more; i++)
            len = len << 8 | f[2 + i];
        at += header;
        if (!(f[0] & 8))
            sum += len < p->out_len - at ? len : p->out_len - at;
        at += len;
    }
    return sum;
}

/* Takes all output in steps, and checks after each. */
static void drain_in_steps(struct peer *p, size_t total, size_t step)
{
    assert_int_equal(caws_buffered_amount(p->ws), total);
    while (peer_take_some(p, step) > 0)
        assert_int_equal(caws_buffered_amount(p->ws),
                         total - payload_taken(p));
    assert_int_equal(caws_buffered_amount(p->ws), 0);
    assert_int_equal(payload_taken(p), total);
}

static void it_counts_payload_alone(void **state)
{
    /* REQ buf-1, buf-3 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_buffered_amount(p.ws), 0);
        caws_send(p.ws, CAWS_TEXT, "0123456789", 10);
        caws_send(p.ws, CAWS_BINARY, "0123456789012345678", 20);
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        caws_ping(p.ws, "ping", 4);
        caws_pong(p.ws, "pong", 4);
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        caws_close(p.ws, 1000, "bye");
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        peer_take(&p);
        assert_int_equal(caws_buffered_amount(p.ws), 0);
        peer_free(&p);
    }
}

static void queue_all_kinds(struct peer *p, caws_prepared *const msg[3])
{
    static const char data[70000] = "";
    caws_send_text(p->ws, "Hello");
    caws_send(p->ws, CAWS_BINARY, "", 0);
    caws_send_fragment(p->ws, CAWS_BINARY, data, 130, false);
    caws_ping(p->ws, "ping", 4);
    caws_send_fragment(p->ws, CAWS_BINARY, "", 0, false);
    frames_feed(p, "89:one 89:two");
    caws_send_fragment(p->ws, CAWS_BINARY, data, 1, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(caws_send_prepared(p->ws, msg[i]), CAWS_OK);
    caws_send(p->ws, CAWS_BINARY, data, 5000);
    caws_pong(p->ws, "pong", 4);
    caws_send(p->ws, CAWS_BINARY, data, 66000);
    caws_send_text(p->ws, "last");
}

static void it_is_exact_after_each_byte(void **state)
{
    /* REQ buf-1, buf-3 */
    static const char data[3000] = "";
    static const size_t steps[] = { 1, 2, 3, 7, 131, 4099 };
    caws_prepared *msg[3];
    (void)state;
    msg[0] = caws_prepare(NULL, CAWS_TEXT, "small", 5);
    msg[1] = caws_prepare(NULL, CAWS_BINARY, data, sizeof data);
    msg[2] = caws_prepare(NULL, CAWS_BINARY, "", 0);
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, i % 2, NULL);
        queue_all_kinds(&p, msg);
        drain_in_steps(&p, 5 + 130 + 1 + 5 + 3000 + 5000 + 66000 + 4,
                       steps[i / 2]);
        peer_free(&p);
    }
    for (int i = 0; i < 3; i++)
        caws_prepared_free(msg[i]);
}

/* More is queued while a frame is under way. */
static void it_is_exact_while_more_is_queued(void **state)
{
    /* REQ buf-1 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { .hold_output = true };
        size_t sent = 0;
        peer_open(&p, end == PEER_CLIENT, NULL);
        for (size_t i = 0; i < 300; i++) {
            static const char data[300] = "";
            caws_send(p.ws, CAWS_BINARY, data, i);
            sent += i;
            if (i % 5 == 0)
                frames_feed(&p, "8a: 89:p");
            p.now += 300;
            peer_take_some(&p, i * 7 % 450);
            assert_int_equal(caws_buffered_amount(p.ws),
                             sent - payload_taken(&p));
        }
        peer_take(&p);
        assert_int_equal(caws_buffered_amount(p.ws), 0);
        peer_free(&p);
    }
}

static void it_does_not_fall_on_close(void **state)
{
    /* REQ buf-2 */
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct peer p = { .hold_output = true };
        peer_open(&p, i % 2, NULL);
        caws_send(p.ws, CAWS_TEXT, "0123456789", 10);
        caws_send(p.ws, CAWS_TEXT, "01234567890123456789", 20);
        if (i / 2 == 0)
            frames_feed(&p, "88:#1000");
        else if (i / 2 == 1)
            caws_discard(p.ws);
        else
            caws_abort(p.ws);
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        if (i / 2 != 2)
            peer_take(&p);
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        peer_eof(&p);
        assert_int_equal(caws_ready_state(p.ws), CAWS_CLOSED);
        assert_int_equal(caws_buffered_amount(p.ws), 30);
        peer_free(&p);
    }
}

/* What is refused leaves no trace. */
static void a_failed_call_does_not_count(void **state)
{
    /* REQ buf-1, send-1, send-5 */
    static const caws_config cfg = { .max_buffered = 10 };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_SERVER, &cfg);
    assert_int_equal(caws_send_text(p.ws, "\xff"), CAWS_ERR_UTF8);
    assert_int_equal(caws_send(p.ws, CAWS_TEXT, NULL, 1), CAWS_ERR_ARG);
    assert_int_equal(caws_send_text(p.ws, "01234567"), CAWS_OK);
    assert_int_equal(caws_send_text(p.ws, ""), CAWS_ERR_FULL);
    assert_int_equal(caws_buffered_amount(p.ws), 8);
    peer_take(&p);
    frames_expect_out(&p, "the one", "81:01234567");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_payload_alone),
        cmocka_unit_test(it_is_exact_after_each_byte),
        cmocka_unit_test(it_is_exact_while_more_is_queued),
        cmocka_unit_test(it_does_not_fall_on_close),
        cmocka_unit_test(a_failed_call_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
