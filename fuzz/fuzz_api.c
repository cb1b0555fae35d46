/* One conn, and any sequence of calls on it, in and out of handlers, while its
 * allocator and random source may fail: each result is one that caws.h allows
 * there, a call that fails changes nothing, and what leaves in the end is what
 * was sent (world.c). */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sending ----------------------------------------------------------- */

/* Text of a number that no other message has; now and then not UTF-8. */
static void make_message(struct world *w, struct bytes *b)
{
    static const size_t sizes[] = { 0, 1, 100, 125, 126, 150, 200, 600, 5000, 17000 };
    unsigned what = input_byte(&w->in);
    size_t size = sizes[what % 10];
    bytes_number(b, (long)(w->count * 4 + w->depth));
    if (b->len < size)
        bytes_fill(b, '*', size - b->len);
    if (what >= 240)
        bytes_text(b, what & 1 ? "\xff" : "\xe2\x82");
}

static bool can_send(const struct world *w)
{
    return caws_ready_state(w->ws) == CAWS_OPEN && !w->discarded;
}

/* What only chance, or the queue, may have against it. */
static bool is_accident(int result)
{
    return result == CAWS_ERR_FULL || result == CAWS_ERR_NOMEM || result == CAWS_ERR_RANDOM;
}

static void judge_send(struct world *w, const struct before *b, int result, int expected,
                       size_t len)
{
    if (expected != CAWS_OK)
        REQUIRE(result == expected);
    else
        REQUIRE(result == CAWS_OK || is_accident(result));
    if (result == CAWS_ERR_FULL)
        REQUIRE(caws_needs_drain(w->ws));
    if (result == CAWS_OK && w->written_now == 0)
        REQUIRE(caws_buffered_amount(w->ws) == b->buffered + len);
}

static void do_send(struct world *w)
{
    struct bytes m = { NULL, 0, 0 };
    struct before b = world_before(w);
    bool text = input_byte(&w->in) & 1;
    int expected = CAWS_OK, result;
    make_message(w, &m);
    if (text && model_utf8(m.data, m.len) != MODEL_VALID)
        expected = CAWS_ERR_UTF8;
    else if (!can_send(w) || w->parted)
        expected = CAWS_ERR_STATE;
    result = caws_send(w->ws, text ? CAWS_TEXT : CAWS_BINARY, m.data, m.len);
    judge_send(w, &b, result, expected, m.len);
    if (result == CAWS_OK)
        world_sent(w, text, m.data, m.len);
    world_after(w, &b, result);
    bytes_free(&m);
}

static void do_send_prepared(struct world *w)
{
    struct bytes m = { NULL, 0, 0 };
    bool text = input_byte(&w->in) & 1, valid;
    caws_prepared *msg;
    struct before b;
    make_message(w, &m);
    valid = !text || model_utf8(m.data, m.len) == MODEL_VALID;
    b = world_before(w);
    msg = caws_prepare(&w->cfg, text ? CAWS_TEXT : CAWS_BINARY, m.data, m.len);
    REQUIRE(msg ? valid : !valid || w->alloc_failed);
    if (msg) {
        int result = caws_send_prepared(w->ws, msg);
        judge_send(w, &b, result, can_send(w) && !w->parted ? CAWS_OK : CAWS_ERR_STATE, m.len);
        if (result == CAWS_OK)
            world_sent(w, text, m.data, m.len);
        caws_prepared_free(msg);
        world_after(w, &b, result);
    }
    bytes_free(&m);
}

static void do_send_fragment(struct world *w)
{
    struct bytes m = { NULL, 0, 0 };
    struct before b = world_before(w);
    unsigned how = input_byte(&w->in);
    bool text = w->parted ? w->part_text : how & 1, fin = how & 2;
    size_t had = w->part.len;
    enum model_text valid;
    int expected = CAWS_OK, result;
    make_message(w, &m);
    bytes_add(&w->part, m.data, m.len);
    valid = text ? model_utf8(w->part.data, w->part.len) : MODEL_VALID;
    if (!can_send(w))
        expected = CAWS_ERR_STATE;
    else if (valid == MODEL_INVALID || (fin && valid == MODEL_CUT))
        expected = CAWS_ERR_UTF8;
    result = caws_send_fragment(w->ws, how & 1 ? CAWS_TEXT : CAWS_BINARY, m.data, m.len, fin);
    judge_send(w, &b, result, expected, m.len);
    if (result != CAWS_OK) {
        w->part.len = had;
    } else {
        w->parted = !fin;
        w->part_text = text;
        if (fin) {
            world_sent(w, text, w->part.data, w->part.len);
            w->part.len = 0;
        }
    }
    world_after(w, &b, result);
    bytes_free(&m);
}

static void do_control(struct world *w)
{
    static const uint8_t payload[200] = { 'p', 'i', 'n', 'g' };
    size_t len = input_byte(&w->in) % 130;
    struct before b = world_before(w);
    bool ping = input_byte(&w->in) & 1;
    int result = ping ? caws_ping(w->ws, payload, len) : caws_pong(w->ws, payload, len);
    if (len > 125)
        REQUIRE(result == CAWS_ERR_ARG);
    else if (!can_send(w))
        REQUIRE(result == CAWS_ERR_STATE);
    else
        REQUIRE(result == CAWS_OK || is_accident(result));
    REQUIRE(caws_buffered_amount(w->ws) == b.buffered);
    world_after(w, &b, result);
}

/* ---- Closing ----------------------------------------------------------- */

static void do_close(struct world *w)
{
    static const uint16_t codes[] = { 0, 1000, 1001, 1004, 1005, 1006, 3000, 4999, 5000, 1015 };
    static const char *const reasons[] = { NULL, "", "bye", "\xff", "\xe2\x82\xac" };
    uint16_t code = codes[input_below(&w->in, 10)];
    size_t which = input_below(&w->in, 5);
    struct before b = world_before(w);
    int result = caws_close(w->ws, code, reasons[which]);
    if (code != 0 && !model_code(code))
        REQUIRE(result == CAWS_ERR_ARG);
    else if (which == 3) /* not UTF-8 */
        REQUIRE(result == CAWS_ERR_UTF8);
    else if (b.state >= CAWS_CLOSING)
        REQUIRE(result == CAWS_ERR_STATE);
    else
        REQUIRE(result == CAWS_OK && caws_ready_state(w->ws) == CAWS_CLOSING);
    world_after(w, &b, result);
}

static void do_abort(struct world *w)
{
    struct before b = world_before(w);
    caws_abort(w->ws);
    REQUIRE(caws_wants(w->ws) == CAWS_WANT_CLOSE);
    w->aborted = w->aborted || b.wants != CAWS_WANT_CLOSE;
    world_after(w, &b, CAWS_OK);
}

static void do_discard(struct world *w)
{
    struct before b = world_before(w);
    caws_discard(w->ws);
    w->discarded = true;
    REQUIRE(caws_buffered_amount(w->ws) == b.buffered);
    world_after(w, &b, CAWS_OK);
}

static void do_pause(struct world *w)
{
    struct before b = world_before(w);
    bool pause = input_byte(&w->in) & 1;
    if (pause)
        caws_pause(w->ws);
    else
        world_resume(w);
    w->paused = pause;
    REQUIRE(!pause || b.state >= CAWS_CLOSING || !(caws_wants(w->ws) & CAWS_WANT_READ));
    world_after(w, &b, CAWS_OK);
}

/* ---- The opening handshake --------------------------------------------- */

static int respond(struct world *w, unsigned which)
{
    switch (which) {
    case 0: return caws_accept(w->ws);
    case 1: return caws_refuse(w->ws, (int)input_below(&w->in, 6) * 100 + 100);
    case 2: return caws_choose_subprotocol(w->ws, input_byte(&w->in) & 1 ? "chat" : "other");
    case 3: return caws_add_header(w->ws, "X-A", input_byte(&w->in) & 1 ? "b" : "a\r\nb");
    case 4: return caws_set_body(w->ws, "text/html", "<p>", 3);
    default: return caws_retarget(w->ws, input_byte(&w->in) & 1 ? "ws://g/x" : "http://g/");
    }
}

static void do_respond(struct world *w)
{
    struct before b = world_before(w);
    unsigned which = input_byte(&w->in) % 6;
    int result;
    if (which == 5 && (w->output.len > 0 || !w->client))
        which = 4; /* only a conn that has sent nothing can start on another transport */
    result = respond(w, which);
    REQUIRE(result != CAWS_OK || b.state == CAWS_CONNECTING);
    if (result == CAWS_OK && which == 0)
        REQUIRE(w->answered == CAWS_LATER && w->requests == 1);
    world_after(w, &b, result);
}

static void do_query(struct world *w)
{
    caws_slice name, value, host = caws_header(w->ws, "Host");
    size_t n = 0;
    while (caws_header_at(w->ws, n, &name, &value))
        n++;
    REQUIRE(n <= w->cfg.max_headers && (host.data == NULL || n > 0));
    caws_set_user(w->ws, w);
    REQUIRE(caws_user(w->ws) == w && caws_context(w->ws) == w);
    REQUIRE(caws_is_client(w->ws) == w->client && *caws_extensions(w->ws) == '\0');
    REQUIRE(strlen(caws_subprotocol(w->ws)) < 20 && caws_http_status(w->ws) < 600);
}

/* ---- Application and transport ----------------------------------------- */

static void act(struct world *w)
{
    static void (*const acts[])(struct world *w) = {
        do_send, do_send_prepared, do_send_fragment, do_control, do_close,  do_abort,
        do_discard, do_pause, do_respond, do_query, do_send, do_pause };
    if (w->count < 200)
        acts[input_byte(&w->in) % 12](w);
}

static void feed(struct world *w, const void *data, size_t len)
{
    uint8_t *copy = exact_copy(data, len);
    w->fed += len;
    w->alloc_failed = w->random_failed = false;
    caws_feed(w->ws, copy, len, w->now);
    free(copy);
}

/* A frame for this end, right but for the input's whims. */
static void feed_frame(struct world *w)
{
    static const uint8_t firsts[] = { 0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0x81 };
    uint8_t frame[2 + 4 + 125] = { firsts[input_byte(&w->in) % 10] };
    size_t len = input_byte(&w->in) % 126, header = w->client ? 2 : 6, cut;
    frame[1] = (uint8_t)(len | (w->client ? 0 : 0x80));
    for (size_t i = 0; i < len; i++)
        frame[header + i] = (uint8_t)(i < 2 && frame[0] == 0x88 ? "\x03\xe8"[i] : 'x');
    cut = input_byte(&w->in);
    cut = cut < header + len ? cut : 0;
    if (cut > 0)
        feed(w, frame, cut);
    feed(w, frame + cut, header + len - cut);
}

static void feed_head(struct world *w)
{
    static const char request[] =
        "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: superchat, chat\r\n\r\n";
    static const char plain[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    char key[25] = "", accept[29], response[300];
    const char *found;
    if (!w->client) {
        bool upgrade = input_byte(&w->in) % 4;
        feed(w, upgrade ? request : plain, upgrade ? sizeof request - 1 : sizeof plain - 1);
        return;
    }
    bytes_add(&w->output, "", 1); /* for strstr alone */
    w->output.len--;
    found = strstr((char *)w->output.data, "Sec-WebSocket-Key: ");
    if (!found || strlen(found) < 43)
        return;
    memcpy(key, found + 19, 24);
    REQUIRE(caws_accept_key(key, 24, accept) == CAWS_OK);
    snprintf(response, sizeof response,
             "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    feed(w, response, strlen(response));
}

static void feed_anything(struct world *w)
{
    uint8_t some[64];
    size_t n = input_byte(&w->in) % sizeof some;
    for (size_t i = 0; i < n; i++)
        some[i] = input_byte(&w->in);
    feed(w, some, n);
}

static void step(struct world *w)
{
    unsigned what = input_byte(&w->in);
    w->alloc_failed = w->random_failed = false;
    switch (what % 16) {
    case 0: case 1: case 2: feed_frame(w); break;
    case 3: feed_head(w); break;
    case 4: feed_anything(w); break;
    case 5: case 6: world_take(w, input_byte(&w->in)); break;
    case 7: world_take(w, SIZE_MAX); break;
    case 8: w->now += input_byte(&w->in) * UINT64_C(128); world_tick(w); break;
    case 9: world_tick(w); break;
    case 10: w->allocs_left = input_byte(&w->in) % 8; break;
    case 11: w->randoms_left = input_byte(&w->in) % 4; break;
    case 12:
        if (what < 128)
            break;
        caws_feed_eof(w->ws, what & 64 ? CAWS_OK : CAWS_ERR_SYS, what & 32 ? "RFC broken" : NULL);
        break;
    default: act(w); break;
    }
    world_check(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct world w = { .in = { data, len }, .act = act };
    world_new(&w, input_byte(&w.in));
    for (int steps = 0; w.in.left > 0 && steps < 500; steps++)
        step(&w);
    world_end(&w);
    return 0;
}
