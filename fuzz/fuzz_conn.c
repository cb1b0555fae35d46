/* Any bytes, either role, any splitting: no crash, no leak, and what a conn
 * reports and answers does not depend on how its input was cut.
 *
 * The first byte of the input chooses: bit 0 client, bit 1 from the opening
 * handshake on, bit 2 streaming; the second seeds the splitting. */
#include <caws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_MAX ((size_t)1 << 16)

/* What a conn did: handlers' calls and output, as one run of bytes each. */
struct trace {
    uint8_t *events, *output;
    size_t events_len, output_len;
    size_t message; /* where the streamed message under way begins */
};

static void trace_add(struct trace *t, const void *data, size_t len)
{
    if (len > TRACE_MAX - t->events_len)
        len = TRACE_MAX - t->events_len;
    if (len > 0)
        memcpy(t->events + t->events_len, data, len);
    t->events_len += len;
}

static void trace_mark(struct trace *t, char what, size_t number)
{
    trace_add(t, &what, 1);
    trace_add(t, &number, sizeof number);
}

static void on_open(caws_conn *ws)
{
    trace_mark(caws_context(ws), 'o', caws_ready_state(ws));
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    trace_mark(caws_context(ws), 'm', (size_t)type);
    trace_add(caws_context(ws), data, len);
    caws_send(ws, type, data, len);
}

/* Pieces may be cut anywhere: only their bytes and the end count; and, where
 * the message fails, not even those (a bad byte spoils the piece it is in). */
static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    struct trace *t = caws_context(ws);
    if (flags & CAWS_CHUNK_FIRST)
        t->message = t->events_len;
    trace_add(t, data, len);
    if (flags & CAWS_CHUNK_LAST)
        trace_mark(t, 'l', (size_t)type);
    if (flags & CAWS_CHUNK_LAST)
        t->message = SIZE_MAX;
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    trace_mark(caws_context(ws), 'p', len);
    trace_add(caws_context(ws), data, len);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct trace *t = caws_context(ws);
    if (strlen(detail) > 123)
        abort(); /* it is the Close frame's reason too */
    if (t->message != SIZE_MAX)
        t->events_len = t->message;
    trace_mark(t, 'e', (size_t)-error);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    trace_mark(caws_context(ws), 'c', event->code + (event->was_clean ? 100000u : 0u));
    trace_add(caws_context(ws), event->reason, event->reason_len);
}

static int fixed_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x5a, len);
    return 0;
}

static void take_output(caws_conn *ws, struct trace *t)
{
    caws_slice s;
    while (caws_output(ws, &s, 1) > 0) {
        size_t n = s.len < TRACE_MAX - t->output_len ? s.len : TRACE_MAX - t->output_len;
        memcpy(t->output + t->output_len, s.data, n);
        t->output_len += n;
        caws_output_done(ws, s.len);
    }
}

static caws_conn *make(const caws_config *cfg, uint8_t choice)
{
    bool client = choice & 1;
    if (!(choice & 2))
        return caws_new_open(client, NULL, NULL, cfg, NULL);
    return client ? caws_new_client("ws://h/", cfg, NULL) : caws_new_server(cfg, NULL);
}

/* seed 0: all in one piece. */
static void run(const uint8_t *data, size_t len, uint8_t choice, unsigned seed, struct trace *t)
{
    caws_config cfg = { .context = t, .on_open = on_open, .on_pong = on_pong,
                        .on_error = on_error, .on_close = on_close, .random = fixed_random,
                        .max_message = 5000, .max_fragments = 20, .max_buffered = 1u << 20,
                        .on_message = choice & 4 ? NULL : on_message,
                        .on_chunk = choice & 4 ? on_chunk : NULL };
    caws_conn *ws = make(&cfg, choice);
    if (!ws)
        abort();
    caws_tick(ws, 1);
    take_output(ws, t);
    while (len > 0) {
        size_t n = seed ? 1 + (seed = seed * 1103515245u + 12345u) / 65536u % 9 : len;
        uint8_t *piece = malloc(n = n < len ? n : len);
        if (!piece)
            abort();
        memcpy(piece, data, n);
        caws_feed(ws, piece, n, 1);
        free(piece);
        take_output(ws, t);
        data += n;
        len -= n;
    }
    caws_feed_eof(ws, CAWS_OK, NULL);
    take_output(ws, t);
    if (caws_ready_state(ws) != CAWS_CLOSED || caws_wants(ws) != CAWS_WANT_CLOSE)
        abort();
    caws_free(ws);
}

/* Control frames overtake data, and how far depends on when output was taken:
 * so move them, in their order, behind the rest. */
static void sort_output(struct trace *t)
{
    uint8_t *control = malloc(TRACE_MAX);
    size_t at = 0, to = 0, n = 0, head = 0;
    if (!control)
        abort();
    if (t->output_len > 4 && (!memcmp(t->output, "HTTP", 4) || !memcmp(t->output, "GET ", 4)))
        for (head = 4; head < t->output_len && memcmp(t->output + head - 4, "\r\n\r\n", 4) != 0;)
            head++;
    for (at = to = head; at + 2 <= t->output_len;) {
        const uint8_t *f = t->output + at;
        size_t size = (f[1] & 0x7fu) + 2u + (f[1] & 0x80 ? 4 : 0);
        if ((f[1] & 0x7f) == 126) /* the largest here: max_message is 5000 */
            size += 2u + (size_t)f[2] * 256 + f[3] - 126;
        if ((f[0] & 0x0f) >= 8) {
            memcpy(control + n, f, size);
            n += size;
        } else {
            memmove(t->output + to, f, size);
            to += size;
        }
        at += size;
    }
    memcpy(t->output + to, control, n);
    free(control);
}

static struct trace trace_new(void)
{
    struct trace t = { malloc(TRACE_MAX), malloc(TRACE_MAX), 0, 0, SIZE_MAX };
    if (!t.events || !t.output)
        abort();
    return t;
}

static void trace_free(struct trace *t)
{
    free(t->events);
    free(t->output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct trace whole, split;
    if (len < 2 || len > 8192) /* more could fill a trace */
        return 0;
    whole = trace_new();
    split = trace_new();
    run(data + 2, len - 2, data[0], 0, &whole);
    run(data + 2, len - 2, data[0], data[1] + 1u, &split);
    sort_output(&whole);
    sort_output(&split);
    if (whole.events_len != split.events_len || whole.output_len != split.output_len ||
        memcmp(whole.events, split.events, whole.events_len) != 0 ||
        memcmp(whole.output, split.output, whole.output_len) != 0)
        abort();
    trace_free(&whole);
    trace_free(&split);
    return 0;
}
