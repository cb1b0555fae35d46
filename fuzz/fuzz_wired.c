/* A client and a server of ours, wired to each other: the input says who sends,
 * pings, pauses and closes when, and how many bytes go how far. Everything sent
 * arrives exactly once, whole and in order; the end is clean on both sides. */
#include "wire.h"

#include <stdlib.h>

/* ---- What an end does -------------------------------------------------- */

/* Around the borders of the lengths' three forms, and of a large write. */
static size_t length(struct input *in)
{
    static const size_t some[] = { 0,   1,     7,     8,     31,    32,    125,   126,
                                   127, 16383, 16384, 65535, 65536, 40000, 300,   2 };
    return some[input_below(in, 16)];
}

static void send_message(struct end *e, struct input *in)
{
    caws_type type = input_byte(in) & 1 ? CAWS_TEXT : CAWS_BINARY;
    size_t len = length(in);
    uint8_t *data = wire_content(e, e->count, 0, len);
    bool prepared = input_byte(in) & 1;
    caws_prepared *msg = prepared ? caws_prepare(&e->cfg, type, data, len) : NULL;
    int result = prepared ? caws_send_prepared(e->ws, msg) : caws_send(e->ws, type, data, len);
    caws_prepared_free(msg);
    free(data);
    if (result == CAWS_OK)
        e->sent[e->count++] = (struct sent){ type, len, true };
    else
        REQUIRE(result == (e->parted ? CAWS_ERR_STATE : CAWS_ERR_FULL));
}

static void send_fragment(struct end *e, struct input *in, bool fin)
{
    caws_type type = input_byte(in) & 1 ? CAWS_TEXT : CAWS_BINARY;
    size_t len = length(in), n = e->parted ? e->count - 1 : e->count;
    struct sent *s = &e->sent[n];
    uint8_t *data = wire_content(e, n, e->parted ? s->len : 0, len);
    int result = caws_send_fragment(e->ws, type, data, len, fin);
    free(data);
    if (result != CAWS_OK) {
        REQUIRE(result == CAWS_ERR_FULL);
        return;
    }
    if (!e->parted)
        *s = (struct sent){ type, 0, false };
    e->count = n + 1;
    s->len += len;
    s->whole = fin;
    e->parted = !fin;
}

static void close_end(struct end *e, struct input *in)
{
    static const uint16_t codes[] = { 1000, 1001, 3000, 4999 };
    uint16_t code = codes[input_below(in, 4)];
    REQUIRE(caws_close(e->ws, code, "bye") == CAWS_OK);
    e->code = code;
}

static void act(struct end *e, struct input *in)
{
    unsigned what = input_byte(in) % 10;
    uint8_t number = (uint8_t)(e->pings + 1);
    if (caws_ready_state(e->ws) == CAWS_CONNECTING && e->undecided &&
        caws_accept(e->ws) == CAWS_OK)
        e->undecided = false;
    if (caws_ready_state(e->ws) != CAWS_OPEN)
        return;
    if (what < 3 && e->count < MESSAGES)
        send_message(e, in);
    else if (what < 5 && (e->count < MESSAGES || e->parted))
        send_fragment(e, in, what == 3);
    else if (what == 5 && caws_ping(e->ws, &number, 1) == CAWS_OK)
        e->pings++;
    else if (what == 6)
        REQUIRE(caws_pong(e->ws, "unasked", 7) == CAWS_OK);
    else if (what == 7)
        caws_pause(e->ws);
    else if (what == 8)
        caws_resume(e->ws);
    else if (what == 9)
        e->pause_next = true;
}

static void step(struct input *in)
{
    unsigned what = input_byte(in);
    struct end *e = &ends[what & 1];
    now += what >> 1 & 1 ? input_byte(in) : 0;
    switch (what >> 2 & 3) {
    case 0: wire_take_output(e, in); break;
    case 1: wire_deliver(e, in); break;
    default: act(e, in); break;
    }
    wire_serve(&ends[0]);
    wire_serve(&ends[1]);
}

/* ---- A run ------------------------------------------------------------- */

static void check_quiet(void)
{
    for (int i = 0; i < 2; i++) {
        const struct end *e = &ends[i];
        REQUIRE(e->received == e->other->count - e->other->parted);
        REQUIRE(e->pings == e->pinged && e->pings == e->ponged);
        REQUIRE(caws_buffered_amount(e->ws) == 0 && !caws_needs_drain(e->ws));
        REQUIRE(caws_wants(e->ws) == CAWS_WANT_READ);
    }
}

static void check_end(const struct end *e)
{
    const struct end *o = e->other;
    REQUIRE(e->opened == 1 && e->closed == 1 && e->event.was_clean && e->eof);
    REQUIRE(e->event.error == CAWS_OK && caws_ready_state(e->ws) == CAWS_CLOSED);
    REQUIRE(e->event.code == (o->code ? o->code : e->code));
    REQUIRE(e->event.ended_by == (e->code ? CAWS_BY_US : CAWS_BY_PEER));
    if (!o->code) /* who alone closes has sent all before it */
        REQUIRE(o->received == e->count - e->parted);
    REQUIRE(caws_wants(e->ws) == CAWS_WANT_CLOSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = { data, len < 2000 ? len : 2000 };
    bool calm;
    wire_begin(&in);
    calm = input_byte(&in) & 1; /* all that was sent arrives before somebody closes */
    while (in.left > 8)
        step(&in);
    if (ends[1].undecided && caws_accept(ends[1].ws) == CAWS_OK)
        ends[1].undecided = false;
    if (calm || !ends[0].opened || !ends[1].opened) {
        wire_settle();
        if (ends[1].undecided) {
            REQUIRE(caws_accept(ends[1].ws) == CAWS_OK);
            wire_settle();
        }
        check_quiet();
    }
    close_end(&ends[input_byte(&in) & 1], &in);
    if (input_byte(&in) & 1 && caws_ready_state(ends[0].ws) == CAWS_OPEN)
        close_end(&ends[0], &in);
    if (input_byte(&in) & 1 && caws_ready_state(ends[1].ws) == CAWS_OPEN)
        close_end(&ends[1], &in);
    while (in.left > 0)
        step(&in);
    wire_settle();
    for (int i = 0; i < 2; i++) {
        check_end(&ends[i]);
        caws_free(ends[i].ws);
        bytes_free(&ends[i].wire);
        bytes_free(&ends[i].chunks);
    }
    return 0;
}
