/* RFC 6455 section 2: any implementation will do whose results are the same.
 * So random scripts of frames run through the library, in two pieces, and
 * through a model that takes each step as the RFC words it. */
#include "upgrade.h"

enum { SCRIPTS = 1000000, MAX_FRAMES = 6, MAX_MESSAGE = 24, MAX_FRAGMENTS = 4 };

static uint32_t seed = 6455;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

/* ---- Scripts ----------------------------------------------------------- */

struct frame {
    unsigned first; /* FIN, RSV, opcode */
    unsigned char payload[160];
    size_t len;
    bool wrong_mask, wide; /* wide: its length takes more bytes than it needs */
};

static void random_text(struct frame *f, size_t len)
{
    static const char *const bits[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                        "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\xe2", "\xed\xa0",
                                        "\xc0", "\x80", "\xf4\x90", "\xf0\x9f", "\x98\x80" };
    f->len = 0;
    while (f->len < len) {
        const char *bit = bits[random_below(8) ? random_below(6) : random_below(13)];
        memcpy(f->payload + f->len, bit, strlen(bit));
        f->len += strlen(bit);
    }
}

static void random_close(struct frame *f)
{
    static const uint16_t codes[] = { 1000, 1001, 1004, 1005, 1006, 1011, 1014, 1015,
                                      2999, 3000, 4999, 5000, 999,  0,    65535 };
    uint16_t code = codes[random_below(3) ? random_below(2) : random_below(15)];
    random_text(f, random_below(4) ? 0 : 5);
    memmove(f->payload + 2, f->payload, f->len);
    f->payload[0] = (unsigned char)(code >> 8);
    f->payload[1] = (unsigned char)code;
    f->len = random_below(8) ? f->len + 2 : random_below(2);
}

static void random_frame(struct frame *f, bool in_message)
{
    static const unsigned opcodes[] = { 1, 2, 1, 9, 10, 0, 9, 8 };
    unsigned opcode = opcodes[random_below(8)];
    *f = (struct frame){ .first = 0 };
    if (random_below(60) == 0)
        opcode = random_below(16);
    else if (in_message && (opcode == 1 || opcode == 2) && random_below(20))
        opcode = 0;
    else if (!in_message && opcode == 0 && random_below(10))
        opcode = 2;
    random_text(f, random_below(40) ? random_below(12) : 120 + random_below(10));
    if (opcode == 8)
        random_close(f);
    f->first = opcode | (opcode >= 8 || random_below(3) ? 0x80u : 0);
    if (random_below(80) == 0)
        f->first ^= 0x10u << random_below(4);
    f->wrong_mask = random_below(150) == 0;
    f->wide = random_below(150) == 0;
}

static size_t put(unsigned char *to, const struct frame *f, bool masked)
{
    unsigned char frame[192];
    size_t n = peer_frame(frame, f->first, f->payload, f->len, masked != f->wrong_mask);
    size_t header = n - f->len;
    if (!f->wide || f->len > 125) {
        memcpy(to, frame, n);
        return n;
    }
    to[0] = frame[0];
    to[1] = (frame[1] & 0x80) | 126;
    to[2] = 0;
    to[3] = (unsigned char)f->len;
    memcpy(to + 4, frame + 2, header - 2 + f->len);
    return n + 2;
}

/* ---- What happened ----------------------------------------------------- */

struct trace {
    unsigned char events[1024], out[1024];
    size_t event_len, out_len;
    uint16_t failed_with; /* the code of the Close at the end of out */
};

static void note(struct trace *t, char what, unsigned number, const void *data, size_t len)
{
    unsigned char *to = t->events + t->event_len;
    to[0] = (unsigned char)what;
    to[1] = (unsigned char)(number >> 8);
    to[2] = (unsigned char)number;
    to[3] = (unsigned char)len;
    if (len > 0)
        memcpy(to + 4, data, len);
    t->event_len += 4 + len;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    note(caws_user(ws), 'M', type, data, len);
}

static void on_ping(caws_conn *ws, const void *data, size_t len)
{
    note(caws_user(ws), 'I', 0, data, len);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    note(caws_user(ws), 'O', 0, data, len);
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    (void)detail;
    note(caws_user(ws), 'E', (unsigned)-error, NULL, 0);
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    note(caws_user(ws), e->was_clean ? 'C' : 'U', e->code, e->reason, e->reason_len);
}

/* ---- The model --------------------------------------------------------- */

struct model {
    struct trace *trace;
    bool client, over;
    unsigned type, fragments; /* of the message under way; 0: none */
    unsigned char message[256];
    size_t len;
};

static bool is_code_point(const unsigned char *s, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return false;
        c = c << 6 | (s[i] & 0x3f);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* 1: UTF-8. 0: not yet, but more bytes could make it so. -1: never. */
static int judge_text(const unsigned char *s, size_t len)
{
    while (len > 0) {
        size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : 4;
        unsigned char low[4] = { 0x80, 0x80, 0x80, 0x80 }, high[4] = { 0xbf, 0xbf, 0xbf, 0xbf };
        if (s[0] >= 0x80 && (s[0] < 0xc0 || s[0] >= 0xf8))
            return -1;
        if (n > len) {
            memcpy(low, s, len);
            memcpy(high, s, len);
            return is_code_point(low, n) || is_code_point(high, n) ? 0 : -1;
        }
        if (!is_code_point(s, n))
            return -1;
        s += n;
        len -= n;
    }
    return 1;
}

static void model_send(struct model *m, unsigned opcode, const void *payload, size_t len)
{
    unsigned char *to = m->trace->out + m->trace->out_len;
    *to++ = (unsigned char)(0x80 | opcode);
    *to++ = (unsigned char)(len | (m->client ? 0x80 : 0));
    if (m->client)
        to = (unsigned char *)memset(to, 0, 4) + 4; /* this test's masking key */
    if (len > 0)
        memcpy(to, payload, len);
    m->trace->out_len = (size_t)(to + len - m->trace->out);
}

static void model_fail(struct model *m, int error, uint16_t code)
{
    note(m->trace, 'E', (unsigned)-error, NULL, 0);
    note(m->trace, 'U', 1006, NULL, 0);
    m->trace->failed_with = code;
    m->over = true;
}

/* Sections 7.4 and 5.5.1 */
static void model_close(struct model *m, const struct frame *f)
{
    unsigned code = f->len < 2 ? 1005 : (unsigned)f->payload[0] << 8 | f->payload[1];
    bool sendable = f->len == 0 || (code >= 1000 && code <= 1003) ||
                    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    if (!sendable)
        model_fail(m, CAWS_ERR_PROTOCOL, 1002);
    else if (f->len > 2 && judge_text(f->payload + 2, f->len - 2) != 1)
        model_fail(m, CAWS_ERR_UTF8, 1007);
    else {
        model_send(m, 8, f->payload, f->len ? 2 : 0);
        note(m->trace, 'C', code, f->payload + 2, f->len ? f->len - 2 : 0);
        m->over = true;
    }
}

/* Sections 5.4 and 8.1 */
static void model_data(struct model *m, const struct frame *f)
{
    unsigned opcode = f->first & 15;
    if ((opcode == 0) != (m->fragments > 0)) {
        model_fail(m, CAWS_ERR_PROTOCOL, 1002);
        return;
    }
    m->type = opcode ? opcode : m->type;
    m->len = opcode ? 0 : m->len;
    if (++m->fragments > MAX_FRAGMENTS) {
        model_fail(m, CAWS_ERR_LIMIT, 1008);
        return;
    }
    if (m->len + f->len > MAX_MESSAGE) {
        model_fail(m, CAWS_ERR_TOO_BIG, 1009);
        return;
    }
    memcpy(m->message + m->len, f->payload, f->len);
    m->len += f->len;
    if (m->type == 1 && judge_text(m->message, m->len) < (f->first >> 7 ? 1 : 0)) {
        model_fail(m, CAWS_ERR_UTF8, 1007);
    } else if (f->first >> 7) {
        note(m->trace, 'M', m->type, m->message, m->len);
        m->fragments = 0;
    }
}

/* Section 5.2, then 5.5 */
static void model_step(struct model *m, const struct frame *f)
{
    unsigned opcode = f->first & 15;
    bool control = opcode >= 8, reserved = (opcode > 2 && opcode < 8) || opcode > 10;
    if (f->first & 0x70 || reserved || f->wrong_mask || (f->wide && f->len < 126) ||
        (control && (f->len > 125 || !(f->first & 0x80)))) {
        model_fail(m, CAWS_ERR_PROTOCOL, 1002);
    } else if (opcode == 8) {
        model_close(m, f);
    } else if (opcode == 9) {
        note(m->trace, 'I', 0, f->payload, f->len);
        model_send(m, 10, f->payload, f->len);
    } else if (opcode == 10) {
        note(m->trace, 'O', 0, f->payload, f->len);
    } else {
        model_data(m, f);
    }
}

/* ---- The library ------------------------------------------------------- */

static int zeros(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return 0;
}

static void run(bool client, unsigned char *data, size_t len, struct trace *t)
{
    static const caws_config cfg = {
        .on_message = on_message, .on_ping = on_ping, .on_pong = on_pong,
        .on_error = on_error, .on_close = on_close, .random = zeros,
        .max_message = MAX_MESSAGE, .max_fragments = MAX_FRAGMENTS,
    };
    caws_conn *ws = caws_new_open(client, NULL, NULL, &cfg, NULL);
    size_t split = random_below((uint32_t)len + 1);
    caws_slice s;
    assert_non_null(ws);
    caws_set_user(ws, t);
    caws_feed(ws, data, split, 0);
    caws_feed(ws, data + split, len - split, 0);
    while (caws_output(ws, &s, 1) == 1) {
        memcpy(t->out + t->out_len, s.data, s.len);
        t->out_len += s.len;
        caws_output_done(ws, s.len);
    }
    caws_feed_eof(ws, CAWS_OK, NULL);
    caws_free(ws);
}

static bool is_same(const struct trace *want, const struct trace *got)
{
    size_t n = want->out_len;
    if (want->event_len != got->event_len ||
        memcmp(want->events, got->events, want->event_len) != 0 || got->out_len < n ||
        memcmp(want->out, got->out, n) != 0)
        return false;
    if (want->failed_with) { /* one Close, whose reason is the library's own */
        const unsigned char *close = got->out + n;
        size_t mask = close[1] & 0x80 ? 4 : 0;
        return got->out_len >= n + 4 && close[0] == 0x88 &&
               got->out_len == n + 2 + mask + (close[1] & 0x7f) &&
               (close[2 + mask] << 8 | close[3 + mask]) == want->failed_with;
    }
    return got->out_len == n;
}

static void model_and_library_agree(void **state)
{
    static struct trace want, got;
    static unsigned char data[MAX_FRAMES * 192];
    unsigned ended[3] = { 0, 0, 0 };
    (void)state;
    for (int i = 0; i < SCRIPTS; i++) {
        struct model m = { .trace = &want, .client = i % 2 };
        size_t len = 0;
        uint32_t begin = seed;
        want.event_len = want.out_len = got.event_len = got.out_len = want.failed_with = 0;
        for (uint32_t n = 1 + random_below(MAX_FRAMES); n > 0; n--) {
            struct frame f;
            random_frame(&f, m.fragments > 0);
            len += put(data + len, &f, !m.client);
            if (!m.over)
                model_step(&m, &f);
        }
        if (!m.over) {
            note(&want, 'E', (unsigned)-CAWS_ERR_EOF, NULL, 0);
            note(&want, 'U', 1006, NULL, 0);
        }
        run(m.client, data, len, &got);
        /* REQ 2-1 */
        if (!is_same(&want, &got))
            fail_msg("script %d, seed %u", i, begin);
        ended[m.over ? want.failed_with ? 2 : 1 : 0]++;
    }
    for (int i = 0; i < 3; i++)
        assert_true(ended[i] > SCRIPTS / 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(model_and_library_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
