/* lib/protocol/outbox.c, case by case; test_outbox_model.c has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/frame.h"
#include "protocol/outbox.h"

/* Frames are told apart by the one letter that their payload repeats. */
struct box {
    struct caws__outbox *out;
    struct peer_alloc counting;
    caws_alloc alloc;
    uint32_t pongs; /* the most that may wait */
};

static void box_init(struct box *b, uint32_t pongs)
{
    memset(b, 0, sizeof *b);
    b->alloc = peer_counting(&b->counting);
    b->pongs = pongs;
    b->out = caws__outbox_none();
}

static void box_free(struct box *b)
{
    caws__outbox_free(&b->out, &b->alloc);
    assert_true(caws__outbox_empty(b->out));
    assert_int_equal(b->counting.blocks, 0);
}

static void put(struct box *b, bool fin, uint8_t opcode, char letter, size_t len)
{
    size_t size = caws__frame_header_size(len, false) + len;
    uint8_t *to = caws__outbox_room(&b->out, &b->alloc, size);
    size_t header = caws__frame_write(to, fin, opcode, len, NULL);
    memset(to + header, letter, len);
    caws__outbox_commit(b->out, size, len);
}

static void put_text(struct box *b, char letter)
{
    put(b, true, CAWS__TEXT, letter, 1);
}

static int control(struct box *b, enum caws__kind kind, char letter)
{
    uint8_t frame[3] = { kind == CAWS__NODE_PING   ? 0x89
                         : kind == CAWS__NODE_PONG ? 0x8a
                                                   : 0x88, 1, (uint8_t)letter };
    return caws__outbox_control(&b->out, &b->alloc, kind, frame, 3, b->pongs);
}

/* Offer at most max slices; their bytes, as a letter for each frame. */
static const char *offer(struct box *b, size_t max)
{
    static char letters[100];
    static uint8_t bytes[100000];
    caws_slice v[64];
    size_t n = caws__outbox_offer(b->out, v, max, b->pongs), len = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + len, v[i].data, v[i].len);
        len += v[i].len;
    }
    for (size_t at = 0, header; at < len;) {
        uint64_t payload;
        caws__frame_measure(bytes + at, &header, &payload);
        letters[count++] = payload ? (char)bytes[at + header] : '-';
        at += header + (size_t)payload;
    }
    letters[count] = '\0';
    return letters;
}

/* One may lie in the block of the queue. */
static size_t nodes(const struct box *b)
{
    return b->counting.blocks - (b->out != caws__outbox_none() && !b->out->own_used);
}

static unsigned done(struct box *b, size_t len)
{
    return caws__outbox_done(&b->out, &b->alloc, len);
}

static void test_small_messages_share_a_node(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    for (size_t i = 0; i < 10; i++)
        put_text(&b, (char)('a' + i));
    assert_int_equal(nodes(&b), 1);
    assert_int_equal(b.out->queued, 30);
    assert_int_equal(b.out->buffered, 10);
    assert_string_equal(offer(&b, 1), "abcdefghij");
    assert_int_equal(done(&b, 30), 0);
    assert_true(caws__outbox_empty(b.out));
    assert_int_equal(nodes(&b), 0); /* an idle conn holds nothing */
    box_free(&b);
}

/* A short reply costs one block: that of the queue, with the first node in it. */
static void test_the_first_node_is_the_queues_own(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    put_text(&b, 'a');
    assert_int_equal(b.counting.blocks, 1);
    assert_string_equal(offer(&b, 64), "a");
    control(&b, CAWS__NODE_PING, 'P');
    assert_int_equal(b.counting.blocks, 2);
    done(&b, 3);
    put_text(&b, 'b'); /* it has left, and serves again */
    assert_int_equal(b.counting.blocks, 2);
    assert_string_equal(offer(&b, 64), "Pb");
    assert_int_equal(done(&b, 6), CAWS__LEFT_PING);
    assert_int_equal(b.counting.blocks, 0);
    control(&b, CAWS__NODE_PONG, 'Q'); /* has it, and waits apart */
    put_text(&b, 'b');
    assert_true(b.counting.bytes < 1200); /* no page */
    done(&b, strlen(offer(&b, 64)) * 3);
    assert_int_equal(b.counting.blocks, 0);
    put(&b, true, CAWS__BINARY, 'c', 5000); /* what is longer brings its own */
    assert_int_equal(b.counting.blocks, 2);
    put_text(&b, 'd');
    assert_int_equal(b.counting.blocks, 3);
    assert_string_equal(offer(&b, 64), "cd");
    done(&b, 5007);
    assert_int_equal(b.counting.blocks, 0);
    box_free(&b);
}

static void test_payload_is_counted_as_it_leaves(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    put(&b, false, CAWS__TEXT, 'a', 200);
    put(&b, true, CAWS__CONTINUATION, 'b', 0);
    put_text(&b, 'c');
    assert_string_equal(offer(&b, 1), "a-c");
    for (size_t i = 1; i <= 209; i++) {
        size_t left = i <= 4 ? 201 : i <= 204 ? 205 - i : i < 209 ? 1 : 0;
        done(&b, 1);
        assert_int_equal(b.out->queued, 209 - i);
        assert_int_equal(b.out->buffered, left);
    }
    box_free(&b);
}

static void test_control_frames_overtake_what_was_not_offered(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    put_text(&b, 'a');
    assert_string_equal(offer(&b, 1), "a");
    put_text(&b, 'b'); /* grows the node that was offered: it is split */
    control(&b, CAWS__NODE_PING, 'P');
    control(&b, CAWS__NODE_PONG, 'Q');
    put_text(&b, 'c');
    control(&b, CAWS__NODE_PONG, 'R');
    assert_string_equal(offer(&b, 64), "aPQRbc");
    control(&b, CAWS__NODE_PONG, 'S');
    assert_string_equal(offer(&b, 64), "aPQRbcS"); /* all before it is frozen */
    control(&b, CAWS__NODE_CLOSE, 'Z');
    assert_int_equal(done(&b, 6), CAWS__LEFT_PING);
    assert_false(b.out->pinging);
    assert_string_equal(offer(&b, 64), "QRbcSZ");
    assert_int_equal(done(&b, 18), CAWS__LEFT_CLOSE);
    box_free(&b);
}

/* A Close goes behind the messages that were queued before it. */
static void test_a_close_overtakes_nothing(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    put_text(&b, 'a');
    control(&b, CAWS__NODE_CLOSE, 'Z');
    control(&b, CAWS__NODE_PONG, 'Q');
    control(&b, CAWS__NODE_PING, 'P'); /* the Pong before it stays ahead of it */
    assert_string_equal(offer(&b, 64), "QPaZ");
    box_free(&b);
}

static void test_nothing_overtakes_a_handshake(void **state)
{
    struct box b;
    caws_slice v[3];
    (void)state;
    box_init(&b, 64);
    assert_int_equal(caws__outbox_http(&b.out, &b.alloc, "HTTP", 4), CAWS_OK);
    put_text(&b, 'a');
    control(&b, CAWS__NODE_PING, 'P');
    assert_int_equal(caws__outbox_offer(b.out, v, 3, 64), 3);
    assert_memory_equal(v[0].data, "HTTP", 4);
    assert_memory_equal(v[1].data, "\x89\x01P", 3);
    assert_int_equal(b.out->queued, 3); /* data frames alone */
    box_free(&b);
}

static void test_an_offer_stays_where_it_is(void **state)
{
    struct box b;
    caws_slice before[8], after[8];
    size_t n;
    (void)state;
    box_init(&b, 64);
    put_text(&b, 'a');
    put(&b, true, CAWS__BINARY, 'b', 5000);
    n = caws__outbox_offer(b.out, before, 8, 64);
    assert_int_equal(n, 2);
    for (char c = 'c'; c < 'h'; c++) {
        put_text(&b, c);
        control(&b, CAWS__NODE_PONG, 'Q');
        caws__outbox_discard(&b.out, &b.alloc);
    }
    assert_int_equal(caws__outbox_offer(b.out, after, 2, 64), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(after[i].data, before[i].data);
        assert_int_equal(after[i].len, before[i].len);
    }
    done(&b, 1);
    caws__outbox_offer(b.out, after, 1, 64);
    assert_ptr_equal(after[0].data, before[0].data + 1);
    box_free(&b);
}

/* As many Pongs as max_pongs wait, in order; then the newest is replaced. */
static void test_pongs_are_bounded_and_the_newest_stays(void **state)
{
    static const struct {
        uint32_t pongs;
        const char *first, *second;
    } cases[] = { { 1, "z", "" }, { 2, "a", "z" }, { 3, "ab", "z" }, { 5, "abcd", "z" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct box b;
        box_init(&b, cases[i].pongs);
        for (char c = 'a'; c <= 'z'; c++)
            control(&b, CAWS__NODE_PONG, c);
        assert_true(nodes(&b) <= cases[i].pongs);
        assert_string_equal(offer(&b, 64), cases[i].first);
        done(&b, 3 * strlen(cases[i].first));
        assert_string_equal(offer(&b, 64), cases[i].second);
        done(&b, 3 * strlen(cases[i].second));
        assert_true(caws__outbox_empty(b.out));
        box_free(&b);
    }
}

/* Blocked output: one Pong is in the transport's hands, and while max_pongs is
 * 1 the next waits beside it and is replaced. */
static void test_a_late_pong_is_replaced_behind_an_offer(void **state)
{
    struct box b;
    (void)state;
    /* REQ 5.5.3-2 */
    box_init(&b, 1);
    control(&b, CAWS__NODE_PONG, 'a');
    assert_string_equal(offer(&b, 64), "a");
    for (unsigned i = 0; i < 1000; i++)
        control(&b, CAWS__NODE_PONG, (char)('a' + i % 26));
    assert_int_equal(nodes(&b), 2);
    put_text(&b, 'X');
    assert_string_equal(offer(&b, 64), "aX"); /* not more than one Pong at once */
    put_text(&b, 'Y'); /* a late Pong will go between */
    done(&b, 3);
    assert_string_equal(offer(&b, 64), "XlY"); /* 999 % 26 */
    box_free(&b);
}

/* a, b, c: the fragments of one message; P: a Ping; o: all is offered; a digit:
 * so many bytes are taken; else a message. */
static void play(struct box *b, const char *script)
{
    for (; *script; script++)
        if (*script == 'P')
            control(b, CAWS__NODE_PING, 'P');
        else if (*script == 'o')
            offer(b, 64);
        else if (*script >= '0' && *script <= '9')
            done(b, (size_t)(*script - '0'));
        else
            put(b, *script >= 'c', *script == 'b' || *script == 'c' ? 0 : CAWS__TEXT, *script, 1);
}

static void test_discard_finishes_what_has_begun(void **state)
{
    static const struct {
        const char *script, *rest, *left; /* rest: taken before we look */
    } cases[] = {
        { "abcd", "", "" },       /* nothing has begun */
        { "xabPcd", "", "P" },    /* control frames stay */
        { "xoabcd", "", "x" },    /* no fragment has */
        { "aobcd", "", "abc" },   /* one has */
        { "aobPcd", "", "aPbc" }, /* the frozen node was split */
        { "abocd", "", "abc" },
        { "aocod", "", "ac" },    /* all fragments have */
        { "ao3bcd", "", "bc" },   /* and have left */
        { "ao3bPcd", "", "Pbc" },
        { "ao1bcd", "2", "bc" },  /* in part */
        { "abo4cd", "2", "c" },
        { "do1e", "2", "" },
        { "Poabcd", "", "P" },    /* a Ping alone is in the transport's hands */
        { "ao3ob", "", "b" },     /* the last fragment is not queued yet */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct box b;
        box_init(&b, 64);
        play(&b, cases[i].script);
        caws__outbox_discard(&b.out, &b.alloc);
        play(&b, cases[i].rest);
        assert_string_equal(offer(&b, 64), cases[i].left);
        done(&b, 3 * strlen(cases[i].left));
        assert_int_equal(b.out->queued, 0);
        assert_true(caws__outbox_empty(b.out));
        box_free(&b);
    }
}

static void test_discarded_payload_still_counts(void **state)
{
    struct box b;
    (void)state;
    box_init(&b, 64);
    put(&b, true, CAWS__BINARY, 'a', 1000);
    offer(&b, 1);
    put(&b, true, CAWS__BINARY, 'b', 5000);
    assert_true(caws__outbox_waits(b.out));
    caws__outbox_discard(&b.out, &b.alloc);
    assert_false(caws__outbox_waits(b.out));
    assert_int_equal(b.out->buffered, 6000);
    assert_int_equal(b.out->queued, 1004);
    done(&b, 1004);
    assert_int_equal(b.out->buffered, 5000); /* what left is taken off, the rest stays */
    box_free(&b);
}

/* Each allocation of a control frame that splits fails: nothing has changed. */
static void test_no_memory_changes_nothing(void **state)
{
    (void)state;
    for (unsigned long fail = 1; fail <= 3; fail++) {
        struct box b;
        int result;
        box_init(&b, 64);
        put_text(&b, 'a');
        offer(&b, 1);
        put_text(&b, 'b');
        b.counting.fail_at = b.counting.calls + fail;
        result = control(&b, CAWS__NODE_PING, 'P');
        assert_int_equal(result, fail <= 2 ? CAWS_ERR_NOMEM : CAWS_OK);
        assert_string_equal(offer(&b, 64), fail <= 2 ? "ab" : "aPb");
        assert_int_equal(b.out->pinging, fail > 2);
        box_free(&b);
    }
}

/* A look freezes nothing, and shows all of the queue or none of it. */
static void test_looking(void **state)
{
    struct box b;
    caws_slice v[3] = { { NULL, 0 } };
    (void)state;
    box_init(&b, 2);
    assert_int_equal(caws__outbox_peek(b.out, v, 3), 0);
    assert_int_equal(control(&b, CAWS__NODE_PING, 'p'), CAWS_OK);
    put_text(&b, 'a');
    assert_int_equal(caws__outbox_peek(b.out, v, 1), 0);
    assert_null(v[1].data);
    assert_int_equal(caws__outbox_peek(b.out, v, 2), 2);
    assert_int_equal(caws__outbox_peek(b.out, v, 3), 2);
    assert_null(v[2].data);
    assert_int_equal(v[0].len, 3);
    assert_int_equal(v[1].len, 3);
    assert_null(b.out->frozen);
    assert_int_equal(control(&b, CAWS__NODE_PONG, 'q'), CAWS_OK);
    assert_int_equal(caws__outbox_peek(b.out, v, 3), 0); /* it waits apart */
    box_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_messages_share_a_node),
        cmocka_unit_test(test_the_first_node_is_the_queues_own),
        cmocka_unit_test(test_payload_is_counted_as_it_leaves),
        cmocka_unit_test(test_control_frames_overtake_what_was_not_offered),
        cmocka_unit_test(test_a_close_overtakes_nothing),
        cmocka_unit_test(test_nothing_overtakes_a_handshake),
        cmocka_unit_test(test_an_offer_stays_where_it_is),
        cmocka_unit_test(test_pongs_are_bounded_and_the_newest_stays),
        cmocka_unit_test(test_a_late_pong_is_replaced_behind_an_offer),
        cmocka_unit_test(test_discard_finishes_what_has_begun),
        cmocka_unit_test(test_discarded_payload_still_counts),
        cmocka_unit_test(test_no_memory_changes_nothing),
        cmocka_unit_test(test_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
