/* RFC 6455 section 5: all pairs of first bytes that a frame can have, in every
 * state and both roles, against a model that says the section's rules. */
#include <caws.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LARGEST 65536u

struct situation {
    bool client, closing; /* closing: our Close has left */
    unsigned message;     /* the opcode of the fragmented one under way, or 0 */
};

/* What a handler was told, or ought to be: T and B for a message, I and O for a
 * Ping and a Pong, E for an error, C for a clean end and U for another. */
struct trace {
    char events[64];
    unsigned char data[LARGEST + 2]; /* the last payload */
    size_t len;
    unsigned char out[160];
    size_t out_len;
};
static struct trace want, got;

static void note(struct trace *t, char what, int number, const void *data, size_t len)
{
    size_t at = strlen(t->events);
    snprintf(t->events + at, sizeof t->events - at, "%c%d %zu;", what, number, len);
    t->len = len;
    if (len > 0)
        memcpy(t->data, data, len);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)ws;
    note(&got, type == CAWS_TEXT ? 'T' : 'B', 0, data, len);
}

static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    (void)ws;
    note(&got, 'I', 0, data, len);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    (void)ws;
    note(&got, 'O', 0, data, len);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws, (void)detail;
    note(&got, 'E', error, NULL, 0);
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    (void)ws;
    note(&got, e->was_clean ? 'C' : 'U', e->code, e->reason, e->reason_len);
}

static int zeros(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return 0;
}

/* ---- The model --------------------------------------------------------- */

/* Section 5.2 and what it refers to, for the first byte. */
static bool first_is_legal(const struct situation *s, unsigned b0)
{
    static const char known[] = "012.....89A....."; /* 11.8 */
    unsigned opcode = b0 & 15;
    if ((b0 & 0x70) != 0 || known[opcode] == '.')
        return false;
    if (opcode >= 8)
        return b0 >= 0x80; /* 5.5: not fragmented */
    return (opcode == 0) == (s->message != 0); /* 5.4 */
}

static bool second_is_legal(const struct situation *s, unsigned b0, unsigned b1)
{
    if ((b1 >= 0x80) == s->client) /* 5.1: clients mask, servers do not */
        return false;
    return (b0 & 15) < 8 || (b1 & 0x7f) <= 125; /* 5.5 */
}

static void model_send(const struct situation *s, unsigned first, const void *data, size_t len)
{
    unsigned char *to = want.out + want.out_len;
    size_t header = s->client ? 6 : 2; /* this test's masking key is 0 */
    if (s->closing)
        return; /* 5.5.1: nothing after a Close */
    memset(to, 0, header);
    to[0] = (unsigned char)first;
    to[1] = (unsigned char)(len | (s->client ? 0x80 : 0));
    if (len > 0)
        memcpy(to + header, data, len);
    want.out_len += header + len;
}

static void model_fail(const struct situation *s)
{
    note(&want, 'E', CAWS_ERR_PROTOCOL, NULL, 0);
    model_send(s, 0x88, "\x03\xea", 2); /* and a reason, which is the library's own */
}

static void model_close(const struct situation *s, const unsigned char *p, size_t n)
{
    if (n == 1) {
        model_fail(s);
        return;
    }
    model_send(s, 0x88, p, n ? 2 : 0);
    note(&want, 'C', n ? 1000 : 1005, p + 2, n ? n - 2 : 0);
}

/* A legal frame: the message that is under way after it. */
static unsigned model_frame(const struct situation *s, unsigned b0, const unsigned char *p,
                            size_t n)
{
    static unsigned char whole[LARGEST + 1];
    unsigned opcode = b0 & 15, type = opcode ? opcode : s->message;
    size_t before = opcode == 0 ? 1 : 0;
    if (opcode == 8) {
        model_close(s, p, n);
    } else if (opcode >= 8) {
        if (!s->closing)
            note(&want, opcode == 9 ? 'I' : 'O', 0, p, n);
        if (opcode == 9)
            model_send(s, 0x8a, p, n);
    } else if (b0 >= 0x80 && !s->closing) {
        whole[0] = 'a';
        memcpy(whole + before, p, n);
        note(&want, type == 1 ? 'T' : 'B', 0, whole, before + n);
    }
    return opcode >= 8 ? s->message : b0 >= 0x80 ? 0 : type;
}

/* ---- The library ------------------------------------------------------- */

static void take(caws_conn *ws)
{
    caws_slice v;
    while (caws_output(ws, &v, 1) == 1) {
        assert_true(got.out_len + v.len <= sizeof got.out);
        memcpy(got.out + got.out_len, v.data, v.len);
        got.out_len += v.len;
        caws_output_done(ws, v.len);
    }
}

static int feed(caws_conn *ws, const void *data, size_t len)
{
    static unsigned char scratch[LARGEST + 16];
    int result;
    memcpy(scratch, data, len);
    result = caws_feed(ws, scratch, len, 0);
    take(ws);
    return result;
}

/* A frame of one byte, masked with 0 for a server. */
static int feed_letter(caws_conn *ws, const struct situation *s, unsigned b0, char letter)
{
    unsigned char frame[7] = { (unsigned char)b0, s->client ? 1 : 0x81 };
    size_t n = s->client ? 3 : 7;
    frame[n - 1] = (unsigned char)letter;
    return feed(ws, frame, n);
}

static caws_conn *begin(const struct situation *s)
{
    static const caws_config cfg = {
        .on_message = on_message, .on_ping = on_ping, .on_pong = on_pong,
        .on_error = on_error, .on_close = on_close, .random = zeros,
    };
    caws_conn *ws = caws_new_open(s->client, NULL, NULL, &cfg, NULL);
    if (s->message)
        feed_letter(ws, s, s->message, 'a');
    if (s->closing)
        caws_close(ws, 1000, NULL);
    take(ws);
    want.events[0] = got.events[0] = '\0';
    want.len = want.out_len = got.len = got.out_len = 0;
    return ws;
}

/* What follows the two bytes: a length that needs its field, a key of 0, and a
 * payload, which begins with 1000 for a Close. Returns the payload's size. */
static size_t write_rest(const struct situation *s, unsigned b0, unsigned b1,
                         unsigned char *rest, size_t *header)
{
    unsigned len = b1 & 0x7f;
    size_t n = len < 126 ? len : len == 126 ? 126 : LARGEST;
    size_t extended = len < 126 ? 0 : len == 126 ? 2 : 8;
    memset(rest, 0, 12);
    for (size_t i = 0; i < extended; i++)
        rest[i] = (unsigned char)((uint64_t)n >> 8 * (extended - 1 - i));
    *header = extended + (s->client ? 0 : 4);
    memset(rest + *header, 'x', n);
    if ((b0 & 15) == 8 && n > 0)
        rest[*header] = 0x03;
    if ((b0 & 15) == 8 && n > 1)
        rest[*header + 1] = 0xe8;
    return n;
}

static bool is_as_the_model_says(const struct situation *s)
{
    size_t n = want.out_len;
    if (strcmp(want.events, got.events) != 0 || want.len != got.len ||
        memcmp(want.data, got.data, want.len) != 0)
        return false;
    if (want.events[0] != 'E' || s->closing)
        return got.out_len == n && memcmp(want.out, got.out, n) == 0;
    want.out[1] = got.out[1]; /* the reason's length */
    return got.out_len == (s->client ? 6u : 2u) + (got.out[1] & 0x7f) &&
           got.out_len > n && memcmp(want.out, got.out, n) == 0;
}

/* A last fragment tells what is under way. */
static bool probe(caws_conn *ws, const struct situation *s, unsigned under_way)
{
    got.events[0] = '\0';
    got.out_len = 0;
    return feed_letter(ws, s, 0x80, 'z') == (under_way ? CAWS_OK : CAWS_ERR_PROTOCOL) &&
           (under_way && !s->closing ? got.events[0] == (under_way == 1 ? 'T' : 'B') &&
                                           got.data[got.len - 1] == 'z'
                                     : got.events[0] == (under_way ? '\0' : 'E'));
}

/* Was it as it must be? *legal counts the headers that are. */
static bool check(const struct situation *s, unsigned b0, unsigned b1, unsigned *legal)
{
    static unsigned char rest[LARGEST + 16];
    const unsigned char first = (unsigned char)b0, second = (unsigned char)b1;
    caws_conn *ws = begin(s);
    bool good_first = first_is_legal(s, b0), good = good_first && second_is_legal(s, b0, b1);
    bool ok = feed(ws, &first, 1) == (good_first ? CAWS_OK : CAWS_ERR_PROTOCOL) &&
              (good_first || got.events[0] == 'E');
    int result = feed(ws, &second, 1);
    if (!good) {
        model_fail(s);
        ok = ok && result == CAWS_ERR_PROTOCOL && is_as_the_model_says(s);
        caws_feed_eof(ws, CAWS_OK, NULL);
        note(&want, 'U', 1006, NULL, 0);
        ok = ok && is_as_the_model_says(s);
    } else {
        size_t header, n = write_rest(s, b0, b1, rest, &header);
        unsigned under_way = model_frame(s, b0, rest + header, n);
        bool failed = want.events[0] == 'E';
        ++*legal;
        result = feed(ws, rest, header + n);
        ok = ok && result == (failed ? CAWS_ERR_PROTOCOL : CAWS_OK) && is_as_the_model_says(s);
        if ((b0 & 15) != 8)
            ok = ok && probe(ws, s, under_way);
    }
    caws_free(ws);
    return ok;
}

static void test_all_pairs_of_first_bytes(void **state)
{
    unsigned cases = 0, legal = 0;
    (void)state;
    /* REQ 5.1-2, 5.1-5, 5.2-1, 5.2-3 */
    /* REQ 5.2-4, 5.4-3, 5.4-4, 5.5-1 */
    for (unsigned i = 0; i < 12; i++) {
        struct situation s = { i & 1, i & 2, i / 4 };
        for (unsigned pair = 0; pair < 65536; pair++, cases++)
            if (!check(&s, pair >> 8, pair & 255, &legal))
                fail_msg("%02x%02x: client %d, closing %d, in a message of type %u", pair >> 8,
                         pair & 255, s.client, s.closing, s.message);
    }
    /* Each role, OPEN and CLOSING: between messages 4 ways to start one, in two of them
     * 2 to go on, of 128 lengths; 3 control frames of 126 lengths anywhere. */
    assert_int_equal(legal, 2 * 2 * (4 * 128 + 2 * 2 * 128 + 3 * 3 * 126));
    assert_int_equal(cases, 786432);
    print_message("%u headers, %u of them legal\n", cases, legal);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_pairs_of_first_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
