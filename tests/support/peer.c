#include "peer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Text and bytes that grow ------------------------------------------ */

static void *grow(void *data, size_t *cap, size_t need)
{
    if (need <= *cap)
        return data;
    *cap = need * 2 + 256;
    data = realloc(data, *cap);
    if (!data)
        abort();
    return data;
}

__attribute__((format(__printf__, 2, 3)))
static void say(struct peer *p, const char *format, ...)
{
    va_list args;
    int n;
    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    p->log = grow(p->log, &p->log_cap, p->log_len + (size_t)n + 1);
    va_start(args, format);
    vsnprintf(p->log + p->log_len, (size_t)n + 1, format, args);
    va_end(args);
    p->log_len += (size_t)n;
}

static void say_bytes(struct peer *p, const unsigned char *data, size_t len,
                      bool text)
{
    static const char digits[] = "0123456789abcdef";
    p->log = grow(p->log, &p->log_cap, p->log_len + 4 * len + 1);
    for (size_t i = 0; i < len; i++) {
        if (text && isprint(data[i])) {
            p->log[p->log_len++] = (char)data[i];
            continue;
        }
        if (text)
            p->log_len += (size_t)sprintf(p->log + p->log_len, "\\x");
        p->log[p->log_len++] = digits[data[i] >> 4];
        p->log[p->log_len++] = digits[data[i] & 15];
    }
    p->log[p->log_len] = '\0';
}

/* ---- Handlers ---------------------------------------------------------- */

static struct peer *of(caws_conn *ws)
{
    return caws_context(ws);
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    struct peer *p = of(ws);
    say(p, "request %.*s %.*s %s\n", (int)req->method.len, req->method.data,
        (int)req->target.len, req->target.data,
        req->upgrade ? "upgrade" : "plain");
    return p->user.on_request ? p->user.on_request(ws, req) : p->answer;
}

static void on_open(caws_conn *ws)
{
    struct peer *p = of(ws);
    say(p, "open\n");
    if (p->user.on_open)
        p->user.on_open(ws);
}

static void on_message(caws_conn *ws, caws_type type, const void *data,
                       size_t len)
{
    struct peer *p = of(ws);
    bool text = type == CAWS_TEXT;
    say(p, "%s %zu%s", text ? "text" : "binary", len, len ? " " : "");
    say_bytes(p, data, len, text);
    say(p, "\n");
    if (p->user.on_message)
        p->user.on_message(ws, type, data, len);
}

static void on_chunk(caws_conn *ws, caws_type type, const void *data,
                     size_t len, unsigned flags)
{
    struct peer *p = of(ws);
    bool text = type == CAWS_TEXT;
    say(p, "chunk %s %s%s%s %zu%s", text ? "text" : "binary",
        flags & CAWS_CHUNK_FIRST ? "F" : "", flags & CAWS_CHUNK_LAST ? "L" : "",
        flags ? "" : "-", len, len ? " " : "");
    say_bytes(p, data, len, text);
    say(p, "\n");
    if (p->user.on_chunk)
        p->user.on_chunk(ws, type, data, len, flags);
}

static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    struct peer *p = of(ws);
    if (!p->quiet_pings) {
        say(p, "ping %zu%s", len, len ? " " : "");
        say_bytes(p, data, len, false);
        say(p, "\n");
    }
    if (p->user.on_ping)
        p->user.on_ping(ws, data, len);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    struct peer *p = of(ws);
    if (!p->quiet_pings) {
        say(p, "pong %zu%s", len, len ? " " : "");
        say_bytes(p, data, len, false);
        say(p, "\n");
    }
    if (p->user.on_pong)
        p->user.on_pong(ws, data, len);
}

static void on_drain(caws_conn *ws)
{
    struct peer *p = of(ws);
    say(p, "drain\n");
    if (p->user.on_drain)
        p->user.on_drain(ws);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct peer *p = of(ws);
    say(p, "error %d %s\n", error, detail);
    if (p->user.on_error)
        p->user.on_error(ws, error, detail);
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    static const char *const who[] = { "peer", "us", "transport" };
    struct peer *p = of(ws);
    say(p, "close %u %s %s %d%s%s\n", e->code,
        e->was_clean ? "clean" : "unclean", who[e->ended_by], e->error,
        e->reason_len ? " " : "", e->reason);
    if (strlen(e->reason) != e->reason_len)
        say(p, "reason_len is wrong\n");
    if (p->user.on_close)
        p->user.on_close(ws, e);
}

/* ---- Birth and death --------------------------------------------------- */

static void count_change(caws_conn *ws)
{
    of(ws)->changed++;
}

static int fixed_random(void *ctx, void *out, size_t len)
{
    struct peer *p = ctx;
    for (size_t i = 0; i < len; i++) {
        p->random = p->random * 1664525u + 1013904223u;
        ((unsigned char *)out)[i] = (unsigned char)(p->random >> 24);
    }
    return 0;
}

void peer_init(struct peer *p)
{
    memset(p, 0, sizeof *p);
}

static void prepare(struct peer *p, const caws_config *cfg)
{
    struct peer kept = *p;
    memset(p, 0, sizeof *p);
    p->answer = kept.answer;
    p->quiet_pings = kept.quiet_pings;
    p->stream = kept.stream;
    p->one_output = kept.one_output;
    p->hold_output = kept.hold_output;
    p->now = kept.now ? kept.now : 1000;
    p->random = kept.random ? kept.random : 1;
    if (cfg)
        p->user = p->cfg = *cfg;
    p->cfg.context = p;
    p->cfg.on_request = on_request;
    p->cfg.on_open = on_open;
    p->cfg.on_message = p->stream ? NULL : on_message;
    p->cfg.on_chunk = p->stream ? on_chunk : NULL;
    p->cfg.on_ping = on_ping;
    p->cfg.on_pong = on_pong;
    p->cfg.on_drain = on_drain;
    p->cfg.on_error = on_error;
    p->cfg.on_close = on_close;
    if (!p->cfg.random) {
        p->cfg.random = fixed_random;
        p->cfg.random_ctx = p;
    }
    p->transport.changed = count_change;
    p->transport.counters = &p->counters;
    say(p, "%s", "");
}

static void first_tick(struct peer *p)
{
    if (!p->ws)
        return;
    caws_tick(p->ws, p->now);
    if (!p->hold_output)
        peer_take(p);
}

/* A test that sets no field before needs no peer_init: an unset *p would be
 * garbage, so the constructors take it as it is only if it was zeroed. */
void peer_open(struct peer *p, bool client, const caws_config *cfg)
{
    prepare(p, cfg);
    p->ws = caws_new_open(client, NULL, NULL, &p->cfg, &p->transport);
    first_tick(p);
}

void peer_server(struct peer *p, const caws_config *cfg)
{
    prepare(p, cfg);
    p->ws = caws_new_server(&p->cfg, &p->transport);
    first_tick(p);
}

void peer_client(struct peer *p, const char *url, const caws_config *cfg)
{
    prepare(p, cfg);
    p->ws = caws_new_client(url, &p->cfg, &p->transport);
    first_tick(p);
}

void peer_free(struct peer *p)
{
    caws_free(p->ws);
    free(p->log);
    free(p->out);
    p->ws = NULL;
    p->log = NULL;
    p->out = NULL;
}

/* ---- Output ------------------------------------------------------------ */

static void keep(struct peer *p, const void *data, size_t len)
{
    p->out = grow(p->out, &p->out_cap, p->out_len + len + 1);
    memcpy(p->out + p->out_len, data, len);
    p->out_len += len;
    p->out[p->out_len] = '\0';
}

size_t peer_take_some(struct peer *p, size_t n)
{
    caws_slice s;
    size_t taken = 0;
    while (taken < n && caws_output(p->ws, &s, 1) == 1) {
        size_t step = s.len < n - taken ? s.len : n - taken;
        keep(p, s.data, step);
        taken += step;
        caws_output_done(p->ws, step);
    }
    return taken;
}

void peer_take(struct peer *p)
{
    if (p->one_output)
        while (peer_take_some(p, p->one_output) > 0)
            ;
    else
        peer_take_some(p, SIZE_MAX);
}

void peer_forget(struct peer *p)
{
    p->log_len = p->out_len = 0;
    p->log[0] = '\0';
    if (p->out)
        p->out[0] = '\0';
}

bool peer_wants(const struct peer *p, unsigned wants)
{
    return caws_wants(p->ws) == wants;
}

/* ---- Input ------------------------------------------------------------- */

int peer_feed(struct peer *p, const void *data, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);
    int result;
    if (!copy)
        abort();
    if (len)
        memcpy(copy, data, len);
    result = caws_feed(p->ws, copy, len, p->now);
    free(copy);
    if (!p->hold_output)
        peer_take(p);
    return result;
}

int peer_feed_text(struct peer *p, const char *text)
{
    return peer_feed(p, text, strlen(text));
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

int peer_feed_hex(struct peer *p, const char *hex)
{
    unsigned char *bytes = malloc(strlen(hex) / 2 + 1);
    size_t n = 0;
    int result;
    if (!bytes)
        abort();
    while (*hex) {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        bytes[n++] = (unsigned char)(digit(hex[0]) << 4 | digit(hex[1]));
        hex += 2;
    }
    result = peer_feed(p, bytes, n);
    free(bytes);
    return result;
}

int peer_feed_bytewise(struct peer *p, const void *data, size_t len)
{
    int result = CAWS_OK;
    for (size_t i = 0; i < len; i++)
        result = peer_feed(p, (const unsigned char *)data + i, 1);
    return result;
}

void peer_eof(struct peer *p)
{
    caws_feed_eof(p->ws, CAWS_OK, NULL);
    if (!p->hold_output)
        peer_take(p);
}

void peer_tick(struct peer *p, uint64_t ms_later)
{
    p->now += ms_later;
    caws_tick(p->ws, p->now);
    if (!p->hold_output)
        peer_take(p);
}

/* ---- Frames ------------------------------------------------------------ */

size_t peer_frame(unsigned char *out, unsigned first, const void *payload,
                  size_t len, bool masked)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t n = 0;
    unsigned mask = masked ? 0x80 : 0;
    out[n++] = (unsigned char)first;
    if (len < 126) {
        out[n++] = (unsigned char)(mask | len);
    } else if (len < 65536) {
        out[n++] = (unsigned char)(mask | 126);
        out[n++] = (unsigned char)(len >> 8);
        out[n++] = (unsigned char)len;
    } else {
        out[n++] = (unsigned char)(mask | 127);
        for (int i = 7; i >= 0; i--)
            out[n++] = (unsigned char)((uint64_t)len >> 8 * i);
    }
    if (masked) {
        memcpy(out + n, key, 4);
        n += 4;
    }
    for (size_t i = 0; i < len; i++)
        out[n++] = ((const unsigned char *)payload)[i] ^
                   (masked ? key[i % 4] : 0);
    return n;
}

int peer_feed_frame(struct peer *p, unsigned first, const void *payload,
                    size_t len)
{
    unsigned char *frame = malloc(len + 14);
    size_t n;
    int result;
    if (!frame)
        abort();
    n = peer_frame(frame, first, payload, len, !caws_is_client(p->ws));
    result = peer_feed(p, frame, n);
    free(frame);
    return result;
}

int peer_feed_frame_text(struct peer *p, unsigned first, const char *payload)
{
    return peer_feed_frame(p, first, payload, strlen(payload));
}

/* ---- Looking at the output --------------------------------------------- */

static const char *hex_of(const unsigned char *data, size_t len)
{
    static char *text;
    static size_t cap;
    text = grow(text, &cap, len * 2 + 1);
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    text[2 * len] = '\0';
    return text;
}

const char *peer_out_hex(const struct peer *p)
{
    return hex_of(p->out, p->out_len);
}

struct frame {
    unsigned first;
    const unsigned char *key, *payload;
    size_t len;
};

/* Cut the frame at *at out of the output; false at its end. */
static bool next_frame(const struct peer *p, size_t *at, struct frame *f)
{
    const unsigned char *b = p->out + *at;
    size_t left = p->out_len - *at, n = 2, extra;
    if (left < 2)
        return false;
    f->first = b[0];
    f->len = b[1] & 0x7f;
    extra = f->len == 126 ? 2 : f->len == 127 ? 8 : 0;
    if (extra)
        f->len = 0;
    for (size_t i = 0; i < extra; i++)
        f->len = f->len << 8 | b[n++];
    f->key = b[1] & 0x80 ? b + n : NULL;
    if (f->key)
        n += 4;
    f->payload = b + n;
    *at += n + f->len;
    return *at <= p->out_len;
}

static size_t skip_head(const struct peer *p)
{
    const char *end;
    if (!peer_out_starts(p, "HTTP/") && !peer_out_starts(p, "GET "))
        return 0;
    end = strstr((const char *)p->out, "\r\n\r\n");
    return end ? (size_t)(end - (const char *)p->out) + 4 : p->out_len;
}

const char *peer_out_unmasked_hex(const struct peer *p)
{
    unsigned char *plain = malloc(p->out_len + 1);
    size_t at = skip_head(p), n = 0;
    struct frame f;
    const char *hex;
    if (!plain)
        abort();
    while (next_frame(p, &at, &f)) {
        unsigned char header[14];
        size_t h = peer_frame(header, f.first, "", 0, false);
        if (f.len < 126) {
            header[1] = (unsigned char)f.len;
        } else if (f.len < 65536) {
            header[1] = 126;
            header[2] = (unsigned char)(f.len >> 8);
            header[3] = (unsigned char)f.len;
            h = 4;
        } else {
            header[1] = 127;
            for (int i = 0; i < 8; i++)
                header[2 + i] = (unsigned char)((uint64_t)f.len >> (56 - 8 * i));
            h = 10;
        }
        memcpy(plain + n, header, h);
        n += h;
        for (size_t i = 0; i < f.len; i++)
            plain[n++] = f.payload[i] ^ (f.key ? f.key[i % 4] : 0);
    }
    hex = hex_of(plain, n);
    free(plain);
    return hex;
}

bool peer_out_starts(const struct peer *p, const char *text)
{
    size_t n = strlen(text);
    return p->out_len >= n && memcmp(p->out, text, n) == 0;
}

bool peer_out_has(const struct peer *p, const char *text)
{
    return p->out_len > 0 &&
           memmem(p->out, p->out_len, text, strlen(text)) != NULL;
}

int peer_out_status(const struct peer *p)
{
    return peer_out_starts(p, "HTTP/1.1 ") ? atoi((char *)p->out + 9) : 0;
}

int peer_out_close(const struct peer *p)
{
    size_t at = skip_head(p);
    struct frame f;
    while (next_frame(p, &at, &f)) {
        unsigned char code[2];
        if (f.first != 0x88)
            continue;
        if (at != p->out_len)
            return -1;
        if (f.len == 0)
            return 1005;
        for (int i = 0; i < 2; i++)
            code[i] = f.payload[i] ^ (f.key ? f.key[i] : 0);
        return code[0] << 8 | code[1];
    }
    return 0;
}

bool peer_log_has(const struct peer *p, const char *line_part)
{
    return strstr(p->log, line_part) != NULL;
}

unsigned peer_log_count(const struct peer *p, const char *line_part)
{
    unsigned n = 0;
    for (const char *s = p->log; (s = strstr(s, line_part)) != NULL; s++)
        n++;
    return n;
}

void peer_response_lines(const struct peer *p, char *to, size_t size)
{
    const char *key = strstr((const char *)p->out, "Sec-WebSocket-Key: ");
    char accept[29] = "";
    if (key)
        caws_accept_key(key + 19, 24, accept);
    snprintf(to, size,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
             accept);
}

/* ---- The counting allocator -------------------------------------------- */

static void *count_resize(void *ctx, void *ptr, size_t old_size,
                          size_t new_size)
{
    struct peer_alloc *a = ctx;
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    if (block && block[0] != old_size) {
        fprintf(stderr, "old_size %zu, but the block has %zu\n", old_size,
                block[0]);
        abort();
    }
    if (!block && old_size != 0)
        abort();
    if (new_size > 0) {
        a->calls++;
        if (a->fail_at && (a->calls == a->fail_at ||
                           (a->fail_on && a->calls > a->fail_at))) {
            a->failed++;
            return NULL;
        }
    }
    a->bytes -= old_size;
    if (new_size == 0) {
        a->blocks -= block != NULL;
        free(block);
        return NULL;
    }
    /* Always moves, so that a stale pointer into the old block is seen. */
    {
        size_t *fresh = malloc(2 * sizeof *fresh + new_size);
        if (!fresh)
            abort();
        fresh[0] = new_size;
        memset(fresh + 2, 0xa5, new_size);
        if (block)
            memcpy(fresh + 2, ptr, old_size < new_size ? old_size : new_size);
        else
            a->blocks++;
        free(block);
        a->bytes += new_size;
        if (a->bytes > a->peak)
            a->peak = a->bytes;
        return fresh + 2;
    }
}

caws_alloc peer_counting(struct peer_alloc *a)
{
    return (caws_alloc){ count_resize, a };
}

void *peer_no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)ptr;
    (void)old_size;
    (void)new_size;
    return NULL;
}
