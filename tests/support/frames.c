#include "frames.h"

#include <ctype.h>

#define FRAMES_CUTS 100u

struct bytes {
    unsigned char *data;
    size_t len, cap;
};

static void add(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len + 1 > b->cap) {
        b->cap = 2 * (b->len + len) + 64;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            abort();
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

static void add_byte(struct bytes *b, unsigned byte)
{
    unsigned char c = (unsigned char)byte;
    add(b, &c, 1);
}

/* ---- Text to bytes ----------------------------------------------------- */

static unsigned hex2(const char *s)
{
    char digits[3] = { s[0], s[0] ? s[1] : '\0', '\0' };
    return (unsigned)strtoul(digits, NULL, 16);
}

static const char *read_payload(const char *s, struct bytes *to)
{
    for (int used = 1; *s && *s != ' '; s += used, used = 1) {
        unsigned long n = 0;
        if (*s == '%') {
            add_byte(to, hex2(s + 1));
            used = 3;
        } else if (*s == '#' && to->len == 0) {
            sscanf(s, "#%4lu%n", &n, &used);
            add_byte(to, (unsigned)n >> 8);
            add_byte(to, (unsigned)n & 255);
        } else if (*s == '*') {
            sscanf(s, "*%lu%n", &n, &used);
            while (n-- > 1 && to->len > 0)
                add_byte(to, to->data[to->len - 1]);
        } else {
            add_byte(to, (unsigned char)*s);
        }
    }
    return s;
}

static void add_length(struct bytes *to, uint64_t len, char form, bool masked)
{
    unsigned mask = masked ? 0x80 : 0;
    int bits = form == 'q' || (!form && len > 65535) ? 64
               : form == 'w' || (!form && len > 125) ? 16
                                                     : 0;
    add_byte(to, mask | (bits == 64 ? 127 : bits ? 126 : (unsigned)len));
    for (int shift = bits - 8; shift >= 0; shift -= 8)
        add_byte(to, (unsigned)(len >> shift) & 255);
}

static const char *read_frame(const char *s, bool masked, struct bytes *to)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    struct bytes payload = { 0 };
    unsigned first = hex2(s);
    uint64_t announced = 0;
    bool announces = false;
    char form = '\0';
    for (s += 2; *s && *s != ':' && *s != ' ';) {
        if (*s == '[') {
            char *end;
            announced = strtoull(s + 1, &end, 10);
            announces = true;
            s = end + 1;
        } else if (*s == 'u') {
            masked = !masked;
            s++;
        } else {
            form = *s++;
        }
    }
    if (*s == ':')
        s = read_payload(s + 1, &payload);
    add_byte(to, first);
    add_length(to, announces ? announced : payload.len, form, masked);
    if (masked)
        add(to, key, 4);
    for (size_t i = 0; i < payload.len; i++)
        add_byte(to, payload.data[i] ^ (masked ? key[i % 4] : 0u));
    free(payload.data);
    return s;
}

unsigned char *frames_build(const char *text, bool masked, size_t *len)
{
    struct bytes b = { 0 };
    add(&b, "", 0);
    while (*text) {
        if (*text == ' ')
            text++;
        else if (*text == '=')
            for (text++; isxdigit((unsigned char)*text); text += 2)
                add_byte(&b, hex2(text));
        else
            text = read_frame(text, masked, &b);
    }
    *len = b.len;
    return b.data;
}

/* The first bytes in one feed, then the rest in pieces. */
static int feed_cut(struct peer *p, const char *in, size_t cut, size_t piece)
{
    size_t len;
    unsigned char *data = frames_build(in, !caws_is_client(p->ws), &len);
    int result = CAWS_OK;
    if (cut > 0)
        result = peer_feed(p, data, cut);
    for (size_t at = cut; at < len; at += piece)
        result = peer_feed(p, data + at, piece < len - at ? piece : len - at);
    free(data);
    return result;
}

int frames_feed_pieces(struct peer *p, const char *text, size_t piece)
{
    return feed_cut(p, text, 0, piece);
}

int frames_feed(struct peer *p, const char *text)
{
    return frames_feed_pieces(p, text, SIZE_MAX / 2);
}

/* ---- Bytes to text ----------------------------------------------------- */

__attribute__((format(__printf__, 2, 3)))
static void print(struct bytes *to, const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    add(to, text, (size_t)vsnprintf(text, sizeof text, format, args));
    va_end(args);
}

static void show_payload(struct bytes *to, const unsigned char *data,
                         size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t run = 1;
        while (i + run < len && data[i + run] == data[i])
            run++;
        if (isalnum(data[i]) || (ispunct(data[i]) && !strchr("%*#~", data[i])))
            print(to, "%c", data[i]);
        else
            print(to, "%%%02x", data[i]);
        if (run >= 8)
            print(to, "*%zu", run);
        i += run >= 8 ? run : 1;
    }
}

/* One frame at data; how long it is, or 0 if it is cut. */
static size_t show_frame(struct bytes *to, const unsigned char *data,
                         size_t have, bool masked)
{
    size_t extended, header, len = have < 2 ? 0 : data[1] & 0x7f;
    unsigned char *plain;
    bool has_key = have >= 2 && data[1] & 0x80;
    extended = len == 126 ? 2 : len == 127 ? 8 : 0;
    header = 2 + extended + (has_key ? 4 : 0);
    if (have < header)
        return 0;
    for (size_t i = len = extended ? 0 : len; i < extended; i++)
        len = len << 8 | data[2 + i];
    if (len > have - header)
        return 0;
    plain = malloc(len + 1);
    assert_non_null(plain);
    for (size_t i = 0; i < len; i++)
        plain[i] = data[header + i] ^
                   (has_key ? data[header - 4 + i % 4] : (unsigned char)0);
    print(to, "%s%s%02x%s:", to->len ? " " : "", has_key == masked ? "" : "!",
          data[0], extended == 2 && len < 126    ? "w"
                   : extended == 8 && len < 65536 ? "q"
                                                  : "");
    if (data[0] == 0x88 && len >= 2) {
        print(to, "#%04u", (unsigned)plain[0] << 8 | plain[1]);
        show_payload(to, plain + 2, len - 2);
    } else {
        show_payload(to, plain, len);
    }
    free(plain);
    return header + len;
}

const char *frames_out(const struct peer *p)
{
    static struct bytes text;
    size_t at = 0;
    text.len = 0;
    add(&text, "", 0);
    while (at < p->out_len) {
        size_t n = show_frame(&text, p->out + at, p->out_len - at, caws_is_client(p->ws));
        if (n == 0) {
            print(&text, " (%zu bytes)", p->out_len - at);
            break;
        }
        at += n;
    }
    return (char *)text.data;
}

/* ---- Comparing --------------------------------------------------------- */

static bool matches(const char *got, const char *wanted, char stop)
{
    for (; *wanted; wanted++) {
        if (*wanted == '~') {
            while (*got && *got != stop)
                got++;
        } else if (*got++ != *wanted) {
            return false;
        }
    }
    return *got == '\0';
}

static void expect(const struct peer *p, const char *what, const char *name,
                   const char *got, const char *wanted, char stop)
{
    if (!matches(got, wanted, stop))
        fail_msg("%s (%s), %s:\n%.3000s\nwanted:\n%.3000s", name,
                 caws_is_client(p->ws) ? "client" : "server", what, got,
                 wanted);
}

void frames_expect_out(const struct peer *p, const char *name,
                       const char *wanted)
{
    expect(p, "output", name, frames_out(p), wanted, ' ');
}

void frames_expect_log(const struct peer *p, const char *name,
                       const char *wanted)
{
    expect(p, "log", name, p->log, wanted, '\n');
}

/* ---- Tables ------------------------------------------------------------ */

static unsigned code_of(int error)
{
    return error == CAWS_ERR_PROTOCOL  ? 1002
           : error == CAWS_ERR_UTF8    ? 1007
           : error == CAWS_ERR_TOO_BIG ? 1009
           : error == CAWS_ERR_LIMIT   ? 1008
                                       : 1011;
}

/* The reason of the Close is the sentence that on_error had. */
static void check_reason(const struct peer *p, const char *name)
{
    const char *out = frames_out(p), *at = strstr(out, "88:#");
    const char *sentence = strstr(p->log, "error -");
    assert_non_null(at);
    assert_non_null(sentence);
    sentence = strchr(sentence + 6, ' ') + 1;
    for (at += 8; *at; at += *at == '%' ? 3 : 1, sentence++)
        if ((*at == '%' ? (char)hex2(at + 1) : *at) != *sentence)
            fail_msg("%s: the Close says %s", name, out);
    assert_int_equal(*sentence, '\n');
}

static void check_silence(struct peer *p, const struct frames_row *r,
                          const char *log, const char *out)
{
    char last[2200];
    check_reason(p, r->name);
    assert_int_equal(frames_feed(p, "81:x 89:y 00:z 88:#1000"), r->error);
    frames_expect_log(p, r->name, log);
    frames_expect_out(p, r->name, out);
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSING);
    peer_eof(p);
    snprintf(last, sizeof last, "%sclose 1006 unclean us %d\n", log, r->error);
    frames_expect_log(p, r->name, last);
    assert_true(peer_wants(p, CAWS_WANT_CLOSE));
}

static void check_row(const struct frames_row *r, bool client,
                      const caws_config *cfg, size_t cut, size_t piece)
{
    struct peer p = { 0 };
    char log[2048], out[2048];
    int result;
    peer_open(&p, client, cfg);
    peer_forget(&p);
    result = feed_cut(&p, r->in, cut, piece);
    snprintf(log, sizeof log, "%s", r->log);
    snprintf(out, sizeof out, "%s", r->out);
    if (r->error) {
        snprintf(log, sizeof log, "%serror %d ~\n", r->log, r->error);
        snprintf(out, sizeof out, "%s%s88:#%u~", r->out, *r->out ? " " : "",
                 code_of(r->error));
    }
    frames_expect_log(&p, r->name, log);
    frames_expect_out(&p, r->name, out);
    if (result != r->error)
        fail_msg("%s: caws_feed returns %d", r->name, result);
    if (r->error)
        check_silence(&p, r, log, out);
    peer_free(&p);
}

void frames_check(const struct frames_row *rows, size_t count,
                  const caws_config *cfg)
{
    for (size_t i = 0; i < 2 * count; i++) {
        bool client = i % 2;
        const struct frames_row *r = &rows[i / 2];
        size_t len;
        free(frames_build(r->in, !client, &len));
        check_row(r, client, cfg, 0, 1);
        check_row(r, client, cfg, 0, 3);
        for (size_t cut = 0; cut < len && cut <= FRAMES_CUTS; cut++)
            check_row(r, client, cfg, cut, SIZE_MAX / 2);
    }
}

void frames_echo(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    assert_int_equal(caws_send(ws, type, data, len), CAWS_OK);
}
