/* What a head gives rise to does not depend on how it was cut into pieces. */
#include "upgrade.h"

static uint32_t seed = 20260101;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

struct text {
    char data[2048];
    size_t len;
};

static void insert(struct text *t, size_t at, const char *data, size_t len)
{
    if (t->len + len > sizeof t->data)
        return;
    memmove(t->data + at + len, t->data + at, t->len - at);
    memcpy(t->data + at, data, len);
    t->len += len;
}

static void delete(struct text *t, size_t at, size_t len)
{
    if (len > t->len - at)
        len = t->len - at;
    memmove(t->data + at, t->data + at + len, t->len - at - len);
    t->len -= len;
}

/* Insert one of what tends to make trouble, repeat or delete a piece, or
 * change a byte. */
static void mutate(struct text *t)
{
    static const char *const troubles[] = {
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ",", ";", "\"", "\x01", "\x80",
        "X: y\r\n", "Host: h\r\n", "Origin: https://evil\r\n", "Expect: x\r\n",
        "Content-Length: 0\r\n", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n",
        "Sec-WebSocket-Protocol: a, b\r\n", "Sec-WebSocket-Extensions: a; b=\"c\\d\"\r\n",
        "Sec-WebSocket-Extensions: a;\r\n", "Connection: close\r\n", "\r\n folded",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n\r\n", "0123456789abcdef",
    };
    char piece[64];
    size_t at = random_below((uint32_t)t->len), len = 1 + random_below(30);
    const char *line = memchr(t->data + at, '\n', t->len - at);
    switch (random_below(6)) {
    case 0:
    case 1: {
        const char *trouble = troubles[random_below(sizeof troubles / sizeof *troubles)];
        if (line && random_below(3))
            at = (size_t)(line - t->data) + 1;
        insert(t, at, trouble, strlen(trouble));
        break;
    }
    case 2:
        if (len > t->len - at)
            len = t->len - at;
        memcpy(piece, t->data + at, len);
        insert(t, at, piece, len);
        break;
    case 3:
        delete(t, at, random_below(3) ? 1 : len);
        break;
    case 4:
        t->data[at] = (char)random_below(256);
        break;
    default:
        t->data[at] ^= 0x20;
    }
    if (t->len == 0)
        insert(t, 0, "\r", 1);
}

static struct text make(const char *head, bool masked)
{
    struct text t = { .len = 0 };
    unsigned char frame[32];
    insert(&t, 0, head, strlen(head));
    for (uint32_t n = random_below(4); n > 0; n--)
        mutate(&t);
    if (random_below(10) == 0)
        t.len = 1 + random_below((uint32_t)t.len); /* it is never finished */
    else
        insert(&t, t.len, (char *)frame, peer_frame(frame, 0x81, "behind it", 9, masked));
    return t;
}

struct way {
    caws_config cfg;
    bool client, later;
};

static void start(struct peer *p, const struct way *way)
{
    *p = (struct peer){ .answer = way->later ? CAWS_LATER : CAWS_ACCEPT };
    if (way->client)
        peer_client(p, "ws://server.example.com/chat", &way->cfg);
    else
        peer_server(p, &way->cfg);
}

static void finish(struct peer *p)
{
    caws_accept(p->ws);
    peer_tick(p, 0);
    peer_eof(p);
}

static void assert_same(const struct peer *a, const struct peer *b, const struct text *t)
{
    if (strcmp(a->log, b->log) != 0)
        fail_msg("%.*s\n%s---\n%s", (int)t->len, t->data, a->log, b->log);
    assert_int_equal(a->out_len, b->out_len);
    if (a->out_len > 0)
        assert_memory_equal(a->out, b->out, a->out_len);
    assert_int_equal(caws_wants(a->ws), caws_wants(b->ws));
}

/* Whole, byte by byte, and in 20 random ways. */
static void feed_all_ways(struct peer *whole, const struct way *way, const struct text *t)
{
    start(whole, way);
    peer_feed(whole, t->data, t->len);
    finish(whole);
    for (int i = 0; i < 21; i++) {
        struct peer p;
        start(&p, way);
        for (size_t at = 0, n; at < t->len; at += n) {
            n = i == 0 ? 1 : 1 + random_below(random_below(4) ? 8 : 300);
            if (n > t->len - at)
                n = t->len - at;
            peer_feed(&p, t->data + at, n);
        }
        finish(&p);
        assert_same(whole, &p, t);
        peer_free(&p);
    }
}

static void requests_cut_in_any_way(void **state)
{
    unsigned opened = 0, refused = 0, unfinished = 0;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        static const char more[] = PEER_REQUEST_LINES "Origin: http://server.example.com\r\n"
                                   "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";
        struct text t = make(i % 2 ? more : PEER_REQUEST, true);
        struct way way = { .later = i % 5 == 0 };
        struct peer p;
        if (i % 3 == 0)
            way.cfg = (caws_config){ .max_head = 150 + random_below(200), .max_headers = 6 };
        /* REQ LIMIT-3 */
        feed_all_ways(&p, &way, &t);
        opened += peer_log_has(&p, "open\n");
        refused += peer_out_status(&p) >= 400;
        unfinished += p.out_len == 0;
        peer_free(&p);
    }
    assert_true(opened > 300);
    assert_true(refused > 300);
    assert_true(unfinished > 100);
}

static void responses_cut_in_any_way(void **state)
{
    unsigned opened = 0, failed = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct text t = make(UPGRADE_RESPONSE, false);
        struct way way = { .cfg = { .random = upgrade_nonce, .subprotocols = "a" },
                           .client = true };
        struct peer p;
        if (i % 3 == 0)
            way.cfg.max_head = 130 + random_below(100);
        feed_all_ways(&p, &way, &t);
        opened += peer_log_has(&p, "open\n");
        failed += peer_log_has(&p, "error -7 ");
        peer_free(&p);
    }
    assert_true(opened > 200);
    assert_true(failed > 200);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_cut_in_any_way),
        cmocka_unit_test(responses_cut_in_any_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
