/* Segmentation never matters: each recorded exchange, whole, byte by byte and
 * cut at every single point, with the output taken whole and byte by byte,
 * gives the same events and the same output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchanges.h"

#define BYTEWISE SIZE_MAX

struct way {
    bool client, stream;
    size_t one_output; /* as in struct peer */
    size_t cut;        /* 0: whole; BYTEWISE; else where */
};

struct result {
    char *log;
    unsigned char *out;
    size_t out_len;
    int close, status;
    caws_state state;
};

static const struct exchange *playing;

/* Of all results so far: the same on every platform (make platforms). */
static uint64_t digest = 14695981039346656037u;

static void add_to_digest(const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        digest = (digest ^ ((const unsigned char *)data)[i]) * 1099511628211u;
}

/* ---- The application --------------------------------------------------- */

static void act(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    if (type != CAWS_BINARY)
        return;
    if (playing->act == EXCHANGE_CLOSE)
        assert_int_equal(caws_close(ws, 3000, "done"), CAWS_OK);
    if (playing->act == EXCHANGE_PAUSE)
        caws_pause(ws);
    if (playing->act == EXCHANGE_ECHO)
        assert_int_equal(caws_send(ws, type, data, len), CAWS_OK);
}

static void act_at_end(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    if (flags & CAWS_CHUNK_LAST)
        act(ws, type, data, len);
}

/* ---- One run ----------------------------------------------------------- */

static void begin(struct peer *p, const struct exchange *e, const struct way *w)
{
    caws_config cfg = e->cfg;
    cfg.on_message = act;
    cfg.on_chunk = act_at_end;
    peer_init(p);
    p->answer = e->answer;
    p->stream = w->stream;
    p->one_output = w->one_output;
    if (e->start == EXCHANGE_OPEN)
        peer_open(p, w->client, &cfg);
    else if (e->start == EXCHANGE_SERVER)
        peer_server(p, &cfg);
    else
        peer_client(p, "ws://server.example.com/chat", &cfg);
}

/* What the application has put off, then the peer's end. */
static void end(struct peer *p, const struct exchange *e)
{
    if (e->act == EXCHANGE_PAUSE && caws_ready_state(p->ws) == CAWS_OPEN)
        caws_resume(p->ws);
    if (e->answer == CAWS_LATER)
        assert_int_equal(caws_accept(p->ws), CAWS_OK);
    peer_tick(p, 0);
    peer_take(p);
    peer_eof(p);
}

/* act -1: the last frame is masked the wrong way round. */
static size_t bytes_of(const struct exchange *e, const struct peer *p, bool client,
                       unsigned char **bytes, size_t marks[11])
{
    size_t n = exchange_bytes(e, p, client, bytes, marks);
    if (e->act == -1) {
        marks[n] = marks[n - 1] + peer_frame(*bytes + marks[n - 1], 0x81, "!", 1, client);
    }
    return n;
}

static struct result run(const struct exchange *e, const struct way *w)
{
    struct peer p;
    struct result r;
    unsigned char *bytes;
    size_t marks[11], size;
    playing = e;
    begin(&p, e, w);
    size = marks[bytes_of(e, &p, w->client, &bytes, marks)];
    if (w->cut == BYTEWISE) {
        peer_feed_bytewise(&p, bytes, size);
    } else if (w->cut == 0) {
        peer_feed(&p, bytes, size);
    } else {
        peer_feed(&p, bytes, w->cut);
        peer_feed(&p, bytes + w->cut, size - w->cut);
    }
    end(&p, e);
    r.log = exchange_log(p.log);
    r.close = peer_out_close(&p);
    r.status = peer_out_status(&p);
    r.state = caws_ready_state(p.ws);
    r.out = p.out;
    r.out_len = p.out_len;
    p.out = NULL;
    peer_free(&p);
    free(bytes);
    return r;
}

static void result_free(struct result *r)
{
    free(r->log);
    free(r->out);
}

/* ---- All ways ---------------------------------------------------------- */

static void describe(const struct exchange *e, const struct way *w)
{
    print_error("\"%s\", %s, %s, cut at %zd, output %s\n", e->name, w->client ? "client" : "server",
                w->stream ? "streamed" : "whole messages", (ssize_t)w->cut,
                w->one_output ? "byte by byte" : "whole");
}

static void compare(const struct exchange *e, const struct way *w, const struct result *expected)
{
    struct result r = run(e, w);
    if (strcmp(r.log, expected->log) != 0 || r.out_len != expected->out_len ||
        (r.out_len && memcmp(r.out, expected->out, r.out_len) != 0) || r.state != expected->state) {
        describe(e, w);
        if (r.out_len < 1000 && strlen(r.log) < 1000)
            print_error("%s%zu bytes\nbut expected\n%s%zu bytes\n", r.log, r.out_len,
                        expected->log, expected->out_len);
        fail_msg("another result");
    }
    result_free(&r);
}

/* The whole exchange in one feed gives what the table says. */
static struct result reference(const struct exchange *e, bool client)
{
    struct way whole = { client, false, 0, 0 };
    struct result r = run(e, &whole);
    if ((e->log && strcmp(r.log, e->log) != 0) || r.close != e->close || r.status != e->status) {
        describe(e, &whole);
        print_error("%sclose %d status %d\nbut expected\n%sclose %d status %d\n", r.log, r.close,
                    r.status, e->log ? e->log : "", e->close, e->status);
        fail_msg("not as recorded");
    }
    add_to_digest(r.log, strlen(r.log) + 1);
    add_to_digest(r.out, r.out_len);
    return r;
}

/* Long payloads are cut near the frames' ends, and here and there. */
static bool worth_a_cut(size_t at, const size_t *marks, size_t n)
{
    if (marks[n] < 2000 || at % 9973 == 0)
        return true;
    for (size_t i = 0; i <= n; i++)
        if (at + 2 >= marks[i] && at <= marks[i] + 15)
            return true;
    return false;
}

static void try_all_ways(const struct exchange *e, bool client, bool stream)
{
    struct result expected = reference(e, client);
    unsigned char *bytes;
    size_t marks[11], n;
    struct peer p;
    struct way w = { client, stream, 0, 0 };
    begin(&p, e, &w);
    n = bytes_of(e, &p, client, &bytes, marks);
    peer_free(&p);
    free(bytes);
    for (w.one_output = 0; w.one_output < 2; w.one_output++) {
        w.cut = BYTEWISE;
        compare(e, &w, &expected);
        for (w.cut = 0; w.cut < marks[n]; w.cut++)
            if (worth_a_cut(w.cut, marks, n))
                compare(e, &w, &expected);
    }
    result_free(&expected);
}

static void try_role(bool client, bool stream)
{
    for (size_t i = 0; i < exchange_count; i++) {
        const struct exchange *e = &exchanges[i];
        bool other = client ? e->start == EXCHANGE_SERVER : e->start == EXCHANGE_CLIENT;
        if (!other && !(stream && e->act == EXCHANGE_ECHO)) /* pieces are no echo */
            try_all_ways(e, client, stream);
    }
    print_message("digest of the exchanges: %016llx\n", (unsigned long long)digest);
}

static void test_server_with_whole_messages(void **state)
{
    (void)state;
    /* REQ 5.2-12, FRAME-3 */
    try_role(PEER_SERVER, false);
}

static void test_client_with_whole_messages(void **state)
{
    (void)state;
    /* REQ 5.2-12, FRAME-3 */
    try_role(PEER_CLIENT, false);
}

static void test_server_streaming(void **state)
{
    (void)state;
    try_role(PEER_SERVER, true);
}

static void test_client_streaming(void **state)
{
    (void)state;
    try_role(PEER_CLIENT, true);
}

/* ---- Requests with random faults --------------------------------------- */

static unsigned draw(uint64_t *random, size_t below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((*random >> 33) % below);
}

/* One or two bytes are replaced, removed or doubled. */
static size_t spoil(char *text, size_t len, uint64_t *random)
{
    static const char often[] = "\r\n :,/H1\t\"=\0\xff";
    for (unsigned i = draw(random, 2); i < 2; i++) {
        size_t at = draw(random, len), what = draw(random, 4);
        if (what < 2)
            text[at] = often[draw(random, sizeof often)];
        else
            memmove(text + at + (what == 2), text + at + (what == 3), len - at);
        len = len + (what == 2) - (what == 3);
    }
    return len;
}

static struct result run_request(const char *text, size_t len, uint64_t *random)
{
    struct result r = { 0 };
    struct peer p;
    peer_init(&p);
    peer_server(&p, NULL);
    for (size_t at = 0, n; at < len; at += n) {
        n = random ? 1 + draw(random, 1 + draw(random, len - at)) : len - at;
        peer_feed(&p, text + at, n);
    }
    r.log = strdup(p.log); /* with the sentence that says why */
    r.out = p.out;
    r.out_len = p.out_len;
    p.out = NULL;
    peer_free(&p);
    return r;
}

static void test_spoiled_requests(void **state)
{
    static const char request[] = PEER_REQUEST_LINES "Sec-WebSocket-Extensions: a; b=\"c\"\r\n"
                                  "Sec-WebSocket-Protocol: chat\r\n\r\n\x82\x80\1\2\3\4";
    unsigned good = 0;
    (void)state;
    /* REQ LIMIT-3 */
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        char text[sizeof request + 2];
        uint64_t random = seed;
        size_t len;
        struct result expected, r;
        memcpy(text, request, sizeof request);
        len = spoil(text, sizeof request - 1, &random);
        expected = run_request(text, len, NULL);
        good += strstr(expected.log, "open\nbinary 0\n") != NULL;
        for (int i = 0; i < 20; i++) {
            r = run_request(text, len, &random);
            assert_string_equal(r.log, expected.log);
            assert_int_equal(r.out_len, expected.out_len);
            assert_true(r.out_len == 0 || memcmp(r.out, expected.out, r.out_len) == 0);
            result_free(&r);
        }
        result_free(&expected);
    }
    assert_in_range(good, 100, 1500); /* both verdicts are tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_with_whole_messages),
        cmocka_unit_test(test_client_with_whole_messages),
        cmocka_unit_test(test_server_streaming),
        cmocka_unit_test(test_client_streaming),
        cmocka_unit_test(test_spoiled_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
