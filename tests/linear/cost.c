/* What each kind of input and output costs, over its size and over the pieces
 * that it comes in. Callgrind counts: each measurement is one of its dumps, and
 * a line here: name, size, piece (0: whole), bytes, calls. tests/linear.sh
 * judges them. */
#include <caws.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined __has_include
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef CALLGRIND_DUMP_STATS
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS
#endif

enum { MIB = 1 << 20, MOST = 5 * MIB, RECEIVERS = 1000 };

static struct {
    caws_conn *ws;
    caws_conn *all[RECEIVERS];
    size_t count;
    caws_prepared *prepared;
    unsigned char bytes[MOST];
    size_t len, done;
    unsigned long calls;
} now;

#define CHECK(c) \
    do { \
        if (!(c)) { \
            fprintf(stderr, "cost.c:%d: %s\n", __LINE__, #c); \
            exit(1); \
        } \
    } while (0)

/* ---- Conns ------------------------------------------------------------- */

static int random_bytes(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x55, len);
    return 0;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    (void)ws;
    (void)type;
    (void)data;
    now.done += len;
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    (void)flags;
    on_message(ws, type, data, len);
}

static void pause_each(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    on_message(ws, type, data, len);
    caws_pause(ws);
}

#define WIDE .random = random_bytes, .subprotocols = "chat, superchat", .max_head = MOST, \
    .max_headers = MOST, .max_message = MOST, .max_fragments = MOST, .max_buffered = 2 * MOST

static const caws_config wide = { WIDE, .on_message = on_message, .max_control_burst = MOST };
static const caws_config streaming = { WIDE, .on_chunk = on_chunk };
static const caws_config pausing = { WIDE, .on_message = pause_each };
static const caws_config narrow = { .on_message = on_message }; /* the defaults */

static void open_with(bool client, const caws_config *cfg)
{
    now.ws = caws_new_open(client, NULL, NULL, cfg, NULL);
    CHECK(now.ws);
    caws_tick(now.ws, 1);
}

static void take(size_t piece)
{
    caws_slice v;
    while (caws_output(now.ws, &v, 1) > 0) {
        now.calls++;
        caws_output_done(now.ws, v.len < piece ? v.len : piece);
    }
}

/* ---- Bytes ------------------------------------------------------------- */

static void add(const void *data, size_t len)
{
    CHECK(len <= MOST - now.len);
    memcpy(now.bytes + now.len, data, len);
    now.len += len;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

/* Masked with zeros, so that the payload is what it says. */
static void add_frame(bool masked, unsigned first, const void *data, size_t len)
{
    unsigned char head[14] = { (unsigned char)first };
    size_t n = 2;
    head[1] = (unsigned char)(len < 126 ? len : len < 65536 ? 126 : 127);
    for (int i = len < 126 ? 0 : len < 65536 ? 2 : 8; i > 0; i--)
        head[n++] = (unsigned char)((uint64_t)len >> 8 * (i - 1));
    if (masked)
        head[1] |= 0x80;
    add(head, n + (masked ? 4 : 0));
    if (len > 0)
        add(data, len);
}

static char text[MOST + 1];

static const char *filler(const char *pattern, size_t len)
{
    size_t n = strlen(pattern), had = len < n ? len : n;
    memcpy(text, pattern, had);
    for (; had < len; had += n) {
        n = had < len - had ? had : len - had;
        memcpy(text + had, text, n);
    }
    text[len] = '\0';
    return text;
}

static void add_fields(const char *field, size_t size)
{
    while (now.len < size)
        add_text(field);
}

static void request(const char *field, size_t size)
{
    now.ws = caws_new_server(&wide, NULL);
    CHECK(now.ws);
    caws_tick(now.ws, 1);
    add_text("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\n");
    add_fields(field, size);
}

static void response(const char *field, size_t size)
{
    char accept[29], key[25] = "";
    caws_slice v;
    const char *at;
    now.ws = caws_new_client("ws://example.com/", &wide, NULL);
    CHECK(now.ws && caws_output(now.ws, &v, 1) == 1);
    at = strstr(v.data, "Sec-WebSocket-Key: ");
    CHECK(at);
    memcpy(key, at + 19, 24);
    take(SIZE_MAX);
    caws_tick(now.ws, 1);
    CHECK(caws_accept_key(key, 24, accept) == CAWS_OK);
    add_text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: ");
    add_text(accept);
    add_text("\r\n");
    add_fields(field, size);
}

#define PAD20 "aaaaaaaaaaaaaaaaaaaa"
#define PADDING "X-Padding: " PAD20 PAD20 PAD20 PAD20 "\r\n"

/* ---- What is measured -------------------------------------------------- */

static void make_request(size_t size) { request(PADDING, size); add_text("\r\n"); }
static void make_fields(size_t size) { request("a: b\r\n", size); add_text("\r\n"); }
static void make_response(size_t size) { response(PADDING, size); add_text("\r\n"); }
static void make_empty_fields(size_t size) { response("a:\r\n", size); add_text("\r\n"); }

static void make_list(size_t size)
{
    char token[32];
    request("", 0);
    add_text("Sec-WebSocket-Protocol: superchat");
    for (unsigned i = 0; now.len < size; i++) {
        snprintf(token, sizeof token, ", t%u", i);
        add_text(token);
    }
    add_text("\r\n\r\n");
}

/* As many as are let pass, behind many fields. */
static void make_late_list(size_t size)
{
    char token[32];
    request(PADDING, size);
    add_text("Sec-WebSocket-Protocol: superchat");
    for (unsigned i = 1; i < 64; i++) {
        snprintf(token, sizeof token, ", t%u", i);
        add_text(token);
    }
    add_text("\r\n\r\n");
}

static void make_extensions(size_t size)
{
    request("", 0);
    add_text("Sec-WebSocket-Extensions: a; b=\"c\"");
    while (now.len < size)
        add_text(", x; y=1; z");
    add_text("\r\n\r\n");
}

/* Past the limits: the answer is queued, and the rest is not looked at. */
static void make_flood(size_t size)
{
    request("a: b\r\n", size);
    caws_free(now.ws);
    now.ws = caws_new_server(&narrow, NULL);
    CHECK(now.ws);
}

static void make_message(size_t size)
{
    open_with(false, &wide);
    add_frame(true, 0x82, filler("binary", size), size);
}

static void make_unmasked(size_t size)
{
    open_with(true, &wide);
    add_frame(false, 0x82, filler("binary", size), size);
}

static void make_ascii(size_t size)
{
    open_with(false, &wide);
    add_frame(true, 0x81, filler("plain text ", size), size);
}

static void make_text(size_t size)
{
    size -= size % 10;
    open_with(false, &wide);
    add_frame(true, 0x81, filler("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6", size), size);
}

static void make_stream(size_t size)
{
    open_with(false, &streaming);
    add_frame(true, 0x82, filler("binary", size), size);
}

static void make_frames(const caws_config *cfg, unsigned first, size_t payload, size_t size)
{
    open_with(false, cfg);
    while (now.len < size)
        add_frame(true, first, PADDING PADDING, payload);
}

static void make_small(size_t size) { make_frames(&wide, 0x82, 10, size); }
static void make_pings(size_t size) { make_frames(&wide, 0x89, 0, size); }
static void make_long_pings(size_t size) { make_frames(&wide, 0x89, 125, size); }
static void make_pongs(size_t size) { make_frames(&wide, 0x8a, 5, size); }
static void make_paused(size_t size) { make_frames(&pausing, 0x82, 10, size); }

static void make_fragments_of(size_t payload, size_t size)
{
    open_with(false, &wide);
    add_frame(true, 0x02, "a", payload);
    while (now.len < size)
        add_frame(true, 0x00, "a", payload);
    add_frame(true, 0x80, "a", payload);
}

static void make_fragments(size_t size) { make_fragments_of(1, size); }
static void make_empty_fragments(size_t size) { make_fragments_of(0, size); }

/* 64 Pongs that the peer does not take, then a message. */
static void make_behind_pongs(size_t size)
{
    open_with(false, &wide);
    for (int i = 0; i < 64; i++)
        CHECK(caws_pong(now.ws, "pong", 4) == CAWS_OK);
    add_frame(true, 0x82, filler("binary", size), size);
}

static void make_close(size_t size)
{
    open_with(false, &wide);
    add_frame(true, 0x88, filler("\x03\xe8\x61", 3), 2);
    now.len = 0;
    add_frame(true, 0x88, filler("\x0f\xa0", size), size);
    memset(now.bytes + 8, 'r', size - 2);
}

/* One byte is fed at a time, PIECE bytes at once, or all. */
static void feed(size_t piece)
{
    for (size_t at = 0; at < now.len; at += piece) {
        size_t n = now.len - at < piece ? now.len - at : piece;
        caws_feed(now.ws, now.bytes + at, n, 1);
        now.calls++;
        if (n == now.len)
            break;
    }
}

static void feed_and_take(size_t piece)
{
    feed(piece);
    take(SIZE_MAX);
}

/* The application goes on after each message. */
static void feed_and_resume(size_t piece)
{
    feed(piece);
    while (now.done < now.len / 16 * 10) {
        now.calls++;
        caws_resume(now.ws);
        caws_tick(now.ws, 1);
    }
}

/* Nobody wants it, and it is not even masked: the price of a call. */
static void make_ignored(size_t size)
{
    static const caws_config cfg = { .random = random_bytes };
    open_with(true, &cfg);
    add_frame(false, 0x82, filler("binary", size), size);
}

static void make_calls(size_t size)
{
    open_with(false, &wide);
    now.len = size;
}

static void feed_nothing(size_t piece)
{
    (void)piece;
    for (size_t i = 0; i < now.len; i++)
        caws_feed(now.ws, now.bytes, 0, 1);
    now.calls = now.len;
}

static void make_client(size_t size)
{
    open_with(true, &wide);
    now.len = size;
    filler("binary", size);
}

static void make_server(size_t size)
{
    open_with(false, &wide);
    now.len = size;
    filler("binary", size);
}

/* In messages of PIECE bytes. */
static void send_messages(size_t piece)
{
    for (size_t at = 0, n; at < now.len; at += n) {
        n = now.len - at < piece ? now.len - at : piece;
        CHECK(caws_send(now.ws, CAWS_BINARY, text + at, n) == CAWS_OK);
        now.calls++;
    }
}

static void make_queue(size_t size)
{
    make_client(size);
    send_messages(16);
    now.calls = 0;
}

static void make_ring(size_t size)
{
    filler("binary", 1024);
    now.prepared = caws_prepare(&wide, CAWS_BINARY, filler("binary", 1024), 1024);
    CHECK(now.prepared);
    now.len = size;
    now.count = size / 1024;
    for (size_t i = 0; i < now.count; i++)
        CHECK(now.all[i] = caws_new_open(false, NULL, NULL, &wide, NULL));
}

static void send_prepared(size_t piece)
{
    (void)piece;
    for (size_t i = 0; i < now.count; i++)
        CHECK(caws_send_prepared(now.all[i], now.prepared) == CAWS_OK);
    now.calls = now.count;
}

/* ---- All of them ------------------------------------------------------- */

#define WHOLE SIZE_MAX
#define KIB * 1024u

static const struct kind {
    const char *name;
    void (*make)(size_t size);
    void (*run)(size_t piece);
    size_t sizes[3];
    size_t pieces[4];
    bool all_delivered;
} kinds[] = {
    { "empty_feed", make_calls, feed_nothing, { 1000, 10000 }, { 1 }, false },
    { "ignored", make_ignored, feed, { 1000, 10000 }, { 1 }, false },
#define HEAD { 1 KIB, 8 KIB, 64 KIB }, { 1, 7, 1000, WHOLE }, false
    { "request", make_request, feed, HEAD },
    { "small_fields", make_fields, feed, HEAD },
    { "response", make_response, feed, HEAD },
    { "empty_fields", make_empty_fields, feed, HEAD },
    { "list", make_list, feed, HEAD },
    { "late_list", make_late_list, feed, HEAD },
    { "extensions", make_extensions, feed, HEAD },
    { "head_flood", make_flood, feed, { 32 KIB, 256 KIB, 1024 KIB }, { 7, 1000, WHOLE }, false },
#define MESSAGE { 1 KIB, 8 KIB, 64 KIB }, { 1, 7, 1000, WHOLE }, true
#define FRAMES { 1 KIB, 8 KIB, 64 KIB }, { 1, 7, 1000, WHOLE }, false
#define LARGE { 256 KIB, 4096 KIB }, { 1000, WHOLE }, true
    { "message", make_message, feed, MESSAGE },
    { "message", make_message, feed, LARGE },
    { "unmasked", make_unmasked, feed, MESSAGE },
    { "unmasked", make_unmasked, feed, LARGE },
    { "ascii", make_ascii, feed, MESSAGE },
    { "text", make_text, feed, MESSAGE },
    { "text", make_text, feed, LARGE },
    { "stream", make_stream, feed, MESSAGE },
    { "small_messages", make_small, feed, MESSAGE },
    { "behind_pongs", make_behind_pongs, feed, MESSAGE },
    { "paused", make_paused, feed_and_resume, MESSAGE },
    { "fragments", make_fragments, feed, FRAMES },
    { "empty_fragments", make_empty_fragments, feed, FRAMES },
    { "pings", make_pings, feed_and_take, FRAMES },
    { "long_pings", make_long_pings, feed_and_take, FRAMES },
    { "pongs", make_pongs, feed, FRAMES },
    { "close", make_close, feed_and_take, { 25, 75, 125 }, { 1, 7, 1000, WHOLE }, false },
    { "masked_send", make_client, send_messages, { 1 KIB, 64 KIB, 4096 KIB },
      { 1000, 100000, WHOLE }, false },
    { "send", make_server, send_messages, { 1 KIB, 64 KIB, 4096 KIB },
      { 1000, 100000, WHOLE }, false },
    { "small_sends", make_client, send_messages, { 1 KIB, 8 KIB, 64 KIB }, { 1, 16 }, false },
    { "output", make_queue, take, { 1 KIB, 8 KIB, 64 KIB }, { 1, 7, 1000, WHOLE }, false },
    { "broadcast", make_ring, send_prepared, { 10 KIB, 100 KIB, 1000 KIB }, { 1024 }, false },
};

static void measure(const struct kind *kind, size_t size, size_t piece)
{
    now.ws = NULL;
    now.prepared = NULL;
    now.len = now.done = now.count = 0;
    now.calls = 0;
    kind->make(size);
    CALLGRIND_TOGGLE_COLLECT;
    kind->run(piece);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS;
    printf("%s %zu %zu %zu %lu\n", kind->name, size, piece == WHOLE ? 0 : piece, now.len,
           now.calls);
    if (kind->all_delivered)
        CHECK(now.done > now.len / 2 && caws_ready_state(now.ws) == CAWS_OPEN);
    caws_free(now.ws);
    caws_prepared_free(now.prepared);
    for (size_t i = 0; i < now.count; i++)
        caws_free(now.all[i]);
}

/* With a NAME, that kind alone. */
int main(int argc, char **argv)
{
    mallopt(M_MXFAST, 0); /* no measurement tidies up behind another */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int s = 0; s < 3 && kinds[i].sizes[s]; s++)
            for (int p = 0; p < 4 && kinds[i].pieces[p]; p++)
                if (argc < 2 || strcmp(argv[1], kinds[i].name) == 0)
                    measure(&kinds[i], kinds[i].sizes[s], kinds[i].pieces[p]);
    return 0;
}
